"""What is asked of one cell, worked out: which pitches where, which onsets, how many.

Conventions
-----------
Whether a cell can be written is decided by counting, and exactly. A note may be as short as one
position, so one that is to come never takes room from another; a cell that has begun can be
completed if and only if each required position is still to come and open, the onsets still owed
have as many open positions, and those required are no more than may follow. A position is *open* if
a pitch that is allowed there does not sound, fewer notes than allowed do, and it can be played
beside them. One where notes stand that stay is open if these are all of that: they are its onset.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from composer.constraints.base import Cell, Constraint, PitchMask, pitches_of
from composer.constraints.counts import MaxPolyphony, Monophonic, NoteCount, Rhythm
from composer.constraints.lines import Cadence
from composer.constraints.locked import Locked
from composer.constraints.pitches import ChordTones, DrumPieces, InScale, PitchRange
from composer.constraints.playable import Playable, Way, beside, fit

Mask = npt.NDArray[np.bool_]


Ints = npt.NDArray[np.int64]


#: More notes than can sound at once, and more onsets than a bar can have.
ANY = 1 << 20


_PITCH_RULES = (InScale, ChordTones, PitchRange, DrumPieces)


@dataclasses.dataclass(frozen=True, eq=False)
class Demand:
    """A constraint, and where it holds.

    Parameters
    ----------
    constraint
        What holds.
    cells
        Shape (bars, parts): the cells it is about, written or given.
    """

    constraint: Constraint
    cells: Mask


@dataclasses.dataclass(frozen=True, eq=False)
class CellDemand:
    """All that is asked of one cell."""

    pitches: PitchMask  # (positions, 128): which may begin where
    required: Mask  # (positions,): where a note must begin
    beyond: tuple[int, ...]  # required positions that the bar does not have
    least: int  # onsets
    most: int  # onsets
    voices: int  # notes that may sound where one begins, itself included
    has_pitch: Mask  # (positions,): where the constraints on pitches leave one
    ways: tuple[Way, ...] = ()  # how what sounds together is played
    locked: tuple[tuple[int, int], ...] = ()  # position and pitch of the notes that stay
    passing: PitchMask | None = None  # (positions, 128): which of the pitches only in passing

    @property
    def onsets(self) -> int:
        """Onsets that the cell must have."""
        return max(self.least, int(self.required.sum()))


@dataclasses.dataclass(frozen=True, eq=False)
class Room:
    """What sounds in a cell already, of what is given."""

    closed: Mask  # (positions, 128): where a pitch may not begin, because it sounds
    sounding: Ints  # (positions,): notes that sound
    sounds: tuple[int, ...] = ()  # (positions,): bit sets of them, where an instrument asks
    #: The same without the notes of the cell that stay because they are locked.
    unlocked: Room | None = None

    def under(self, constraints: Sequence[Constraint]) -> Room:
        """Return the room that constraints leave, in which notes stay only if one locks them."""
        is_locked = any(isinstance(constraint, Locked) for constraint in constraints)
        return self if is_locked or self.unlocked is None else self.unlocked

    @classmethod
    def free(cls, positions: int) -> Room:
        """Return the room of a cell in which nothing sounds."""
        return cls(np.zeros((positions, 128), bool), np.zeros(positions, np.int64))


def demand_of(constraints: Sequence[Constraint], cell: Cell) -> CellDemand:
    """Return what constraints ask of a cell together."""
    length = cell.positions
    pitches, required = np.ones((length, 128), bool), np.zeros(length, bool)
    beyond: list[int] = []
    ways: list[Way] = []
    locked: tuple[tuple[int, int], ...] = ()
    least, most = 0, ANY
    for constraint in constraints:
        if isinstance(constraint, _PITCH_RULES):
            pitches &= constraint.pitches(cell)
        elif isinstance(constraint, Playable):
            way = constraint.way(cell.program, cell.is_drum)
            pitches[:, : way.low] = pitches[:, way.high + 1 :] = False
            ways += [way] if way.is_kit or way.fingers else []
        elif isinstance(constraint, Locked):
            locked = cell.locked
            if constraint.sounds is not None:
                pitches &= _kept_pieces(constraint, cell)
    has_pitch = np.asarray(pitches.any(1))
    required[[position for position, _ in locked]] = True
    for constraint in constraints:
        if isinstance(constraint, NoteCount):
            least = max(least, constraint.min)
            most = most if constraint.max is None else min(most, constraint.max)
        elif isinstance(constraint, Rhythm):
            wanted = constraint.positions("required")
            required[[position for position in wanted if position < length]] = True
            beyond += [position for position in wanted if position >= length]
            if constraint.allowed is not None:
                allowed = [p for p in constraint.positions("allowed") if p < length]
                pitches[~np.isin(np.arange(length), allowed)] = False
        elif isinstance(constraint, Cadence):
            (last,) = constraint.positions("required")
            beyond += [last] if last >= length else []
            required[last : last + 1] = True
            pitches[last : last + 1] &= pitches_of(constraint.pitch_classes(cell.key))
            pitches[last + 1 :] = False
    voices = most_voices(constraints, cell.program, cell.is_drum)
    between = [c.between(cell) for c in constraints if isinstance(c, ChordTones) and c.passing]
    passing = np.logical_or.reduce(between) & pitches if between else None
    return CellDemand(
        pitches, required, tuple(beyond), least, most, voices, has_pitch, tuple(ways), locked,
        passing,
    )  # fmt: skip


def _kept_pieces(constraint: Locked, cell: Cell) -> PitchMask:
    """Return all pitches, but those of pieces that stay alone where they were hit."""
    wanted, sounds = constraint.positions, sorted(constraint.sounds or ())
    mask = np.ones((cell.positions, 128), bool)
    for position in range(cell.positions):
        if wanted is None or position in wanted:
            mask[position, sounds] = False
    for position, pitch in cell.locked:
        mask[position, pitch] = True
    return mask


def most_voices(constraints: Sequence[Constraint], program: int, is_drum: bool) -> int:
    """Return how many notes of an instrument may sound where one begins, itself included."""
    ways = [c.way(program, is_drum) for c in constraints if isinstance(c, Playable)]
    singly = any(isinstance(constraint, Monophonic) for constraint in constraints)
    least = [c.notes for c in constraints if isinstance(c, MaxPolyphony)]
    least += [way.notes for way in ways if way.notes is not None]
    return min([ANY, *least, *([1] if singly else [])])


def free_pitches(demand: CellDemand, room: Room) -> PitchMask:
    """Return which pitches may begin where, beside what sounds: shape (positions, 128)."""
    free = demand.pitches & ~room.closed
    if demand.ways:
        free &= np.array([beside(sounds, demand.ways) for sounds in room.sounds])
    free[room.sounding >= demand.voices] = False
    return free


def open_positions(demand: CellDemand, room: Room) -> Mask:
    """Return at which positions of a cell a note may begin, shape (positions,)."""
    is_open = np.asarray(free_pitches(demand, room).any(1))
    for position, _ in demand.locked:
        is_open[position] = room.sounding[position] <= demand.voices
        is_open[position] &= not demand.ways or fit(room.sounds[position], demand.ways)
    for position, pitch in demand.locked:
        is_open[position] &= demand.pitches[position, pitch]
    return is_open


def is_enough(demand: CellDemand, is_open: Mask) -> bool:
    """Return whether a cell with these positions open can be written.

    Without any onset it can, if none is asked for; but not for want of a pitch in the whole bar.
    """
    return (
        not demand.beyond
        and (bool(demand.has_pitch.any()) or demand.most == 0)
        and demand.onsets <= demand.most
        and not (demand.required & ~is_open).any()
        and int(is_open.sum()) >= demand.least
    )
