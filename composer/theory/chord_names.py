"""The ways in which people write the suffix of a chord symbol, and the nearest to what they meant.

The table holds what a reader of lead sheets meets: beside each suffix as this library writes it the
others that ask for the same tones. Reading goes by ``composer.theory.suffixes`` and takes many
more.
"""

from __future__ import annotations

import difflib
import re

from composer.theory.suffixes import suffix_tones

#: A suffix as it is written here, and other ways to write it.
WAYS: dict[str, tuple[str, ...]] = {
    "": ("maj", "M", "major"),
    "m": ("-", "min", "mi", "minor"),
    "7": ("dom7", "(7)"),
    "maj7": ("M7", "Maj7", "ma7", "Δ", "Δ7", "^7", "^", "j7", "(maj7)"),
    "m7": ("-7", "min7", "mi7", "m(7)"),
    "m7b5": ("ø", "ø7", "-7b5", "m7(b5)", "m7-5", "min7b5", "h7", "half-dim7"),
    "dim7": ("°7", "o7", "º7"),
    "dim": ("°", "o", "mb5", "m(b5)"),
    "aug": ("+", "(#5)", "+5"),
    "sus4": ("sus", "4", "(sus4)"),
    "sus2": ("2", "(sus2)"),
    "6": ("add6", "maj6", "(6)"),
    "m6": ("-6", "min6", "m(add6)"),
    "mMaj7": ("m(maj7)", "mM7", "-Δ", "-^7", "minmaj7", "m(#7)", "m/maj7"),
    "7sus4": ("7sus", "sus7", "7(sus4)"),
    "9": ("7(9)", "7/9", "dom9"),
    "maj9": ("M9", "Δ9", "^9", "maj7(9)"),
    "m9": ("-9", "min9", "m7(9)"),
    "add9": ("(add9)", "add2", "(9)"),
    "5": ("(no3)", "omit3", "no3"),
    "7b9": ("7(b9)", "7-9", "(b9)", "7addb9"),
    "7#5": ("+7", "7+", "aug7", "7(#5)", "7+5"),
    "7#9": ("7(#9)", "7+9"),
    "7b5": ("7(b5)", "7-5"),
    "7#11": ("7(#11)", "7+11"),
    "7b13": ("7(b13)", "7-13", "7b6"),
    "7b9#5": ("7alt", "alt", "7(#5b9)", "+7b9"),
    "7#9#5": ("7(#9,#5)", "+7#9", "7#5#9"),
    "7b9b13": ("7(b9,b13)", "7b13b9"),
    "7b9#9": ("7(b9,#9)",),
    "7b9#11": ("7(b9,#11)", "7#11b9"),
    "6/9": ("69", "6(9)", "6add9"),
    "m6/9": ("m69", "-69", "m6add9"),
    "13": ("7(9,13)", "9(13)"),
    "13b9": ("13(b9)", "7b9(13)"),
    "13#11": ("13(#11)",),
    "9#11": ("9(#11)", "9+11"),
    "9b5": ("9(b5)", "9-5"),
    "9#5": ("9(#5)", "+9"),
    "9(add11)": ("9add11",),
    "9sus4": ("9sus", "sus9", "11"),
    "13sus4": ("13sus", "sus13"),
    "7b9sus4": ("7sus4(b9)", "7susb9"),
    "m11": ("-11", "min11", "m9(11)"),
    "m13": ("-13", "min13"),
    "m7(add11)": ("m7add11", "m7(11)", "-7add11"),
    "m7#5": ("-7#5", "m7(#5)"),
    "m9b5": ("ø9", "h9", "m7b5(9)", "m9(b5)"),
    "m(add9)": ("madd9", "-add9", "m(add2)"),
    "mMaj9": ("m(maj9)", "-Δ9", "-^9"),
    "mb6": ("m(b6)", "-b6", "m(b13)"),
    "m#5": ("m(#5)", "-#5", "m+"),
    "maj7#11": ("maj7(#11)", "Δ#11", "^7#11"),
    "maj7#5": ("+M7", "maj7(#5)", "^7#5", "augmaj7"),
    "maj7b5": ("maj7(b5)", "Δb5"),
    "maj9#11": ("maj9(#11)", "^9#11"),
    "maj13": ("M13", "Δ13", "^13"),
    "add11": ("(add11)", "add4"),
    "sus2sus4": ("sus24", "sus4(add9)"),
    "maj7sus4": ("maj7(sus4)",),
    "dim(maj7)": ("dimMaj7", "o(maj7)", "°maj7"),
    "7(no3)": ("7no3", "7(omit3)"),
    "7(no5)": ("7no5", "7(omit5)"),
    "(no5)": ("no5", "omit5"),
}

_OWN_WAY = {way: suffix for suffix, ways in WAYS.items() for way in (suffix, *ways) if way}
_NOTE_AHEAD = re.compile(r"[A-Ga-g](?:##|bb|[#♯xb♭])?")
_BASS = re.compile(r"/[A-Ga-g](?:##|bb|[#♯xb♭])?")


def nearest_symbol(text: str) -> str | None:
    """Return the readable chord symbol nearest to a text that is none; None where none is near.

    >>> [nearest_symbol(text) for text in ("Cmja7", "Hm7", "Am7y/G", "F#sos4", "Q7")]
    ['Cmaj7', 'Bm7', 'Am7/G', 'F#sus4', None]
    """
    plain = text.strip()
    if plain[:1] in ("H", "h"):  # German for B
        plain = "B" + plain[1:]
    found = _NOTE_AHEAD.match(plain)
    if found is None:
        return None
    root, rest = found[0][0].upper() + found[0][1:], plain[found.end() :]
    stem, slash, bass = rest.rpartition("/")
    if not slash:
        stem, bass = rest, ""
    elif _BASS.fullmatch(slash + bass):
        bass = slash + bass
    else:  # D/C7: a bass is one note
        begin = _BASS.match(slash + bass)
        bass = begin[0] if begin and suffix_tones(stem) is not None else ""
    stem = stem.rstrip("/ ")
    if suffix_tones(stem) is not None:
        return root + stem + bass
    near = difflib.get_close_matches(stem, list(_OWN_WAY), n=1, cutoff=0.6)
    if near:
        return root + _OWN_WAY[near[0]] + bass
    # What can be read before the first sign that cannot.
    for end in range(len(stem) - 1, 0, -1):
        if stem[end - 1] not in "(,/ " and suffix_tones(stem[:end]) is not None:
            return root + stem[:end] + bass
    return root + bass
