"""The mask of a cell that demands are made of: they hold, and rules as far as that leaves room."""

from __future__ import annotations

from typing import Any

import numpy as np

from composer.constraints.base import PitchMask
from composer.feasibility.bounds import CellBounds
from composer.feasibility.cell_kernels import keep_feasible, latest_end
from composer.feasibility.given_notes import LockedNote
from composer.masks.cell import (
    CONTENT,
    DRUM_STATES,
    IDS_A_NOTE,
    IDS_AN_ONSET,
    NoteMask,
    PitchTimes,
    above,
    lowest_rank,
)
from composer.tokenizers.bins import DURATIONS, velocity_bins
from composer.tokenizers.grammar import Cursor, Grammar, Mask


class BoundedNoteMask(NoteMask):
    """A cell of notes or of drum hits under demands.

    What demands allow is never empty: every id is one after which the cell, and all that follow,
    can be completed. Of it the part's rules choose, where they choose anything.

    Parameters
    ----------
    bound
        What demands leave it.
    sounds_until, ends_by
        As ``busy`` and ``room`` of ``NoteMask``, by notes of the same pitch alone.
    usual
        Shape (positions, 128): what the part's rules about pitches allow, or anything where they
        leave nothing.
    grammar, after, budget, others
        As for ``NoteMask``.
    """

    def __init__(
        self,
        bound: CellBounds,
        sounds_until: PitchTimes,
        ends_by: PitchTimes,
        usual: PitchMask,
        grammar: Grammar,
        after: int,
        budget: int,
        **others: Any,
    ) -> None:
        super().__init__(grammar, after, budget, **others)
        self._bound = bound
        self._sounds_until = sounds_until
        self._ends_by = ends_by
        self._usual = usual
        self._required = bound.domain.required
        #: How many positions are required from each on, and behind the last.
        self._required_from: list[int] = [*self._required[::-1].cumsum()[::-1].tolist(), 0]
        self._is_locked = np.zeros(len(self._required), bool)
        self._is_locked[bound.locked.positions] = True
        self._stay = len(bound.locked)  # notes that stay and are still to be said
        self._nowhere, self._nothing = np.zeros(len(bound.wants), bool), np.zeros(128, bool)
        self._onsets = 0
        #: Ids that were tried here and left nothing for later.
        self._refused: list[int] = []

    def allowed(self, cursor: Cursor) -> Mask:
        """Return which ids may come next, shape (V,)."""
        mask = self.grammar.allowed(cursor, CONTENT)
        may_end = self._can_exit(cursor)
        held = mask.copy()
        self._hold(cursor, held, may_end)
        if self._refused:
            held[self._refused] = False
        self._settle(cursor, mask, may_end)
        mask &= held
        if mask.any():
            return mask
        positions = held[self._slices["Position"]].copy()
        if may_end and positions.any():  # rules would end the cell: nothing is added to an onset
            held[:] = False
            held[self._slices["Position"]] = positions
        self._keep_pitches(cursor, held)
        return held

    def _keep_pitches(self, cursor: Cursor, mask: Mask) -> None:
        """Leave the pitches that rules allow, in place, where they allow nothing else besides."""
        pitches = self._pitch_ids(cursor, mask)
        if cursor.position >= 0 and (pitches & self._usual[cursor.position]).any():
            pitches &= self._usual[cursor.position]

    def _hold(self, cursor: Cursor, mask: Mask, may_end: bool) -> None:
        """Narrow the content to what demands allow, in place, and open the way out."""
        at = self._slices
        if cursor.state == "duration":
            self._hold_length(cursor, mask[at["Duration"]])
            return
        owed = self._to_come(cursor)
        needed = IDS_AN_ONSET * max(0, owed) + IDS_A_NOTE * self._stay
        is_short = may_end and self._left <= needed
        if "Position" in self.grammar.table[cursor.state]:
            self._hold_positions(cursor, mask[at["Position"]], is_short)
        said = mask.copy() if self._stay else mask
        playable = self._hold_note(cursor, mask) if cursor.position >= 0 else self._nothing
        staying = self._staying(cursor) if cursor.position >= 0 and self._stay else None
        if staying:
            self._lock(cursor, staying, mask, said, playable, is_free=self._left > needed)
            return
        if is_short:
            positions = mask[at["Position"]].copy()
            mask[:] = False
            mask[at["Position"]] = positions & (owed > 0)
        if may_end and owed <= 0:
            mask[self.after] = True

    def _to_come(self, cursor: Cursor) -> int:
        """Return how many onsets the cell must have yet."""
        required = self._required_from[cursor.position + 1]
        return max(required, self._bound.domain.least - self._onsets)

    def _hold_positions(self, cursor: Cursor, positions: Mask, is_short: bool) -> None:
        """Narrow where the next onset may be; to those owed if there are ids for no others."""
        bound = self._bound
        keep_feasible(
            positions,
            bound.pitches,
            self._sounds_until,
            bound.sounding,
            bound.most_sounding,
            self._required,
            self._is_locked,
            cursor.position,
            bound.domain.least - self._onsets,
            bound.domain.most - self._onsets,
            is_short,
        )

    def _next_places(self, position: int) -> Mask | None:
        """Return where the onset after one at a position may be, (positions,)."""
        owed = self._bound.domain.least - self._onsets
        if self._left < IDS_AN_ONSET * (2 + max(owed, self._required_from[position + 1])):
            return np.zeros(len(self._required), bool)  # ids are for those that are owed
        places = np.ones(len(self._required), bool)
        keep_feasible(
            places,
            self._bound.pitches,
            self._sounds_until,
            self._bound.sounding,
            self._bound.most_sounding,
            self._required,
            self._is_locked,
            position,
            owed,
            self._bound.domain.most - self._onsets,
            False,
        )
        return places

    def _playable(self, cursor: Cursor) -> tuple[Mask, bool]:
        """Return which pitches may be added to an onset, shape (128,), and if any may."""
        return above(cursor, self._bound.pitches, self._sounds_until)

    def _hold_note(self, cursor: Cursor, mask: Mask) -> Mask:
        """Narrow what an onset may hold, in place; returns which pitches may follow, (128,)."""
        at, bound, now = self._slices, self._bound, cursor.position
        is_full = bound.sounding[now] >= bound.most_sounding[now]
        if is_full and not self._stay:
            playable, can_add = self._nothing, False
        else:
            playable, can_add = self._playable(cursor)
        if is_full or not can_add:
            playable[:] = False
            mask[at["Velocity"]] = False
        pitches = self._pitch_ids(cursor, mask)
        pitches &= playable
        return playable

    def _hold_length(self, cursor: Cursor, lengths: Mask) -> None:
        """Leave, in place, the lengths that a note may have; its own if it stays with one."""
        bound, now, pitch = self._bound, cursor.position, cursor.rank - cursor.lowest
        staying = bound.locked.at(now, pitch)
        if staying and staying.duration >= 0:
            lengths[:] = False
            lengths[staying.duration] = True
            return
        closes, until = self._nowhere, int(self._ends_by[now, pitch])
        if bound.hands:
            closes = bound.hands.closed_by(pitch, now, self._sounds_until, bound.wants)
            until = min(until, bound.hands.until(pitch, now))
        end = latest_end(
            pitch,
            now,
            bound.pitches,
            self._sounds_until,
            bound.sounding,
            bound.most_sounding,
            bound.limit,
            bound.wants,
            bound.bar_of,
            bound.owed,
            closes,
        )
        lengths &= now + DURATIONS <= min(end, until)

    def _staying(self, cursor: Cursor) -> LockedNote | None:
        """Return the note that stays and is to be said next at this onset; None without any."""
        pitch = cursor.rank - lowest_rank(cursor) if cursor.rank >= 0 else -1
        return self._bound.locked.next(cursor.position, pitch)

    def _lock(
        self,
        cursor: Cursor,
        note: LockedNote,
        mask: Mask,
        said: Mask,
        playable: Mask,
        *,
        is_free: bool,
    ) -> None:
        """Leave, in place, the notes below one that stays, and that one.

        Parameters
        ----------
        note
            What is to be said next of what stays.
        mask
            What demands allow.
        said
            What the grammar allows.
        playable
            Pitches that may be said as well, shape (128,).
        is_free
            Whether there are ids for them.
        """
        at = self._slices
        mask[at["Position"]] = False
        pitches = at["Drum" if cursor.state in DRUM_STATES else "Pitch"]
        index = pitches.start + note.pitch + lowest_rank(cursor)
        is_loud = self._is_loud(note)
        is_next = bool(said[index] and is_loud[cursor.velocity])
        # A velocity that was said for another note needs one.
        was_said = "Velocity" not in self.grammar.table[cursor.state]
        others = playable if is_free or (was_said and not is_next) else self._nothing
        mask[index : pitches.stop] = False
        if not others.any():
            mask[pitches] = False
        mask[index] = is_next
        is_below = others[: note.pitch].any()
        mask[at["Velocity"]] = said[at["Velocity"]] & (is_below | is_loud)

    def _is_loud(self, note: LockedNote) -> Mask:
        """Return which velocities a note may have that stays, (velocities,)."""
        bins = np.ones(len(self._velocities), bool)
        if note.velocity:
            bins[:] = False
            bins[velocity_bins(note.velocity, len(bins))] = True
        return bins

    def _accept(self, family: str, value: int, cursor: Cursor) -> None:
        super()._accept(family, value, cursor)
        self._refused = []
        if family == "Position":
            self._onsets += 1
            self._bound.owed[0] -= not self._is_locked[value]
        elif family in ("Drum", "Duration"):
            self._accept_note(*self.rows[-1][:3])

    def _accept_note(self, position: int, pitch: int, duration: int) -> None:
        bound, first = self._bound, position
        self._sounds_until[pitch] = max(self._sounds_until[pitch], position + duration)
        if bound.locked.at(position, pitch):
            self._stay -= 1
            # It has been counted as far as it was known.
            first = position + (duration if bound.locked.is_given(position, pitch) else 1)
        bound.sounding[first : position + duration] += 1
        if bound.hands:
            bound.hands.accept(pitch, first, position + duration)
