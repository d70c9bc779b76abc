"""What the model is shown at once: some bars of context, then the bars to write.

A bar is encoded with the cells to write left empty, which come last in it. What stands there is
forced and costs no choice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from composer.grid import Grid, choose_parts, cut_bars
from composer.request import Request
from composer.tokenizers.cells import Cells

WINDOW_BARS = 16
CONTEXT_BARS = 4  # before the bars to write, and after them


@dataclasses.dataclass(frozen=True)
class Window:
    """Bars and parts of a grid that are shown at once."""

    start: int  # first bar shown
    end: int  # the bar after the last one shown
    fill: list[int]  # bars to write
    rows: list[int]  # parts, in the order of the window

    def longer(self, bars: Sequence[int]) -> Window:
        """Return the window with more bars to write behind it."""
        return dataclasses.replace(self, end=bars[-1] + 1, fill=[*self.fill, *bars])


class Windows:
    """Chooses windows of a request, and makes their ids.

    Parameters
    ----------
    request
        What is to be written.
    tokenizer
        The model's.
    room
        Ids that a window may say before the first cell is written, if it can be so short.
    endless
        Whether more bars come after the request's.
    """

    def __init__(
        self, request: Request, tokenizer: Cells, room: int, *, endless: bool = False
    ) -> None:
        self._request = request
        self._tokenizer = tokenizer
        self._room = room
        self._endless = endless

    def choose(self, grid: Grid, todo: Sequence[int]) -> tuple[Window, list[int]]:
        """Return a window that begins to write at the first bar to do, and its opening.

        It has as much context as leaves half of the model's to write in. Bars around that are still
        to do are left out: the model would take them for silent.
        """
        first = todo[0]
        fill = [bar for i, bar in enumerate(todo[:WINDOW_BARS]) if bar == first + i]
        rows = list(range(len(grid.parts)))
        before, after = CONTEXT_BARS, 0 if self._endless else CONTEXT_BARS
        undone = {*todo}
        while True:
            start, end = max(0, first - before), min(len(grid.bars), fill[-1] + 1 + after)
            context = [bar for bar in range(start, end) if bar not in undone]
            window = Window(start, end, fill, rows)
            opening = self._encode(window, grid, context, [])[:-1]
            given, headings = self.bar(window, grid, first)
            said = len(opening) + len(given) + sum(map(len, headings))
            droppable = self._droppable(grid, rows, first)
            if said <= self._room or not (before or droppable):
                return window, opening
            if after:
                after = 0
            elif before > 1 or not droppable:
                before //= 2
            else:
                rows = [row for row in rows if row != droppable[0]]

    def bar(self, window: Window, grid: Grid, bar: int) -> tuple[list[int], list[list[int]]]:
        """Return the ids that a bar to write is given, and those that head each empty cell."""
        base = self._tokenizer.vocabulary.base
        ids = self._encode(window, grid, [], [bar])[:-1]
        ids = ids[ids.index(base["Fill"]) + (bar != window.fill[0]) :]
        columns = [0, *(row + 1 for row in window.rows)]
        parts = self._tokenizer.vocabulary.slices["Part"]
        begins = [i for i, index in enumerate(ids) if parts.start <= index < parts.stop]
        begins = begins[-int(self._request.written[bar, columns].sum()) :]
        headings = [ids[i:j] for i, j in zip(begins, [*begins[1:], len(ids)], strict=True)]
        return ids[: begins[0]], headings

    def _encode(self, window: Window, grid: Grid, context: list[int], fill: list[int]) -> list[int]:
        start, end, rows = window.start, window.end, window.rows
        left = len(grid.bars) - 1 - np.arange(start, end)
        levels = self._request.levels
        ids: list[int] = self._tokenizer.encode_grid(
            choose_parts(cut_bars(grid, start, end - start), rows),
            context=[bar - start for bar in context],
            fill=[bar - start for bar in fill],
            written=self._request.written[start:end, [0, *(row + 1 for row in rows)]],
            left=None if self._endless else left,
            roles=[self._request.parts[row].role for row in rows],
            levels=levels and levels.cut(start, end, rows),
            blank=True,
        ).tolist()
        return ids

    def _droppable(self, grid: Grid, rows: list[int], bar: int) -> list[int]:
        """Return parts the model can do without, the most wordy around a bar first.

        Those of which nothing is written, but for one; the melody is the last to go.
        """
        near = np.abs(grid.notes["bar"] - bar) <= CONTEXT_BARS
        counts = np.bincount(grid.notes["part"][near], minlength=len(grid.parts))
        given = [row for row in rows if not self._request.written[:, row + 1].any()]
        roles = [part.role for part in self._request.parts]
        given.sort(key=lambda row: (roles[row] == "melody", -int(counts[row]), -row))
        return given[:-1]
