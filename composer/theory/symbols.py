"""Keys and chord symbols.

Conventions
-----------
Pitch classes are 0 (C) to 11 (B). A chord's quality is its place in `QUALITIES`; that order is
written into vocabularies on disk, so new qualities go to the end and none ever moves.

Note names follow the line of fifths (... Bb F C G D A E B F# ...): a key owns twelve neighbours on
it, which gives Bb in F major, F# in G major and G# in A minor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from composer.errors import SymbolError
from composer.theory.chord_names import nearest_symbol
from composer.theory.suffixes import suffix_tones

#: How a score writes that no chord sounds.
NO_CHORD = "N.C."

NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "##": 2, "x": 2, "b": -1, "♭": -1, "bb": -2}
_NOTE = "([A-Ga-g])(##|bb|[#♯xb♭]|)"

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
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


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


def note_name(fifths: int) -> str:
    """Return the note at a place on the line of fifths: -1 is F, 0 is C, 1 is G.

    >>> [note_name(n) for n in (-2, 0, 6)]
    ['Bb', 'C', 'F#']
    """
    sharps, letter = divmod(fifths + 1, 7)
    return "FCGDAEB"[letter] + ("#" * sharps if sharps > 0 else "b" * -sharps)


def _pitch_class(letter: str, accidental: str) -> int:
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
        plain = re.sub(
            r"(?i)[\s-]*(sharp|flat)", lambda m: "b#"[m[1].lower() == "sharp"], str(text)
        )
        found = re.fullmatch(_NOTE + r"[\s:_-]*?\s*([A-Za-z]*\.?|-)", plain.strip())
        if found:
            letter, accidental, word = found.groups()
            word = word.rstrip(".")
            word = word if len(word) == 1 else word.lower()
            for mode, words in _MODES.items():
                if word in words or (not word and mode == "major"):
                    return cls.named(note_place(letter, accidental), mode)
        raise SymbolError(f"key {text!r} cannot be read; write one like 'Bb major' or 'F# minor'")

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
        The text is no chord symbol.

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
    root = _pitch_class(found[1], found[2])
    bass = None if found[4] is None else _pitch_class(found[4], found[5])
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
        The text is no chord symbol.

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
    """Return what is wrong with a text that is no chord symbol, and what would be right."""
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
        # A chord with a major third is no minor one, though C7b5#9 has most tones of Cm7b5.
        return len(tones ^ others) + 2 * (4 in tones and 4 not in others and 3 in others)

    return min(range(len(QUALITIES)), key=distance)


_SILENCE = re.compile(r"(?i:n\.?\s?c\.?|no ?chord)|N")
_CHORD = re.compile(rf"{_NOTE}(?P<suffix>.*?)(?:/\s*{_NOTE})?")
_POLYCHORD = re.compile(rf"{_NOTE}[^/|]*[/|\\]\s*{_NOTE}[^/]+")
_QUALITY_TONES = [frozenset(step % 12 for step in quality.intervals) for quality in QUALITIES]


def parse_meter(text: str) -> tuple[int, int]:
    """Read a time signature such as ``3/4``.

    Raises
    ------
    SymbolError
        The text is no time signature: beats 1 to 255 over a power of two up to 64.

    Examples
    --------
    >>> parse_meter("6/8")
    (6, 8)
    """
    found = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,2})\s*", str(text))
    if found:
        beats, unit = int(found[1]), int(found[2])
        if 1 <= beats <= 255 and unit in (1, 2, 4, 8, 16, 32, 64):
            return beats, unit
    raise SymbolError(f"meter {text!r} is no time signature; write one like '4/4' or '6/8'")
