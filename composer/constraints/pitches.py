"""Constraints on the pitches of notes, and the pieces of the kit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from numbers import Integral
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from composer._calls import called_right, shown
from composer.constraints.base import Cell, ChordMask, Constraint, PitchMask, PitchRule, pitches_of
from composer.errors import RequestError
from composer.score.beats import strong_positions
from composer.score.instruments import parse_piece
from composer.score.names import Bars, Parts, listed_pieces
from composer.theory.chords import QUALITIES, Chord
from composer.theory.keys import Key
from composer.theory.pitches import parse_range

_LETTERS = "CDEFGAB"


#: Semitones above a chord's root -> letters above it: thirds are two letters up, fifths four.
_STEPS = {0: 0, 1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 4, 7: 4, 8: 4, 9: 5, 10: 6, 11: 6}


@called_right("composer.InScale")
@dataclasses.dataclass(frozen=True)
class InScale(Constraint):
    """Notes of the key; in a chord, the chord's own notes take the place of those they alter.

    So under E major in A minor the G sharp is in and the G is out, and the A stays. Where the key
    signature changes, it is the key of the signature with which a bar begins, and the home key
    before. Drums have no key.

    Parameters
    ----------
    parts, bars
        See ``Constraint``.
    """

    pitched: ClassVar[bool] = True
    by_chord: ClassVar[bool] = True

    def pitches(self, cell: Cell) -> PitchMask:
        """Return the notes of the key, altered by the chords."""
        mask = np.tile(pitches_of(cell.key.scale), (cell.positions, 1))
        for position, chord in cell.chords:
            mask[position:] = pitches_of(_altered_scale(cell.key, chord, cell.key.sharps))
        return mask


@lru_cache(maxsize=1024)
def _altered_scale(key: Key, chord: Chord | None, _: int) -> frozenset[int]:
    """Return the pitch classes of a key's scale with a chord's tones on their degrees."""
    # Equal keys may be spelled differently, so their sharps belong to what is remembered.
    if chord is None:
        return key.scale
    degrees = sorted(key.scale, key=lambda note: (note - key.tonic) % 12)
    root = (_LETTERS.index(key.spell(chord.root)[0]) - _LETTERS.index(key.spell(key.tonic)[0])) % 7
    intervals = QUALITIES[chord.quality].intervals
    # A diminished seventh is as wide as a sixth.
    steps = {**_STEPS, 9: 6} if 6 in intervals else _STEPS
    replaced = {degrees[(root + steps[interval % 12]) % 7] for interval in intervals}
    return frozenset({*degrees} - replaced) | chord.pitch_classes


@called_right("composer.ChordTones")
@dataclasses.dataclass(frozen=True)
class ChordTones(Constraint):
    """Only notes of the chord on strong beats, and wherever a chord begins.

    What matters is where a note begins; it may sound on. Between strong beats all other notes are
    free; with ``passing`` these must be passing or neighbouring notes, and with ``everywhere``
    there are none. Where there is no chord, and on drums, all notes are free.

    Parameters
    ----------
    everywhere
        Whether no other note may begin anywhere.
    passing
        Whether between strong beats the highest note of an onset may be another one of the key
        (as ``InScale`` has it) if the part's line comes to it by a step of one or two semitones,
        and goes on by one. Lower notes of the onset are the chord's.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    RequestError
        Both are asked for, or one is neither True nor False.
    """

    everywhere: bool = False
    passing: bool = False

    pitched: ClassVar[bool] = True
    by_chord: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("everywhere", "passing"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise RequestError(
                    f"ChordTones({name}={shown(value)}) is neither True nor False; give one of them"
                )
        if self.everywhere and self.passing:
            raise RequestError(f"{self} leaves no note to pass; drop everywhere or passing")

    @property
    def is_linear(self) -> bool:
        """Whether it is about the steps of lines."""
        return self.passing

    def pitches(self, cell: Cell) -> PitchMask:
        """Return all pitches, but chord tones alone on strong beats."""
        mask = np.ones((cell.positions, 128), bool)
        chords = cell.chord_at()
        for position in np.flatnonzero(self._held(cell)).tolist():
            chord = chords[position]
            if chord is not None:
                mask[position] = pitches_of(frozenset(chord.pitch_classes))
        return mask | self._between(cell) if self.passing else mask

    def only_passing(self, cell: Cell) -> PitchMask | None:
        """Return the other notes of the key between strong beats, if these may pass."""
        return self._between(cell) if self.passing else None

    def _between(self, cell: Cell) -> PitchMask:
        mask = np.zeros((cell.positions, 128), bool)
        chords = cell.chord_at()
        for position in np.flatnonzero(~self._strong(cell)).tolist():
            chord = chords[position]
            if chord is not None:
                scale = _altered_scale(cell.key, chord, cell.key.sharps)
                mask[position] = pitches_of(frozenset(scale - chord.pitch_classes))
        return mask

    def _held(self, cell: Cell) -> npt.NDArray[np.bool_]:
        """Return where notes are held to the chord."""
        if self.everywhere or self.passing:
            return np.ones(cell.positions, bool)
        return self._strong(cell)

    def _strong(self, cell: Cell) -> npt.NDArray[np.bool_]:
        strong = np.zeros(cell.positions, bool)
        strong[strong_positions(cell.numerator, cell.denominator)] = True
        strong[[position for position, _ in cell.chords]] = True
        return strong


@dataclasses.dataclass(frozen=True)
class BassNotes:
    """The chord's bass where a chord begins, and at the start of a bar."""

    def pitches(self, cell: Cell) -> PitchMask:
        """Return all pitches, but the bass alone where the bass has to speak."""
        mask = np.ones((cell.positions, 128), bool)
        for position, chord in cell.chords:
            if chord is not None:
                bass = chord.root if chord.bass is None else chord.bass
                mask[position] = pitches_of(frozenset([bass]))
        return mask


@called_right("composer.PitchRange")
@dataclasses.dataclass(frozen=True, init=False)
class PitchRange(Constraint):
    """Pitches from ``low`` to ``high``, both in: ``PitchRange("C4-C6")`` or ``PitchRange(60, 84)``.

    Drums keep to it where ``parts`` names them.

    Parameters
    ----------
    low, high
        MIDI pitches or names of notes; or both in one, ``"C4-C6"`` or ``(60, 84)``.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    RequestError
        No range of MIDI pitches.
    SymbolError
        A note that cannot be read.
    """

    low: int
    high: int

    pitched: ClassVar[bool] = True

    def __init__(
        self,
        low: int | str | tuple[int | str, int | str],
        high: int | str | None = None,
        *,
        parts: Parts = None,
        bars: Bars = None,
    ) -> None:
        if isinstance(low, Integral) and high is None:
            raise RequestError(f"PitchRange({low!r}) has no upper end; for example 'C4-C6'")
        given = low if high is None else (low, high)
        for name, value in zip(("low", "high"), parse_range(given), strict=True):  # type: ignore[arg-type]
            object.__setattr__(self, name, value)
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "bars", bars)
        self.__post_init__()

    def pitches(self, cell: Cell) -> PitchMask:
        """Return the pitches of the range, at every position."""
        pitch = np.arange(128)
        return np.tile((pitch >= self.low) & (pitch <= self.high), (cell.positions, 1))


@called_right("composer.DrumPieces")
@dataclasses.dataclass(frozen=True)
class DrumPieces(Constraint):
    """Drums hit these pieces of the kit alone: ``DrumPieces(["kick", "snare", "closed hi-hat"])``.

    It is about all drum parts where ``parts`` names none.

    Parameters
    ----------
    pieces
        Names as ``composer.score.instruments.parse_piece`` reads them; a text holds several with
        commas between.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    SymbolError
        A piece that is unknown.
    RequestError
        No chord is allowed.

    Examples
    --------
    >>> DrumPieces("kick, snare").sounds
    (35, 36, 38, 40)
    """

    pieces: str | Sequence[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "pieces", listed_pieces(self.pieces))

    @property
    def for_drums(self) -> bool:
        """That it is about drums alone."""
        return True

    @property
    def sounds(self) -> tuple[int, ...]:
        """Their pitches, in order."""
        return tuple(sorted({pitch for piece in self.pieces for pitch in parse_piece(piece)}))

    def pitches(self, cell: Cell) -> PitchMask:
        """Return the pitches of the pieces, at every position."""
        return np.tile(np.isin(np.arange(128), self.sounds), (cell.positions, 1))


def as_far_as_they_can(rules: Sequence[PitchRule], cell: Cell, pitches: PitchMask) -> PitchMask:
    """Return a mask narrowed by one rule after the other, each where it leaves something."""
    mask = pitches.copy()
    for rule in rules:
        narrow(mask, rule.pitches(cell))
    return mask


def narrow(pitches: PitchMask, wanted: PitchMask) -> bool:
    """Narrow pitches in place, position by position where some are left; returns if any were."""
    both = pitches & wanted
    some = both.any(1)
    pitches[some] = both[some]
    return bool(some.any())


_TONES = np.array(
    [
        [np.isin(np.arange(12), (root + np.array(q.intervals)) % 12) for q in QUALITIES]
        for root in range(12)
    ]
)  # (12 roots, qualities, 12 pitch classes)


def allowed_chords(key: Key, sounding: Sequence[int] = ()) -> ChordMask:
    """Return the chords of a key that hold the pitch classes sounding with them.

    In a minor key the chords with the leading tone are in as well. Where no chord of the key holds
    a note that sounds (a chromatic one), any chord that does is allowed.

    Parameters
    ----------
    key
        Home key.
    sounding
        Pitch classes that the chord must hold, as far as one chord can.
    """
    scales = [key.scale]
    if key.mode == "minor":
        scales.append(frozenset(key.scale - {(key.tonic + 10) % 12} | {key.leading_tone}))
    inside = np.zeros(_TONES.shape[:2], bool)
    for scale in scales:
        outside = np.isin(np.arange(12), list(scale), invert=True)
        inside |= ~(_TONES & outside).any(-1)
    required = list(dict.fromkeys(sounding))
    while required:
        holding = _TONES[:, :, required].all(-1)
        for mask in (holding & inside, holding):
            if mask.any():
                return np.asarray(mask)
        required.pop()
    return inside
