"""How well key and chord inference agree with what was written.

    python -m benchmarks.harmony FOLDER

FOLDER holds MIDI files with key signatures, chord symbols (markers ``chord:``) or both; files
without a symbol or with several key signatures are left out of the part they cannot serve. A key is
right when it has as many sharps as the signature, since signatures do not tell the mode reliably.
Chords are compared by duration: the root; root and triad; root and quality (a symbol that inference
does not name, such as C9, counts as its nearest); bass. A track called Chords is heard as written,
again with its chords broken into eighth notes, and left out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np

from composer import ComposerWarning, Score, Text, Track
from composer.harmony.inference import INFERRED, infer_chords, infer_key
from composer.theory.chords import QUALITIES, parse_chord

TONES = [frozenset(step % 12 for step in quality.intervals) for quality in QUALITIES]
NEAREST = [
    min((i for i, q in enumerate(QUALITIES) if q.name in INFERRED), key=lambda i: len(TONES[i] ^ t))
    for t in TONES
]


def triad(quality: int) -> tuple[bool, ...]:
    tones = TONES[quality]
    return 3 in tones, 4 in tones, 6 in tones and 7 not in tones, 8 in tones and 7 not in tones


def broken(score: Score) -> Score:
    """Play the chords of the track called Chords one note at a time, the bass first."""
    tracks, step = [], score.tpq // 2
    for track in score.tracks:
        rows = []
        for onset in np.unique(track.notes["onset"]) if track.name == "Chords" else ():
            chord = track.notes[track.notes["onset"] == onset]
            pitches = np.sort(chord["pitch"])
            # Outer and inner notes in turn, as in an Alberti bass.
            order = [0, *range(1, len(pitches), 2), *range(2, len(pitches), 2)]
            for i in range(max(1, chord["duration"].max() // step)):
                rows.append((onset + i * step, step, pitches[order[i % len(order)]], 64))
        tracks.append(Track("Broken", notes=rows) if rows else track)
    return score.replace(tracks=tuple(tracks))


def compare(truth: tuple[Text, ...], found: tuple[Text, ...], end: int) -> np.ndarray:
    """Return the durations in ticks: all, root, triad, quality, bass right."""
    edges = np.unique([t.tick for t in (*truth, *found) if t.tick < end] + [end])
    right = np.zeros(5)
    both = [[(text.tick, parse_chord(text.text)) for text in texts] for texts in (truth, found)]
    at = [np.searchsorted([tick for tick, _ in texts], edges[:-1], "right") - 1 for texts in both]
    for length, i, j in zip(np.diff(edges), *at, strict=True):
        want = both[0][i][1] if i >= 0 else None
        if want is None:
            continue
        got = both[1][j][1] if j >= 0 else None
        right[0] += length
        if got is None:
            continue
        basses = [chord.root if chord.bass is None else chord.bass for chord in (want, got)]
        right[4] += length * (basses[0] == basses[1])
        if got.root == want.root:
            same = (True, triad(got.quality) == triad(want.quality))
            right[1:4] += length * np.array([*same, NEAREST[got.quality] == NEAREST[want.quality]])
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    keys: list[bool] = []
    chords: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(5))
    notes = seconds = 0.0
    warnings.simplefilter("ignore", ComposerWarning)
    for path in sorted(folder.rglob("*.mid")):
        score = Score.read(path)
        if len(score.key_signatures) == 1:
            sharps = int(score.key_signatures["sharps"][0])
            keys.append((infer_key(score).sharps - sharps) % 12 == 0)
        begin = time.perf_counter()
        found = infer_chords(score)
        seconds += time.perf_counter() - begin
        notes += sum(len(track.notes) for track in score.tracks)
        if score.chords:
            for unit in ("beat", "bar"):
                found = infer_chords(score, unit)
                chords[f"as written, by {unit}"] += (
                    compare(score.chords, found, score.end) / score.tpq
                )
            rest = tuple(track for track in score.tracks if track.name != "Chords")
            for name, heard in (
                ("broken", broken(score)),
                ("left out", score.replace(tracks=rest)),
            ):
                found = infer_chords(heard)
                chords[f"{name}, by beat"] += compare(score.chords, found, score.end) / score.tpq
    if keys:
        print(f"key: sharps right in {np.mean(keys):.1%} of {len(keys)} files")
    print(f"chords: {1e6 * seconds / max(notes, 1):.1f} microseconds a note, {notes:.0f} notes")
    for name, right in chords.items():
        if not right[0]:
            continue
        shares = zip(("root", "triad", "quality", "bass"), right[1:] / right[0], strict=True)
        table = "  ".join(f"{what} {share:.1%}" for what, share in shares)
        print(f"{name:20} {table}  of {right[0]:.0f} quarters")


if __name__ == "__main__":
    main()
