"""Settings of the REMI formats: what is said, how finely, and what each costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from composer.errors import TokenError
from composer.score.grid import RESOLUTION
from composer.tokenizers.bins import EVERY_VELOCITY, TEMPO_BINS, Bins, duration_table, tempo_table

_SWITCHES = (
    "programs",
    "time_signatures",
    "tempos",
    "chords",
    "rests",
    "pedals",
    "drum_tokens",
    "relative_pitch",
)
_MAX_RESOLUTION, _MAX_STEPS, _MAX_DURATION = 96, 64, 2**15


@dataclasses.dataclass(frozen=True)
class RemiConfig:
    """Settings of ``REMI`` and, with ``programs``, of ``REMIPlus``.

    Parameters
    ----------
    programs
        Whether each note says its program, at one token; without it one piano plays all, and drums
        are left out.
    time_signatures
        Whether bars say their time signature where it changes; without it all bars are 4/4.
    tempos
        Whether tempos are said where they change; without it they are lost.
    tempo_bins
        Number of tempos from 20 to 320 bpm, 2 to 193, each the same ratio above the one before: 49
        are off by 3% at most, 193 by 0.8%.
    chords
        Whether chord symbols are said where they change, at one token or two; without it they are
        lost.
    velocity_bins
        Number of velocities told apart, 1 to 64, or 127 for each its own, at one token a note; 0
        for none: no token, and all velocities become 64.
    resolution
        Positions a quarter, a multiple of 4 up to 96: 12 make sixteenths and triplets exact, 24
        thirty-seconds too, 4 and 8 no triplets. Finer ones cost no tokens, but a larger vocabulary.
    microtiming
        Steps a position that onsets are told apart by, an even number up to 64, at one ``Offset``
        token after each Position, and a Position for each of the onsets that shared one; 0 for
        none. Twelve positions of 8 steps are 5 ms at 120 bpm. Durations stay in positions.
    durations
        Note lengths in positions, rising; without it all up to two quarters, then in coarser
        steps up to thirty-two. Longer notes are clipped.
    rests
        Whether ``Rest`` is said, at one token and mostly a Position, where silence of an eighth or
        more begins, in each bar anew. It says nothing that the notes do not.
    pedals
        Whether the sustain pedal is said, at one ``Pedal`` token for down and one for up, and a
        Program and a Position where needed; without it pedals are lost. Of tracks that share a
        program the pedals are joined.
    pitch_bends
        Number of pitch bends told apart, odd, 3 to 255, at a token where the bend changes, and a
        Program and a Position where needed; 0 for none. Tracks that share a program share them.
    drum_tokens
        Whether drum hits have a family of their own, ``Drum``; without it they say ``Pitch``,
        which makes the vocabulary 128 smaller.
    relative_pitch
        Whether a ``Key`` stands at the start, and pitches and chords are said as they are in C
        major or A minor. The key is that of the first key signature or inferred from the notes,
        and the only one that is kept.

    Raises
    ------
    TokenError
        A setting is out of range, or contradicts another.
    """

    programs: bool = False
    time_signatures: bool = False
    tempos: bool = True
    tempo_bins: int = TEMPO_BINS
    chords: bool = True
    velocity_bins: int = 16
    resolution: int = RESOLUTION
    microtiming: int = 0
    durations: tuple[int, ...] | None = None
    rests: bool = False
    pedals: bool = False
    pitch_bends: int = 0
    drum_tokens: bool = True
    relative_pitch: bool = False

    def __post_init__(self) -> None:
        for name in _SWITCHES:
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise TokenError(f"{name} {value!r} is neither True nor False")
        _whole("tempo_bins", self.tempo_bins, range(2, 194))
        _whole("velocity_bins", self.velocity_bins, [*range(65), EVERY_VELOCITY], "0 to 64, or 127")
        multiples = range(4, _MAX_RESOLUTION + 1, 4)
        _whole("resolution", self.resolution, multiples, "a multiple of 4 from 4 to 96")
        steps = [0, *range(2, _MAX_STEPS + 1, 2)]
        _whole("microtiming", self.microtiming, steps, "0, or an even number up to 64")
        _whole("pitch_bends", self.pitch_bends, [0, *range(3, 256, 2)], "0, or odd, 3 to 255")
        if self.durations is not None:
            object.__setattr__(self, "durations", _durations(self.durations))
        if not self.tempos and self.tempo_bins != TEMPO_BINS:
            raise TokenError(
                f"tempo_bins={self.tempo_bins} contradicts tempos=False; leave one of them out"
            )
        if not self.programs and not self.drum_tokens:
            raise TokenError(
                "drum_tokens=False needs programs=True, as there are no drums without programs"
            )
        if self.relative_pitch and not self.drum_tokens:
            raise TokenError(
                "drum_tokens=False contradicts relative_pitch=True, as drums are in no key; leave "
                "one of them out"
            )

    @cached_property
    def bins(self) -> Bins:
        """The grid and the tables that these settings ask for."""
        given = self.durations
        table = duration_table(self.resolution) if given is None else np.array(given)
        return Bins(
            velocities=self.velocity_bins,
            resolution=self.resolution,
            steps=self.microtiming or 1,
            durations=table,
            tempos=tempo_table(self.tempo_bins),
            bends=self.pitch_bends,
        )


def _whole(name: str, value: object, known: Sequence[int], what: str = "") -> None:
    """Refuse what is not a whole number, or none of those known."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in known:
        what = what or f"{known[0]} to {known[-1]}"
        raise TokenError(f"{name} {value!r} is outside {what}")


def _durations(given: Iterable[int]) -> tuple[int, ...]:
    durations = tuple(given)
    rising = all(isinstance(x, int) for x in durations) and [*durations] == sorted({*durations})
    if not durations or not rising or durations[0] < 1 or durations[-1] > _MAX_DURATION:
        raise TokenError(
            f"durations {durations} must be positions, rising, from 1 to {_MAX_DURATION}"
        )
    return durations
