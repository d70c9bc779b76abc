"""What sounds in a part from time to time, and what its player can add.

*Times* are as in ``composer.feasibility.cell_kernels``, bit sets and ways of playing as in
``composer.constraints.playable``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from composer.constraints.base import PitchMask
from composer.constraints.playable import Technique, beside
from composer.feasibility.cell_kernels import IDLE

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class Hands:
    """What sounds at the times of a cell that is written and of those after it.

    Parameters
    ----------
    pitches
        Shape (times, 128): which may begin where; narrowed in place to what can be played.
    """

    def __init__(self, pitches: PitchMask) -> None:
        self._pitches = pitches
        self._sounds = [0] * len(pitches)
        self._techniques: list[tuple[Technique, ...]] = [()] * len(pitches)
        #: Times at which given notes begin, which have to be playable too.
        self._given: list[int] = []
        self._is_asked = False

    def enter(
        self,
        at: int,
        sounds: Sequence[int],
        techniques: tuple[Technique, ...],
        given: Sequence[int],
    ) -> None:
        """Enter a cell.

        Parameters
        ----------
        at
            The time of its first position.
        sounds
            Bit sets of the given notes, position by position.
        ways
            How what sounds together in it is played.
        given
            Times at which given notes begin.
        """
        if not techniques:
            return
        self._is_asked = True
        for time, bits in enumerate(sounds, at):
            self._sounds[time] |= bits
            self._techniques[time] = techniques
        self._given += given

    def accept(self, pitch: int, first: int, last: int) -> None:
        """Note that a pitch sounds from one time up to another, and close what that rules out."""
        self.add(pitch, first, last)
        self.narrow(first, last)

    def add(self, pitch: int, first: int, last: int) -> None:
        """Note that a pitch sounds from one time up to another."""
        for time in range(first, min(last, len(self._sounds))) if self._is_asked else ():
            self._sounds[time] |= 1 << pitch

    def remove(self, pitch: int, first: int, last: int) -> None:
        """Take back that a pitch sounds; it must have been added."""
        for time in range(first, min(last, len(self._sounds))) if self._is_asked else ():
            self._sounds[time] &= ~(1 << pitch)

    def narrow(self, first: int, last: int) -> None:
        """Close the pitches that cannot be played with what sounds."""
        stop = min(last, len(self._sounds))
        for start, end in self._runs(first, stop) if self._is_asked else ():
            if self._techniques[start] and self._sounds[start]:
                self._pitches[start:end] &= self._beside(start)

    def closed_by(
        self, pitch: int, at: int, sounding_until: Ints, wants: npt.NDArray[np.int8]
    ) -> Mask:
        """Return which times after one a pitch would close if it sounded on there, (times,).

        Those are looked at that want an onset.
        """
        closed = np.zeros(len(wants), bool)
        wanted = at + 1 + np.flatnonzero(wants[at + 1 :] != IDLE)
        if not len(wanted):
            return closed
        for start, end in self._runs(at + 1, len(wants)):
            times = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, end)]
            if self._techniques[start] and len(times):
                free = self._pitches[times] & (sounding_until <= times[:, None])
                free &= self.with_pitch(start, pitch)
                free[:, pitch] = False
                closed[times] = ~free.any(1)
        return closed

    def until(self, pitch: int, at: int) -> int:
        """Return the first time after one whose given notes cannot be played with a pitch."""
        wrong = (time for time in self._given if time > at and not self._beside(time)[pitch])
        return min(wrong, default=1 << 20)

    def with_pitch(self, time: int, pitch: int) -> Mask:
        """Return which pitches can be played at a time if one more sounds, (128,)."""
        return self._beside(time, 1 << pitch)

    def _beside(self, time: int, more: int = 0) -> Mask:
        return beside(self._sounds[time] | more, self._techniques[time])

    def _runs(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield the stretches in which the same sounds and is played in the same way."""
        start = first
        for time in range(first + 1, last + 1):
            is_same = (
                time < last
                and self._sounds[time] == self._sounds[start]
                and self._techniques[time] is self._techniques[start]
            )
            if not is_same:
                yield start, time
                start = time
