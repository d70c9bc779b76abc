"""What sounds in the cells of a request: what is given, and what was written before."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from composer.constraints.demands import Room
from composer.constraints.grips import bits_of
from composer.constraints.playing import Playable
from composer.decoding.locks import NONE_LOCKED, LockedNotes, locked_notes
from composer.decoding.request import Request
from composer.events import Events
from composer.grid import Grid, held_on_grid

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Rooms:
    """What notes leave each cell of a request.

    Parameters
    ----------
    request
        The request.
    grid
        Its grid without what is to be written.
    """

    def __init__(self, request: Request, grid: Grid) -> None:
        self._written = request.written
        self._starts = grid.bar_starts
        held = held_on_grid(grid)
        #: What closes pitches: the notes of the grid, and where the user's sound otherwise.
        self._closing = held if request.held is None else np.concatenate([held, request.held])
        #: The given notes as they sound, dtype ``HELD``.
        self.held = held if request.held is None else request.held
        self._locked = locked_notes(request)
        #: Whether instruments are asked how they are played.
        self.has_ways = any(isinstance(d.constraint, Playable) for d in request.demands)
        self._rooms: dict[tuple[int, int], Room] = {}

    def locked(self, bar: int, row: int) -> LockedNotes:
        """Return the notes of a cell that stay."""
        return self._locked.get((bar, row), NONE_LOCKED)

    def begins(self, bar: int, row: int) -> Ints:
        """Return where the given notes of a cell begin, in positions of the piece."""
        begins = self.held["onset"][self.held["part"] == row]
        return np.asarray(begins[(begins >= self._starts[bar]) & (begins < self._starts[bar + 1])])

    def ringing(self, grid: Grid, bar: int, row: int, times: int) -> Ints:
        """Return how many notes of the request ring on from bars before, at each time."""
        _, ends = self.ringing_notes(grid, bar, row)
        return np.array((ends[:, None] > np.arange(times)).sum(0), np.int64)

    def ringing_notes(self, grid: Grid, bar: int, row: int) -> tuple[Events, Ints]:
        """Return the notes of the request in bars before, and where they end from the bar on."""
        notes = grid.notes[(grid.notes["part"] == row) & (grid.notes["bar"] < bar)]
        ends = self._starts[notes["bar"]] + notes["position"] + notes["duration"]
        ends -= self._starts[bar]
        rings = (ends > 0) & self._written[notes["bar"], row + 1]
        notes, ends = notes[rings], ends[rings]
        is_counted = [
            not self.locked(number, row).is_given(position, pitch)
            for number, _, position, pitch, _, _ in notes.tolist()
        ]
        return notes[is_counted], ends[is_counted]

    def room(self, bar: int, row: int) -> Room:
        """Return what a cell has room for."""
        if (bar, row) not in self._rooms:
            is_own = [notes["part"] == row for notes in (self._closing, self.held)]
            room = self._make_room(bar, row, *is_own)
            if (bar, row) in self._locked:
                begins = [self._closing["onset"], self.held["onset"]]
                start, end = self._starts[bar], self._starts[bar + 1]
                inside = [(onset >= start) & (onset < end) for onset in begins]
                rest = [own & ~here for own, here in zip(is_own, inside, strict=True)]
                room = dataclasses.replace(room, unlocked=self._make_room(bar, row, *rest))
            self._rooms[bar, row] = room
        return self._rooms[bar, row]

    def _make_room(self, bar: int, row: int, closing: Bools, sounding: Bools) -> Room:
        """Return what is left of a cell by those of the given notes."""
        start, end = int(self._starts[bar]), int(self._starts[bar + 1])
        notes = self._closing[closing]
        notes = notes[(notes["first"] < end) & (notes["last"] > start)]
        closed = np.zeros((end - start, 128), bool)
        for note in notes:
            first, last = max(0, note["first"] - start), note["last"] - start
            closed[first:last, note["pitch"]] = True
        held = self.held[sounding]
        held = held[(held["onset"] < end) & (held["offset"] > start)]
        times = np.arange(start, end)[:, None]
        sounds = (held["onset"] <= times) & (times < held["offset"])  # (positions, notes)
        pitches = held["pitch"]
        bits = [bits_of(pitches[row].tolist()) for row in sounds] if self.has_ways else ()
        return Room(closed, sounds.sum(1), tuple(bits))
