"""The events of a score: notes, texts and tables of the others, checked and in order.

Conventions
-----------
Tables are numpy structured arrays of the dtypes below, sorted by time and read-only. Times are
ticks. ``composer.score.score`` says what they are part of.

What scores and tracks have in common as values: equality, checks, and changed copies.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from composer._calls import called_right, shown, unknown_keyword
from composer.errors import RequestError, ScoreError

#: A structured array of one of the dtypes below.
Events = npt.NDArray[Any]


NOTE = np.dtype([("onset", "i8"), ("duration", "i8"), ("pitch", "i2"), ("velocity", "i2")])


CONTROL = np.dtype([("tick", "i8"), ("number", "i2"), ("value", "i2")])


PITCH_BEND = np.dtype([("tick", "i8"), ("value", "i4")])  # -8192 to 8191


PEDAL = np.dtype([("tick", "i8"), ("duration", "i8")])


TEMPO = np.dtype([("tick", "i8"), ("mspq", "i4")])  # microseconds a quarter note


TIME_SIGNATURE = np.dtype([("tick", "i8"), ("numerator", "i4"), ("denominator", "i4")])


KEY_SIGNATURE = np.dtype([("tick", "i8"), ("sharps", "i2"), ("minor", "i2")])  # flats are negative


#: Largest tick a score may hold; MIDI readers count in 32 bits.
MAX_TICK = 2**31 - 1


@called_right("composer.Note")
class Note(NamedTuple):
    """One note; a row of ``Track.notes``."""

    onset: int  # ticks
    duration: int  # ticks
    pitch: int  # 0-127
    velocity: int = 90  # 1-127


class Text(NamedTuple):
    """A text at a tick: a marker, a lyric syllable or a chord symbol."""

    tick: int
    text: str


def microseconds_per_quarter(bpm: float) -> int:
    """Return a tempo in beats a minute as MIDI stores it.

    >>> microseconds_per_quarter(120)
    500000
    """
    return round(60_000_000 / bpm)


# What each column may hold, and what it is called where it does not.
_RANGES: dict[np.dtype[Any], tuple[tuple[str, int, int, str], ...]] = {
    NOTE: (
        ("onset", 0, MAX_TICK, "note onset"),
        ("duration", 0, MAX_TICK, "note duration"),
        ("pitch", 0, 127, "pitch"),
        ("velocity", 1, 127, "velocity"),
    ),
    CONTROL: (
        ("tick", 0, MAX_TICK, "control tick"),
        ("number", 0, 127, "control number"),
        ("value", 0, 127, "control value"),
    ),
    PITCH_BEND: (("tick", 0, MAX_TICK, "pitch bend tick"), ("value", -8192, 8191, "pitch bend")),
    PEDAL: (("tick", 0, MAX_TICK, "pedal tick"), ("duration", 0, MAX_TICK, "pedal duration")),
    TEMPO: (
        ("tick", 0, MAX_TICK, "tempo tick"),
        ("mspq", 1, 2**24 - 1, "tempo in microseconds a quarter"),
    ),
    TIME_SIGNATURE: (
        ("tick", 0, MAX_TICK, "time signature tick"),
        ("numerator", 1, 255, "time signature numerator"),
        ("denominator", 1, 2**15, "time signature denominator"),
    ),
    KEY_SIGNATURE: (
        ("tick", 0, MAX_TICK, "key signature tick"),
        ("sharps", -7, 7, "key signature sharps"),
        ("minor", 0, 1, "key signature mode"),
    ),
}


def frozen(table: Events) -> Events:
    """Return a table that is read-only from now on."""
    table.flags.writeable = False
    return table


_EMPTY = {dtype: frozen(np.empty(0, dtype)) for dtype in _RANGES}


def joined(tables: Sequence[Events], dtype: np.dtype[Any]) -> Events:
    """Return tables of one dtype behind each other."""
    # As bytes, since numpy copies rows of several columns one by one.
    parts = [np.ascontiguousarray(table).view(np.uint8) for table in tables]
    return np.concatenate([np.empty(0, np.uint8), *parts]).view(dtype)


def event_table(rows: Any, dtype: np.dtype[Any], what: str) -> Events:
    """Return rows as a checked, sorted, read-only array of a dtype.

    Raises
    ------
    ScoreError
        They are not rows of whole numbers, or one is outside its range.
    """
    if isinstance(rows, np.ndarray):
        if rows.dtype != dtype:
            raise ScoreError(f"{what} have dtype {rows.dtype}; build them with dtype {dtype}")
        table = rows
    else:
        listed = _rows(rows, dtype, what)
        try:
            table = np.array(listed, dtype=dtype)
        except OverflowError as error:
            raise ScoreError(f"{what} must be rows of {_columns(dtype)}: {error}") from None
    if not len(table):
        return _EMPTY[dtype]
    for name, low, high, column in _RANGES[dtype]:
        _check_range(table[name], low, high, column)
    table = _sorted(table)
    if table.flags.writeable:
        table = frozen(table.copy() if table is rows else table)
    return table


def _rows(rows: Any, dtype: np.dtype[Any], what: str) -> list[tuple[Any, ...]]:
    """Return rows as tuples of whole numbers, one for each column."""
    if not isinstance(rows, Iterable):
        raise ScoreError(f"{what} must be rows of {_columns(dtype)}, not {shown(rows)}")
    listed = []
    for row in rows:
        values = tuple(row) if isinstance(row, Iterable) else ()
        if len(values) != len(dtype.names or ()) or not all(map(_is_whole, values)):
            raise ScoreError(
                f"{what} must be rows of {_columns(dtype)}, whole numbers; {shown(row)} is not"
            )
        listed.append(values)
    return listed


def _is_whole(value: object) -> bool:
    if type(value) is int:  # which is all that there is, nearly always
        return True
    return isinstance(value, Integral) or (isinstance(value, float) and value.is_integer())


def _columns(dtype: np.dtype[Any]) -> str:
    return f"({', '.join(dtype.names or ())})"


def _sorted(table: Events) -> Events:
    """Return a table in order of time; notes of one onset by pitch, duration and velocity."""
    if table.dtype != NOTE:
        ticks = table["tick"]
        if (ticks[1:] >= ticks[:-1]).all():
            return table
        return np.asarray(table[np.argsort(ticks, kind="stable")])
    # Two numbers say the order: pitches and velocities have seven bits.
    begins = table["onset"] << 7 | table["pitch"]
    steps = begins[1:] - begins[:-1]
    if (steps > 0).all():
        return table
    lasts = table["duration"] << 7 | table["velocity"]
    if not (steps < 0).any():
        ties = np.flatnonzero(steps == 0)
        if (lasts[ties] <= lasts[ties + 1]).all():
            return table
    return np.asarray(table[np.lexsort((lasts, begins))])


def _check_range(values: Events, low: int, high: int, what: str) -> None:
    # Called thousands of times a second; the methods min and max take twice as long.
    if np.minimum.reduce(values) < low or np.maximum.reduce(values) > high:
        bad = values[(values < low) | (values > high)][0]
        raise ScoreError(f"{what} {bad} is outside {low} to {high}")


def text_events(rows: Any, what: str) -> tuple[Text, ...]:
    """Return rows as texts sorted by tick.

    Raises
    ------
    ScoreError
        They are not rows of a tick and a text, or a tick is out of range.
    """
    if isinstance(rows, str) or not isinstance(rows, Iterable):
        raise ScoreError(f"{what}s must be rows of (tick, text), not {shown(rows)}")
    texts = [row if type(row) is Text else _text(row, what) for row in rows]
    for tick, text in texts:
        if not isinstance(text, str) or not (type(tick) is int or isinstance(tick, Integral)):
            raise ScoreError(f"{what}s must be rows of (tick, text); {(tick, text)!r} is not")
    texts.sort(key=itemgetter(0))
    if texts:
        _check_range(np.array([texts[0].tick, texts[-1].tick]), 0, MAX_TICK, f"{what} tick")
    return tuple(texts)


def _text(row: Any, what: str) -> Text:
    if isinstance(row, str) or not isinstance(row, Iterable) or len(found := tuple(row)) != 2:
        raise ScoreError(f"{what}s must be rows of (tick, text); {shown(row)} is not")
    return Text(*found)


Own = TypeVar("Own", bound="Value")
Same = TypeVar("Same")


class Frozen:
    """What never changes: a copy is the same object, and what is unpickled cannot be written."""

    def __copy__(self: Same) -> Same:
        return self

    def __deepcopy__(self: Same, memo: dict[int, Any]) -> Same:
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        vars(self).update(state)


class Value(Frozen):
    """A frozen dataclass that compares by content, arrays too, and checks what it is given."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            if not field.compare:
                continue
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            same = np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
            if not same:
                return False
        return True

    __hash__ = None  # type: ignore[assignment]

    # What each field goes through: it returns the value that is kept, or raises ScoreError.
    _CHECKS: ClassVar[dict[str, Callable[[Any], Any]]]
    _BLANK: ClassVar[dict[str, Any]]  # the fields where nothing is said

    def __post_init__(self) -> None:
        vars(self).update((name, check(vars(self)[name])) for name, check in self._CHECKS.items())

    @classmethod
    def trusted(cls: type[Own], **fields: Any) -> Own:
        """Return one of fields that are valid, sorted and read-only already: nothing is checked."""
        new = object.__new__(cls)
        vars(new).update(cls._BLANK, **fields)
        return new

    def replace(self: Own, **changes: Any) -> Own:
        """Return a copy with the fields named changed.

        Raises
        ------
        RequestError
            There is no such field.
        ScoreError
            A value that it cannot have.
        """
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        for name in changes:
            if name not in names:
                own = f"composer.{type(self).__name__}"
                raise RequestError(f"replace() {unknown_keyword(name, names, own)}")
        # The others have been checked, and cannot have changed since.
        fields = {name: vars(self)[name] for name in names}
        for name, value in changes.items():
            fields[name] = self._CHECKS[name](value) if name in self._CHECKS else value
        return self.trusted(**fields)
