"""From where a cell can still be completed, compiled.

Arrays of *times* are indexed by position from the start of the bar that is written; they reach into
the bars that follow, as far as anything there depends on what sounds on.

Where a pitch is left to begin, and which, compiled.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer._jit import compiled, inner
from composer.constraints.base import PitchMask

Bools = npt.NDArray[np.bool_]


Ints = npt.NDArray[np.int64]


#: What a time is to the bar it lies in: nothing, a position that onsets owed may take, a required
#: one.
IDLE, COUNTED, REQUIRED = 0, 1, 2


@inner
def _begins(row: Bools, sounding_until: Ints, time: int, without: int) -> bool:
    """Return whether a pitch may begin at a time, other than one."""
    for pitch in range(128):
        if row[pitch] and sounding_until[pitch] <= time and pitch != without:
            return True
    return False


@compiled
def keep_feasible(
    positions: Bools,
    pitches: PitchMask,
    sounding_until: Ints,
    sounding: Ints,
    most_sounding: Ints,
    is_required: Bools,
    is_locked: Bools,
    at: int,
    owed: int,
    left: int,
    is_short: bool,
) -> None:
    """Close, in place, the positions from which a cell could not be completed.

    Parameters
    ----------
    positions
        Which are open, as long as the longest bar.
    pitches
        Shape (times, 128): which may begin where.
    busy
        Shape (128,): the time before which each pitch still sounds.
    sounding, most_sounding
        Shape (times,): notes of the request that sound there, and how many may, with one that
        begins.
    is_required
        Shape (positions of the bar,).
    is_locked
        The same shape: where notes stand that stay.
    at
        Position of the last onset, -1 before the first.
    owed, left
        Onsets that the cell must have yet and may have yet.
    is_short
        Whether each onset must be one of those owed, because there are ids for no others.
    """
    length = len(is_required)
    first, required = length, 0
    for position in range(length - 1, at, -1):
        if is_required[position]:
            first = position
            required += 1
    later = 0
    for position in range(length - 1, -1, -1):
        if position <= at:
            positions[position] = False
            continue
        is_open = is_locked[position] or (
            sounding[position] < most_sounding[position]
            and _begins(pitches[position], sounding_until, position, -1)
        )
        may = is_open and position <= first and later >= owed - 1
        if required - is_required[position] > left - 1:
            may = False
        if is_short and required >= owed and position != first:
            may = False
        positions[position] &= may
        later += is_open
    positions[length:] = False


@compiled
def latest_end(
    pitch: int,
    at: int,
    pitches: PitchMask,
    sounding_until: Ints,
    sounding: Ints,
    most_sounding: Ints,
    limit: Ints,
    wants: npt.NDArray[np.int8],
    bar_of: Ints,
    owed: Ints,
    closes: Bools,
) -> int:
    """Return the latest time at which a note may end that begins now.

    Parameters
    ----------
    pitch, at
        The note.
    pitches, busy, sounding, most_sounding
        As for ``keep_feasible``.
    limit
        Shape (times,): how many notes of the request may sound on into a time.
    wants
        Shape (times,): ``IDLE``, ``COUNTED`` or ``REQUIRED``.
    bar_of
        Shape (times,): which bar a time lies in, the one that is written being 0.
    owed
        Shape (bars,): onsets that each bar must have yet.
    closes
        Shape (times,): where no other note can be played while this one sounds.
    """
    spare = -owed
    for time in range(at + 1, len(wants)):
        if wants[time] != IDLE and sounding[time] < most_sounding[time]:
            spare[bar_of[time]] += _begins(pitches[time], sounding_until, time, -1)
    for time in range(at + 1, len(wants)):
        if sounding[time] + 1 > limit[time]:
            return time
        if wants[time] == IDLE or sounding[time] >= most_sounding[time]:
            continue
        if not _begins(pitches[time], sounding_until, time, -1):
            continue
        is_taken = sounding[time] + 1 >= most_sounding[time] or closes[time]
        if is_taken or not _begins(pitches[time], sounding_until, time, pitch):
            if wants[time] == REQUIRED:
                return time
            spare[bar_of[time]] -= 1
            if spare[bar_of[time]] < 0:
                return time
    return 1 << 20


@compiled
def leave_open(
    positions: npt.NDArray[np.bool_], pitches: PitchMask, sounding_until: npt.NDArray[np.int64]
) -> None:
    """Close, in place, the positions at which no pitch can begin.

    Parameters
    ----------
    positions
        Which are open, as long as the longest bar.
    pitches
        Shape (positions of the bar, 128): which may begin where.
    busy
        Shape (128,): the position before which each pitch still sounds.
    """
    positions[len(pitches) :] = False
    for position in range(len(pitches)):
        if positions[position]:
            found = False
            for pitch in range(128):
                if pitches[position, pitch] and sounding_until[pitch] <= position:
                    found = True
                    break
            positions[position] = found


@compiled
def find_playable(
    playable: npt.NDArray[np.bool_],
    pitches: PitchMask,
    sounding_until: npt.NDArray[np.int64],
    position: int,
    lowest: int,
) -> bool:
    """Find, in place, which pitches can begin at a position; return whether any can.

    Parameters
    ----------
    playable
        Shape (128,).
    pitches, busy
        As for ``leave_open``.
    position
        The position.
    lowest
        The lowest pitch that may.
    """
    is_any = False
    playable[:lowest] = False
    for pitch in range(lowest, 128):
        playable[pitch] = pitches[position, pitch] and sounding_until[pitch] <= position
        is_any |= playable[pitch]
    return is_any
