"""Tick to bar, position and second, and back, for any time signatures and tempos.

Conventions
-----------
Bars count from 0. A time signature starts a bar at its tick, so one that arrives inside a bar cuts
that bar short. A bar's length need not be a whole number of ticks (3/32 at 12 ticks a quarter);
bar starts are rounded down, and no error adds up. All methods take and return scalars or arrays.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from composer._calls import shown
from composer.errors import RequestError
from composer.score.events import TEMPO, TIME_SIGNATURE, Events

if TYPE_CHECKING:
    from composer.score.score import Score

#: Bars as users name them, from 1: ``5``, ``(5, 8)``, ``"1-4, 9"``, or a list of these.
BarsLike = int | str | tuple[int, int] | list[Any]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# What holds where a file says nothing (Standard MIDI Files 1.0): 4/4 and 120 bpm.
_FOUR_FOUR: Events = np.array([(0, 4, 4)], TIME_SIGNATURE)
_DEFAULT_TEMPO: Events = np.array([(0, 500_000)], TEMPO)


class Meter:
    """The time axis of a score.

    Parameters
    ----------
    tpq
        Ticks per quarter note.
    time_signatures, tempos
        Arrays of dtype ``TIME_SIGNATURE`` and ``TEMPO``, sorted by tick.

    Examples
    --------
    >>> from composer import Score
    >>> meter = Score(tpq=480, time_signatures=[(0, 3, 4), (2880, 4, 4)]).meter
    >>> meter.bar_start(np.arange(4)).tolist()
    [0, 1440, 2880, 4800]
    >>> [x.tolist() for x in meter.bar_and_position(3000)]
    [2, 120]
    >>> float(meter.seconds(480))
    0.5
    """

    def __init__(self, tpq: int, time_signatures: Events, tempos: Events) -> None:
        self.tpq = tpq
        #: What holds, the last of each tick, from tick 0 on; dtype ``TIME_SIGNATURE``.
        self.time_signatures = _holding(time_signatures, _FOUR_FOUR)
        #: The same for tempos, dtype ``TEMPO``.
        self.tempos = _holding(tempos, _DEFAULT_TEMPO)

    @cached_property
    def _bars(self) -> tuple[Ints, Ints, Ints, Ints]:
        """First tick and first bar of each signature, and its bars' length as a fraction."""
        starts = self.time_signatures["tick"]
        unit = 4 * self.tpq * self.time_signatures["numerator"].astype(np.int64)
        denominator = self.time_signatures["denominator"].astype(np.int64)
        # Full bars, and one more if the next signature cuts it short.
        whole = -((starts[:-1] - starts[1:]) * denominator[:-1] // unit[:-1])
        first = np.zeros(len(starts), np.int64)
        np.cumsum(whole, out=first[1:])
        return starts, first, unit, denominator

    @cached_property
    def _clock(self) -> tuple[Ints, Floats, Floats]:
        """First tick and second of each tempo, and its seconds a tick."""
        ticks = self.tempos["tick"]
        per_tick = self.tempos["mspq"] / (1e6 * self.tpq)
        elapsed = np.zeros(len(ticks))
        np.cumsum((ticks[1:] - ticks[:-1]) * per_tick[:-1], out=elapsed[1:])
        return ticks, elapsed, per_tick

    @classmethod
    def of(cls, score: Score) -> Meter:
        """Return the time axis of ``score``."""
        return cls(score.tpq, score.time_signatures, score.tempos)

    def bar_start(self, bar: npt.ArrayLike) -> Ints:
        """Return the tick at which each bar begins."""
        bar = np.asarray(bar, np.int64)
        starts, first, unit, denominator = self._bars
        i = np.searchsorted(first, bar, side="right") - 1
        return np.asarray(starts[i] + (bar - first[i]) * unit[i] // denominator[i])

    def bar_length(self, bar: npt.ArrayLike) -> Ints:
        """Return the length of each bar in ticks."""
        bar = np.asarray(bar, np.int64)
        return np.asarray(self.bar_start(bar + 1) - self.bar_start(bar))

    def bar_and_position(self, tick: npt.ArrayLike) -> tuple[Ints, Ints]:
        """Return the bar each tick lies in and its distance in ticks from the bar's start."""
        tick = np.asarray(tick, np.int64)
        starts, first, unit, denominator = self._bars
        i = np.searchsorted(starts, tick, side="right") - 1
        # The largest k with k * unit // denominator <= the distance from the signature.
        bar = first[i] + ((tick - starts[i] + 1) * denominator[i] - 1) // unit[i]
        return np.asarray(bar), np.asarray(tick - self.bar_start(bar))

    def bars_until(self, tick: int) -> int:
        """Return how many bars it takes to reach ``tick``."""
        if tick <= 0:
            return 0
        return int(self.bar_and_position(tick - 1)[0]) + 1

    def signature_at(self, bar: npt.ArrayLike) -> Events:
        """Return the time signature that holds in each bar, dtype ``TIME_SIGNATURE``."""
        bar = np.asarray(bar, np.int64)
        rows = self.time_signatures[np.searchsorted(self._bars[1], bar, side="right") - 1]
        return np.asarray(rows, TIME_SIGNATURE)

    def seconds(self, tick: npt.ArrayLike) -> Floats:
        """Return the time of each tick in seconds."""
        tick = np.asarray(tick, np.int64)
        ticks, elapsed, per_tick = self._clock
        i = np.searchsorted(ticks, tick, side="right") - 1
        return np.asarray(elapsed[i] + (tick - ticks[i]) * per_tick[i])

    def tick(self, seconds: npt.ArrayLike) -> Ints:
        """Return the tick nearest to each time in seconds."""
        seconds = np.asarray(seconds, np.float64)
        ticks, elapsed, per_tick = self._clock
        i = np.searchsorted(elapsed, seconds, side="right") - 1
        return np.asarray(ticks[i] + np.rint((seconds - elapsed[i]) / per_tick[i]).astype(np.int64))


def _holding(rows: Events, before: Events) -> Events:
    """Return the last row of each tick, with the row ``before`` in front if none is at 0."""
    # A repeated signature on the bar line changes nothing, one inside a bar starts a new bar: both
    # come out right without looking.
    if len(rows) > 1:
        ticks = rows["tick"]
        rows = rows[np.append(ticks[1:] != ticks[:-1], True)]
    if not len(rows) or rows["tick"][0] > 0:
        rows = np.concatenate([before, rows])
    return rows


def parse_bars(bars: object) -> tuple[int, int]:
    """Return the first and last bar that a number, a pair or a text names.

    Raises
    ------
    RequestError
        It is not one of these.
    """
    pair = bars if isinstance(bars, tuple | list) else (bars, bars)
    if len(pair) == 2 and all(isinstance(b, Integral) and not isinstance(b, bool) for b in pair):
        return int(pair[0]), int(pair[1])
    found = isinstance(bars, str) and re.fullmatch(r"\s*(\d+)\s*(?:[-–]\s*(\d+))?\s*", bars)
    if not found:
        raise RequestError(
            f"bars {shown(bars)} cannot be read; write first and last, such as '5-8'"
        )
    return int(found[1]), int(found[2] or found[1])


def bar_range(bars: int | str | tuple[int, int], count: int) -> tuple[int, int]:
    """Return the first and last bar that a user names, counted from 1 as in every DAW.

    Raises
    ------
    RequestError
        The text is not a range, or the score has no such bars.

    Examples
    --------
    >>> bar_range("5-8", 16), bar_range(3, 16)
    ((5, 8), (3, 3))
    """
    first, last = parse_bars(bars)
    if not 1 <= first <= last <= count:
        named = f"bar {first} is" if first == last else f"bars {first} to {last} are"
        raise RequestError(f"{named} not in the score, which has 1 to {count}")
    return first, last


def bar_set(bars: BarsLike, count: int) -> list[int]:
    """Return the bars that a user names, counted from 0 here and in order.

    Parameters
    ----------
    bars
        A bar, ``5``; a first and last one, ``(5, 8)``; a text of several such, ``"1-4, 9"``; or a
        list of these. They count from 1.
    count
        Bars of the score.

    Raises
    ------
    RequestError
        One cannot be read, the score does not have it, it is named twice, or there is none.

    Examples
    --------
    >>> bar_set("1-3, 9", 16), bar_set((5, 6), 16), bar_set(["1", (3, 4)], 16)
    ([0, 1, 2, 8], [4, 5], [0, 2, 3])
    """
    if isinstance(bars, str):
        spans: list[Any] = [bar_range(span, count) for span in bars.split(",")]
    elif isinstance(bars, list):
        found = [bar for span in bars for bar in bar_set(span, count)]
        spans = [(bar + 1, bar + 1) for bar in found]
    else:
        spans = [bar_range(bars, count)]
    named = [bar - 1 for first, last in spans for bar in range(first, last + 1)]
    twice = sorted(bar + 1 for bar, times in Counter(named).items() if times > 1)
    if twice:
        listing = ", ".join(map(str, twice))
        raise RequestError(f"bars {bars!r} name {listing} twice; name each bar once")
    if not named:
        raise RequestError("bars is empty; name some, such as '5-8'")
    return sorted(named)
