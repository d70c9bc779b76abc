"""The decoder of a CPU: a Llama in compiled code, without torch or transformers.

Every decoder has its own cache; decoders that were forked from each other share the weights, and
can go on together, so that a weight is read once for all of them. What a sequence's logits are does
not depend on that, nor on how its ids were cut into calls: they are the same bit for bit.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError
from composer.model.checks import check_cut, check_rows, checked_context, checked_ids
from composer.model.decoder import Decoder, Ids, Logits
from composer.model.kernels import DEPTH, MOST_ROWS, NARROW, SPAN, TOGETHER, Floats, Sizes, forward
from composer.model.packing import PRECISIONS, pack, padded
from composer.model.weights import LlamaShape, load_weights

Precision = Literal["int8", "float32"]


class CPUDecoder(Decoder):
    """A `Decoder` in compiled code.

    Parameters
    ----------
    shape, weights
        What `load_weights` returned.
    context_length
        Positions to make room for, at most ``shape.max_position_embeddings``, which is also what
        is taken when it is left out.
    precision
        How weights are kept: "int8", with a float32 scale for each row, or "float32".
    threads
        Among how many threads to divide sequences that go on together. One sequence is always
        decoded by one thread: its layers are too small to be worth waiting for each other.

    Raises
    ------
    RequestError
        If the context is longer than the model's, or shorter than 1, the precision is unknown or
        there are no threads.
    """

    def __init__(
        self,
        shape: LlamaShape,
        weights: Mapping[str, Floats],
        *,
        context_length: int | None = None,
        precision: Precision = "int8",
        threads: int = 1,
    ) -> None:
        context = checked_context(context_length, shape.max_position_embeddings)
        if precision not in PRECISIONS:
            raise RequestError(f"precision {precision!r} is neither of {', '.join(PRECISIONS)}")
        if threads < 1:
            raise RequestError(f"threads {threads} is below 1; leave it out for one")
        self._pool = _pool_of(threads)
        self._threads = threads
        self._shape = shape
        self._context_length = context
        self._weights = pack(shape, weights, precision=precision, context_length=context)
        self._sizes = Sizes(
            shape.hidden_size,
            shape.heads,
            shape.kv_heads,
            shape.head_dim,
            np.float32(shape.rms_norm_eps),
        )
        self._base = self._own = _new_cache(shape, context)
        self._shared = 0  # positions that stand in the base, whole spans of them; others are own
        self._length = 0

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        *,
        context_length: int | None = None,
        precision: Precision = "int8",
        threads: int = 1,
    ) -> CPUDecoder:
        """Load a model that ``save_pretrained`` wrote; raises as `load_weights` does."""
        shape, weights = load_weights(folder)
        return cls(
            shape, weights, context_length=context_length, precision=precision, threads=threads
        )

    @property
    def vocab_size(self) -> int:
        """Number of ids, V."""
        return self._shape.vocab_size

    @property
    def context_length(self) -> int:
        """Positions that the cache can hold."""
        return self._context_length

    @property
    def length(self) -> int:
        """Positions that the cache holds now."""
        return self._length

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights, which forks share."""
        return sum({id(array): array.nbytes for array in self._weights}.values())

    @property
    def cache_bytes(self) -> int:
        """Bytes of the cache when it is full; memory is taken as it fills."""
        return self._own.keys.nbytes + self._own.values.nbytes

    def reset(self) -> None:
        """Forget every position."""
        self.truncate(0)

    def truncate(self, length: int) -> None:
        """Keep the first ``length`` positions; raises `RequestError` if there are fewer."""
        check_cut(self, length)
        if length < self._shared:
            self._share(self._base, length)
        self._length = length

    def fork(self) -> CPUDecoder:
        """Return another decoder that holds the same positions; see `Decoder.fork`.

        Of these, all whole spans are then shared, and read by none but once where forks go on
        together.
        """
        if self._length - self._shared >= SPAN:
            base = self._own
            base.keys[:, :, : self._shared // SPAN] = self._base.keys[:, :, : self._shared // SPAN]
            base.values[..., : self._shared, :] = self._base.values[..., : self._shared, :]
            # What is shared is never written again.
            self._own = _new_cache(self._shape, self._context_length)
            self._share(base, self._length)
        other = self.blank()
        if self._shared:
            other._base, other._shared = self._base, self._shared
        other._length = self._length
        other._copy_last_span(self._own, self._length)
        return other

    def blank(self) -> CPUDecoder:
        """Return another decoder that holds nothing; see `Decoder.blank`."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._base = other._own = _new_cache(self._shape, self._context_length)
        other._shared = other._length = 0
        return other

    # Copies share the weights, which nobody writes, and no cache, which every call does.

    def __copy__(self) -> CPUDecoder:
        return self.fork()

    def __deepcopy__(self, memo: dict[int, Any]) -> CPUDecoder:
        return self.fork()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_pool": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._pool = _pool_of(self._threads)

    def _share(self, base: Cache, length: int) -> None:
        """Take all whole spans before a length from a base, and copy what is after them."""
        self._base, self._shared = base, length // SPAN * SPAN
        self._copy_last_span(base, length)

    def _copy_last_span(self, source: Cache, length: int) -> None:
        block, start = self._shared // SPAN, self._shared
        self._own.keys[:, :, block : block + 1] = source.keys[:, :, block : block + 1]
        self._own.values[..., start:length, :] = source.values[..., start:length, :]

    @classmethod
    def step_together(cls, decoders: Sequence[CPUDecoder], ids: Sequence[Ids]) -> Logits:
        """Append ids to each of some forks; returns logits (decoders, V) after the last of each."""
        return _append(decoders, ids, every=False)

    @classmethod
    def verify_together(cls, decoders: Sequence[CPUDecoder], ids: Sequence[Ids]) -> list[Logits]:
        """Append ids to each of some forks; returns logits (T, V) for each, after each id."""
        logits = _append(decoders, ids, every=True)
        return np.split(logits, np.cumsum([len(row) for row in ids[:-1]]))


class Cache:
    """What is kept of the positions seen so far, and where it lies in this process.

    Parameters
    ----------
    keys
        Shape (layers, K, C / SPAN, N, SPAN), N padded.
    values
        Shape (layers, K, N / NARROW, C, NARROW), N padded.
    """

    def __init__(self, keys: Floats, values: Floats) -> None:
        self.keys = keys
        self.values = values
        #: Found anew wherever the arrays come to lie: an address means nothing elsewhere.
        self.addresses = (keys.ctypes.data, values.ctypes.data)

    def __reduce__(self) -> tuple[type[Cache], tuple[Floats, Floats]]:
        return Cache, (self.keys, self.values)


def _pool_of(threads: int) -> ThreadPoolExecutor | None:
    return ThreadPoolExecutor(threads) if threads > 1 else None


def _new_cache(shape: LlamaShape, context_length: int) -> Cache:
    """Return an empty cache, which takes memory only as it fills."""
    room, size = padded(context_length, SPAN), padded(shape.head_dim, DEPTH)
    keys = np.zeros((shape.layers, shape.kv_heads, room // SPAN, size, SPAN), np.float32)
    narrow = padded(shape.head_dim, NARROW) // NARROW
    values = np.zeros((shape.layers, shape.kv_heads, narrow, room, NARROW), np.float32)
    return Cache(keys, values)


def _append(decoders: Sequence[CPUDecoder], ids: Sequence[Ids], *, every: bool) -> Logits:
    """Append ids to forks.

    Returns the logits (rows, V) after each id, or after the last one of each decoder.
    """
    check_rows(decoders, ids)
    if any(decoder._weights is not decoders[0]._weights for decoder in decoders):
        raise RequestError("the decoders have different weights; take forks of one decoder")
    new = [checked_ids(decoder, row) for decoder, row in zip(decoders, ids, strict=True)]
    first = decoders[0]
    pool, groups = first._pool, min(first._threads, len(decoders))
    if pool is None or groups == 1:
        logits = _run_passes(decoders, new, every)
    else:
        cuts = [len(decoders) * group // groups for group in range(groups + 1)]
        tasks = [
            pool.submit(_run_passes, decoders[begin:end], new[begin:end], every)
            for begin, end in itertools.pairwise(cuts)
        ]
        logits = np.concatenate([task.result() for task in tasks])
    for decoder, own in zip(decoders, new, strict=True):
        decoder._length += len(own)
    return logits[:, : first.vocab_size]


def _run_passes(
    decoders: Sequence[CPUDecoder], new: Sequence[npt.NDArray[np.int64]], every: bool
) -> Logits:
    """Write ids into the caches of forks, ``MOST_ROWS`` a pass; returns logits (rows, padded V)."""
    rows = new[0] if len(new) == 1 else np.concatenate(new)
    first = decoders[0]
    width = len(first._weights.head_scale)
    logits = np.empty((len(rows) if every else len(decoders), width), np.float32)
    runs: list[tuple[int, ...]] = []
    wanted: list[int] = []  # rows of the pass
    filled = done = said = 0  # rows of the pass, rows and logits of the passes before it

    def run_pass() -> None:
        nonlocal filled, done, said
        forward(
            first._weights,
            first._sizes,
            rows[done : done + filled],
            np.array(runs, np.int64),
            np.array(wanted, np.int64),
            logits[said : said + len(wanted)],
        )
        done, said, filled = done + filled, said + len(wanted), 0
        runs.clear()
        wanted.clear()

    for decoder, own in zip(decoders, new, strict=True):
        at = 0
        while at < len(own):
            count = min(len(own) - at, TOGETHER, MOST_ROWS - filled)
            caches = (*decoder._base.addresses, decoder._shared, *decoder._own.addresses)
            runs.append((*caches, decoder._length + at, count))
            at += count
            if every:
                wanted.extend(range(filled, filled + count))
            elif at == len(own):
                wanted.append(filled + count - 1)
            filled += count
            if filled == MOST_ROWS:
                run_pass()
    if filled:
        run_pass()
    return logits
