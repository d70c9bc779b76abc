"""The fast decoder's logits are those of transformers' own Llama.

With int8 weights they are those of a Llama whose weights were rounded to int8 beforehand: what is
computed is right, whatever the rounding costs.
"""

import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from composer.errors import RequestError, TokenError
from composer.model.cpu import CPUDecoder
from composer.model.weights import load_weights

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
    "odd sizes": {
        "hidden_size": 27,
        "intermediate_size": 37,
        "vocab_size": 67,
        "num_attention_heads": 3,
        "num_key_value_heads": 1,
        "head_dim": 6,
    },
    "five queries a key": {
        "hidden_size": 40,
        "num_attention_heads": 10,
        "num_key_value_heads": 2,
        "head_dim": 12,
    },
    "large": {"hidden_size": 96, "intermediate_size": 200, "num_hidden_layers": 3},
}
PRECISIONS = ("int8", "float32")
PREFERRED = (0.2, 0.2, 0.05, 0.05, 0.2, 0.3)  # how often to fork, cut, drop, reset, add, together


def save(folder, dtype=torch.float32, **changes):
    torch.manual_seed(5)
    model = LlamaForCausalLM(LlamaConfig(**{**BASE, **changes}))
    for name, value in model.named_parameters():
        if "norm" in name:  # they start as ones, which would hide a gain that is lost
            torch.nn.init.uniform_(value, 0.5, 1.5)
    model.to(dtype).save_pretrained(folder)
    return folder


def rounded(weight):
    """A matrix in 255 steps a row, as it is after int8."""
    scale = weight.abs().amax(1, keepdim=True) / 127
    return torch.round(weight / scale) * scale


def reference(folder, ids, precision="int8"):
    """What transformers says after each id, (T, V)."""
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        if precision == "int8":
            for weight in model.parameters():  # a tied embedding is there once
                if weight.ndim == 2:
                    weight.copy_(rounded(weight))
        return model(torch.tensor(ids)[None]).logits[0].numpy()


def some_ids(count, seed=0):
    return np.random.default_rng(seed).integers(0, BASE["vocab_size"], count)


def assert_close(found, expected):
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def decoder(folder):
    return CPUDecoder.from_folder(folder)


@pytest.fixture(scope="module")
def long(folder):
    """Ids that fill several passes, and what is right after each of them."""
    ids = some_ids(290)
    return ids, reference(folder, ids)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES.keys())
def test_logits_equal_those_of_transformers_step_by_step(tmp_path, changes, precision):
    folder, ids = save(tmp_path, **changes), some_ids(40)
    expected = reference(folder, ids, precision)
    assert expected.std() > 0.3
    decoder = CPUDecoder.from_folder(folder, precision=precision)
    for position, id in enumerate(ids):
        assert_close(decoder.step(int(id)), expected[position])
    decoder.reset()
    assert_close(decoder.prefill(ids), expected[-1])
    decoder.reset()
    assert_close(decoder.verify(ids), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_logits_equal_those_of_a_model_stored_in_half_precision(tmp_path, dtype):
    folder, ids = save(tmp_path, dtype), some_ids(20)
    decoder = CPUDecoder.from_folder(folder)
    assert_close(decoder.prefill(ids), reference(folder, ids)[-1])


@pytest.mark.parametrize("split", [1, 7, 100, 127, 128, 129, 257])
def test_logits_equal_transformers_wherever_ids_are_cut(decoder, long, split):
    ids, expected = long
    assert_close(decoder.prefill(ids[:split]), expected[split - 1])
    assert_close(decoder.verify(ids[split:]), expected[split:])
    assert decoder.length == 290


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_sequence_is_bit_for_bit_the_same_however_it_is_cut(folder, precision):
    ids = some_ids(290)
    decoder = CPUDecoder.from_folder(folder, precision=precision)
    every = decoder.verify(ids)
    decoder.reset()
    np.testing.assert_array_equal([decoder.step(int(id)) for id in ids], every)
    for count in (2, 3, 5, 13, 131):
        decoder.reset()
        found = [decoder.verify(ids[at : at + count]) for at in range(0, 290, count)]
        np.testing.assert_array_equal(np.concatenate(found), every)


def test_after_truncate_the_past_is_as_if_the_rest_had_never_been(folder, decoder):
    kept, dropped, next_ids = some_ids(30), some_ids(25, seed=1), some_ids(10, seed=2)
    decoder.prefill(np.concatenate([kept, dropped]))
    decoder.truncate(30)
    assert decoder.length == 30
    expected = reference(folder, np.concatenate([kept, next_ids]))
    assert_close(decoder.step(int(next_ids[0])), expected[30])
    assert_close(decoder.prefill(next_ids[1:]), expected[-1])


@pytest.mark.parametrize("count", [1, 5, 128, 200])
def test_forks_share_their_past_and_nothing_after_it(folder, decoder, count):
    prompt = some_ids(count)
    decoder.prefill(prompt)
    forks = [decoder, decoder.fork(), decoder.fork()]
    for seed, fork in enumerate(forks, 1):
        assert fork.length == count
        own = some_ids(9, seed)
        assert_close(fork.verify(own), reference(folder, np.concatenate([prompt, own]))[count:])
    forks[1].truncate(count // 2)
    assert [fork.length for fork in forks] == [count + 9, count // 2, count + 9]
    again = some_ids(9, 1)
    expected = reference(folder, np.concatenate([prompt, again, again]))
    assert_close(decoder.verify(again), expected[count + 9 :])


def test_a_fork_outlives_what_it_was_forked_from(folder):
    ids = some_ids(20)
    fork = (lambda decoder: (decoder.prefill(ids[:12]), decoder.fork())[1])(
        CPUDecoder.from_folder(folder)
    )
    assert_close(fork.verify(ids[12:]), reference(folder, ids)[12:])


def test_sequences_together_equal_transformers_and_themselves_alone(folder, decoder, long):
    """Of different lengths, with different numbers of ids, over the end of a pass."""
    ids, expected = long
    lengths, counts = [0, 3, 126, 200, 280, 17], [1, 2, 150, 1, 7, 5]
    forks = []
    for length in lengths:
        fork = decoder.fork()
        if length:
            fork.prefill(ids[:length])
        forks.append(fork)
    new = [ids[a : a + n] for a, n in zip(lengths, counts, strict=True)]
    alone = [fork.fork().verify(own) for fork, own in zip(forks, new, strict=True)]
    together = CPUDecoder.verify_together([fork.fork() for fork in forks], new)
    last = CPUDecoder.step_together(forks, new)
    assert last.shape == (6, 50)
    for i, (at, count) in enumerate(zip(lengths, counts, strict=True)):
        assert forks[i].length == at + count
        assert_close(together[i], expected[at : at + count])
        np.testing.assert_array_equal(together[i], alone[i])
        np.testing.assert_array_equal(last[i], alone[i][-1])


@pytest.mark.parametrize("seed", range(6))
def test_whatever_was_forked_and_cut_a_sequence_is_its_ids(decoder, seed):
    """Forks share what they can; each must say what a decoder says that was never forked."""
    rng = np.random.default_rng(seed)
    plain = decoder.fork()
    forks = [(decoder, [])]
    for _ in range(40):
        at = int(rng.integers(len(forks)))
        chosen, said = forks[at]
        act = rng.choice(["fork", "cut", "drop", "reset", "add", "together"], p=PREFERRED)
        if act == "fork":
            forks.append((chosen.fork(), [*said]))
        elif act == "cut":
            length = int(rng.integers(len(said) + 1))
            chosen.truncate(length)
            del said[length:]
        elif act == "drop" and len(forks) > 1:
            del forks[at]
        elif act == "reset":
            chosen.reset()
            said.clear()
        else:
            group = [forks[at]] if act == "add" else forks
            group = [(fork, said) for fork, said in group if len(said) < 290]
            new = [rng.integers(0, 50, rng.integers(1, 291 - len(s))).tolist() for _, s in group]
            new = [own if rng.random() < 0.5 else own[:9] for own in new]
            if not group:
                continue
            logits = CPUDecoder.verify_together([fork for fork, _ in group], new)
            for (fork, said), own, rows in zip(group, new, logits, strict=True):
                said += own
                assert fork.length == len(said)
                plain.reset()
                np.testing.assert_array_equal(rows, plain.verify(said)[-len(own) :])


def test_a_sequence_that_ends_is_left_out(folder, decoder):
    forks = [decoder.fork() for _ in range(3)]
    said = [[] for _ in forks]
    for turn in range(6):
        going = [i for i in range(3) if turn < 2 * (i + 1)]
        new = [[int(some_ids(1, seed=10 * turn + i)[0])] for i in going]
        logits = CPUDecoder.step_together([forks[i] for i in going], new)
        for i, own, row in zip(going, new, logits, strict=True):
            said[i] += own
            assert_close(row, reference(folder, said[i])[-1])
    assert [fork.length for fork in forks] == [2, 4, 6]


def test_decoders_that_do_not_go_together_are_refused_and_stay_as_they_were(folder, decoder):
    decoder.prefill([1, 2])
    fork, stranger = decoder.fork(), CPUDecoder.from_folder(folder)
    for decoders, ids, message in (
        ([], [], "0 rows of ids do not fit 0 decoders"),
        ([decoder, fork], [[1]], "1 rows of ids do not fit 2 decoders"),
        ([decoder, decoder], [[1], [1]], "stands in the list twice"),
        ([decoder, stranger], [[1], [1]], "have different weights"),
        ([decoder, fork], [[1], []], "cannot be read"),
        ([decoder, fork], [[1], [1] * 299], "more than the context"),
    ):
        with pytest.raises(RequestError, match=message):
            CPUDecoder.step_together(decoders, ids)
    with pytest.raises(TokenError, match="not whole numbers from 0 to 49"):
        CPUDecoder.verify_together([decoder, fork], [[1], [50]])
    assert (decoder.length, fork.length, stranger.length) == (2, 2, 0)
    np.testing.assert_array_equal(decoder.step(3), fork.step(3))


@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_no_bit(folder, decoder, threads):
    ids = some_ids(290)
    found = []
    for start in (decoder, CPUDecoder.from_folder(folder, threads=threads)):
        start.prefill(ids[:140])
        forks = [start.fork() for _ in range(5)]
        new = [ids[140 : 150 + 30 * i] for i in range(5)]
        every = CPUDecoder.verify_together(forks, new)
        last = CPUDecoder.step_together(forks, [[i] for i in range(5)])
        found.append(np.concatenate([*every, last]))
        assert [fork.length for fork in forks] == [151 + 30 * i for i in range(5)]
    np.testing.assert_array_equal(*found)


def test_there_is_at_least_one_thread(folder):
    with pytest.raises(RequestError, match="threads 0 is below 1"):
        CPUDecoder.from_folder(folder, threads=0)


def test_threads_do_not_disturb_each_other(decoder):
    """The compiled pass lets other threads run; forks may go on in several."""
    ids = some_ids(250)
    expected = decoder.fork().verify(ids)
    found = {}

    def work(fork, at):
        found[at] = fork.verify(ids)

    threads = [threading.Thread(target=work, args=(decoder.fork(), at)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for at in range(4):
        np.testing.assert_array_equal(found[at], expected)


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


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["mlp.gate_proj", "self_attn.q_proj"])
def test_huge_activations_do_not_overflow(folder, name, precision):
    shape, weights = load_weights(folder)
    weights[f"model.layers.0.{name}.weight"] *= 1e4
    decoder = CPUDecoder(shape, weights, precision=precision)
    assert np.isfinite(decoder.prefill(some_ids(5))).all()


def test_scores_in_the_hundreds_equal_those_of_transformers(tmp_path):
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    folder = save(tmp_path, num_hidden_layers=1, initializer_range=1.0, **heads)
    ids = some_ids(40)
    expected = reference(folder, ids, "float32")
    found = CPUDecoder.from_folder(folder, precision="float32").verify(ids)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * expected.std())


def test_rows_of_zeros_are_kept_as_zeros(folder):
    shape, weights = load_weights(folder)
    weights["lm_head.weight"][7] = 0
    logits = CPUDecoder(shape, weights).prefill([1, 2])
    assert logits[7] == 0
    assert np.isfinite(logits).all()


def test_the_weights_given_are_not_changed(folder):
    shape, weights = load_weights(folder)
    copies = {name: value.copy() for name, value in weights.items()}
    CPUDecoder(shape, weights).prefill([1])
    for name, value in copies.items():
        np.testing.assert_array_equal(weights[name], value)


def test_sizes_are_those_of_the_model(decoder, folder):
    assert (decoder.vocab_size, decoder.context_length, decoder.length) == (50, 300, 0)
    assert CPUDecoder.from_folder(folder, context_length=20).context_length == 20


def test_memory_is_what_weights_and_cache_take(tmp_path):
    """What is tied is there once."""
    sizes = {"vocab_size": 2000, "hidden_size": 256, "intermediate_size": 512}
    folder = save(tmp_path, **sizes, tie_word_embeddings=True)
    matrices = 2000 * 256 + 2 * (256 * (256 + 2 * 128 + 256) + 3 * 256 * 512)
    for precision, size in (("int8", 1), ("float32", 4)):
        decoder = CPUDecoder.from_folder(folder, precision=precision)
        assert matrices * size < decoder.weight_bytes < 1.15 * matrices * size
    full = 2 * 2 * 4 * 32 * 4 * 300  # keys and values, layers, heads, their size, bytes, positions
    assert full <= decoder.cache_bytes <= 1.3 * full
    assert decoder.fork().weight_bytes == decoder.weight_bytes


def test_memory_stays_as_it_is(decoder):
    decoder.prefill(some_ids(200))
    tracemalloc.start()
    try:
        for round in range(300):
            decoder.truncate(190)
            decoder.step(round % 50)
            decoder.fork().verify([1, 2, 3])
            if round == 100:
                before = tracemalloc.get_traced_memory()[0]
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 50_000


@pytest.mark.slow
def test_the_first_run_of_a_machine_says_that_it_compiles(folder, tmp_path):
    """And no other one does."""
    code = (
        "import logging, sys; logging.basicConfig(level='INFO');"
        "from composer.model.cpu import CPUDecoder;"
        f"CPUDecoder.from_folder({str(folder)!r}).step(1)"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)}
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            check=True,
            text=True,
        ).stderr.count("compiles its inner loops")
        for _ in range(2)
    ]
    assert said == [1, 0]


def test_an_unknown_precision_is_refused(folder):
    with pytest.raises(RequestError, match="precision 'int4' is neither"):
        CPUDecoder.from_folder(folder, precision="int4")


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
