"""Where a pitch is left to begin, and which, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer.compiled import compiled
from composer.constraints.pitch_rules import PitchMask


@compiled
def leave_open(
    positions: npt.NDArray[np.bool_], pitches: PitchMask, busy: npt.NDArray[np.int64]
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
                if pitches[position, pitch] and busy[pitch] <= position:
                    found = True
                    break
            positions[position] = found


@compiled
def find_playable(
    playable: npt.NDArray[np.bool_],
    pitches: PitchMask,
    busy: npt.NDArray[np.int64],
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
        playable[pitch] = pitches[position, pitch] and busy[pitch] <= position
        is_any |= playable[pitch]
    return is_any
