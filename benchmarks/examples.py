"""Write a folder of examples, draw them, and measure them beside real music.

    python -m benchmarks.examples OUT [--model FOLDER] [--rounds N] [--seed S] [--data FOLDER]

OUT gets twelve arrangements, twelve melodies and twelve harmonisations (``example_pieces.py`` says
which) as MIDI files and piano rolls, and ``table.md``: a row for each, the means of each group, and
the same measures of real music: of the twelve tunes of the package and, where DATA is a folder of
MIDI files, of up to 40 of its pieces for three to eight parts, and of the drums of up to 40 that
have some beside other parts. What comes again is counted in the first 16 bars of each, as longer
music has more of it. With more rounds each piece is written with as many seeds; the files are those
of the first, the means those of all. One process writes them; a round takes a minute or so. Needs
matplotlib.
"""

from __future__ import annotations

import argparse
import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.example_pieces import GROUPS, Arrangement, Harmonisation, Piece
from composer import Score, check, example, example_names, load, metrics
from composer.controls.controls import measured, number
from composer.controls.kinds import NAMES
from composer.errors import ComposerWarning
from composer.harmony.inference import infer_chords, song_key
from composer.score.instruments import BASSES
from composer.score.parts import track_rows
from composer.theory.chords import Chord, parse_chord
from composer.tokenizers import Cells

Row = dict[str, float | str]


MOST_REAL = 40
COUNTED_BARS = 16
#: What is counted in so many bars alone.
REPETITION = ("same bar", "same figure", "same rhythm in bar", "same bar of drums")
NOTE_NAMES = "C C# D Eb E F F# G G# A Bb B".split()


def line_row(score: Score, part: int) -> Row:
    """Return what is measured of a melody."""
    final = metrics.final_degree(score, part)
    return {
        "chord tones": metrics.chord_tones(score, part),
        "in scale": metrics.in_scale(score, part),
        "range": span(score, [part]),
        "width": float(np.subtract(*metrics.pitch_range(score, part)[::-1])),
        "empty bars": metrics.empty_bars(score, part),
        "notes a beat": metrics.note_density(score, part),
        "length": metrics.mean_length(score, part),
        "syncopation": metrics.lhl_syncopation(score, part),
        "leaps": metrics.leaps(score, part),
        "octave leaps": metrics.leaps(score, part, wider_than=11),
        "same note": metrics.repeated_notes(score, part),
        "same bar": metrics.repeated_bars(score, part),
        "same figure": metrics.repeated_figures(score, part),
        "ends on tonic": float(final == 0) if not math.isnan(final) else final,
        "last note": last_length(score, part),
    }


def parts_row(score: Score, written: Sequence[int], tune: int | None) -> Row:
    """Return what is measured of the parts of an arrangement."""
    drums = [i for i in written if score.tracks[i - 1].is_drum]
    pitched = [i for i in written if i not in drums and len(score.tracks[i - 1].notes)]
    basses = [i for i in pitched if score.tracks[i - 1].program in BASSES]
    inner = [i for i in pitched if i not in basses]
    pairs = [metrics.shared_onsets(score, *pair) for pair in itertools.combinations(pitched, 2)]
    return {
        "chord tones": metrics.chord_tones(score, pitched),
        "bass on bass": metrics.chord_basses(score, basses) if basses else math.nan,
        "in scale": metrics.in_scale(score, pitched),
        "range": span(score, pitched),
        "empty bars": metrics.empty_bars(score, written),
        "onsets a beat": mean(metrics.density(score, i) for i in inner),
        "of the bass": mean(metrics.density(score, i) for i in basses),
        "of drums": mean(metrics.density(score, i) for i in drums),
        "polyphony": mean(metrics.mean_voices(score, i) for i in inner),
        "length": metrics.mean_length(score, pitched),
        "syncopation": metrics.lhl_syncopation(score, pitched),
        "leaps": metrics.leaps(score, pitched),
        "same rhythm": mean(pairs),
        "doubled": metrics.doubled_notes(score, pitched),
        "above the tune": metrics.covered(score, tune, pitched) if tune else math.nan,
        "same note": metrics.repeated_notes(score, pitched),
        "same bar": metrics.repeated_bars(score, pitched),
        "same rhythm in bar": mean(same_rhythms(score, i) for i in pitched),
        "same bar of drums": metrics.repeated_bars(score, drums) if drums else math.nan,
    }


def chords_row(score: Score, tune: Score) -> Row:
    """Return what is measured of a harmonisation beside the tune's own chords."""
    key = song_key(tune)
    chords = [(tick, parse_chord(text)) for tick, text in score.chords]
    real = [chord for _, chord in chords if chord is not None]
    scale = key.scale | ({key.leading_tone} if key.is_minor else frozenset())
    return {
        "chords a bar": len(chords) / max(tune.bars, 1),
        "kinds": float(len({*real})),
        "in key": mean(chord.pitch_classes <= scale for chord in real),
        "triads": mean(len(chord.tones) == 3 for chord in real),
        "inverted": mean(chord.bass is not None for chord in real),
        "melody on chord": metrics.chord_tones(score, 1),
        "all melody notes": mean(melody_fits(score)),
        "begins on tonic": float(real[0].root == key.tonic),
        "ends on tonic": float(real[-1].root == key.tonic),
        "dominant before": float((real[-2].root - key.tonic) % 12 == 7) if len(real) > 1 else 0.0,
        "root as in the tune": mean(same_roots(score, tune)),
    }


def melody_fits(score: Score) -> Iterator[bool]:
    """Yield of each note of the first track whether it is one of its chord."""
    ticks = np.array([tick for tick, _ in score.chords])
    chords = [parse_chord(text) for _, text in score.chords]
    for note in score.tracks[0].notes:
        at = int(np.searchsorted(ticks, note["onset"], "right")) - 1
        chord = chords[at] if at >= 0 else None
        if chord is not None:
            yield int(note["pitch"]) % 12 in chord.pitch_classes


def same_roots(score: Score, tune: Score) -> Iterator[bool]:
    """Yield of each eighth whether two scores have the same root."""
    for tick in range(0, tune.end, tune.tpq // 2):
        one, two = (chord_at(each, tick) for each in (score, tune))
        if one is not None and two is not None:
            yield one.root == two.root


def chord_at(score: Score, tick: int) -> Chord | None:
    """Return the chord that sounds at a tick."""
    before = [text for start, text in score.chords if start <= tick]
    return parse_chord(before[-1]) if before else None


def same_rhythms(score: Score, part: int) -> float:
    """Return the share of a part's bars whose onsets lie as in an earlier bar."""
    bars, places = score.meter.bar_and_position(score.tracks[part - 1].notes["onset"])
    rhythms = [np.unique(places[bars == bar]).tobytes() for bar in np.unique(bars)]
    return 1 - len({*rhythms}) / len(rhythms) if rhythms else math.nan


def last_length(score: Score, part: int) -> float:
    """Return how long the last note of a part is, beside the mean of its notes."""
    notes = score.tracks[part - 1].notes
    return float(notes["duration"][-1] / notes["duration"].mean()) if len(notes) else math.nan


def span(score: Score, parts: Sequence[int]) -> str:
    """Return the range of parts as note names."""
    low, high = metrics.pitch_range(score, parts)
    return "-".join(f"{NOTE_NAMES[pitch % 12]}{pitch // 12 - 1}" for pitch in (low, high))


def mean(values: Iterator[float] | Sequence[float]) -> float:
    """Return the mean of those that are numbers."""
    numbers = [float(value) for value in values if not math.isnan(value)]
    return float(np.mean(numbers)) if numbers else math.nan


def row_of(piece: Piece, score: Score) -> Row:
    """Return the row of a piece: its measures, and what was asked and what came of it."""
    written = piece.written(score)
    if isinstance(piece, Arrangement):
        row = counted(parts_row, score, written, 1)
    elif isinstance(piece, Harmonisation):
        row = chords_row(score, example(piece.tune))
    else:
        row = counted(line_row, score, 1)
    breaches = check(score, piece.where, parts=written)
    row["breaches"] = float(len(breaches))
    row["asked"] = "; ".join(str(constraint) for constraint in piece.where)
    row["asked and got"] = "; ".join(came(piece, score))
    return row


def came(piece: Piece, score: Score) -> Iterator[str]:
    """Yield what was aimed at and what came of it; of several parts their mean."""
    if "style" in piece.settings:
        yield str(piece.settings["style"])
    grid = Cells().grid(score)
    for name in NAMES:
        aim = piece.settings.get(name)
        for part, value in aim.items() if isinstance(aim, Mapping) else [(None, aim)]:
            if value is None:
                continue
            rows = track_rows(score, part) if part else [i - 1 for i in piece.written(score)]
            got = mean(measured(grid, row).get(name, math.nan) for row in rows)
            of = f" of {part}" if part else ""
            yield f"{name}{of} {number(name, value):.2g}: {got:.2g}"


def real_rows(group: str, data: Path | None) -> Iterator[Row]:
    """Yield the same measures of real music."""
    if group == "arrangements":
        for score, written, tune in real_arrangements(data) if data else ():
            yield counted(parts_row, score, written, tune)
        for score, drums in real_drums(data) if data else ():
            yield {"same bar of drums": metrics.repeated_bars(opening(score), drums)}
        return
    for tune in map(example, example_names()):
        if group == "melodies":
            yield counted(line_row, tune, 1)
        else:
            yield chords_row(tune, tune)


def real_arrangements(data: Path) -> Iterator[tuple[Score, list[int], int]]:
    """Yield pieces for several parts, with all but the highest, and the highest."""
    pieces = ((score, pitched) for score, pitched, drums in real_pieces(data) if not drums)
    several = ((score, pitched) for score, pitched in pieces if 3 <= len(pitched) <= 8)
    for score, pitched in itertools.islice(several, MOST_REAL):
        chorded = score.replace(chords=infer_chords(score))
        tune = max(pitched, key=lambda i: metrics.register(chorded, i))
        yield chorded, [i for i in pitched if i != tune], tune


def real_drums(data: Path) -> Iterator[tuple[Score, list[int]]]:
    """Yield pieces in which drums play with other parts, and which parts they are."""
    found = ((score, drums) for score, pitched, drums in real_pieces(data) if pitched and drums)
    yield from itertools.islice(found, MOST_REAL)


def real_pieces(data: Path) -> Iterator[tuple[Score, list[int], list[int]]]:
    """Yield the pieces of a folder, and their parts with pitches and drums that are not silent."""
    for path in sorted(data.rglob("*.mid"), key=lambda path: path.name[::-1]):
        score = Score.read(path)
        score = score.replace(tracks=tuple(track for track in score.tracks if len(track.notes)))
        if 8 <= score.bars <= 200:
            parts = range(1, len(score.tracks) + 1)
            drums = [i for i in parts if score.tracks[i - 1].is_drum]
            yield score, [i for i in parts if i not in drums], drums


def counted(row_of: Callable[..., Row], score: Score, *parts: Any) -> Row:
    """Return a row of a score, what comes again counted in its first bars."""
    whole, first = row_of(score, *parts), row_of(opening(score), *parts)
    return {name: (first if name in REPETITION else whole)[name] for name in whole}


def opening(score: Score) -> Score:
    """Return a score with the notes of its first bars alone."""
    end = int(score.meter.bar_start(COUNTED_BARS))
    tracks = (t.replace(notes=t.notes[t.notes["onset"] < end]) for t in score.tracks)
    return score.replace(tracks=tuple(tracks))


def means(rows: Sequence[Row]) -> Row:
    """Return the means of rows; the total of breaches."""
    found: Row = {}
    for name, value in rows[0].items():
        values = [row[name] for row in rows if name in row]
        if isinstance(value, str):
            found[name] = ""
        else:
            numbers = [float(v) for v in values if not isinstance(v, str)]
            found[name] = sum(numbers) if name == "breaches" else mean(numbers)
    return found


def table(rows: Mapping[str, Row]) -> str:
    """Return rows as a Markdown table."""
    heads = list(next(iter(rows.values())))
    lines = ["| | " + " | ".join(heads) + " |", "|" + " --- |" * (len(heads) + 1)]
    for name, row in rows.items():
        cells = [row.get(head, "") for head in heads]
        texts = [c if isinstance(c, str) else "" if math.isnan(c) else f"{c:.2f}" for c in cells]
        lines.append(f"| {name} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", help="folder of the model; the package's without it")
    parser.add_argument("--data", type=Path, help="folder of MIDI files to compare with")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first round")
    parser.add_argument("--group", choices=[*GROUPS], help="one group alone")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ComposerWarning)
    composer = load(options.model)
    options.out.mkdir(parents=True, exist_ok=True)
    sections = []
    for group in [options.group] if options.group else GROUPS:
        first: dict[str, Row] = {}
        rows = []
        for turn, (index, piece) in itertools.product(
            range(options.rounds), enumerate(GROUPS[group], 1)
        ):
            score = piece.write(composer, 100 * (options.seed + turn) + index)
            rows.append(row_of(piece, score))
            if not turn:
                stem = f"{group}-{index:02}-{piece.name.replace(' ', '-')}"
                score.write(options.out / f"{stem}.mid")
                score.piano_roll().savefig(options.out / f"{stem}.png")
                first[f"{index} {piece.name}"] = rows[-1]
        shown = {**first, f"**mean of {len(rows)}**": means(rows)}
        real = list(real_rows(group, options.data))
        if real:
            shown[f"**real music, {len(real)}**"] = means(real)
        sections.append(f"## {group.capitalize()}\n\n{table(shown)}\n")
        print(sections[-1], flush=True)
    (options.out / "table.md").write_text("\n".join(sections), encoding="utf-8")


if __name__ == "__main__":
    main()
