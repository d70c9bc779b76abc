"""The controls that there are: one row for each, read by whatever says, measures or learns them.

===========  =================  ====================================================================
control      numbers            words
===========  =================  ====================================================================
density      onsets a beat      silent 0, sparse 0.5, moderate 1, busy 2, dense 3
polyphony    notes at once      single 1, thin 1.5, medium 3, thick 4
register     MIDI pitch         very low 36, low 48, middle 60, high 72, very high 84, or ``"C5"``
note_length  beats              short 0.375, medium 0.75, long 1.5, sustained 3
dynamics     velocity           ppp 16, pp 33, p 49, mp 64, mf 80, f 96, ff 112, fff 126; soft, loud
syncopation  share of onsets    none 0, light 0.1, some 0.25, strong 0.45
===========  =================  ====================================================================

Beats are quarter notes. ``composer.controls.measures`` says how each is measured. Their order and
their levels are written into vocabularies on disk: a new control goes to the end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Kind:
    """A control.

    Parameters
    ----------
    name
        As it is asked for.
    levels
        The values that the model knows, rising; a number that is asked for is taken to the nearest.
    low, high
        Least and most that may be asked for.
    unit
        What the numbers are, in words that follow a range.
    words
        Words that may be said for a number.
    for_drums
        Whether drums have it.
    """

    name: str
    levels: tuple[float, ...]
    low: float
    high: float
    unit: str
    words: Mapping[str, float]
    for_drums: bool = True


#: In the order that they are said in.
KINDS = (
    Kind(
        "density",
        (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6),
        *(0, 12, "onsets a beat"),
        {"silent": 0, "sparse": 0.5, "moderate": 1, "busy": 2, "dense": 3},
    ),
    Kind(
        "polyphony",
        (1, 1.5, 2, 3, 4, 6),
        *(1, 12, "notes at once"),
        {"single": 1, "thin": 1.5, "medium": 3, "thick": 4},
    ),
    Kind(
        "register",
        tuple(range(30, 91, 6)),
        *(0, 127, "as a MIDI pitch"),
        {"very low": 36, "low": 48, "middle": 60, "high": 72, "very high": 84},
        for_drums=False,
    ),
    Kind(
        "note_length",
        (0.25, 0.375, 0.5, 0.75, 1, 1.5, 2, 3, 4),
        *(0.05, 32, "beats"),
        {"short": 0.375, "medium": 0.75, "long": 1.5, "sustained": 3},
        for_drums=False,
    ),
    Kind(
        "dynamics",
        (16, 33, 49, 64, 80, 96, 112, 126),
        *(1, 127, "as a velocity"),
        {
            **{"ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126},
            **{"soft": 49, "loud": 100},
        },
    ),
    Kind(
        "syncopation",
        (0, 0.1, 0.25, 0.45),
        *(0, 1, "of the onsets"),
        {"none": 0, "light": 0.1, "some": 0.25, "strong": 0.45},
    ),
)
NAMES = tuple(kind.name for kind in KINDS)
BY_NAME = {kind.name: kind for kind in KINDS}
#: Place of the control that moves with the key.
REGISTER = NAMES.index("register")
