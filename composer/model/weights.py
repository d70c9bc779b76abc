"""Read a Llama model that transformers saved, with neither transformers nor torch.

Only JSON and safetensors are read; nothing is unpickled. Tensors keep the names that
``LlamaForCausalLM.save_pretrained`` gives them.

References
----------
.. [1] https://github.com/huggingface/safetensors#format
.. [2] https://huggingface.co/docs/transformers/model_doc/llama
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize

from composer._files import read_whole
from composer.errors import ModelError

Floats: TypeAlias = npt.NDArray[np.float32]

_LARGEST = 1 << 20  # above any small model, and low enough that a corrupt size is caught here
MOST_BYTES = 16_000_000_000  # of a file of weights
_REMEDY = "give the folder of a Llama model that was saved by save_pretrained"
# What a model must be for the decoders' arithmetic to be the right one.
_PLAIN_LLAMA = {
    "model_type": "llama",
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
}
# What transformers takes where config.json is silent; model_type has no default.
_DEFAULTS = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}


@dataclass(frozen=True, slots=True)
class LlamaShape:
    """What ``config.json`` says about a Llama model."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int  # query heads, a multiple of kv_heads
    kv_heads: int
    head_dim: int  # even; need not be hidden_size / heads
    rms_norm_eps: float
    rope_theta: float
    max_position_embeddings: int  # positions
    tie_word_embeddings: bool

    def tensor_shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield the name and the shape of each tensor that a model of this shape has."""
        hidden, inner = self.hidden_size, self.intermediate_size
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        yield "model.embed_tokens.weight", (self.vocab_size, hidden)
        yield "model.norm.weight", (hidden,)
        if not self.tie_word_embeddings:
            yield "lm_head.weight", (self.vocab_size, hidden)
        for layer in range(self.layers):
            prefix = f"model.layers.{layer}."
            yield prefix + "input_layernorm.weight", (hidden,)
            yield prefix + "post_attention_layernorm.weight", (hidden,)
            yield prefix + "self_attn.q_proj.weight", (queries, hidden)
            yield prefix + "self_attn.k_proj.weight", (keys, hidden)
            yield prefix + "self_attn.v_proj.weight", (keys, hidden)
            yield prefix + "self_attn.o_proj.weight", (hidden, queries)
            yield prefix + "mlp.gate_proj.weight", (inner, hidden)
            yield prefix + "mlp.up_proj.weight", (inner, hidden)
            yield prefix + "mlp.down_proj.weight", (hidden, inner)


def load_weights(folder: str | os.PathLike[str]) -> tuple[LlamaShape, dict[str, Floats]]:
    """Read ``config.json`` and ``model.safetensors`` of a Llama model.

    Parameters
    ----------
    folder
        Where ``save_pretrained`` wrote the model, in float32, float16 or bfloat16.

    Returns
    -------
    shape : LlamaShape
        What the config says.
    weights : dict
        Tensor name to float32 array, exactly the tensors of ``shape.tensor_shapes()``; others in
        the file are left out.

    Raises
    ------
    ModelError
        If the folder or a file is missing or corrupt, or holds a model that is not a plain Llama.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ModelError(f"{root} is not a folder; {_REMEDY}")
    shape = _read_shape(root / "config.json")
    path = root / "model.safetensors"
    try:
        # The header's length is checked against the file before anything of that size is made.
        stored = dict(deserialize(_read_bytes(path)))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ModelError(f"{path} is not a safetensors file ({error}); {_REMEDY}") from error
    weights = {}
    for name, wanted in shape.tensor_shapes():
        if name not in stored:
            raise ModelError(f"{path} has no tensor {name}, which config.json asks for; {_REMEDY}")
        found = tuple(stored[name]["shape"])
        if found != wanted:
            raise ModelError(
                f"{path}: {name} has shape {found} where config.json asks for {wanted}; {_REMEDY}"
            )
        weights[name] = _to_float32(stored.pop(name), f"{path}: {name}")
    return shape, weights


def weights_hash(folder: str | os.PathLike[str]) -> str:
    """Return the first 8 hexadecimal digits of the SHA-256 of a model's weights.

    Raises
    ------
    ModelError
        If the folder has no weights.
    """
    return hashlib.sha256(_read_bytes(Path(folder) / "model.safetensors")).hexdigest()[:8]


def _read_bytes(path: Path) -> bytes:
    try:
        return read_whole(path, ModelError, most=MOST_BYTES)
    except FileNotFoundError:
        raise ModelError(f"{path.parent} has no {path.name}; {_REMEDY}") from None


def _to_float32(tensor: dict[str, Any], name: str) -> Floats:
    """Widen one stored tensor; ``name`` is for messages."""
    stored, content = tensor["dtype"], tensor["data"]
    if stored == "BF16":
        # bfloat16, which numpy lacks, is the upper half of a float32.
        halves = np.frombuffer(content, "<u2").astype(np.uint32)
        values = (halves << np.uint32(16)).view(np.float32)
    elif stored in ("F16", "F32"):
        values = np.frombuffer(content, "<f2" if stored == "F16" else "<f4").astype(np.float32)
    else:
        raise ModelError(
            f"{name} is stored as {stored}; save the model as float32, float16 or bfloat16"
        )
    if not np.isfinite(values).all():
        raise ModelError(f"{name} holds nan or inf; train or save the model again")
    return values.reshape(tensor["shape"])


def _read_shape(path: Path) -> LlamaShape:
    try:
        config = json.loads(_read_bytes(path))
    except ModelError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON ({error}); {_REMEDY}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds a {type(config).__name__}, not an object; {_REMEDY}")
    for key, wanted in _PLAIN_LLAMA.items():
        found = config.get(key, _DEFAULTS.get(key))
        if found != wanted:
            raise ModelError(f"{path}: {key} is {found!r:.40}; this decoder needs {wanted!r}")
    tied = config.get("tie_word_embeddings", False)
    if not isinstance(tied, bool):
        raise ModelError(
            f"{path}: tie_word_embeddings {tied!r:.40} is not true or false; {_REMEDY}"
        )
    heads = _size(config, "num_attention_heads", path)
    hidden = _size(config, "hidden_size", path)
    shape = LlamaShape(
        vocab_size=_size(config, "vocab_size", path),
        hidden_size=hidden,
        intermediate_size=_size(config, "intermediate_size", path),
        layers=_size(config, "num_hidden_layers", path),
        heads=heads,
        kv_heads=_size(config, "num_key_value_heads", path, default=heads),
        head_dim=_size(config, "head_dim", path, default=hidden // heads),
        rms_norm_eps=_positive(config.get("rms_norm_eps", 1e-6), "rms_norm_eps", path),
        rope_theta=_rope_theta(config, path),
        max_position_embeddings=_size(config, "max_position_embeddings", path),
        tie_word_embeddings=tied,
    )
    if shape.heads % shape.kv_heads:
        raise ModelError(
            f"{path}: num_attention_heads {shape.heads} is not a multiple of "
            f"num_key_value_heads {shape.kv_heads}; {_REMEDY}"
        )
    if shape.head_dim % 2:
        raise ModelError(f"{path}: head_dim {shape.head_dim} is odd; rotary pairs need it even")
    return shape


def _rope_theta(config: dict[str, Any], path: Path) -> float:
    """Read the base of the rotary angles, from where transformers 4 or 5 puts it."""
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    if not isinstance(rope, dict):
        raise ModelError(f"{path}: the rope parameters are {rope!r:.40}, not an object; {_REMEDY}")
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise ModelError(f"{path}: rope type is {kind!r:.40}; this decoder needs 'default'")
    part = rope.get("partial_rotary_factor", config.get("partial_rotary_factor", 1.0))
    if part != 1:
        raise ModelError(f"{path}: partial_rotary_factor is {part!r:.40}; this decoder needs 1.0")
    return _positive(rope.get("rope_theta", config.get("rope_theta", 10000.0)), "rope_theta", path)


def _size(config: dict[str, Any], key: str, path: Path, *, default: int | None = None) -> int:
    value = config.get(key)
    if value is None:
        value = default
    if value is None:
        raise ModelError(f"{path} has no {key}; {_REMEDY}")
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST:
        raise ModelError(f"{path}: {key} {value!r:.40} is not from 1 to {_LARGEST}; {_REMEDY}")
    return int(value)


def _positive(value: Any, key: str, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ModelError(f"{path}: {key} {value!r:.40} is not a positive number; {_REMEDY}")
    return float(value)
