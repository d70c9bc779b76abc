"""Notes that stay in cells that are written: they are said in their place, and leave no choice.

So the model hears them as it hears its own, and what it writes around them fits. Of a note that has
to be there it may be left open how long or how loud it is.

What sounds in the cells of a request: what is given, and what was written before.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from composer.constraints.cell import Occupancy
from composer.constraints.playable import bits_of
from composer.request.request import Request
from composer.score.events import Events
from composer.score.grid import Grid, held_on_grid
from composer.tokenizers.bins import DURATIONS


@dataclasses.dataclass(frozen=True)
class LockedNote:
    """A note of a cell that stays."""

    pitch: int
    duration: int  # index into the table of durations, -1 for any
    velocity: int  # 1 to 127, 0 for any


class LockedNotes:
    """The notes of a cell that stay.

    Parameters
    ----------
    rows
        (position, pitch, duration, velocity), in the order of the grid; 0 for any.
    """

    def __init__(self, rows: list[tuple[int, int, int, int]]) -> None:
        self._notes: dict[tuple[int, int], LockedNote] = {}  # by position and pitch
        self._pitches: dict[int, list[int]] = {}  # by position
        for position, pitch, duration, velocity in rows:
            length = int(np.searchsorted(DURATIONS, duration)) if duration else -1
            self._notes[position, pitch] = LockedNote(pitch, length, velocity)
            self._pitches.setdefault(position, []).append(pitch)
        #: Where they begin, rising.
        self.positions = sorted(self._pitches)
        self._count = len(rows)

    def __len__(self) -> int:
        return self._count

    def next(self, position: int, above: int) -> LockedNote | None:
        """Return the lowest note of an onset above a pitch; None without any."""
        later = (pitch for pitch in self._pitches.get(position, ()) if pitch > above)
        return self._notes.get((position, next(later, -1)))

    def highest(self, position: int) -> int:
        """Return the highest pitch of an onset; -1 without any."""
        return self._pitches[position][-1] if position in self._pitches else -1

    def at(self, position: int, pitch: int) -> LockedNote | None:
        """Return the note of a pitch at a position."""
        return self._notes.get((position, pitch))

    def is_given(self, position: int, pitch: int) -> bool:
        """Return whether a note stays, with the length it has."""
        note = self.at(position, pitch)
        return note is not None and note.duration >= 0


NONE_LOCKED = LockedNotes([])


def locked_notes(request: Request) -> dict[tuple[int, int], LockedNotes]:
    """Return the notes that stay, by bar and part."""
    rows: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for bar, part, *note in request.locked.tolist():
        rows.setdefault((bar, part), []).append(tuple(note))
    return {cell: LockedNotes(sorted(notes)) for cell, notes in rows.items()}


Ints = npt.NDArray[np.int64]


Bools = npt.NDArray[np.bool_]


class GivenNotes:
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
        self.has_techniques = any(d.constraint.is_played for d in request.posted)
        self._occupancies: dict[tuple[int, int], Occupancy] = {}

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

    def occupancy(self, bar: int, row: int) -> Occupancy:
        """Return what a cell has room for."""
        if (bar, row) not in self._occupancies:
            is_own = [notes["part"] == row for notes in (self._closing, self.held)]
            occupancy = self._occupied_by(bar, row, *is_own)
            if (bar, row) in self._locked:
                begins = [self._closing["onset"], self.held["onset"]]
                start, end = self._starts[bar], self._starts[bar + 1]
                inside = [(onset >= start) & (onset < end) for onset in begins]
                rest = [own & ~here for own, here in zip(is_own, inside, strict=True)]
                occupancy = dataclasses.replace(
                    occupancy, unlocked=self._occupied_by(bar, row, *rest)
                )
            self._occupancies[bar, row] = occupancy
        return self._occupancies[bar, row]

    def _occupied_by(self, bar: int, row: int, closing: Bools, sounding: Bools) -> Occupancy:
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
        bits = [bits_of(pitches[row].tolist()) for row in sounds] if self.has_techniques else ()
        return Occupancy(closed, sounds.sum(1), tuple(bits))
