"""The order of the REMI formats over whole sequences: what ``remi_grammar`` says id by id."""

from __future__ import annotations

import numpy as np

from composer.tokenizers.bins import Bins
from composer.tokenizers.events import Ints, Reader
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


class RemiOrder:
    """Whether the values of a sequence that goes through the table keep their order.

    Parameters
    ----------
    vocabulary
        The families of the format.
    bins
        Its grid.
    """

    def __init__(self, vocabulary: Vocabulary, bins: Bins) -> None:
        self._codes = family_codes(vocabulary)
        self._bins = bins
        self._bar_lengths = bins.bar_lengths

    def keeps(self, read: Reader) -> bool:
        """Return whether they do."""
        # Late, as loading the compiler takes longer than all else that a tokenizer imports.
        from composer.tokenizers.remi_kernels import keeps_order

        bins = self._bins
        return keeps_order(
            read.family,
            read.value,
            self._codes,
            self._bar_lengths,
            bins.common_time,
            bins.durations,
            bins.steps,
        )
