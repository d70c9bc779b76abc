"""Ids that were said, and what they may be taken from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composer.masks.cell import CellMask
from composer.tokenizers.grammar import Grammar


class TokenStream:
    """Ids said so far, and where they stand in the grammar."""

    def __init__(self, grammar: Grammar) -> None:
        self.ids: list[int] = []
        #: The same without controls.
        self.plain: list[int] = []
        self.cursor = grammar.start()
        self._grammar = grammar
        self._first_control = grammar.vocabulary.base["Control"]  # none but controls come after

    def copy(self) -> TokenStream:
        """Return another that goes on from here."""
        other = object.__new__(TokenStream)
        vars(other).update(vars(self), ids=[*self.ids], plain=[*self.plain])
        other.cursor = self.cursor.copy()
        return other

    def append(self, ids: Sequence[int]) -> None:
        """Append ids that the grammar allows."""
        for index in ids:
            self._grammar.advance(self.cursor, index)
        self.ids.extend(ids)
        self.plain.extend([index for index in ids if index < self._first_control])


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many ids two sequences begin with alike."""
    length = min(len(first), len(second))
    differs = np.flatnonzero(np.array(first[:length]) != np.array(second[:length]))
    return int(differs[0]) if len(differs) else length


def replay(mask: CellMask, stream: TokenStream, ids: Sequence[int]) -> bool:
    """Say the ids of another cell in one, and return whether its mask allows them all.

    Notes are cut short where they have to end earlier.

    Parameters
    ----------
    mask
        The cell's, which hears them.
    said
        Up to the cell's heading.
    ids
        What the other cell holds.
    """
    if mask.looks_ahead:
        return False
    lengths = mask.grammar.vocabulary.slices["Duration"]
    for index in ids:
        shortest = lengths.start if lengths.start <= index < lengths.stop else index
        allowed = mask.allowed_at_all(stream.cursor)[shortest : index + 1]
        if not allowed.any():
            return False
        appended = shortest + int(np.flatnonzero(allowed)[-1])
        stream.append([appended])
        mask.accept(stream.cursor, appended)
    return bool(mask.allowed_at_all(stream.cursor)[mask.after])
