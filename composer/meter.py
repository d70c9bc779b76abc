"""Tick to bar, position and second, and back, for any time signatures and tempos.

Conventions
-----------
Bars count from 0. A time signature starts a bar at its tick, so one that arrives inside a bar cuts
that bar short. A bar's length need not be a whole number of ticks (3/32 at 12 ticks a quarter);
bar starts are rounded down, and no error adds up. All methods take and return scalars or arrays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError
from composer.score import TIME_SIGNATURE, Events

if TYPE_CHECKING:
    from composer.score import Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DEFAULT_MSPQ = 500_000  # 120 bpm, where a file says nothing (Standard MIDI Files 1.0)


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
        self.time_signatures = _signature_segments(time_signatures)
        self._unit = 4 * tpq * self.time_signatures["numerator"].astype(np.int64)
        self._denominator = self.time_signatures["denominator"].astype(np.int64)
        starts = self.time_signatures["tick"]
        # Bars in each segment: full ones, and one more if the next signature cuts it short.
        spans = np.diff(starts)
        whole = -(-spans * self._denominator[:-1] // self._unit[:-1])
        self._first_bar: Ints = np.concatenate([[0], np.cumsum(whole)]).astype(np.int64)
        last = np.append(np.flatnonzero(np.diff(tempos["tick"])), len(tempos) - 1)[: len(tempos)]
        ticks, mspq = tempos["tick"][last], tempos["mspq"][last]
        if not len(ticks) or ticks[0] > 0:
            ticks, mspq = np.append(0, ticks), np.append(DEFAULT_MSPQ, mspq)
        self._tempo_ticks: Ints = ticks.astype(np.int64)
        self._seconds_per_tick: Floats = mspq / (1e6 * tpq)
        elapsed = np.diff(ticks) * self._seconds_per_tick[:-1]
        self._tempo_seconds: Floats = np.concatenate([[0.0], np.cumsum(elapsed)])

    @property
    def tempo_changes(self) -> tuple[Ints, Ints]:
        """Ticks and microseconds a quarter of the tempos that hold, the first at tick 0."""
        return self._tempo_ticks, np.rint(self._seconds_per_tick * 1e6 * self.tpq).astype(np.int64)

    @classmethod
    def of(cls, score: Score) -> Meter:
        """Return the time axis of ``score``."""
        return cls(score.tpq, score.time_signatures, score.tempos)

    def bar_start(self, bar: npt.ArrayLike) -> Ints:
        """Return the tick at which each bar begins."""
        bar = np.asarray(bar, np.int64)
        i = np.searchsorted(self._first_bar, bar, side="right") - 1
        start = (bar - self._first_bar[i]) * self._unit[i] // self._denominator[i]
        return np.asarray(self.time_signatures["tick"][i] + start)

    def bar_length(self, bar: npt.ArrayLike) -> Ints:
        """Return the length of each bar in ticks."""
        bar = np.asarray(bar, np.int64)
        return np.asarray(self.bar_start(bar + 1) - self.bar_start(bar))

    def bar_and_position(self, tick: npt.ArrayLike) -> tuple[Ints, Ints]:
        """Return the bar each tick lies in and its distance in ticks from the bar's start."""
        tick = np.asarray(tick, np.int64)
        i = np.searchsorted(self.time_signatures["tick"], tick, side="right") - 1
        inside = tick - self.time_signatures["tick"][i]
        # The largest k with k * unit // denominator <= inside.
        bar = self._first_bar[i] + ((inside + 1) * self._denominator[i] - 1) // self._unit[i]
        return np.asarray(bar), np.asarray(tick - self.bar_start(bar))

    def bars_until(self, tick: int) -> int:
        """Return how many bars it takes to reach ``tick``."""
        if tick <= 0:
            return 0
        return int(self.bar_and_position(tick - 1)[0]) + 1

    def signature_at(self, bar: npt.ArrayLike) -> Events:
        """Return the time signature that holds in each bar, dtype ``TIME_SIGNATURE``."""
        bar = np.asarray(bar, np.int64)
        rows = self.time_signatures[np.searchsorted(self._first_bar, bar, side="right") - 1]
        return np.asarray(rows, TIME_SIGNATURE)

    def seconds(self, tick: npt.ArrayLike) -> Floats:
        """Return the time of each tick in seconds."""
        tick = np.asarray(tick, np.int64)
        i = np.searchsorted(self._tempo_ticks, tick, side="right") - 1
        inside = (tick - self._tempo_ticks[i]) * self._seconds_per_tick[i]
        return np.asarray(self._tempo_seconds[i] + inside)

    def tick(self, seconds: npt.ArrayLike) -> Ints:
        """Return the tick nearest to each time in seconds."""
        seconds = np.asarray(seconds, np.float64)
        i = np.searchsorted(self._tempo_seconds, seconds, side="right") - 1
        inside = (seconds - self._tempo_seconds[i]) / self._seconds_per_tick[i]
        return np.asarray(self._tempo_ticks[i] + np.rint(inside).astype(np.int64))


def _signature_segments(signatures: Events) -> Events:
    """Return the signatures that hold, the last of each tick, with 4/4 in front if none is at 0."""
    last = np.append(np.flatnonzero(np.diff(signatures["tick"])), len(signatures) - 1)
    rows: Events = signatures[last[: len(signatures)]]
    if not len(rows) or rows["tick"][0] > 0:
        rows = np.concatenate([np.array([(0, 4, 4)], dtype=TIME_SIGNATURE), rows])
    # A repeated signature on the bar line changes nothing, one inside a bar starts a new bar: both
    # come out right without looking.
    return rows


def bar_range(bars: str | tuple[int, int], count: int) -> tuple[int, int]:
    """Return the first and last bar that a user names, counted from 1 as in every DAW.

    Raises
    ------
    RequestError
        The text is no range, or the score has no such bars.

    Examples
    --------
    >>> bar_range("5-8", 16), bar_range("3", 16)
    ((5, 8), (3, 3))
    """
    if isinstance(bars, str):
        found = re.fullmatch(r"\s*(\d+)\s*(?:[-–]\s*(\d+))?\s*", bars)
        if not found:
            raise RequestError(f"bars {bars!r} cannot be read; write first and last, such as '5-8'")
        first, last = int(found[1]), int(found[2] or found[1])
    else:
        first, last = bars
    if not 1 <= first <= last <= count:
        raise RequestError(f"bars {first} to {last} are not in the score, which has 1 to {count}")
    return first, last
