"""The grammar's mask narrowed to one cell: its rules, its room, and the one way out of it.

Nothing here can run dry. A cell may always end where the grammar lets it, unless it still owes an
onset and has a position for it; a position is open only if a pitch is; a velocity only if a note
can follow; the shortest duration always fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from composer.constraints import ChordMask, PitchMask
from composer.theory import QUALITIES, Chord
from composer.tokenizers.bins import DURATIONS
from composer.tokenizers.cells_vocabulary import NO_CHORD
from composer.tokenizers.grammar import Cursor, Grammar, Mask

_CONTENT = ("Position", "Velocity", "Pitch", "Drum", "Duration", "Chord", "Bass")


class CellMask:
    """What all cells share: content, the ids a cell may hold, and the id that comes after it.

    Parameters
    ----------
    grammar
        Grammar of the format.
    after
        The id that follows the cell.
    budget
        Ids after which the cell begins nothing new.
    """

    def __init__(self, grammar: Grammar, after: int, budget: int) -> None:
        self.grammar = grammar
        self.after = after
        self.left = budget
        self._slices = grammar.vocabulary.slices
        self._content = np.zeros(grammar.vocabulary.size, bool)
        for family in _CONTENT:
            self._content[self._slices[family]] = True
        self._position_base = self._slices["Position"].start

    def allowed(self, cursor: Cursor) -> Mask:
        """Return which ids may come next, shape (V,)."""
        mask = self.grammar.allowed(cursor)
        may_end = bool(mask[self.after])
        mask &= self._content
        self.narrow(cursor, mask)
        if self.left <= 0 and may_end:
            mask[:] = False
        if may_end and (self.settled() or not mask.any()):
            mask[self.after] = True
        return mask

    def took(self, index: int) -> None:
        """Hear that an id was chosen."""
        self.left -= 1
        if index in range(self._slices["Position"].start, self._slices["Position"].stop):
            self.began(index - self._position_base)

    def narrow(self, cursor: Cursor, mask: Mask) -> None:
        """Narrow the content in place."""
        raise TypeError("CellMask is only a base")

    def began(self, position: int) -> None:
        """Hear that an onset began."""

    def finish(self) -> None:
        """Hear that the cell is over."""

    def settled(self) -> bool:
        """Return whether the cell owes nothing more."""
        return True


class NoteMask(CellMask):
    """A cell of notes or of drum hits.

    Parameters
    ----------
    pitches
        Shape (positions, 128): which may begin where.
    room
        Positions from the bar's start by which every note has ended.
    busy_until
        Position before which nothing may begin, because a note of before still sounds.
    monophonic, most_notes, least_onsets
        As in ``PartRules``.
    heard
        Told, when the cell is over, the position until which a monophonic part sounds.
    """

    def __init__(
        self,
        grammar: Grammar,
        after: int,
        budget: int,
        *,
        pitches: PitchMask,
        room: int,
        busy_until: int = 0,
        monophonic: bool = False,
        most_notes: int = 6,
        least_onsets: int = 0,
        heard: Callable[[int], None] = lambda until: None,
    ) -> None:
        super().__init__(grammar, after, budget)
        self.pitches = pitches
        self.room = room
        self.busy_until = busy_until
        self.monophonic = monophonic
        self.most_notes = 1 if monophonic else most_notes
        self.owed = least_onsets
        self._heard = heard
        self.together = 0  # notes of the running onset
        self._onset = 0
        self._playable = pitches.any(1)

    def narrow(self, cursor: Cursor, mask: Mask) -> None:
        """Keep to the rules' pitches and to the room there is."""
        at = self._slices
        positions = mask[at["Position"]]
        positions[len(self._playable) :] = False
        positions[: len(self._playable)] &= self._playable
        positions[: self.busy_until] = False
        if cursor.position < 0:
            return
        family = "Drum" if cursor.state in ("drum onset", "drum", "hit") else "Pitch"
        notes = mask[at[family]]
        low = 0 if family == "Drum" else cursor.lowest
        open_notes = self.pitches[cursor.position].copy()
        open_notes[: max(0, cursor.rank + 1 - low)] = False
        if self.together >= self.most_notes:
            open_notes[:] = False
        notes[:low] = False
        notes[low + 128 :] = False
        notes[low : low + 128] &= open_notes
        if not open_notes.any():
            mask[at["Velocity"]] = False
        mask[at["Duration"]] &= self.room - cursor.position >= DURATIONS

    def began(self, position: int) -> None:
        """Count an onset."""
        self.owed -= 1
        self.together = 0
        self._onset = position

    def took(self, index: int) -> None:
        """Count notes, and hold the line of a part that plays one at a time."""
        super().took(index)
        at = self._slices
        if at["Pitch"].start <= index < at["Drum"].stop:
            self.together += 1
        elif index >= at["Duration"].start and self.monophonic:
            self.busy_until = self._onset + int(DURATIONS[index - at["Duration"].start])

    def finish(self) -> None:
        """Say until when the part is busy."""
        self._heard(self.busy_until)

    def settled(self) -> bool:
        """Return whether there are onsets enough."""
        return self.owed <= 0


class ChordCellMask(CellMask):
    """A cell of chords.

    Parameters
    ----------
    chords
        Position -> which chords may begin there, shape (12, qualities); the first is position 0.
    shift
        Semitones from a real root to the one relative to the home key.
    heard
        Told, when the cell is over, the (position, chord) it holds.
    """

    def __init__(
        self,
        grammar: Grammar,
        after: int,
        budget: int,
        *,
        chords: dict[int, ChordMask],
        shift: int,
        heard: Callable[[tuple[tuple[int, Chord | None], ...]], None] = lambda chords: None,
    ) -> None:
        super().__init__(grammar, after, budget)
        self._open = {
            position: np.roll(mask, shift, axis=0).ravel() for position, mask in chords.items()
        }
        self._last = NO_CHORD
        self._shift = shift
        self._heard = heard
        self._chords: list[tuple[int, Chord]] = []
        self._position = 0

    def narrow(self, cursor: Cursor, mask: Mask) -> None:
        """Keep to the positions and chords that are open."""
        at = self._slices
        positions = mask[at["Position"]]
        later = [p for p in self._open if positions[p] and (p > 0) == bool(self._chords)]
        positions[:] = False
        positions[later] = True
        if cursor.state == "chord":
            chords = mask[at["Chord"]]
            chords[1:] &= self._open[cursor.position]
            chords[NO_CHORD] = False
            if chords.sum() > 1:
                chords[self._last] = False  # to say a chord again in a bar says nothing
        if cursor.state == "bass":
            mask[at["Bass"]] &= np.isin(np.arange(12), _tones(cursor.rank))

    def took(self, index: int) -> None:
        """Remember the chord."""
        super().took(index)
        at = self._slices
        if at["Chord"].start <= index < at["Chord"].stop:
            self._last = index - at["Chord"].start
            root, quality = divmod(self._last - 1, len(QUALITIES))
            self._chords.append((self._position, Chord((root - self._shift) % 12, quality)))
        elif at["Bass"].start <= index < at["Bass"].stop:
            position, chord = self._chords[-1]
            bass = (index - at["Bass"].start - self._shift) % 12
            self._chords[-1] = position, Chord(chord.root, chord.quality, bass)

    def began(self, position: int) -> None:
        """Hear where a chord begins."""
        self._position = position

    def finish(self) -> None:
        """Say which chords the bar has."""
        self._heard(tuple(self._chords))

    def settled(self) -> bool:
        """Return whether the bar has a chord."""
        return bool(self._chords)


def _tones(value: int) -> npt.NDArray[np.int64]:
    """Return the pitch classes of a Chord value, relative to the home key."""
    root, quality = divmod(value - 1, len(QUALITIES))
    return np.asarray((root + np.array(QUALITIES[quality].intervals)) % 12)


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
