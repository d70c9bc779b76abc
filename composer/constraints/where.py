"""What a user may ask to hold, whatever the model says: where it holds, and what is counted.

Conventions
-----------
Constraints are joined by "and", and each holds in every cell that it names. An onset is a position
at which at least one note of the part begins. Beats count from 1 in quarter notes, whatever the
meter: in 6/8 the second half of a bar begins at 2.5. ``composer.constraints.pitch_rules`` has those
that are about pitches.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from fractions import Fraction
from numbers import Integral
from typing import ClassVar

from composer.calls import called_right, shown
from composer.errors import RequestError
from composer.grid import RESOLUTION
from composer.instruments import parse_piece
from composer.meter import parse_bars

#: Names or numbers (from 1) of parts; a text holds several with commas between. None for all.
Parts = str | int | Sequence[str | int] | None
#: A bar, or the first and the last of some: ``3``, ``"3-4"`` or ``(3, 4)``. None for all.
Bars = str | int | tuple[int, int] | None
#: Beats counted from 1, in quarters: ``1.5`` is the eighth after the first.
Beats = Iterable[float | Fraction]

_OFF_GRID = 0.05  # of a position: so 1.33 is read as a third


def listed(names: str | int | Sequence[str | int]) -> list[str | int]:
    """Return names as a list; a text holds them with commas between.

    Raises
    ------
    RequestError
        They are no texts and no numbers.
    """
    if isinstance(names, str):
        return [name.strip() for name in names.split(",") if name.strip()]
    if isinstance(names, Mapping | Set | bytes):
        raise RequestError(
            f"parts {shown(names)} are no names in order; write such as ['piano', 'bass']"
        )
    found: list[str | int] = list(names) if isinstance(names, Iterable) else [names]
    for name in found:
        if not isinstance(name, str) and not is_whole(name):
            raise RequestError(
                f"part {shown(name)} is no name; write a name, or a number from 1 on"
            )
    return found


def listed_pieces(pieces: str | Sequence[str]) -> tuple[str, ...]:
    """Return names of pieces of the kit as a tuple; a text holds them with commas between.

    Raises
    ------
    RequestError
        They are no texts, or there is none.
    SymbolError
        One is no piece of the kit.
    """
    names = listed(pieces) if isinstance(pieces, str) else pieces
    found = tuple(names) if isinstance(names, Sequence) else ()
    if not found or not all(isinstance(name, str) for name in found):
        raise RequestError(
            f"pieces {shown(pieces)} are none of the kit; name some, such as 'kick, snare'"
        )
    for name in found:
        parse_piece(str(name))
    return tuple(map(str, found))


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number; ``True`` and ``False`` are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scoped:
    """What is about some cells: some parts in some bars.

    Parameters
    ----------
    parts
        Names or numbers (from 1) of the parts that it is about; all without it.
    bars
        A bar or the first and last of some, counted from 1: ``3``, ``"3-4"`` or ``(3, 4)``; all
        without it.

    Raises
    ------
    RequestError
        A value is none of these.
    """

    parts: Parts = None
    bars: Bars = None

    def __post_init__(self) -> None:
        if self.parts is not None:
            names = listed(self.parts)
            if not names or not all(isinstance(name, str | int) for name in names):
                raise RequestError(f"parts {self.parts!r} of {self} names no part; leave it out")
            object.__setattr__(self, "parts", tuple(names))
        object.__setattr__(self, "bars", bar_pair(self.bars))

    @property
    def bar_pair(self) -> tuple[int, int] | None:
        """First and last bar, counted from 1; None for all."""
        return bar_pair(self.bars)

    def __str__(self) -> str:
        fields = [f for f in dataclasses.fields(self) if f.repr and not f.kw_only]
        said = [(f.name, getattr(self, f.name), f.default) for f in fields]
        inner = (f"{name}={_said(value)}" for name, value, default in said if value != default)
        return f"{type(self).__name__}({', '.join(inner)})"


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
        A value is none of these.
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
        One of them is none.
    """
    given = where if isinstance(where, Iterable) and not isinstance(where, str) else (where,)
    constraints = tuple(given)
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise RequestError(
                f"where holds {constraint!r}, which is no constraint; give such as NoteCount(min=2)"
            )
    return constraints


def bar_pair(bars: Bars) -> tuple[int, int] | None:
    """Return the first and last bar that are named, counted from 1; None for all.

    Raises
    ------
    RequestError
        They cannot be read.
    """
    if bars is None:
        return None
    first, last = parse_bars(bars)
    if not 1 <= first <= last:
        raise RequestError(f"bars {bars!r} cannot be read; write first and last, such as '5-8'")
    return first, last


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return repr(value)


@called_right("composer.NoteCount")
@dataclasses.dataclass(frozen=True)
class NoteCount(Constraint):
    """At least ``min`` and at most ``max`` onsets in each bar of each part.

    Notes that begin together are one onset. What sounds on from a bar before is none.

    Parameters
    ----------
    min, max
        Onsets a bar; no upper bound without ``max``.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    RequestError
        Neither is given, one is no whole number from 0 on, or the least is more than the most.
    """

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
            raise RequestError("NoteCount() asks for nothing; give min, max or both")


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

    def positions(self, name: str) -> tuple[int, ...]:
        """Return the positions of the beats of ``"allowed"`` or ``"required"``, in order."""
        return tuple(sorted({beat_position(beat) for beat in getattr(self, name) or ()}))


def listed_beats(beats: Beats) -> tuple[float | Fraction, ...]:
    """Return beats as a tuple.

    Raises
    ------
    RequestError
        They are no list, or one is not on the grid.
    """
    if isinstance(beats, str) or not isinstance(beats, Iterable):
        raise RequestError(f"beats {shown(beats)} are no list; give such as [1, 3]")
    found = tuple(beats)
    for beat in found:
        beat_position(beat)
    return found


def beat_position(beat: float | Fraction) -> int:
    """Return the position of a beat in its bar.

    Raises
    ------
    RequestError
        It is not on the grid.
    """
    if not isinstance(beat, int | float | Fraction) or isinstance(beat, bool):
        raise RequestError(f"beat {beat!r} is no number; beats count from 1 in quarters")
    exact = (float(beat) - 1) * RESOLUTION
    position = round(exact) if math.isfinite(exact) else -1
    if position < 0 or abs(exact - position) > _OFF_GRID:
        raise RequestError(
            f"beat {beat} is not on the grid; beats count from 1 in quarters, with halves, thirds, "
            "quarters, sixths and twelfths of them"
        )
    return position


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


@called_right("composer.Monophonic")
@dataclasses.dataclass(frozen=True)
class Monophonic(Constraint):
    """No note begins while another of its part sounds, nor together with one.

    Parameters
    ----------
    parts, bars
        See ``Constraint``.
    """
