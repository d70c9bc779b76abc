"""Chord symbols.

Conventions
-----------
Pitch classes are 0 (C) to 11 (B). A chord's quality is its place in `QUALITIES`.

Chords without a bass of their own are numbered root by root, `chord_index`, wherever arrays have a
place for each of them. Vocabularies have their tokens in this order and among those of other
families, so a quality that is added moves the ids of hundreds of chords and of all that stands
behind them: it takes a new version of every vocabulary with chords, and models are trained anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from composer.errors import SymbolError
from composer.theory.chord_names import nearest_symbol, suffix_tones
from composer.theory.keys import (
    NOTE_PATTERN,
    Key,
    note_name,
    note_place,
    pitch_class_of,
    plain_place,
)

#: How a score writes that no chord sounds.
NO_CHORD = "N.C."


Number = TypeVar("Number", int, npt.NDArray[np.int64])


class Quality(NamedTuple):
    """A kind of chord: its suffix in a symbol and its semitones above the root."""

    name: str
    intervals: tuple[int, ...]


QUALITIES = (
    Quality("", (0, 4, 7)),
    Quality("m", (0, 3, 7)),
    Quality("7", (0, 4, 7, 10)),
    Quality("maj7", (0, 4, 7, 11)),
    Quality("m7", (0, 3, 7, 10)),
    Quality("m7b5", (0, 3, 6, 10)),
    Quality("dim7", (0, 3, 6, 9)),
    Quality("dim", (0, 3, 6)),
    Quality("aug", (0, 4, 8)),
    Quality("sus4", (0, 5, 7)),
    Quality("sus2", (0, 2, 7)),
    Quality("6", (0, 4, 7, 9)),
    Quality("m6", (0, 3, 7, 9)),
    Quality("mMaj7", (0, 3, 7, 11)),
    Quality("7sus4", (0, 5, 7, 10)),
    Quality("9", (0, 4, 7, 10, 14)),
    Quality("maj9", (0, 4, 7, 11, 14)),
    Quality("m9", (0, 3, 7, 10, 14)),
    Quality("add9", (0, 4, 7, 14)),
    Quality("5", (0, 7)),
    Quality("7b9", (0, 4, 7, 10, 13)),
    Quality("7#5", (0, 4, 8, 10)),
)


#: How many chords there are without a bass of their own.
CHORD_COUNT = 12 * len(QUALITIES)


def chord_index(root: Number, quality: Number) -> Number:
    """Return the number of a chord, 0 to ``CHORD_COUNT`` - 1; arrays are numbered row by row.

    >>> chord_index(0, 0), chord_index(9, 4), chord_at(chord_index(9, 4))
    (0, 202, (9, 4))
    """
    return root * len(QUALITIES) + quality


def chord_at(index: Number) -> tuple[Number, Number]:
    """Return the root and the quality of the chord of a number, or of an array of numbers."""
    return index // len(QUALITIES), index % len(QUALITIES)


@dataclass(frozen=True)
class Chord:
    """A chord: root, quality, and the bass where it is not the root.

    Parameters
    ----------
    root
        Pitch class, 0 to 11.
    quality
        Place in `QUALITIES`.
    bass
        Pitch class; None for the root (the root's own pitch class becomes None).

    Examples
    --------
    >>> chord = Chord.parse("Gmin7/Bb")
    >>> chord.tones, chord.bass, chord.symbol()
    ((7, 10, 2, 5), 10, 'Gm7/Bb')
    >>> chord.transpose(2).symbol(Key.parse("A"))
    'Am7/C'
    """

    root: int
    quality: int = 0
    bass: int | None = None

    def __post_init__(self) -> None:
        for what, value in (("root", self.root), ("bass", self.bass)):
            if value is not None and not 0 <= value <= 11:
                raise SymbolError(f"chord {what} {value} is outside the pitch classes 0 to 11")
        if not 0 <= self.quality < len(QUALITIES):
            raise SymbolError(f"quality {self.quality} is outside 0 to {len(QUALITIES) - 1}")
        if self.bass == self.root:
            object.__setattr__(self, "bass", None)

    @classmethod
    def parse(cls, text: str) -> Chord:
        """Read a chord symbol; see `parse_chord`. ``N.C.`` is refused here."""
        chord = parse_chord(text)
        if chord is None:
            raise SymbolError(f"{text!r} means no chord; write a chord such as 'Am7' or 'G/B'")
        return chord

    @property
    def tones(self) -> tuple[int, ...]:
        """Pitch classes in order from the root; the bass is not added."""
        return tuple((self.root + step) % 12 for step in QUALITIES[self.quality].intervals)

    @property
    def pitch_classes(self) -> frozenset[int]:
        """Pitch classes of the chord and its bass."""
        return frozenset(self.tones) | ({self.bass} if self.bass is not None else set())

    def transpose(self, semitones: int) -> Chord:
        """Return the chord this many semitones higher."""
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return Chord((self.root + semitones) % 12, self.quality, bass)

    def symbol(self, key: Key | None = None) -> str:
        """Return the canonical text, spelled for ``key`` or else by the chord's own root."""
        name, intervals = QUALITIES[self.quality]
        if key is None:  # F#7 rather than Gb7, else as the root's own key has it
            own = Key(self.root, "minor" if 3 in intervals else "major")
            key = Key(0) if self.root == 6 else own
        root = key.spell(self.root)
        if self.bass is None:
            return root + name
        return f"{root}{name}/{spell_above(root, (self.bass - self.root) % 12, intervals)}"

    def __str__(self) -> str:
        return self.symbol()


# Place on the line of fifths of each interval: b9, 9, b3, 3, 11, #11, 5, b13, 13, b7, 7.
_FIFTHS = (0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5)


def spell_above(root: str, semitones: int, intervals: tuple[int, ...]) -> str:
    """Return the name of the note ``semitones`` above ``root``, lettered as the chord has it."""
    steps = list(_FIFTHS)
    if 7 not in intervals:  # altered fifths, and the diminished seventh
        steps[6], steps[8] = -6, 8 if 8 in intervals else -4
        steps[9] = -9 if intervals == (0, 3, 6, 9) else 3
    # Past Fb and B# the simpler name is what people write: Edim7/Bbb is for textbooks.
    return note_name(plain_place(note_place(root[0], root[1:]) + steps[semitones]))


def chord_symbol(chord: Chord | None, key: Key | None = None) -> str:
    """Return the text of a chord, or ``N.C.`` for None."""
    return _chord_symbol(chord, key, None if key is None else key.sharps)


@lru_cache(maxsize=4096)
def _chord_symbol(chord: Chord | None, key: Key | None, _: int | None) -> str:
    # Equal keys may be spelled differently, so their sharps belong to what is remembered.
    return NO_CHORD if chord is None else chord.symbol(key)


@lru_cache(maxsize=4096)
def parse_chord(text: str) -> Chord | None:
    """Read a chord symbol as lead sheets write it; None for ``N.C.``, ``NC`` and ``N``.

    What the table of qualities does not hold becomes the quality with the fewest tones different,
    the earlier in the table where two are as near, and none with a minor third for one with a major
    third: C13 is read as C9, C11 as C7sus4, C6/9 as C6, C7alt as C7#5, C7b5 and C7#9 as C7. Of a
    polychord such as D/C7 only a bass note can be said, D/C.

    Raises
    ------
    SymbolError
        The text is not a chord symbol.

    Examples
    --------
    >>> [str(parse_chord(text)) for text in ("CΔ7", "c-7", "Bb13(b9)", "F♯ø", "D/F#")]
    ['Cmaj7', 'Cm7', 'Bb7b9', 'F#m7b5', 'D/F#']
    """
    if _SILENCE.fullmatch(text.strip()):
        return None
    read = _matched(text)
    if read is None:
        raise SymbolError(_unreadable(text))
    found, tones = read
    root = pitch_class_of(found[1], found[2])
    bass = None if found[4] is None else pitch_class_of(found[4], found[5])
    return Chord(root, _nearest_quality(tones), bass)


def is_chord(text: str) -> bool:
    """Return whether a text can be read as a chord symbol, ``N.C.`` among them.

    >>> [is_chord(text) for text in ("F#m7/E", "N.C.", "Chorus")]
    [True, True, False]
    """
    return _SILENCE.fullmatch(text.strip()) is not None or _matched(text) is not None


def _matched(text: str) -> tuple[re.Match[str], frozenset[int]] | None:
    """Return root, suffix and bass of a chord symbol, and the tones that the suffix asks for."""
    found = _CHORD.fullmatch(text.strip())
    tones = suffix_tones(found["suffix"]) if found else None
    if found is None or tones is None or found["suffix"].endswith("/"):
        return None
    return found, tones


def split_symbol(text: str) -> tuple[str, str, str]:
    """Return root, suffix and bass of a chord symbol as they are written; no bass is ``""``.

    Raises
    ------
    SymbolError
        The text is not a chord symbol.

    Examples
    --------
    >>> split_symbol("Bb13(b9)/D")
    ('Bb', '13(b9)', 'D')
    """
    found = _CHORD.fullmatch(text.strip())
    if parse_chord(text) is None or found is None:
        raise SymbolError(f"{text!r} means no chord; write a chord such as 'Am7' or 'G/B'")
    bass = "" if found[4] is None else found[4].upper() + found[5]
    return found[1].upper() + found[2], found["suffix"].strip(), bass


def _unreadable(text: str) -> str:
    """Return what is wrong with a text that is not a chord symbol, and what would be right."""
    if _POLYCHORD.fullmatch(text.strip()):
        return (
            f"chord {text!r} cannot be read, as polychords are not known here; write the upper "
            f"chord and one bass note, such as {nearest_symbol(text)!r}, or all tones as one chord"
        )
    near = nearest_symbol(text)
    remedy = f"the nearest that can is {near!r}; " if near else ""
    return (
        f"chord {text!r} cannot be read; {remedy}write a root from A to G, a quality such as m7, "
        f"maj7, dim or sus4, and a bass after a slash, as in 'F#m7/E', or 'N.C.' for no chord"
    )


def _nearest_quality(tones: frozenset[int]) -> int:
    def distance(quality: int) -> int:
        others = _QUALITY_TONES[quality]
        # A chord with a major third is not a minor one, though C7b5#9 has most tones of Cm7b5.
        return len(tones ^ others) + 2 * (4 in tones and 4 not in others and 3 in others)

    return min(range(len(QUALITIES)), key=distance)


_SILENCE = re.compile(r"(?i:n\.?\s?c\.?|no ?chord)|N")


_CHORD = re.compile(rf"{NOTE_PATTERN}(?P<suffix>.*?)(?:/\s*{NOTE_PATTERN})?")


_POLYCHORD = re.compile(rf"{NOTE_PATTERN}[^/|]*[/|\\]\s*{NOTE_PATTERN}[^/]+")


_QUALITY_TONES = [frozenset(step % 12 for step in quality.intervals) for quality in QUALITIES]
