"""What is asked of cells whose chords are still to be written, under each chord."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from composer.constraints.demands import CellDemand, Mask, demand_of, open_positions
from composer.constraints.pitch_rules import Cell
from composer.constraints.where import Constraint
from composer.decoding.chord_choice import CHORDS, OpenByChord, Plan
from composer.decoding.lines import passing_notes
from composer.decoding.rooms import Rooms
from composer.grid import Grid


class MakeCell(Protocol):
    """Makes the cell of a bar and a part."""

    def __call__(self, grid: Grid, bar: int, row: int, plan: Plan | None = None) -> Cell:
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

    def __init__(self, make_cell: MakeCell, rooms: Rooms, written: Mask) -> None:
        self._make_cell = make_cell
        self._rooms = rooms
        self._written = written
        self._cells: dict[tuple[int, int, tuple[Constraint, ...]], OpenByChord] = {}
        self._known: dict[tuple[tuple[Constraint, ...], Cell, bool], list[CellDemand]] = {}

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
        room = self._rooms.room(bar, row).under(asked)
        held = self._demands(grid, bar, row, asked, begins=False)
        begun = self._demands(grid, bar, row, asked, begins=True)
        return OpenByChord(
            np.array([open_positions(demand, room) for demand in held]),
            np.array([open_positions(demand, room) for demand in begun]),
            np.array([demand.has_pitch | (demand.most == 0) for demand in held]),
            held[0].required,
            held[0].least,
        )

    def _fitting(self, grid: Grid, bar: int, row: int, asked: Sequence[Constraint]) -> OpenByChord:
        starts, notes = grid.bar_starts, self._rooms.held
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
            demands = self._demands(grid, bar, row, asked, begins=bool(begins))
            for fitting, demand in zip(rows, demands, strict=True):
                right = demand.pitches[positions, notes["pitch"]]
                if demand.passing is not None:
                    right &= passes | ~demand.passing[positions, notes["pitch"]]
                fitting[positions[~right]] = False
        return OpenByChord(fits[0], fits[1], np.ones_like(fits[0]), required, 0)

    def _demands(
        self, grid: Grid, bar: int, row: int, asked: Sequence[Constraint], *, begins: bool
    ) -> list[CellDemand]:
        """Return what is asked of a cell under each chord, which begins before or everywhere."""
        cell = self._make_cell(
            grid, bar, row, ((0, CHORDS[0]),)
        )  # all are alike but for their chords
        key = tuple(asked), cell, begins
        if key not in self._known:
            positions = range(cell.positions if begins else 1)
            self._known[key] = [
                demand_of(
                    asked, dataclasses.replace(cell, chords=tuple((p, chord) for p in positions))
                )
                for chord in CHORDS
            ]
        return self._known[key]
