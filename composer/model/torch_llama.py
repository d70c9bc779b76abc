"""The arithmetic of a Llama on torch, over a cache that many sequences share.

Conventions
-----------
B rows (one sequence each) of T ids, padded; K key heads, each read by G query heads of size D. Keys
and values of a position lie where the row says, so that a row of padding can write where nobody
reads.

References
----------
.. [1] https://huggingface.co/docs/transformers/model_doc/llama
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import embedding, linear, rms_norm, scaled_dot_product_attention, silu

from composer.model.weights import Floats, LlamaShape


class Rows(NamedTuple):
    """What one pass is to hear; all int64."""

    ids: torch.Tensor  # (B, T)
    positions: torch.Tensor  # (B, T)
    homes: torch.Tensor  # (B, T), the slots that keys and values go to
    wanted: torch.Tensor  # (W,), which of the B * T ids logits are wanted after


class _Layer(NamedTuple):
    attention_norm: torch.Tensor  # (hidden,)
    qkv: torch.Tensor  # ((heads + 2 K) D, hidden)
    output: torch.Tensor  # (hidden, heads D)
    mlp_norm: torch.Tensor  # (hidden,)
    gate_up: torch.Tensor  # (2 inner, hidden)
    down: torch.Tensor  # (hidden, inner)


class TorchLlama:
    """The weights of a Llama on a device.

    Parameters
    ----------
    shape, weights
        What `load_weights` returned.
    context_length
        Positions whose rotary angles are needed.
    device, dtype
        Where and in what to compute. Angles are float32 whatever it is.
    """

    def __init__(
        self,
        shape: LlamaShape,
        weights: Mapping[str, Floats],
        *,
        context_length: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        def put(*names: str) -> torch.Tensor:
            matrices = [torch.tensor(weights[f"{name}.weight"]) for name in names]
            return torch.cat(matrices).to(device, dtype)

        self.shape, self.device, self.dtype = shape, device, dtype
        self._layers = [
            _Layer(
                put(f"{prefix}.input_layernorm"),
                put(*(f"{prefix}.self_attn.{name}_proj" for name in "qkv")),
                put(f"{prefix}.self_attn.o_proj"),
                put(f"{prefix}.post_attention_layernorm"),
                put(f"{prefix}.mlp.gate_proj", f"{prefix}.mlp.up_proj"),
                put(f"{prefix}.mlp.down_proj"),
            )
            for prefix in (f"model.layers.{number}" for number in range(shape.layers))
        ]
        self._embedding = put("model.embed_tokens")
        self._norm = put("model.norm")
        self._head = self._embedding if shape.tie_word_embeddings else put("lm_head")
        powers = np.arange(0, shape.head_dim, 2) / shape.head_dim
        angles = np.outer(np.arange(context_length), shape.rope_theta**-powers)
        self._cos = torch.tensor(np.cos(angles), dtype=torch.float32, device=device)  # (C, D / 2)
        self._sin = torch.tensor(np.sin(angles), dtype=torch.float32, device=device)

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights and angles."""
        own = [self._embedding, self._norm, self._cos, self._sin]
        own += [] if self.shape.tie_word_embeddings else [self._head]
        return sum(t.nbytes for t in [*own, *(t for layer in self._layers for t in layer)])

    def logits(
        self, cache: torch.Tensor, rows: Rows, slots: torch.Tensor | slice, span: int
    ) -> torch.Tensor:
        """Write ids into a cache.

        Parameters
        ----------
        cache
            (2, layers, slots, K, context, D): keys, and values.
        rows
            What to write.
        slots
            Which slots the B rows read. A slice is read where it lies, an array (B,) is copied.
        span
            Positions to read, beyond all those of the rows.

        Returns
        -------
        Tensor
            float32 (W, V).
        """
        eps, hidden = self.shape.rms_norm_eps, (self.shape.hidden_size,)
        cos, sin = self._cos[rows.positions][:, :, None], self._sin[rows.positions][:, :, None]
        mask = self._mask(rows.positions, span)
        state = embedding(rows.ids, self._embedding)  # (B, T, hidden)
        for number, layer in enumerate(self._layers):
            keys, values = cache[0, number], cache[1, number]
            qkv = linear(rms_norm(state, hidden, layer.attention_norm, eps), layer.qkv)
            qkv = qkv.unflatten(2, (-1, self.shape.head_dim))  # (B, T, heads + 2 K, D)
            turned = _turned(qkv[:, :, : -self.shape.kv_heads], cos, sin)
            keys[rows.homes, :, rows.positions] = turned[:, :, self.shape.heads :]
            values[rows.homes, :, rows.positions] = qkv[:, :, -self.shape.kv_heads :]
            heard = self._attend(
                turned[:, :, : self.shape.heads],
                keys[slots, :, :span],
                values[slots, :, :span],
                mask,
            )
            state = state + linear(heard, layer.output)
            inner = linear(rms_norm(state, hidden, layer.mlp_norm, eps), layer.gate_up)
            gate, up = inner.chunk(2, 2)
            state = state + linear(silu(gate) * up, layer.down)
        last = state.flatten(0, 1)[rows.wanted]
        return linear(rms_norm(last, hidden, self._norm, eps), self._head).float()

    def _mask(self, positions: torch.Tensor, span: int) -> torch.Tensor:
        """Return what is added to scores (B, 1, G T, span), so that no id hears a later one."""
        later = torch.arange(span, device=self.device) > positions[:, :, None]
        mask = torch.zeros(later.shape, dtype=self.dtype, device=self.device)
        mask = mask.masked_fill(later, -torch.inf)
        return mask.repeat(1, self.shape.heads // self.shape.kv_heads, 1)[:, None]

    def _attend(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Return what queries (B, T, heads, D) hear of keys and values (B, K, span, D)."""
        batch, count, _, size = queries.shape
        # Queries that share a key head stand in rows below each other: so every kernel reads a key
        # once for all of them, those too that know nothing of groups.
        rows = queries.unflatten(2, (self.shape.kv_heads, -1)).permute(0, 2, 3, 1, 4)
        rows = rows.reshape(batch, self.shape.kv_heads, -1, size)  # (B, K, G T, D)
        heard = scaled_dot_product_attention(rows, keys, values, attn_mask=mask)
        return heard.unflatten(2, (-1, count)).permute(0, 3, 1, 2, 4).flatten(2)


def _turned(heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Return heads (B, T, heads, D) turned by the angles of their positions (B, T, 1, D / 2)."""
    first, second = heads.chunk(2, 3)
    turned = torch.cat((first * cos - second * sin, second * cos + first * sin), 3)
    return turned.to(heads.dtype)
