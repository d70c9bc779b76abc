"""Constraints on how many notes there are, and when they begin.

An onset is a position at which at least one note of the part begins.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from composer._calls import called_right
from composer.constraints.base import ANY, Cell, Constraint, Onsets
from composer.errors import RequestError
from composer.score.beats import Beats, beat_position, listed_beats
from composer.score.names import is_whole


@called_right("composer.OnsetCount")
@dataclasses.dataclass(frozen=True)
class OnsetCount(Constraint):
    """At least ``min`` and at most ``max`` onsets in each bar of each part.

    Notes that begin together are one onset. What sounds on from a bar before is not an onset.

    Parameters
    ----------
    min, max
        Onsets a bar; no upper bound without ``max``.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    RequestError
        Neither is given, one is not a whole number from 0 on, or the least is more than the most.
    """

    by_bar: ClassVar[bool] = True

    min: int = 0
    max: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        most = self.min if self.max is None else self.max
        if not (is_whole(self.min) and is_whole(most) and 0 <= self.min <= most):
            raise RequestError(
                f"{self} has no such bars; give whole numbers from 0 on, min no more than max"
            )
        if self.min == 0 and self.max is None:
            raise RequestError("OnsetCount() asks for nothing; give min, max or both")

    def onsets(self, cell: Cell) -> Onsets:
        """Return the least and the most."""
        return Onsets(self.min, ANY if self.max is None else self.max)


@called_right("composer.Rhythm")
@dataclasses.dataclass(frozen=True)
class Rhythm(Constraint):
    """Onsets at these beats of each bar, and at no others.

    Parameters
    ----------
    allowed
        Beats at which notes may begin, those that a bar does not have left out; any without it.
    required
        Beats at which a note must begin, in every bar.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    RequestError
        Nothing is given, a beat is not on the grid of twelve positions a quarter, or one is
        required that is not allowed.

    Examples
    --------
    >>> Rhythm(required=[1, 3]).positions("required")
    (0, 24)
    """

    by_bar: ClassVar[bool] = True

    allowed: Beats | None = None
    required: Beats = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("allowed", "required"):
            beats = getattr(self, name)
            if beats is not None:
                object.__setattr__(self, name, listed_beats(beats))
        required = self.positions("required")
        if self.allowed is None:
            if not required:
                raise RequestError("Rhythm() asks for nothing; give allowed, required or both")
        elif not {*required} <= {*self.positions("allowed")}:
            raise RequestError(f"{self} requires a beat that it does not allow")

    def onsets(self, cell: Cell) -> Onsets:
        """Return the beats required, and those that are allowed."""
        is_open = None
        if self.allowed is not None:
            is_allowed = np.isin(np.arange(cell.positions), self.positions("allowed"))
            is_open = np.repeat(is_allowed[:, None], 128, 1)
        return Onsets(required=self.positions("required"), open=is_open)

    def positions(self, name: str) -> tuple[int, ...]:
        """Return the positions of the beats of ``"allowed"`` or ``"required"``, in order."""
        return tuple(sorted({beat_position(beat) for beat in getattr(self, name) or ()}))


@called_right("composer.MaxPolyphony")
@dataclasses.dataclass(frozen=True)
class MaxPolyphony(Constraint):
    """At most so many notes of a part sound wherever one begins, itself and given ones counted.

    A drum hit has no length: of drums those count that begin together.

    Parameters
    ----------
    notes
        1 or more.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    RequestError
        Less than 1.
    """

    notes: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_whole(self.notes) or self.notes < 1:
            raise RequestError(f"{self} leaves no note; give 1 or more")

    def voices(self, program: int, is_drum: bool) -> int:
        """Return the number of notes, for every instrument."""
        return self.notes


@called_right("composer.Monophonic")
@dataclasses.dataclass(frozen=True)
class Monophonic(Constraint):
    """No note begins while another of its part sounds, nor together with one.

    Parameters
    ----------
    parts, bars
        See ``Constraint``.
    """

    def voices(self, program: int, is_drum: bool) -> int:
        """Return 1, for every instrument."""
        return 1
