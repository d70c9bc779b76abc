"""Notes that stay in cells that are written: they are said in their place, and leave no choice.

So the model hears them as it hears its own, and what it writes around them fits. Of a note that has
to be there it may be left open how long or how loud it is.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from composer.decoding.request import Request
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
