"""Drums that a part list says no pitch of: found by their names, or by where they stand.

References
----------
Norman Weinberg, *Guidelines for Drumset Notation*, Percussive Notes 36 (1998): places on the staff.
"""

from __future__ import annotations

import re

from composer.errors import ComposerError
from composer.score.instruments import parse_piece

#: Places on a staff of five lines, as a treble clef reads them, and General MIDI's drums. The
#: middle line is not among them: a snare alone stands there.
_PLACES = {
    "D4": 44,
    "E4": 35,
    "F4": 36,
    "G4": 41,
    "A4": 43,
    "C5": 38,
    "D5": 47,
    "E5": 48,
    "F5": 51,
    "G5": 42,
    "A5": 49,
    "B5": 57,
}
_CROSSED = {**_PLACES, "C5": 37, "D5": 56, "E5": 51, "F5": 51, "B4": 44}
SNARE = 38

_KITS = re.compile(r"\b(drum ?(set|kit|s)|percussion|kit)\b", re.IGNORECASE)


def is_drum_name(name: str) -> bool:
    """Return whether a part is called after a drum kit."""
    return bool(_KITS.search(name)) and "steel" not in name.lower()


def drum_of_position(name: str, step: str, octave: int, head: str) -> int:
    """Return a drum by the name of its instrument, then by its place; a snare if nothing helps.

    Parameters
    ----------
    name
        Name of the instrument, or of the part.
    step, octave
        Where the note stands, as a treble clef reads it.
    head
        MusicXML's word for the note head; crosses are cymbals.
    """
    try:
        return parse_piece(name)[0]
    except (ComposerError, IndexError):
        pass
    places = _CROSSED if head in ("x", "cross", "circle-x") else _PLACES
    return places.get(f"{step.strip().upper()}{octave}", SNARE)
