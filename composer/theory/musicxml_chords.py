"""Chord symbols from and to music21's, and so from and to MusicXML's ``harmony`` elements.

Conventions
-----------
The text that a MusicXML file shows (``<kind text="7b9">``) is kept where it asks for the same tones
as its kind and degrees, and is made of these otherwise. Going out, a symbol becomes the nearest
kind with the degrees that are added, altered or left out, and keeps its text.

References
----------
MusicXML 4.0, elements ``harmony``, ``kind`` and ``degree``.
"""

from __future__ import annotations

import re
from typing import Any

from composer.errors import SymbolError
from composer.theory.chord_names import suffix_tones
from composer.theory.chords import NO_CHORD, parse_chord, split_symbol

# music21's names of MusicXML's kinds, and their suffixes.
_KINDS = {
    "major": "",
    "minor": "m",
    "dominant-seventh": "7",
    "major-seventh": "maj7",
    "minor-seventh": "m7",
    "half-diminished-seventh": "m7b5",
    "diminished-seventh": "dim7",
    "diminished": "dim",
    "augmented": "aug",
    "suspended-fourth": "sus4",
    "suspended-second": "sus2",
    "major-sixth": "6",
    "minor-sixth": "m6",
    "minor-major-seventh": "mMaj7",
    "dominant-ninth": "9",
    "major-ninth": "maj9",
    "minor-ninth": "m9",
    "power": "5",
    "augmented-seventh": "7#5",
    "minor-11th": "m11",
    "dominant-13th": "13",
    "major-13th": "maj13",
    "minor-13th": "m13",
    "pedal": "(no3)(no5)",
}
# Kinds that are read and not written: their tones vary from book to book.
_READ_ONLY = {
    "dominant-11th": "11",
    "major-11th": "maj9(add11)",
    "suspended-fourth-seventh": "7sus4",
    "augmented-major-seventh": "maj7#5",
    "seventh-flat-five": "7b5",
    "minor-major-ninth": "mMaj9",
    "half-diminished-ninth": "m9b5",
    "augmented-dominant-ninth": "9#5",
    "Neapolitan": "",
    "Italian": "7(no5)",
    "German": "7",
    "French": "7b5",
    "other": "",
}
# MusicXML's own names, where music21 has others.
_MUSICXML = {
    "dominant": "7",
    "half-diminished": "m7b5",
    "major-minor": "mMaj7",
    "Tristan": "m7b5",
}
_SIGNS = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
# A tone beside those of a kind as a degree and its alteration.
_DEGREES = {
    1: (9, -1),
    2: (9, 0),
    3: (9, 1),
    4: (3, 0),
    5: (11, 0),
    6: (11, 1),
    7: (5, 0),
    8: (13, -1),
    9: (13, 0),
    10: (7, 0),
    11: (7, 1),
}


def chord_text(symbol: Any) -> str:
    """Return music21's chord symbol as a lead sheet writes it; ``N.C.`` for its ``NoChord``.

    A kind that MusicXML leaves to the text, and whose text cannot be read, stays as it is.
    """
    from music21 import harmony

    root = symbol.root()
    if isinstance(symbol, harmony.NoChord) or root is None:
        return NO_CHORD
    if not isinstance(symbol, harmony.ChordSymbol):
        return _found_chord(symbol)
    degrees = [(m.modType, m.degree, _semitones(m)) for m in symbol.chordStepModifications]
    bass = symbol.bass()
    over = "" if bass is None or bass.name == root.name else _name(bass)
    kind, shown = symbol.chordKind or "major", symbol.chordKindStr or ""
    return symbol_text(_name(root), kind, shown, degrees, over)


def symbol_text(
    root: str, kind: str, shown: str, degrees: list[tuple[str, int, int]], bass: str = ""
) -> str:
    """Return the parts of a MusicXML ``harmony`` as a lead sheet writes them.

    Parameters
    ----------
    root, bass
        Names of notes; no bass, or the root, for a chord that stands on its root.
    kind, shown
        MusicXML's kind, and its ``text``.
    degrees
        Rows of "add", "alter" or "subtract", the degree, and by how many semitones it is altered.
    """
    suffix = _suffix(_KINDS.get(kind, _READ_ONLY.get(kind, _MUSICXML.get(kind, ""))), degrees)
    if kind == "other" and shown and not degrees:
        suffix = shown
    elif shown and suffix_tones(shown) == suffix_tones(suffix):
        suffix = shown
    return root + suffix + (f"/{bass}" if bass and bass != root else "")


def inverted_bass(text: str, inversion: int) -> str:
    """Return a chord symbol over its third (1), fifth (2) or seventh (3); as it is without one."""
    root, suffix, _ = split_symbol(text)
    for low, high in (((3, 5), (6, 9), (9, 12))[inversion - 1],):
        found = sorted(tone for tone in suffix_tones(suffix) or () if low <= tone < high)
        if found:
            return f"{text}/{_tone_name(root, 2 * inversion, found[0])}"
    return text


def _tone_name(root: str, steps: int, semitones: int) -> str:
    """Return the name of a tone so many steps and semitones above a root."""
    letters = "CDEFGAB"
    places = (0, 2, 4, 5, 7, 9, 11)
    first = letters.index(root[0])
    sign = sum({"#": 1, "♯": 1, "x": 2, "b": -1, "♭": -1}.get(s, 0) for s in root[1:])
    step = (first + steps) % 7
    alter = (places[first] + sign + semitones - places[step] + 6) % 12 - 6
    return letters[step] + ("#" * alter if alter > 0 else "b" * -alter)


def _found_chord(numeral: Any) -> str:
    """Return music21's Roman numeral, which is a chord in a key, as a symbol."""
    root, bass = numeral.root(), numeral.bass()
    above = {(pitch.pitchClass - bass.pitchClass) % 12 for pitch in numeral.pitches}
    if above in ({0, 4, 10}, {0, 4, 6, 10}, {0, 4, 7, 10}):
        root = bass  # an augmented sixth is a seventh chord by its sound
    tones = frozenset((pitch.pitchClass - root.pitchClass) % 12 for pitch in numeral.pitches)
    kind = min(_KINDS, key=lambda name: _distance(tones, suffix_tones(_KINDS[name]) or frozenset()))
    degrees = _changes(tones, suffix_tones(_KINDS[kind]) or frozenset())
    over = "" if bass.name == root.name else _name(bass)
    return symbol_text(_name(root), kind, "", degrees, over)


def music21_chord(text: str) -> Any:
    """Return a chord symbol as music21 has it, or as a text where it cannot be read."""
    from music21 import expressions, harmony

    try:
        chord = parse_chord(text)
    except SymbolError:
        return expressions.TextExpression(text)
    if chord is None:
        return harmony.NoChord()
    root, suffix, bass = split_symbol(text)
    tones = suffix_tones(suffix) or frozenset()

    def distance(name: str) -> tuple[int, int, int]:
        own = _KINDS[name]
        # Of two as near the one that is said: C13(b9) is a thirteenth chord.
        named = len(own) if suffix.startswith(own) else 0
        return *_distance(tones, suffix_tones(own) or frozenset()), -named

    kind = min(_KINDS, key=distance)
    symbol = harmony.ChordSymbol(
        root=_music21_name(root),
        bass=_music21_name(bass) if bass else None,
        kind=kind,
        kindStr=suffix,
    )
    for change, degree, semitones in _changes(tones, suffix_tones(_KINDS[kind]) or frozenset()):
        symbol.addChordStepModification(
            harmony.ChordStepModification(change, degree, semitones), updatePitches=False
        )
    return symbol


def _semitones(modification: Any) -> int:
    return 0 if modification.interval is None else int(modification.interval.semitones)


def _suffix(kind: str, degrees: list[tuple[str, int, int]]) -> str:
    """Return the suffix of a kind with degrees added, altered and left out."""
    said = []
    for change, degree, semitones in degrees:
        name = _SIGNS.get(semitones, "") + str(degree)
        if change == "subtract":
            said.append(f"(no{degree})")
        elif degree == 7:  # MusicXML counts from the minor seventh, some programs from the major
            sixth = kind in ("6", "m6")
            is_major = semitones > 0
            if is_major or sixth:
                said.append("(maj7)" if is_major else "(add7)")
            elif kind in ("sus4", "sus2"):
                kind = "7" + kind
            else:
                kind = {"": "7", "m": "m7", "dim": "m7b5", "aug": "7#5", "5": "7(no3)"}.get(
                    kind, kind
                )
        elif change == "alter" or (change == "add" and semitones and kind[-1:] in ("7", "9", "3")):
            said.append(f"({name})")
        else:
            said.append(f"(add{name})")
    return kind + "".join(said)


def _distance(tones: frozenset[int], others: frozenset[int]) -> tuple[int, int]:
    """Return how far a kind is from a chord: one with its third, then its seventh is nearer."""
    differ = tones ^ others
    # C7b5#9 has both thirds, and is not a minor chord.
    third = len(differ & {3, 4}) + (4 in tones and 4 not in others)
    return 2 * third + len(differ & {10, 11}), len(differ)


def _changes(tones: frozenset[int], kind: frozenset[int]) -> list[tuple[str, int, int]]:
    """Return what makes a chord out of a kind: changes, degrees and semitones."""
    extra, missing = tones - kind, kind - tones
    changes = []
    if 7 in missing and len(extra & {6, 8}) == 1:
        (fifth,) = extra & {6, 8}
        changes.append(("alter", 5, fifth - 7))
        extra, missing = extra - {fifth}, missing - {7}
    if 2 in missing and extra & {1, 3}:
        ninth = min(extra & {1, 3})
        changes.append(("alter", 9, ninth - 2))
        extra, missing = extra - {ninth}, missing - {2}
    changes += [("subtract", _DEGREES[tone][0], 0) for tone in sorted(missing)]
    changes += [("add", *_DEGREES[tone]) for tone in sorted(extra)]
    return changes


def _name(pitch: Any) -> str:
    return str(pitch.name).replace("-", "b")


def _music21_name(note: str) -> str:
    """Return a note's name with minus signs for flats."""
    letter, sign = note[0], note[1:]
    return letter + re.sub("b|♭", "-", sign).replace("♯", "#").replace("x", "##")
