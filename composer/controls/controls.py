"""What a user may aim at: density, polyphony, register, note length, dynamics, syncopation.

A constraint holds whatever the model says; a control is told to the model, which comes as near as
it can. How near, ``benchmarks/controls.py`` measures; ``composer.controls.measures`` says what each
is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from numbers import Real

import numpy as np

from composer._calls import called_right
from composer.controls.kinds import BY_NAME, NAMES
from composer.controls.measures import measure_parts
from composer.errors import RequestError, SymbolError
from composer.score.grid import Grid
from composer.score.names import Scoped
from composer.theory.pitches import parse_pitch

#: A number in the control's unit, or one of its words.
Value = float | str
#: One for all parts, or one for each part named.
Aim = Value | Mapping[str | int, Value]


@called_right("composer.Controls")
@dataclasses.dataclass(frozen=True)
class Controls(Scoped):
    """What some parts aim at, in all their bars or in some.

    Parameters
    ----------
    density, polyphony, register, note_length, dynamics, syncopation
        Numbers or words, as the table of ``composer.controls.kinds`` has them.
    parts, bars
        As constraints have them. Each cell aims at it by itself.

    Raises
    ------
    RequestError
        A word is unknown, or a number out of range; or nothing is aimed at.

    Examples
    --------
    >>> Controls(density="sparse", register="C5", parts="piano").values()
    {'density': 0.5, 'register': 72}
    """

    density: Value | None = None
    polyphony: Value | None = None
    register: Value | None = None
    note_length: Value | None = None
    dynamics: Value | None = None
    syncopation: Value | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.values():
            raise RequestError(f"Controls() aims at nothing; give one of {', '.join(NAMES)}")

    def values(self) -> dict[str, float]:
        """Return the number of each control that is given."""
        given = ((name, getattr(self, name)) for name in NAMES)
        return {name: number(name, value) for name, value in given if value is not None}


def number(name: str, value: Value) -> float:
    """Return the number that a control is given as a number or in a word.

    Raises
    ------
    RequestError
        The word is unknown, or the number out of range.

    Examples
    --------
    >>> number("density", "busy"), number("dynamics", "mf")
    (2, 80)
    """
    kind = BY_NAME[name]
    if isinstance(value, str):
        word = value.strip().lower()
        if word in kind.words:
            return kind.words[word]
        if name == "register":
            try:
                return parse_pitch(value)
            except SymbolError:
                pass
        raise RequestError(f"{name} {value!r} is unknown; take a number or {', '.join(kind.words)}")
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not kind.low <= value <= kind.high:
        raise RequestError(f"{name} {value!r} is outside {kind.low} to {kind.high} {kind.unit}")
    return float(value)


def controls_for(aims: Mapping[str, Aim | None]) -> list[Controls]:
    """Return the controls of aims by name, each for all parts or for those that it names."""
    found: list[Controls] = []
    for name, aim in aims.items():
        if isinstance(aim, Mapping):
            found += [Controls(**{name: value}, parts=part) for part, value in aim.items()]  # type: ignore[arg-type]
        elif aim is not None:
            found.append(Controls(**{name: aim}))  # type: ignore[arg-type]
    return found


def measured(grid: Grid, row: int) -> dict[str, float]:
    """Return what a part measures, by control; those that it has none of are left out."""
    cells = np.zeros((len(grid.bars), len(grid.parts)), bool)
    cells[:, row] = True
    values = measure_parts(grid, cells)[row]
    pairs = zip(NAMES, values.tolist(), strict=True)
    return {name: value for name, value in pairs if not np.isnan(value)}


def within(values: Mapping[str, float]) -> dict[str, float]:
    """Return measured values, those out of a control's range taken to its end."""
    return {
        name: min(max(value, BY_NAME[name].low), BY_NAME[name].high)
        for name, value in values.items()
    }
