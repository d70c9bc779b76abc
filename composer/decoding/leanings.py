"""What makes ids of a cell more or less likely than the model holds, by what stands around it.

Nothing here forbids an id; masks do that. ``Sampling`` says what each setting is for.
"""

from __future__ import annotations

from composer.decoding.sampling import Sampling
from composer.grid import Grid
from composer.theory import QUALITIES, Key
from composer.tokenizers.families import transposition
from composer.tokenizers.grammar import Cursor
from composer.tokenizers.vocabulary import Vocabulary


class Leanings:
    """What a cell leans to.

    Parameters
    ----------
    sampling
        Says how much.
    vocabulary
        The model's.
    grid
        What is given and written so far.
    bar, column
        The cell; column 0 is the chords.
    endless
        Whether more bars will come, so that no bar is the first or the last of a piece.
    """

    def __init__(
        self,
        sampling: Sampling,
        vocabulary: Vocabulary,
        grid: Grid,
        bar: int,
        column: int,
        *,
        endless: bool = False,
    ) -> None:
        self._base = vocabulary.base
        self._chords: dict[int, float] = {}
        before = grid.chords[grid.chords["bar"] < bar][-1:]
        if not column and sampling.repeat_chords != 1 and len(before) and before["root"][0] >= 0:
            root, quality = before["root"][0] + transposition(grid.key), before["quality"][0]
            value = 1 + int(root) % 12 * len(QUALITIES) + int(quality)
            self._chords[self._base["Chord"] + value] = sampling.repeat_chords
        is_end = bar in (0, len(grid.bars) - 1) and not endless
        if not column and is_end and sampling.tonic_ends != 1:
            for value in _tonic_chords(grid.key):
                index = self._base["Chord"] + value
                self._chords[index] = self._chords.get(index, 1.0) * sampling.tonic_ends
        self._double_notes = sampling.double_notes
        #: Position -> pitches that begin there in other parts.
        self._beside: dict[int, list[int]] = {}
        if column and sampling.double_notes != 1:
            notes = grid.notes[grid.notes["bar"] == bar]
            for row in notes[notes["part"] != column - 1]:
                if not grid.parts[int(row["part"])].is_drum:
                    self._beside.setdefault(int(row["position"]), []).append(int(row["pitch"]))

    def changes(self, cursor: Cursor) -> dict[int, float]:
        """Return what the probabilities of some ids are multiplied by where a cursor stands."""
        lowest = self._base["Pitch"] + cursor.lowest
        pitches = self._beside.get(cursor.position, ())
        return self._chords or {lowest + pitch: self._double_notes for pitch in pitches}


def _tonic_chords(key: Key) -> list[int]:
    """Return the values of ``Chord`` that are on a key's tonic and have its third."""
    root = (key.tonic + transposition(key)) % 12
    third = 3 if key.is_minor else 4
    return [
        1 + root * len(QUALITIES) + i
        for i, quality in enumerate(QUALITIES)
        if third in quality.intervals
    ]
