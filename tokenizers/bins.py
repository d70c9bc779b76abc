"""The tables that continuous values are binned by, and what each costs.

Twelve positions a quarter note (``RESOLUTION``) make straight sixteenths and triplets exact;
thirty-second notes move by half a position. Every time signature listed makes a whole number of
positions a bar.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.score.events import microseconds_per_quarter
from composer.score.grid import RESOLUTION

Ints = npt.NDArray[np.int64]

#: Longest bar in quarters; longer bars are halved until they fit.
MAX_QUARTERS = 12

#: Longest bar in positions.
MAX_POSITIONS = MAX_QUARTERS * RESOLUTION

#: (numerator, denominator) of each time signature that has a token.
TIME_SIGNATURES: tuple[tuple[int, int], ...] = tuple(
    (numerator, denominator)
    for denominator, most in ((2, 6), (4, 12), (8, 24), (16, 32))
    for numerator in range(1, most + 1)
)

#: Bar length in positions of each of them.
BAR_LENGTHS: Ints = np.array([n * 4 * RESOLUTION // d for n, d in TIME_SIGNATURES])

TEMPO_BINS = 49
SLOWEST, FASTEST = 20, 320  # bpm

DRUM_LENGTH = 1  # positions; what a drum's note-off means is up to the kit
MIDDLE_VELOCITY = 64  # of every note where velocities are not said
EVERY_VELOCITY = 127  # so many bins hold one velocity each
MAX_BEND = 8191


def duration_table(resolution: int) -> Ints:
    """Return note lengths in positions: all up to two quarters, then in coarser and coarser steps.

    Steps are a quarter of a quarter up to four quarters, half of one up to eight, one up to sixteen
    and two up to thirty-two.
    """
    edges = resolution * np.array([2, 4, 8, 16, 32])
    steps = resolution * np.array([1, 2, 4, 8]) // 4
    coarse = [
        np.arange(low + step, high + 1, step)
        for low, high, step in zip(edges, edges[1:], steps, strict=False)
    ]
    return np.concatenate([np.arange(1, edges[0] + 1), *coarse])


def tempo_bpm(count: int) -> npt.NDArray[np.float64]:
    """Return so many tempos from 20 to 320 bpm, each the same ratio faster than the one before."""
    return np.asarray(SLOWEST * (FASTEST / SLOWEST) ** (np.arange(count) / (count - 1)))


def tempo_table(count: int) -> Ints:
    """Return the same tempos in microseconds a quarter."""
    return np.array([microseconds_per_quarter(bpm) for bpm in tempo_bpm(count)])


DURATIONS = duration_table(RESOLUTION)

#: Twelve tempos to a doubling: steps of 6%.
TEMPO_BPM = tempo_bpm(TEMPO_BINS)
TEMPOS = tempo_table(TEMPO_BINS)


@dataclasses.dataclass(frozen=True, eq=False)
class Bins:
    """What the continuous values of a format are binned by.

    Parameters
    ----------
    velocities
        Number of velocities told apart; 0 where none are said.
    resolution
        Positions a quarter, a multiple of 4, so that every bar has a whole number of them.
    steps
        Ticks a position, for the microtiming of onsets; 1 without.
    durations
        Note lengths in positions, rising.
    tempos
        Tempos in microseconds a quarter, falling.
    bends
        Number of pitch bends told apart, odd; 0 where none are said.
    """

    velocities: int
    resolution: int = RESOLUTION
    steps: int = 1
    durations: Ints = dataclasses.field(default_factory=lambda: DURATIONS)
    tempos: Ints = dataclasses.field(default_factory=lambda: TEMPOS)
    bends: int = 0

    @property
    def tpq(self) -> int:
        """Ticks a quarter of a quantised score."""
        return self.resolution * self.steps

    @property
    def common_time(self) -> int:
        """Length in positions of a bar of 4/4."""
        return 4 * self.resolution

    @cached_property
    def bar_lengths(self) -> Ints:
        """Bar length in positions of each of ``TIME_SIGNATURES``."""
        return BAR_LENGTHS * self.resolution // RESOLUTION

    @cached_property
    def lengths(self) -> Ints:
        """The length that stands for each length, both in ticks of a quantised score."""
        ticks = np.arange(self.durations[-1] * self.steps + 1)
        return self.durations[nearest(ticks / self.steps, self.durations)] * self.steps

    @cached_property
    def velocity_table(self) -> Ints:
        """The velocity that stands for each velocity, shape (128,)."""
        if self.velocities == 0:
            return np.full(128, MIDDLE_VELOCITY)
        return bin_velocities(self.velocities)[velocity_bins(range(128), self.velocities)]

    @cached_property
    def _tempo_edges(self) -> npt.NDArray[np.float64]:
        return edges(np.log(self.tempos[::-1].astype(float)))

    def to_ticks(self, ticks: npt.ArrayLike, tpq: int) -> Ints:
        """Return ticks of ``tpq`` a quarter as ticks of a quantised score, rounded half up."""
        return _rescaled(ticks, tpq, self.tpq)

    def to_positions(self, ticks: npt.ArrayLike, tpq: int) -> Ints:
        """Return ticks of ``tpq`` a quarter as positions, rounded half up."""
        return _rescaled(ticks, tpq, self.resolution)

    def tempo_bin(self, mspq: npt.ArrayLike) -> Ints:
        """Return the index in ``tempos`` nearest to each tempo, by ratio.

        >>> TEMPO_BPM[Bins(velocities=16).tempo_bin([500_000])].round(1).tolist()
        [119.9]
        """
        slower = np.searchsorted(self._tempo_edges, np.log(np.asarray(mspq, float)))
        return np.asarray(len(self.tempos) - 1 - slower)

    def bend_bin(self, values: npt.ArrayLike) -> Ints:
        """Return the bin of each pitch bend; no bend is the middle one."""
        half = self.bends // 2
        return np.rint(np.asarray(values) * half / MAX_BEND).astype(np.int64) + half

    def bend(self, index: npt.ArrayLike) -> Ints:
        """Return the pitch bend that stands for each bin."""
        half = self.bends // 2
        return np.rint((np.asarray(index) - half) * MAX_BEND / half).astype(np.int64)


def _rescaled(ticks: npt.ArrayLike, tpq: int, to: int) -> Ints:
    return (np.asarray(ticks, np.int64) * (2 * to) + tpq) // (2 * tpq)


def nearest(values: npt.ArrayLike, table: npt.NDArray[Any]) -> Ints:
    """Return the index in a rising ``table`` of the entry nearest to each value; ties go down."""
    return np.searchsorted(edges(table), np.asarray(values), side="left")


def edges(table: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return what lies half way between the entries of a table."""
    return np.asarray((table[:-1] + table[1:]) / 2)


def velocity_bins(velocity: npt.ArrayLike, bins: int) -> Ints:
    """Return the bin, 0 to ``bins`` - 1, of each velocity."""
    values = np.asarray(velocity, np.int64)
    return values - 1 if bins == EVERY_VELOCITY else values * bins // 128


def bin_velocities(bins: int) -> Ints:
    """Return the velocity that stands for each bin: its middle.

    >>> bin_velocities(16)[[0, 11, 15]].tolist()
    [4, 92, 124]
    """
    if bins == EVERY_VELOCITY:
        return np.arange(1, 128)
    return (np.arange(bins) * 128 + 64) // bins
