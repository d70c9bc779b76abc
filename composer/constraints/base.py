"""The base of all constraints, and the cell that they judge.

A rule is a pure function of the cell: it returns which MIDI pitches may begin at which position, or
which chords. Rules are joined by "and"; what is left is the sampler's mask. Those that users may
ask for have ``parts`` and ``bars`` as every ``Constraint`` has; where a part's own rules hold them,
they hold in all its cells.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError
from composer.score.grid import RESOLUTION
from composer.score.names import Scoped
from composer.theory.chords import Chord
from composer.theory.keys import Key


@dataclasses.dataclass(frozen=True, kw_only=True)
class Constraint(Scoped):
    """What must hold in some cells: the base of all constraints.

    Parameters
    ----------
    parts, bars
        See ``Scoped``.

    Raises
    ------
    RequestError
        A value is not one of these.
    """

    #: Whether it is about pitches, so that drums need not keep it unless they are named.
    pitched: ClassVar[bool] = False
    #: Whether what it allows depends on the chords.
    by_chord: ClassVar[bool] = False
    #: Whether of the bars named it is about the last alone.
    is_last: ClassVar[bool] = False

    @property
    def for_drums(self) -> bool:
        """Whether it is about drums alone."""
        return False

    @property
    def is_linear(self) -> bool:
        """Whether it is about the steps of lines, so that it reaches over bar lines."""
        return False


#: One constraint or several.
Where = Constraint | Sequence[Constraint]


def constraints_of(where: Where) -> tuple[Constraint, ...]:
    """Return constraints as a tuple.

    Raises
    ------
    RequestError
        One of them is not a constraint.
    """
    given = where if isinstance(where, Iterable) and not isinstance(where, str) else (where,)
    constraints = tuple(given)
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise RequestError(
                f"where holds {constraint!r}, which is not a constraint; for example "
                "OnsetCount(min=2)"
            )
    return constraints


#: Which pitches may begin where, shape (positions, 128).
PitchMask = npt.NDArray[np.bool_]


#: Which chords may begin, shape (12, qualities).
ChordMask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Cell:
    """What a rule may know of the cell that is about to be written.

    Parameters
    ----------
    key
        The key that the bar is in.
    numerator, denominator
        Time signature of the bar.
    chords
        (position, chord) of the chords that hold in the bar, the first at position 0; empty where
        no chord is known.
    program, is_drum
        Instrument of the part.
    locked
        Position and pitch of the notes that stay in it.
    """

    key: Key
    numerator: int
    denominator: int
    chords: tuple[tuple[int, Chord | None], ...] = ()
    program: int = 0
    is_drum: bool = False
    locked: tuple[tuple[int, int], ...] = ()

    @property
    def positions(self) -> int:
        """Length of the bar in positions."""
        return self.numerator * 4 * RESOLUTION // self.denominator

    def chord_at(self) -> list[Chord | None]:
        """Return the chord that holds at each position."""
        holding: list[Chord | None] = [None] * self.positions
        for position, chord in self.chords:
            holding[position:] = [chord] * (self.positions - position)
        return holding


class PitchRule(Protocol):
    """A rule about pitches."""

    def pitches(self, cell: Cell) -> PitchMask:
        """Return which pitches may begin where, shape (positions, 128)."""
        ...


@lru_cache(maxsize=1024)
def pitches_of(pitch_classes: frozenset[int]) -> npt.NDArray[np.bool_]:
    """Return which pitches are of some pitch classes, shape (128,); not to be changed."""
    return np.isin(np.arange(128) % 12, list(pitch_classes))


def allowed_pitches(rules: Sequence[PitchRule], cell: Cell) -> PitchMask:
    """Return what all rules allow, shape (positions, 128)."""
    mask = np.ones((cell.positions, 128), bool)
    for rule in rules:
        mask &= rule.pitches(cell)
    return mask
