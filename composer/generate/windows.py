"""What the model is shown at once: some bars of context, then the bars to write.

The context is the bars around those to write, and before them the bars that they vary, if they do,
numbered as if nothing lay between. Bars from further back with the same chords lower the loss of
held-out melodies (0.88 nats an id, 0.92 with six bars before), but what is written has no more of
them in it, and jumps more where windows meet; the first bars of a piece lower nothing.

A bar is encoded with the cells to write left empty, which come last in it. What stands there is
forced and costs no choice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence, Set
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from composer.form.outline import NONE, Outline
from composer.request.request import Request
from composer.score.grid import Grid, choose_bars, choose_parts
from composer.tokenizers.cells.cells import Cells

WINDOW_BARS = 16
BARS_BEFORE, BARS_AFTER = 6, 4  # context around the bars to write
MOST_RECALLED = 4  # bars that are varied
NEAR_BARS = 2  # before the bars to write, where the context has those


#: The ids that a bar is given, and those that head its empty cells.
BarIds: TypeAlias = tuple[list[int], list[list[int]]]


@dataclasses.dataclass(frozen=True)
class Window:
    """Bars and parts of a grid that are shown at once."""

    recalled: list[int]  # bars from further back
    start: int  # first of the other bars shown
    end: int  # the bar after the last one shown
    fill: list[int]  # bars to write
    rows: list[int]  # parts, in the order of the window

    @property
    def bars(self) -> list[int]:
        """All bars shown."""
        return [*self.recalled, *range(self.start, self.end)]

    def number(self, bar: int) -> int:
        """Return the number that a bar has here, from ``start`` on."""
        return len(self.recalled) + bar - self.start

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
    written
        Shape (bars, 1 + parts): the cells that are still to be written, as they are now.
    endless
        Whether more bars come after the request's.
    """

    def __init__(
        self,
        request: Request,
        tokenizer: Cells,
        room: int,
        written: npt.NDArray[np.bool_],
        *,
        endless: bool = False,
    ) -> None:
        self._request = request
        self._outline = request.outline or Outline.free(len(request.grid.bars))
        self._written = written
        self._tokenizer = tokenizer
        self._room = room
        self._endless = endless

    def choose(self, grid: Grid, todo: Sequence[int]) -> tuple[Window, list[int], BarIds]:
        """Return a window that begins to write at the first bar to do, its opening, and that bar.

        It has as much context as leaves half of the model's to write in. Bars around that are still
        to do are left out: the model would take them for silent. It ends before bars that are to be
        copies.
        """
        first = todo[0]
        fill = [bar for i, bar in enumerate(todo[:WINDOW_BARS]) if bar == first + i]
        copies = [bar for bar in fill[1:] if self._outline.copied[bar] != NONE]
        fill = [bar for bar in fill if not copies or bar < copies[0]]
        rows = list(range(len(grid.parts)))
        before, after, memory = BARS_BEFORE, 0 if self._endless else BARS_AFTER, True
        undone = {*todo}
        while True:
            end = min(len(grid.bars), fill[-1] + 1 + after)
            start = max(0, first - min(before, NEAR_BARS))
            recalled = self._recall(start, fill) if memory else []
            start = start if recalled else max(0, first - before)
            window = Window(recalled, start, end, fill, rows)
            opening = self._opening(window, grid, undone)
            bar = given, headings = self.bar(window, grid, first)
            said = len(opening) + len(given) + sum(map(len, headings))
            droppable = self._droppable(grid, rows, first)
            if said <= self._room or not (before or droppable):
                return window, opening, bar
            if after:
                after = 0
            elif memory:
                memory = False
            elif before > 1 or not droppable:
                before //= 2
            else:
                rows = [row for row in rows if row != droppable[0]]

    def bar(self, window: Window, grid: Grid, bar: int) -> BarIds:
        """Return the ids that a bar to write is given, and those that head each empty cell."""
        base = self._tokenizer.vocabulary.base
        ids = self._encode(window, grid, [], [bar])[:-1]
        ids = ids[ids.index(base["Fill"]) + (bar != window.fill[0]) :]
        columns = [0, *(row + 1 for row in window.rows)]
        parts = self._tokenizer.vocabulary.slices["Part"]
        begins = [i for i, index in enumerate(ids) if parts.start <= index < parts.stop]
        begins = begins[-int(self._written[bar, columns].sum()) :]
        headings = [ids[i:j] for i, j in zip(begins, [*begins[1:], len(ids)], strict=True)]
        return ids[: begins[0]], headings

    def cell(self, grid: Grid, bar: int, column: int) -> tuple[list[int], list[int]]:
        """Return the ids that lead to a cell in a window of its own, and those that it holds."""
        cell = np.zeros_like(self._written)
        cell[bar, column] = True
        window = Window([], bar, bar + 1, [bar], [*range(len(grid.parts))])
        opening = self._encode(window, grid, [], [bar], written=cell)[:-1]
        held = self._encode(window, grid, [], [bar], written=cell, blank=False)[:-1]
        return opening, held[len(opening) :]

    def _opening(self, window: Window, grid: Grid, undone: Set[int]) -> list[int]:
        context = [bar for bar in window.bars if bar not in undone]
        return self._encode(window, grid, context, [])[:-1]

    def _encode(
        self,
        window: Window,
        grid: Grid,
        context: list[int],
        fill: list[int],
        *,
        written: npt.NDArray[np.bool_] | None = None,
        blank: bool = True,
    ) -> list[int]:
        bars, rows = window.bars, window.rows
        places = {bar: place for place, bar in enumerate(bars)}
        written = self._written if written is None else written
        left = len(grid.bars) - 1 - np.array(bars)
        levels = self._request.levels
        ids: list[int] = self._tokenizer.encode_grid(
            choose_parts(choose_bars(grid, bars), rows),
            context=[places[bar] for bar in context],
            fill=[places[bar] for bar in fill],
            written=written[bars][:, [0, *(row + 1 for row in rows)]],
            left=None if self._endless else left,
            roles=[self._request.parts[row].role for row in rows],
            levels=levels and levels.choose(bars, rows),
            blank=blank,
        ).tolist()
        return ids

    def _recall(self, start: int, fill: Sequence[int]) -> list[int]:
        """Return the bars from before ``start`` that those to write vary."""
        varied = {int(bar) for bar in self._outline.varied[list(fill)] if bar != NONE}
        return sorted(bar for bar in varied if bar < start)[:MOST_RECALLED]

    def _droppable(self, grid: Grid, rows: list[int], bar: int) -> list[int]:
        """Return parts the model can do without, the most wordy around a bar first.

        Those of which nothing is written, but for one; the melody is the last to go.
        """
        near = np.abs(grid.notes["bar"] - bar) <= BARS_AFTER
        counts = np.bincount(grid.notes["part"][near], minlength=len(grid.parts))
        given = [row for row in rows if not self._request.written[:, row + 1].any()]
        roles = [part.role for part in self._request.parts]
        given.sort(key=lambda row: (roles[row] == "melody", -int(counts[row]), -row))
        return given[:-1]
