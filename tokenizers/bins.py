"""The tables that continuous values are binned by, and what each costs.

Twelve positions a quarter note (``RESOLUTION``) make straight sixteenths and triplets exact;
thirty-second notes move by half a position. Every time signature listed makes a whole number of
positions a bar.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer.grid import RESOLUTION
from composer.score import microseconds_per_quarter

Ints = npt.NDArray[np.int64]

#: Length in positions of a bar of 4/4, which holds where no time signature is said.
COMMON_TIME = 4 * RESOLUTION

#: Longest bar in positions; longer bars are halved until they fit.
MAX_POSITIONS = 12 * RESOLUTION

#: (numerator, denominator) of each time signature that has a token.
TIME_SIGNATURES: tuple[tuple[int, int], ...] = tuple(
    (numerator, denominator)
    for denominator, most in ((2, 6), (4, 12), (8, 24), (16, 32))
    for numerator in range(1, most + 1)
)

#: Bar length in positions of each of them.
BAR_LENGTHS: Ints = np.array([n * 4 * RESOLUTION // d for n, d in TIME_SIGNATURES])

#: Note lengths in positions: all up to two quarters, then in coarser and coarser steps.
DURATIONS: Ints = np.concatenate(
    [
        np.arange(1, 25),
        np.arange(27, 49, 3),
        np.arange(54, 97, 6),
        np.arange(108, 193, 12),
        np.arange(216, 385, 24),
    ]
)

#: Tempos in microseconds a quarter: 20 to 320 bpm, twelve to a doubling (steps of 6%).
TEMPO_BPM = 20.0 * 2.0 ** (np.arange(49) / 12)
TEMPOS: Ints = np.array([microseconds_per_quarter(bpm) for bpm in TEMPO_BPM])


def nearest(values: npt.ArrayLike, table: Ints) -> Ints:
    """Return the index in a rising ``table`` of the entry nearest to each value; ties go down."""
    values = np.asarray(values)
    return np.searchsorted((table[:-1] + table[1:]) / 2, values, side="left")


def tempo_bins(mspq: npt.ArrayLike) -> Ints:
    """Return the index in ``TEMPOS`` nearest to each tempo, by ratio.

    >>> TEMPO_BPM[tempo_bins([500_000])].round(1).tolist()
    [119.9]
    """
    fast_to_slow = np.log(TEMPOS[::-1].astype(float))
    return len(TEMPOS) - 1 - nearest(np.log(np.asarray(mspq, float)), fast_to_slow)


def velocity_bins(velocity: npt.ArrayLike, bins: int) -> Ints:
    """Return the bin, 0 to ``bins`` - 1, of each velocity."""
    return np.asarray(velocity, np.int64) * bins // 128


def bin_velocities(bins: int) -> Ints:
    """Return the velocity that stands for each bin: its middle.

    >>> bin_velocities(16)[[0, 11, 15]].tolist()
    [4, 92, 124]
    """
    return (np.arange(bins) * 128 + 64) // bins
