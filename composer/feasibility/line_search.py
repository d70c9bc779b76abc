"""The lines of all parts of a request: found before anything is written, refused if there are none.

``composer.feasibility.lines`` says what is guaranteed and why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import combinations, product
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from composer.constraints.base import Constraint
from composer.constraints.cell import PostedConstraint
from composer.constraints.clash import in_words
from composer.errors import RequestError
from composer.feasibility.chords import CHORDS, ChordChoice, ChordPlan
from composer.feasibility.line_chords import ChordFreedom, ChordPaths, every_plan
from composer.feasibility.line_kernels import FOUND, GAVE_UP, MOST, sweep
from composer.feasibility.lines import Given, LineCell, PartLine, make_line, set_other

_CAPS = (4, 16, MOST)  # onsets a bar that a way on may take beside those asked for
_TRIES = 12  # lines that are tried out for parts that must go together
_BUDGET = 1_000_000  # steps of a search for one line
_PLANS = 1_000  # chords of a bar that are tried out where those with few changes will not do

Bools = npt.NDArray[np.bool_]


class Relaxation(NamedTuple):
    """What parts are held to beside what is asked for."""

    habits: bool = False  # the rules of the parts
    singly: bool = False  # playing one note at a time


class MakeLineCell(Protocol):
    """Says what is asked of a cell that is written."""

    def __call__(
        self,
        bar: int,
        row: int,
        relaxation: Relaxation,
        only: Sequence[Constraint] | None = None,
        plan: ChordPlan | None = None,
    ) -> LineCell:
        """Return it under the chords of the grid or under others.

        ``only`` names the constraints that count; all without it.
        """
        ...

    def waits(self, bar: int, row: int) -> bool:
        """Return whether it hangs on chords that are to be written."""
        ...

    def choice(self, bar: int, *, anywhere: bool = False) -> ChordChoice:
        """Return which chords a bar may have, where they begin as usual or anywhere if they can."""
        ...

    def begin_anywhere(self, bar: int) -> None:
        """Let the chords of a bar begin anywhere from now on."""
        ...

    def constraints(self, row: int) -> list[Constraint]:
        """Return all constraints of a part."""
        ...


class Lines:
    """The lines of a request's parts.

    Parameters
    ----------
    given
        The request.
    make_cell
        Says what is asked of its cells.
    name
        Says what a part is called.

    Raises
    ------
    RequestError
        There are no such lines, or none were found.
    """

    def __init__(self, given: Given, make_cell: MakeLineCell, name: Callable[[int], str]) -> None:
        self._given = given
        self._make_cell = make_cell
        self._name = name
        rows = given.rows
        self._parts: dict[int, PartLine] = {}
        self._pairs: list[tuple[PostedConstraint, int, int]] = []
        self._plans: dict[int, ChordPlan] = {}  # chords of the ways on, where a part hangs on them
        self._loose: dict[int, Relaxation] = {}
        self._gave_up = False  # whether the last search has left anything out
        #: Parts that hang on a bar's chords.
        self._waiting = {
            bar: [row for row in rows if given.written[bar, row] and make_cell.waits(bar, row)]
            for bar in range(len(given.written))
        }
        #: Parts that are not held to play singly, because they would have no line then.
        self.relaxed: list[int] = []
        for domain in given.posted:
            if domain.constraint.is_between_parts:
                first, second = np.flatnonzero(domain.cells.any(0)).tolist()
                self._pairs.append((domain, first, second))
        self._unchecked = rows
        for component in self._components(rows):
            self._find(component)

    def part(self, row: int) -> PartLine | None:
        """Return the line of a part; None if it has none to keep."""
        return self._parts.get(row)

    def begin(self, bar: int, row: int) -> PartLine | None:
        """Return the line of a part of which a cell is to be written next."""
        part = self._parts.get(row)
        others = self._others(row, self._parts)
        if part and others:
            table, start = part.table, int(self._given.starts[bar])
            known = np.concatenate([table.others, table.before])
            for pair, (domain, line, other) in enumerate(others):
                set_other(table, self._given, pair, domain, row, line, other)
            changed = (known != np.concatenate([table.others, table.before])).any(0)
            until = int(np.flatnonzero(changed).max(initial=-1)) + 1
            sweep(table, start, max(start, until))
        return part

    def onsets(self, bar: int, row: int, *, at_most: bool) -> int:
        """Return how many onsets a cell may need, at most or as it now stands."""
        part = self._parts.get(row)
        if part is None:
            return 0
        if at_most:
            return part.most(bar)
        start = int(self._given.starts[bar])
        if part.has_way:
            return part.ahead(start, bar)
        return part.fewest(start, bar, part.last(start)[1], 0)

    def _others(
        self, row: int, parts: Mapping[int, PartLine], without: Collection[int] = ()
    ) -> list[tuple[PostedConstraint, np.ndarray, int]]:
        """Return what a part must not go in parallel with: lines of parts, or given ones."""
        found = []
        for domain, first, second in self._pairs:
            other = second if row == first else first
            if row in (first, second) and other not in without:
                line = parts[other].line if other in parts else self._given.line(other)
                found.append((domain, line, other))
        return found

    def _components(self, rows: Sequence[int]) -> list[list[int]]:
        """Return the parts that hang together."""
        found = [{row} for row in rows]
        pairs = [{first, second} for _, first, second in self._pairs]
        for hanging in [*pairs, *map(set, self._waiting.values())]:
            together = [some for some in found if some & hanging]
            found = [some for some in found if some not in together]
            found += [set().union(*together)] if together else []
        return [sorted(some) for some in found]

    def _cells(
        self,
        row: int,
        relaxation: Relaxation,
        only: Sequence[Constraint] | None = None,
        plans: Mapping[int, ChordPlan] = MappingProxyType({}),
    ) -> list[LineCell | None]:
        written = self._given.written[:, row].tolist()
        return [
            self._make_cell(bar, row, relaxation, only, plans.get(bar)) if written[bar] else None
            for bar, _ in enumerate(written)
        ]

    def _check_each(self) -> None:
        """Refuse parts of which one has no line even on its own, where that hangs on no chords."""
        while self._unchecked:
            self._check(self._unchecked.pop(0))

    def _check(self, row: int) -> None:
        cells = self._cells(row, Relaxation())
        for bar, cell in enumerate(cells):
            if cell and cell.domain.onsets > MOST:
                raise RequestError(
                    f"bar {bar + 1} of {self._name(row)} needs {cell.domain.onsets} onsets; where "
                    f"{self._asked(row)} holds no more than {MOST} can be planned ahead"
                )
        waits = any(row in some for some in self._waiting.values())
        if not waits and not make_line(self._given, row, cells).can():
            raise RequestError(self._clash(row))

    def _asked(self, row: int) -> str:
        named = [d.constraint for d in self._given.posted if d.cells[:, row].any()]
        return " and ".join(dict.fromkeys(map(str, named)))

    def _clash(self, row: int) -> str:
        """Return a sentence about the fewest constraints that leave a part no line."""
        linear = {d.constraint: None for d in self._given.posted if d.cells[:, row].any()}
        local = {c: None for c in self._make_cell.constraints(row)}
        everything = [*linear, *(c for c in local if c not in linear)]
        for size in range(1, len(everything) + 1):
            for some in combinations(everything, size):
                cells = self._cells(row, Relaxation(), some)
                part = make_line(self._given, row, cells, only=some)
                if not part.can():
                    return (
                        f"{in_words(some)} leave{'s' * (len(some) == 1)} {self._name(row)} no line "
                        f"as far as bar {self._dies_in(part) + 1}; drop one or widen it"
                    )
        raise ValueError("these constraints do not clash")

    def _dies_in(self, part: PartLine) -> int:
        """Return the first bar up to which there is no line."""
        bars = len(self._given.starts) - 1
        for bar in range(bars):
            if not part.can_until(int(self._given.starts[bar + 1])):
                return bar
        return bars - 1

    def _find(self, rows: list[int]) -> None:
        """Find lines of parts that hang together."""
        for relaxation, cap in product(
            (Relaxation(True, True), Relaxation(False, True), Relaxation()), _CAPS
        ):
            self._gave_up = self._go_together(rows)
            for variation, plans in enumerate(self._chords(rows, relaxation, cap)):
                parts = self._try(rows, relaxation, cap, variation, plans)
                if parts:
                    self._take_up(plans)
                    self._keep(parts, relaxation, cap, plans)
                    return
            self._check_each()  # most parts have a line at once, which spares this
        raise RequestError(self._none(rows))

    def _go_together(self, rows: list[int]) -> bool:
        """Return whether some of these parts must not go in parallel."""
        return any({first, second} <= {*rows} for _, first, second in self._pairs)

    def _must_not_copy(self, rows: list[int]) -> bool:
        posted = [d for d in self._given.posted if d.cells[:, rows].any()]
        return any(domain.constraint.runs is not None for domain in posted)

    def _chords(
        self, rows: list[int], relaxation: Relaxation, cap: int
    ) -> Iterator[dict[int, ChordPlan]]:
        """Yield chords to try out for the bars that parts hang on: few, and many in the end."""
        bars = self._hanging(rows)
        if not bars:
            yield from [{}] * (1 if len(rows) == 1 else _TRIES)
            return
        paths = self._paths(rows, relaxation, cap, lambda bar: _few(self._make_cell.choice(bar)))
        yield from paths.find(1, by_table=True)
        yield from paths.find(_TRIES, by_table=True)
        if relaxation != Relaxation() or cap != MOST:
            return
        by_table = not self._go_together(rows) and not self._must_not_copy(rows)
        for anywhere in (False, True):
            self._gave_up = self._go_together(rows)
            every = cache(partial(self._every_plan, anywhere=anywhere))
            paths = self._paths(rows, relaxation, cap, every)
            yield from paths.find(_PLANS, by_table=by_table)
            self._gave_up |= not paths.is_complete

    def _every_plan(self, bar: int, *, anywhere: bool) -> list[ChordPlan]:
        """Return the chords of a bar that differ to the lines there."""
        choice = self._make_cell.choice(bar, anywhere=anywhere)
        plans, are_all = every_plan(choice, self._freedom(bar), _PLANS)
        self._gave_up |= not are_all
        return plans

    def _freedom(self, bar: int) -> ChordFreedom:
        """Return what chords leave the lines of a bar."""
        length = int(self._given.starts[bar + 1] - self._given.starts[bar])
        held = [((0, chord),) for chord in CHORDS]
        begun = [tuple((position, chord) for position in range(length)) for chord in CHORDS]
        return ChordFreedom(self._free(bar, held), self._free(bar, begun))

    def _free(self, bar: int, plans: Sequence[ChordPlan]) -> Bools:
        """Return what chords leave the lines of a bar, shape (plans, positions, bits)."""
        found = []
        for plan in plans:
            cells = [
                self._make_cell(bar, row, Relaxation(), None, plan) for row in self._waiting[bar]
            ]
            masks = [mask for cell in cells for mask in (cell.open, cell.open & ~cell.passing)]
            found.append(np.concatenate(masks, 1))
        return np.array(found)

    def _paths(
        self,
        rows: list[int],
        relaxation: Relaxation,
        cap: int,
        plans: Callable[[int], list[ChordPlan]],
    ) -> ChordPaths:
        """Return the choice of chords for some bars, out of those given."""

        def cells(bar: int, plan: ChordPlan) -> list[LineCell | None]:
            hang = [row in self._waiting[bar] for row in rows]
            return [
                self._make_cell(bar, row, relaxation, None, plan) if hangs else None
                for row, hangs in zip(rows, hang, strict=True)
            ]

        starts = self._given.starts.tolist()
        bars = {bar: (starts[bar], starts[bar + 1]) for bar in self._hanging(rows)}
        parts = [make_line(self._given, row, self._cells(row, relaxation), cap=cap) for row in rows]
        return ChordPaths(bars, parts, plans, cells)

    def _keep(
        self,
        parts: dict[int, PartLine],
        relaxation: Relaxation,
        cap: int,
        plans: dict[int, ChordPlan],
    ) -> None:
        self._parts.update(parts)
        self._loose.update(dict.fromkeys(parts, relaxation))
        self.relaxed += [] if relaxation.singly else parts
        if len(parts) > 1:  # each beside all the others
            for row, part in parts.items():
                cells = self._cells(row, relaxation, None, plans)
                others = self._others(row, self._parts)
                line = make_line(self._given, row, cells, others, cap=cap)
                line.line[:] = part.line
                self._parts[row] = line

    def _try(
        self,
        rows: list[int],
        relaxation: Relaxation,
        cap: int,
        variation: int,
        plans: dict[int, ChordPlan],
    ) -> dict[int, PartLine] | None:
        """Return lines of parts, each beside those before it; None if one has none then."""
        found: dict[int, PartLine] = {}
        search = len(rows) > 1 or self._must_not_copy(rows)
        turn = variation % len(rows)
        for row in [*rows[turn:], *rows[:turn]]:
            others = self._others(row, found, without={*rows} - {*found})
            cells = self._cells(row, relaxation, None, plans)
            part = make_line(self._given, row, cells, others, cap=cap)
            if not part.can():
                return None
            if search:
                found_one = part.find(0, -1, 0, variation=variation, budget=_BUDGET)
                self._gave_up |= found_one == GAVE_UP
                if found_one != FOUND:
                    return None
            found[row] = part
        return found

    def _hanging(self, rows: list[int]) -> list[int]:
        """Return the bars on whose chords some of these parts hang."""
        return [bar for bar, some in self._waiting.items() if {*some} & {*rows}]

    def _take_up(self, plans: dict[int, ChordPlan]) -> None:
        """Note chords under which there are lines."""
        self._plans.update(plans)
        for bar, plan in plans.items():
            if not {place for place, _ in plan} <= {*self._make_cell.choice(bar).places}:
                self._make_cell.begin_anywhere(bar)

    def plan(self, bar: int) -> ChordPlan:
        """Return the chords known for a bar under which lines that hang on them can go on."""
        return self._plans[bar]

    def hang_on(self, bar: int) -> bool:
        """Return whether parts with a line hang on the chords of a bar."""
        return bool(self._waiting[bar])

    def take_plan(self, bar: int, plan: ChordPlan) -> bool:
        """Return whether a bar may have some chords; its parts then go by them."""
        if self._plans[bar] == plan:
            return True
        start, taken_back = int(self._given.starts[bar]), []
        for row in self._waiting[bar]:
            part = self.begin(bar, row)
            if part is None:
                continue
            cell = self._make_cell(bar, row, self._loose[row], None, plan)
            taken_back.append(part.enter(start, cell))
            line, state = part.line.copy(), part.last(start)[1]
            can = part.fewest(start, bar, state, 0) >= 0
            if not can or (part.has_way and part.find(start, -1, 0) != FOUND):
                for undo in taken_back:
                    undo()
                return False
            taken_back.append(partial(np.copyto, part.line, line))
        self._plans[bar] = plan
        return True

    def _none(self, rows: list[int]) -> str:
        """Return a sentence about lines that are not there, or were not found."""
        names = " and ".join(self._name(row) for row in rows)
        asked = " and ".join(dict.fromkeys(self._asked(row) for row in rows))
        what = f"no lines of {names} {'were found that ' * self._gave_up}keep {asked}"
        chords = "" if self._gave_up or not self._hanging(rows) else ", whatever the chords"
        return f"{what}{chords}; drop one or widen it"


def _few(choice: ChordChoice) -> list[ChordPlan]:
    """Return chords that leave all parts of a bar enough: each to begin it, with few others."""
    return [choice.plan(0, chord) for chord in np.flatnonzero(choice.allowed(0)).tolist()]
