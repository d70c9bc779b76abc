"""Between the ticks of a score and the positions of the grid it is written on.

A tick goes to the nearest position, halves to the later one; so what a player begins a little
before a bar line goes to the bar after it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer.edits.changes import Edge
from composer.score.grid import RESOLUTION, Grid
from composer.tokenizers.bins import Bins

Ints = npt.NDArray[np.int64]

#: The grid that verbs write on; asked for times only.
GRID = Bins(velocities=0)


def positions_of(ticks: npt.ArrayLike, tpq: int) -> Ints:
    """Return the position that each tick goes to."""
    return GRID.to_positions(ticks, tpq)


def ticks_of(positions: npt.ArrayLike, tpq: int) -> Ints:
    """Return the tick nearest to each position."""
    return (np.asarray(positions, np.int64) * 2 * tpq + RESOLUTION) // (2 * RESOLUTION)


def first_ticks(positions: npt.ArrayLike, tpq: int) -> Ints:
    """Return the first tick that goes to each position, or to a later one.

    >>> first_ticks([0, 12], 480).tolist()
    [0, 460]
    """
    halves = 2 * np.asarray(positions, np.int64) - 1
    return np.maximum(0, -(-tpq * halves // (2 * RESOLUTION)))


def edge_of(position: int, tpq: int) -> Edge:
    """Return the ticks that go to a position, and the one that is written for it."""
    low, high = first_ticks([position, position + 1], tpq).tolist()
    tick = max(low, int(ticks_of(position, tpq)))
    return Edge(low, tick, max(high, tick + 1))


def bar_of(ticks: npt.ArrayLike, grid: Grid, tpq: int) -> Ints:
    """Return the bar of the grid that each tick goes to; the last for what lies behind it."""
    bar = np.searchsorted(grid.bar_starts, positions_of(ticks, tpq), side="right") - 1
    return np.asarray(np.minimum(bar, len(grid.bars) - 1))
