"""The grammar's mask narrowed to one cell: its rules, its room, and the one way out of it.

What all cells share is here, and cells of notes. Nothing can run dry. A cell may always end where
the grammar lets it, unless it still owes something and has a position for it: an onset, the last
one of a piece, or what follows a note that leans on the chord. A position is open only if a pitch
is; a velocity only if a note can follow; the shortest duration always fits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.constraints.base import PitchMask
from composer.feasibility.cell_kernels import find_playable, leave_open
from composer.masks.suspensions import Suspensions
from composer.tokenizers.bins import DURATIONS, bin_velocities
from composer.tokenizers.grammar import Cursor, Grammar, Mask

#: Positions counted from the bar's start, of pitches along the last axis.
PitchTimes = npt.NDArray[np.int64]

IDS_AN_ONSET, IDS_A_NOTE = 4, 3  # Position, and Velocity, Pitch and Duration
_AMPLE = 1 << 20  # more ids than any cell takes
_ROOM_TO_LEAN = 3 * IDS_AN_ONSET  # for a note that leans, for what follows it, and for a close
_NEAR = 7  # semitones that a melody moves at most to its last note, where it can

#: Families that a cell may hold.
CONTENT = frozenset(("Position", "Velocity", "Pitch", "Drum", "Duration", "Chord", "Bass"))
#: States of the grammar in a cell of drums, once it has an onset.
DRUM_STATES = ("drum onset", "drum", "hit")


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

    #: Whether ids are tried before they are taken, so that no cell can be said again unseen.
    looks_ahead = False

    def __init__(self, grammar: Grammar, after: int, budget: int) -> None:
        self.grammar = grammar
        self.after = after
        #: What the cell holds so far: rows of ``CELL_NOTE`` or ``CELL_CHORD`` from position on.
        self.rows: list[tuple[int, ...]] = []
        self._left = budget
        self._slices = grammar.vocabulary.slices
        self._exits: dict[str, bool] = {}

    def allowed(self, cursor: Cursor) -> Mask:
        """Return which ids may come next, shape (V,)."""
        mask = self.grammar.allowed(cursor, CONTENT)
        self._settle(cursor, mask, self._can_exit(cursor))
        return mask

    def _can_exit(self, cursor: Cursor) -> bool:
        """Return whether the grammar lets the cell end; its content has no say in that."""
        if cursor.state not in self._exits:
            self._exits[cursor.state] = self.grammar.allows(cursor, self.after)
        return self._exits[cursor.state]

    def allows(self, cursor: Cursor, index: int) -> bool:
        """Return whether an id that is allowed and was chosen is taken; if not, it is ruled out.

        Where it is dear to look ahead, only what was chosen is looked at. At least one is taken.
        """
        return True

    def allowed_at_all(self, cursor: Cursor) -> Mask:
        """Return which ids may come next with some budget or other, shape (V,)."""
        budget, self._left = self._left, _AMPLE
        mask = self.allowed(cursor)
        self._left = 0
        mask |= self.allowed(cursor)
        self._left = budget
        return mask

    def accept(self, cursor: Cursor, index: int) -> None:
        """Note what an id of the cell says; the cursor has moved over it."""
        self._left -= 1
        self._accept(*self.grammar.decode_id(index), cursor)

    def _settle(self, cursor: Cursor, mask: Mask, may_end: bool) -> None:
        """Narrow the content in place, and open the way out."""
        self._narrow(cursor, mask)
        if self._left <= 0 and may_end and not self._must_go_on():
            mask[:] = False
        if may_end and (self._settled() or not mask.any()):
            mask[self.after] = True

    def _narrow(self, cursor: Cursor, mask: Mask) -> None:
        """Narrow the content in place."""
        raise TypeError("CellMask is only a base")

    def _accept(self, family: str, value: int, cursor: Cursor) -> None:
        """Note one value of a family."""
        raise TypeError("CellMask is only a base")

    def _settled(self) -> bool:
        """Return whether the cell owes nothing more."""
        raise TypeError("CellMask is only a base")

    def _must_go_on(self) -> bool:
        """Return whether it owes something that no budget lets it off."""
        return False


class Close(NamedTuple):
    """How the cell of a part comes to its close: with a last onset, which is held."""

    #: Where it may be, in order: at the last one at the latest.
    positions: tuple[int, ...]
    #: Which pitches it may have there, shape (positions of the bar, 128).
    pitches: PitchMask
    #: How many positions it lasts at least, where there is room; without it, as long as it can.
    least: int | None = None

    def following(self, position: int) -> int:
        """Return where the last onset may be after one of the positions but the last."""
        return self.positions[self.positions.index(position) + 1]

    def narrowed(self, pitches: PitchMask) -> PitchMask:
        """Return pitches, shape (positions, 128), without those that begin after the last onset."""
        last = self.positions[-1]
        pitches = pitches.copy()
        pitches[last] = self.pitches[last]
        pitches[last + 1 :] = False
        return pitches


class NoteMask(CellMask):
    """A cell of notes or of drum hits; no pitch begins while it still sounds.

    Parameters
    ----------
    pitches
        Shape (positions, 128): which may begin where.
    busy
        Shape (128,): the position before which each pitch may not begin, because it still sounds
        from a bar before.
    room
        Shape (positions, 128): the position at which a pitch must have ended that begins there.
    monophonic, most_notes, least_notes, least_onsets
        As in ``PartRules``.
    strong
        Positions at which ``least_notes`` holds.
    last
        Pitches of the part's last onset before the bar.
    close
        How the cell comes to its close; None to leave its end free.
    suspensions
        Which of the pitches lean on the chord; for a part of one note at a time.
    """

    def __init__(
        self,
        grammar: Grammar,
        after: int,
        budget: int,
        *,
        pitches: PitchMask,
        sounding_until: PitchTimes,
        latest_offset: PitchTimes,
        monophonic: bool = False,
        most_notes: int = 6,
        least_notes: int = 1,
        least_onsets: int = 0,
        strong: Collection[int] = (),
        last: Sequence[int] = (),
        close: Close | None = None,
        suspensions: Suspensions | None = None,
    ) -> None:
        super().__init__(grammar, after, budget)
        self._close = close
        self._suspensions = suspensions
        self._is_last = False  # whether the running onset is the one that closes
        self._pitches = pitches
        self._sounding_until = sounding_until.copy()
        self._latest_offset = latest_offset
        self._monophonic = monophonic
        self._most_notes = 1 if monophonic else most_notes
        self._least_notes = 1 if monophonic else least_notes
        self._strong = frozenset(strong)
        self._owed = least_onsets
        self._together = 0  # notes of the running onset
        self._at = -1  # its position
        #: Pitches of the onset before the running one.
        self.last = last
        self._holding = False  # whether the onset still owes notes
        self._velocities = bin_velocities(grammar.vocabulary.count("Velocity"))

    def _narrow(self, cursor: Cursor, mask: Mask) -> None:
        at = self._slices
        self._holding = False
        if cursor.state == "duration":
            self._end_in_time(cursor, mask[at["Duration"]])
            return
        if "Position" in self.grammar.table[cursor.state]:
            leave_open(mask[at["Position"]], self._pitches, self._sounding_until)
            if self._suspensions and self._suspensions.must_resolve:
                _prefer(mask[at["Position"]][: len(self._pitches)], self._suspensions.positions())
            self._come_to_the_close(mask)
        if cursor.position < 0:
            return
        playable, can_add = above(cursor, self._pitches, self._sounding_until)
        if self._together >= self._most_notes or not can_add:
            playable[:] = False
            mask[at["Velocity"]] = False
        else:
            self._fill_up(cursor, mask, playable)
            self._move_on(cursor.position, playable)
        pitches = self._pitch_ids(cursor, mask)
        pitches &= playable

    def _end_in_time(self, cursor: Cursor, lengths: Mask) -> None:
        """Leave, in place, the lengths after which a note leaves room for what follows it."""
        position, pitch = cursor.position, cursor.rank - cursor.lowest
        latest_offset = self._latest_offset[position, pitch]
        if self._suspensions:
            places = self._next_places(position)
            latest_offset = min(
                latest_offset, self._suspensions.latest(position, pitch, latest_offset, places)
            )
        lengths &= position + DURATIONS <= latest_offset
        if self._close and position in self._close.positions:
            self._hold_the_last(self._close, position, pitch, lengths)

    def _next_places(self, position: int) -> Mask | None:
        """Return where the onset after one at a position may be, (positions,); None for anywhere.

        So that what leans does so only where a note can follow.
        """
        return None

    def _pitch_ids(self, cursor: Cursor, mask: Mask) -> Mask:
        """Return the ids of a mask that say pitches, by pitch: a view of shape (128,)."""
        family = "Drum" if cursor.state in DRUM_STATES else "Pitch"
        lowest = lowest_rank(cursor)
        return mask[self._slices[family]][lowest : lowest + 128]

    def _move_on(self, position: int, playable: npt.NDArray[np.bool_]) -> None:
        """Leave, in place, what may follow a note that leans, and what is near for the last one."""
        suspensions, close = self._suspensions, self._close
        if suspensions:
            if suspensions.must_resolve:
                _prefer(playable, suspensions.following(position))
            elif self._left < _ROOM_TO_LEAN:
                _prefer(playable, suspensions.firm(position))
            elif (places := self._next_places(position)) is not None:
                _prefer(playable, suspensions.firm(position, places))
        if close and self._monophonic and self.last and position == close.positions[-1]:
            _prefer(playable, np.abs(np.arange(128) - self.last[-1]) <= _NEAR)

    def _come_to_the_close(self, mask: Mask) -> None:
        """Leave only the last onset open where the budget would not last for one more."""
        if self._close and self._is_short():
            positions = mask[self._slices["Position"]]
            last = self._close.positions[-1]
            is_open = bool(positions[last])
            mask[:] = False
            positions[last] = is_open
        elif self._is_last and self._monophonic:
            mask[self._slices["Position"]] = False

    def _hold_the_last(self, close: Close, position: int, pitch: int, lengths: Mask) -> None:
        """Leave, in place, what is held for long enough, and what leaves room for a later close."""
        longest = int(np.flatnonzero(lengths)[-1])
        may_close = close.pitches[position, pitch]
        held = np.arange(len(lengths)) == longest
        if close.least is not None:
            held |= lengths & (DURATIONS >= close.least)
        if position == close.positions[-1]:
            lengths[:] = False
            may_close = True  # the more so if demands left no other pitch
        else:
            following = close.following(position)
            lengths &= position + DURATIONS <= following
            held &= position + DURATIONS > following
            may_close &= self._monophonic
        lengths |= held & may_close

    def _fill_up(self, cursor: Cursor, mask: Mask, playable: npt.NDArray[np.bool_]) -> None:
        """Hold a strong onset open for the notes it owes, and keep room for them above."""
        owed = self._least_notes - self._together
        if owed <= 0 or cursor.position not in self._strong or self._left <= 0 or self._is_short():
            return
        self._holding = True
        if self._together:
            mask[self._slices["Position"]] = False
        open_pitches = np.flatnonzero(playable)
        playable[open_pitches[max(1, len(open_pitches) - owed + 1) :]] = False

    def _accept(self, family: str, value: int, cursor: Cursor) -> None:
        if family == "Position":
            self._at = value
            if self._together:
                self.last = [row[1] for row in self.rows[-self._together :]]
            self._owed -= 1
            self._together = 0
        elif family in ("Drum", "Duration"):
            self._together += 1
            pitch = cursor.rank if family == "Drum" else cursor.rank - cursor.lowest
            duration = 1 if family == "Drum" else int(DURATIONS[value])
            velocity = int(self._velocities[cursor.velocity])
            self.rows.append((cursor.position, pitch, duration, velocity))
            sounding = slice(None) if self._monophonic else pitch
            self._sounding_until[sounding] = cursor.position + duration
            close, position = self._close, cursor.position
            if close and position in close.positions[:-1]:
                self._is_last |= position + duration > close.following(position)
            if self._suspensions:
                self._suspensions.accept(position, pitch)

    def _settled(self) -> bool:
        return self._owed <= 0 and not self._holding and not self._must_go_on()

    def _must_go_on(self) -> bool:
        return self._must_close() or bool(self._suspensions and self._suspensions.must_resolve)

    def _must_close(self) -> bool:
        """Return whether the onset that closes is still to come."""
        return bool(self._close and not self._is_last and self._at < self._close.positions[-1])

    def _is_short(self) -> bool:
        """Return whether what is left of the budget is for the last onset."""
        return self._must_close() and self._left <= IDS_AN_ONSET


def _prefer(values: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]) -> None:
    """Leave, in place, those that are wanted, where there are any."""
    if (values & wanted).any():
        values &= wanted


def lowest_rank(cursor: Cursor) -> int:
    """Return the rank of pitch 0 in a cell; ranks of drums are their pitches."""
    return 0 if cursor.state in DRUM_STATES else cursor.lowest


def above(cursor: Cursor, pitches: PitchMask, sounding_until: PitchTimes) -> tuple[Mask, bool]:
    """Return which pitches may be added above those of an onset, shape (128,), and if any may."""
    playable, lowest = np.empty(128, bool), max(0, cursor.rank + 1 - lowest_rank(cursor))
    return playable, find_playable(playable, pitches, sounding_until, cursor.position, lowest)
