"""The mask of a cell that demands are made of: they hold, and rules as far as that leaves room."""

from __future__ import annotations

from typing import Any

import numpy as np

from composer.decoding.bounds import Bound
from composer.decoding.cell_masks import (
    CONTENT,
    DRUM_STATES,
    IDS_AN_ONSET,
    NoteMask,
    PitchTimes,
    above,
)
from composer.decoding.feasible import keep_feasible, latest_end
from composer.tokenizers.bins import DURATIONS
from composer.tokenizers.grammar import Cursor, Grammar, Mask


class BoundNoteMask(NoteMask):
    """A cell of notes or of drum hits under demands.

    What demands allow is never empty: every id is one after which the cell, and all that follow,
    can be completed. Of it the part's rules choose, where they choose anything.

    Parameters
    ----------
    bound
        What demands leave it.
    sounds_until, ends_by
        Shape (128,): as ``busy`` and ``room`` of ``NoteMask``, by notes of the same pitch alone.
    grammar, after, budget, others
        As for ``NoteMask``.
    """

    def __init__(
        self,
        bound: Bound,
        sounds_until: PitchTimes,
        ends_by: PitchTimes,
        grammar: Grammar,
        after: int,
        budget: int,
        **others: Any,
    ) -> None:
        super().__init__(grammar, after, budget, **others)
        self._bound = bound
        self._sounds_until = sounds_until
        self._ends_by = ends_by
        self._required = bound.demand.required
        self._onsets = 0

    def allowed(self, cursor: Cursor) -> Mask:
        """Return which ids may come next, shape (V,)."""
        mask = self.grammar.allowed(cursor, CONTENT)
        may_end = self.grammar.allows(cursor, self.after)
        held = mask.copy()
        self._hold(cursor, held, may_end)
        self._settle(cursor, mask, may_end)
        mask &= held
        if mask.any():
            return mask
        positions = held[self._slices["Position"]].copy()
        if may_end and positions.any():  # rules would end the cell: nothing is added to an onset
            held[:] = False
            held[self._slices["Position"]] = positions
        return held

    def _hold(self, cursor: Cursor, mask: Mask, may_end: bool) -> None:
        """Narrow the content to what demands allow, in place, and open the way out."""
        at, bound = self._slices, self._bound
        demand, now = bound.demand, cursor.position
        required = int(np.count_nonzero(self._required[now + 1 :]))
        owed = max(required, demand.least - self._onsets)
        is_short = may_end and self._left <= IDS_AN_ONSET * max(0, owed)
        if "Position" in self.grammar.table[cursor.state]:
            keep_feasible(
                mask[at["Position"]],
                bound.pitches,
                self._sounds_until,
                bound.sounding,
                bound.most_sounding,
                self._required,
                now,
                demand.least - self._onsets,
                demand.most - self._onsets,
                is_short,
            )
        if now >= 0:
            self._hold_note(cursor, mask)
        if is_short:
            positions = mask[at["Position"]].copy()
            mask[:] = False
            mask[at["Position"]] = positions & (owed > 0)
        if may_end and owed <= 0:
            mask[self.after] = True

    def _hold_note(self, cursor: Cursor, mask: Mask) -> None:
        """Narrow what an onset may hold."""
        at, bound, now = self._slices, self._bound, cursor.position
        is_drum = cursor.state in DRUM_STATES
        lowest = 0 if is_drum else cursor.lowest
        playable = above(cursor, lowest, bound.pitches, self._sounds_until)
        if bound.sounding[now] >= bound.most_sounding[now] or not playable.any():
            playable[:] = False
            mask[at["Velocity"]] = False
        mask[at["Drum" if is_drum else "Pitch"]][lowest : lowest + 128] &= playable
        if cursor.state == "duration":
            pitch = cursor.rank - lowest
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
            )
            mask[at["Duration"]] &= now + DURATIONS <= min(end, self._ends_by[pitch])

    def _hear(self, family: str, value: int, cursor: Cursor) -> None:
        super()._hear(family, value, cursor)
        if family == "Position":
            self._onsets += 1
            self._bound.owed[0] -= 1
        elif family in ("Drum", "Duration"):
            position, pitch, duration, _ = self.rows[-1]
            self._sounds_until[pitch] = position + duration
            self._bound.sounding[position : position + duration] += 1
