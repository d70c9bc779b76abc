"""The order of the REMI formats, on columns: what ``remi_grammar`` says id by id."""

from __future__ import annotations

import numpy as np

from composer.tokenizers.bins import BAR_LENGTHS, COMMON_TIME
from composer.tokenizers.events import Ints, Reader
from composer.tokenizers.families import DRUMS
from composer.tokenizers.scan import basses_are_no_roots, differs, rises


def kinds_of_note(read: Reader) -> Ints:
    """Return 0 for each Program that a Pitch follows, 1 for drums."""
    return np.asarray(read.value[read.at("Program")] == DRUMS, np.int64)


def remi_in_order(read: Reader) -> bool:
    """Return whether the values of a sequence that goes through the table keep their order."""
    return (
        differs(read.value[read.at("TimeSig")])
        and differs(read.value[read.at("Tempo")])
        and _positions_in_order(read)
        and _notes_in_order(read)
        and basses_are_no_roots(read)
    )


def _positions_in_order(read: Reader) -> bool:
    bars, places = read.at("Bar"), read.at("Position")
    position = read.value[places]
    if len(position) and "Tempo" in read.vocabulary.base and position[0] != 0:
        return False
    lengths = np.full(len(places), COMMON_TIME)
    if len(read.at("TimeSig")):
        lengths = BAR_LENGTHS[read.running("TimeSig", places)]
    return not np.any(position >= lengths) and rises(np.searchsorted(bars, places), position)


def _notes_in_order(read: Reader) -> bool:
    places, _ = read.notes()
    rank = read.value[places]
    if "Program" in read.vocabulary.base:
        rank = rank + 128 * read.value[places - 1]
    return rises(np.searchsorted(read.at("Position"), places), rank)
