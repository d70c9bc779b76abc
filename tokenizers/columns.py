"""What the codecs share: columns made into ids, and read back from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from composer.score.events import Events
from composer.theory.chords import chord_at, chord_index
from composer.tokenizers.bins import DURATIONS, bin_velocities
from composer.tokenizers.families import NO_CHORD
from composer.tokenizers.vocabulary import Ids, Vocabulary

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Families = npt.NDArray[np.int16]  # as `Vocabulary.family_of` has them

#: Where a grammar's table leaves the next state to a branch.
BRANCHES = -2


def changes(column: npt.NDArray[Any]) -> Bools:
    """Return where a column differs from the row before; True in the first row."""
    changed = np.ones(len(column), bool)
    np.not_equal(column[1:], column[:-1], out=changed[1:])
    return changed


def chord_columns(vocabulary: Vocabulary, chords: Events, shift: int = 0) -> tuple[Ints, Ints]:
    """Return the Chord and the Bass id of chords moved up by ``shift`` semitones, -1 for no bass.

    ``chords`` has the columns ``root``, ``quality`` and ``bass`` of
    ``composer.score.grid.CELL_CHORD``.
    """
    base = vocabulary.base
    sounding = chords["root"] >= 0
    root = (chords["root"] + shift) % 12
    value = np.where(sounding, 1 + chord_index(root, chords["quality"]), NO_CHORD)
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
        self.family = vocabulary.family_of.take(ids)
        self.value: Ints = vocabulary.value_of.take(ids)
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
        return bin_velocities(self.vocabulary.count("Velocity"))[value]

    def chords(self, shift: int = 0) -> tuple[Ints, Ints, Ints, Ints]:
        """Return place, root, quality and bass of the chords, moved down by ``shift`` semitones."""
        places = self.at("Chord")
        if not len(places):
            return places, places, places, places
        value = self.value[places]
        root, quality = chord_at(np.maximum(value - 1, 0))
        root = np.where(value != NO_CHORD, (root - shift) % 12, -1)
        has_bass = np.isin(places + 1, self.at("Bass"), assume_unique=True)
        after = self.value[np.minimum(places + 1, len(self.value) - 1)]
        bass = np.where(has_bass, (after - shift) % 12, -1)
        return places, root, quality, bass
