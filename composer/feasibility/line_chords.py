"""All chords of a bar that differ in what they leave the lines that hang on them.

Chords under which parts have lines, looked for from the last bar of a request back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.feasibility.chords import CHORDS, ChordChoice, ChordPlan
from composer.feasibility.line_kernels import sweep
from composer.feasibility.lines import LineCell, PartLine

Bools = npt.NDArray[np.bool_]


class ChordFreedom(NamedTuple):
    """What chords leave lines: bits at each position, all the better for each that is set."""

    held: Bools  # (chords, positions, bits): under a chord of ``CHORDS`` that began before
    begun: Bools  # (chords, positions, bits): under one that begins there


def every_plan(
    choice: ChordChoice, freedom: ChordFreedom, most: int
) -> tuple[list[ChordPlan], bool]:
    """Return chords that leave a bar's parts enough, but for those that others are better than.

    Parameters
    ----------
    choice
        The chords of the bar.
    freedom
        What they leave the lines.
    most
        How many to try.

    Returns
    -------
    plans, is_all
        Those with few changes first, and whether these are all.
    """
    count = len(choice.places)
    begin = [_worth_beginning(choice, freedom, place) for place in range(count)]
    found: list[dict[int, int]] = []
    tried = 0
    for changes in range(count):
        for places in combinations(range(1, count), changes):
            for chords in product(*(begin[place] for place in (0, *places))):
                if tried == most:
                    return _plans(choice, freedom, found), False
                tried += 1
                plan = dict(zip((0, *places), chords, strict=True))
                if all(a != b for a, b in pairwise(chords)) and choice.suits(plan):
                    found.append(plan)
    return _plans(choice, freedom, found), True


def _worth_beginning(choice: ChordChoice, freedom: ChordFreedom, place: int) -> list[int]:
    """Return the chords to begin at a place: no other is as good from there on."""
    at = choice.places[place]
    gains = np.array([choice.gains(place, chord) for chord, _ in enumerate(CHORDS)], np.int16)
    left = [freedom.begun[:, at], freedom.held[:, at + 1 :].reshape(len(CHORDS), -1)]
    return _undominated(np.concatenate([gains, *left], 1))


def _plans(
    choice: ChordChoice, freedom: ChordFreedom, found: list[dict[int, int]]
) -> list[ChordPlan]:
    """Return the best of some chords: place -> chord."""
    if not found:
        return []
    left = []
    for chords in found:
        rows, chord = freedom.held[chords[0]].copy(), -1
        for place, position in enumerate(choice.places):
            chord = chords.get(place, chord)
            rows[position:] = freedom.held[chord, position:]
            if place in chords:
                rows[position] = freedom.begun[chord, position]
        left.append(rows.ravel())
    best = [found[i] for i in _undominated(np.array(left))]
    return [tuple((choice.places[p], CHORDS[c]) for p, c in chords.items()) for chords in best]


def _undominated(rows: npt.NDArray[np.int16]) -> list[int]:
    """Return which rows have no other that is as much all over; of equal ones the first."""
    rows = rows[:, (rows != rows[:1]).any(0)]
    # Most pitches go together: those of a class, at all positions alike.
    columns = {column.tobytes(): column for column in rows.T.copy()}
    rows = np.array([*columns.values()]).reshape(-1, len(rows)).T
    kept: list[int] = []
    for i in np.argsort(-rows.sum(1, dtype=np.int64), kind="stable").tolist():
        if not (rows[kept] >= rows[i]).all(1).any():
            kept.append(i)
    return sorted(kept)


Bits = npt.NDArray[np.uint64]


_SWEEPS = 4_000  # times that a bar is filled in tables


class ChordPath(NamedTuple):
    """Chords of the last bars, and where lines may come from that go on under them."""

    plans: dict[int, ChordPlan]  # by bar
    completions: list[Bits]  # of each part: its table's at the first of these bars


class ChordPaths:
    """The chords of some bars under which each of some parts has a line, as far as tables tell.

    Parameters
    ----------
    bars
        Where each bar begins and ends, in times; by bar, rising.
    parts
        The parts, with a table each.
    plans
        Returns what may be chosen for a bar.
    cells
        Returns what chords make of a bar's cell in each part; None where they change nothing.
    """

    def __init__(
        self,
        bars: dict[int, tuple[int, int]],
        parts: Sequence[PartLine],
        plans: Callable[[int], Sequence[ChordPlan]],
        cells: Callable[[int, ChordPlan], Sequence[LineCell | None]],
    ) -> None:
        self._bars = bars
        self._parts = parts
        self._plans = plans
        self._cells = cells
        #: Whether the last search has left nothing out.
        self.is_complete = True

    def find(self, width: int, *, by_table: bool) -> list[dict[int, ChordPlan]]:
        """Return chords for all bars, the freest first.

        Parameters
        ----------
        width
            How many paths to follow.
        by_table
            Whether tables alone count: of chords to which lines come from the same places the first
            are enough then.
        """
        self.is_complete = True
        paths = [ChordPath({}, [])]
        behind = len(self._parts[0].line)
        for bar in reversed(self._bars):
            plans = self._plans(bar) if paths else []
            most = max(1, min(width, _SWEEPS // (len(plans) or 1) // len(self._parts)))
            self.is_complete &= len(paths) <= most
            choices = [(plan, self._cells(bar, plan)) for plan in plans]
            found = [
                new for path in paths[:most] for new in self._lengthen(path, bar, choices, behind)
            ]
            paths = self._best(bar, found, by_table)
            behind = self._bars[bar][0]
        self.is_complete &= len(paths) <= width
        return [p.plans for p in paths[:width] if self._comes_from_the_beginning(p, behind)]

    def _lengthen(
        self,
        path: ChordPath,
        bar: int,
        choices: Iterable[tuple[ChordPlan, Sequence[LineCell | None]]],
        behind: int,
    ) -> list[ChordPath]:
        """Return a path with each choice for the bar before it."""
        start, end = self._bars[bar]
        self._go_back(path, behind, end)
        found = []
        for plan, cells in choices:
            for part, cell in zip(self._parts, cells, strict=True):
                if cell is None:
                    sweep(part.table, start, end)
                else:
                    part.enter(start, cell)
            completions = [part.table.completions[start].copy() for part in self._parts]
            found.append(ChordPath({bar: plan, **path.plans}, completions))
        return found

    def _go_back(self, path: ChordPath, behind: int, to: int) -> None:
        """Fill the tables from where a path begins back to a time."""
        for part, completions in zip(self._parts, path.completions, strict=False):
            part.table.completions[behind] = completions
        for part in self._parts:
            sweep(part.table, to, behind)

    def _comes_from_the_beginning(self, path: ChordPath, behind: int) -> bool:
        self._go_back(path, behind, 0)
        return all(part.can() for part in self._parts)

    def _best(self, bar: int, paths: Sequence[ChordPath], by_table: bool) -> list[ChordPath]:
        """Return the paths that are worth going on, those that lines come to from most first."""
        states = [
            [
                part.comes_from(bar, completions)
                for part, completions in zip(self._parts, path.completions, strict=True)
            ]
            for path in paths
        ]
        comes = [np.concatenate(some) for some in states]
        worth = np.array([min(some.sum() for some in of_path) for of_path in states])
        order = [i for i in np.argsort(-worth, kind="stable").tolist() if worth[i]]
        if not by_table:
            return [paths[i] for i in order]
        kept: list[int] = []
        for i in order:
            known = np.array([comes[j] for j in kept], bool).reshape(-1, len(comes[i]))
            if len(self._parts) == 1:  # one path for this state, another for that
                known = np.atleast_2d(known.any(0))
            if not (known >= comes[i]).all(1).any():
                kept.append(i)
        return [paths[i] for i in kept]
