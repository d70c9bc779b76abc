"""Which chords a bar may have, where its parts are to keep constraints under them.

A bar's chords are told in order, each where it begins. A chord may be told if others can follow, or
none, so that every part of the bar can be completed: required positions are open, and as many as
its onsets need. That is worked out from the end of the bar, and exactly: of each place where a
chord may begin it is known what the parts can gain from there on.

What is asked of cells whose chords are still to be written, under each chord.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from composer.constraints.base import Cell, ChordMask, Constraint
from composer.constraints.cell import CellDomain, Mask, domain_of, open_positions
from composer.feasibility.given_notes import GivenNotes
from composer.feasibility.lines import passing_notes
from composer.score.beats import beat_length, chord_positions, strong_positions
from composer.score.grid import RESOLUTION, Grid
from composer.theory.chords import CHORD_COUNT, QUALITIES, Chord, chord_at

IDS_A_CHORD = 3  # Position, Chord and Bass


#: Chords of a bar, and the positions at which they begin.
ChordPlan: TypeAlias = tuple[tuple[int, Chord], ...]


CHORDS = tuple(Chord(*chord_at(index)) for index in range(CHORD_COUNT))


Bools = npt.NDArray[np.bool_]


#: What each part has that it needs: open positions for its onsets, and one for a pitch at all.
_Gain: TypeAlias = tuple[int, ...]


_Gains: TypeAlias = frozenset[_Gain]


_NO_GAINS: _Gains = frozenset()


class OpenByChord(NamedTuple):
    """Where a cell is open under each chord of ``CHORDS``, and what it asks for."""

    is_open: Bools  # (chords, positions): under a chord that began before
    begins: Bools  # (chords, positions): under one that begins there
    has_pitch: Bools  # (chords, positions): where constraints leave a pitch
    required: Bools  # (positions,)
    least: int  # open positions that it needs, and pitches at all if any


def chord_places(grid: Grid, bar: int, chords: int | None) -> list[int]:
    """Return the positions at which so many chords of a bar begin, or where any usually do.

    These are strong beats, and where notes with pitches sound in the bar, each beat of a quarter or
    more: as the notes will have it.
    """
    signature = int(grid.bars[bar]["numerator"]), int(grid.bars[bar]["denominator"])
    if chords:
        return chord_positions(*signature, chords)
    beat = beat_length(*signature)
    if beat >= RESOLUTION and _has_notes(grid, bar):
        return [*range(0, int(grid.bar_lengths[bar]), beat)]
    return [int(position) for position in strong_positions(*signature)]


def _has_notes(grid: Grid, bar: int) -> bool:
    """Return whether notes with pitches sound in a bar."""
    notes = grid.pitched
    onsets = grid.bar_starts[notes["bar"]] + notes["position"]
    start, end = grid.bar_starts[bar], grid.bar_starts[bar + 1]
    return bool(((onsets < end) & (onsets + notes["duration"] > start)).any())


class ChordChoice:
    """Which chords of a bar leave its parts enough.

    Parameters
    ----------
    parts
        The cells that depend on it.
    places
        Positions at which a chord may begin, rising from 0.
    """

    def __init__(self, parts: Sequence[OpenByChord], places: Sequence[int]) -> None:
        self.places = list(places)
        self._need = tuple(n for part in parts for n in (part.least, 1))
        edges = [*places, len(parts[0].required)]
        spans = [slice(first, last) for first, last in pairwise(edges)]
        #: What each chord gains between two places, held there or begun; None where it may not be.
        self._held = [self._gains(parts, span, begins=False) for span in spans]
        self._begun = [self._gains(parts, span, begins=True) for span in spans]
        #: And with all that may follow, from each place on.
        self._ahead: list[list[_Gains]] = []
        self._kept: list[list[_Gains]] = []  # where a chord holds on, by chord
        self._fill()
        self._sum: _Gain | None = (0,) * len(self._need)  # up to where the last chord began
        self._chord, self._since = -1, 0  # that chord, and its place
        #: The chords taken so far.
        self.taken: ChordPlan = ()

    @property
    def can(self) -> bool:
        """Whether there are chords that leave the parts enough."""
        return bool(self.allowed(0).any())

    def allowed(self, position: int) -> ChordMask:
        """Return which chords may begin at a position, (12, qualities)."""
        place = self.places.index(position)
        so_far, ahead = self._up_to(place), self._ahead[place]
        enough = {gains for gains in {*ahead} if self._leads_on(so_far, gains)}
        return np.array([gains in enough for gains in ahead]).reshape(12, len(QUALITIES))

    def take(self, position: int, chord: int) -> None:
        """Note the chord that begins at a position, by its number in ``CHORDS``."""
        place = self.places.index(position)
        self._sum = self._up_to(place)
        self._chord, self._since = chord, place
        self.taken = (*self.taken, (position, CHORDS[chord]))

    def plan(self, position: int, chord: int) -> ChordPlan:
        """Return those taken so far, one that is allowed now, and the fewest that may follow it."""
        place = self.places.index(position)
        so_far, plan = self._up_to(place), [*self.taken, (position, CHORDS[chord])]
        gain = self._begun[place][chord]
        for at in range(place + 1, len(self.places)):
            if so_far is None or gain is None:
                raise ValueError(f"{CHORDS[chord]} is not allowed at position {position}")
            so_far = self._add(so_far, gain)
            if self._leads_on(so_far, self._kept[at][chord]):
                gain = self._held[at][chord]
                continue
            ahead = enumerate(self._ahead[at])
            chord = next(other for other, gains in ahead if self._leads_on(so_far, gains))
            plan.append((self.places[at], CHORDS[chord]))
            gain = self._begun[at][chord]
        return tuple(plan)

    def gains(self, place: int, chord: int) -> list[int]:
        """Return what a chord gains that begins at a place and holds on: -1 where it may not be.

        The place is counted, and so is the chord, in ``CHORDS``.
        """
        nothing = (-1,) * len(self._need)
        spans = [self._begun[place][chord], *(held[chord] for held in self._held[place + 1 :])]
        return [gain for span in spans for gain in (nothing if span is None else span)]

    def suits(self, chords: Mapping[int, int]) -> bool:
        """Return whether chords leave the parts enough: place -> chord, both counted."""
        total, chord = (0,) * len(self._need), -1
        for place in range(len(self.places)):
            gains = self._begun if place in chords else self._held
            chord = chords.get(place, chord)
            gain = gains[place][chord]
            if gain is None:
                return False
            total = self._add(total, gain)
        return self._is_enough(total)

    def may_end(self) -> bool:
        """Return whether no other chord has to follow those that have been taken."""
        total = self._up_to(len(self.places))
        return self._chord >= 0 and total is not None and self._is_enough(total)

    def _up_to(self, place: int) -> _Gain | None:
        """Return what has been gained if the last chord holds up to a place."""
        if self._chord < 0 or self._sum is None:
            return self._sum
        total = self._sum
        for at in range(self._since, place):
            gains = self._begun if at == self._since else self._held
            gain = gains[at][self._chord]
            if gain is None:
                return None
            total = self._add(total, gain)
        return total

    def _fill(self) -> None:
        """Work out from the last place to the first what may be gained."""
        nothing: _Gains = frozenset([(0,) * len(self._need)])
        holds = [nothing] * len(CHORDS)
        for held, begun in zip(reversed(self._held), reversed(self._begun), strict=True):
            ahead = self._with(begun, holds)
            self._ahead.insert(0, ahead)
            others = self._best(gain for gains in {*ahead} for gain in gains)
            kept = self._with(held, holds)
            self._kept.insert(0, kept)
            best = {gains: self._best([*gains, *others]) for gains in {*kept}}
            holds = [best[gains] for gains in kept]

    def _gains(
        self, parts: Sequence[OpenByChord], span: slice, *, begins: bool
    ) -> list[_Gain | None]:
        can, columns = np.ones(len(CHORDS), bool), []
        for part in parts:
            is_open = part.is_open[:, span].copy()
            if begins:
                is_open[:, 0] = part.begins[:, span.start]
            can &= ~(part.required[span] & ~is_open).any(1)
            columns += [is_open.sum(1), part.has_pitch[:, span].any(1)]
        rows = np.minimum(np.stack(columns, 1), self._need).tolist()
        return [tuple(row) if fits else None for row, fits in zip(rows, can.tolist(), strict=True)]

    def _with(self, gains: Sequence[_Gain | None], more: Sequence[_Gains]) -> list[_Gains]:
        """Return, for each chord, what it gains with what may follow; few chords differ in it."""
        pairs = [*zip(gains, more, strict=True)]
        found = {
            (gain, others): _NO_GAINS
            if gain is None
            else self._best(self._add(gain, other) for other in others)
            for gain, others in {*pairs}
        }
        return [found[pair] for pair in pairs]

    def _add(self, first: _Gain, second: _Gain) -> _Gain:
        pairs = zip(first, second, self._need, strict=True)
        return tuple(min(a + b, need) for a, b, need in pairs)

    def _leads_on(self, so_far: _Gain | None, gains: _Gains) -> bool:
        """Return whether some of what may be gained is enough with what has been."""
        return so_far is not None and any(self._is_enough(so_far, more) for more in gains)

    def _is_enough(self, *gains: _Gain) -> bool:
        totals = map(sum, zip(*gains, strict=True))
        return all(total >= need for total, need in zip(totals, self._need, strict=True))

    def _best(self, gains: Iterable[_Gain]) -> _Gains:
        """Return those of which no other has at least as much of everything."""
        kept: list[_Gain] = []
        for gain in sorted({*gains}, reverse=True):
            if not any(all(a >= b for a, b in zip(other, gain, strict=True)) for other in kept):
                kept.append(gain)
        return frozenset(kept)


class MakeCell(Protocol):
    """Makes the cell of a bar and a part."""

    def __call__(self, grid: Grid, bar: int, row: int, plan: ChordPlan | None = None) -> Cell:
        """Return it under the chords of the grid, or under others."""
        ...


class ByChord:
    """Says where cells of a request are open under each chord.

    Parameters
    ----------
    make_cell
        Makes cells.
    rooms
        What sounds in them.
    written
        Shape (bars, 1 + parts): which are written.
    """

    def __init__(self, make_cell: MakeCell, given: GivenNotes, written: Mask) -> None:
        self._make_cell = make_cell
        self._given = given
        self._written = written
        self._cells: dict[tuple[int, int, tuple[Constraint, ...]], OpenByChord] = {}
        self._known: dict[tuple[tuple[Constraint, ...], Cell, bool], list[CellDomain]] = {}

    def cell(self, grid: Grid, bar: int, row: int, asked: Sequence[Constraint]) -> OpenByChord:
        """Return where a cell is open, or where its given notes are what is asked for.

        Nothing that is written before it changes that.
        """
        key = bar, row, tuple(asked)
        if key not in self._cells:
            self._cells[key] = self._opened(grid, bar, row, asked)
        return self._cells[key]

    def _opened(self, grid: Grid, bar: int, row: int, asked: Sequence[Constraint]) -> OpenByChord:
        if not self._written[bar, row + 1]:
            return self._fitting(grid, bar, row, [one for one in asked if one.by_chord])
        occupancy = self._given.occupancy(bar, row).under(asked)
        held = self._domains(grid, bar, row, asked, begins=False)
        begun = self._domains(grid, bar, row, asked, begins=True)
        return OpenByChord(
            np.array([open_positions(domain, occupancy) for domain in held]),
            np.array([open_positions(domain, occupancy) for domain in begun]),
            np.array([domain.has_pitch | (domain.most == 0) for domain in held]),
            held[0].required,
            held[0].least,
        )

    def _fitting(self, grid: Grid, bar: int, row: int, asked: Sequence[Constraint]) -> OpenByChord:
        starts, notes = grid.bar_starts, self._given.held
        start, end = starts[bar], starts[bar + 1]
        notes = notes[notes["part"] == row]
        passes = passing_notes(notes, np.repeat(self._written[:, row + 1], np.diff(starts)))
        inside = (notes["onset"] >= start) & (notes["onset"] < end)
        notes, passes = notes[inside], passes[inside]
        positions = notes["onset"] - start
        required = np.zeros(end - start, bool)
        required[positions] = True
        fits = np.ones((2, len(CHORDS), end - start), bool)
        for begins, rows in enumerate(fits):
            posted = self._domains(grid, bar, row, asked, begins=bool(begins))
            for fitting, domain in zip(rows, posted, strict=True):
                right = domain.pitches[positions, notes["pitch"]]
                if domain.passing is not None:
                    right &= passes | ~domain.passing[positions, notes["pitch"]]
                fitting[positions[~right]] = False
        return OpenByChord(fits[0], fits[1], np.ones_like(fits[0]), required, 0)

    def _domains(
        self, grid: Grid, bar: int, row: int, asked: Sequence[Constraint], *, begins: bool
    ) -> list[CellDomain]:
        """Return what is asked of a cell under each chord, which begins before or everywhere."""
        cell = self._make_cell(
            grid, bar, row, ((0, CHORDS[0]),)
        )  # all are alike but for their chords
        key = tuple(asked), cell, begins
        if key not in self._known:
            positions = range(cell.positions if begins else 1)
            self._known[key] = [
                domain_of(
                    asked, dataclasses.replace(cell, chords=tuple((p, chord) for p in positions))
                )
                for chord in CHORDS
            ]
        return self._known[key]
