"""Suspensions and appoggiaturas: notes of no chord where notes of it are usual, and then one of it.

Such a note leans on what follows: the next onset, in the same bar, is a step away and a note of the
chord there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer.constraints.base import PitchMask
from composer.feasibility.line_kernels import STEP

Bools = npt.NDArray[np.bool_]


class Suspensions:
    """Which notes of a line may lean on the chord, and what follows them.

    Parameters
    ----------
    pitches
        Shape (positions, 128): which may begin where, those that lean among them.
    usual
        Shape (positions, 128): which may without having to go on.
    tones
        Shape (positions, 128): which are notes of the chord.
    """

    def __init__(self, pitches: PitchMask, usual: PitchMask, tones: PitchMask) -> None:
        self._goals = goals = pitches & tones
        near = np.zeros_like(goals)
        for step in range(1, STEP + 1):
            near[:, step:] |= goals[:, :-step]
            near[:, :-step] |= goals[:, step:]
        places = np.arange(len(near))[:, None]
        #: The last position at which a note can follow one that leans; -1 for none: shape (128,).
        self._latest = np.where(near, places, -1).max(0)
        self._near = near
        # Where no other note may begin none leans, so that an onset can do without it.
        has_others = np.asarray((pitches & usual).any(1))[:, None]
        leans = pitches & ~usual & has_others
        self._leans = leans & (self._latest > places)
        #: Which pitches may begin where, shape (positions, 128).
        self.pitches = (pitches & usual) | self._leans
        self._pitch = -1  # that has to go on; -1 for none

    @property
    def must_resolve(self) -> bool:
        """Whether the last note leans, so that another has to follow."""
        return self._pitch >= 0

    def accept(self, position: int, pitch: int) -> None:
        """Note what the line goes by now."""
        self._pitch = pitch if self._leans[position, pitch] else -1

    def positions(self) -> Bools:
        """Return where a note can follow the one that leans, shape (positions,)."""
        return np.asarray(self._near[:, self._pitch])

    def following(self, position: int) -> Bools:
        """Return which pitches can follow the one that leans, shape (128,)."""
        distance = np.abs(np.arange(128) - self._pitch)
        return np.asarray(self._goals[position] & (distance > 0) & (distance <= STEP))

    def firm(self, position: int, places: Bools | None = None) -> Bools:
        """Return which pitches do not lean, or can be followed at one of some places, (128,)."""
        firm = ~self._leans[position]
        return np.asarray(firm if places is None else firm | self._near[places].any(0))

    def latest(self, position: int, pitch: int, default: int, places: Bools | None = None) -> int:
        """Return where a note must have ended so that one can follow it, if it leans.

        With ``places``, shape (positions,), at one of them, where there are any.
        """
        if not self._leans[position, pitch]:
            return default
        if places is not None and (places & self._near[:, pitch]).any():
            return int(np.flatnonzero(places & self._near[:, pitch])[-1])
        return int(self._latest[pitch])
