"""Weights as the compiled pass wants them: joined, padded, int8 or float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from composer.model.kernels import DEPTH, WIDTH, Floats, Packed, Weights
from composer.model.weights import LlamaShape

PRECISIONS = ("int8", "float32")


def quantised(rows: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return a matrix in whole numbers from -127 to 127, and what to multiply each row by.

    Parameters
    ----------
    rows
        Shape (outputs, inputs).

    Returns
    -------
    whole
        int8, of the same shape.
    scale
        float32 (outputs,), above 0.
    """
    scale = np.abs(rows).max(1) / np.float32(127)
    scale[scale < np.finfo(np.float32).tiny] = 1  # a row of zeros, or as good as
    return np.rint(rows / scale[:, None]).astype(np.int8), scale


def padded(count: int, unit: int) -> int:
    """Return the next multiple of a unit."""
    return -(-count // unit) * unit


def pack(
    shape: LlamaShape, weights: Mapping[str, Floats], *, precision: str, context_length: int
) -> Packed:
    """Return the weights packed.

    Parameters
    ----------
    shape, weights
        What ``load_weights`` returned.
    precision
        "int8" or "float32".
    context_length
        Positions whose rotary angles are needed.
    """
    depth, inner = padded(shape.hidden_size, DEPTH), padded(shape.intermediate_size, WIDTH)
    prefixes = [f"model.layers.{layer}." for layer in range(shape.layers)]
    is_whole = precision == "int8"

    def stack(names: Sequence[str], width: int | None = None) -> tuple[Weights, Floats]:
        """Join some matrices of each layer, each padded to a width, and put layer on layer."""
        layers = []
        for prefix in prefixes:
            parts = [weights[f"{prefix}{name}.weight"] for name in names]
            layers.append(np.concatenate([_widened(part, width or len(part)) for part in parts]))
        columns = [_panels(rows, is_whole) for rows in layers]
        return np.stack([matrix for matrix, _ in columns]), np.stack([s for _, s in columns])

    qkv = stack(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"])
    gate_up = stack(["mlp.gate_proj", "mlp.up_proj"], inner)
    gains = np.zeros((2 * shape.layers + 1, depth), np.float32)
    norms = [p + n for p in prefixes for n in ("input_layernorm", "post_attention_layernorm")]
    for row, name in enumerate([*norms, "model.norm"]):
        gains[row, : shape.hidden_size] = weights[f"{name}.weight"]
    embedding = _panels(weights["model.embed_tokens.weight"], is_whole)
    tied = shape.tie_word_embeddings
    powers = np.arange(0, shape.head_dim, 2) / shape.head_dim
    angles = np.outer(np.arange(context_length), shape.rope_theta**-powers)
    return Packed(
        *embedding,
        gains,
        *qkv,
        *stack(["self_attn.o_proj"]),
        *gate_up,
        *stack(["mlp.down_proj"]),
        *(embedding if tied else _panels(weights["lm_head.weight"], is_whole)),
        np.cos(angles).astype(np.float32),
        np.sin(angles).astype(np.float32),
    )


def _widened(rows: Floats, count: int) -> Floats:
    """Return a matrix with rows of zeros behind its own."""
    return np.pad(rows, ((0, count - len(rows)), (0, 0)))


def _panels(rows: Floats, is_whole: bool) -> tuple[Weights, Floats]:
    """Return a matrix (outputs, inputs) in panels, padded, and its outputs' scales."""
    outputs, inputs = rows.shape
    full = np.zeros(
        (padded(outputs, WIDTH), padded(inputs, DEPTH)), np.int8 if is_whole else np.float32
    )
    scale = np.ones(len(full), np.float32)
    if is_whole:
        full[:outputs, :inputs], scale[:outputs] = quantised(rows)
    else:
        full[:outputs, :inputs] = rows
    panels = full.reshape(-1, WIDTH, full.shape[1]).swapaxes(1, 2)
    return np.ascontiguousarray(panels), scale
