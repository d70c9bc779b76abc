"""The sampling loop: a request in, a grid out.

A piece is written in windows: some bars of context, then the bars to write, one after the other.
A window's sequence is first encoded with the cells to write left empty. What stands there is
forced and costs no choice; in each empty cell ids are sampled until the one that comes after it.
Where a window would outgrow the model's context it ends at the bar line, and the next one begins
there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from composer.constraints import Cell, allowed_chords, allowed_pitches, strong_positions
from composer.decoding.cell_masks import CellMask, ChordCellMask, NoteMask, sounding_at
from composer.decoding.decoder import Decoder
from composer.decoding.sampling import choose
from composer.errors import RequestError
from composer.grid import Grid, choose_parts, cut_bars
from composer.request import Request
from composer.theory import Chord
from composer.tokenizers.cells import Cells
from composer.tokenizers.cells_codec import decode_cells, restated_chords
from composer.tokenizers.cells_vocabulary import CHORDS, transposition
from composer.tokenizers.grammar import Cursor
from composer.tokenizers.vocabulary import Ids

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

    Raises
    ------
    RequestError
        The rules leave a cell no pitch, or one bar is more than the model's context holds.
    """
    grid, written = request.grid, request.written
    kept = ~written[grid.notes["bar"], grid.notes["part"] + 1]
    chords = restated_chords(grid)
    grid = grid.replace(notes=grid.notes[kept], chords=chords[~written[chords["bar"], 0]])
    writer = _Writer(dataclasses.replace(request, grid=grid), decoder, tokenizer)
    todo = np.flatnonzero(written.any(1)).tolist()
    while todo:
        count = writer.write_window(todo)
        wrote(count)
        todo = todo[count:]
    return writer.grid


@dataclasses.dataclass(frozen=True)
class _Window:
    """What the model is shown at once."""

    start: int  # bar of the grid that its bar 0 is
    context: list[int]  # bars of the window
    fill: list[int]
    rows: list[int]  # parts of the grid, in the order of the window
    template: list[int]  # ids, the cells to write being empty


class _Writer:
    """The state of a request that is being written."""

    def __init__(self, request: Request, decoder: Decoder, tokenizer: Cells) -> None:
        self.request = request
        self.grid = request.grid
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.grammar = tokenizer.grammar
        self.rng = np.random.default_rng(request.seed)
        self.shift = transposition(request.grid.key)
        self.starts = request.grid.bar_starts
        self._new_chords: dict[int, tuple[tuple[int, Chord | None], ...]] = {}
        self._sounding_until: dict[int, int] = {}  # column -> position in the piece

    def write_window(self, todo: list[int]) -> int:
        """Write the first bars of those to do; return how many."""
        window = self._window(todo)
        at, base = self.tokenizer.vocabulary.slices, self.tokenizer.vocabulary.base
        cursor = self.grammar.start()
        self.decoder.reset()
        ids: list[int] = []
        done: list[int] = []
        budget = 0
        for place, index in enumerate(window.template):
            if cursor.filling and at["Bar"].start <= index < at["Bar"].stop:
                budget = self._budget(window, place, len(ids))
                if done and budget < LEAST_BUDGET:
                    break
                if budget < 1:
                    raise RequestError(
                        f"bar {window.start + index - base['Bar'] + 1} with {len(window.rows)} parts is "
                        f"more than the model's context of {self.decoder.context_length} ids holds; "
                        f"write fewer parts at once"
                    )
                done.append(index - base["Bar"])
            self.grammar.advance(cursor, index)
            ids.append(index)
            if cursor.filling and at["Part"].start <= index < at["Part"].stop:
                row = index - base["Part"]
                column = 0 if row == CHORDS else window.rows[row] + 1
                bar = window.start + done[-1]
                if self.request.written[bar, column]:
                    mask = self._mask(bar, column, window.template[place + 1], budget)
                    self._sample(ids, cursor, mask)
        if ids[-1] != base["EOS"]:
            ids.append(base["EOS"])
        self._merge(decode_cells(self.tokenizer.vocabulary, np.array(ids)), window, done)
        return len(done)

    def _window(self, todo: list[int]) -> _Window:
        """Return the next window: as much context as leaves half of the model's to write in."""
        run = [bar for i, bar in enumerate(todo[:WINDOW_BARS]) if bar == todo[0] + i]
        ends = len(run) == len(todo) or todo[len(run)] != run[-1] + 1
        parts = list(range(len(self.grid.parts)))
        before = after = CONTEXT_BARS
        while True:
            start = max(0, run[0] - before)
            end = min(len(self.grid.bars), run[-1] + 1 + (after if ends else 0))
            context = [bar - start for bar in range(start, end) if bar not in run]
            fill = [bar - start for bar in run]
            template = self._template(start, end - start, context, fill, parts)
            first_bar = self._bar_place(template, 0), self._bar_place(template, 1)
            if first_bar[1] <= self.decoder.context_length // 2:
                break
            if after:
                after = 0
            elif before:
                before = before // 2
            elif len(self._given(parts)) > 1:
                parts.remove(self._busiest(self._given(parts), run[0]))
            else:
                break
        return _Window(start, context, fill, parts, template.tolist())

    def _template(
        self, start: int, count: int, context: list[int], fill: list[int], parts: list[int]
    ) -> Ids:
        columns = [0, *(row + 1 for row in parts)]
        window = choose_parts(cut_bars(self.grid, start, count), parts)
        return self.tokenizer.encode_grid(
            window,
            context=context,
            fill=fill,
            written=self.request.written[start : start + count, columns],
            left=len(self.grid.bars) - 1 - np.arange(start, start + count),
            roles=[self.request.parts[row].role for row in parts],
            blank=True,
        )

    def _bar_place(self, template: Ids, number: int) -> int:
        """Return the place of a bar heading after ``Fill``, or the end."""
        vocabulary = self.tokenizer.vocabulary
        filling = np.cumsum(template == vocabulary.base["Fill"]) > 0
        headings = np.flatnonzero(
            filling & (vocabulary.family_of[template] == vocabulary.index("Bar"))
        )
        return int(headings[number]) if number < len(headings) else len(template)

    def _given(self, parts: list[int]) -> list[int]:
        """Return the parts of which nothing is written."""
        return [row for row in parts if not self.request.written[:, row + 1].any()]

    def _busiest(self, parts: list[int], bar: int) -> int:
        """Return the part with most notes around a bar; of equals the last."""
        near = np.abs(self.grid.notes["bar"] - bar) <= CONTEXT_BARS
        counts = np.bincount(self.grid.notes["part"][near], minlength=len(self.grid.parts))
        return max(parts, key=lambda row: (int(counts[row]), row))

    def _budget(self, window: _Window, place: int, said: int) -> int:
        """Return how many ids each cell of the bar at a place of the template may have."""
        vocabulary = self.tokenizer.vocabulary
        rest = window.template[place + 1 :]
        bars = vocabulary.slices["Bar"]
        forced = next(
            (i for i, index in enumerate(rest) if bars.start <= index < bars.stop), len(rest)
        )
        bar = window.start + window.template[place] - bars.start
        cells = int(self.request.written[bar, [0, *(row + 1 for row in window.rows)]].sum())
        room = self.decoder.context_length - said - forced - 2
        return min(CELL_BUDGET, room // max(1, cells) - OVERRUN)

    def _sample(self, ids: list[int], cursor: Cursor, mask: CellMask) -> None:
        """Sample one cell, appending to the ids said."""
        logits = self.decoder.prefill(ids[self.decoder.length :])
        while True:
            index = choose(logits, mask.allowed(cursor), self.request.sampling, self.rng)
            if index == mask.after:
                break
            self.grammar.advance(cursor, index)
            mask.took(index)
            ids.append(index)
            logits = self.decoder.step(index)
        mask.finish()

    def _mask(self, bar: int, column: int, after: int, budget: int) -> CellMask:
        row = self.grid.bars[bar]
        if column == 0:
            return self._chord_mask(bar, after, budget)
        part, rules = self.grid.parts[column - 1], self.request.parts[column - 1]
        cell = Cell(
            key=self.grid.key,
            numerator=int(row["numerator"]),
            denominator=int(row["denominator"]),
            chords=self._chords(bar),
            program=part.program,
            is_drum=part.is_drum,
        )
        pitches = allowed_pitches(rules.rules, cell)
        if not pitches.any():
            raise RequestError(
                f"the rules leave no pitch for {part.name or 'part ' + str(column)} in bar {bar + 1}; "
                f"widen its range or drop a rule"
            )
        start = int(self.starts[bar])
        notes = self.grid.notes[self.grid.notes["part"] == column - 1]
        onsets = self.starts[notes["bar"]] + notes["position"]
        end = int(self.starts[-1])
        busy = self._sounding_until.get(column, 0)
        if rules.monophonic:
            end = int(onsets[onsets > start].min(initial=end))
            before = onsets < start
            busy = int((onsets + notes["duration"])[before].max(initial=busy))
        return NoteMask(
            self.grammar,
            after,
            budget,
            pitches=pitches,
            room=end - start,
            busy_until=max(0, busy - start),
            monophonic=rules.monophonic,
            most_notes=rules.most_notes,
            least_onsets=rules.least_onsets,
            heard=lambda until: self._sounding_until.__setitem__(column, start + until),
        )

    def _chord_mask(self, bar: int, after: int, budget: int) -> CellMask:
        row = self.grid.bars[bar]
        positions = strong_positions(int(row["numerator"]), int(row["denominator"])).tolist()
        start = int(self.starts[bar])
        notes = self.grid.notes
        onsets = self.starts[notes["bar"]] + notes["position"]
        is_drum = np.array([part.is_drum for part in self.grid.parts] or [False])
        pitched = ~is_drum[notes["part"]]
        table = np.stack([onsets - start, onsets + notes["duration"] - start, notes["pitch"]], 1)
        sounding = sounding_at(positions, table[pitched])
        return ChordCellMask(
            self.grammar,
            after,
            budget,
            chords={
                position: allowed_chords(self.grid.key, classes)
                for position, classes in zip(positions, sounding, strict=True)
            },
            shift=self.shift,
            heard=lambda chords: self._new_chords.__setitem__(bar, chords),
        )

    def _chords(self, bar: int) -> tuple[tuple[int, Chord | None], ...]:
        """Return the chords of a bar, given or just written."""
        if bar in self._new_chords:
            return self._new_chords[bar]
        rows = self.grid.chords[self.grid.chords["bar"] == bar]
        return tuple(
            (position, Chord(root, quality, None if bass < 0 else bass) if root >= 0 else None)
            for _, position, root, quality, bass in rows.tolist()
        )

    def _merge(self, decoded: Grid, window: _Window, done: list[int]) -> None:
        """Take over the cells that were written."""
        # A decoded grid counts the bars that were said; they need not be neighbours.
        bars = window.start + np.array(sorted([*window.context, *done]))
        rows = np.array(window.rows)
        written = self.request.written
        is_done = np.isin(np.arange(len(self.grid.bars)), window.start + np.array(done))
        notes = decoded.notes.copy()
        notes["bar"] = bars[notes["bar"]]
        notes["part"] = rows[notes["part"]] if len(rows) else 0
        notes = notes[is_done[notes["bar"]] & written[notes["bar"], notes["part"] + 1]]
        chords = restated_chords(decoded)
        chords["bar"] = bars[chords["bar"]]
        chords = chords[is_done[chords["bar"]] & written[chords["bar"], 0]]
        notes = np.concatenate([self.grid.notes, notes])
        chords = np.concatenate([self.grid.chords, chords])
        self.grid = self.grid.replace(
            notes=notes[np.lexsort([notes[k] for k in ("pitch", "position", "part", "bar")])],
            chords=chords[np.lexsort([chords["position"], chords["bar"]])],
        )
