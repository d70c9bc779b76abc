"""The earlier bars that a cell is a copy of, as far as it goes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence, Set

_LEAST = 3  # ids, as long as a note's; before these a cell is no copy of another


class Copies:
    """The earlier cells of a part that a new one has been the same as up to now.

    Parameters
    ----------
    said
        Ids said so far, up to the part that heads the new cell, and its controls.
    after
        The id that ends the new cell.
    content
        First of the ids that stand inside cells.
    passed_over
        Ids inside cells that make no difference: controls, and how loud notes are.
    """

    def __init__(
        self, said: Sequence[int], after: int, content: int, passed_over: Set[int]
    ) -> None:
        self._after = after
        self._passed_over = passed_over
        self._heard = 0
        self._cells: list[list[int]] = []
        ends = [place for place, index in enumerate(said) if index < content]
        for place, end in itertools.pairwise(ends):
            if said[place] == said[ends[-1]] and end > place + 1:
                self._cells.append([i for i in said[place + 1 : end] if i not in passed_over])

    def next_ids(self) -> set[int]:
        """Return the ids that would go on with a copy; none before a note's length is the same."""
        if self._heard < _LEAST:
            return set()
        at = self._heard
        return {cell[at] if at < len(cell) else self._after for cell in self._cells}

    def hear(self, index: int) -> None:
        """Leave out the cells that do not go on with an id."""
        if index in self._passed_over:
            return
        at = self._heard
        self._cells = [cell for cell in self._cells if at < len(cell) and cell[at] == index]
        self._heard += 1
