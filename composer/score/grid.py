"""A piece as a grid: bars across, parts down, and the chords as one more part.

Conventions
-----------
A grid counts in *positions*, twelve to a quarter note, and its notes carry their bar and the
position inside it. A *cell* is one bar of one part. Notes belong to the cell they begin in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.score.events import KEY_SIGNATURE, NOTE, TEMPO, TIME_SIGNATURE, Events, Text
from composer.score.score import Score, Track
from composer.theory.chords import Chord, chord_symbol
from composer.theory.keys import Key

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
#: A given note as it sounds in the user's score, in positions from the start of the piece.
HELD = np.dtype(
    [
        ("part", "i8"),
        ("onset", "i8"),
        ("offset", "i8"),
        ("pitch", "i8"),
        ("first", "i8"),  # where no note of its pitch may begin, up to ...
        ("last", "i8"),  # ... the position before this one
    ]
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

    @cached_property
    def bar_lengths(self) -> npt.NDArray[np.int64]:
        """Length of each bar in positions, shape (bars,)."""
        numerators = self.bars["numerator"].astype(np.int64)
        return np.asarray(numerators * 4 * RESOLUTION // self.bars["denominator"])

    @cached_property
    def is_drum(self) -> npt.NDArray[np.bool_]:
        """Which parts play drums, shape (parts,)."""
        return np.array([part.is_drum for part in self.parts], bool)

    @property
    def pitched(self) -> Events:
        """The notes of all parts but drums, dtype ``CELL_NOTE``."""
        return np.asarray(self.notes[~self.is_drum[self.notes["part"]]])

    @cached_property
    def bar_starts(self) -> npt.NDArray[np.int64]:
        """Position at which each bar begins, and the end of the last; shape (bars + 1,)."""
        return np.concatenate([[0], np.cumsum(self.bar_lengths)])

    def named(self, tracks: Sequence[Track]) -> Grid:
        """Return the grid with parts called as tracks are."""
        pairs = zip(self.parts, tracks, strict=True)
        return self.replace(
            parts=tuple(dataclasses.replace(part, name=track.name) for part, track in pairs)
        )

    def part_name(self, row: int) -> str:
        """Return what messages call a part."""
        return self.parts[row].name or f"part {row + 1}"

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


def held_on_grid(grid: Grid) -> Events:
    """Return the notes of a grid as it has them, dtype ``HELD``."""
    held = np.empty(len(grid.notes), HELD)
    held["part"], held["pitch"] = grid.notes["part"], grid.notes["pitch"]
    held["onset"] = held["first"] = grid.bar_starts[grid.notes["bar"]] + grid.notes["position"]
    held["offset"] = held["last"] = held["onset"] + grid.notes["duration"]
    return held


def sorted_notes(notes: Events) -> Events:
    """Return notes of dtype ``CELL_NOTE`` in the order that a grid has them."""
    parts = int(notes["part"].max(initial=0)) + 1
    cell = notes["bar"].astype(np.int64) * parts + notes["part"]
    return notes.take(
        np.argsort((cell << 32) + (notes["position"] << 7) + notes["pitch"], kind="stable")
    )


def sorted_chords(chords: Events) -> Events:
    """Return chords of dtype ``CELL_CHORD`` in the order that a grid has them."""
    return chords.take(np.lexsort([chords["position"], chords["bar"]]))


def chord_of(row: Events) -> Chord | None:
    """Return the chord of a row of dtype ``CELL_CHORD``; None for no chord."""
    if row["root"] < 0:
        return None
    bass = int(row["bass"])
    return Chord(int(row["root"]), int(row["quality"]), None if bass < 0 else bass)


def chord_values(chord: Chord | None) -> tuple[int, int, int]:
    """Return root, quality and bass as the columns of ``CELL_CHORD`` have them."""
    if chord is None:
        return -1, 0, -1
    return chord.root, chord.quality, -1 if chord.bass is None else chord.bass


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


def choose_bars(grid: Grid, bars: Sequence[int]) -> Grid:
    """Return a grid with only these bars, which rise; each says the chord that it holds or none.

    A chord holds on into the next of them only where every bar says its own, as in a grid that is
    being written.
    """
    new_bar = np.full(len(grid.bars), -1)
    new_bar[list(bars)] = np.arange(len(bars))
    found = {}
    for name, rows in (("notes", grid.notes), ("chords", grid.chords)):
        bar = new_bar[rows["bar"]]
        found[name] = rows[bar >= 0].copy()
        found[name]["bar"] = bar[bar >= 0]
    return grid.replace(bars=grid.bars[list(bars)], **found)


def choose_parts(grid: Grid, rows: Sequence[int]) -> Grid:
    """Return a grid with only these parts, in this order."""
    new_row = np.full(len(grid.parts), -1)
    new_row[list(rows)] = np.arange(len(rows))
    part = new_row[grid.notes["part"]]
    kept = np.flatnonzero(part >= 0)
    notes = grid.notes.take(kept)
    notes["part"] = part[kept]
    return grid.replace(parts=tuple(grid.parts[row] for row in rows), notes=sorted_notes(notes))
