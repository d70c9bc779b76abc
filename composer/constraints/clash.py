"""Which constraints of a cell cannot be met together, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composer.constraints.base import Cell, Constraint
from composer.constraints.cell import Occupancy, domain_of, open_positions
from composer.score.grid import RESOLUTION
from composer.theory.pitches import pitch_name


def clash_of(
    some: Sequence[Constraint], cell: Cell | None, occupancy: Occupancy, where: str
) -> str:
    """Return a sentence about constraints that a cell cannot keep together, though all but one.

    Parameters
    ----------
    some
        The constraints.
    cell
        The cell; None if no chords let it be written.
    room
        What sounds in it.
    where
        Such as ``"bar 3 of Piano"``.
    """
    if cell is None:
        return f"no chords let {where} keep {in_words(some)}; drop one or widen it"
    domain, asked = domain_of(some, cell), {c: c.onsets(cell) for c in some}
    occupancy = occupancy.under(some)
    is_open = open_positions(domain, occupancy)
    if domain.most and not domain.has_pitch.any():
        verb = "leave" if len(some) > 1 else "leaves"
        return f"{in_words(some)} {verb} no pitch in {where}; widen it or drop one"
    if domain.beyond:
        return (
            f"{in_words(some)} needs a note on beat {_beat(domain.beyond[0])} in {where}, which "
            f"has {_beat(cell.positions - RESOLUTION)} beats; name others or leave this bar out"
        )
    # What asks for onsets, and what leaves it none.
    if domain.onsets > domain.most:
        least = [
            c for c in some if c.keeps_notes or asked[c].required or asked[c].least > domain.most
        ]
        rest = [c for c in some if c not in least]
        free = Occupancy.free(cell.positions)
        return _shortage(least, rest, domain.onsets, domain.most, where, free)
    blocked = np.flatnonzero(domain.required & ~is_open)
    for position, _ in domain.locked:
        if position in blocked:
            notes = [pitch for at, pitch in domain.locked if at == position]
            names = [str(pitch) if cell.is_drum else pitch_name(pitch) for pitch in notes]
            return _clash_of_locked(some, names, position, where)
    if len(blocked):
        asking = [c for c in some if blocked[0] in asked[c].required]
        rest = [c for c in some if c not in asking]
        who = in_words(rest) if rest else "the bar"
        alone = f"{in_words(asking)} needs a note on beat {_beat(int(blocked[0]))} in {where}"
        return f"{alone}; {who} {_allow(rest)} none there{_beside(occupancy)}"
    least = [c for c in some if 0 < asked[c].least == domain.least]
    rest = [c for c in some if c not in least]
    return _shortage(least, rest, domain.least, int(is_open.sum()), where, occupancy)


def _clash_of_locked(
    some: Sequence[Constraint], names: Sequence[str], position: int, where: str
) -> str:
    locking = [constraint for constraint in some if constraint.keeps_notes]
    rest = [constraint for constraint in some if constraint not in locking]
    keeps = "keeps" if len(locking) == 1 else "keep"
    kept = f"{in_words(locking)} {keeps} {', '.join(names)} on beat {_beat(position)} in {where}"
    return f"{kept}; {in_words(rest)} {_allow(rest)} no such onset there"


def _shortage(
    asking: Sequence[Constraint],
    rest: Sequence[Constraint],
    needed: int,
    allowed: int,
    where: str,
    occupancy: Occupancy,
) -> str:
    who = in_words(rest) if rest else "the bar"
    need = "needs" if len(asking) == 1 else "need"
    text = f"{in_words(asking)} in {where} {need} {needed} onset{'s' * (needed > 1)}"
    return f"{text}; {who} {_allow(rest)} {allowed}{_beside(occupancy)}"


def _allow(rest: Sequence[Constraint]) -> str:
    return "allow" if len(rest) > 1 else "allows"


def _beside(occupancy: Occupancy) -> str:
    return (
        " beside the notes that sound on"
        if occupancy.closed.any() or occupancy.sounding.any()
        else ""
    )


def in_words(constraints: Sequence[Constraint]) -> str:
    """Return the names of constraints in one phrase."""
    names = [str(constraint) for constraint in constraints]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _beat(position: int) -> str:
    return f"{1 + position / RESOLUTION:.3g}"
