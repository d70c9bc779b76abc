"""The interface that every decoder has, whatever computes it.

Conventions
-----------
A decoder holds one sequence. Its cache keeps what the model worked out for the ids seen so far, so
that a new id costs one position and not all of them. ``V`` is the size of the vocabulary.

What a caller can save: ids that are known beforehand cost less in one call than one by one; those
of several sequences cost less together, in ``step_together``; and a draft of the next ids costs
less to ``verify``, and to ``truncate`` where it was wrong, than to ask for one id after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Logits: TypeAlias = npt.NDArray[np.float32]
Ids: TypeAlias = Sequence[int] | npt.NDArray[np.integer]
Own = TypeVar("Own", bound="Decoder")


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
        logits: Logits = type(self).step_together([self], [ids])[0]
        return logits

    def step(self, id: int) -> Logits:
        """Append one id; the same as ``prefill([id])``."""
        return self.prefill((id,))

    def verify(self, ids: Ids) -> Logits:
        """Append ids as ``prefill`` does; returns the logits (T, V) after each of them."""
        return type(self).verify_together([self], [ids])[0]

    def fork(self: Own) -> Own:
        """Return another decoder that holds the same positions and shares the weights.

        From then on each goes its own way. A fork costs a copy of the positions held.
        """

    def blank(self: Own) -> Own:
        """Return another decoder that holds nothing and shares the weights.

        This one may be at work in another thread meanwhile.
        """

    @classmethod
    def step_together(cls: type[Own], decoders: Sequence[Own], ids: Sequence[Ids]) -> Logits:
        """Append ids to several decoders in one pass over the weights.

        Whoever has ended is left out of the next call; it holds nobody up.

        Parameters
        ----------
        decoders
            One or more, forks of each other, none of them twice.
        ids
            What to append to each: one id or more, as for ``prefill``. Their numbers may differ.

        Returns
        -------
        Logits
            float32 (decoders, V), what is expected after the last id of each.

        Raises
        ------
        RequestError, TokenError
            As ``prefill`` does, or the decoders are not as above; all stay as they were.
        """

    @classmethod
    def verify_together(
        cls: type[Own], decoders: Sequence[Own], ids: Sequence[Ids]
    ) -> list[Logits]:
        """Append ids as ``step_together`` does; returns the logits (T, V) of each decoder."""
