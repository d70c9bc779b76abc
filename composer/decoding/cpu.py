"""A Llama decoder in plain numpy, float32, that needs neither torch nor transformers.

Conventions
-----------
``T`` is the number of new positions, ``S`` the number of positions cached with them, ``D`` the
hidden size, ``H`` the query heads, ``K`` the key-value heads, ``G = H / K`` and ``N`` the size of a
head. Matrices are stored as (input, output) and multiplied from the left: a quarter faster for one
position than the (output, input) that transformers stores, when measured with OpenBLAS.

What can be done once is done at load: each RMSNorm's gain is multiplied into the matrix that
follows it, matrices that share an input are stacked, the attention's scale goes into the queries.

References
----------
.. [1] Touvron et al. 2023, LLaMA: Open and Efficient Foundation Language Models.
.. [2] Su et al. 2021, RoFormer (rotary positions).
.. [3] Ainslie et al. 2023, GQA (grouped-query attention).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.decoding.decoder import Ids, Logits
from composer.decoding.weights import Floats, LlamaShape, load_weights
from composer.errors import RequestError, TokenError

_BLOCK = 128  # positions of a prefill computed at once; bounds the memory that its scores take


class _Layer(NamedTuple):
    qkv: Floats  # (D, (H + 2K) * N)
    out: Floats  # (H * N, D)
    gate_up: Floats  # (D, 2 * intermediate)
    down: Floats  # (intermediate, D)


class CPUDecoder:
    """A `Decoder` in numpy.

    Parameters
    ----------
    shape, weights
        What `load_weights` returned.
    context_length
        Positions to make room for, at most ``shape.max_position_embeddings``, which is also what
        is taken when it is left out.

    Raises
    ------
    RequestError
        If the context is longer than the model's, or shorter than 1.
    """

    def __init__(
        self,
        shape: LlamaShape,
        weights: Mapping[str, Floats],
        *,
        context_length: int | None = None,
    ) -> None:
        longest = shape.max_position_embeddings
        context = longest if context_length is None else context_length
        if not 1 <= context <= longest:
            raise RequestError(f"context_length {context} is outside 1 to {longest}; leave it out")
        self._shape = shape
        self._context_length = context
        self._embedding = weights["model.embed_tokens.weight"]
        head = "model.embed_tokens.weight" if shape.tie_word_embeddings else "lm_head.weight"
        self._head = _transposed(weights[head] * weights["model.norm.weight"])  # (D, V)
        self._layers = [_fuse(shape, weights, layer) for layer in range(shape.layers)]
        self._turns = _rotary_turns(shape, context)
        # Keys lie transposed, so that both products of the attention read along rows.
        self._keys = np.zeros((shape.layers, shape.kv_heads, shape.head_dim, context), np.float32)
        self._values = np.zeros((shape.layers, shape.kv_heads, context, shape.head_dim), np.float32)
        self._length = 0

    @classmethod
    def from_folder(
        cls, folder: str | os.PathLike[str], *, context_length: int | None = None
    ) -> CPUDecoder:
        """Load a model that ``save_pretrained`` wrote; raises as `load_weights` does."""
        return cls(*load_weights(folder), context_length=context_length)

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

    def reset(self) -> None:
        """Forget every position."""
        self._length = 0

    def truncate(self, length: int) -> None:
        """Keep the first ``length`` positions; raises `RequestError` if there are fewer."""
        if not 0 <= length <= self._length:
            raise RequestError(
                f"length {length} is outside 0 to {self._length} cached positions; prefill first"
            )
        self._length = length

    def prefill(self, ids: Ids) -> Logits:
        """Append ids and return the logits (V,) after the last; see `Decoder.prefill`."""
        new = np.asarray(ids)
        if new.ndim != 1 or not new.size:
            raise RequestError(
                f"ids of shape {new.shape} cannot be read; give one row of 1 or more"
            )
        start = self._length
        if start + new.size > self._context_length:
            raise RequestError(
                f"{new.size} ids after the {start} cached are more than the context of "
                f"{self._context_length} positions; truncate the cache or ask for fewer bars"
            )
        if new.dtype.kind not in "iu" or new.min() < 0 or new.max() >= self.vocab_size:
            raise TokenError(
                f"ids from {new.min()} to {new.max()} ({new.dtype}) are not whole numbers from "
                f"0 to {self.vocab_size - 1}; encode with the model's own tokenizer"
            )
        for block in range(0, new.size, _BLOCK):
            hidden = self._forward(new[block : block + _BLOCK], start + block)
        self._length = start + new.size
        logits: Logits = _normalise(hidden[-1], self._shape.rms_norm_eps) @ self._head  # (V,)
        return logits

    def step(self, id: int) -> Logits:
        """Append one id and return the logits (V,) after it."""
        return self.prefill((id,))

    def _forward(self, ids: npt.NDArray[np.integer], start: int) -> Floats:
        """Fill the cache from position ``start`` on; returns the last layer's output (T, D)."""
        shape, eps = self._shape, self._shape.rms_norm_eps
        x: Floats = self._embedding[ids]  # (T, D)
        for index, layer in enumerate(self._layers):
            qkv = _normalise(x, eps) @ layer.qkv  # (T, (H + 2K) * N)
            x += self._attend(qkv, index, start) @ layer.out
            wide = _normalise(x, eps) @ layer.gate_up  # (T, 2 * intermediate)
            gate, up = wide[:, : shape.intermediate_size], wide[:, shape.intermediate_size :]
            # g (1 + tanh g), with g half the gate, is silu(gate) and cannot overflow.
            x += ((np.tanh(gate) + np.float32(1)) * gate * up) @ layer.down
        return x

    def _attend(self, qkv: Floats, layer: int, start: int) -> Floats:
        """Cache the new keys and values and attend to all so far; returns (T, H * N)."""
        shape, new = self._shape, len(qkv)
        groups, stop = shape.heads // shape.kv_heads, start + new
        heads = qkv.reshape(new, -1, shape.head_dim)  # (T, H + 2K, N)
        turned = heads[:, : -shape.kv_heads].view(np.complex64)  # (T, H + K, N / 2)
        turned *= self._turns[start:stop]  # in place, so `heads` turns too
        keys, values = heads[:, shape.heads : -shape.kv_heads], heads[:, -shape.kv_heads :]
        self._keys[layer, :, :, start:stop] = keys.transpose(1, 2, 0)
        self._values[layer, :, start:stop] = values.swapaxes(0, 1)

        # Query head h reads key-value head h // G.
        queries = heads[:, : shape.heads].swapaxes(0, 1).reshape(shape.kv_heads, groups * new, -1)
        scores: Floats = queries @ self._keys[layer, :, :, :stop]  # (K, G * T, S)
        if new > 1:
            future = np.triu(np.full((new, new), -np.inf, np.float32), 1)  # (T, T)
            scores.reshape(shape.heads, new, stop)[..., start:] += future
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        mixed: Floats = scores @ self._values[layer, :, :stop]  # (K, G * T, N)
        mixed /= scores.sum(axis=-1, keepdims=True)
        return mixed.reshape(shape.heads, new, -1).swapaxes(0, 1).reshape(new, -1)


def _normalise(x: Floats, eps: float) -> Floats:
    """RMSNorm without its gain, which `_fuse` put into the next matrix."""
    squares = np.square(x).sum(axis=-1, keepdims=True)  # (..., 1)
    normal: Floats = x / np.sqrt(squares / np.float32(x.shape[-1]) + np.float32(eps))
    return normal


def _rotary_turns(shape: LlamaShape, context: int) -> npt.NDArray[np.complex64]:
    """Return unit complex numbers (context, 1, N / 2) that turn a pair by its position's angle."""
    powers = np.arange(0, shape.head_dim, 2) / shape.head_dim
    angles = np.outer(np.arange(context), shape.rope_theta**-powers)
    turns: npt.NDArray[np.complex64] = np.exp(1j * angles).astype(np.complex64)
    return turns[:, None]


def _pair_up(rows: Floats, head_dim: int) -> Floats:
    """Put the two rows of each rotary pair, N / 2 apart in transformers, next to each other.

    A pair is then one complex number. Queries and keys are reordered alike, so that their products
    stay as they were.
    """
    halves = rows.reshape(-1, 2, head_dim // 2, rows.shape[1])  # (heads, 2, N / 2, D)
    return halves.swapaxes(1, 2).reshape(rows.shape)


def _transposed(matrix: Floats) -> Floats:
    return np.ascontiguousarray(matrix.T)


def _fuse(shape: LlamaShape, weights: Mapping[str, Floats], layer: int) -> _Layer:
    """Stack, scale and reorder the matrices of one layer."""

    def read(name: str) -> Floats:
        return weights[f"model.layers.{layer}.{name}.weight"]

    scale = np.float32(shape.head_dim**-0.5)
    queries = _pair_up(read("self_attn.q_proj"), shape.head_dim) * scale
    keys = _pair_up(read("self_attn.k_proj"), shape.head_dim)
    qkv = np.concatenate([queries, keys, read("self_attn.v_proj")])
    gate_up = np.concatenate([read("mlp.gate_proj") * np.float32(0.5), read("mlp.up_proj")])
    return _Layer(
        qkv=_transposed(qkv * read("input_layernorm")),
        out=_transposed(read("self_attn.o_proj")),
        gate_up=_transposed(gate_up * read("post_attention_layernorm")),
        down=_transposed(read("mlp.down_proj")),
    )
