"""The measures, by the conventions that ``composer.metrics`` says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from composer.harmony.inference import song_key
from composer.metrics.columns import (
    BAR,
    BEAT,
    PART_OF_BEAT,
    RESOLUTION,
    STRONG,
    bar_starts,
    chords_of,
    count_bars,
    line_of,
    notes_of,
    rows_of,
    steps_of,
    strengths,
)
from composer.score.names import Parts
from composer.score.score import Score
from composer.theory.keys import Key

NAN = float("nan")


def chord_tones(score: Score, parts: Parts = None) -> float:
    """Return the share of notes of the chord among those that should be.

    These are the notes that begin on a strong beat (the first of a bar, and every second where
    their number is even) or where a chord begins. A chord's bass is a note of it.
    """
    notes, chords = notes_of(score, parts), chords_of(score)
    rows = chords.rows_at(notes.onset)
    strong = (strengths(score, notes.onset) >= STRONG) | np.isin(notes.onset, chords.begin)
    counted = strong & (chords.bass[rows] >= 0)
    return _mean(chords.tones[rows, notes.pitch % 12][counted])


def chord_basses(score: Score, parts: Parts = None) -> float:
    """Return the share of chords that begin above their own bass.

    Counted are chords with which a note of the parts begins; the lowest of these should be the bass
    that the chord asks for.
    """
    notes, chords = notes_of(score, parts), chords_of(score)
    right = []
    for begin, bass in zip(chords.begin.tolist(), chords.bass[1:].tolist(), strict=True):
        together = notes.pitch[notes.onset == begin]
        if bass >= 0 and len(together):
            right.append(int(together.min()) % 12 == bass)
    return _mean(right)


def in_scale(score: Score, parts: Parts = None, key: Key | None = None) -> float:
    """Return the share of notes that are in the key or in the chord that sounds with them.

    The key is the score's own, or the one its notes suggest, unless one is given.
    """
    notes, chords = notes_of(score, parts), chords_of(score)
    scale = np.isin(np.arange(12), list((key or song_key(score)).scale))
    pitch_class = notes.pitch % 12
    return _mean(scale[pitch_class] | chords.tones[chords.rows_at(notes.onset), pitch_class])


def pitch_range(score: Score, parts: Parts = None) -> tuple[int, int]:
    """Return the lowest and the highest pitch; (0, 0) without notes."""
    pitch = notes_of(score, parts).pitch
    return (int(pitch.min()), int(pitch.max())) if len(pitch) else (0, 0)


def register(score: Score, parts: Parts = None) -> float:
    """Return the mean pitch. The control of this name asks for this."""
    return _mean(notes_of(score, parts).pitch)


def leaps(score: Score, parts: Parts = None, wider_than: int = 4) -> float:
    """Return the share of a line's steps that are wider than so many semitones."""
    return _mean(np.abs(steps_of(score, parts)) > wider_than)


def density(score: Score, parts: Parts = None) -> float:
    """Return the onsets a quarter note: notes of a part that begin together are one onset.

    Those of several parts are added up. The control of this name asks for this.
    """
    return _over(len(line_of(score, parts).onset), _quarters(score))


def note_density(score: Score, parts: Parts = None) -> float:
    """Return the notes that begin in a quarter note, of all parts together."""
    return _over(len(notes_of(score, parts).onset), _quarters(score))


def polyphony(score: Score, parts: Parts = None) -> float:
    """Return how many notes of a part sound where one begins, on average over its onsets.

    The control of this name asks for this.
    """
    notes, line = notes_of(score, parts), line_of(score, parts)
    sounding = [
        int(((notes.onset <= onset) & (notes.offset > onset) & (notes.part == part)).sum())
        for part, onset in zip(line.part.tolist(), line.onset.tolist(), strict=True)
    ]
    return _mean(sounding)


def mean_voices(score: Score, parts: Parts = None) -> float:
    """Return how many notes of all parts sound together, on average over the time that any does."""
    notes = notes_of(score, parts)
    change = np.zeros(int(notes.offset.max(initial=0)) + 1, np.int64)
    np.add.at(change, notes.onset, 1)
    np.add.at(change, notes.offset, -1)
    sounding = change.cumsum()
    return _mean(sounding[sounding > 0])


def note_length(score: Score, parts: Parts = None) -> float:
    """Return the geometric mean of the notes' lengths, in quarter notes.

    The control of this name asks for this.
    """
    notes = notes_of(score, parts)
    return float(np.exp(_mean(np.log((notes.offset - notes.onset) / RESOLUTION))))


def mean_length(score: Score, parts: Parts = None) -> float:
    """Return the arithmetic mean of the notes' lengths, in quarter notes."""
    notes = notes_of(score, parts)
    return _mean((notes.offset - notes.onset) / RESOLUTION)


def syncopation(score: Score, parts: Parts = None) -> float:
    """Return the share of onsets off the beat that have no onset of the part on the next beat.

    The control of this name asks for this.
    """
    line = line_of(score, parts)
    end = int(line.onset.max(initial=0)) + 1
    on_beat = strengths(score, np.arange(end)) >= BEAT
    beats = np.flatnonzero(on_beat)
    answered = np.zeros(len(line.onset), bool)
    for part in np.unique(line.part).tolist():
        own = line.part == part
        onsets = line.onset[own]
        at = np.searchsorted(beats, onsets, "right")
        following = np.append(beats, -1)[at]  # -1: after all onsets
        answered[own] = on_beat[onsets] | np.isin(following, onsets)
    return _mean(~answered)


def lhl_syncopation(score: Score, parts: Parts = None) -> float:
    """Return the share of onsets that hold on over a position stronger than their own.

    The levels are those of Longuet-Higgins and Lee (1984), from weak to strong: any position;
    halves of a beat (thirds of a dotted one); beats; strong beats; where bars begin. Of an onset
    the highest note counts. A quarter that begins an eighth after the first beat of 4/4 is one.
    """
    line = line_of(score, parts)
    end = int(line.offset.max(initial=0))
    places = strengths(score, np.arange(end))
    held_over = np.zeros(len(line.onset), bool)
    for strength in (PART_OF_BEAT, BEAT, STRONG, BAR):
        strong = np.append(np.flatnonzero(places >= strength), end)
        following = strong[np.searchsorted(strong, line.onset, "right")]
        held_over |= (places[line.onset] < strength) & (following < line.offset)
    return _mean(held_over)


def dynamics(score: Score, parts: Parts = None) -> float:
    """Return the mean velocity. The control of this name asks for this."""
    return _mean(notes_of(score, parts).velocity)


def empty_bars(score: Score, parts: Parts = None) -> float:
    """Return the share of bars in which nothing sounds, over the parts."""
    notes, rows = notes_of(score, parts), rows_of(score, parts)
    sounds = np.zeros((len(rows), count_bars(score)), bool)
    first = np.searchsorted(bar_starts(score), notes.onset, "right") - 1
    last = np.searchsorted(bar_starts(score), notes.offset - 1, "right") - 1
    for part, begin, end in zip(notes.part.tolist(), first, last, strict=True):
        sounds[rows.index(part), begin : end + 1] = True
    return _mean(~sounds)


def repeated_notes(score: Score, parts: Parts = None) -> float:
    """Return the share of a line's steps that stay on their pitch."""
    return _mean(steps_of(score, parts) == 0)


def repeated_bars(score: Score, parts: Parts = None) -> float:
    """Return the share of bars with the same pitches at the same places as an earlier bar's.

    Bars in which nothing begins do not count.
    """
    notes, starts = notes_of(score, parts), bar_starts(score)
    bar = np.searchsorted(starts, notes.onset, "right") - 1
    cells = np.stack([notes.part, bar])
    edges = np.flatnonzero((np.diff(cells) != 0).any(0)) + 1
    seen: set[bytes] = set()
    again = []
    for cell in np.split(np.arange(len(bar)), edges) if len(bar) else []:
        places = notes.onset[cell] - starts[bar[cell]]
        content = np.stack([notes.part[cell], places, notes.pitch[cell]]).tobytes()
        again.append(content in seen)
        seen.add(content)
    return _mean(again)


def repeated_figures(score: Score, parts: Parts = None, length: int = 4) -> float:
    """Return the share of figures of so many notes of a line that the line had before.

    A figure is the same at another pitch: its steps count, and the time from onset to onset.
    """
    line = line_of(score, parts)
    figures = new = 0
    for row in np.unique(line.part):
        own = line.part == row
        steps = np.stack([np.diff(line.pitch[own]), np.diff(line.onset[own])], 1)
        if len(steps) >= length - 1:
            windows = np.lib.stride_tricks.sliding_window_view(steps, length - 1, axis=0)
            figures += len(windows)
            new += len(np.unique(windows.reshape(len(windows), -1), axis=0))
    return _over(figures - new, figures)


def shared_onsets(score: Score, part: str | int, other: str | int) -> float:
    """Return the share of the onsets of two parts that both have: 1 for parts of one rhythm."""
    one, two = notes_of(score, [part]).onset, notes_of(score, [other]).onset
    return _over(len(np.intersect1d(one, two)), len(np.union1d(one, two)))


def doubled_notes(score: Score, parts: Parts = None) -> float:
    """Return the share of notes that begin with one of their pitch in another of the parts."""
    notes = notes_of(score, parts)
    _, place, count = np.unique(
        notes.onset * 128 + notes.pitch, return_inverse=True, return_counts=True
    )
    return _mean(count[place] > 1)


def covered(score: Score, part: str | int, by: Parts = None) -> float:
    """Return the share of a part's onsets above which another part sounds.

    Parameters
    ----------
    score
        Any score.
    part
        The part that should be on top, such as the melody.
    by
        The parts that may cover it; all others but drums without it.
    """
    line = line_of(score, [part])
    rows = [row for row in rows_of(score, by) if row not in rows_of(score, [part])]
    others = notes_of(score, [row + 1 for row in rows])
    above = [
        bool(((others.onset <= onset) & (others.offset > onset) & (others.pitch > pitch)).any())
        for onset, pitch in zip(line.onset, line.pitch, strict=True)
    ]
    return _mean(above)


def final_degree(score: Score, part: str | int, key: Key | None = None) -> float:
    """Return how many semitones above the tonic a part's last note is, 0 to 11; nan without any."""
    line = line_of(score, [part])
    tonic = (key or song_key(score)).tonic
    return float((line.pitch[-1] - tonic) % 12) if len(line.pitch) else NAN


#: What ``describe`` counts, beside the ends of the range.
MEASURES: dict[str, Callable[[Score, Parts], float]] = {
    measure.__name__: measure
    for measure in (
        chord_tones,
        chord_basses,
        in_scale,
        register,
        leaps,
        density,
        note_density,
        polyphony,
        mean_voices,
        note_length,
        mean_length,
        syncopation,
        lhl_syncopation,
        dynamics,
        empty_bars,
        repeated_notes,
        repeated_bars,
        repeated_figures,
    )
}


def describe(score: Score) -> dict[str, dict[str, float]]:
    """Return all measures of each part, and the ends of its range as ``low`` and ``high``.

    Returns
    -------
    dict
        Part -> measure -> value; ``pandas.DataFrame`` takes it as it is. Parts without a name, or
        with one that another has, go by their number.

    Examples
    --------
    >>> import composer
    >>> measured = describe(composer.example("Red River Valley"))
    >>> round(measured["Melody"]["repeated_bars"], 2), measured["Melody"]["high"]
    (0.12, 79.0)
    """
    names = [track.name for track in score.tracks]
    found = {}
    for row, name in enumerate(names):
        title = name if name and names.count(name) == 1 else f"part {row + 1}"
        low, high = pitch_range(score, row + 1)
        values = {what: measure(score, row + 1) for what, measure in MEASURES.items()}
        found[title] = {**values, "low": float(low), "high": float(high)}
    return found


def as_table(described: Mapping[str, Mapping[str, float]]) -> str:
    """Return what ``describe`` returns as a Markdown table, a row a part."""
    heads = list(next(iter(described.values()), {}))
    lines = ["| part | " + " | ".join(heads) + " |", "|" + " --- |" * (len(heads) + 1)]
    for name, values in described.items():
        cells = ("" if math.isnan(value) else f"{value:.3g}" for value in values.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _quarters(score: Score) -> float:
    return float(bar_starts(score)[-1]) / RESOLUTION


def _mean(values: npt.ArrayLike) -> float:
    values = np.asarray(values)
    return float(values.mean()) if values.size else NAN


def _over(part: float, whole: float) -> float:
    return part / whole if whole else NAN
