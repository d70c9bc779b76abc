"""Keys and the names of notes.

Conventions
-----------
Pitch classes are 0 (C) to 11 (B). Note names follow the line of fifths (... Bb F C G D A E B F#
...): a key owns twelve neighbours on it, which gives Bb in F major, F# in G major and G# in A
minor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from composer._calls import shown
from composer.errors import SymbolError

NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "##": 2, "x": 2, "b": -1, "♭": -1, "bb": -2}


NOTE_PATTERN = "([A-Ga-g])(##|bb|[#♯xb♭]|)"


# Sharps in the signature of each tonic; of two spellings the one with fewer accidentals, and of
# F#/Gb major and D#/Eb minor (6 either way) the flat one, as lead sheets mostly have it.
_SHARPS = {
    "major": (0, -5, 2, -3, 4, -1, -6, 1, -4, 3, -2, 5),
    "minor": (-3, 4, -1, -6, 1, -4, 3, -2, 5, 0, -5, 2),
}


_MODES = {
    "major": ("major", "maj", "ma", "M", "dur", "ionian"),
    "minor": ("minor", "min", "mi", "m", "-", "moll", "aeolian"),
}


# Fifths from the tonic of the church modes to that of the major key which has their notes.
_CHURCH_MODES = {"dorian": -2, "phrygian": -4, "lydian": 1, "mixolydian": -1, "locrian": -5}


_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


def note_name(fifths: int) -> str:
    """Return the note at a place on the line of fifths: -1 is F, 0 is C, 1 is G.

    >>> [note_name(n) for n in (-2, 0, 6)]
    ['Bb', 'C', 'F#']
    """
    sharps, letter = divmod(fifths + 1, 7)
    return "FCGDAEB"[letter] + ("#" * sharps if sharps > 0 else "b" * -sharps)


def pitch_class_of(letter: str, accidental: str) -> int:
    """Return the pitch class of a note: 10 of B and b."""
    return (NATURALS[letter.upper()] + _ACCIDENTALS[accidental]) % 12


def note_place(letter: str, accidental: str = "") -> int:
    """Return the place of a note on the line of fifths: F is -1, C is 0, G is 1.

    >>> note_place("B", "b"), note_place("f", "#")
    (-2, 6)
    """
    return "FCGDAEB".index(letter.upper()) - 1 + 7 * _ACCIDENTALS[accidental]


def plain_place(fifths: int) -> int:
    """Return the place of the same note without double accidentals: from Fb, -8, to B#, 12."""
    while fifths > 12:
        fifths -= 12
    while fifths < -8:
        fifths += 12
    return fifths


@dataclass(frozen=True)
class Key:
    """A major or minor key.

    Parameters
    ----------
    tonic
        Pitch class of the tonic, 0 to 11.
    mode
        ``"major"`` or ``"minor"``.
    spelled
        Sharps of the signature, flats negative, where it is not the usual one: F# major rather than
        Gb. Keys of one tonic and mode are equal however they are spelled.

    Examples
    --------
    >>> key = Key.parse("F# minor")
    >>> key.tonic, key.sharps, sorted(key.scale)
    (6, 3, [1, 2, 4, 6, 8, 9, 11])
    >>> key.spell(key.leading_tone)
    'E#'
    >>> Key.parse("F#").sharps, Key.parse("Gb").sharps, Key.parse("F#") == Key.parse("Gb")
    (6, -6, True)
    """

    tonic: int
    mode: str = "major"
    spelled: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.tonic <= 11:
            raise SymbolError(f"tonic {self.tonic} is outside the pitch classes 0 to 11")
        if self.mode not in _SCALES:
            raise SymbolError(f"mode {self.mode!r} is unknown; write 'major' or 'minor'")
        if self.spelled is not None and (
            not -7 <= self.spelled <= 7 or (self.spelled - _SHARPS[self.mode][self.tonic]) % 12
        ):
            raise SymbolError(
                f"a signature of {self.spelled} sharps is not that of {self.name}; leave it out"
            )

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read a key such as ``F# minor``, ``Bb``, ``Am``, ``E flat major`` or ``f#m``.

        A letter alone is a major key, in either case.

        Raises
        ------
        SymbolError
            The text names no major or minor key.
        """
        plain = " ".join(str(text).split())
        plain = re.sub(r"(?i)[ -]{0,2}(sharp|flat)", lambda m: "b#"[m[1].lower() == "sharp"], plain)
        found = re.fullmatch(NOTE_PATTERN + r"[ :_-]*?([A-Za-z]*\.?|-)", plain)
        if found:
            letter, accidental, word = found.groups()
            word = word.rstrip(".")
            word = word if len(word) == 1 else word.lower()
            for mode, words in _MODES.items():
                if word in words or (not word and mode == "major"):
                    return cls.named(note_place(letter, accidental), mode)
            if word in _CHURCH_MODES:
                major = plain_place(note_place(letter, accidental) + _CHURCH_MODES[word])
                minor = note_name(plain_place(major + 3))
                raise SymbolError(
                    f"key {text!r} is a mode, and keys here are major or minor; "
                    f"'{note_name(major)} major' and '{minor} minor' have its notes"
                )
        raise SymbolError(
            f"key {shown(text)} cannot be read; write one like 'Bb major' or 'F# minor'"
        )

    @classmethod
    def from_signature(cls, sharps: int, minor: bool = False) -> Key:
        """Return the key of a MIDI key signature: ``sharps`` -7 to 7, flats negative."""
        if not -7 <= sharps <= 7:
            raise SymbolError(f"key signature of {sharps} sharps is outside -7 to 7")
        return cls((7 * sharps + 9 * bool(minor)) % 12, "minor" if minor else "major", sharps)

    @classmethod
    def named(cls, fifths: int, mode: str = "major") -> Key:
        """Return the key whose tonic stands at a place on the line of fifths (C is 0).

        It is spelled so if that takes no more than seven sharps or flats.
        """
        sharps = fifths - 3 * (mode == "minor")
        return cls(7 * fifths % 12, mode, sharps if -7 <= sharps <= 7 else None)

    @property
    def is_minor(self) -> bool:
        """Whether the mode is minor."""
        return self.mode == "minor"

    @property
    def scale(self) -> frozenset[int]:
        """The seven pitch classes of the signature (minor: natural minor)."""
        return frozenset((self.tonic + step) % 12 for step in _SCALES[self.mode])

    @property
    def leading_tone(self) -> int:
        """Pitch class a semitone below the tonic; in minor it is not in `scale`."""
        return (self.tonic - 1) % 12

    @property
    def sharps(self) -> int:
        """Sharps in the key signature, flats negative; -6 to 5 unless it is spelled otherwise."""
        return _SHARPS[self.mode][self.tonic] if self.spelled is None else self.spelled

    @property
    def name(self) -> str:
        """The key in words, such as ``F# minor``."""
        return f"{self.spell(self.tonic)} {self.mode}"

    def transpose(self, semitones: int) -> Key:
        """Return the key this many semitones higher, in its usual spelling."""
        return Key((self.tonic + semitones) % 12, self.mode)

    def spell(self, pitch_class: int) -> str:
        """Return the name a note has in this key.

        Notes of the signature and the leading tone get their own letter; others are the nearest on
        the line of fifths with no name odder than Gb or A#.

        >>> [Key.parse("F").spell(pc) for pc in (10, 6)], Key.parse("E").spell(10)
        (['Bb', 'Gb'], 'A#')
        """
        # Major takes b2 b6 b3 b7 and #4 as its chromatic notes; minor b2 and the raised 6, 3, 7, 4.
        start = self.sharps - (2 if self.is_minor else 5)
        place = start + (7 * pitch_class - start) % 12
        if pitch_class % 12 in self.scale | {self.leading_tone}:
            return note_name(place if place <= 12 else place - 12)  # no double sharps
        return note_name(place + 12 * (place < -6) - 12 * (place > 10))

    def __str__(self) -> str:
        return self.name
