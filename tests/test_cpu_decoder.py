"""The fast decoder's logits are those of transformers' own Llama."""

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from composer.decoding.cpu import CPUDecoder
from composer.decoding.weights import load_weights
from composer.errors import RequestError, TokenError

BASE = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 44,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 300,
    "initializer_range": 0.3,  # large, so that a wrong position or head changes the logits
}
SHAPES = {
    "grouped": {},
    "one key head": {"num_key_value_heads": 1},
    "as many key heads": {"num_attention_heads": 4, "num_key_value_heads": 4},
    "wide heads": {"head_dim": 10},
    "narrow heads": {"head_dim": 2},
    "tied": {"tie_word_embeddings": True},
    "one layer": {"num_hidden_layers": 1},
    "slow rotation": {"rope_theta": 500000.0, "rms_norm_eps": 1e-2},
}


def save(folder, dtype=torch.float32, **changes):
    torch.manual_seed(5)
    model = LlamaForCausalLM(LlamaConfig(**{**BASE, **changes}))
    for name, value in model.named_parameters():
        if "norm" in name:  # they start as ones, which would hide a gain that is lost
            torch.nn.init.uniform_(value, 0.5, 1.5)
    model.to(dtype).save_pretrained(folder)
    return folder


def reference(folder, ids):
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        return model(torch.tensor(ids)[None]).logits[0].numpy()  # (T, V)


def some_ids(count, seed=0):
    return np.random.default_rng(seed).integers(0, BASE["vocab_size"], count)


def assert_close(found, expected):
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def decoder(folder):
    return CPUDecoder.from_folder(folder)


@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES.keys())
def test_logits_equal_those_of_transformers_step_by_step(tmp_path, changes):
    folder, ids = save(tmp_path, **changes), some_ids(40)
    expected = reference(folder, ids)
    assert expected.std() > 0.3
    decoder = CPUDecoder.from_folder(folder)
    for position, id in enumerate(ids):
        assert_close(decoder.step(int(id)), expected[position])
    decoder.reset()
    assert_close(decoder.prefill(ids), expected[-1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_logits_equal_those_of_a_model_stored_in_half_precision(tmp_path, dtype):
    folder, ids = save(tmp_path, dtype), some_ids(20)
    decoder = CPUDecoder.from_folder(folder)
    assert_close(decoder.prefill(ids), reference(folder, ids)[-1])


@pytest.mark.parametrize("split", [1, 100, 128, 129, 257])
def test_prefill_of_several_blocks_equals_transformers_wherever_it_is_cut(folder, decoder, split):
    ids = some_ids(290)
    expected = reference(folder, ids)
    assert_close(decoder.prefill(ids[:split]), expected[split - 1])
    assert_close(decoder.prefill(ids[split:]), expected[-1])
    assert decoder.length == 290


def test_after_truncate_the_past_is_as_if_the_rest_had_never_been(folder, decoder):
    kept, dropped, next_ids = some_ids(30), some_ids(25, seed=1), some_ids(10, seed=2)
    decoder.prefill(np.concatenate([kept, dropped]))
    decoder.truncate(30)
    assert decoder.length == 30
    expected = reference(folder, np.concatenate([kept, next_ids]))
    assert_close(decoder.step(int(next_ids[0])), expected[30])
    assert_close(decoder.prefill(next_ids[1:]), expected[-1])


def test_reset_forgets(decoder):
    first = decoder.prefill([1, 2, 3])
    decoder.reset()
    assert decoder.length == 0
    np.testing.assert_array_equal(decoder.prefill([1, 2, 3]), first)


def test_returned_logits_stay_as_they_were(decoder):
    logits = decoder.prefill([4, 5])
    copy = logits.copy()
    decoder.step(6)
    np.testing.assert_array_equal(logits, copy)


def test_ids_may_be_a_list_or_any_integer_array(decoder):
    expected = decoder.prefill([7, 8, 9])
    for ids in ((7, 8, 9), np.array([7, 8, 9], np.uint16), np.array([7, 8, 9], np.int32)):
        decoder.reset()
        np.testing.assert_array_equal(decoder.prefill(ids), expected)


@pytest.mark.parametrize("name", ["mlp.gate_proj", "self_attn.q_proj"])
def test_huge_activations_do_not_overflow(folder, name):
    shape, weights = load_weights(folder)
    weights[f"model.layers.0.{name}.weight"] *= 1e4
    assert np.isfinite(CPUDecoder(shape, weights).prefill(some_ids(5))).all()


def test_sizes_are_those_of_the_model(decoder, folder):
    assert (decoder.vocab_size, decoder.context_length, decoder.length) == (50, 300, 0)
    assert CPUDecoder.from_folder(folder, context_length=20).context_length == 20


def test_the_context_is_full_with_numbers_and_the_cache_is_kept(folder):
    decoder = CPUDecoder.from_folder(folder, context_length=20)
    with pytest.raises(RequestError, match=r"21 ids after the 0 cached .* context of 20 positions"):
        decoder.prefill(some_ids(21))
    assert decoder.length == 0
    decoder.prefill(some_ids(20))
    with pytest.raises(RequestError, match="1 ids after the 20 cached"):
        decoder.step(1)
    assert decoder.length == 20


@pytest.mark.parametrize("context_length", [0, -1, 301])
def test_a_context_that_the_model_does_not_have_is_refused(folder, context_length):
    with pytest.raises(RequestError, match=f"context_length {context_length} is outside 1 to 300"):
        CPUDecoder.from_folder(folder, context_length=context_length)


@pytest.mark.parametrize("length", [-1, 4])
def test_truncate_needs_as_many_positions(decoder, length):
    decoder.prefill([1, 2, 3])
    with pytest.raises(RequestError, match=f"length {length} is outside 0 to 3"):
        decoder.truncate(length)


@pytest.mark.parametrize("ids", [[50], [-1], [3, 2**70], [1.0]])
def test_ids_of_another_vocabulary_are_refused(decoder, ids):
    with pytest.raises(TokenError, match="are not whole numbers from 0 to 49"):
        decoder.prefill(ids)
    assert decoder.length == 0


@pytest.mark.parametrize("ids", [[], [[1, 2]], 3])
def test_ids_must_be_one_row(decoder, ids):
    with pytest.raises(RequestError, match="cannot be read; give one row of 1 or more"):
        decoder.prefill(ids)
