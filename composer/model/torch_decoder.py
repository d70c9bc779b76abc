"""The decoder of a GPU, and on a CPU its reference: a Llama on torch.

Decoders that were forked from each other share the weights and one cache, in which each has a slot;
a decoder that nobody refers to any more gives its slot back. What forks hear together is one batch.

A sequence's logits are the same however its ids were cut and whoever went along, but for rounding:
torch adds in another order in batches of another size. So music of one seed may differ between a
request written alone and the same one among others.

No figure has been measured on a GPU yet, and CUDA graphs have not been run on one: they are off
unless asked for. ``benchmarks/gpu.py`` measures both and holds them to the decoder of the CPU.
"""

from __future__ import annotations

import copy
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

try:
    import torch
except ImportError as error:
    raise ImportError(
        "decoding on a device needs torch, which is not installed; "
        "install it with: pip install 'composer-midi[torch]'"
    ) from error

from composer.errors import RequestError
from composer.model.checks import check_cut, check_rows, checked_context, checked_ids
from composer.model.decoder import Decoder, Ids, Logits
from composer.model.torch_cache import SharedCache
from composer.model.torch_llama import TorchLlama
from composer.model.torch_passes import Heard, Passes
from composer.model.weights import Floats, LlamaShape, load_weights

TorchPrecision = Literal["float32", "bfloat16"]

PRECISIONS = ("float32", "bfloat16")
DEVICES = ("cpu", "cuda")


class TorchDecoder(Decoder):
    """A `Decoder` on torch.

    Parameters
    ----------
    shape, weights
        What `load_weights` returned.
    device
        "cpu", "cuda", or one of several GPUs, such as "cuda:1".
    context_length
        Positions to make room for, at most ``shape.max_position_embeddings``, which is also what
        is taken when it is left out.
    precision
        In what to compute and how to keep the cache: "bfloat16" on a GPU and "float32" on a CPU
        when it is left out.
    graphs
        Whether to launch the passes of few ids as CUDA graphs. Needs a GPU.

    Raises
    ------
    RequestError
        If the context is longer than the model's, or shorter than 1, the precision is unknown, or
        the device is unknown, is not there or has too little memory.
    ImportError
        If torch is not installed.
    """

    def __init__(
        self,
        shape: LlamaShape,
        weights: Mapping[str, Floats],
        *,
        device: str = "cpu",
        context_length: int | None = None,
        precision: TorchPrecision | None = None,
        graphs: bool = False,
    ) -> None:
        context = checked_context(context_length, shape.max_position_embeddings)
        place = _checked_device(device)
        if precision is None:
            precision = "bfloat16" if place.type == "cuda" else "float32"
        if precision not in PRECISIONS:
            raise RequestError(f"precision {precision!r} is neither of {', '.join(PRECISIONS)}")
        if graphs and place.type != "cuda":
            raise RequestError(f"graphs need a GPU and the device is {device!r}; leave them out")
        dtype = getattr(torch, precision)
        self._model = TorchLlama(shape, weights, context_length=context, device=place, dtype=dtype)
        self._cache = SharedCache(shape, context, place, dtype)
        self._passes = Passes(self._model, self._cache, graphs=graphs)
        self._lock = threading.Lock()  # of the cache, which may grow while others use it
        self._context_length = context
        self._length = 0
        self._take_slot()

    @classmethod
    def from_folder(
        cls,
        folder: str | os.PathLike[str],
        *,
        device: str = "cpu",
        context_length: int | None = None,
        precision: TorchPrecision | None = None,
        graphs: bool = False,
    ) -> TorchDecoder:
        """Load a model that ``save_pretrained`` wrote; raises as `load_weights` does."""
        shape, weights = load_weights(folder)
        return cls(
            shape,
            weights,
            device=device,
            context_length=context_length,
            precision=precision,
            graphs=graphs,
        )

    @property
    def vocab_size(self) -> int:
        """Number of ids, V."""
        return self._model.shape.vocab_size

    @property
    def context_length(self) -> int:
        """Positions that the cache can hold."""
        return self._context_length

    @property
    def length(self) -> int:
        """Positions that the cache holds now."""
        return self._length

    @property
    def slots(self) -> int:
        """How many forks the cache that they share has room for; it doubles when it is full."""
        return self._cache.slots

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights, which forks share."""
        return self._model.weight_bytes

    @property
    def cache_bytes(self) -> int:
        """Bytes of the cache for each of its slots, whether it is full or not."""
        return self._cache.slot_bytes

    def reset(self) -> None:
        """Forget every position."""
        self._length = 0

    def truncate(self, length: int) -> None:
        """Keep the first ``length`` positions; raises `RequestError` if there are fewer."""
        check_cut(self, length)
        self._length = length

    def fork(self) -> TorchDecoder:
        """Return another decoder that holds the same positions; see `Decoder.fork`.

        Raises `RequestError` if the device has no memory for one more.
        """
        other = copy.copy(self)
        with self._lock:
            other._take_slot()
            self._cache.copy(self._slot, other._slot, self._length)
        return other

    def _take_slot(self) -> None:
        """Take a slot, and give it back when this decoder is gone."""
        self._slot = self._cache.take()
        weakref.finalize(self, self._cache.free.append, self._slot).atexit = False

    @classmethod
    def step_together(cls, decoders: Sequence[TorchDecoder], ids: Sequence[Ids]) -> Logits:
        """Append ids to each of some forks; returns logits (decoders, V) after the last of each."""
        return _append(decoders, ids, every=False)

    @classmethod
    def verify_together(cls, decoders: Sequence[TorchDecoder], ids: Sequence[Ids]) -> list[Logits]:
        """Append ids to each of some forks; returns logits (T, V) for each, after each id."""
        logits = _append(decoders, ids, every=True)
        return np.split(logits, np.cumsum([len(row) for row in ids[:-1]]))


def _append(decoders: Sequence[TorchDecoder], ids: Sequence[Ids], *, every: bool) -> Logits:
    """Append ids to forks; returns logits (rows, V) after each id, or the last of each decoder."""
    check_rows(decoders, ids)
    first = decoders[0]
    if any(decoder._cache is not first._cache for decoder in decoders):
        raise RequestError("the decoders have different weights; take forks of one decoder")
    new = [checked_ids(decoder, row) for decoder, row in zip(decoders, ids, strict=True)]
    pairs = list(zip(decoders, new, strict=True))
    with first._lock:
        heard = [Heard(decoder._slot, decoder._length, own) for decoder, own in pairs]
        logits = first._passes.run(heard, every=every)
    for decoder, own in pairs:
        decoder._length += len(own)
    return logits


def _checked_device(name: str) -> torch.device:
    """Return the device of a name, which is one that can be used."""
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or device.type not in DEVICES:
        raise RequestError(f"device {name!r} is neither of {', '.join(DEVICES)}")
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA asserts
        said = str(error).partition("\n")[0]
        raise RequestError(
            f"device {name!r} cannot be used ({said}); install torch for this machine's GPU, or "
            "leave the device out to decode on the CPU"
        ) from error
    return device
