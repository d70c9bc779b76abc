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

from composer.constraints.base import ANY, Cell, Constraint, PitchMask
from composer.constraints.playable import Technique, beside, fit
from composer.errors import RequestError

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


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
        is_locked = any(constraint.keeps_notes for constraint in constraints)
        return self if is_locked or self.unlocked is None else self.unlocked

    @classmethod
    def free(cls, positions: int) -> Occupancy:
        """Return the room of a cell in which nothing sounds."""
        return cls(np.zeros((positions, 128), bool), np.zeros(positions, np.int64))


def domain_of(constraints: Sequence[Constraint], cell: Cell) -> CellDomain:
    """Return what constraints ask of a cell together."""
    length, asked = cell.positions, [constraint.onsets(cell) for constraint in constraints]
    pitches, required = np.ones((length, 128), bool), np.zeros(length, bool)
    for constraint in constraints:
        _narrow(pitches, constraint, constraint.pitches(cell))
    has_pitch = np.asarray(pitches.any(1))
    locked = cell.locked if any(constraint.keeps_notes for constraint in constraints) else ()
    required[[position for position, _ in locked]] = True
    for constraint, onsets in zip(constraints, asked, strict=True):
        required[[position for position in onsets.required if position < length]] = True
        _narrow(pitches, constraint, onsets.open)
    techniques = [c.technique(cell.program, cell.is_drum) for c in constraints]
    only_passing = [c.only_passing(cell) for c in constraints]
    between = [mask for mask in only_passing if mask is not None]
    return CellDomain(
        pitches,
        required,
        tuple(p for onsets in asked for p in onsets.required if p >= length),
        max([0, *(onsets.least for onsets in asked)]),
        min([ANY, *(onsets.most for onsets in asked)]),
        most_voices(constraints, cell.program, cell.is_drum),
        has_pitch,
        tuple(one for one in techniques if one and (one.is_kit or one.fingers)),
        locked,
        np.logical_or.reduce(between) & pitches if between else None,
    )


def _narrow(pitches: PitchMask, constraint: Constraint, wanted: PitchMask | None) -> None:
    """Narrow pitches, in place, to those that a constraint wants."""
    if wanted is None:
        return
    if np.shape(wanted) != pitches.shape:
        raise RequestError(
            f"{constraint} returns pitches of shape {np.shape(wanted)} for a bar of "
            f"{len(pitches)} positions; return {pitches.shape}"
        )
    pitches &= np.asarray(wanted, bool)


def most_voices(constraints: Sequence[Constraint], program: int, is_drum: bool) -> int:
    """Return how many notes of an instrument may sound where one begins, itself included."""
    most = [constraint.voices(program, is_drum) for constraint in constraints]
    return min([ANY, *(count for count in most if count is not None)])


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
