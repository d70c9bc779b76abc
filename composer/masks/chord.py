"""The mask of a cell of chords: those that hold what sounds, under which all parts can go on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from composer.constraints.base import ChordMask
from composer.feasibility.chords import CHORDS, ChordChoice
from composer.masks.cell import CellMask
from composer.theory.chords import CHORD_COUNT, QUALITIES, chord_at, chord_index
from composer.tokenizers.families import NO_CHORD
from composer.tokenizers.grammar import Cursor, Grammar, Mask


class ChordCellMask(CellMask):
    """A cell of chords.

    Parameters
    ----------
    chords
        Position -> which chords may begin there, shape (12, qualities); the first is position 0.
        Of these the places of ``choice`` count, where there is one.
    shift
        Semitones from a real root to the one relative to the home key.
    choice
        Which chords the bar's parts can be written under. It goes before ``chords``.
    inverted
        Whether a chord may have another bass than its root.
    required
        Positions at which a chord must begin, where one can.
    """

    def __init__(
        self,
        grammar: Grammar,
        after: int,
        budget: int,
        *,
        chords: Mapping[int, ChordMask],
        shift: int,
        choice: ChordChoice | None = None,
        inverted: bool = True,
        required: Sequence[int] = (),
    ) -> None:
        super().__init__(grammar, after, budget)
        self._choice = choice
        self._inverted = inverted
        self._places = choice.places if choice else sorted(chords)
        self._open = {
            position: np.roll(mask, shift, axis=0).ravel()
            for position, mask in chords.items()
            if position in self._places
        }
        self._required = [position for position in required if position in self._open]
        self._shift = shift
        self._last = NO_CHORD

    def _narrow(self, cursor: Cursor, mask: Mask) -> None:
        at = self._slices
        positions = mask[at["Position"]]
        later = [p for p in self._places if positions[p] and (p > 0) == bool(self.rows)]
        if self._choice:
            later = [p for p in later if self._chords_at(p).any()]
        positions[:] = False
        owed = self._owed()
        positions[[p for p in later if not owed or p <= owed[0]]] = True
        if cursor.state == "chord":
            chords = mask[at["Chord"]]
            chords[NO_CHORD] = False
            chords[1:] &= self._chords_at(cursor.position)
            if chords.sum() > 1:
                chords[self._last] = False  # to say a chord again in a bar says nothing
        elif cursor.state == "bass":
            root, quality = chord_at(cursor.rank - 1)
            tones = (root + np.array(QUALITIES[quality].intervals)) % 12
            mask[at["Bass"]] &= np.isin(np.arange(12), tones) & self._inverted

    def where(self, values: Collection[int]) -> list[int]:
        """Return the positions at which a chord of some values of ``Chord`` may yet begin."""
        last, rows = self.rows[-1][0] if self.rows else -1, [value - 1 for value in values]
        return [p for p in self._open if p > last and self._chords_at(p)[rows].any()]

    def _chords_at(self, position: int) -> npt.NDArray[np.bool_]:
        """Return which chords may begin at a position, as the vocabulary has them."""
        wanted = self._open.get(position, np.zeros(CHORD_COUNT, bool))
        if self._choice is None:
            return wanted
        possible = self._possible(position)
        both = wanted & possible
        # Where no other chord has to follow it comes only where all is as it should be.
        return both if both.any() or (position and self._may_end()) else possible

    def _possible(self, position: int) -> npt.NDArray[np.bool_]:
        """Return which chords leave the bar's parts enough, as the vocabulary has them."""
        if self._choice is None:
            return np.ones(CHORD_COUNT, bool)
        return np.roll(self._choice.allowed(position), self._shift, axis=0).ravel()

    def _number(self, value: int) -> int:
        """Return which of ``CHORDS`` a value says."""
        root, quality = chord_at(value - 1)
        return chord_index((root - self._shift) % 12, quality)

    def _accept(self, family: str, value: int, cursor: Cursor) -> None:
        if family == "Chord":
            self._last = value
            number = self._number(value)
            chord = CHORDS[number]
            self.rows.append((cursor.position, chord.root, chord.quality, -1))
            if self._choice:
                self._choice.take(cursor.position, number)
        elif family == "Bass":
            self.rows[-1] = (*self.rows[-1][:3], (value - self._shift) % 12)

    def _owed(self) -> list[int]:
        """Return the positions still to come at which a chord must and can begin."""
        last = self.rows[-1][0] if self.rows else -1
        return [p for p in self._required if p > last and self._chords_at(p).any()]

    def _settled(self) -> bool:
        return bool(self.rows) and not self._owed() and not self._must_go_on()

    def _must_go_on(self) -> bool:
        return bool(self.rows and not self._may_end())

    def _may_end(self) -> bool:
        """Return whether no other chord has to follow those there are."""
        return self._choice is None or self._choice.may_end()


def sounding_at(positions: Sequence[int], notes: npt.NDArray[np.int64]) -> list[list[int]]:
    """Return the pitch classes that sound at each position.

    Parameters
    ----------
    positions
        Positions from the bar's start.
    notes
        Shape (n, 3): onset, offset (positions from the bar's start) and pitch.
    """
    return [(notes[(notes[:, 0] <= p) & (notes[:, 1] > p), 2] % 12).tolist() for p in positions]
