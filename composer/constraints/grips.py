"""Which pitches can begin beside those that sound, as instruments are played.

Conventions
-----------
What sounds is a *bit set* of pitches: an int with bit ``p`` set if pitch ``p`` sounds. What can be
played stays playable when notes end, so a bit set can be told from what may be added to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from composer.constraints.playing import KICKS, PEDALS, STICKS, Way

Mask = npt.NDArray[np.bool_]

_PITCHES = np.arange(128)


def bits_of(pitches: Iterable[int]) -> int:
    """Return the bit set of some pitches.

    >>> bits_of([0, 2, 2])
    5
    """
    bits = 0
    for pitch in pitches:
        bits |= 1 << pitch
    return bits


@lru_cache(maxsize=1 << 14)
def beside(bits: int, ways: tuple[Way, ...]) -> Mask:
    """Return which pitches can sound with those of a bit set, shape (128,); not to be changed.

    The ways are those of drum kits and of instruments played with two hands.
    """
    sounding = np.flatnonzero([bits >> pitch & 1 for pitch in range(128)])
    mask = np.ones(128, bool)
    for way in ways:
        mask &= _on_kit(sounding) if way.is_kit else _held(sounding, way)
    return mask


def fit(bits: int, ways: tuple[Way, ...]) -> bool:
    """Return whether the pitches of a bit set can sound together."""
    highest = bits.bit_length() - 1
    return highest < 0 or bool(beside(bits & ~(1 << highest), ways)[highest])


def _held(sounding: npt.NDArray[np.int64], way: Way) -> Mask:
    """Return which pitches can be held beside some."""
    is_new = ~np.isin(_PITCHES, sounding)
    count = len(sounding) + is_new  # (128,)
    lowest = np.minimum(_PITCHES, sounding.min(initial=127))
    highest = np.maximum(_PITCHES, sounding.max(initial=0))
    # Notes that only the lower hand reaches, and only the upper one: each has fingers for its own,
    # none is out of reach of both, and the rest is shared out in the order of pitch.
    held = np.vstack([np.repeat(sounding[:, None], 128, 1), _PITCHES])  # (notes, 128)
    is_counted = np.vstack([np.ones((len(sounding), 128), bool), is_new])
    lower = (is_counted & (held < highest - way.span)).sum(0)
    upper = (is_counted & (held > lowest + way.span)).sum(0)
    mask = (lower <= way.fingers) & (upper <= way.fingers) & (lower + upper <= count)
    return np.asarray(mask & (count <= 2 * way.fingers))


def _on_kit(begun: npt.NDArray[np.int64]) -> Mask:
    """Return which pieces of a drum kit can be struck with some."""
    mask = np.ones(128, bool)
    feet = [*KICKS, *PEDALS]
    for limb, most in (
        (np.isin(_PITCHES, [*KICKS]), 1),
        (np.isin(_PITCHES, [*PEDALS]), 1),
        (np.isin(_PITCHES, feet, invert=True), STICKS),
    ):
        struck = begun[limb[begun]]
        if len(struck) > most:
            mask[:] = False
        elif len(struck) == most:
            mask[limb & ~np.isin(_PITCHES, struck)] = False
    return mask
