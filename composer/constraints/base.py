"""The base of all constraints: where one holds, and what it asks of a cell and of a line.

A constraint owns its meaning. Whoever wants to know it calls the methods of ``Constraint``, each of
which asks for nothing by default, and never looks at its type:

- of a cell, ``pitches``, ``onsets``, ``voices`` and ``technique``: pure functions of a ``Cell``,
  joined by "and" in ``composer.constraints.cell``;
- of a part's line over bar lines, ``leap``, ``runs``, ``only_passing`` and ``is_between_parts``,
  which ``composer.feasibility.lines`` joins.

``composer.checking`` judges finished scores by code of its own, a function for each constraint of
this package.

A constraint of your own is a frozen dataclass that derives from ``Constraint`` and overrides
``pitches``, ``onsets`` or ``voices``, or more than one of them. It holds by construction in every
verb, as all do; ``composer.check`` judges it by the same methods.

Examples
--------
>>> import dataclasses
>>> import composer, numpy as np
>>> from composer.constraints.base import Constraint, pitches_of
>>> @dataclasses.dataclass(frozen=True)
... class Pentatonic(Constraint):
...     pitched = True
...     def pitches(self, cell):
...         five = frozenset((cell.key.tonic + step) % 12 for step in (0, 2, 4, 7, 9))
...         return np.tile(pitches_of(five), (cell.positions, 1))
>>> tune = composer.melody("C G Am F", key="C", where=Pentatonic(), seed=1)
>>> sorted({int(pitch) % 12 for pitch in tune.tracks[0].notes["pitch"]} - {0, 2, 4, 7, 9})
[]
>>> composer.check(tune, Pentatonic(), key="C")
[]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError
from composer.score.grid import RESOLUTION
from composer.score.names import Scoped
from composer.theory.chords import Chord
from composer.theory.keys import Key

if TYPE_CHECKING:
    from composer.constraints.playable import Technique

#: More notes than can sound at once, and more onsets than a bar can have.
ANY = 1 << 20
#: A line: (position, pitch) of each onset, in order.
Line = tuple[tuple[int, int], ...]

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
    #: Sharps of the key: equal keys may be spelled differently, and rules go by letters.
    sharps: int = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sharps", self.key.sharps)

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


class Onsets(NamedTuple):
    """What is asked of the onsets of a cell: nothing where nothing is said.

    An onset is a position at which at least one note of the part begins.
    """

    least: int = 0
    most: int = ANY
    #: Positions at which a note must begin; one that the bar does not have cannot be met.
    required: tuple[int, ...] = ()
    #: Which pitches may begin where, beside those of ``Constraint.pitches``; None for all.
    open: PitchMask | None = None


class Runs(NamedTuple):
    """Runs of notes that a part's line must not repeat.

    Parameters
    ----------
    lines
        What must not be repeated.
    notes
        The longest run of any of them that the line may have.
    transposed
        Whether a run that is moved up or down is the same.
    rhythm
        Whether only a run is the same whose notes begin at the same distances.
    """

    lines: tuple[Line, ...]
    notes: int
    transposed: bool = True
    rhythm: bool = False


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
    #: Whether it counts by bars, so that the grid must not cut a bar in two.
    by_bar: ClassVar[bool] = False
    #: Whether notes stay because of it.
    keeps_notes: ClassVar[bool] = False
    #: Whether it asks how an instrument is played.
    is_played: ClassVar[bool] = False
    #: Whether it is about how two parts go together.
    is_between_parts: ClassVar[bool] = False

    @property
    def for_drums(self) -> bool:
        """Whether it is about drums alone."""
        return False

    @property
    def is_linear(self) -> bool:
        """Whether it is about the steps of lines, so that it reaches over bar lines."""
        return False

    def pitches(self, cell: Cell) -> PitchMask | None:
        """Return which pitches may begin where, shape (positions, 128); None for all."""
        return None

    def onsets(self, cell: Cell) -> Onsets:
        """Return how many onsets a cell must and may have, and where."""
        return Onsets()

    def voices(self, program: int, is_drum: bool) -> int | None:
        """Return how many notes of an instrument may sound where one begins; None for any number.

        The note that begins is counted, and so are given ones.
        """
        return None

    def technique(self, program: int, is_drum: bool = False) -> Technique | None:
        """Return how an instrument is played; None where nothing is asked of that."""
        return None

    def only_passing(self, cell: Cell) -> PitchMask | None:
        """Return which of the pitches may begin in passing alone; None for none.

        A note passes that its line comes to, and leaves, by a step of one or two semitones.
        """
        return None

    @property
    def leap(self) -> int | None:
        """The most semitones from one note of a line to the next; None for any number."""
        return None

    @property
    def runs(self) -> Runs | None:
        """The runs of notes that a line must not repeat; None for none."""
        return None


#: What of a constraint says what it asks for.
_MEANINGS = ("pitches", "onsets", "voices", "technique", "leap", "runs")

#: One constraint or several.
Where = Constraint | Sequence[Constraint]


def constraints_of(where: Where) -> tuple[Constraint, ...]:
    """Return constraints as a tuple.

    Raises
    ------
    RequestError
        One of them is not a constraint, or asks for nothing that could be held.
    """
    given = where if isinstance(where, Iterable) and not isinstance(where, str) else (where,)
    constraints = tuple(given)
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise RequestError(
                f"where holds {constraint!r}, which is not a constraint; for example "
                "OnsetCount(min=2)"
            )
        _check_meaning(type(constraint))
    return constraints


def _check_meaning(kind: type[Constraint]) -> None:
    """Refuse a class that would be taken and ignored."""
    is_heard = kind.keeps_notes or kind.is_between_parts
    if not is_heard and all(getattr(kind, n) is getattr(Constraint, n) for n in _MEANINGS):
        raise RequestError(
            f"{kind.__name__} does not say what it asks for; define pitches, onsets or voices, as "
            "help('composer.constraints.base') shows"
        )
    if "__dataclass_params__" not in vars(kind):
        raise RequestError(
            f"{kind.__name__} is not a dataclass, so that its values would not be told apart; "
            "write @dataclasses.dataclass(frozen=True) above it"
        )


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
