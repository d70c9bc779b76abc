"""Reads the suffix of a chord symbol, what follows the root, as the tones it asks for.

People write one chord in many ways: Cm7b5, C-7(b5), Cø, Chalf-dim7. The words are a table; what a
word does to the chord is data.

The ways in which people write the suffix of a chord symbol, and the nearest to what they meant.

The table holds what a reader of lead sheets meets: beside each suffix as this library writes it the
others that ask for the same tones. Reading goes by ``composer.theory.chord_names`` and takes many
more.
"""

from __future__ import annotations

import difflib
import re

# What the words of a suffix do: degree -> semitones above the root, None to leave a degree out.
# "kind" is the seventh that a later 7, 9, 11 or 13 brings. The first pattern that fits is taken. A
# minus is "minor" where the suffix begins and "flat" elsewhere (C-7, C7-9); so with plus.
_WORDS: tuple[tuple[str, dict[int | str, int | str | None]], ...] = (
    (r"[\s(),/]+", {}),
    (r"[øØ∅]7?|half-?dim(?:inished)?7?|(?-i:h)7?(?=9|\Z|\()", {3: 3, 5: 6, 7: 10}),
    (r"(?:omit|no) ?3(?:rd)?", {3: None}),
    (r"(?:omit|no) ?5(?:th)?", {5: None}),
    (r"(?:omit|no) ?7(?:th)?", {7: None}),
    (r"(?:omit|no) ?9(?:th)?", {9: None}),
    (r"(?:omit|no) ?11(?:th)?", {11: None}),
    (r"sus24|sus2/4", {3: None, 2: 2, 4: 5}),
    (r"sus2", {3: None, 2: 2}),
    (r"sus4?", {3: None, 4: 5}),
    (r"alt(?:ered|\.)?", {5: 8, 7: 10, 9: 1}),
    (r"dim(?:inished|\.)?|[°oº˚]", {3: 3, 5: 6, "kind": 9}),
    (r"aug(?:mented|\.)?|\+(?!\d)|\A\+(?=[679])", {5: 8}),
    (r"dom(?:inant|\.)?", {7: 10}),
    (r"min(?:or|\.)?|mi|(?-i:m)(?!a(?!dd|lt))|\A[-−](?!5)", {3: 3}),
    (r"maj(?:or|\.)?|ma|(?-i:M)", {"kind": 11}),
    (r"[Δ∆△^]|j(?=7|9|13)", {7: 11, "kind": 11}),
    (r"add ?3", {"added third": 4}),  # to a suspended chord
    (r"6/?9", {6: 9, 9: 2}),
    (r"(?<=[(,/])5[−-](?!\d)|\A5[−-](?!\d)", {5: 6}),  # an accidental behind its degree
    (r"(?<=[(,/])5[+#♯](?!\d)|\A5[+#♯](?!\d)", {5: 8}),
    (r"(?<=[(,/])9[−-](?!\d)", {7: "kind", 9: 1}),
    (r"(?<=[(,/])9[+#♯](?!\d)", {7: "kind", 9: 3}),
    (r"(?<=[(,/])11[+#♯](?!\d)", {"added": 6}),
    (r"(?<=[(,/])13[−-](?!\d)", {13: 8}),
    (r"(?<=[(,/])9", {9: 2}),
    (r"(?<=[(,/])11", {"added": 5}),
    (r"(?<=[(,/])13", {13: 9}),
    (r"13", {7: "kind", 9: 2, 13: 9}),
    (r"11", {7: "kind", 9: 2, 11: 5}),
    (r"9", {7: "kind", 9: 2}),
    (r"7", {7: "kind"}),
    (r"6", {6: 9}),
    (r"5", {3: None}),
    (r"4", {3: None, 4: 5}),
    (r"2", {3: None, 2: 2}),
)


_COMPILED = [(re.compile(pattern, re.IGNORECASE), degrees) for pattern, degrees in _WORDS]


_ALTERED = re.compile(r"(?P<add>(?i:add) ?)?(?P<sign>[#♯b♭+−-]?)(?P<degree>13|11|9|7|6|5|4|2)")


_NATURAL = {2: 2, 4: 5, 5: 7, 6: 9, 7: 10, 9: 2, 11: 5, 13: 9}


_SIGNS = {"": 0, "#": 1, "♯": 1, "+": 1, "b": -1, "♭": -1, "-": -1, "−": -1}


def suffix_tones(text: str) -> frozenset[int] | None:
    """Return the semitones above the root that a suffix asks for; None if it cannot be read."""
    degrees: dict[int | str, int | str | None] = {1: 0, 3: 4, 5: 7, "kind": 10}
    place, seen = 0, set()
    while place < len(text):
        for pattern, changes in _COMPILED:
            if match := pattern.match(text, place):
                degrees.update(changes)
                break
        else:
            match = _ALTERED.match(text, place)
            if match is None:
                return None
            degree = int(match["degree"])
            tone = _NATURAL[degree] + _SIGNS[match["sign"]]
            if degree == 7:  # C6(b7): the flat seventh is the one of C7
                tone = max(tone, 10)
            has_own = degree == 5 or (degree == 7 and not (match["add"] and 7 in degrees))
            degrees[degree if has_own else match[0]] = tone
            if degree == 9 and not match["add"]:
                degrees[9] = None  # the natural ninth of C13(b9)
                degrees.setdefault(7, "kind")  # C(b9) is read as C7(b9)
        if match[0].strip(" (),/") in seen:
            return None
        seen |= {match[0]} if changes or match.re is _ALTERED else set()
        place = match.end()
    kind = degrees.pop("kind")
    if 11 in degrees and kind == 10 and degrees[3] == 4:
        degrees[3] = None  # an eleventh chord is played without the third it would clash with
    tones = (kind if tone == "kind" else tone for tone in degrees.values())
    return frozenset(int(tone) % 12 for tone in tones if tone is not None)


#: A suffix as it is written here, and other ways to write it.
WAYS: dict[str, tuple[str, ...]] = {
    "": ("maj", "M", "major"),
    "m": ("-", "min", "mi", "minor"),
    "7": ("dom7", "(7)"),
    "maj7": ("M7", "Maj7", "ma7", "Δ", "Δ7", "^7", "^", "j7", "(maj7)"),
    "m7": ("-7", "min7", "mi7", "m(7)"),
    "m7b5": ("ø", "ø7", "∅7", "m7(5-)", "-7b5", "m7(b5)", "m7-5", "min7b5", "h7", "half-dim7"),
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
    "7b9": ("7(b9)", "7-9", "7(9-)", "(b9)", "7addb9"),
    "7#5": ("+7", "7+", "aug7", "7(#5)", "7+5"),
    "7#9": ("7(#9)", "7+9"),
    "7b5": ("7(b5)", "7-5", "7/5-", "7(5-)"),
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
    "maj7(no3)": ("maj7no3", "maj7(omit3)"),
    "(no5)": ("no5", "omit5"),
}


_OWN_WAY = {way: suffix for suffix, ways in WAYS.items() for way in (suffix, *ways) if way}


_NOTE_AHEAD = re.compile(r"[A-Ga-g](?:##|bb|[#♯xb♭])?")


_BASS = re.compile(r"/[A-Ga-g](?:##|bb|[#♯xb♭])?")


def nearest_symbol(text: str) -> str | None:
    """Return the readable chord symbol nearest to a text; None where none is near.

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
