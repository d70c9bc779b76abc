"""The sampling loop: a request in, a grid out.

A piece is written in windows: some bars of context, then the bars to write, one after the other.
A window's sequence is first encoded with the cells to write left empty, which in every bar come
last. What stands there is forced and costs no choice; in each empty cell ids are sampled until the
one that comes after it. Where a window would outgrow the model's context it ends at the bar line,
and the next one begins there.

The context holds it all. A cell may take ``budget + OVERRUN`` ids: once its budget is spent it ends
where the grammar lets it, and between two such places lie fewer ids than that. The budget is an
equal share of what the ids said, the headings of the bar's other cells and ``EOS`` leave.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from composer.constraints import (
    Cell,
    ChordMask,
    PitchMask,
    allowed_chords,
    allowed_pitches,
    strong_positions,
)
from composer.decoding.cell_masks import (
    CellMask,
    ChordCellMask,
    NoteMask,
    PitchTimes,
    sounding_at,
)
from composer.decoding.decoder import Decoder
from composer.decoding.sampling import choose
from composer.errors import RequestError
from composer.grid import (
    CELL_CHORD,
    CELL_NOTE,
    Grid,
    choose_parts,
    chord_of,
    cut_bars,
    sorted_chords,
    sorted_notes,
)
from composer.request import Request
from composer.theory import Chord
from composer.tokenizers.bins import DURATIONS
from composer.tokenizers.cells import Cells
from composer.tokenizers.cells_codec import restated_chords
from composer.tokenizers.cells_vocabulary import CHORDS
from composer.tokenizers.families import transposition
from composer.tokenizers.grammar import Grammar

WINDOW_BARS = 16
CONTEXT_BARS = 4  # before the bars to write, and after them
CELL_BUDGET = 160  # ids after which a cell begins nothing new
LEAST_BUDGET = 48  # a bar whose cells would get less is left to the next window
OVERRUN = 8  # ids a cell over its budget may need to end


def write_cells(
    request: Request,
    decoder: Decoder,
    tokenizer: Cells,
    wrote: Callable[[int], object] = lambda bars: None,
) -> Grid:
    """Return the request's grid with the cells asked for written.

    Parameters
    ----------
    request
        What to write.
    decoder, tokenizer
        The model and its tokenizer; the decoder forgets what it held.
    wrote
        Told how many bars are done, whenever some are.

    Returns
    -------
    Grid
        The grid, the chord that holds said at the start of each bar.

    Raises
    ------
    RequestError
        The rules leave a cell no pitch, or one bar is more than the model's context holds.
    """
    writer = _Writer(request, decoder, tokenizer)
    writer.check_rules()
    while writer.todo:
        wrote(writer.write_window())
    return writer.grid


@dataclasses.dataclass(frozen=True)
class _Bar:
    """A bar to write, as the model is shown it."""

    number: int  # bar of the grid
    given: list[int]  # ids: its heading and the cells that are given
    empty: list[int]  # ids that head the cells to write


@dataclasses.dataclass(frozen=True)
class _Window:
    """What the model is shown at once."""

    opening: list[int]  # ids, up to Fill
    bars: list[_Bar]
    rows: list[int]  # parts of the grid, in the order of the window

    @property
    def least(self) -> int:
        """Number of ids before the first cell is written."""
        return len(self.opening) + len(self.bars[0].given) + len(self.bars[0].empty)


class _Writer:
    """A request that is being written; ``grid`` holds what is given and what is written so far."""

    def __init__(self, request: Request, decoder: Decoder, tokenizer: Cells) -> None:
        self.request = request
        self.written = request.written
        self.grid = _given(request)
        self.todo: list[int] = np.flatnonzero(self.written.any(1)).tolist()
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.rng = np.random.default_rng(request.seed)
        self.starts = request.grid.bar_starts
        self._pitch_masks: dict[tuple[int, Cell], PitchMask] = {}

    def check_rules(self) -> None:
        """Refuse rules that leave a cell no pitch, as far as the chords are known."""
        for bar, row in np.argwhere(self.written[:, 1:] & ~self.written[:, :1]).tolist():
            if not self._pitches(bar, row).any():
                name = self.grid.parts[row].name or f"part {row + 1}"
                raise RequestError(
                    f"the rules leave no pitch for {name} in bar {bar + 1}; "
                    f"widen its range or drop a rule"
                )

    def write_window(self) -> int:
        """Write the first bars of those to do; return how many."""
        window = self._window()
        self.decoder.reset()
        said = _Sequence(self.tokenizer.grammar)
        said.say(window.opening)
        ends = [bar.given[0] for bar in window.bars[1:]] + [self.tokenizer.vocabulary.base["EOS"]]
        count = 0
        for bar, end in zip(window.bars, ends, strict=True):
            budget = self._budget(len(said.ids) + len(bar.given), len(bar.empty))
            if count and budget < LEAST_BUDGET:
                break
            if budget < 1:
                raise RequestError(
                    f"bar {bar.number + 1} with {len(window.rows)} parts is more than the model's "
                    f"context of {self.decoder.context_length} ids holds; write fewer parts at once"
                )
            said.say(bar.given)
            for i, heading in enumerate(bar.empty):
                budget = self._budget(len(said.ids), len(bar.empty) - i)
                said.say([heading])
                part = heading - self.tokenizer.vocabulary.base["Part"]
                column = 0 if part == CHORDS else window.rows[part] + 1
                mask = self._mask(bar.number, column, [*bar.empty[1:], end][i], budget)
                self._sample(said, mask)
                self._put(bar.number, column, mask)
            count += 1
        self.grid = self.grid.replace(
            notes=sorted_notes(self.grid.notes), chords=sorted_chords(self.grid.chords)
        )
        self.todo = self.todo[count:]
        return count

    def _budget(self, said: int, cells: int) -> int:
        """Return how many ids each of so many cells may take; less than 1 if they do not fit."""
        room = self.decoder.context_length - said - cells - 1  # their headings, and EOS
        return min(CELL_BUDGET, room // cells - OVERRUN)

    def _sample(self, said: _Sequence, mask: CellMask) -> None:
        """Sample one cell."""
        logits = self.decoder.prefill(said.ids[self.decoder.length :])
        while True:
            index = choose(logits, mask.allowed(said.cursor), self.request.sampling, self.rng)
            if index == mask.after:
                break
            said.say([index])
            mask.hear(said.cursor, index)
            logits = self.decoder.step(index)

    def _window(self) -> _Window:
        """Return the next window: as much context as leaves half of the model's to write in."""
        first = self.todo[0]
        fill = [bar for i, bar in enumerate(self.todo[:WINDOW_BARS]) if bar == first + i]
        rows = list(range(len(self.grid.parts)))
        before, after = CONTEXT_BARS, CONTEXT_BARS
        while True:
            window = self._encode(fill, rows, before, after)
            droppable = self._droppable(rows, first)
            if window.least <= self.decoder.context_length // 2 or not (before or droppable):
                return window
            if after:
                after = 0
            elif before > 1 or not droppable:
                before //= 2
            else:
                rows.remove(droppable[0])

    def _encode(self, fill: list[int], rows: list[int], before: int, after: int) -> _Window:
        """Return the window of some bars to write and some parts.

        Bars around that are still to do are left out: the model would take them for silent.
        """
        start, end = max(0, fill[0] - before), min(len(self.grid.bars), fill[-1] + 1 + after)
        columns = [0, *(row + 1 for row in rows)]
        written = self.written[start:end, columns]
        todo = {*self.todo}
        template = self.tokenizer.encode_grid(
            choose_parts(cut_bars(self.grid, start, end - start), rows),
            context=[bar - start for bar in range(start, end) if bar not in todo],
            fill=[bar - start for bar in fill],
            written=written,
            left=len(self.grid.bars) - 1 - np.arange(start, end),
            roles=[self.request.parts[row].role for row in rows],
            blank=True,
        )
        vocabulary = self.tokenizer.vocabulary
        fill_place = int(np.flatnonzero(template == vocabulary.base["Fill"])[0])
        is_heading = vocabulary.family_of[template] == vocabulary.index("Bar")
        headings = np.flatnonzero(is_heading)
        places = [*headings[headings > fill_place].tolist(), len(template) - 1]
        bars = []
        for bar, place, until in zip(fill, places, places[1:], strict=False):
            ids = template[place:until].tolist()
            split = len(ids) - int(written[bar - start].sum())
            bars.append(_Bar(bar, ids[:split], ids[split:]))
        return _Window(template[: places[0]].tolist(), bars, rows)

    def _droppable(self, rows: list[int], bar: int) -> list[int]:
        """Return parts the model can do without, the most wordy around a bar first.

        Those of which nothing is written, but for one; the melody is the last to go.
        """
        near = np.abs(self.grid.notes["bar"] - bar) <= CONTEXT_BARS
        counts = np.bincount(self.grid.notes["part"][near], minlength=len(self.grid.parts))
        given = [row for row in rows if not self.written[:, row + 1].any()]
        roles = [part.role for part in self.request.parts]
        given.sort(key=lambda row: (roles[row] == "melody", -int(counts[row]), -row))
        return given[:-1]

    def _put(self, bar: int, column: int, mask: CellMask) -> None:
        """Put a cell that was written into the grid."""
        if column:
            notes = np.array([(bar, column - 1, *row) for row in mask.rows], CELL_NOTE)
            self.grid = self.grid.replace(notes=np.concatenate([self.grid.notes, notes]))
        else:
            chords = np.array([(bar, *row) for row in mask.rows], CELL_CHORD)
            self.grid = self.grid.replace(chords=np.concatenate([self.grid.chords, chords]))

    def _mask(self, bar: int, column: int, after: int, budget: int) -> CellMask:
        if not column:
            return self._chord_mask(bar, after, budget)
        rules = self.request.parts[column - 1]
        time = self.grid.bars[bar]
        strong = strong_positions(int(time["numerator"]), int(time["denominator"])).tolist()
        busy, room = self._sounding(bar, column - 1)
        if rules.monophonic:
            busy[:], room[:] = busy.max(), room.min(1, keepdims=True)
        if rules.ends_with_chord:
            room = np.minimum(room, self._chord_room(bar))
        return NoteMask(
            self.tokenizer.grammar,
            after,
            budget,
            pitches=self._pitches(bar, column - 1),
            busy=busy,
            room=room,
            monophonic=rules.monophonic,
            most_notes=rules.most_notes,
            least_notes=rules.least_notes,
            least_onsets=rules.least_onsets,
            strong=[*strong, *(position for position, _ in self._chords(bar))],
        )

    def _sounding(self, bar: int, row: int) -> tuple[PitchTimes, PitchTimes]:
        """Return when a part's notes around a bar leave each pitch free, as ``NoteMask`` has it."""
        start, end = int(self.starts[bar]), int(self.starts[-1])
        notes = self.grid.notes[self.grid.notes["part"] == row]
        pitches = notes["pitch"]
        onsets = self.starts[notes["bar"]] + notes["position"] - start
        offsets = onsets + notes["duration"]
        busy, room = np.zeros(128, np.int64), np.full(128, end - start)
        np.maximum.at(busy, pitches[onsets < 0], offsets[onsets < 0])
        np.minimum.at(room, pitches[onsets > 0], onsets[onsets > 0])
        return busy, np.tile(room, (int(self.grid.bar_lengths[bar]), 1))

    def _chord_room(self, bar: int) -> PitchTimes:
        """Return where the first chord begins that a pitch is no note of, by where it begins."""
        start, length = int(self.starts[bar]), int(self.grid.bar_lengths[bar])
        room = np.full((length, 128), int(self.starts[-1]) - start)
        chords = self.grid.chords
        begins = self.starts[chords["bar"]] + chords["position"] - start
        near = (begins > 0) & (begins < int(DURATIONS[-1]) + length)
        for begin, row in zip(begins[near].tolist(), chords[near], strict=True):
            chord = chord_of(row)
            if chord:
                foreign = ~np.isin(np.arange(128) % 12, list(chord.pitch_classes))
                room[:begin, foreign] = np.minimum(room[:begin, foreign], begin)
        return room

    def _pitches(self, bar: int, row: int) -> PitchMask:
        """Return what a part's rules allow in a bar."""
        part, time = self.grid.parts[row], self.grid.bars[bar]
        cell = Cell(
            key=self.grid.key,
            numerator=int(time["numerator"]),
            denominator=int(time["denominator"]),
            chords=self._chords(bar),
            program=part.program,
            is_drum=part.is_drum,
        )
        if (row, cell) not in self._pitch_masks:
            rules = self.request.parts[row].rules
            self._pitch_masks[row, cell] = allowed_pitches(rules, cell)
        return self._pitch_masks[row, cell]

    def _chord_mask(self, bar: int, after: int, budget: int) -> CellMask:
        time, start = self.grid.bars[bar], int(self.starts[bar])
        positions = strong_positions(int(time["numerator"]), int(time["denominator"])).tolist()
        is_drum = np.array([part.is_drum for part in self.grid.parts] or [False])
        is_melody = np.array([part.role == "melody" for part in self.request.parts] or [False])
        notes = self.grid.notes[~is_drum[self.grid.notes["part"]]]
        # Where no chord holds all that sounds, the melody's and the highest notes have to be in.
        notes = notes[np.lexsort([-notes["pitch"], ~is_melody[notes["part"]]])]
        onsets = self.starts[notes["bar"]] + notes["position"] - start
        table = np.stack([onsets, onsets + notes["duration"], notes["pitch"]], 1)
        open_chords: dict[int, ChordMask] = {
            position: allowed_chords(self.grid.key, classes)
            for position, classes in zip(positions, sounding_at(positions, table), strict=True)
        }
        return ChordCellMask(
            self.tokenizer.grammar,
            after,
            budget,
            chords=open_chords,
            shift=transposition(self.grid.key),
        )

    def _chords(self, bar: int) -> tuple[tuple[int, Chord | None], ...]:
        """Return the chords of a bar, the first at position 0."""
        rows = self.grid.chords[self.grid.chords["bar"] == bar]
        return tuple((int(row["position"]), chord_of(row)) for row in rows)


class _Sequence:
    """Ids said so far, and where they stand in the grammar."""

    def __init__(self, grammar: Grammar) -> None:
        self.ids: list[int] = []
        self.cursor = grammar.start()
        self._grammar = grammar

    def say(self, ids: Sequence[int]) -> None:
        """Append ids that the grammar allows."""
        for index in ids:
            self._grammar.advance(self.cursor, index)
        self.ids.extend(ids)


def _given(request: Request) -> Grid:
    """Return the grid without what is to be written, each bar saying the chord that holds in it."""
    grid, written = request.grid, request.written
    notes = grid.notes[~written[grid.notes["bar"], grid.notes["part"] + 1]]
    chords = restated_chords(grid)
    chords = chords[~written[chords["bar"], 0]]
    # A chord that is written must not hold on in a bar that has none.
    silent = np.setdiff1d(np.flatnonzero(~written[:, 0]), chords["bar"][chords["position"] == 0])
    after = silent[written[np.maximum(silent - 1, 0), 0]]
    none = np.array([(bar, 0, -1, 0, -1) for bar in after], CELL_CHORD)
    return grid.replace(notes=notes, chords=sorted_chords(np.concatenate([chords, none])))
