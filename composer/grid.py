"""A piece as a grid: bars across, parts down, and the chords as one more part.

Conventions
-----------
A grid counts in *positions*, twelve to a quarter note, and its notes carry their bar and the
position inside it. A *cell* is one bar of one part. Notes belong to the cell they begin in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.meter import Meter
from composer.score import KEY_SIGNATURE, NOTE, TEMPO, TIME_SIGNATURE, Events, Score, Text, Track
from composer.theory import Chord, Key, chord_symbol, parse_chord

#: Positions a quarter note; also the ``tpq`` of every quantised score.
RESOLUTION = 12

CELL_NOTE = np.dtype(
    [
        ("bar", "i4"),
        ("part", "i4"),
        ("position", "i4"),
        ("pitch", "i4"),
        ("duration", "i4"),  # positions
        ("velocity", "i4"),
    ]
)
#: ``root`` is -1 for no chord (N.C.), ``bass`` is -1 where it is the root.
CELL_CHORD = np.dtype(
    [("bar", "i4"), ("position", "i4"), ("root", "i4"), ("quality", "i4"), ("bass", "i4")]
)
BAR = np.dtype([("numerator", "i4"), ("denominator", "i4"), ("mspq", "i4")])


@dataclasses.dataclass(frozen=True)
class Part:
    """A row of the grid: the instrument that plays it."""

    name: str = ""
    program: int = 0
    is_drum: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """A quantised piece by cells.

    Parameters
    ----------
    key
        Home key of the piece.
    parts
        Rows, in order.
    bars
        Dtype ``BAR``, one row a bar: its time signature and the tempo it begins with.
    notes
        Dtype ``CELL_NOTE``, sorted by bar, part, position and pitch.
    chords
        Dtype ``CELL_CHORD``, sorted by bar and position; a chord holds until the next.
    """

    key: Key
    parts: tuple[Part, ...]
    bars: Events
    notes: Events
    chords: Events

    @property
    def bar_lengths(self) -> npt.NDArray[np.int64]:
        """Length of each bar in positions, shape (bars,)."""
        numerators = self.bars["numerator"].astype(np.int64)
        return np.asarray(numerators * 4 * RESOLUTION // self.bars["denominator"])

    @property
    def bar_starts(self) -> npt.NDArray[np.int64]:
        """Position at which each bar begins, and the end of the last; shape (bars + 1,)."""
        return np.concatenate([[0], np.cumsum(self.bar_lengths)])

    @classmethod
    def of(cls, score: Score, key: Key, bars: int | None = None) -> Grid:
        """Return the grid of a quantised score (``tpq`` 12, every bar on the grid).

        Parameters
        ----------
        score
            What a tokenizer's ``quantize`` returned.
        key
            Home key.
        bars
            Number of bars; as many as the notes and chords need without it, and at least one.
        """
        meter = score.meter
        count = bars if bars is not None else needed_bars(score, meter)
        rows = np.empty(count, BAR)
        signatures = meter.signature_at(np.arange(count))
        rows["numerator"], rows["denominator"] = signatures["numerator"], signatures["denominator"]
        ticks, mspq = meter.tempo_changes
        starts = meter.bar_start(np.arange(count))
        rows["mspq"] = mspq[np.searchsorted(ticks, starts, side="right") - 1]
        parts = tuple(Part(track.name, track.program, track.is_drum) for track in score.tracks)
        cells = [_cell_notes(track.notes, row, meter) for row, track in enumerate(score.tracks)]
        notes = np.concatenate(cells) if cells else np.empty(0, CELL_NOTE)
        notes = sorted_notes(notes)
        chords = chord_rows(score.chords, meter)
        return cls(key, parts, rows, notes[notes["bar"] < count], chords[chords["bar"] < count])

    def score(self) -> Score:
        """Return the grid as a score of twelve ticks a quarter."""
        starts = self.bar_starts
        tracks = []
        for row, part in enumerate(self.parts):
            cells = self.notes[self.notes["part"] == row]
            notes = np.empty(len(cells), NOTE)
            notes["onset"] = starts[cells["bar"]] + cells["position"]
            for name in ("duration", "pitch", "velocity"):
                notes[name] = cells[name]
            tracks.append(Track(part.name, part.program, part.is_drum, notes))
        bars = self.bars
        changed = np.r_[True, bars["mspq"][1:] != bars["mspq"][:-1]]
        tempos = np.empty(int(changed.sum()), TEMPO)
        tempos["tick"], tempos["mspq"] = starts[:-1][changed], bars["mspq"][changed]
        meters = bars[["numerator", "denominator"]]
        changed = np.r_[True, meters[1:] != meters[:-1]]
        signatures = np.empty(int(changed.sum()), TIME_SIGNATURE)
        signatures["tick"] = starts[:-1][changed]
        for name in ("numerator", "denominator"):
            signatures[name] = bars[name][changed]
        minor = self.key.mode == "minor"
        return Score(
            tpq=RESOLUTION,
            tracks=tuple(tracks),
            tempos=tempos,
            time_signatures=signatures,
            key_signatures=np.array([(0, self.key.sharps, minor)], KEY_SIGNATURE),
            chords=self._chord_texts(starts),
        )

    def _chord_texts(self, starts: npt.NDArray[np.int64]) -> tuple[Text, ...]:
        texts: list[Text] = []
        for row in self.chords:
            text = chord_symbol(chord_of(row), self.key)
            if not texts or texts[-1].text != text:
                texts.append(Text(int(starts[row["bar"]]) + int(row["position"]), text))
        return tuple(texts)

    def replace(self, **changes: Any) -> Grid:
        """Return a copy with the fields named changed."""
        return dataclasses.replace(self, **changes)


def sorted_notes(notes: Events) -> Events:
    """Return notes of dtype ``CELL_NOTE`` in the order that a grid has them."""
    return np.asarray(notes[np.lexsort([notes[k] for k in ("pitch", "position", "part", "bar")])])


def sorted_chords(chords: Events) -> Events:
    """Return chords of dtype ``CELL_CHORD`` in the order that a grid has them."""
    return np.asarray(chords[np.lexsort([chords["position"], chords["bar"]])])


def needed_bars(score: Score, meter: Meter) -> int:
    """Return how many bars hold all notes and chords of a score, at least one."""
    last_chord = max((tick for tick, _ in score.chords), default=0)
    return max(1, meter.bars_until(max(score.end, last_chord + 1)))


def _cell_notes(notes: Events, part: int, meter: Meter) -> Events:
    cells = np.empty(len(notes), CELL_NOTE)
    cells["bar"], cells["position"] = meter.bar_and_position(notes["onset"])
    cells["part"] = part
    for name in ("pitch", "duration", "velocity"):
        cells[name] = notes[name]
    return cells


def chord_of(row: Events) -> Chord | None:
    """Return the chord of a row of dtype ``CELL_CHORD``; None for no chord."""
    if row["root"] < 0:
        return None
    bass = int(row["bass"])
    return Chord(int(row["root"]), int(row["quality"]), None if bass < 0 else bass)


def chord_rows(chords: tuple[Text, ...], meter: Meter) -> Events:
    """Return readable chord symbols as rows of dtype ``CELL_CHORD``."""
    rows = np.empty(len(chords), CELL_CHORD)
    rows["bar"], rows["position"] = meter.bar_and_position([tick for tick, _ in chords])
    parsed = [parse_chord(text) for _, text in chords]
    rows["root"] = [-1 if chord is None else chord.root for chord in parsed]
    rows["quality"] = [0 if chord is None else chord.quality for chord in parsed]
    basses = [None if chord is None else chord.bass for chord in parsed]
    rows["bass"] = [-1 if bass is None else bass for bass in basses]
    return rows


def cut_bars(grid: Grid, start: int, count: int) -> Grid:
    """Return some bars of a grid, the chord that holds at the start said there."""
    end = start + count
    notes = grid.notes[(grid.notes["bar"] >= start) & (grid.notes["bar"] < end)].copy()
    notes["bar"] -= start
    before = grid.chords[grid.chords["bar"] < start][-1:].copy()
    before["bar"], before["position"] = start, 0
    inside = grid.chords[(grid.chords["bar"] >= start) & (grid.chords["bar"] < end)]
    if len(inside) and inside["bar"][0] == start and inside["position"][0] == 0:
        before = before[:0]
    chords = np.concatenate([before, inside])
    chords["bar"] -= start
    return grid.replace(bars=grid.bars[start:end], notes=notes, chords=chords)


def choose_parts(grid: Grid, rows: Sequence[int]) -> Grid:
    """Return a grid with only these parts, in this order."""
    new_row = np.full(len(grid.parts), -1)
    new_row[list(rows)] = np.arange(len(rows))
    notes = grid.notes[new_row[grid.notes["part"]] >= 0].copy()
    notes["part"] = new_row[notes["part"]]
    return grid.replace(parts=tuple(grid.parts[row] for row in rows), notes=sorted_notes(notes))
