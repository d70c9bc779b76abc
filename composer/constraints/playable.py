"""What one player can do: how each instrument is played, and the constraint that says so.

Conventions
-----------
Keys and pieces of a kit that sound together are a set: two notes of one pitch count once. Programs
count from 0, as in ``composer.score.instruments``.

References
----------
Adler, S. (2016). *The Study of Orchestration*, 4th edition: fingers, mallets and strings.

Which pitches can begin beside those that sound, as instruments are played.

Conventions
-----------
What sounds is a *bit set* of pitches: an int with bit ``p`` set if pitch ``p`` sounds. What can be
played stays playable when notes end, so a bit set can be told from what may be added to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from composer._calls import called_right
from composer.constraints.base import Cell, Constraint, PitchMask
from composer.errors import RequestError
from composer.score.instruments import GM_DRUMS, sounding_range
from composer.score.names import is_whole

KICKS, PEDALS = frozenset((35, 36)), frozenset((44,))  # what a drummer's feet play


STICKS = 2


MAJOR_NINTH, WIDEST = 14, 24  # semitones; the second is more than any hand's


@dataclasses.dataclass(frozen=True)
class Technique:
    """How an instrument is played.

    Parameters
    ----------
    low, high
        Its lowest and highest pitch.
    notes
        Most notes that sound together, each counted; None for any number, or where hands decide.
    fingers
        Most notes a hand holds, where two hands on a keyboard play it; 0 elsewhere.
    span
        Semitones that one of these hands reaches.
    is_kit
        Whether it is a drum kit: a kick, a hi-hat pedal, and two sticks for the rest.
    """

    low: int
    high: int
    notes: int | None = None
    fingers: int = 0
    span: int = 0
    is_kit: bool = False


_Played = dict[int, tuple[int | None, int]]


def _each(notes: int | None, fingers: int, *programs: Iterable[int]) -> _Played:
    return {program: (notes, fingers) for some in programs for program in some}


#: Program -> most notes that sound together, and fingers a hand on a keyboard. Sections, choirs and
#: effects are not here: many play them, or nobody.
_PLAYED: _Played = {
    # Keyboards, synthesizers among them.
    **_each(None, 5, range(9), range(16, 22), (23, 50, 51, 54, 62, 63), range(80, 104)),
    # Two hands of four fingers on a harp.
    **_each(None, 4, (46,)),
    # Four mallets; two on drums.
    **_each(4, 0, (9, 11, 12, 13, 14, 15, 112, 114)),
    **_each(2, 0, (47, 108, 113, 115, 116, 117)),
    # Strings that are fretted: guitars, bass guitars, sitar, banjo, shamisen.
    **_each(6, 0, range(24, 32)),
    **_each(4, 0, range(33, 40), (104, 105)),
    **_each(3, 0, (106,)),
    # Harmonica, double bass, bowed strings, voice, brass, reeds, pipes.
    **_each(1, 0, (22, 32), range(40, 44), (53,), range(56, 61), range(64, 80), (109, 110, 111)),
}


@called_right("composer.Playable")
@dataclasses.dataclass(frozen=True)
class Playable(Constraint):
    """What one player can play on the part's instrument.

    Each note that begins lies in the instrument's range
    (``composer.score.instruments.sounding_range``), and wherever one begins, all notes of the part
    that sound there, given ones counted, can be held:

    - On keyboards (pianos, organs, accordions, synthesizers) two hands hold them, each at most five
      notes that lie no further apart than ``span``. A hand may take over what the other holds. The
      harp is the same with four fingers a hand.
    - On guitars at most six notes sound; on bass guitars, banjo and sitar four, on the shamisen
      three. Frets are not looked at.
    - On mallet instruments and bells at most four, on timpani and other single drums two.
    - On winds, brass, bowed strings, double bass, harmonica, and for one voice: one. Double stops
      are not written.
    - On the drum kit, of the pieces that begin together: one kick drum at most (35 or 36), one
      hi-hat pedal (44), two of all others; each of 35 to 81. How fast they follow is not looked at.
    - For sections, choirs, koto and effects the range alone holds.

    Parameters
    ----------
    span
        Semitones that one hand reaches on a keyboard: 14, a major ninth, without it.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    RequestError
        No hand has this span.

    Examples
    --------
    >>> Playable().technique(0)
    Technique(low=21, high=108, notes=None, fingers=5, span=14, is_kit=False)
    >>> Playable().technique(73).notes
    1
    """

    is_played: ClassVar[bool] = True

    span: int = MAJOR_NINTH

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_whole(self.span) or not 1 <= self.span <= WIDEST:
            raise RequestError(
                f"span {self.span!r} is outside 1 to {WIDEST} semitones; a ninth is 14, a tenth 16"
            )

    def pitches(self, cell: Cell) -> PitchMask:
        """Return the pitches of the instrument's range, at every position."""
        technique, pitch = self.technique(cell.program, cell.is_drum), np.arange(128)
        in_range = (pitch >= technique.low) & (pitch <= technique.high)
        return np.tile(in_range, (cell.positions, 1))

    def voices(self, program: int, is_drum: bool) -> int | None:
        """Return how many notes sound on the instrument at most."""
        return self.technique(program, is_drum).notes

    def technique(self, program: int, is_drum: bool = False) -> Technique:
        """Return how an instrument is played."""
        if is_drum:
            return Technique(min(GM_DRUMS), max(GM_DRUMS), is_kit=True)
        notes, fingers = _PLAYED.get(program, (None, 0))
        return Technique(*sounding_range(program), notes, fingers, self.span if fingers else 0)


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
def beside(bits: int, techniques: tuple[Technique, ...]) -> Mask:
    """Return which pitches can sound with those of a bit set, shape (128,); not to be changed.

    The ways are those of drum kits and of instruments played with two hands.
    """
    sounding = np.flatnonzero([bits >> pitch & 1 for pitch in range(128)])
    mask = np.ones(128, bool)
    for technique in techniques:
        mask &= _on_kit(sounding) if technique.is_kit else _held(sounding, technique)
    return mask


def fit(bits: int, techniques: tuple[Technique, ...]) -> bool:
    """Return whether the pitches of a bit set can sound together."""
    highest = bits.bit_length() - 1
    return highest < 0 or bool(beside(bits & ~(1 << highest), techniques)[highest])


def _held(sounding: npt.NDArray[np.int64], technique: Technique) -> Mask:
    """Return which pitches can be held beside some."""
    is_new = ~np.isin(_PITCHES, sounding)
    count = len(sounding) + is_new  # (128,)
    lowest = np.minimum(_PITCHES, sounding.min(initial=127))
    highest = np.maximum(_PITCHES, sounding.max(initial=0))
    # Notes that only the lower hand reaches, and only the upper one: each has fingers for its own,
    # none is out of reach of both, and the rest is shared out in the order of pitch.
    held = np.vstack([np.repeat(sounding[:, None], 128, 1), _PITCHES])  # (notes, 128)
    is_counted = np.vstack([np.ones((len(sounding), 128), bool), is_new])
    lower = (is_counted & (held < highest - technique.span)).sum(0)
    upper = (is_counted & (held > lowest + technique.span)).sum(0)
    mask = (lower <= technique.fingers) & (upper <= technique.fingers) & (lower + upper <= count)
    return np.asarray(mask & (count <= 2 * technique.fingers))


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
