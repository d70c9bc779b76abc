"""Reads the suffix of a chord symbol, what follows the root, as the tones it asks for.

People write one chord in many ways: Cm7b5, C-7(b5), Cø, Chalf-dim7. The words are a table; what a
word does to the chord is data.
"""

from __future__ import annotations

import re

# What the words of a suffix do: degree -> semitones above the root, None to leave a degree out.
# "kind" is the seventh that a later 7, 9, 11 or 13 brings. The first pattern that fits is taken. A
# minus is "minor" where the suffix begins and "flat" elsewhere (C-7, C7-9); so with plus.
_WORDS: tuple[tuple[str, dict[int | str, int | str | None]], ...] = (
    (r"[\s(),/]+", {}),
    (r"[øØ]7?|half-?dim(?:inished)?7?|(?-i:h)7?(?=9|\Z|\()", {3: 3, 5: 6, 7: 10}),
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
