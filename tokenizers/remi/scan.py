"""The order of the REMI formats over whole sequences: what ``remi_grammar`` says id by id."""

from __future__ import annotations

from composer.tokenizers.bins import Bins
from composer.tokenizers.columns import Reader
from composer.tokenizers.remi.columns import family_codes
from composer.tokenizers.vocabulary import Vocabulary


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
        from composer.tokenizers.remi.kernels import keeps_order

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
