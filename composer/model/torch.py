"""The decoder of a GPU, and on a CPU its reference: ``transformers.LlamaForCausalLM``.

Decoders that were forked from each other share the model and one cache, in which each has a slot;
a decoder that nobody refers to any more gives its slot back. Forks that go on together are one
batch.

A sequence's logits are the same however its ids were cut and whoever went along, but for rounding:
torch adds in another order in batches of another size. So music of one seed may differ between a
request written alone and the same one among others. No figure has been measured on a GPU yet.

References
----------
.. [1] https://huggingface.co/docs/transformers/model_doc/llama
"""

from __future__ import annotations

import copy
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError
from composer.model.checks import check_cut, check_rows, checked_context, checked_ids
from composer.model.decoder import Decoder, Ids, Logits
from composer.model.weights import load_weights

try:
    import torch
    from transformers import Cache, LlamaForCausalLM
    from transformers.utils import logging
except ImportError as error:
    raise ImportError(
        f"decoding on a device needs torch and transformers, and one cannot be imported ({error}); "
        "install both with: pip install 'composer-midi[torch]'"
    ) from error

TorchPrecision = Literal["float32", "bfloat16"]
Row = npt.NDArray[np.int64]

PRECISIONS = ("float32", "bfloat16")
DEVICES = ("cpu", "cuda")
FEW = 8  # ids to which the rows of a batch are padded, rather than heard one batch after the other
MOST = 8192  # ids of a batch, padding included


class TorchDecoder(Decoder):
    """A `Decoder` around a Llama of transformers.

    Parameters
    ----------
    model
        A ``LlamaForCausalLM`` on the device and in the precision to decode with.
    context_length
        Positions to make room for, at most the model's ``max_position_embeddings``, which is also
        what is taken when it is left out.

    Raises
    ------
    RequestError
        The context is longer than the model's, or shorter than 1.
    """

    def __init__(self, model: LlamaForCausalLM, *, context_length: int | None = None) -> None:
        longest = model.config.max_position_embeddings
        self._context_length = checked_context(context_length, longest)
        self._model = model.eval()
        self._cache = _Slots(model, self._context_length)
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
    ) -> TorchDecoder:
        """Load a model that ``save_pretrained`` wrote.

        Parameters
        ----------
        folder
            Where ``config.json`` and ``model.safetensors`` are.
        device
            "cpu", "cuda", or one of several GPUs, for example "cuda:1".
        context_length
            As above.
        precision
            In what to compute and how to keep the cache: "bfloat16" on a GPU and "float32" on a CPU
            when it is left out.

        Raises
        ------
        ModelError
            As `load_weights` does.
        RequestError
            As above, or the precision is unknown, or the device is unknown or is not there.
        """
        place = _checked_device(device)
        if precision is None:
            precision = "bfloat16" if place.type == "cuda" else "float32"
        if precision not in PRECISIONS:
            raise RequestError(f"precision {precision!r} is neither of {', '.join(PRECISIONS)}")
        load_weights(folder)  # refuses what transformers would fill at random
        with _no_progress_bar():
            model = LlamaForCausalLM.from_pretrained(
                folder,
                dtype=getattr(torch, precision),
                local_files_only=True,
                use_safetensors=True,
            )
        return cls(model.to(place), context_length=context_length)

    @property
    def vocab_size(self) -> int:
        """Number of ids, V."""
        return int(self._model.config.vocab_size)

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
        with self._cache.lock:
            other._take_slot()
            self._cache.copy(self._slot, other._slot, self._length)
        return other

    def blank(self) -> TorchDecoder:
        """Return another decoder that holds nothing; see `Decoder.blank`.

        Raises `RequestError` if the device has no memory for one more.
        """
        other = copy.copy(self)
        other._length = 0
        with self._cache.lock:
            other._take_slot()
        return other

    def _take_slot(self) -> None:
        """Take a slot, and give it back when this decoder is gone."""
        self._slot = self._cache.take()
        weakref.finalize(self, self._cache.free.append, self._slot).atexit = False

    @classmethod
    def step_together(cls, decoders: Sequence[TorchDecoder], ids: Sequence[Ids]) -> Logits:
        """Append ids to each of some forks; returns logits (decoders, V) after the last of each."""
        return np.concatenate(_append(decoders, ids, every=False))

    @classmethod
    def verify_together(cls, decoders: Sequence[TorchDecoder], ids: Sequence[Ids]) -> list[Logits]:
        """Append ids to each of some forks; returns logits (T, V) for each, after each id."""
        return _append(decoders, ids, every=True)


class _Slots(Cache):  # type: ignore[misc]
    """The keys and values of many sequences, which need not be of the same length.

    The caches of transformers append at one position for all rows of a batch. Here each sequence
    has a slot and is written at its own positions, and nothing is copied when it grows.

    Attributes
    ----------
    tensor
        (2, layers, slots, kv_heads, context + 1, head_dim), keys and values. Nothing that lies at
        the last position is ever heard: padding is written there.
    free
        Slots that nobody has. To append to it is all that it takes to give one back, which may
        happen in any thread, at any time.
    lock
        Of all else.
    """

    def __init__(self, model: LlamaForCausalLM, context_length: int) -> None:
        super().__init__(layers=[])
        self._model, self._context_length = model, context_length
        self.tensor = self._zeros(1)
        self.free = [0]
        self.lock = threading.Lock()

    @property
    def slots(self) -> int:
        """How many sequences there is room for; a power of two."""
        return int(self.tensor.shape[2])

    def take(self) -> int:
        """Return the lowest free slot; raises `RequestError` where there is no memory for one."""
        if not self.free:
            count = self.slots
            larger = self._zeros(2 * count)
            larger[:, :, :count] = self.tensor
            self.tensor = larger
            self.free += range(count, 2 * count)
        slot = min(self.free)
        self.free.remove(slot)
        return slot

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot to another."""
        self.tensor[:, :, target, :, :length] = self.tensor[:, :, source, :, :length]

    def _zeros(self, slots: int) -> torch.Tensor:
        """Return a tensor of zeros: what is masked must still be finite."""
        of, positions = self._model.config, self._context_length + 1
        size = (2, of.num_hidden_layers, slots, of.num_key_value_heads, positions, of.head_dim)
        try:
            return torch.zeros(size, dtype=self._model.dtype, device=self._model.device)
        except RuntimeError as error:  # what torch raises without memory, on every device
            needed = np.prod(size) * self._model.dtype.itemsize / 1e9
            raise RequestError(
                f"a cache for {slots} sequences of {self._context_length} positions takes "
                f"{needed:.1f} GB, which {self._model.device} does not have; take fewer forks or a "
                "lower context_length"
            ) from error

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Return 0: positions are always given."""
        return 0

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write keys and values (B, kv_heads, T, head_dim); returns all of (B, ..., span, ...)."""
        kept = self.tensor[:, layer_idx]
        for side, new in zip(kept, (keys, values), strict=True):
            side[self._rows, :, self._positions] = new.transpose(1, 2)
        heard = kept[:, self._read, :, : self._span]
        return heard[0], heard[1]

    def aim(self, slots: Sequence[int], positions: torch.Tensor, span: int) -> None:
        """Say where the next keys and values go, (B, T), and how many positions are then heard."""
        self._rows = torch.tensor(slots, device=positions.device)[:, None]
        self._positions, self._span = positions, span
        # Where slots lie side by side they are read in place.
        beside = slice(slots[0], slots[0] + len(slots))
        is_copied = list(slots) != list(range(beside.start, beside.stop))
        self._read = self._rows[:, 0] if is_copied else beside


def _heard(
    model: LlamaForCausalLM, decoders: Sequence[TorchDecoder], starts: Sequence[int], ids: list[Row]
) -> torch.Tensor:
    """Write ids into the slots of decoders as one batch; returns the last states (B, T, hidden).

    Each decoder keeps its positions up to ``starts``; T is as many ids as the longest row has.
    """
    cache = decoders[0]._cache
    rows = np.zeros((len(ids), max(map(len, ids))), np.int64)
    whole = np.full_like(rows, decoders[0].context_length)
    for row, (start, own) in enumerate(zip(starts, ids, strict=True)):
        rows[row, : len(own)] = own
        whole[row, : len(own)] = np.arange(start, start + len(own))
    span = max(start + len(own) for start, own in zip(starts, ids, strict=True))
    positions = torch.from_numpy(whole).to(model.device)
    cache.aim([decoder._slot for decoder in decoders], positions, span)
    states: torch.Tensor = model.model(
        torch.from_numpy(rows).to(model.device),
        attention_mask=torch.arange(span, device=model.device) <= positions[:, None, :, None],
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state
    return states


def _append(decoders: Sequence[TorchDecoder], ids: Sequence[Ids], *, every: bool) -> list[Logits]:
    """Append ids to forks.

    Rows that have much more to hear than the others go on without them, rather than padding them
    to their length.

    Returns
    -------
    list of Logits
        For each decoder the logits (T, V) after each id, or (1, V) after the last one.
    """
    check_rows(decoders, ids)
    model, cache = decoders[0]._model, decoders[0]._cache
    if any(decoder._cache is not cache for decoder in decoders):
        raise RequestError("the decoders have different weights; take forks of one decoder")
    left = [checked_ids(decoder, row) for decoder, row in zip(decoders, ids, strict=True)]
    lengths = [decoder._length for decoder in decoders]
    found: list[list[Logits]] = [[] for _ in decoders]
    with cache.lock, torch.inference_mode():
        while going := [i for i, own in enumerate(left) if len(own)]:
            most = min(max(FEW, min(len(left[i]) for i in going)), max(1, MOST // len(going)))
            part = [left[i][:most] for i in going]
            states = _heard(model, [decoders[i] for i in going], [lengths[i] for i in going], part)
            wanted = np.zeros(states.shape[:2], bool)
            for row, (i, own) in enumerate(zip(going, part, strict=True)):
                left[i], lengths[i] = left[i][most:], lengths[i] + len(own)
                wanted[row, : len(own)] = every
                wanted[row, len(own) - 1] |= not len(left[i])
            picked = states[torch.from_numpy(wanted).to(states.device)]
            logits = model.lm_head(picked).float().cpu().numpy()
            for i, rows in zip(going, np.split(logits, wanted.sum(1).cumsum()[:-1]), strict=True):
                found[i].append(rows)
    for decoder, length in zip(decoders, lengths, strict=True):
        decoder._length = length
    return [np.concatenate(rows) for rows in found]


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers from drawing a bar while it loads."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


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
