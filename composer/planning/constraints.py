"""From constraints to the cells of a request that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from composer.constraints.base import Constraint, Where, constraints_of
from composer.constraints.cell import Mask, PostedConstraint
from composer.edits.cells import grid_bars
from composer.errors import RequestError
from composer.score.grid import RESOLUTION, Grid
from composer.score.meter import bar_range
from composer.score.names import Scoped
from composer.score.parts import track_rows
from composer.score.score import Score


def rows_of(constraint: Constraint, score: Score) -> list[int]:
    """Return the tracks that a constraint is about.

    Raises
    ------
    RequestError
        The score has no such track, it plays drums, which have no key and no chords, or no drums
        where the constraint is about them.
    """
    if constraint.parts is None and constraint.for_drums:
        return [row for row, track in enumerate(score.tracks) if track.is_drum]
    if constraint.parts is None:
        pitched = [row for row, track in enumerate(score.tracks) if not track.is_drum]
        return pitched if constraint.pitched else [*range(len(score.tracks))]
    rows = track_rows(score, constraint.parts)
    for row in rows:
        lacking = "key and no chords" if constraint.by_chord or constraint.is_last else "line"
        melodic = constraint.by_chord or constraint.is_last or constraint.is_linear
        if melodic and score.tracks[row].is_drum:
            raise RequestError(
                f"{constraint} is about {score.tracks[row].name or 'drums'}, but drums have no "
                f"{lacking}; name other parts"
            )
        if constraint.for_drums and not score.tracks[row].is_drum:
            called = score.tracks[row].name or f"track {row + 1}"
            raise RequestError(
                f"{constraint} is about {called}, which plays no drums; name a drum part"
            )
    if constraint.is_between_parts and len(set(rows)) != 2:
        raise RequestError(f"{constraint} is about two parts, not {len(set(rows))}; name two")
    return rows


def bars_of(scoped: Scoped, bars: int) -> tuple[int, int]:
    """Return the first and the last bar that something is about in a score of so many bars.

    Raises
    ------
    RequestError
        The score does not have them.
    """
    first, last = bar_range(scoped.bar_pair or (1, bars), bars)
    is_last = isinstance(scoped, Constraint) and scoped.is_last
    return (last if is_last else first), last


def post(
    where: Where, score: Score, grid: Grid, written: Mask, bars: int
) -> tuple[PostedConstraint, ...]:
    """Return what constraints demand of a grid.

    Parameters
    ----------
    where
        Constraints.
    score
        The score that the grid is of.
    grid, written
        As for a ``Request``.
    bars
        Bars of the score.

    Raises
    ------
    RequestError
        A constraint names parts or bars that the score does not have, or none that are written.
    """
    constraints = constraints_of(where)
    if constraints and score.tpq < RESOLUTION:
        raise RequestError(
            f"a score of {score.tpq} ticks a quarter cannot hold what constraints are about; give "
            f"one of {RESOLUTION} or more"
        )
    posted: list[PostedConstraint] = []
    if not constraints:
        return ()
    # Bar by bar only where the grid cuts one in two.
    alike = grid_bars(score, bars) == bars
    starts = [bar if alike else grid_bars(score, bar) for bar in range(bars + 1)]
    for constraint in constraints:
        first, last = bars_of(constraint, bars)
        cells = np.zeros((len(grid.bars), len(grid.parts)), bool)
        edges = starts[first - 1 : last + 1]
        cells[edges[0] : edges[-1], rows_of(constraint, score)] = True
        decided = written[:, 1:] | written[:, :1] & constraint.by_chord
        if not (cells & decided).any():
            raise RequestError(
                f"{constraint} is about no notes that are written; name others, or leave parts and "
                "bars out"
            )
        if constraint.by_bar:
            _check_bars(constraint, edges, first)
        posted.append(PostedConstraint(constraint, cells))
    return tuple(posted)


def _check_bars(constraint: Constraint, edges: Sequence[int], first: int) -> None:
    """Refuse bars that the grid cuts in two, where a constraint counts by bars."""
    for i, (start, end) in enumerate(pairwise(edges)):
        if end - start > 1:
            raise RequestError(
                f"{constraint} is about bar {first + i}, which is too long to be written as one; "
                "name other bars"
            )
