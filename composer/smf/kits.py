"""Drum kits that stand on another channel than General MIDI's tenth.

References
----------
General MIDI 2, MIDI Manufacturers Association (1999): bank 120 is rhythm.

Yamaha XG Specifications (1994): bank 127 is drums, behind the system exclusive "XG System On".
"""

from __future__ import annotations

import re

from composer.score.events import Events

_RHYTHM, _XG_DRUMS = 120, 127
_XG_ON = bytes.fromhex("43 10 4c 00 00 7e 00")
_CALLED = re.compile(
    r"(?:the |acoustic |electric |electronic |live |midi |gm |main |rock |jazz )*"
    r"(?:drums?|drum ?kits?|drum ?sets?|drum machine|kick(?: drum)?|snare(?: drum)?|hi ?hats?"
    r"|toms?|cymbals?|crash(?: cymbal)?|ride(?: cymbal)?|claps?|hand claps?|rim ?shots?)(?: \d+)?"
)
_PITCHES = (27, 87)  # General MIDI 2's kits


def is_kit(name: str, program: int, notes: Events, controls: Events, *, is_xg: bool) -> bool:
    """Return whether a track on another channel than the tenth is a drum kit.

    Parameters
    ----------
    name
        What its chunk is called.
    program
        Its program; 0 where none is set.
    notes, controls
        What it holds.
    is_xg
        Whether the file turns synthesizers to XG: see ``turns_to_xg``.

    Examples
    --------
    >>> from composer.score.score import CONTROL, NOTE
    >>> import numpy as np
    >>> notes, none = np.array([(0, 99, 38, 90)], NOTE), np.zeros(0, CONTROL)
    >>> [is_kit(name, 0, notes, none, is_xg=False) for name in ("Snare 2", "Steel Drums", "Piano")]
    [True, False, False]
    >>> is_kit("Drums", 114, notes, none, is_xg=False)
    False
    """
    if not len(notes):
        return False
    banks = controls[(controls["number"] == 0) & (controls["tick"] <= notes["onset"][0])]
    if len(banks):
        bank = int(banks["value"][-1])
        if bank == _RHYTHM or (bank == _XG_DRUMS and is_xg):
            return True
    low, high = int(notes["pitch"].min()), int(notes["pitch"].max())
    plain = " ".join(re.findall(r"[a-z]+|\d+", name.lower()))
    is_called = program == 0 and _CALLED.fullmatch(plain) is not None
    return is_called and _PITCHES[0] <= low and high <= _PITCHES[1]


def turns_to_xg(source: bytes) -> bool:
    """Return whether a file has the message that turns synthesizers to XG."""
    return _XG_ON in source
