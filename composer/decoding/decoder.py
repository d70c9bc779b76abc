"""The interface that every decoder has, whatever computes it.

Conventions
-----------
A decoder holds one sequence. Its cache keeps what the model worked out for the ids seen so far, so
that a new id costs one position and not all of them. ``V`` is the size of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Logits: TypeAlias = npt.NDArray[np.float32]
Ids: TypeAlias = Sequence[int] | npt.NDArray[np.integer]


class Decoder(Protocol):
    """What the sampling loop asks of a model.

    A call that raises leaves the cache as it was, and logits that were returned are never changed
    by a later call.
    """

    @property
    def vocab_size(self) -> int:
        """Number of ids, V."""

    @property
    def context_length(self) -> int:
        """Positions that the cache can hold."""

    @property
    def length(self) -> int:
        """Positions that the cache holds now."""

    def reset(self) -> None:
        """Forget every position."""

    def truncate(self, length: int) -> None:
        """Keep the first ``length`` positions and forget the rest.

        Raises
        ------
        RequestError
            If the cache holds fewer positions.
        """

    def prefill(self, ids: Ids) -> Logits:
        """Append ids to the cache.

        Parameters
        ----------
        ids
            At least one id, each from 0 to V - 1.

        Returns
        -------
        Logits
            float32 (V,), what the model expects after the last id.

        Raises
        ------
        RequestError
            If there are no ids, or more than the context has room for.
        TokenError
            If an id is not in the vocabulary.
        """

    def step(self, id: int) -> Logits:
        """Append one id; the same as ``prefill([id])``."""
