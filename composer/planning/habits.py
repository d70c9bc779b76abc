"""The everyday constraints as plain settings: key, range, polyphony and notes a bar.

Each becomes a constraint, so that nothing but constraints has to be obeyed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from composer.constraints.base import Constraint, constraints_of
from composer.constraints.cell import Mask
from composer.constraints.counts import MaxPolyphony, OnsetCount
from composer.constraints.pitches import InScale, PitchRange
from composer.errors import RequestError
from composer.planning.settings import NoteSettings
from composer.request.request import PartRules
from composer.score.names import is_whole
from composer.score.parts import track_rows
from composer.score.score import Score
from composer.theory.pitches import parse_range


def asked_of(settings: NoteSettings, score: Score, cells: Mask) -> tuple[Constraint, ...]:
    """Return all the constraints that a verb was called with.

    Parameters
    ----------
    settings
        What it was called with.
    score, cells
        The score, and shape (bars, 1 + tracks): the cells that it writes.

    Raises
    ------
    RequestError
        The setting does not take a value, or it names parts of which nothing is written.
    """
    rows = np.flatnonzero(cells[:, 1:].any(0)).tolist()
    found = list(constraints_of(settings.get("where", ())))
    pitched = [row for row in rows if not score.tracks[row].is_drum]
    if settings.get("key") and pitched:
        found.append(InScale(parts=_numbers(pitched)))
    for name, make in _MAKERS.items():
        for value, named in _by_part(name, settings.get(name), score, rows):
            if not (name == "polyphony" and isinstance(value, str)):  # a word is aimed at
                found.append(make(value, _numbers(named)))
    return tuple(found)


def with_ranges(
    rules: Sequence[PartRules], settings: NoteSettings, score: Score, cells: Mask
) -> tuple[PartRules, ...]:
    """Return the rules of parts with the ranges asked for in the place of their registers."""
    rows = np.flatnonzero(cells[:, 1:].any(0)).tolist()
    changed = list(rules)
    for value, named in _by_part("range", settings.get("range"), score, rows):
        for row in named:
            changed[row] = rules[row].within(*parse_range(value))
    return tuple(changed)


def _by_part(name: str, value: Any, score: Score, rows: list[int]) -> list[tuple[Any, list[int]]]:
    """Return the values of a setting, each with the tracks that it is for."""
    if value is None:
        return []
    if not rows:
        raise RequestError(f"{name} {value!r} is about notes, and none are written; leave it out")
    if not isinstance(value, dict):
        pitched = [row for row in rows if not score.tracks[row].is_drum]
        return [(value, pitched or rows)]
    found: dict[int, Any] = {}
    for part, own in value.items():
        for row in track_rows(score, part):
            called = score.tracks[row].name or f"track {row + 1}"
            if row in found:
                raise RequestError(f"{name} {value!r} names {called} twice; name each part once")
            if row not in rows:
                raise RequestError(
                    f"{name} {value!r} names {called}, of which nothing is written; leave it out"
                )
            found[row] = own
    return [(own, [row]) for row, own in found.items()]


def _numbers(rows: list[int]) -> list[int]:
    """Return the numbers that constraints know tracks by."""
    return [row + 1 for row in rows]


def _range(value: Any, parts: list[int]) -> Constraint:
    return PitchRange(*parse_range(value), parts=parts)


def _polyphony(value: Any, parts: list[int]) -> Constraint:
    if not is_whole(value) or value < 1:
        raise RequestError(
            f"polyphony {value!r} is not a number of notes; give a whole number from 1 on"
        )
    return MaxPolyphony(value, parts=parts)


def _notes(value: Any, parts: list[int]) -> Constraint:
    least, most = value if isinstance(value, tuple) and len(value) == 2 else (value, value)
    if not (is_whole(least) and is_whole(most) and 0 <= least <= most):
        raise RequestError(
            f"notes {value!r} is not a number of onsets a bar; give a whole number, or the least "
            "and the most, such as (2, 6)"
        )
    return OnsetCount(least, most, parts=parts)


_MAKERS: dict[str, Callable[[Any, list[int]], Constraint]] = {
    "range": _range,
    "polyphony": _polyphony,
    "notes": _notes,
}
