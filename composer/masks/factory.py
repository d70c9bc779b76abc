"""The mask of a cell: what a request asks of it, beside what its grid holds by now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from composer.constraints.base import Cell, ChordMask, PitchMask, allowed_pitches, pitches_of
from composer.constraints.cell import CellDomain
from composer.constraints.pitches import ChordTones, allowed_chords, as_far_as_they_can
from composer.errors import RequestError
from composer.feasibility.bounds import Feasibility
from composer.feasibility.chords import ChordPlan, chord_places
from composer.masks.cell import IDS_A_NOTE, IDS_AN_ONSET, CellMask, Close, NoteMask, PitchTimes
from composer.masks.chord import ChordCellMask, sounding_at
from composer.masks.demanded import BoundedNoteMask
from composer.masks.line import LineChordMask, LineNoteMask
from composer.masks.shape import Shape
from composer.masks.suspensions import Suspensions
from composer.request.request import Request
from composer.score.beats import strong_positions
from composer.score.grid import Grid, chord_of
from composer.theory.chords import Chord
from composer.theory.keys import Key
from composer.tokenizers.bins import DURATIONS
from composer.tokenizers.families import transposition
from composer.tokenizers.grammar import Grammar


class CellRules:
    """Makes the masks of a request's cells.

    Parameters
    ----------
    request
        What is to be written.
    grammar
        Grammar of the format.
    endless
        Whether notes may sound on behind the last bar.
    """

    def __init__(self, request: Request, grammar: Grammar, *, endless: bool = False) -> None:
        self._request = request
        self._after = int(DURATIONS[-1]) if endless else 0
        self._grammar = grammar
        self._cells: dict[tuple[int, int], Cell] = {}  # whose chords are known beforehand
        self._pitch_masks: dict[tuple[int, bool, Cell, CellDomain | None], PitchMask] = {}
        self._endless = endless
        self._bounds: Feasibility | None = None
        self._locked: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        for bar, row, position, pitch, _, _ in np.sort(request.locked).tolist():
            self._locked[bar, row] = (*self._locked.get((bar, row), ()), (position, pitch))
        self._shape = (
            Shape(request.outline, request.grid, request.written[:, 0]) if request.outline else None
        )

    def check(self, grid: Grid) -> None:
        """Refuse rules that leave a cell no pitch and demands that nothing can meet.

        Raises
        ------
        RequestError
            There are some. Where chords are to be written, rules wait for them.
        """
        written, request = self._request.written, self._request
        if request.posted:
            self._bounds = Feasibility(request, grid, self._cell, endless=self._endless)
        for bar, row in np.argwhere(written[:, 1:] & ~written[:, :1]).tolist():
            if self._bounds and self._bounds.concern(bar, row):
                continue
            if not self._pitches(grid, bar, row).any():
                raise RequestError(
                    f"the rules leave no pitch for {grid.part_name(row)} in bar {bar + 1}; "
                    f"widen its range or drop a rule"
                )

    def mask(
        self,
        grid: Grid,
        bar: int,
        column: int,
        after: int,
        budget: int,
        *,
        copying: bool = False,
    ) -> CellMask:
        """Return the mask of a cell, column 0 being the chords.

        Parameters
        ----------
        grid
            What is given and written so far.
        after
            The id that follows the cell.
        budget
            Ids after which it begins nothing new.
        copying
            Whether it is to be a copy.
        """
        if not column:
            return self._chord_mask(grid, bar, after, budget)
        row, rules = column - 1, self._request.parts[column - 1]
        time = grid.bars[bar]
        strong = strong_positions(int(time["numerator"]), int(time["denominator"])).tolist()
        sounding_until, latest_offset = _sounding(grid, bar, row, self._after)
        usual = self._pitches(grid, bar, row)
        kind = self._kind(grid, bar, row, (sounding_until.copy(), latest_offset, usual))
        if rules.monophonic:
            sounding_until[:] = sounding_until.max()
            latest_offset = np.repeat(latest_offset.min(1, keepdims=True), 128, 1)
        if rules.ends_with_chord:
            latest_offset = np.minimum(latest_offset, _chord_offsets(grid, bar))
            if self._endless and self._request.written[bar, 0]:
                # The chords of the next bar are written when this one has been handed out.
                latest_offset = np.minimum(latest_offset, int(grid.bar_lengths[bar]))
        pitches, close = self._shaped(grid, bar, row, usual)
        if self._shape:
            latest_offset = self._shape.latest_offset(bar, latest_offset, close, copying)
        suspensions = None
        if rules.allows_suspensions and rules.monophonic:
            suspensions = self._suspensions(grid, bar, row, pitches, close)
            pitches = suspensions.pitches
        return kind(
            self._grammar,
            after,
            budget,
            pitches=pitches,
            sounding_until=sounding_until,
            latest_offset=latest_offset,
            monophonic=rules.monophonic,
            most_notes=rules.most_notes,
            least_notes=rules.least_notes,
            least_onsets=rules.least_onsets,
            strong=[*strong, *(position for position, _ in _chords(grid, bar))],
            last=_last_pitches(grid, bar, row),
            close=close,
            suspensions=suspensions,
        )

    def ended(self, grid: Grid, bar: int) -> Grid:
        """Return a grid in which notes of before end where a chord begins that they are no note of.

        Parameters
        ----------
        grid, bar
            What is given and written so far, the chords of the bar the last of it. Notes that stay
            are as long as they were.
        """
        ends = np.array([part.ends_with_chord for part in self._request.parts], bool)
        notes = grid.notes.copy()
        own = (notes["bar"] < bar) & ends[notes["part"]]
        own &= self._request.written[notes["bar"], notes["part"] + 1]
        stay = {tuple(note) for *note, length, _ in self._request.locked.tolist() if length}
        onsets = grid.bar_starts[notes["bar"]] + notes["position"]
        for position, chord in _chords(grid, bar):
            begin = int(grid.bar_starts[bar]) + position
            late = own & (onsets + notes["duration"] > begin)
            if chord is None or not late.any():
                continue
            late &= ~pitches_of(frozenset(chord.pitch_classes))[notes["pitch"]]
            for i in np.flatnonzero(late).tolist():
                if tuple(notes[["bar", "part", "position", "pitch"]][i].item()) not in stay:
                    fitting = np.searchsorted(DURATIONS, begin - onsets[i], side="right") - 1
                    notes["duration"][i] = DURATIONS[fitting]
        return grid.replace(notes=notes)

    def ids(self, grid: Grid, bar: int, column: int, *, now: bool = True) -> int:
        """Return how many ids what demands make a cell have may take, as things are or at most."""
        if not self._bounds:
            return 0
        if not column:
            return self._bounds.chord_ids(bar)
        onsets = self._bounds.onsets(grid, bar, column - 1, now=now)
        return IDS_AN_ONSET * onsets + IDS_A_NOTE * self._bounds.staying(bar, column - 1)

    def demanded(self, bar: int) -> str:
        """Return the constraints that a bar is to keep, in words."""
        rows = np.flatnonzero(self._request.written[bar, 1:]).tolist() if self._bounds else []
        named = [self._bounds.named(bar, row) for row in rows] if self._bounds else []
        return ", ".join(filter(None, dict.fromkeys(named)))

    def _kind(
        self, grid: Grid, bar: int, row: int, around: tuple[PitchTimes, PitchTimes, PitchMask]
    ) -> Callable[..., NoteMask]:
        """Return what makes the mask of a part's cell, under demands from what is ``around`` it."""
        bound = self._bounds.bound(grid, bar, row) if self._bounds else None
        line = self._bounds.line(bar, row) if self._bounds else None
        if line:
            start = int(grid.bar_starts[bar])
            return partial(LineNoteMask, bound, *around, line=line, start=start, bar=bar)
        return partial(BoundedNoteMask, bound, *around) if bound else NoteMask

    def _suspensions(
        self, grid: Grid, bar: int, row: int, pitches: PitchMask, close: Close | None
    ) -> Suspensions:
        """Return which notes may lean on the chord beside the pitches that are usual."""
        free, _ = self._shaped(grid, bar, row, self._pitches(grid, bar, row, leaning=True), close)
        cell = self._cell(grid, bar, row)
        tones = ChordTones(everywhere=True).pitches(cell)
        stay = np.zeros_like(tones)
        for position, pitch in cell.locked:
            stay[position, pitch] = True
        tones[stay.any(1)] &= stay[stay.any(1)]  # what stays is what follows
        return Suspensions(free, pitches, tones)

    def _cell(self, grid: Grid, bar: int, row: int, plan: ChordPlan | None = None) -> Cell:
        """Return what rules may know of a cell, under the chords of the grid or under others."""
        if plan is None and (bar, row) in self._cells:
            return self._cells[bar, row]
        part, time = grid.parts[row], grid.bars[bar]
        cell = Cell(
            key=self._key(grid, bar),
            numerator=int(time["numerator"]),
            denominator=int(time["denominator"]),
            chords=plan or _chords(grid, bar),
            program=part.program,
            is_drum=part.is_drum,
            locked=self._locked.get((bar, row), ()),
        )
        if plan is None and not self._request.written[bar, 0]:
            self._cells[bar, row] = cell
        return cell

    def _key(self, grid: Grid, bar: int) -> Key:
        """Return the key that a bar is in."""
        return self._request.keys[bar] if self._request.keys else grid.key

    def _pitches(self, grid: Grid, bar: int, row: int, *, leaning: bool = False) -> PitchMask:
        """Return what a part's rules allow in a bar, and in a bar with demands what they can.

        With ``leaning`` strong beats are as free as others.
        """
        cell = self._cell(grid, bar, row)
        domain = self._bounds.domain(grid, bar, row) if self._bounds else None
        key = row, leaning, cell, domain
        if key not in self._pitch_masks:
            rules = self._request.parts[row].rules
            if leaning:
                rules = tuple(rule for rule in rules if not isinstance(rule, ChordTones))
            self._pitch_masks[key] = (
                as_far_as_they_can(rules, cell, domain.pitches)
                if domain
                else allowed_pitches(rules, cell)
            )
        return self._pitch_masks[key]

    def _shaped(
        self, grid: Grid, bar: int, row: int, pitches: PitchMask, close: Close | None = None
    ) -> tuple[PitchMask, Close | None]:
        """Return the pitches of a cell as the outline has them, and how it comes to its close."""
        if not self._shape:
            return pitches, None
        role = self._request.parts[row].role
        pitches = self._shape.pitches(grid, bar, row, role, pitches)
        if close is None and self._shape.closes(bar):
            domain = self._bounds.domain(grid, bar, row) if self._bounds else None
            required = np.flatnonzero(domain.required).tolist() if domain else []
            close = self._shape.close(grid, bar, row, role, pitches, required)
        return (close.narrowed(pitches) if close else pitches), close

    def _chord_mask(self, grid: Grid, bar: int, after: int, budget: int) -> CellMask:
        start = int(grid.bar_starts[bar])
        asked = self._request.chords_per_bar
        positions = chord_places(grid, bar, asked)
        is_melody = np.array([part.role == "melody" for part in self._request.parts] or [False])
        notes = grid.pitched
        # Where no chord holds all that sounds, the melody's and the highest notes have to be in.
        notes = notes[np.lexsort([-notes["pitch"], ~is_melody[notes["part"]]])]
        onsets = grid.bar_starts[notes["bar"]] + notes["position"] - start
        table = np.stack([onsets, onsets + notes["duration"], notes["pitch"]], 1)
        open_chords: Mapping[int, ChordMask] = {
            position: allowed_chords(self._key(grid, bar), classes)
            for position, classes in zip(positions, sounding_at(positions, table), strict=True)
        }
        if self._shape:
            open_chords = self._shape.chords(self._key(grid, bar), bar, open_chords)
        lines = self._bounds.lines if self._bounds else None
        kind: Callable[..., ChordCellMask] = ChordCellMask
        if lines and lines.hang_on(bar):
            kind = partial(LineChordMask, lines, bar)
        return kind(
            self._grammar,
            after,
            budget,
            chords=open_chords,
            shift=transposition(grid.key),
            choice=self._bounds.chords(grid, bar) if self._bounds else None,
            inverted=not (self._shape and self._shape.closes(bar)),
            required=positions if asked else (),
        )


def _sounding(grid: Grid, bar: int, row: int, after: int) -> tuple[PitchTimes, PitchTimes]:
    """Return when a part's notes around a bar leave each pitch free, as ``NoteMask`` has it."""
    start, end = int(grid.bar_starts[bar]), int(grid.bar_starts[-1]) + after
    notes = grid.notes[grid.notes["part"] == row]
    pitches = notes["pitch"]
    onsets = grid.bar_starts[notes["bar"]] + notes["position"] - start
    offsets = onsets + notes["duration"]
    sounding_until, latest_offset = np.zeros(128, np.int64), np.full(128, end - start)
    np.maximum.at(sounding_until, pitches[onsets < 0], offsets[onsets < 0])
    length = int(grid.bar_lengths[bar])
    np.minimum.at(latest_offset, pitches[onsets >= length], onsets[onsets >= length])
    latest_offsets = np.tile(latest_offset, (length, 1))
    # From the last of those that stay in the bar to the first.
    inside = (onsets > 0) & (onsets < length)
    for onset, pitch in sorted(zip(onsets[inside], pitches[inside], strict=True), reverse=True):
        latest_offsets[:onset, pitch] = onset
    return sounding_until, latest_offsets


def _last_pitches(grid: Grid, bar: int, row: int) -> list[int]:
    """Return the pitches of a part's last onset before a bar."""
    notes = grid.notes[(grid.notes["part"] == row) & (grid.notes["bar"] < bar)]
    onsets = grid.bar_starts[notes["bar"]] + notes["position"]
    found: list[int] = notes["pitch"][onsets == onsets.max(initial=-1)].tolist()
    return found


def _chord_offsets(grid: Grid, bar: int) -> PitchTimes:
    """Return where the first chord begins that a pitch is not a note of, by where it begins.

    Behind the last bar nobody knows the chords, so that all end there.
    """
    start, length = int(grid.bar_starts[bar]), int(grid.bar_lengths[bar])
    latest_offset = np.full((length, 128), int(grid.bar_starts[-1]) - start)
    begins = grid.bar_starts[grid.chords["bar"]] + grid.chords["position"] - start
    near = (begins > 0) & (begins < int(DURATIONS[-1]) + length)
    # From the last to the first, so that what is nearest is what stands there in the end.
    for begin, row in zip(begins[near][::-1].tolist(), grid.chords[near][::-1], strict=True):
        chord = chord_of(row)
        if chord:
            latest_offset[:begin, ~pitches_of(frozenset(chord.pitch_classes))] = begin
    return latest_offset


def _chords(grid: Grid, bar: int) -> tuple[tuple[int, Chord | None], ...]:
    """Return the chords of a bar, the first at position 0."""
    rows = grid.chords[grid.chords["bar"] == bar]
    return tuple((int(row["position"]), chord_of(row)) for row in rows)
