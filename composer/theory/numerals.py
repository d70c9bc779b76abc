"""Roman numerals as chord symbols.

Conventions
-----------
Capitals are major, small letters minor; the degree is that of the key's own scale (natural minor in
minor, and there ``viio`` stands on the leading tone). ``b`` in front counts from the major
scale, as songwriters have it, so that ``bVI`` and ``VI`` are one chord in minor; ``#VI`` in minor
is a semitone above ``VI``.

====================  ============================================================================
``ii7 Imaj7 V7b9``    what follows is read as in a chord symbol: ``I7`` is a dominant seventh
``viio7 viiø7 III+``  diminished, half diminished, augmented
``V6 I64``            triads on their third and fifth; the chord with a sixth added is ``Iadd6``
``V65 V43 V42 V2``    sevenths of the key on their third, fifth and seventh; ``V6/5`` as well, and
                      figures in full, ``V642 V6/5/3``; an accidental in figures has to be a tone
                      of the chord, as in ``viio6#4`` in A minor
``vii/o7 ii/o65``     half diminished, as RomanText has it
``V[add9] i[no3]``    tones in brackets, as in a chord symbol
``V7/V viio7/ii``     of another degree, ``V7/V/V`` too
``I/5 V/7 ii/4``      over a degree of the key
``N6 It6 Ger6 Fr6``   Neapolitan and augmented sixths, the latter as the dominant seventh that they
                      sound like: in C ``Db/F``, ``Ab7(no5)``, ``Ab7``, ``Ab7b5``; ``Ger+6`` and
                      inversions, ``Ger43 It64 N64``, too
``Cad64``             the cadential ``I64``, ``i64`` in minor
====================  ============================================================================

Notes are named by their degree: ``bVII`` in F# is E, ``III`` in F# minor is A.
"""

from __future__ import annotations

import re

from composer.errors import SymbolError
from composer.theory.chords import Chord, split_symbol
from composer.theory.keys import Key, note_name, plain_place

_NUMERAL = re.compile(
    r"(?P<sign>[b#♭♯]?)(?P<degree>VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)"
    r"(?P<suffix>(?![IViv]).*?)"
)
_SPECIAL = re.compile(
    r"(?P<name>N|It|Ger|Gr|Fr|Cad)\+?"
    r"(?P<figures>6/?5(?:/?3)?|6/?4/?3|6/?4/?2|6/?4|4/?3|4/?2|5/?3|6/?3|6|7|2|)"
)
_FIGURES = re.compile(
    r"(?P<kind>.*?)"
    r"(?P<figures>[b#♭♯]?6/?[b#♭♯]?[54](?:/?[b#♭♯]?[32])?|6/?3|7/?5/?3|4/?[b#♭♯]?[32]|5/?3"
    r"|[b#♭♯]6|6|2)"
)
#: Figures written out, and as they are short; of two numbers the second is the lower.
_SHORT = {"653": "65", "643": "43", "642": "42", "63": "6", "753": "7"}
_OVER = re.compile(r"(?P<chord>.*[^64/])/(?P<sign>[b#♭♯]?)(?P<bass>[1-7])")
_IN_FULL = re.compile(r"(?:6/?[54]|7/?5)/[23]$")
_HALF_DIMINISHED = re.compile(r"(?<=[IViv])/o(?=\d|$|/|\[)")
#: A text that can only be a numeral: no chord symbol begins like this.
_LOOKS_LIKE = re.compile(r"[b#♭♯]?[IViv]|(?:It|Ger|Gr|Fr|Cad|N)(?=\+?\d)")

_DEGREES = ("i", "ii", "iii", "iv", "v", "vi", "vii")
# Places on the line of fifths from the tonic on.
_FIFTHS = {"major": (0, 2, 4, -1, 1, 3, 5), "minor": (0, 2, -3, -1, 1, -4, -2)}
_SIGNS = {"": 0, "#": 7, "♯": 7, "b": -7, "♭": -7}
# Figures: which tone is the bass, and whether the chord has a seventh.
_INVERSIONS = {
    "53": (0, False),
    "6": (1, False),
    "64": (2, False),
    "65": (1, True),
    "43": (2, True),
    "42": (3, True),
    "2": (3, True),
}
_SIXTHS = {"It": "7(no5)", "Ger": "7", "Gr": "7", "Fr": "7b5"}
_MINOR_SEVENTH, _MAJOR_SEVENTH, _DIMINISHED_SEVENTH = -2, 5, -9  # in fifths


def is_numeral(text: str) -> bool:
    """Return whether a text is written as a Roman numeral, readable or not.

    >>> [is_numeral(text) for text in ("V7/ii", "bVII", "Ger6", "Bb7", "N.C.")]
    [True, True, True, False, False]
    """
    return _LOOKS_LIKE.match(text) is not None


def numeral_symbol(text: str, key: Key) -> str:
    """Return the chord symbol of a Roman numeral in a key.

    Raises
    ------
    SymbolError
        The text is not a numeral.

    Examples
    --------
    >>> [numeral_symbol(text, Key.parse("C")) for text in ("ii7", "V65/V", "bVII", "viio7", "N6")]
    ['Dm7', 'D7/F#', 'Bb', 'Bdim7', 'Db/F']
    >>> numeral_symbol("Ger6", Key.parse("A minor"))
    'F7'
    """
    plain = _HALF_DIMINISHED.sub("ø", text)
    plain = re.sub(r"\[([^\[\]]+)\]", r"(\1)", plain)
    over = _OVER.fullmatch(plain)
    if over and not _IN_FULL.search(plain):
        return _over_degree(over, key, text)
    *outer, of = _split(plain)
    for part in reversed(outer):
        found = _NUMERAL.fullmatch(of)
        if found is None or found["suffix"].lstrip("°oø+"):
            raise SymbolError(f"numeral {text!r} refers to no degree; write one such as 'V7/ii'")
        root = _root(found, key)
        key = Key.named(root, "minor" if found["degree"].islower() else "major")
        of = part
    return _symbol(of, key, text)


def _over_degree(over: re.Match[str], key: Key, text: str) -> str:
    """Return a chord over a degree of the key: in minor the leading tone where the chord has it."""
    symbol, flat = numeral_symbol(over["chord"], key), over["sign"] in ("b", "♭")
    if "/" in symbol:
        raise SymbolError(f"numeral {text!r} has two basses; leave the figures or the degree out")
    number = int(over["bass"])
    bass = _FIFTHS["major" if flat else key.mode][number - 1] + _SIGNS[over["sign"]]
    if number == 7 and not over["sign"] and key.leading_tone in Chord.parse(symbol).tones:
        bass = _FIFTHS["major"][6]
    name = _named(_tonic(key) + bass)
    return symbol if split_symbol(symbol)[0] == name else f"{symbol}/{name}"


def _split(text: str) -> list[str]:
    """Return a numeral and the degrees it refers to: V6/5/ii is V65 of ii."""
    return re.split(r"/(?=[b#♭♯]?[IViv])", text)


def _symbol(numeral: str, key: Key, text: str) -> str:
    if special := _SPECIAL.fullmatch(numeral):
        name, figures = special["name"], special["figures"].replace("/", "")
        figures, tonic = _SHORT.get(figures, figures), _tonic(key)
        if name == "N":  # the major chord on the flat second degree
            bass, has_seventh = _INVERSIONS.get(figures, (0, figures == "7"))
            tones = [0, 4, 1, _MAJOR_SEVENTH]
            return _inverted(tonic - 5, "maj7" if has_seventh else "", tones[bass])
        if name != "Cad":
            return _inverted(tonic - 4, _SIXTHS[name], _bass_of_sixth(name, figures))
        numeral = ("i" if key.is_minor else "I") + "64"
    found = _NUMERAL.fullmatch(numeral)
    if found is None:
        raise SymbolError(
            f"numeral {text!r} cannot be read; write a degree from I to VII and what follows as in "
            f"a chord symbol or as figures, such as 'ii7', 'bVII', 'viio7', 'V65' or 'V7/ii'"
        )
    root, suffix = _root(found, key), found["suffix"]
    small = found["degree"].islower()
    figured = _FIGURES.fullmatch(suffix)
    if figured is None or re.search(r"\d|add|sus|[b#♭♯(]$", figured["kind"]):
        return _named(root) + _quality(suffix, small)
    kind, figures = figured["kind"], re.sub(r"[/b#♭♯]", "", figured["figures"])
    figures = _SHORT.get(figures, figures)
    if figures == "7":
        return _named(root) + _quality(f"{kind}7", small)
    bass, has_seventh = _INVERSIONS[figures]
    tones = _triad(kind, small)
    if has_seventh:
        seventh = _seventh(kind, found, key, root)
        tones.append(seventh)
        kind += {_MINOR_SEVENTH: "7", _MAJOR_SEVENTH: "maj7", _DIMINISHED_SEVENTH: "7"}[seventh]
        if kind == "maj7" and small:
            kind = "Maj7"
    of_chord = [root + tone for tone in tones]
    for sign, number in re.findall(r"([b#♭♯])(\d)", figured["figures"]):
        _check_accidental(text, key, of_chord[bass], int(number), sign, of_chord)
    return _inverted(root, _quality(kind, small), tones[bass])


def _bass_of_sixth(name: str, figures: str) -> int:
    """Return the bass of an augmented sixth above its lowest note, in fifths.

    Italian and German sixths are built on the raised fourth degree, the French on the second.
    """
    lowest, third, fifth, seventh = 0, 4, 1, -2
    tones = {
        "It": {"64": third, "53": seventh},
        "Ger": {"43": third, "42": fifth, "2": fifth, "7": seventh},
        "Fr": {"65": seventh, "42": third, "2": third, "7": -6},
    }["Ger" if name == "Gr" else name]
    return tones.get(figures, lowest)


def _check_accidental(
    text: str, key: Key, bass: int, number: int, sign: str, tones: list[int]
) -> None:
    """Refuse an accidental in figures that is no tone of the chord."""
    letters = "FCGDAEB"
    letter = "CDEFGAB"["CDEFGAB".index(letters[(bass + 1) % 7]) + number - 8]
    start = key.sharps - 1  # the key's seven notes are neighbours on the line of fifths
    (own,) = (place for place in range(start, start + 7) if letters[(place + 1) % 7] == letter)
    if own + _SIGNS[sign] not in tones:
        raise SymbolError(
            f"numeral {text!r} has a note in its figures that is not of the chord, "
            f"{note_name(own + _SIGNS[sign])}; write the chord with its tones, for example 'V7#5'"
        )


def _says_minor(suffix: str) -> bool:
    return re.match(r"m(?!aj|a(?!dd|lt)|M)|-|min", suffix) is not None


def _quality(suffix: str, small: bool) -> str:
    """Return the suffix of a chord symbol for that of a numeral."""
    diminished = re.match(r"(?i:dim)|[°oøØº]", suffix) is not None
    suffix = re.sub(r"^[°oº]", "dim", suffix)
    suffix = re.sub(r"^[øØ]7?", "m7b5", suffix)
    # im7 is i7
    return suffix if diminished or _says_minor(suffix) or not small else f"m{suffix}"


def _triad(kind: str, small: bool) -> list[int]:
    """Return root, third and fifth in fifths."""
    if re.match(r"(?i:dim)|[°oøØº]", kind):
        return [0, -3, -6]
    return [0, -3 if small or _says_minor(kind) else 4, 8 if kind.startswith(("+", "aug")) else 1]


def _seventh(kind: str, found: re.Match[str], key: Key, root: int) -> int:
    """Return the seventh above the root that the key has, in fifths."""
    if kind[:1] in ("ø", "Ø"):
        return _MINOR_SEVENTH
    if re.match(r"(?i:dim)|[°oº]", kind):
        return _DIMINISHED_SEVENTH
    if re.match(r"M|maj", kind):
        return _MAJOR_SEVENTH
    degree = _DEGREES.index(found["degree"].lower())
    interval = _tonic(key) + _FIFTHS[key.mode][(degree + 6) % 7] - root
    return _MAJOR_SEVENTH if interval == _MAJOR_SEVENTH else _MINOR_SEVENTH


def _tonic(key: Key) -> int:
    """Return the place of the tonic on the line of fifths."""
    return key.sharps + (3 if key.is_minor else 0)


def _root(numeral: re.Match[str], key: Key) -> int:
    """Return the place of a numeral's root on the line of fifths."""
    sign, degree = numeral["sign"], _DEGREES.index(numeral["degree"].lower())
    diminished = re.match(r"(?i:dim)|[°oøº]", numeral["suffix"]) is not None
    fifths = _FIFTHS[key.mode]
    leads = degree == 6 and not sign and numeral["degree"].islower() and diminished
    if sign in ("b", "♭") or leads:
        fifths = _FIFTHS["major"]
    return _tonic(key) + fifths[degree] + _SIGNS[sign]


def _named(fifths: int) -> str:
    return note_name(plain_place(fifths))


def _inverted(root: int, suffix: str, bass: int) -> str:
    """Return a chord symbol, its bass an interval above the root as it is named."""
    return _named(root) + suffix + (f"/{_named(plain_place(root) + bass)}" if bass else "")
