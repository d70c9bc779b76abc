import contextlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from transformers import LlamaConfig, LlamaForCausalLM

import composer
from composer.errors import ModelError
from composer.model.weights import load_weights

CONFIG = {
    "model_type": "llama",
    "vocab_size": 11,
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "tie_word_embeddings": True,
}


def write(folder, config=CONFIG, edit_tensors=None):
    """A model folder without transformers; ``edit_tensors`` changes the tensors before saving."""
    (folder / "config.json").write_text(json.dumps(config))
    tensors = {}
    for layer in range(2):
        for name, shape in {
            "input_layernorm": (8,),
            "post_attention_layernorm": (8,),
            "self_attn.q_proj": (8, 8),
            "self_attn.k_proj": (4, 8),
            "self_attn.v_proj": (4, 8),
            "self_attn.o_proj": (8, 8),
            "mlp.gate_proj": (12, 8),
            "mlp.up_proj": (12, 8),
            "mlp.down_proj": (8, 12),
        }.items():
            tensors[f"model.layers.{layer}.{name}.weight"] = np.ones(shape, np.float32)
    tensors["model.embed_tokens.weight"] = np.ones((11, 8), np.float32)
    tensors["model.norm.weight"] = np.ones(8, np.float32)
    if edit_tensors:
        edit_tensors(tensors)
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("tied", [True, False])
def test_weights_equal_those_that_transformers_saved(tmp_path, dtype, tied):
    config = LlamaConfig(
        vocab_size=30,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        max_position_embeddings=64,
        rms_norm_eps=1e-5,
        rope_theta=1234.0,
        tie_word_embeddings=tied,
    )
    torch.manual_seed(3)
    model = LlamaForCausalLM(config).to(dtype)
    model.save_pretrained(tmp_path)
    shape, weights = load_weights(tmp_path)
    expected = {k: v.float().numpy() for k, v in model.state_dict().items()}
    if tied:
        del expected["lm_head.weight"]
    assert weights.keys() == expected.keys()
    for name, value in weights.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, expected[name])
    assert (shape.vocab_size, shape.hidden_size, shape.intermediate_size) == (30, 16, 24)
    assert (shape.layers, shape.heads, shape.kv_heads, shape.head_dim) == (2, 4, 2, 6)
    assert (shape.rms_norm_eps, shape.rope_theta) == (1e-5, 1234.0)
    assert (shape.max_position_embeddings, shape.tie_word_embeddings) == (64, tied)


@pytest.mark.parametrize(
    ("rope", "theta"),
    [
        ({}, 10000.0),
        ({"rope_theta": 500}, 500.0),
        ({"rope_theta": 500.0, "rope_scaling": None}, 500.0),
        ({"rope_theta": 500.0, "rope_scaling": {"type": "default"}}, 500.0),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 700.0}}, 700.0),
    ],
)
def test_rope_theta_is_read_where_either_transformers_puts_it(tmp_path, rope, theta):
    shape, _ = load_weights(write(tmp_path, {**CONFIG, **rope}))
    assert shape.rope_theta == theta


def test_what_the_config_leaves_out_has_the_defaults_of_transformers(tmp_path):
    config = {k: v for k, v in CONFIG.items() if k != "num_key_value_heads"}

    def widen(tensors):
        for name in tensors:
            if "k_proj" in name or "v_proj" in name:
                tensors[name] = np.ones((8, 8), np.float32)

    shape, _ = load_weights(write(tmp_path, config, widen))
    reference = LlamaConfig(**config)
    assert shape.kv_heads == reference.num_key_value_heads == 4
    assert shape.head_dim == reference.head_dim == 2
    assert shape.rms_norm_eps == reference.rms_norm_eps


def test_other_tensors_are_left_out(tmp_path):
    def add(tensors):
        tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = np.ones(1, np.float32)

    _, weights = load_weights(write(tmp_path, edit_tensors=add))
    assert not any("rotary" in name for name in weights)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "gpt2"}, "model_type is 'gpt2'; this decoder needs 'llama'"),
        ({"model_type": None}, "model_type is None"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu'; this decoder needs 'silu'"),
        ({"attention_bias": True}, "attention_bias is True; this decoder needs False"),
        ({"mlp_bias": True}, "mlp_bias is True"),
        ({"vocab_size": None}, "has no vocab_size"),
        ({"vocab_size": 0}, "vocab_size 0 is not from 1 to"),
        ({"hidden_size": "8"}, "hidden_size '8' is not"),
        ({"hidden_size": 8.0}, r"hidden_size 8\.0 is not"),
        ({"num_hidden_layers": True}, "num_hidden_layers True is not"),
        ({"num_hidden_layers": 10**12}, "num_hidden_layers 1000000000000 is not"),
        ({"max_position_embeddings": -1}, "max_position_embeddings -1 is not"),
        ({"num_attention_heads": 9}, "head_dim 0 is not"),
        ({"num_key_value_heads": 3}, "num_attention_heads 4 is not a multiple of .* 3"),
        ({"head_dim": 3}, "head_dim 3 is odd"),
        ({"rms_norm_eps": 0}, "rms_norm_eps 0 is not a positive number"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps nan is not"),
        ({"rope_theta": "big"}, "rope_theta 'big' is not"),
        ({"rope_scaling": {"rope_type": "llama3"}}, "rope type is 'llama3'"),
        ({"rope_scaling": {"type": "linear"}}, "rope type is 'linear'"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope type is 'yarn'"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor is 0.5"),
        ({"rope_parameters": [1]}, r"rope parameters are \[1\]"),
        ({"tie_word_embeddings": "no"}, "tie_word_embeddings 'no' is not"),
        ({"tie_word_embeddings": False}, "has no tensor lm_head.weight"),
        ({"num_hidden_layers": 3}, "has no tensor model.layers.2.input_layernorm.weight"),
        ({"vocab_size": 12}, r"embed_tokens.weight has shape \(11, 8\) .* \(12, 8\)"),
    ],
)
def test_a_config_of_another_kind_is_refused(tmp_path, change, message):
    with pytest.raises(ModelError, match=message) as raised:
        load_weights(write(tmp_path, {**CONFIG, **change}))
    assert str(tmp_path) in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[1]", b"null", b"[" * 100_000, b"9" * 5000]
)
def test_a_corrupt_config_is_refused(tmp_path, content):
    write(tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"config.json (is not JSON|holds a)"):
        load_weights(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc",
        (2).to_bytes(8, "little") + b"{}" + b"trailing",
        (90_000_000).to_bytes(8, "little") + b"{}",
        (10**15).to_bytes(8, "little") + b"{}",
        (2**64 - 1).to_bytes(8, "little") + b"{}",
        pickle.dumps({"weights": [1.0] * 50}),
    ],
)
def test_a_corrupt_tensor_file_is_refused(tmp_path, content):
    write(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"model.safetensors is not a safetensors file"):
        load_weights(tmp_path)


def test_missing_folder_and_files_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere is not a folder; give the folder"):
        load_weights(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"has no config.json"):
        load_weights(tmp_path)
    write(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"has no model.safetensors"):
        load_weights(tmp_path)
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(ModelError, match=r"model.safetensors is a folder"):
        load_weights(tmp_path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones(8), r"model.norm.weight is stored as F64; save the model as float32"),
        (np.ones(8, np.int8), "stored as I8"),
        (np.full(8, np.nan, np.float32), "model.norm.weight holds nan or inf"),
        (np.full(8, np.inf, np.float16), "model.norm.weight holds nan or inf"),
        (np.ones((8, 1), np.float32), r"model.norm.weight has shape \(8, 1\) where .* \(8,\)"),
    ],
)
def test_a_tensor_that_cannot_be_used_is_refused(tmp_path, value, message):
    with pytest.raises(ModelError, match=message):
        load_weights(write(tmp_path, edit_tensors=lambda t: t.update({"model.norm.weight": value})))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    at=st.integers(0, 2500),
    byte=st.integers(0, 255),
    keep=st.none() | st.integers(0, 3000),
)
def test_damage_anywhere_is_harmless_or_a_model_error(tmp_path, at, byte, keep):
    content = bytearray((write(tmp_path) / "model.safetensors").read_bytes())
    content[at] = byte
    (tmp_path / "model.safetensors").write_bytes(content[:keep])
    with contextlib.suppress(ModelError):
        load_weights(tmp_path)


def test_decoding_imports_neither_torch_nor_transformers():
    code = (
        "import sys, composer.model.cpu, composer.request.sampling\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    root = Path(composer.__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
