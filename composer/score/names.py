"""How a user names parts and bars, and what is about some of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Integral

from composer._calls import shown
from composer.errors import RequestError
from composer.score.instruments import parse_piece
from composer.score.meter import parse_bars

#: Names or numbers (from 1) of parts; a text holds several with commas between. None for all.
Parts = str | int | Sequence[str | int] | None


#: A bar, or the first and the last of some: ``3``, ``"3-4"`` or ``(3, 4)``. None for all.
Bars = str | int | tuple[int, int] | None


def listed(names: str | int | Sequence[str | int]) -> list[str | int]:
    """Return names as a list; a text holds them with commas between.

    Raises
    ------
    RequestError
        They are not texts and no numbers.
    """
    if isinstance(names, str):
        return [name.strip() for name in names.split(",") if name.strip()]
    if isinstance(names, Mapping | Set | bytes):
        raise RequestError(
            f"parts {shown(names)} are not names in order; for example ['piano', 'bass']"
        )
    found: list[str | int] = list(names) if isinstance(names, Iterable) else [names]
    for name in found:
        if not isinstance(name, str) and not is_whole(name):
            raise RequestError(
                f"part {shown(name)} is not a name; write a name, or a number from 1 on"
            )
    return [name if isinstance(name, str) else int(name) for name in found]


def listed_pieces(pieces: str | Sequence[str]) -> tuple[str, ...]:
    """Return names of pieces of the kit as a tuple; a text holds them with commas between.

    Raises
    ------
    RequestError
        They are not texts, or there is none.
    SymbolError
        One is not a piece of the kit.
    """
    names = listed(pieces) if isinstance(pieces, str) else pieces
    found = tuple(names) if isinstance(names, Sequence) else ()
    if not found or not all(isinstance(name, str) for name in found):
        raise RequestError(
            f"pieces {shown(pieces)} are not pieces of the kit; for example 'kick, snare'"
        )
    for name in found:
        parse_piece(str(name))
    return tuple(map(str, found))


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number; ``True`` and ``False`` are not."""
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
        A value is not one of these.
    """

    parts: Parts = None
    bars: Bars = None

    def __post_init__(self) -> None:
        if self.parts is not None:
            names = listed(self.parts)
            if not names or not all(isinstance(name, str | Integral) for name in names):
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
