"""What makes ids of a cell more or less likely than the model holds, by what stands around it.

Nothing here forbids an id; masks do that. ``Sampling`` says what each setting is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from composer.constraints.pitches import PitchRange
from composer.feasibility.chords import CHORDS
from composer.generate.repeats import Groove, Kit
from composer.masks.cell import CellMask
from composer.masks.chord import ChordCellMask
from composer.request.sampling import Sampling
from composer.score.grid import Grid
from composer.theory.chords import QUALITIES, chord_index
from composer.theory.keys import Key
from composer.tokenizers.families import transposition
from composer.tokenizers.grammar import Cursor
from composer.tokenizers.vocabulary import Vocabulary

_BEHIND_A_CHORD = frozenset(("bass", "after bass"))
#: Semitones from one bass to the next that lead to most inversions of lead sheets and hymns.
_STEPS = (-2, -1, 0, 1, 2)
#: Values of ``Chord`` with more than three notes.
_RICH = [1 + i for i, chord in enumerate(CHORDS) if len(QUALITIES[chord.quality].intervals) > 3]


#: Semitones from an end of a range that count as near it.
_OUTER = 5


class LogitBias:
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
    role
        What the part of the cell is. A bass shares the onsets of others, as drums do.
    groove
        What drums may go on with.
    tessitura
        What the pitches of a melody lie in the middle of.
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
        role: str | None = None,
        groove: Groove | None = None,
        tessitura: PitchRange | None = None,
        endless: bool = False,
    ) -> None:
        self._base = vocabulary.base
        self._groove = groove
        is_drums = column > 0 and bool(grid.parts[column - 1].is_drum)
        begins = is_drums and not groove and sampling.full_kit != 1
        self._kit = Kit(vocabulary, sampling.full_kit) if begins else None
        self._positions = vocabulary.slices["Position"]
        self._sampling = sampling
        self._is_last = bar == len(grid.bars) - 1 and not endless
        self._chords: dict[int, float] = {}
        #: What bar, position, root, quality and bass the chord before the cell has.
        self._before = [tuple(row) for row in grid.chords[grid.chords["bar"] < bar][-1:].tolist()]
        self._shift = transposition(grid.key)
        self._tonic = _tonic_chords(grid.key)
        if not column:
            held = [self._value(row[2], row[3]) for row in self._before if row[2] >= 0]
            is_end = (bar == 0 and not endless) or self._is_last
            self._lean("Chord", held, sampling.repeat_chords)
            self._lean("Chord", self._tonic if is_end else (), sampling.tonic_ends)
            self._lean("Chord", _RICH, sampling.sevenths)
        #: Position -> pitches that begin there in other parts.
        self._beside: dict[int, list[int]] = {}
        if column and (sampling.double_notes != 1 or sampling.share_onsets != 1):
            notes = grid.notes[grid.notes["bar"] == bar]
            for row in notes[notes["part"] != column - 1]:
                if not grid.parts[int(row["part"])].is_drum:
                    self._beside.setdefault(int(row["position"]), []).append(int(row["pitch"]))
        #: Pitch -> what its probability is multiplied by because it is near the end of a range.
        self._outer: dict[int, float] = {}
        if tessitura and sampling.extremes != 1:
            for pitch in range(128):
                inside = min(pitch - tessitura.low, tessitura.high - pitch)
                if inside < _OUTER:
                    self._outer[pitch] = sampling.extremes ** min(_OUTER, _OUTER - inside)
        keeps_time = role == "bass" or not column or is_drums
        onsets = () if keeps_time or sampling.share_onsets == 1 else self._beside
        self._shared = {self._positions.start + at: sampling.share_onsets for at in onsets}

    def changes(self, cursor: Cursor, mask: CellMask) -> dict[int, float]:
        """Return what the probabilities of some ids are multiplied by where a cursor stands.

        Parameters
        ----------
        cursor
            Where the sequence stands.
        mask
            The cell's, which knows what it holds so far.
        """
        if self._groove:
            return self._groove.changes(cursor, mask.after)
        if self._kit:
            return self._kit.changes(mask.rows)
        if isinstance(mask, ChordCellMask) and cursor.state in _BEHIND_A_CHORD:
            return self._behind(cursor, mask)
        lowest, factor = self._base["Pitch"] + cursor.lowest, self._sampling.double_notes
        pitches = {**self._outer}
        for pitch in self._beside.get(cursor.position, ()) if factor != 1 else ():
            pitches[pitch] = pitches.get(pitch, 1.0) * factor
        return self._chords or {**self._shared, **{lowest + p: by for p, by in pitches.items()}}

    def _behind(self, cursor: Cursor, mask: ChordCellMask) -> dict[int, float]:
        """Return the changes where a chord has been said: of its bass, and of going on."""
        ends, inversions = self._sampling.tonic_ends, self._sampling.inversions
        changes, rows = dict[int, float](), mask.rows
        if self._is_last and ends != 1:
            first = self._positions.start
            if self._value(*rows[-1][1:3]) in self._tonic and rows[-1][3] < 0:
                changes = dict.fromkeys(range(first, self._positions.stop), 1 / ends)
            else:  # the model does not know that the piece ends, so that it takes more than there
                changes = dict.fromkeys((first + at for at in mask.where(self._tonic)), ends**2)
        before = [*(row[1:] for row in self._before), *rows[:-1]]
        if inversions < 1:
            changes |= {self._base["Bass"] + value: inversions for value in range(12)}
        elif inversions > 1 and before and not self._is_last:
            _, root, _, bass = before[-1]
            lowest = root if bass < 0 else bass
            for step in _STEPS if lowest >= 0 else ():
                changes[self._base["Bass"] + (lowest + step + self._shift) % 12] = inversions
        return changes

    def _value(self, root: int, quality: int) -> int:
        """Return the value of ``Chord`` that says a chord of the piece."""
        return 1 + chord_index((root + self._shift) % 12, quality)

    def _lean(self, family: str, values: Iterable[int], factor: float) -> None:
        """Multiply what chords lean to where one is chosen."""
        if factor != 1:
            for value in values:
                index = self._base[family] + value
                self._chords[index] = self._chords.get(index, 1.0) * factor


@lru_cache
def _tonic_chords(key: Key) -> frozenset[int]:
    """Return the values of ``Chord`` that are on a key's tonic and have its third."""
    root = (key.tonic + transposition(key)) % 12
    third = 3 if key.is_minor else 4
    return frozenset(
        1 + i
        for i, chord in enumerate(CHORDS)
        if chord.root == root and third in QUALITIES[chord.quality].intervals
    )
