"""What decoders refuse, in the same words whatever computes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError, TokenError
from composer.model.decoder import Decoder, Ids


def checked_context(context_length: int | None, longest: int) -> int:
    """Return the positions to make room for; all that the model has if none are named.

    Raises
    ------
    RequestError
        The context is longer than the model's, or shorter than 1.
    """
    context = longest if context_length is None else context_length
    if not 1 <= context <= longest:
        raise RequestError(f"context_length {context} is outside 1 to {longest}; leave it out")
    return context


def checked_ids(decoder: Decoder, ids: Ids) -> npt.NDArray[np.int64]:
    """Return ids that are to be appended as an array (T,).

    Raises
    ------
    RequestError
        There are no ids, or more than the context has room for.
    TokenError
        An id is not in the vocabulary.
    """
    new = np.asarray(ids)
    if new.ndim != 1 or not new.size:
        raise RequestError(f"ids of shape {new.shape} cannot be read; give one row of 1 or more")
    if decoder.length + new.size > decoder.context_length:
        raise RequestError(
            f"{new.size} ids after the {decoder.length} cached are more than the context of "
            f"{decoder.context_length} positions; truncate the cache or ask for fewer bars"
        )
    low, high = (new.min(), new.max()) if new.size > 1 else (new.item(), new.item())
    if new.dtype.kind not in "iu" or low < 0 or high >= decoder.vocab_size:
        raise TokenError(
            f"ids from {low} to {high} ({new.dtype}) are not whole numbers from "
            f"0 to {decoder.vocab_size - 1}; encode with the model's own tokenizer"
        )
    return new.astype(np.int64)


def check_rows(decoders: Sequence[Decoder], ids: Sequence[Ids]) -> None:
    """Raise `RequestError` unless each decoder, none of them twice, has a row of ids."""
    if not decoders or len(decoders) != len(ids):
        raise RequestError(
            f"{len(ids)} rows of ids do not fit {len(decoders)} decoders; give one row for each"
        )
    if len(set(map(id, decoders))) < len(decoders):
        raise RequestError("a decoder stands in the list twice; fork it, so that each has a cache")


def check_cut(decoder: Decoder, length: int) -> None:
    """Raise `RequestError` unless a decoder holds so many positions."""
    if not 0 <= length <= decoder.length:
        raise RequestError(
            f"length {length} is outside 0 to {decoder.length} cached positions; prefill first"
        )
