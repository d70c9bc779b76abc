"""Chord labels of annotated collections (``C:min7/b3``) as chord symbols (``Cm7/Eb``).

References
----------
Harte, C., Sandler, M., Abdallah, S. & Gómez, E. (2005). Symbolic representation of musical chords:
a proposed syntax for text annotations. *ISMIR*: root, shorthand, degrees added or left out, and the
bass as a degree above the root.
"""

from __future__ import annotations

import re

from composer.errors import SymbolError
from composer.theory.chord_names import WAYS, suffix_tones
from composer.theory.keys import note_name, note_place, plain_place

_LABEL = re.compile(
    r"(?P<root>[A-G][#b]*):(?P<kind>[a-z0-9]*)(?:\((?P<degrees>[^)]*)\))?(?:/(?P<bass>[#b]*\d{1,2}))?"
)
_DEGREE = re.compile(r"(?P<out>\*?)(?P<signs>[#b]*)(?P<degree>\d{1,2})")
# What each shorthand is as a suffix.
_KINDS = {
    "maj": "",
    "min": "m",
    "dim": "dim",
    "aug": "aug",
    "maj7": "maj7",
    "min7": "m7",
    "7": "7",
    "dim7": "dim7",
    "hdim7": "m7b5",
    "minmaj7": "mMaj7",
    "maj6": "6",
    "min6": "m6",
    "9": "9",
    "maj9": "maj9",
    "min9": "m9",
    "11": "9(add11)",
    "maj11": "maj9(add11)",
    "min11": "m11",
    "13": "13",
    "maj13": "maj13",
    "min13": "m13",
    "sus4": "sus4",
    "sus2": "sus2",
    "5": "5",
    "1": "(no3)(no5)",
    "": "",  # the degrees alone
}
# A seventh among the degrees belongs to the kind: sus4(b7) is 7sus4.
_SEVENTHS = {
    ("sus4", "b7"): "7sus4",
    ("sus2", "b7"): "7sus2",
    ("5", "b7"): "7(no3)",
    ("aug", "b7"): "7#5",
    ("aug", "7"): "maj7#5",
    ("min", "7"): "mMaj7",
    ("maj6", "7"): "maj7(add13)",
    ("maj6", "b7"): "7(add13)",
    ("min6", "7"): "mMaj7(add13)",
    ("maj", "7"): "maj7",
    ("maj", "b7"): "7",
    ("min", "b7"): "m7",
}
# Fifths from the root of each degree of the major scale.
_FIFTHS = (0, 2, 4, -1, 1, 3, 5)
_SEMITONES = (0, 2, 4, 5, 7, 9, 11)


def is_label(text: str) -> bool:
    """Return whether a text is written with a colon behind the root."""
    return re.match(r"[A-G][#b]*:", text) is not None


def label_symbol(text: str) -> str:
    """Return the chord symbol of a label.

    Raises
    ------
    SymbolError
        The text is not a label.

    Examples
    --------
    >>> [label_symbol(text) for text in ("C:maj7/3", "Bb:min7", "G:sus4(b7,9)", "D:1(b3,b7)")]
    ['Cmaj7/E', 'Bbm7', 'G7sus4(add9)', 'Dm7(no5)']
    >>> [label_symbol(text) for text in ("G:(1,3,5,b7)", "A:(b3,b5,bb7)", "F:(3,b7)")]
    ['G7', 'Adim7', 'F7(no5)']
    """
    found = _LABEL.fullmatch(text)
    degrees = found["degrees"].split(",") if found and found["degrees"] else []
    parsed = [_DEGREE.fullmatch(degree.strip()) for degree in degrees]
    if found is None or found["kind"] not in _KINDS or None in parsed:
        kinds = ", ".join(kind for kind in _KINDS if kind)
        raise SymbolError(
            f"label {text!r} cannot be read; write a root, a colon and one of {kinds}, with "
            f"degrees in brackets and the bass as a degree, such as 'C:min7(11)/b3'"
        )
    root = found["root"]
    fifths = note_place(root[0]) + 7 * (root.count("#") - root.count("b"))
    symbol = note_name(fifths) + _suffix(found["kind"], [degree for degree in parsed if degree])
    if not found["bass"]:
        return symbol
    bass = _DEGREE.fullmatch(found["bass"])
    assert bass is not None  # both patterns say the same of it
    place = fifths + _FIFTHS[(int(bass["degree"]) - 1) % 7]
    place += 7 * (bass["signs"].count("#") - bass["signs"].count("b"))
    return f"{symbol}/{note_name(plain_place(place))}"


def _semitones(degree: re.Match[str]) -> int:
    signs = degree["signs"]
    step = _SEMITONES[(int(degree["degree"]) - 1) % 7]
    return (step + signs.count("#") - signs.count("b")) % 12


def _suffix(kind: str, degrees: list[re.Match[str]]) -> str:
    names = [degree[0] for degree in degrees]
    if kind in ("", "1"):  # a chord said by its degrees alone
        names = [name for name in names if name != "1"]
        tones = {0, *(_semitones(degree) for degree in degrees)}
        for suffix in WAYS:
            if suffix_tones(suffix) == frozenset(tones) and "*" not in "".join(names):
                return suffix
        third = {"b3": "min", "3": "maj"}
        kind = next((third[name] for name in names if name in third), "5")
        names = [name for name in names if name not in third]
        if not {"5", "b5", "#5"} & set(names):
            names.append("*5")
    suffix = _KINDS[kind]
    for name in names:
        if (kind, name) in _SEVENTHS:
            suffix = _SEVENTHS[kind, name]
            names = [other for other in names if other != name]
            break
    for name in names:
        if name.startswith("*"):
            suffix += f"(no{name.lstrip('*b#')})"
        elif name in ("5", "b5", "#5") or (kind, name) == ("maj", "1"):
            suffix += f"({name})" if name != "5" else ""
        else:
            suffix += f"(add{name})"
    return suffix
