"""The demands of a request over the time of each part, and what they leave a cell.

What is guaranteed. Each cell can be completed when it is begun, and stays so with each id: see
``composer.constraints.cell`` for why counting decides it, and ``composer.feasibility.lines`` for
what reaches over bar lines. A note that rings on into bars that are still to be written leaves
enough open there as well. Where a bar's chords are written too, they are such that every part of
the bar can be completed under them (``composer.feasibility.chords``); notes do not ring on into
such a bar if it has onsets to keep under its chords, nor, in an endless request, into any bar that
has. A part that plays singly of itself is held to that like to a demand, wherever it then can be
written.

Notes that stay in a cell that is written are given ones, and those of their onsets that are owed
are met by them: see ``composer.feasibility.given_notes``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.constraints.base import ANY, Cell, Constraint, PitchMask
from composer.constraints.cell import (
    CellDomain,
    Occupancy,
    domain_of,
    free_pitches,
    is_enough,
    most_voices,
    open_positions,
)
from composer.constraints.clash import clash_of, in_words
from composer.constraints.counts import Monophonic
from composer.constraints.pitches import as_far_as_they_can
from composer.errors import RequestError
from composer.feasibility.cell_kernels import COUNTED, IDLE, REQUIRED
from composer.feasibility.chords import (
    IDS_A_CHORD,
    ByChord,
    ChordChoice,
    ChordPlan,
    MakeCell,
    OpenByChord,
    chord_places,
)
from composer.feasibility.given_notes import GivenNotes, LockedNotes
from composer.feasibility.hands import Hands
from composer.feasibility.line_search import Lines, Relaxation
from composer.feasibility.lines import Given, LineCell, PartLine
from composer.request.request import Request
from composer.score.grid import Grid
from composer.tokenizers.bins import DURATIONS

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LONGEST = int(DURATIONS[-1])
_SINGLE = -1  # stands for a part's own playing singly among the numbers of demands


@dataclasses.dataclass(frozen=True, eq=False)
class CellBounds:
    """What demands leave one cell; times as in ``composer.feasibility.cell_kernels``."""

    domain: CellDomain
    pitches: PitchMask  # (times, 128)
    sounding: Ints  # (times,): notes of the request
    most_sounding: Ints  # (times,)
    limit: Ints  # (times,)
    wants: npt.NDArray[np.int8]  # (times,)
    bar_of: Ints  # (times,)
    owed: Ints  # (bars,)
    hands: Hands | None  # None where no instrument asks
    locked: LockedNotes  # of the cell


class _Span(NamedTuple):
    """What demands leave one cell, as ``CellBounds`` has it, beside what is written before it."""

    pitches: PitchMask
    most_sounding: Ints
    limit: Ints
    wants: npt.NDArray[np.int8]
    owed: int

    @classmethod
    def free(cls, positions: int) -> _Span:
        """Return the span of a cell of which nothing is asked."""
        return cls(
            np.ones((positions, 128), bool),
            np.full(positions, ANY),
            np.full(positions, ANY),
            np.full(positions, IDLE, np.int8),
            0,
        )


class Feasibility:
    """Works out what the demands of a request leave its cells.

    Parameters
    ----------
    request
        The request.
    grid
        Its grid without what is to be written.
    make_cell
        Makes cells of the grid.
    endless
        Whether bars follow that nobody knows yet.

    Raises
    ------
    RequestError
        A cell cannot be written; the message names the fewest constraints that clash.
    """

    def __init__(
        self, request: Request, grid: Grid, make_cell: MakeCell, *, endless: bool = False
    ) -> None:
        self._constraints = [domain.constraint for domain in request.posted]
        self._written = request.written
        self.cell = make_cell
        self._endless = endless
        self._starts, self._parts = grid.bar_starts, grid.parts
        self._known: dict[tuple[tuple[int, ...], Cell], CellDomain] = {}
        #: Of cells whose chords are known beforehand.
        self._fixed: dict[tuple[int, int], CellDomain] = {}
        self._given = GivenNotes(request, grid)
        self._chords = ByChord(make_cell, self._given, request.written)
        self._asked: list[list[tuple[int, ...]]] = [[()] * len(grid.parts) for _ in grid.bars]
        for index, domain in enumerate(request.posted):
            for bar, row in np.argwhere(domain.cells).tolist():
                self._asked[bar][row] += (index,)
        singly = [rules.monophonic for rules in request.parts]
        self._chord_ids: dict[int, int] = {}
        self._chords_per_bar = request.chords_per_bar
        self._anywhere: set[int] = set()  # bars whose chords may begin at any position
        for bar in np.flatnonzero(self._written.any(1)).tolist():
            self._check_bar(grid, bar, singly)
        self.lines = self._find_lines(request, grid)
        self._spans: dict[tuple[int, int], _Span] = {}  # of cells, as those before them see them
        #: Cells that depend on what sounds on into them.
        self._matters = np.zeros((len(grid.bars), len(grid.parts)), bool)
        for bar, row in np.ndindex(self._matters.shape):
            if self._asked[bar][row]:
                if self._written[bar, row + 1]:
                    self._matters[bar, row] = self._of(grid, bar, row).onsets > 0
                else:
                    asked = self._list(self._asked[bar][row])
                    is_played = any(c.is_played for c in asked)
                    self._matters[bar, row] = is_played or self._voices(bar, row) < ANY

    def onsets(self, grid: Grid, bar: int, row: int, *, now: bool = True) -> int:
        """Return how many onsets a cell must have, as things are now or at most."""
        onsets = self._of(grid, bar, row).onsets if self._asked[bar][row] else 0
        return max(onsets, self.lines.onsets(bar, row, at_most=not now)) if self.lines else onsets

    def chord_ids(self, bar: int) -> int:
        """Return how many ids the chords of a bar may take that its parts hang on."""
        return self._chord_ids.get(bar, 0)

    def staying(self, bar: int, row: int) -> int:
        """Return how many notes stay in a cell that is written."""
        return len(self._given.locked(bar, row))

    def named(self, bar: int, row: int) -> str:
        """Return the constraints of a cell in words."""
        asked = [index for index in self._asked[bar][row] if index != _SINGLE]
        return ", ".join(str(self._constraints[index]) for index in asked)

    def concern(self, bar: int, row: int) -> bool:
        """Return whether anything is asked of a cell."""
        return bool(self._asked[bar][row])

    def domain(self, grid: Grid, bar: int, row: int) -> CellDomain | None:
        """Return what is asked of a cell under the chords known so far; None for nothing."""
        return self._of(grid, bar, row) if self._asked[bar][row] else None

    def bound(self, grid: Grid, bar: int, row: int) -> CellBounds | None:
        """Return what demands leave a cell that is to be written next; None without any near.

        Parameters
        ----------
        grid
            What is given and written so far.
        bar, row
            The cell.
        """
        starts = self._starts
        last = int(np.searchsorted(starts, starts[bar + 1] + _LONGEST))
        near = [b for b in range(bar + 1, min(last, len(starts) - 1)) if self._matters[b, row]]
        has_line = self.lines is not None and self.lines.part(row) is not None
        if not near and not self._asked[bar][row] and not has_line:
            return None
        spans = [self._span(grid, bar, row, waits=False)]
        spans += [self._behind(grid, other, row) for other in near]
        near.insert(0, bar)
        start, times = int(starts[bar]), int(starts[near[-1] + 1] - starts[bar]) + 1
        whole, bar_of = _Span.free(times), np.zeros(times, np.int64)
        owed = np.zeros(near[-1] - bar + 1, np.int64)
        for other, span in zip(near, spans, strict=True):
            here = slice(int(starts[other]) - start, int(starts[other + 1]) - start)
            whole.pitches[here], whole.most_sounding[here] = span.pitches, span.most_sounding
            whole.limit[here], whole.wants[here] = span.limit, span.wants
            bar_of[here], owed[other - bar] = other - bar, span.owed
        domain = self._of(grid, bar, row)
        if self._endless and domain.onsets:
            whole.limit[int(starts[bar + 1]) - start] = 0
        hands = self._hands(whole.pitches, grid, near, row) if self._given.has_techniques else None
        return CellBounds(
            domain,
            whole.pitches,
            self._given.ringing(grid, bar, row, times),
            whole.most_sounding,
            whole.limit,
            whole.wants,
            bar_of,
            owed,
            hands,
            self._given.locked(bar, row),
        )

    def line(self, bar: int, row: int) -> PartLine | None:
        """Return the line of a part of which a cell is to be written next; None without one."""
        return self.lines.begin(bar, row) if self.lines else None

    def chords(self, grid: Grid, bar: int, *, anywhere: bool = False) -> ChordChoice | None:
        """Return which chords a bar's parts can be written under; None where all are alike.

        They begin where a bar's chords do, and where that is not enough, at any position.
        """
        rows = [row for row in range(len(grid.parts)) if self._by_chord(bar, row)]
        if not rows:
            return None
        parts = [
            self._chords.cell(grid, bar, row, self._list(self._asked[bar][row])) for row in rows
        ]
        return self._choice(grid, bar, parts, anywhere=anywhere or bar in self._anywhere)

    def begin_anywhere(self, grid: Grid, bar: int) -> None:
        """Let the chords of a bar begin anywhere from now on."""
        self._anywhere.add(bar)
        self._count_chord_ids(grid, bar)

    def _check_bar(self, grid: Grid, bar: int, singly: list[bool]) -> None:
        """Refuse a bar that cannot be written, and hold parts to play singly where they can."""
        rows = [row for row in range(len(grid.parts)) if self._written[bar, row + 1]]
        rows = [row for row in rows if self._asked[bar][row]]
        for row in rows:
            if not self._can(grid, bar, row):
                raise RequestError(self._clash(grid, bar, row))
            asked = self._asked[bar][row]
            self._asked[bar][row] = (*asked, _SINGLE) if singly[row] else asked
            if singly[row] and not self._can(grid, bar, row):
                self._asked[bar][row] = asked
        choice = self.chords(grid, bar)
        if choice and not choice.can:
            for row in rows:
                self._asked[bar][row] = tuple(i for i in self._asked[bar][row] if i != _SINGLE)
            choice = self.chords(grid, bar)
            if choice and not choice.can:
                raise RequestError(self._none(grid, bar, choice))
        self._count_chord_ids(grid, bar)

    def _count_chord_ids(self, grid: Grid, bar: int) -> None:
        choice = self.chords(grid, bar)
        if choice:
            self._chord_ids[bar] = IDS_A_CHORD * len(choice.places)

    def _find_lines(self, request: Request, grid: Grid) -> Lines | None:
        """Return the lines that parts have to keep, and let those play as they must for that."""
        posted = tuple(d for d in request.posted if d.constraint.is_linear)
        given = Given(posted, self._starts, self._written[:, 1:], self._given.held)
        if not given.rows:
            return None
        lines = Lines(given, LineCells(self, request, grid), grid.part_name)
        for bar, row in product(range(len(grid.bars)), lines.relaxed):
            self._asked[bar][row] = tuple(i for i in self._asked[bar][row] if i != _SINGLE)
            self._fixed.pop((bar, row), None)
        return lines

    def line_cell(
        self, cell: Cell, bar: int, row: int, singly: bool, only: Sequence[Constraint] | None
    ) -> tuple[CellDomain, Occupancy]:
        """Return what is asked of a cell, and what sounds in it.

        ``singly`` is whether the part's own playing singly counts, ``only`` the constraints that
        do, all without it.
        """
        asked = tuple(
            i
            for i in self._asked[bar][row]
            if (singly if i == _SINGLE else only is None or self._constraints[i] in only)
        )
        return self._domain(asked, cell), self._given.occupancy(bar, row).under(self._list(asked))

    def waits(self, bar: int, row: int) -> bool:
        """Return whether a cell is to be written under chords that decide if it can be."""
        return bool(self._written[bar, row + 1]) and self._by_chord(bar, row)

    def constraints(self, row: int) -> list[Constraint]:
        """Return the constraints of a part."""
        asked = dict.fromkeys(i for bar in self._asked for i in bar[row] if i != _SINGLE)
        return [self._constraints[i] for i in sorted(asked)]

    def _can(self, grid: Grid, bar: int, row: int, asked: tuple[int, ...] | None = None) -> bool:
        """Return whether a cell can be written under what is asked of it, or under some of that."""
        asked = self._asked[bar][row] if asked is None else asked
        occupancy = self._given.occupancy(bar, row).under(self._list(asked))
        domain = self._domain(asked, self.cell(grid, bar, row))
        if not self._by_chord(bar, row, asked):
            return is_enough(domain, open_positions(domain, occupancy))
        if domain.beyond or domain.onsets > domain.most:
            return False
        return self._choice(grid, bar, [self._chords.cell(grid, bar, row, self._list(asked))]).can

    def _choice(
        self, grid: Grid, bar: int, parts: Sequence[OpenByChord], *, anywhere: bool = False
    ) -> ChordChoice:
        """Return the chords that leave some cells of a bar enough."""
        if self._chords_per_bar or not anywhere:
            choice = ChordChoice(parts, chord_places(grid, bar, self._chords_per_bar))
            if choice.can or self._chords_per_bar:
                return choice
        return ChordChoice(parts, range(int(grid.bar_lengths[bar])))

    def _clash(self, grid: Grid, bar: int, row: int) -> str:
        asked = self._asked[bar][row]
        where = f"bar {bar + 1} of {grid.part_name(row)}"
        for size in range(1, len(asked) + 1):
            for some in combinations(asked, size):
                if not self._can(grid, bar, row, some):
                    cell = None if self._by_chord(bar, row, some) else self.cell(grid, bar, row)
                    return clash_of(self._list(some), cell, self._given.occupancy(bar, row), where)
        raise ValueError("these constraints do not clash")

    def _none(self, grid: Grid, bar: int, choice: ChordChoice) -> str:
        """Return a sentence about parts that no chords suit together."""
        rows = [row for row, _ in enumerate(grid.parts) if self._by_chord(bar, row)]
        names = [grid.part_name(row) for row in rows]
        asked = {i for row in rows for i in self._asked[bar][row] if i != _SINGLE}
        hanging = [self._constraints[i] for i in sorted(asked) if self._constraints[i].by_chord]
        which = "no single chord" if len(choice.places) == 1 else "no chords"
        return (
            f"{which} in bar {bar + 1} will do for {' and '.join(names)} under "
            f"{in_words(hanging)}; drop one or widen another constraint"
        )

    def _by_chord(self, bar: int, row: int, asked: tuple[int, ...] | None = None) -> bool:
        """Return whether what a cell may hold waits for chords that are to be written."""
        asked = self._asked[bar][row] if asked is None else asked
        hangs = any(constraint.by_chord for constraint in self._list(asked))
        return hangs and bool(self._written[bar, 0])

    def _behind(self, grid: Grid, bar: int, row: int) -> _Span:
        """Return what demands leave a cell, as those before it see it."""
        if (bar, row) not in self._spans:
            self._spans[bar, row] = self._span(grid, bar, row, waits=self.waits(bar, row))
        return self._spans[bar, row]

    def _span(self, grid: Grid, bar: int, row: int, *, waits: bool) -> _Span:
        """Return what demands leave a cell; if it waits for chords, no note rings on into it."""
        occupancy, voices = self._given.occupancy(bar, row), self._voices(bar, row)
        span = _Span.free(len(occupancy.sounding))
        if self._written[bar, row + 1]:
            span.most_sounding[:] = voices - occupancy.sounding
            if waits:
                span.limit[0] = 0
                return span
            domain, locked = self._of(grid, bar, row), self._given.locked(bar, row).positions
            span.pitches[:] = domain.pitches & ~occupancy.closed
            span.wants[:] = COUNTED if domain.least else IDLE
            span.wants[domain.required] = REQUIRED
            span.wants[locked] = IDLE
            span = span._replace(owed=domain.least - len(locked))
        if voices < ANY:  # given notes that begin may not sound with more
            begins = self._given.begins(bar, row) - self._starts[bar]
            span.limit[begins] = voices - occupancy.sounding[begins]
        return span

    def _voices(self, bar: int, row: int) -> int:
        """Return how many notes may sound where one of a cell begins, itself included."""
        part = self._parts[row]
        return most_voices(self._list(self._asked[bar][row]), part.program, part.is_drum)

    def _hands(self, pitches: PitchMask, grid: Grid, near: Sequence[int], row: int) -> Hands:
        """Return what sounds around a cell, and close what cannot be played with it."""
        hands, start = Hands(pitches), int(self._starts[near[0]])
        for bar in near:
            at = int(self._starts[bar]) - start
            techniques = self._of(grid, bar, row).techniques
            given = (self._given.begins(bar, row) - start).tolist()
            hands.enter(at, self._given.occupancy(bar, row).sounds, techniques, given)
        notes, ends = self._given.ringing_notes(grid, near[0], row)
        for pitch, end in zip(notes["pitch"].tolist(), ends.tolist(), strict=True):
            hands.accept(pitch, 0, end)
        hands.narrow(0, len(pitches))
        return hands

    def _list(self, asked: tuple[int, ...]) -> list[Constraint]:
        return [Monophonic() if i == _SINGLE else self._constraints[i] for i in asked]

    def _of(self, grid: Grid, bar: int, row: int) -> CellDomain:
        """Return what is asked of a cell, under the chords that are known so far."""
        if (bar, row) in self._fixed:
            return self._fixed[bar, row]
        domain = self._domain(self._asked[bar][row], self.cell(grid, bar, row))
        if not self.waits(bar, row):
            self._fixed[bar, row] = domain
        return domain

    def _domain(self, asked: tuple[int, ...], cell: Cell) -> CellDomain:
        if (asked, cell) not in self._known:
            self._known[asked, cell] = domain_of(self._list(asked), cell)
        return self._known[asked, cell]


class LineCells:
    """Says what is asked of the cells of a request that is written by lines."""

    def __init__(self, bounds: Feasibility, request: Request, grid: Grid) -> None:
        self._bounds, self._request, self._grid = bounds, request, grid

    def __call__(
        self,
        bar: int,
        row: int,
        relaxation: Relaxation,
        only: Sequence[Constraint] | None = None,
        plan: ChordPlan | None = None,
    ) -> LineCell:
        """Return it under the chords of the grid or under others."""
        cell = self._bounds.cell(self._grid, bar, row, plan)
        domain, occupancy = self._bounds.line_cell(cell, bar, row, relaxation.singly, only)
        pitches = domain.pitches
        if relaxation.habits and not self._request.written[bar, 0]:
            rules = self._request.parts[row].rules
            pitches = as_far_as_they_can(rules, cell, free_pitches(domain, occupancy))
        return LineCell(domain, occupancy, pitches)

    def waits(self, bar: int, row: int) -> bool:
        """Return whether it hangs on chords that are to be written."""
        return self._bounds.waits(bar, row)

    def choice(self, bar: int, *, anywhere: bool = False) -> ChordChoice:
        """Return which chords a bar may have, where they begin as usual or anywhere if they can."""
        choice = self._bounds.chords(self._grid, bar, anywhere=anywhere)
        if choice is None:
            raise ValueError(f"nothing in bar {bar + 1} hangs on chords")
        return choice

    def begin_anywhere(self, bar: int) -> None:
        """Let the chords of a bar begin anywhere from now on."""
        self._bounds.begin_anywhere(self._grid, bar)

    def constraints(self, row: int) -> list[Constraint]:
        """Return the constraints of a part."""
        return self._bounds.constraints(row)
