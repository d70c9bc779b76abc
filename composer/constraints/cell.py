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
from composer.constraints.counts import MaxPolyphony, Monophonic, OnsetCount, Rhythm
from composer.constraints.lines import Cadence
from composer.constraints.locked import Locked
from composer.constraints.pitches import ChordTones, DrumPieces, InScale, PitchRange
from composer.constraints.playable import Playable, Technique, beside, fit

Mask = npt.NDArray[np.bool_]


Ints = npt.NDArray[np.int64]


#: More notes than can sound at once, and more onsets than a bar can have.
ANY = 1 << 20


_PITCH_RULES = (InScale, ChordTones, PitchRange, DrumPieces)


@dataclasses.dataclass(frozen=True, eq=False)
class PostedConstraint:
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
class CellDomain:
    """All that is asked of one cell."""

    pitches: PitchMask  # (positions, 128): which may begin where
    required: Mask  # (positions,): where a note must begin
    beyond: tuple[int, ...]  # required positions that the bar does not have
    least: int  # onsets
    most: int  # onsets
    voices: int  # notes that may sound where one begins, itself included
    has_pitch: Mask  # (positions,): where the constraints on pitches leave one
    techniques: tuple[Technique, ...] = ()  # how what sounds together is played
    locked: tuple[tuple[int, int], ...] = ()  # position and pitch of the notes that stay
    passing: PitchMask | None = None  # (positions, 128): which of the pitches only in passing

    @property
    def onsets(self) -> int:
        """Onsets that the cell must have."""
        return max(self.least, int(self.required.sum()))


@dataclasses.dataclass(frozen=True, eq=False)
class Occupancy:
    """What sounds in a cell already, of what is given."""

    closed: Mask  # (positions, 128): where a pitch may not begin, because it sounds
    sounding: Ints  # (positions,): notes that sound
    sounds: tuple[int, ...] = ()  # (positions,): bit sets of them, where an instrument asks
    #: The same without the notes of the cell that stay because they are locked.
    unlocked: Occupancy | None = None

    def under(self, constraints: Sequence[Constraint]) -> Occupancy:
        """Return the room that constraints leave, in which notes stay only if one locks them."""
        is_locked = any(isinstance(constraint, Locked) for constraint in constraints)
        return self if is_locked or self.unlocked is None else self.unlocked

    @classmethod
    def free(cls, positions: int) -> Occupancy:
        """Return the room of a cell in which nothing sounds."""
        return cls(np.zeros((positions, 128), bool), np.zeros(positions, np.int64))


def domain_of(constraints: Sequence[Constraint], cell: Cell) -> CellDomain:
    """Return what constraints ask of a cell together."""
    length = cell.positions
    pitches, required = np.ones((length, 128), bool), np.zeros(length, bool)
    beyond: list[int] = []
    techniques: list[Technique] = []
    locked: tuple[tuple[int, int], ...] = ()
    least, most = 0, ANY
    for constraint in constraints:
        if isinstance(constraint, _PITCH_RULES):
            pitches &= constraint.pitches(cell)
        elif isinstance(constraint, Playable):
            technique = constraint.technique(cell.program, cell.is_drum)
            pitches[:, : technique.low] = pitches[:, technique.high + 1 :] = False
            techniques += [technique] if technique.is_kit or technique.fingers else []
        elif isinstance(constraint, Locked):
            locked = cell.locked
            if constraint.sounds is not None:
                pitches &= _kept_pieces(constraint, cell)
    has_pitch = np.asarray(pitches.any(1))
    required[[position for position, _ in locked]] = True
    for constraint in constraints:
        if isinstance(constraint, OnsetCount):
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
    return CellDomain(
        pitches, required, tuple(beyond), least, most, voices, has_pitch, tuple(techniques), locked,
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
    techniques = [c.technique(program, is_drum) for c in constraints if isinstance(c, Playable)]
    singly = any(isinstance(constraint, Monophonic) for constraint in constraints)
    least = [c.notes for c in constraints if isinstance(c, MaxPolyphony)]
    least += [technique.notes for technique in techniques if technique.notes is not None]
    return min([ANY, *least, *([1] if singly else [])])


def free_pitches(domain: CellDomain, occupancy: Occupancy) -> PitchMask:
    """Return which pitches may begin where, beside what sounds: shape (positions, 128)."""
    free = domain.pitches & ~occupancy.closed
    if domain.techniques:
        free &= np.array([beside(sounds, domain.techniques) for sounds in occupancy.sounds])
    free[occupancy.sounding >= domain.voices] = False
    return free


def open_positions(domain: CellDomain, occupancy: Occupancy) -> Mask:
    """Return at which positions of a cell a note may begin, shape (positions,)."""
    is_open = np.asarray(free_pitches(domain, occupancy).any(1))
    for position, _ in domain.locked:
        is_open[position] = occupancy.sounding[position] <= domain.voices
        is_open[position] &= not domain.techniques or fit(
            occupancy.sounds[position], domain.techniques
        )
    for position, pitch in domain.locked:
        is_open[position] &= domain.pitches[position, pitch]
    return is_open


def is_enough(domain: CellDomain, is_open: Mask) -> bool:
    """Return whether a cell with these positions open can be written.

    Without any onset it can, if none is asked for; but not for want of a pitch in the whole bar.
    """
    return (
        not domain.beyond
        and (bool(domain.has_pitch.any()) or domain.most == 0)
        and domain.onsets <= domain.most
        and not (domain.required & ~is_open).any()
        and int(is_open.sum()) >= domain.least
    )
