"""A score as what is measured: notes in columns, on a grid, with where bars and chords begin.

Conventions
-----------
Positions are twelve to a quarter, and ticks are taken to the nearest, halves up. None of this is
shared with what writes scores.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.edits.cells import own_bars
from composer.errors import SymbolError
from composer.score.meter import Meter
from composer.score.names import Parts
from composer.score.parts import track_rows
from composer.score.score import Score
from composer.theory.chords import Chord, parse_chord

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RESOLUTION = 12  # positions a quarter

#: How strong a position is: where a bar begins, on its other strong beats, its beats, their parts.
BAR, STRONG, BEAT, PART_OF_BEAT = 4, 3, 2, 1


class Notes(NamedTuple):
    """Notes of some parts in columns of shape (n,), sorted by part, onset and pitch."""

    part: Ints
    onset: Ints  # positions
    offset: Ints  # positions
    pitch: Ints
    velocity: Ints

    def where(self, mask: Bools) -> Notes:
        """Return the notes that a mask of shape (n,) keeps."""
        return Notes(*(column[mask] for column in self))


def notes_of(score: Score, parts: Parts = None) -> Notes:
    """Return the notes of parts, of all but drums without it.

    Raises
    ------
    RequestError
        The score has no such part.
    """
    columns: list[list[Ints]] = [[] for _ in Notes._fields]
    for row in rows_of(score, parts):
        notes = score.tracks[row].notes
        onset = to_positions(notes["onset"], score.tpq)
        offset = to_positions(notes["onset"] + notes["duration"], score.tpq)
        values = np.full(len(notes), row), onset, np.maximum(offset, onset + 1)
        for column, value in zip(
            columns, (*values, notes["pitch"], notes["velocity"]), strict=True
        ):
            column.append(np.asarray(value, np.int64))
    joined = Notes(*(np.concatenate([np.empty(0, np.int64), *column]) for column in columns))
    order = np.lexsort([joined.pitch, joined.onset, joined.part])
    return Notes(*(column[order] for column in joined))


def rows_of(score: Score, parts: Parts = None) -> list[int]:
    """Return the tracks that parts name, of all but drums without it, counted from 0."""
    if parts is None:
        return [row for row, track in enumerate(score.tracks) if not track.is_drum]
    return track_rows(score, parts)


def to_positions(ticks: npt.ArrayLike, tpq: int) -> Ints:
    """Return ticks as positions, shape as given."""
    return np.asarray((2 * RESOLUTION * np.asarray(ticks, np.int64) + tpq) // (2 * tpq))


def count_bars(score: Score) -> int:
    """Return how many bars a score has, to its last note or chord; 0 without any."""
    has_any = score.chords or any(len(track.notes) for track in score.tracks)
    return own_bars(score) if has_any else 0


def bar_starts(score: Score) -> Ints:
    """Return where each bar begins and where the last one ends, shape (bars + 1,)."""
    return _meter(score).bar_start(np.arange(count_bars(score) + 1))


def line_of(score: Score, parts: Parts = None) -> Notes:
    """Return the highest note of each onset of each part."""
    notes = notes_of(score, parts)
    highest = np.ones(len(notes.onset), bool)
    highest[:-1] = (np.diff(notes.onset) != 0) | (np.diff(notes.part) != 0)
    return notes.where(highest)


def steps_of(score: Score, parts: Parts = None) -> Ints:
    """Return the steps of lines in semitones, none from one part to the next."""
    line = line_of(score, parts)
    return np.asarray(np.diff(line.pitch)[np.diff(line.part) == 0])


class Chords(NamedTuple):
    """Where chords begin, and what they are; a chord said again goes on."""

    begin: Ints  # (n,) positions
    tones: Bools  # (n + 1, 12) pitch classes; row 0 is before the first chord
    bass: Ints  # (n + 1,) pitch classes, -1 where no chord sounds

    def rows_at(self, positions: Ints) -> Ints:
        """Return the rows of ``tones`` and ``bass`` that hold at positions."""
        return np.asarray(np.searchsorted(self.begin, positions, "right"))


def chords_of(score: Score) -> Chords:
    """Return the chords of a score; symbols that cannot be read are left out."""
    begins: list[int] = []
    found: list[Chord | None] = []
    for tick, text in score.chords:
        try:
            chord = parse_chord(text)
        except SymbolError:
            continue
        if not found or chord != found[-1]:
            begins.append(int(to_positions(tick, score.tpq)))
            found.append(chord)
    tones, bass = np.zeros((len(found) + 1, 12), bool), np.full(len(found) + 1, -1)
    for row, chord in enumerate(found, 1):
        if chord is not None:
            tones[row, list(chord.pitch_classes)] = True
            bass[row] = chord.root if chord.bass is None else chord.bass
    return Chords(np.array(begins, np.int64), tones, bass)


def strengths(score: Score, positions: Ints) -> Ints:
    """Return how strong positions are, shape as given.

    A beat is a dotted note in compound meters; where a bar has an even number of beats, every
    second is a strong one.
    """
    meter = _meter(score)
    bar, place = meter.bar_and_position(positions)
    signature = meter.signature_at(bar)
    beats = signature["numerator"].astype(np.int64)
    unit = 4 * RESOLUTION / signature["denominator"]
    compound = (signature["denominator"] >= 8) & (beats % 3 == 0) & (beats > 3)
    beats, unit = np.where(compound, beats // 3, beats), np.where(compound, 3 * unit, unit)
    inner = unit / np.where(compound, 3, 2)
    strength = np.where(place % inner == 0, PART_OF_BEAT, 0)
    strength = np.where(place % unit == 0, BEAT, strength)
    strength = np.where((place % (2 * unit) == 0) & (beats % 2 == 0), STRONG, strength)
    return np.where(place == 0, BAR, strength)


def _meter(score: Score) -> Meter:
    signatures = score.time_signatures.copy()
    signatures["tick"] = to_positions(signatures["tick"], score.tpq)
    return Meter(RESOLUTION, signatures, score.tempos[:0])
