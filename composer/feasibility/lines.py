"""The lines of a request's parts: which may still be taken, and that one always can.

What is guaranteed. Constraints on lines reach over bar lines, so that what is written now may leave
nothing for later. A part is never without a *way on*: a line from here to the end of the piece that
keeps everything. Of that line each onset is one note of one position, which takes no room from
another, and so all that a cell asks for (``composer.constraints.cell``) comes down to which
pitches are open at which times, which of these times are required, and how many onsets a bar may
have. Where notes stay that are locked, their highest is the onset, or one note that is added above
them.

Whether there is one is told exactly for a part on its own, by a table filled from the end of the
piece: for each time and each pitch that the line may have come to, the set of numbers of onsets
that the rest of the bar may still have (``line_kernels.sweep``). An id is allowed if the table has
a way on behind it. Notes that are written close pitches while they sound, their own and those that
no hand can hold beside them, and only from the next time on: the table is filled anew where that
is. A note that may only pass leaves the line in a state of its own, from which it has to step on.

Parts that must not go in parallel have a table each as well, in which the other's line is fixed:
what is written of it, and behind that one concrete line that is a way on for it. The table is
exact beside that line. What the part then takes is fixed in turn before the other goes on, and the
other's line stays a way on, because it has been kept to. So there is always one for both, if there
was at the beginning; other pairs of lines are left out, which costs choice and nothing else.

Copies hang on as many notes as a run may have, too many for a table. Where a part must not copy,
each id that is chosen is tried before it is taken: a line is looked for behind it, by depth first
with the table as guide. One that was found before is always there to fall back upon.

Chords that are still to be written decide what is open. Of a bar whose lines hang on them some are
known under which there are ways on; others are taken only if each of these lines then has a way on
as well.

Before anything is written a way on is looked for: for a part on its own by table, for parts that
hang together, and where nothing may be copied, by trying out lines; where chords are to be written,
under few of them first, and then under all that differ to the lines
(``composer.feasibility.line_chords``). If there is none the request is refused; so it is, in other
words, where the search gives up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.constraints.base import Constraint, PitchMask, Runs
from composer.constraints.cell import CellDomain, Occupancy, PostedConstraint, free_pitches
from composer.feasibility.automata import automata
from composer.feasibility.hands import Hands
from composer.feasibility.line_kernels import (
    MOST,
    NONE,
    NOT_FOUND,
    PASSING,
    STEP,
    Occupied,
    SuffixAutomata,
    Table,
    close_taken,
    fewest,
    find_line,
    is_completion_open,
    last_onset,
    put_note,
    sweep,
    take_steps,
)
from composer.score.events import Events

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_ANY_PITCH = np.ones(NONE, bool)
_FREE = 127  # a leap as far as any
_BUDGET = 20_000  # steps of a search for one line while writing


class LineCell(NamedTuple):
    """What is asked of a cell that is written."""

    domain: CellDomain
    occupancy: Occupancy
    pitches: PitchMask  # (positions, 128): which of those asked for are to be taken

    @property
    def stays(self) -> Ints:
        """The highest of the notes that stay at each position, -1 without any: (positions,)."""
        highest = np.full(len(self.pitches), -1)
        for position, pitch in self.domain.locked:
            highest[position] = max(highest[position], pitch)
        return highest

    @property
    def passing(self) -> PitchMask:
        """Which pitches an onset may have in passing alone, shape (positions, 128)."""
        passing = self.domain.passing
        return np.zeros_like(self.pitches) if passing is None else passing

    @property
    def open(self) -> PitchMask:
        """Which pitches an onset may have as its highest, shape (positions, 128)."""
        is_open, stays = free_pitches(self.domain, self.occupancy) & self.pitches, self.stays
        for position in np.flatnonzero(stays >= 0).tolist():
            is_open[position, : stays[position]] = False
            is_open[position, stays[position]] = True
        for position, pitch in self.domain.locked:
            if not self.domain.pitches[position, pitch]:
                is_open[position] = False
            elif self.passing[position, pitch]:  # so it is the highest
                is_open[position, np.arange(NONE) != pitch] = False
        return is_open


@dataclasses.dataclass(frozen=True, eq=False)
class Given:
    """What constraints on lines have to do with, of a whole request."""

    posted: tuple[PostedConstraint, ...]  # those on lines
    starts: Ints  # (bars + 1,)
    written: Bools  # (bars, parts)
    held: Events  # dtype HELD
    _matters: dict[tuple[int, int], Bools] = dataclasses.field(default_factory=dict)

    @property
    def rows(self) -> list[int]:
        """Return the parts that have a line to keep."""
        named = np.zeros(self.written.shape[1], bool)
        for domain in self.posted:
            named |= domain.cells.any(0)
        return np.flatnonzero(named & self.written.any(0)).tolist()

    def line(self, row: int) -> npt.NDArray[np.int16]:
        """Return the line that is given of a part, -1 where it has no onset; shape (times,)."""
        line = np.full(int(self.starts[-1]), -1, np.int16)
        notes = self.held[self.held["part"] == row]
        notes = notes[(notes["onset"] >= 0) & (notes["onset"] < len(line))]
        np.maximum.at(line, notes["onset"], notes["pitch"].astype(np.int16))
        return line

    def matters(self, row: int, notes: int) -> Bools:
        """Return the times at which a run of notes may be other than given, shape (times,).

        It is not to be changed.
        """
        if (row, notes) not in self._matters:
            self._matters[row, notes] = self._find_matters(row, notes)
        return self._matters[row, notes]

    def _find_matters(self, row: int, notes: int) -> Bools:
        written = np.repeat(self.written[:, row], np.diff(self.starts))
        onsets = np.flatnonzero((self.line(row) >= 0) & ~written)
        last = np.maximum.accumulate(np.where(written, np.arange(len(written)), -1))
        since = np.arange(len(onsets)) - np.searchsorted(onsets, last[onsets])
        found = written.copy()
        found[onsets[(last[onsets] >= 0) & (since < notes)]] = True
        return found


def passing_notes(notes: Events, written: Bools) -> Bools:
    """Return which given notes of a part may pass, shape (notes,): highest ones between two steps.

    Parameters
    ----------
    notes
        Of the part, dtype ``HELD``.
    written
        Shape (times,): where others will be written, so that no step over there is known.
    """
    onsets, where = np.unique(notes["onset"], return_inverse=True)
    tops = np.full(len(onsets), -1)
    np.maximum.at(tops, where, notes["pitch"].astype(np.int64))
    leap = np.abs(np.diff(tops))
    count = np.r_[0, written.cumsum()][np.clip(onsets, 0, len(written))]
    is_step = np.r_[False, (leap > 0) & (leap <= STEP) & (np.diff(count) == 0), False]
    return np.asarray((is_step[:-1] & is_step[1:])[where] & (notes["pitch"] == tops[where]))


class PartLine:
    """What a part's line may be, and what it is so far.

    Parameters
    ----------
    table
        Its table, which is filled here.
    copied
        What it must not copy.
    line
        Shape (times,): given and written notes, and behind them those of a way on.
    room
        Shape (times,): how many notes may sound that are not given.
    stays
        Shape (times,): the highest of the notes that stay, -1 without any.
    hands
        What sounds where an instrument is played with hands, over the table's open pitches.
    """

    def __init__(
        self,
        table: Table,
        copied: SuffixAutomata,
        line: npt.NDArray[np.int16],
        most_more: Ints,
        stays: Ints,
        hands: Hands,
    ) -> None:
        self.table = table
        self.copied = copied
        self.line = line
        self._taken = Occupied(
            most_more, stays, np.zeros_like(most_more), np.zeros_like(table.open)
        )
        self._hands = hands
        self._ends = np.searchsorted(table.bar_of, range(len(table.counts)), side="right").tolist()
        #: Whether ids are tried before they are taken.
        self.copies = len(copied.most) > 0
        #: Whether a way on stands in the line behind what is written.
        self.has_way = self.copies or len(table.others) > 0
        sweep(table, 0, len(line))

    def can(self) -> bool:
        """Return whether the table has a line from the beginning."""
        return bool(self.comes_from(0, self.table.completions[0])[NONE])

    def can_until(self, end: int) -> bool:
        """Return whether there is a line up to a time; fills the table anew, for that alone."""
        table = self.table._replace(
            completions=self.table.completions[:end], bar_of=self.table.bar_of[:end]
        )
        sweep(table, 0, end)
        return self.can()

    def comes_from(self, bar: int, completions: npt.NDArray[np.uint64]) -> Bools:
        """Return in which states the line may come to a bar, given the ways on from there."""
        return (
            (completions & self.table.counts[bar]) if self.table.written[bar] else completions
        ) > 0

    def fewest(self, time: int, bar: int, state: int, done: int) -> int:
        """Return how many more onsets of a bar are the fewest, as ``line_kernels.fewest``."""
        return fewest(self.table, time, bar, state, done)

    def most(self, bar: int) -> int:
        """Return how many onsets a bar may have."""
        return int(self.table.counts[bar]).bit_length() - 1

    def state_of(self, time: int, pitch: int) -> int:
        """Return where the line stands with a note that begins at a time."""
        return PASSING + pitch if self.table.passing[time, pitch] else pitch

    def last(self, time: int) -> tuple[int, int]:
        """Return when the line's last onset before a time is, and where it stands since."""
        onset = last_onset(self.line, time)
        return onset, NONE if onset < 0 else self.state_of(onset, int(self.line[onset]))

    def ahead(self, time: int, bar: int) -> int:
        """Return how many onsets the way on has in a bar from a time on."""
        return int(np.count_nonzero(self.line[time : self._ends[bar]] >= 0))

    def is_open(self, first: int, last: int) -> bool:
        """Return whether the way on is open from one time to the one before another."""
        return is_completion_open(self.line, self.table, first, last)

    def clear(self, time: int, pitch: int, until: int) -> tuple[Callable[[], None], bool]:
        """Let the line have a pitch at a time, if it is one, and no onset behind it up to another.

        Returns
        -------
        take_back, as_found
            What takes it back, and whether the line was so already.
        """
        first = time + (pitch < 0)
        kept = self.line[first:until].copy()
        self.line[first:until] = -1
        if pitch >= 0:
            self.line[first] = pitch

        def undo() -> None:
            self.line[first:until] = kept

        return undo, bool((kept == self.line[first:until]).all())

    def find(
        self,
        first: int,
        bar: int,
        done: int,
        *,
        most: int = MOST,
        must: int = -1,
        tops: Bools = _ANY_PITCH,
        variation: int = 0,
        budget: int = _BUDGET,
    ) -> int:
        """Look for a way on behind a time, and keep it; see ``line_kernels.find_line``."""
        began, state = self.last(first)
        states, lengths = np.zeros((2, len(self.copied.most)), np.int64)
        if take_steps(self.copied, self.line, first, states, lengths):
            return NOT_FOUND
        return find_line(
            self.line, self.table, self.copied, states, lengths, first, bar, state, began, done,
            most, must, tops, variation, budget,
        )  # fmt: skip

    def put(self, time: int, pitch: int, end: int) -> Callable[[], None]:
        """Note what sounds from behind a time to an end; returns what takes that back."""
        span, taken = slice(time + 1, min(end, len(self.line))), self._taken
        kept = (self.table.open, self.table.completions, taken.sounding, taken.closed)
        before = [rows[span].copy() for rows in kept]
        self._hands.accept(pitch, span.start, span.stop)
        put_note(self.table, taken, pitch, span.start, span.stop)

        def undo() -> None:
            self._hands.remove(pitch, span.start, span.stop)
            for rows, old in zip(kept, before, strict=True):
                rows[span] = old

        return undo

    def enter(self, start: int, cell: LineCell) -> Callable[[], None]:
        """Let a bar be what is asked of another cell; returns what takes that back."""
        span, table = slice(start, start + len(cell.pitches)), self.table
        kept = (table.open, table.passing, table.completions)
        before = [rows[span].copy() for rows in kept]
        table.open[span], table.passing[span] = cell.open, cell.passing
        self._hands.narrow(span.start, span.stop)
        close_taken(table, self._taken, span.start, span.stop)

        def undo() -> None:
            for rows, old in zip(kept, before, strict=True):
                rows[span] = old

        return undo


def make_line(
    given: Given,
    row: int,
    cells: Sequence[LineCell | None],
    others: Sequence[tuple[PostedConstraint, npt.NDArray[np.int16], int]] = (),
    *,
    cap: int = MOST,
    only: Sequence[Constraint] | None = None,
) -> PartLine:
    """Return the line of a part.

    Parameters
    ----------
    given
        The request.
    row
        The part.
    cells
        For each bar what is asked of it; None for a given one.
    others
        What it must not go in parallel with: the demand, the other's line, and its row.
    cap
        Onsets a bar beside those asked for that a way on may take.
    only
        The constraints on lines that count; all without it.
    """
    times, bars = int(given.starts[-1]), len(given.starts) - 1
    written = np.repeat(given.written[:, row], np.diff(given.starts))
    line = given.line(row)
    line[written] = -1
    posted = [d for d in given.posted if only is None or d.constraint in only]
    can_pass = any(cell is not None and cell.domain.passing is not None for cell in cells)
    table = Table(
        np.zeros((times, PASSING + NONE if can_pass else PASSING), np.uint64),
        np.zeros((times, NONE), bool),
        np.zeros((times, NONE), bool),
        line.copy(),
        np.zeros(times, bool),
        np.full(times, _FREE, np.int16),
        np.full((len(others), times), -1, np.int16),
        np.full((len(others), times), -1, np.int16),
        np.repeat(np.arange(bars), np.diff(given.starts)),
        np.zeros(bars, np.uint64),
        given.written[:, row].copy(),
    )
    most_more, stays = np.full(times, 1 << 20, np.int64), np.full(times, -1)
    hands = Hands(table.open)
    for bar, cell in enumerate(cells):
        if cell is not None:
            asked, sounding, _ = cell
            span = slice(int(given.starts[bar]), int(given.starts[bar + 1]))
            most_more[span], stays[span] = asked.voices - sounding.sounding, cell.stays
            table.open[span], table.passing[span] = cell.open, cell.passing
            table.required[span] = asked.required
            hands.enter(span.start, sounding.sounds, asked.techniques, ())
            most = min(asked.most, asked.onsets + cap, MOST, len(cell.pitches))
            table.counts[bar] = sum(1 << count for count in range(asked.least, most + 1))
    _limit_leaps(table, given, row, posted)
    for pair, (domain, other, other_row) in enumerate(others):
        set_other(table, given, pair, domain, row, other, other_row)
    return PartLine(table, copied_by(given, row, posted), line, most_more, stays, hands)


def _limit_leaps(table: Table, given: Given, row: int, posted: Sequence[PostedConstraint]) -> None:
    matters = given.matters(row, 1)
    for domain in posted:
        leap = domain.constraint.leap
        if leap is not None:
            here = matters & domain.cells[table.bar_of, row]
            least = min(leap, _FREE)
            table.leap[here] = np.minimum(table.leap[here], least)


def set_other(
    table: Table,
    given: Given,
    pair: int,
    domain: PostedConstraint,
    row: int,
    other: npt.NDArray[np.int16],
    other_row: int,
) -> None:
    """Enter the line of a part that this one must not go in parallel with."""
    here = domain.cells[table.bar_of, row]
    here &= given.matters(row, 1) | given.matters(other_row, 1)
    table.others[pair] = np.where(here, other, -1)
    onsets = np.where(other >= 0, np.arange(len(other)), -1)
    last = np.r_[-1, np.maximum.accumulate(onsets)[:-1]] if len(other) else onsets
    table.before[pair] = np.where(last >= 0, other[last], -1)


def copied_by(given: Given, row: int, posted: Sequence[PostedConstraint]) -> SuffixAutomata:
    """Return the automata of what a part must not copy."""
    bar_of = np.repeat(np.arange(len(given.starts) - 1), np.diff(given.starts))
    known: list[tuple[Runs, Bools]] = []
    for domain in posted:
        runs = domain.constraint.runs
        if runs is not None and domain.cells[:, row].any():
            matters = given.matters(row, runs.notes) & domain.cells[bar_of, row]
            known.append((runs, matters))
    return automata(known, len(bar_of))
