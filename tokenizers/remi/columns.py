"""Columns that the compiled loops and the order of the REMI formats share."""

from __future__ import annotations

import numpy as np

from composer.tokenizers.columns import Ints, Reader
from composer.tokenizers.families import DRUMS
from composer.tokenizers.vocabulary import Vocabulary

#: The families that the compiled loops know, in their order.
FAMILIES = (
    *("Bar", "TimeSig", "Position", "Offset", "Program", "Pitch", "Drum", "Velocity", "Duration"),
    *("Key", "Tempo", "Chord", "Bass", "Rest", "Pedal", "Bend"),
)


# Ranks of what a program does before its notes at one place; a note's rank is its Pitch value.
FRESH, UP, DOWN, BENT = -5, -4, -3, -2


def family_codes(vocabulary: Vocabulary) -> Ints:
    """Return which ``Reader.family`` each of ``FAMILIES`` is, -1 for one that is not there."""
    return np.array(
        [vocabulary.index(name) if name in vocabulary.base else -1 for name in FAMILIES]
    )


def kinds_of_note(read: Reader) -> Ints:
    """Return 1 for each Program that is drums, 0 for the others."""
    return np.asarray(read.value[read.at("Program")] == DRUMS, np.int64)
