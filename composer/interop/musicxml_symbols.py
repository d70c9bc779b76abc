"""Keys, chord symbols, tempos and transpositions, as MusicXML writes them."""

from __future__ import annotations

import re
import warnings
from fractions import Fraction
from typing import NamedTuple
from xml.etree.ElementTree import Element

from composer.errors import ComposerWarning, ScoreError
from composer.theory.chords import NO_CHORD
from composer.theory.musicxml_chords import inverted_bass, symbol_text

STEPS = "CDEFGAB"
SEMITONES = dict(zip(STEPS, (0, 2, 4, 5, 7, 9, 11), strict=True))
_FIFTHS = dict(zip("FCGDAEB", range(-1, 6), strict=True))
# Steps of an interval by its semitones, where a file says these alone.
_DIATONIC = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)
# How many fifths a mode's tonic lies above that of the major key of the same signature.
MODES = {
    "major": 0,
    "ionian": 0,
    "mixolydian": 1,
    "dorian": 2,
    "minor": 3,
    "aeolian": 3,
    "phrygian": 4,
    "locrian": 5,
    "lydian": -1,
}
_SCALES = {  # fifths of the degrees from the tonic, in major and in minor
    False: (0, 2, 4, -1, 1, 3, 5),
    True: (0, 2, -3, -1, 1, -4, -2),
}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7}
_UNITS: dict[str, Fraction | int] = {
    "maxima": 32,
    "long": 16,
    "breve": 8,
    "whole": 4,
    "half": 2,
    "quarter": 1,
    "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4),
    "32nd": Fraction(1, 8),
    "64th": Fraction(1, 16),
}
_WORDS = re.compile(
    r"(♩|𝅘𝅥|\bquarter|\bcrotchet|\bq)\s*(\.|dotted)?\s*="
    r"\s*(?:c\.|ca\.?|circa)?\s*(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)


_MOST_FIFTHS = 35  # five sharps or flats before a letter


class Tempo(NamedTuple):
    """Quarters a minute, or how many times the tempo before (a metric modulation)."""

    value: float
    is_ratio: bool = False


class Shift(NamedTuple):
    """From written to sounding pitch: semitones and steps."""

    semitones: int = 0
    steps: int = 0

    @classmethod
    def of(cls, transpose: Element) -> Shift:
        """Return what a ``transpose`` element says."""
        chromatic = round(float(transpose.findtext("chromatic") or 0))
        given = transpose.findtext("diatonic")
        octaves = int(transpose.findtext("octave-change") or 0)
        if given is not None and given.strip():
            steps = int(given)
        else:
            sign = -1 if chromatic < 0 else 1
            steps = sign * (7 * (abs(chromatic) // 12) + _DIATONIC[abs(chromatic) % 12])
        return cls(chromatic + 12 * octaves, steps + 7 * octaves)

    @property
    def fifths(self) -> int:
        """How many fifths up a key or a name goes."""
        return 7 * self.semitones - 12 * self.steps


def key_of(key: Element, shift: Shift) -> tuple[int, str] | None:
    """Return the sounding signature and the mode of a ``key`` element; nothing if it is unusual.

    Warns
    -----
    ComposerWarning
        The signature is one of single accidentals, which a score cannot hold.
    """
    text = (key.findtext("fifths") or "").strip()
    if not text:
        warnings.warn(
            "a key signature of single accidentals is left out: a score holds those of the circle "
            "of fifths",
            ComposerWarning,
            stacklevel=2,
        )
        return None
    fifths = int(text) + shift.fifths
    if abs(fifths) > 7:
        fifths = (fifths + 6) % 12 - 6
    return fifths, (key.findtext("mode") or "major").strip().lower()


def tonic_of(fifths: int, mode: str) -> int:
    """Return the tonic of a signature and a mode, in fifths from C."""
    return fifths + MODES.get(mode, 0)


def named(fifths: int) -> str:
    """Return the name of a note by its fifths from C."""
    if abs(fifths) > _MOST_FIFTHS:
        raise ScoreError(f"a note of {(fifths + 1) // 7} sharps is not a note that anybody writes")
    letter = "FCGDAEB"[(fifths + 1) % 7]
    sign = (fifths + 1) // 7
    return letter + ("#" * sign if sign > 0 else "b" * -sign)


def chord_of(harmony: Element, shift: Shift, tonic: int, mode: str) -> str | None:
    """Return the chord symbol of a ``harmony`` element, or nothing where it names no root.

    Parameters
    ----------
    shift
        From written to sounding pitch; numerals need none.
    tonic
        Of the key that numerals and functions refer to, in fifths from C.
    mode
        Its mode.
    """
    kind = harmony.find("kind")
    name = ((kind.text or "") if kind is not None else "").strip() or "major"
    shown = (kind.get("text") or "").strip() if kind is not None else ""
    if name == "none":
        return NO_CHORD
    root = _root(harmony, shift, tonic, mode)
    if root is None:
        return None
    degrees = []
    for degree in harmony.findall("degree"):
        value = int(degree.findtext("degree-value") or 0)
        alter = round(float(degree.findtext("degree-alter") or 0))
        change = (degree.findtext("degree-type") or "add").strip()
        if value:
            degrees.append((change, value, alter))
    bass = _named(harmony.find("bass"), "bass", shift)
    text = symbol_text(named(root), name, shown, degrees, "" if bass is None else named(bass))
    inversion = harmony.findtext("inversion") or "0"
    if bass is None and inversion.strip() in ("1", "2", "3"):
        text = inverted_bass(text, int(inversion))
    return text


def _named(element: Element | None, what: str, shift: Shift) -> int | None:
    """Return the sounding root or bass in fifths from C."""
    step = "" if element is None else (element.findtext(f"{what}-step") or "").strip().upper()
    if element is None or step not in _FIFTHS:
        return None
    alter = round(float(element.findtext(f"{what}-alter") or 0))
    return _FIFTHS[step] + 7 * alter + shift.fifths


def _root(harmony: Element, shift: Shift, tonic: int, mode: str) -> int | None:
    root = _named(harmony.find("root"), "root", shift)
    if root is not None:
        return root
    minor = mode in ("minor", "aeolian")
    numeral, function = harmony.find("numeral"), harmony.findtext("function")
    if numeral is not None:
        key = numeral.find("numeral-key")
        if key is not None:
            mode = (key.findtext("numeral-mode") or "major").strip()
            minor = "minor" in mode
            tonic = int(key.findtext("numeral-fifths") or 0) + shift.fifths + 3 * minor
        degree = int(numeral.findtext("numeral-root") or 0)
        alter = round(float(numeral.findtext("numeral-alter") or 0))
        raised = {"harmonic minor": (7,), "melodic minor": (6, 7)}.get(mode, ())
        alter += degree in raised
    elif function:
        found = re.match(r"([b#♭♯]*)\s*(?:([ivIV]+)|([1-7]))", function.strip())
        degree = 0 if found is None else _ROMAN.get((found[2] or "").lower(), int(found[3] or 0))
        signs = "" if found is None else found[1]
        alter = sum(1 if sign in "#♯" else -1 for sign in signs)
    else:
        return None
    return tonic + _SCALES[minor][degree - 1] + 7 * alter if 1 <= degree <= 7 else None


def tempo_of(direction: Element, sound: Element | None) -> Tempo | None:
    """Return the tempo of a direction: what sounds, then the printed mark, then its words."""
    if sound is not None and sound.get("tempo"):
        value = float(sound.get("tempo", ""))
        return Tempo(value) if value > 0 else None
    for mark in direction.iter("metronome"):
        units = _units(mark)
        numbers = re.findall(r"\d+(?:\.\d+)?", mark.findtext("per-minute") or "")
        if numbers and units:
            numbers = numbers[:2]
            return Tempo(float(units[0]) * sum(map(float, numbers)) / len(numbers))
        if len(units) == 2 and units[0]:
            return Tempo(float(units[1] / units[0]), is_ratio=True)
    found = _WORDS.search(" ".join(words.text or "" for words in direction.iter("words")))
    if found:
        return Tempo(float(found[3]) * (1.5 if found[2] else 1))
    return None


def _units(mark: Element) -> list[Fraction]:
    """Return the beat units of a metronome mark in quarters, with their dots."""
    units: list[Fraction] = []
    size = Fraction(0)
    for element in mark:
        if element.tag in ("beat-unit", "metronome-note"):
            kind = element.findtext("metronome-type") or element.text or ""
            size = Fraction(_UNITS.get(kind.strip(), 1))
            dots = len(element.findall("metronome-dot"))
            units.append(size * (2 - Fraction(1, 2**dots)))
        elif element.tag == "beat-unit-dot" and units:
            size /= 2
            units[-1] += size
        elif element.tag == "beat-unit-tied" and units:
            kind = (element.findtext("beat-unit") or "").strip()
            size = Fraction(_UNITS.get(kind, 1))
            dots = len(element.findall("beat-unit-dot"))
            units[-1] += size * (2 - Fraction(1, 2**dots))
    return units
