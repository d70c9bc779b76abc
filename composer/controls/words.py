"""What a user may aim at: density, polyphony, register, note length, dynamics, syncopation.

A constraint holds whatever the model says; a control is told to the model, which comes as near as
it can. How near, ``benchmarks/controls.py`` measures; ``composer.controls.measures`` says what each
is.

===========  =================  ====================================================================
control      numbers            words
===========  =================  ====================================================================
density      onsets a beat      silent 0, sparse 0.5, moderate 1, busy 2, dense 3
polyphony    notes at once      single 1, thin 1.5, medium 3, thick 4
register     MIDI pitch         very low 36, low 48, middle 60, high 72, very high 84, or ``"C5"``
note_length  beats              short 0.375, medium 0.75, long 1.5, sustained 3
dynamics     velocity           ppp 16, pp 33, p 49, mp 64, mf 80, f 96, ff 112, fff 126; soft, loud
syncopation  share of onsets    none 0, light 0.1, some 0.25, strong 0.45
===========  =================  ====================================================================

Beats are quarter notes. The model knows ten densities, and four to eleven levels of the others; a
number is taken to the nearest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from numbers import Real

import numpy as np

from composer.calls import called_right
from composer.constraints.where import Scoped
from composer.controls.measures import measure_parts
from composer.errors import RequestError, SymbolError
from composer.grid import Grid
from composer.theory.pitches import parse_pitch
from composer.tokenizers.levels import NAMES

#: A number in the control's unit, or one of its words.
Value = float | str
#: One for all parts, or one for each part named.
Aim = Value | Mapping[str | int, Value]

_WORDS: dict[str, dict[str, float]] = {
    "density": {"silent": 0, "sparse": 0.5, "moderate": 1, "busy": 2, "dense": 3},
    "polyphony": {"single": 1, "thin": 1.5, "medium": 3, "thick": 4},
    "register": {"very low": 36, "low": 48, "middle": 60, "high": 72, "very high": 84},
    "note_length": {"short": 0.375, "medium": 0.75, "long": 1.5, "sustained": 3},
    "dynamics": {
        **{"ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126},
        **{"soft": 49, "loud": 100},
    },
    "syncopation": {"none": 0, "light": 0.1, "some": 0.25, "strong": 0.45},
}
#: Least and most of each, in words of their own unit.
_RANGES = {
    "density": (0, 12, "onsets a beat"),
    "polyphony": (1, 12, "notes at once"),
    "register": (0, 127, "as a MIDI pitch"),
    "note_length": (0.05, 32, "beats"),
    "dynamics": (1, 127, "as a velocity"),
    "syncopation": (0, 1, "of the onsets"),
}


@called_right("composer.Controls")
@dataclasses.dataclass(frozen=True)
class Controls(Scoped):
    """What some parts aim at, in all their bars or in some.

    Parameters
    ----------
    density, polyphony, register, note_length, dynamics, syncopation
        Numbers or words, as the table of ``composer.controls.words`` has them.
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
    words = _WORDS[name]
    if isinstance(value, str):
        word = value.strip().lower()
        if word in words:
            return words[word]
        if name == "register":
            try:
                return parse_pitch(value)
            except SymbolError:
                pass
        raise RequestError(f"{name} {value!r} is unknown; take a number or {', '.join(words)}")
    low, high, unit = _RANGES[name]
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high:
        raise RequestError(f"{name} {value!r} is outside {low} to {high} {unit}")
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
        name: min(max(value, _RANGES[name][0]), _RANGES[name][1]) for name, value in values.items()
    }
