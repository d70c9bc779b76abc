"""The mask of a cell whose part has a line to keep, and of chords that such parts hang on."""

from __future__ import annotations

from typing import Any

import numpy as np

from composer.decoding.bound_masks import BoundNoteMask
from composer.decoding.cell_masks import IDS_AN_ONSET, ChordCellMask
from composer.decoding.line_kernels import FOUND, NONE, find_tops, keep_positions
from composer.decoding.line_search import Lines
from composer.decoding.lines import PartLine
from composer.tokenizers.bins import DURATIONS
from composer.tokenizers.grammar import Cursor, Mask

#: Ids beyond those of the onsets owed that a note takes which is not yet the highest of its onset.
_SPARE = 6


class LineNoteMask(BoundNoteMask):
    """A cell under demands, of a part that has a line to keep.

    The line goes by the highest note of an onset, which is said last. So a note may be taken that
    the line cannot go by if one can follow above it, and the onset is then held open for that.

    Parameters
    ----------
    line
        The part's.
    start, bar
        Time at which the bar begins, and its number.
    others
        As for ``BoundNoteMask``.
    """

    looks_ahead = True

    def __init__(self, *arguments: Any, line: PartLine, start: int, bar: int, **others: Any):
        super().__init__(*arguments, **others)
        self._line = line
        self._start = start
        self._bar = bar
        self._before = line.last(start)[1]  # pitch of the line before the running onset
        self._top = -1  # highest pitch so far of the running onset
        self._fits = False  # whether the line may go by it
        self._done = 0  # onsets of the cell
        self._most = 0  # onsets that may follow the running one
        self._next_most = 0  # and those that may follow the next
        self._fewest = -1  # and that must follow now, -1 if the running one cannot be left
        self._tops = np.zeros(NONE, bool)

    def _hold(self, cursor: Cursor, mask: Mask, may_end: bool) -> None:
        if may_end:
            self._fewest = self._left_over(cursor)
            if self._fewest >= 0 and self._line.copies:
                ahead = self._line.ahead(self._start + cursor.position + 1, self._bar)
                self._fewest = max(self._fewest, ahead)
        else:
            self._fewest = -1
        super()._hold(cursor, mask, self._fewest >= 0)
        if self._fewest < 0:
            mask[self._slices["Position"]] = False

    def _left_over(self, cursor: Cursor) -> int:
        """Return the fewest onsets that must follow, or -1 if the running one cannot be left."""
        pitch = self._top
        if cursor.position < 0:
            pitch = self._before
        elif not self._fits:
            return -1
        time = self._start + cursor.position + 1
        return self._line.fewest(time, self._bar, pitch, self._done)

    def _to_come(self, cursor: Cursor) -> int:
        return max(super()._to_come(cursor), self._fewest)

    def _hold_positions(self, cursor: Cursor, positions: Mask, is_short: bool) -> None:
        super()._hold_positions(cursor, positions, False)
        self._next_most = max(self._fewest - 1, (self._left - 1) // IDS_AN_ONSET)
        keep_positions(
            positions,
            self._line.table,
            self._start,
            cursor.position,
            self._before if cursor.position < 0 else self._top,
            self._done,
            self._next_most,
        )

    def _playable(self, cursor: Cursor, lowest: int) -> Mask:
        playable = super()._playable(cursor, lowest)
        if cursor.state == "duration":
            return playable
        if self._fewest >= 0:
            self._most = max(self._fewest, (self._left - 1) // IDS_AN_ONSET)
        self._find_tops(cursor.position, self._most)
        held, tops = playable & self._tops, self._tops
        if self._has_room(cursor.position, 2):
            if self._slack() < self._most:
                kept = tops.copy()
                self._find_tops(cursor.position, self._slack())
                tops, self._tops = self._tops, kept
            above = np.flatnonzero(playable & tops)
            if len(above):
                held[: above[-1]] |= playable[: above[-1]]
        return held

    def _find_tops(self, position: int, most: int) -> None:
        time = self._start + position
        find_tops(self._tops, self._line.table, time, self._before, self._done, most)

    def _slack(self) -> int:
        """Return how many onsets there are ids for if the running one takes a note more."""
        return (self._left - _SPARE) // IDS_AN_ONSET

    def _has_room(self, position: int, notes: int) -> bool:
        bound = self._bound
        return bool(bound.sounding[position] + notes <= bound.most_sounding[position])

    def takes(self, cursor: Cursor, index: int) -> bool:
        """Return whether an id is taken, and enter it into the line if so."""
        vocabulary = self.grammar.vocabulary
        family = vocabulary.families[vocabulary.family_of[index]].name
        value = int(vocabulary.value_of[index])
        taken, ruled_out = True, [index]
        if index == self.after:
            taken = self._ends(cursor)
        elif family == "Position":
            taken = self._begins(cursor, value)
        elif family == "Velocity" and self._top >= 0:
            taken = self._looks(cursor.position, self._top + 1, NONE - 1)
        elif family == "Pitch":
            taken = self._adds(cursor, value - cursor.lowest)
        elif family == "Duration":
            taken = self._sounds(cursor, cursor.rank - cursor.lowest, int(DURATIONS[value]))
            last = self._slices["Duration"].stop
            ruled_out = [*range(index, last)]  # no longer one will do
        if not taken:
            self._refused += ruled_out
        return taken

    def _ends(self, cursor: Cursor) -> bool:
        """Leave the cell."""
        line, end = self._line, self._start + len(self._required)
        take_back, as_found = line.clear(self._running(cursor), self._top, end)
        if not line.has_way or as_found:
            return True
        if line.find(end, self._bar, self._done) == FOUND:
            return True
        take_back()
        return False

    def _begins(self, cursor: Cursor, position: int) -> bool:
        """Begin an onset."""
        line, time = self._line, self._start + position
        take_back, as_found = line.clear(self._running(cursor), self._top, time)
        if line.copies and not (as_found and line.line[time] >= 0):
            most = self._next_most + 1
            if line.find(time, self._bar, self._done, most=most, must=time) != FOUND:
                take_back()
                return False
        if self._top >= 0:
            self._before = self._top
        self._most, self._top, self._fits = self._next_most, -1, False
        self._done += 1
        return True

    def _running(self, cursor: Cursor) -> int:
        """Return the time of the running onset, or the one before the cell."""
        return self._start + cursor.position

    def _adds(self, cursor: Cursor, pitch: int) -> bool:
        """Add a note to an onset."""
        highest = pitch
        if self._has_room(cursor.position, 2) and self._slack() >= 0:
            highest = NONE - 1
        is_top = bool(self._tops[pitch])
        most = self._most if is_top else min(self._most, self._slack())
        if self._line.copies and not self._looks(cursor.position, pitch, highest, most):
            return False
        self._most = most
        return True

    def _looks(
        self,
        position: int,
        lowest: int,
        highest: int,
        most: int | None = None,
        *,
        again: bool = False,
    ) -> bool:
        """Return whether there is a way on with the highest note of the onset in a range."""
        line, time = self._line, self._start + position
        if not line.copies or (lowest <= line.line[time] <= highest and not again):
            return True
        most = self._most if most is None else most
        found = line.find(
            time, self._bar, self._done - 1, most=most + 1, must=time, lowest=lowest,
            highest=highest,
        )  # fmt: skip
        return found == FOUND

    def _sounds(self, cursor: Cursor, pitch: int, duration: int) -> bool:
        """Let a note of the running onset sound for so long."""
        line, time = self._line, self._start + cursor.position
        if duration > 1:
            take_back, tops = line.put(time, pitch, time + duration), self._tops.copy()
            if not self._goes_on(cursor, pitch, duration):
                take_back()
                self._tops = tops
                return False
        self._top, self._fits = pitch, bool(self._tops[pitch])
        if not line.copies:
            line.line[time] = pitch
        return True

    def _goes_on(self, cursor: Cursor, pitch: int, duration: int) -> bool:
        """Return whether there is a way on from a note that sounds so long, or from one above."""
        position = cursor.position
        self._find_tops(position, self._most)
        has_room = self._has_room(position, 2)
        tops = self._tops.copy()
        if has_room:
            tops[pitch + 1 :] &= super()._playable(cursor, cursor.lowest)[pitch + 1 :]
        else:
            tops[pitch + 1 :] = False
        if not tops[pitch:].any():
            return False
        time = self._start + position
        if not self._line.copies or self._line.is_open(time + 1, time + duration):
            return True
        return self._looks(position, pitch, NONE - 1 if has_room else pitch, again=True)


class LineChordMask(ChordCellMask):
    """A cell of chords on which lines hang: one chord, under which each of them can go on.

    Parameters
    ----------
    lines, bar
        The lines, and the bar's number.
    others
        As for ``ChordCellMask``.
    """

    looks_ahead = True

    def __init__(self, lines: Lines, bar: int, *arguments: Any, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self._lines = lines
        self._bar = bar

    def _narrow(self, cursor: Cursor, mask: Mask) -> None:
        super()._narrow(cursor, mask)
        if self.rows:
            mask[self._slices["Position"]] = False

    def takes(self, cursor: Cursor, index: int) -> bool:
        """Return whether an id is taken; a chord only if lines can go on under it."""
        value = index - self._slices["Chord"].start
        if not 0 <= value < self._slices["Chord"].stop - self._slices["Chord"].start:
            return True
        if self._lines.take_chord(self._bar, self._chord(value)):
            return True
        self._refused.append(value - 1)
        return False
