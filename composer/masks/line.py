"""The mask of a cell whose part has a line to keep, and of chords that such parts hang on.

Tables are asked which ids leave a way on, so that their masks are exact; where that is too dear, an
id is tried once it is chosen, and ruled out if it leaves none. ``composer.feasibility.lines`` says
which is done when.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from composer.feasibility.chords import CHORDS, ChordChoice
from composer.feasibility.line_kernels import FOUND, NONE, find_tops, keep_positions
from composer.feasibility.line_search import Lines
from composer.feasibility.lines import PartLine
from composer.masks.cell import IDS_A_NOTE, IDS_AN_ONSET
from composer.masks.chord import ChordCellMask
from composer.masks.demanded import BoundedNoteMask
from composer.theory.chords import CHORD_COUNT
from composer.tokenizers.bins import DURATIONS
from composer.tokenizers.grammar import Cursor, Mask

#: Ids beyond those of the onsets owed that a note takes which is not yet the highest of its onset.
_SPARE = 6


class LineNoteMask(BoundedNoteMask):
    """A cell under demands, of a part that has a line to keep.

    The line goes by the highest note of an onset, which is said last. So a note may be taken that
    the line cannot go by if one can follow above it, and the onset is then held open for that: a
    free note, or one that stays and is said in its place.

    Parameters
    ----------
    line
        The part's.
    start, bar
        Time at which the bar begins, and its number.
    others
        As for ``BoundedNoteMask``.
    """

    looks_ahead = True

    def __init__(self, *arguments: Any, line: PartLine, start: int, bar: int, **others: Any):
        super().__init__(*arguments, **others)
        self._line = line
        self._start = start
        self._bar = bar
        self._before = line.last(start)[1]  # where the line stands before the running onset
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
                self._fewest = max(self._fewest, self._ahead(cursor.position))
        else:
            self._fewest = -1
        super()._hold(cursor, mask, self._fewest >= 0)
        if self._fewest < 0:
            mask[self._slices["Position"]] = False

    def _left_over(self, cursor: Cursor) -> int:
        """Return the fewest onsets that must follow, or -1 if the running one cannot be left."""
        if cursor.position >= 0 and not self._fits:
            return -1
        time = self._start + cursor.position + 1
        return self._line.fewest(time, self._bar, self._state(cursor), self._done)

    def _ahead(self, position: int) -> int:
        """Return how many onsets the way on has in the bar behind a position."""
        return self._line.ahead(self._start + position + 1, self._bar)

    def _state(self, cursor: Cursor) -> int:
        """Return where the line stands with the running onset as it is."""
        if cursor.position < 0:
            return self._before
        return self._line.state_of(self._start + cursor.position, self._top)

    def _to_come(self, cursor: Cursor) -> int:
        return max(super()._to_come(cursor), self._fewest)

    def _hold_positions(self, cursor: Cursor, positions: Mask, is_short: bool) -> None:
        super()._hold_positions(cursor, positions, False)
        self._next_most = max(self._fewest - 1, (self._ids() - 1) // IDS_AN_ONSET)
        keep_positions(
            positions,
            self._line.table,
            self._start,
            cursor.position,
            self._state(cursor),
            self._done,
            self._next_most,
        )

    def _playable(self, cursor: Cursor) -> tuple[Mask, bool]:
        (playable, _), position = super()._playable(cursor), cursor.position
        passing = self._line.table.passing[self._start + position]
        if self._top >= 0 and passing[self._top]:
            return self._nothing, False
        if self._fewest >= 0:
            self._most = max(self._fewest, (self._ids() - 1) // IDS_AN_ONSET)
        self._find_tops(position, self._most)
        held, tops = playable & self._tops, self._tops
        # With less room for ids the line may have less to go by.
        slack = self._slack(cursor)
        if slack < min(self._most, self._line.most(self._bar) - self._done):
            kept = tops.copy()
            self._find_tops(position, slack)
            tops, self._tops = self._tops, kept
        lower = playable & ~passing
        stays = self._bound.locked.highest(position)
        if stays > self._top and tops[stays]:
            held[:stays] |= lower[:stays]
        above = (playable & tops).nonzero()[0]
        if len(above) and self._has_room(position, 2):
            lower[above[-1] :] = False
            for pitch in np.flatnonzero(lower & ~held).tolist() if self._bound.hands else ():
                lower[pitch] = (self._highest(position, pitch, playable) & tops).any()
            held |= lower
        return held, bool(held.any())

    def _highest(self, position: int, pitch: int, playable: Mask) -> Mask:
        """Return which pitches the running onset may have as its highest if it takes one, (128,).

        Parameters
        ----------
        position
            Of the onset.
        pitch
            What it takes.
        playable
            Shape (128,): what could be taken in its place.
        """
        bound, tops = self._bound, np.zeros(NONE, bool)
        is_new = bound.locked.at(position, pitch) is None
        first = max(pitch, bound.locked.highest(position))
        tops[first] = True
        is_last = self._line.table.passing[self._start + position, pitch]
        if not is_last and self._has_room(position, 1 + is_new):
            tops[first + 1 :] = playable[first + 1 :]
            if bound.hands and is_new:
                tops[first + 1 :] &= bound.hands.with_pitch(position, pitch)[first + 1 :]
        return tops

    def _find_tops(self, position: int, most: int) -> None:
        time = self._start + position
        find_tops(self._tops, self._line.table, time, self._before, self._done, most)

    def _ids(self) -> int:
        """Return how many ids are left beside those of the notes that stay."""
        return self._left - IDS_A_NOTE * self._stay

    def _slack(self, cursor: Cursor) -> int:
        """Return how many onsets there are ids for if the running one takes a note more.

        It is the same before and after the velocity of that note.
        """
        has_velocity = "Velocity" not in self.grammar.table[cursor.state]
        return (self._ids() + has_velocity - _SPARE) // IDS_AN_ONSET

    def _has_room(self, position: int, notes: int) -> bool:
        bound = self._bound
        return bool(bound.sounding[position] + notes <= bound.most_sounding[position])

    def allows(self, cursor: Cursor, index: int) -> bool:
        """Return whether an id is taken, and enter it into the line if so."""
        family, value = self.grammar.decode_id(index)
        taken, ruled_out = True, [index]
        if index == self.after:
            taken = self._ends(cursor)
        elif family == "Position":
            taken = self._begins(cursor, value)
        elif family == "Velocity":
            taken = self._is_said_so(cursor, value)
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
        undo, as_found = line.clear(self._running(cursor), self._top, end)
        if not line.has_way or as_found:
            return True
        if line.find(end, self._bar, self._done) == FOUND:
            return True
        undo()
        return False

    def _begins(self, cursor: Cursor, position: int) -> bool:
        """Begin an onset."""
        line, time = self._line, self._start + position
        undo, as_found = line.clear(self._running(cursor), self._top, time)
        if line.copies and not (as_found and line.line[time] >= 0):
            most = self._next_most + 1
            if line.find(time, self._bar, self._done, most=most, must=time) != FOUND:
                undo()
                return False
        if self._top >= 0:
            self._before = self._state(cursor)
        self._most, self._top, self._fits = self._next_most, -1, False
        self._done += 1
        return True

    def _running(self, cursor: Cursor) -> int:
        """Return the time of the running onset, or the one before the cell."""
        return self._start + cursor.position

    def _is_said_so(self, cursor: Cursor, velocity: int) -> bool:
        """Say how loud the next note of an onset is: there has to be one that is."""
        staying = self._staying(cursor)
        is_first = staying is None and self._top < 0
        if not self._line.copies or is_first or (staying and self._is_loud(staying)[velocity]):
            return True
        position, (playable, _) = cursor.position, self._playable(cursor)
        if staying is None:
            return self._looks(position, playable, self._most)
        (free, _), tops = super()._playable(cursor), np.zeros(NONE, bool)
        for pitch in np.flatnonzero(playable[: staying.pitch]).tolist():
            tops |= self._highest(position, pitch, free)
        return self._looks(position, tops, min(self._most, self._slack(cursor)))

    def _adds(self, cursor: Cursor, pitch: int) -> bool:
        """Add a note to an onset."""
        position, stays = cursor.position, self._bound.locked.highest(cursor.position)
        is_free = self._bound.locked.at(position, pitch) is None
        most = self._most
        if is_free and (pitch < stays or not self._tops[pitch]):
            most = min(most, self._slack(cursor))
        way = self._line.line[self._start + position]
        if self._line.copies and (way != pitch or self._ahead(position) > most):
            free, _ = super()._playable(cursor)
            tops = self._highest(position, pitch, free)
            if (is_free or not tops[way]) and not self._looks(position, tops, most):
                return False
        self._most = most
        return True

    def _looks(self, position: int, tops: Mask, most: int, *, again: bool = False) -> bool:
        """Return whether there is a way on with one of some pitches as the highest of the onset."""
        line, time = self._line, self._start + position
        if not line.copies:
            return True
        if tops[line.line[time]] and self._ahead(position) <= most and not again:
            return True
        found = line.find(time, self._bar, self._done - 1, most=most + 1, must=time, tops=tops)
        return found == FOUND

    def _sounds(self, cursor: Cursor, pitch: int, duration: int) -> bool:
        """Let a note of the running onset sound for so long."""
        line, time = self._line, self._start + cursor.position
        # What stays, with the length it has, has been heard from the beginning.
        if duration > 1 and not self._bound.locked.is_given(cursor.position, pitch):
            undo, tops = line.put(time, pitch, time + duration), self._tops.copy()
            if not self._goes_on(cursor, pitch, duration):
                undo()
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
        free, _ = super()._playable(cursor)
        tops = self._highest(position, pitch, free)
        if not (tops & self._tops).any():
            return False
        time = self._start + position
        if not self._line.copies or self._line.is_open(time + 1, time + duration):
            return True
        return self._looks(position, tops, self._most, again=True)


class LineChordMask(ChordCellMask):
    """A cell of chords on which lines hang, under which each of them can go on.

    Some chords under which all can go on are known at any time, those yet to come among them. What
    is told in their place is tried before it is taken.

    Parameters
    ----------
    lines, bar
        The lines, and the bar's number.
    choice
        As for ``ChordCellMask``.
    others
        As for ``ChordCellMask``.
    """

    looks_ahead = True

    def __init__(
        self, lines: Lines, bar: int, *arguments: Any, choice: ChordChoice, **others: Any
    ) -> None:
        super().__init__(*arguments, choice=choice, **others)
        self._plans = choice
        self._lines = lines
        self._bar = bar
        #: Chords that were tried at a position and left a part no line, as the vocabulary has them.
        self._refused: dict[int, npt.NDArray[np.bool_]] = {}
        self._ends: dict[int, bool] = {}  # by the number of chords

    def allows(self, cursor: Cursor, index: int) -> bool:
        """Return whether an id is taken: a chord or its position only if lines can go on then."""
        family, value = self.grammar.decode_id(index)
        if family == "Chord":
            return self._can_begin(cursor.position, value - 1)
        if family == "Position" and self.rows:
            chords = np.flatnonzero(self._chords_at(value)).tolist()
            return any(self._can_begin(value, chord) for chord in chords)
        return True

    def _can_begin(self, position: int, chord: int) -> bool:
        """Return whether a chord can begin, by its place in the vocabulary; lines then go by it."""
        number = self._number(chord + 1)
        so_far = (*self._plans.taken, (position, CHORDS[number]))
        if self._lines.plan(self._bar)[: len(so_far)] == so_far:
            return True
        plan = self._plans.plan(position, number)
        if self._lines.take_plan(self._bar, plan):
            return True
        refused = self._refused.setdefault(position, np.zeros(CHORD_COUNT, bool))
        refused[chord] = True
        return False

    def _possible(self, position: int) -> npt.NDArray[np.bool_]:
        possible = super()._possible(position)
        return possible & ~self._refused.get(position, np.zeros_like(possible))

    def _may_end(self) -> bool:
        if len(self.rows) not in self._ends:
            can = super()._may_end() and self._lines.take_plan(self._bar, self._plans.taken)
            self._ends[len(self.rows)] = can
        return self._ends[len(self.rows)]
