"""The earlier bars that a cell is a copy of, as far as it goes.

The groove of drums: what a first bar is made of, and how a later one goes on like an earlier.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence, Set

import numpy as np

from composer.form.outline import NONE, Outline
from composer.request.request import Request
from composer.score.grid import Grid
from composer.score.instruments import KIT_PIECES
from composer.tokenizers.bins import velocity_bins
from composer.tokenizers.grammar import Cursor
from composer.tokenizers.vocabulary import Vocabulary

_LEAST = 3  # ids, as long as a note's; before these a cell is not a copy of another


class RepeatTracker:
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
        self._accepted = 0
        self._cells: list[list[int]] = []
        ends = [place for place, index in enumerate(said) if index < content]
        for place, end in itertools.pairwise(ends):
            if said[place] == said[ends[-1]] and end > place + 1:
                self._cells.append([i for i in said[place + 1 : end] if i not in passed_over])

    def next_ids(self) -> set[int]:
        """Return the ids that would go on with a copy; none before a note's length is the same."""
        if self._accepted < _LEAST:
            return set()
        at = self._accepted
        return {cell[at] if at < len(cell) else self._after for cell in self._cells}

    def accept(self, index: int) -> None:
        """Leave out the cells that do not go on with an id."""
        if index in self._passed_over:
            return
        at = self._accepted
        self._cells = [cell for cell in self._cells if at < len(cell) and cell[at] == index]
        self._accepted += 1


PHRASE = 4  # bars


_BEFORE = (PHRASE, 2, 1)  # how many bars before the one lies that a bar is like, the best first


#: Of which kinds a groove has some: kick, snare, and what keeps the time.
_KINDS = [
    frozenset(pitch for piece in kind for pitch in KIT_PIECES[piece])
    for kind in (("kick",), ("snare", "side stick", "clap"), ("hi-hat", "ride"))
]


#: The power of the factor that holds where a phrase ends, so that there may be a fill.
_LOOSE = 0.5


class Groove:
    """What drums played in an earlier bar, as what a new one may go on with.

    Parameters
    ----------
    vocabulary
        The model's.
    grid
        What is given and written so far.
    bar, row
        The earlier bar, and the part.
    factor
        What the probability of going on in the same way is multiplied by.
    """

    def __init__(
        self, vocabulary: Vocabulary, grid: Grid, bar: int, row: int, factor: float
    ) -> None:
        notes = grid.notes[(grid.notes["bar"] == bar) & (grid.notes["part"] == row)]
        self._hits: list[tuple[int, int]] = notes[["position", "pitch"]].tolist()
        bins = vocabulary.count("Velocity")
        self._loudness: list[int] = velocity_bins(notes["velocity"], bins).tolist()
        self._base = vocabulary.base
        self._factor = factor

    def changes(self, cursor: Cursor, after: int) -> dict[int, float]:
        """Return what the probabilities of some ids are multiplied by where a cursor stands.

        They go on with the first hit of the earlier bar from there, or with the end of the cell,
        whatever the new bar has otherwise so far.

        Parameters
        ----------
        cursor
            Where the sequence stands.
        after
            The id that follows the cell.
        """
        at = bisect.bisect_right(self._hits, (cursor.position, cursor.rank))
        if at == len(self._hits):
            return {after: self._factor}
        position, pitch = self._hits[at]
        if position != cursor.position:
            return {self._base["Position"] + position: self._factor}
        changes = {self._base["Drum"] + pitch: self._factor}
        if self._loudness[at] != cursor.velocity:
            changes[self._base["Velocity"] + self._loudness[at]] = self._factor
        return changes


class Kit:
    """The kinds of pieces that drums lean to where they go on with no earlier bar.

    Parameters
    ----------
    vocabulary
        The model's.
    factor
        What the probability of a piece is multiplied by of whose kind a bar has had none.
    """

    def __init__(self, vocabulary: Vocabulary, factor: float) -> None:
        self._drum = vocabulary.base["Drum"]
        self._factor = factor

    def changes(self, rows: Iterable[tuple[int, ...]]) -> dict[int, float]:
        """Return what the probabilities of some ids are multiplied by.

        Parameters
        ----------
        rows
            The hits of the bar so far: position, pitch and what else there is.
        """
        hit = {row[1] for row in rows}
        missing = [kind for kind in _KINDS if not hit & kind]
        return {self._drum + piece: self._factor for kind in missing for piece in kind}


def groove_of(
    request: Request, vocabulary: Vocabulary, grid: Grid, bar: int, column: int
) -> Groove | None:
    """Return what the drums of a cell may go on with; None where they repeat nothing.

    They are like those of the bar that is varied, or else of one in the same section: at its place
    in the first phrase, or four bars before, two or one. Bars under other controls or in other
    meters do not count, nor, where there were notes that are to become others, those that stay.

    Parameters
    ----------
    request, vocabulary
        What is being written, and the model's vocabulary.
    grid
        What is given and written so far.
    bar, column
        The cell; column 0 is the chords.
    """
    factor, row = request.sampling.repeat_drums, column - 1
    if factor == 1 or not column or not grid.parts[row].is_drum:
        return None
    outline = request.outline or Outline.free(len(grid.bars))
    first = max([_pickup(grid), *np.flatnonzero(outline.begins[: bar + 1]).tolist()])
    varied = int(outline.varied[bar])
    # Like those of the first phrase: from copy to copy a groove would wear off.
    sources = [first + (bar - first) % PHRASE, *(bar - before for before in _BEFORE)]
    sources = [source for source in sources if first <= source < bar]
    if varied != NONE:
        sources.insert(0, varied)
    counts = np.bincount(grid.notes["bar"][grid.notes["part"] == row], minlength=len(grid.bars))
    alike = (counts > 0) & (grid.bar_lengths == grid.bar_lengths[bar])
    if request.levels:
        alike &= (request.levels.cells[:, row] == request.levels.cells[bar, row]).all(1)
    given = request.grid.notes
    if ((given["bar"] == bar) & (given["part"] == row)).any():
        alike &= request.written[:, column]
    for source in sources:
        if alike[source]:
            following = bar + 1
            ends = following == len(grid.bars) or outline.begins[following]
            is_loose = ends or (following - first) % PHRASE == 0 or varied != NONE
            return Groove(vocabulary, grid, source, row, factor**_LOOSE if is_loose else factor)
    return None


def _pickup(grid: Grid) -> int:
    """Return 1 where a piece begins with a bar that is shorter than the second, else 0."""
    return int(len(grid.bars) > 1 and grid.bar_lengths[0] < grid.bar_lengths[1])
