"""Pitches and ranges as people write them."""

from __future__ import annotations

import re
from numbers import Integral

from composer.errors import RequestError, SymbolError
from composer.theory.keys import NATURALS, note_name

#: A range as people write it: "C4-C6", or two MIDI pitches or names of notes.
RangeLike = str | tuple[int | str, int | str]


def parse_pitch(text: str) -> int:
    """Return the MIDI pitch of a note name; C4 is middle C, 60.

    Raises
    ------
    SymbolError
        The text is not a note from C-1 to G9.

    Examples
    --------
    >>> parse_pitch("C4"), parse_pitch("Bb3")
    (60, 58)
    """
    found = re.fullmatch(r"\s*([A-Ga-g])([#b]?)(-?\d)\s*", text)
    if found:
        letter, sign, octave = found.groups()
        pitch = 12 * (int(octave) + 1) + NATURALS[letter.upper()] + {"#": 1, "b": -1}.get(sign, 0)
        if 0 <= pitch <= 127:
            return pitch
    raise SymbolError(f"note {text!r} cannot be read; write one such as 'C4' (middle C) or 'F#5'")


def pitch_name(pitch: int) -> str:
    """Return the name of a MIDI pitch, such as ``C4`` for 60 and ``Bb3`` for 58.

    >>> [pitch_name(pitch) for pitch in (60, 58, 66)]
    ['C4', 'Bb3', 'F#4']
    """
    return f"{note_name((7 * pitch + 5) % 12 - 5)}{pitch // 12 - 1}"


def parse_range(given: RangeLike) -> tuple[int, int]:
    """Return the lowest and highest pitch of a range.

    Raises
    ------
    RequestError
        The range is empty or no range.
    SymbolError
        The name of a note cannot be read.

    Examples
    --------
    >>> parse_range("C4-C6"), parse_range((60, 84)), parse_range(("C4", "C6"))
    ((60, 84), (60, 84), (60, 84))
    """
    if isinstance(given, str):
        found = re.fullmatch(
            r"\s*([A-Ga-g][#b]?-?\d)\s*(?:-|–|to|\.\.)\s*([A-Ga-g][#b]?-?\d)\s*", given
        )
        if not found:
            raise RequestError(f"range {given!r} cannot be read; write one such as 'C4-C6'")
        low, high = parse_pitch(found[1]), parse_pitch(found[2])
    elif isinstance(given, tuple | list) and len(given) == 2:
        low, high = (parse_pitch(end) if isinstance(end, str) else end for end in given)
    else:
        raise RequestError(f"range {given!r} cannot be read; write one such as 'C4-C6'")
    if not isinstance(low, Integral) or not isinstance(high, Integral):
        raise RequestError(f"range {given!r} is not a pair of MIDI pitches; for example (60, 84)")
    if not 0 <= low <= high <= 127:
        raise RequestError(
            f"range {low} to {high} is not a range of MIDI pitches; the low one comes first, "
            "0 to 127"
        )
    return low, high
