"""The earlier bars that a cell is a copy of, as far as it goes."""

from __future__ import annotations

from collections.abc import Sequence

_LEAST = 3  # ids, as long as a note's; before these a cell is no copy of another


class Copies:
    """The earlier cells of a part that a new one has been the same as up to now, but for dynamics.

    Parameters
    ----------
    said
        Ids said so far, the last of them heading the new cell.
    after
        The id that ends the new cell.
    content
        First of the ids that stand inside cells.
    dynamics
        Ids that say how loud notes are: they make no difference.
    """

    def __init__(self, said: Sequence[int], after: int, content: int, dynamics: range) -> None:
        self._after = after
        self._dynamics = dynamics
        self._heard = 0
        self._cells: list[list[int]] = []
        for place, index in enumerate(said[:-1]):
            if index == said[-1] and said[place + 1] >= content:
                end = next(i for i in range(place + 1, len(said)) if said[i] < content)
                self._cells.append([i for i in said[place + 1 : end] if i not in dynamics])

    def next_ids(self) -> set[int]:
        """Return the ids that would go on with a copy; none before a note's length is the same."""
        if self._heard < _LEAST:
            return set()
        at = self._heard
        return {cell[at] if at < len(cell) else self._after for cell in self._cells}

    def hear(self, index: int) -> None:
        """Leave out the cells that do not go on with an id."""
        if index in self._dynamics:
            return
        at = self._heard
        self._cells = [cell for cell in self._cells if at < len(cell) and cell[at] == index]
        self._heard += 1
