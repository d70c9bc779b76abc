"""What the codecs share: sequences as matrices of events, and columns read back from ids.

Each heading, chord and note of a sequence is an *event*: a row of a matrix with one column for each
token it may say, -1 where it does not. Events are sorted once; what is left of the matrix, read row
by row without the -1, is the sequence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from composer.score import Events
from composer.theory import QUALITIES
from composer.tokenizers.bins import DURATIONS, bin_velocities
from composer.tokenizers.families import NO_CHORD
from composer.tokenizers.vocabulary import Ids, Vocabulary

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def side_by_side(width: int, *columns: npt.ArrayLike) -> Ints:
    """Return columns as a matrix of events, shape (rows, width); -1 in the columns left over."""
    matrix = np.full((len(np.asarray(columns[0])), width), -1, np.int64)
    for i, column in enumerate(columns):
        matrix[:, i] = column
    return matrix


def in_order(events: Ints, key: Ints) -> Ints:
    """Return the ids of events, shape (T,), the rows sorted by a key of shape (rows,)."""
    sequence = events[np.argsort(key, kind="stable")].ravel()
    return sequence[sequence >= 0]


def changes(column: npt.NDArray[Any]) -> Bools:
    """Return where a column differs from the row before; True in the first row."""
    changed = np.ones(len(column), bool)
    np.not_equal(column[1:], column[:-1], out=changed[1:])
    return changed


def velocity_bin_count(vocabulary: Vocabulary) -> int:
    """Return how many velocities a vocabulary tells apart."""
    return vocabulary.count("Velocity")


def chord_columns(vocabulary: Vocabulary, chords: Events, shift: int = 0) -> tuple[Ints, Ints]:
    """Return the Chord and the Bass id of chords moved up by ``shift`` semitones, -1 for no bass.

    ``chords`` has the columns ``root``, ``quality`` and ``bass`` of ``composer.grid.CELL_CHORD``.
    """
    base = vocabulary.base
    sounding = chords["root"] >= 0
    root = (chords["root"] + shift) % 12
    value = np.where(sounding, 1 + root * len(QUALITIES) + chords["quality"], NO_CHORD)
    has_bass = sounding & (chords["bass"] >= 0)
    bass = np.where(has_bass, base["Bass"] + (chords["bass"] + shift) % 12, -1)
    return base["Chord"] + value, bass


class Reader:
    """Ids by family; a *place* is an index into them.

    Parameters
    ----------
    vocabulary
        Their vocabulary.
    ids
        A sequence that keeps the grammar.
    """

    def __init__(self, vocabulary: Vocabulary, ids: Ids) -> None:
        self.vocabulary = vocabulary
        self.family = vocabulary.family_of[ids]
        self.value: Ints = vocabulary.value_of[ids].astype(np.int64)
        self._places: dict[str, Ints] = {}

    def at(self, name: str) -> Ints:
        """Return the places of a family's tokens; none where the vocabulary lacks the family."""
        if name not in self._places:
            known = name in self.vocabulary.base
            index = self.vocabulary.index(name) if known else -1
            self._places[name] = np.flatnonzero(self.family == index)
        return self._places[name]

    def running(self, name: str, places: Ints) -> Ints:
        """Return the value of the last token of a family before each place."""
        at = self.at(name)
        return self.value[at[np.searchsorted(at, places) - 1]]

    def notes(self) -> tuple[Ints, Bools]:
        """Return the places of Pitch and Drum tokens, and which of them are Pitch."""
        pitched = self.family == self.vocabulary.index("Pitch")
        places = self.at("Pitch")
        if "Drum" in self.vocabulary.base:
            places = np.flatnonzero(pitched | (self.family == self.vocabulary.index("Drum")))
        return places, pitched[places]

    def durations(self, places: Ints, said: Bools) -> Ints:
        """Return note lengths in positions from the tokens at ``places``; 1 where not ``said``."""
        value = self.value[np.minimum(places, len(self.value) - 1)]
        return np.where(said, DURATIONS[np.where(said, value, 0)], 1)

    def velocities(self, value: Ints) -> Ints:
        """Return the velocity that stands for each Velocity value."""
        return bin_velocities(velocity_bin_count(self.vocabulary))[value]

    def chords(self, shift: int = 0) -> tuple[Ints, Ints, Ints, Ints]:
        """Return place, root, quality and bass of the chords, moved down by ``shift`` semitones."""
        places = self.at("Chord")
        value = self.value[places]
        root, quality = np.divmod(np.maximum(value - 1, 0), len(QUALITIES))
        root = np.where(value != NO_CHORD, (root - shift) % 12, -1)
        has_bass = np.isin(places + 1, self.at("Bass"), assume_unique=True)
        after = self.value[np.minimum(places + 1, len(self.value) - 1)]
        bass = np.where(has_bass, (after - shift) % 12, -1)
        return places, root, quality, bass
