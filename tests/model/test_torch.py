"""The decoder on torch says what transformers says, and what the decoder of the CPU says."""

import gc
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import LlamaForCausalLM  # noqa: E402

from composer.api import Composer, load  # noqa: E402
from composer.errors import ModelError, RequestError, TokenError  # noqa: E402
from composer.generate.batch import write_together  # noqa: E402
from composer.model import torch as decoder_module  # noqa: E402
from composer.model.cpu import CPUDecoder  # noqa: E402
from composer.model.torch import TorchDecoder  # noqa: E402
from composer.planning.roles import given_rules  # noqa: E402
from composer.request.request import Request  # noqa: E402
from composer.request.sampling import Sampling  # noqa: E402
from tests.model.test_cpu import SHAPES, assert_close, reference, save, some_ids  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of such small layers do little but wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def long(folder):
    """Ids that fill several passes of few rows, and what is right after each of them."""
    ids = some_ids(290)
    return ids, reference(folder, ids, "float32")


@pytest.fixture
def make(folder, monkeypatch):
    """A function that returns a decoder, whose batches are of few ids."""
    monkeypatch.setattr(decoder_module, "MOST", 48)
    return lambda folder=folder, **options: TorchDecoder.from_folder(folder, **options)


# Logits


@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES.keys())
def test_logits_equal_those_of_transformers_and_of_the_cpu_step_by_step(tmp_path, make, changes):
    folder, ids = save(tmp_path, **changes), some_ids(40)
    expected = reference(folder, ids, "float32")
    assert expected.std() > 0.3
    decoder, compiled = make(folder), CPUDecoder.from_folder(folder, precision="float32")
    for position, id in enumerate(ids):
        found = decoder.step(int(id))
        assert_close(found, expected[position])
        assert_close(found, compiled.step(int(id)))
    decoder.reset()
    assert_close(decoder.prefill(ids), expected[-1])
    decoder.reset()
    assert_close(decoder.verify(ids), expected)


@pytest.mark.parametrize("split", [1, 7, 47, 48, 49, 100, 257])
def test_logits_equal_transformers_wherever_ids_are_cut(make, long, split):
    ids, expected = long
    decoder = make()
    assert_close(decoder.prefill(ids[:split]), expected[split - 1])
    assert_close(decoder.verify(ids[split:]), expected[split:])
    assert decoder.length == 290


def test_after_truncate_the_past_is_as_if_the_rest_had_never_been(folder, make):
    decoder = make()
    kept, dropped, next_ids = some_ids(30), some_ids(25, seed=1), some_ids(10, seed=2)
    decoder.prefill(np.concatenate([kept, dropped]))
    decoder.truncate(30)
    assert decoder.length == 30
    expected = reference(folder, np.concatenate([kept, next_ids]), "float32")
    assert_close(decoder.step(int(next_ids[0])), expected[30])
    assert_close(decoder.prefill(next_ids[1:]), expected[-1])


@pytest.mark.parametrize("count", [1, 5, 128, 200])
def test_forks_share_their_past_and_nothing_after_it(folder, make, count):
    decoder, prompt = make(), some_ids(count)
    decoder.prefill(prompt)
    forks = [decoder, decoder.fork(), decoder.fork()]
    for seed, fork in enumerate(forks, 1):
        assert fork.length == count
        own = some_ids(9, seed)
        expected = reference(folder, np.concatenate([prompt, own]), "float32")
        assert_close(fork.verify(own), expected[count:])
    forks[1].truncate(count // 2)
    assert [fork.length for fork in forks] == [count + 9, count // 2, count + 9]


def test_a_fork_outlives_what_it_was_forked_from(make, long):
    ids, expected = long
    decoder = make()
    decoder.prefill(ids[:12])
    fork = decoder.fork()
    del decoder
    other = fork.fork()  # in the slot that was given back
    other.prefill(some_ids(20, seed=9))
    assert_close(fork.verify(ids[12:40]), expected[12:40])


def test_sequences_together_equal_transformers(make, long):
    """Of different lengths, with different numbers of ids, in more than one pass."""
    ids, expected = long
    lengths, counts = [0, 3, 126, 200, 280, 17], [1, 2, 150, 1, 7, 5]
    decoder, forks = make(), []
    for length in lengths:
        fork = decoder.fork()
        if length:
            fork.prefill(ids[:length])
        forks.append(fork)
    new = [ids[a : a + n] for a, n in zip(lengths, counts, strict=True)]
    together = TorchDecoder.verify_together([fork.fork() for fork in forks], new)
    last = TorchDecoder.step_together(forks, new)
    assert last.shape == (6, 50)
    for i, (at, count) in enumerate(zip(lengths, counts, strict=True)):
        assert forks[i].length == at + count
        assert_close(together[i], expected[at : at + count])
        assert_close(last[i], expected[at + count - 1])


@pytest.mark.parametrize("chosen", [[0], [63], [3, 61], [40, 2, 41], [*range(9, 30)], [*range(64)]])
def test_any_forks_may_go_together_in_any_order(make, long, chosen):
    """Whether their slots lie close together or far apart."""
    ids, expected = long
    decoder = make()
    forks = [decoder, *(decoder.fork() for _ in range(63))]
    for turn in range(3):
        new = [ids[2 * turn : 2 * turn + 2]] * len(chosen)
        for rows in TorchDecoder.verify_together([forks[i] for i in chosen], new):
            assert_close(rows, expected[2 * turn : 2 * turn + 2])
    assert [i for i, fork in enumerate(forks) if fork.length] == sorted(chosen)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_was_forked_and_cut_a_sequence_is_its_ids(folder, make, seed):
    """Each must say what the decoder of the CPU says that hears its ids from the first."""
    rng = np.random.default_rng(seed)
    plain = CPUDecoder.from_folder(folder, precision="float32")
    forks = [(make(), [])]
    for _ in range(40):
        at = int(rng.integers(len(forks)))
        chosen, said = forks[at]
        act = rng.choice(["fork", "cut", "drop", "add", "together"], p=[0.2, 0.2, 0.1, 0.2, 0.3])
        if act == "fork":
            forks.append((chosen.fork(), [*said]))
        elif act == "cut":
            length = int(rng.integers(len(said) + 1))
            chosen.truncate(length)
            del said[length:]
        elif act == "drop" and len(forks) > 1:
            del forks[at]
        else:
            group = [forks[at]] if act == "add" else forks
            group = [(fork, said) for fork, said in group if len(said) < 290]
            new = [rng.integers(0, 50, rng.integers(1, 291 - len(s))).tolist() for _, s in group]
            new = [own if rng.random() < 0.3 else own[: rng.integers(1, 9)] for own in new]
            if not group:
                continue
            logits = TorchDecoder.verify_together([fork for fork, _ in group], new)
            for (fork, said), own, rows in zip(group, new, logits, strict=True):
                said += own
                assert fork.length == len(said)
                plain.reset()
                assert_close(rows, plain.verify(said)[-len(own) :])


def test_a_sequence_that_ends_is_left_out(folder, make):
    decoder = make()
    forks = [decoder.fork() for _ in range(3)]
    said = [[] for _ in forks]
    for turn in range(6):
        going = [i for i in range(3) if turn < 2 * (i + 1)]
        new = [[int(some_ids(1, seed=10 * turn + i)[0])] for i in going]
        logits = TorchDecoder.step_together([forks[i] for i in going], new)
        for i, own, row in zip(going, new, logits, strict=True):
            said[i] += own
            assert_close(row, reference(folder, said[i], "float32")[-1])
    assert [fork.length for fork in forks] == [2, 4, 6]


def test_bfloat16_is_near(folder, long):
    ids, expected = long
    decoder = TorchDecoder.from_folder(folder, precision="bfloat16")
    found = decoder.verify(ids)
    assert found.dtype == np.float32
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.999


def test_a_folder_is_loaded_as_transformers_loads_it(folder, long):
    """In bfloat16 too, where rotary angles stay float32, and no random number is drawn."""
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    loaded = TorchDecoder.from_folder(folder, precision="bfloat16")
    assert torch.rand(1) == expected
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    np.testing.assert_array_equal(loaded.verify(long[0]), TorchDecoder(model).verify(long[0]))


def test_loading_prints_nothing(model_folder, capfd):
    Composer.load(model_folder, device="cpu")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_refused_as_on_the_cpu(folder, tmp_path, name):
    copied = shutil.copytree(folder, tmp_path / "model")
    (copied / name).unlink()
    with pytest.raises(ModelError, match=name):
        TorchDecoder.from_folder(copied)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_logits_are_those_of_a_cpu(folder, long):
    ids, expected = long
    decoder = TorchDecoder.from_folder(folder, device="cuda", precision="float32")
    decoder.prefill(ids[:200])
    forks = [decoder, *(decoder.fork() for _ in range(6))]
    for position in range(200, 220):
        for row in TorchDecoder.step_together(forks, [ids[position : position + 1]] * 7):
            np.testing.assert_allclose(row, expected[position], rtol=2e-3, atol=2e-3)
    half = TorchDecoder.from_folder(folder, device="cuda")
    assert np.corrcoef(half.verify(ids).ravel(), expected.ravel())[0, 1] > 0.999


# Slots


def test_a_decoder_that_is_gone_gives_its_slot_back(make):
    decoder = make()
    assert decoder.slots == 1
    forks = [decoder.fork() for _ in range(5)]
    assert decoder.slots == 8
    assert len({fork._slot for fork in [decoder, *forks]}) == 6
    for _ in range(100):
        forks = [decoder.fork() for _ in range(5)]
        TorchDecoder.step_together([decoder, *forks], [[1]] * 6)
        decoder.reset()
    gc.collect()
    # While five of them are made, the five before are still there.
    assert decoder.slots == 16
    assert len(decoder._cache.free) == 10
    del forks
    gc.collect()
    assert sorted(decoder._cache.free) == sorted(set(range(16)) - {decoder._slot})
    assert decoder.fork()._slot == min(set(range(16)) - {decoder._slot})  # close together


def test_what_is_held_is_held_when_the_cache_grows(make, long):
    ids, expected = long
    decoder = make()
    decoder.prefill(ids[:100])
    forks = [decoder]
    for position in range(100, 120):
        forks.append(forks[-1].fork())
        logits = TorchDecoder.step_together(forks[-1:], [ids[position : position + 1]])
        assert_close(logits[0], expected[position])
    assert decoder.slots == 32


def test_a_device_without_memory_says_so_and_the_others_go_on(make, monkeypatch):
    decoder = make()
    first = decoder.prefill([1, 2])

    def zeros(*args, **options):
        raise RuntimeError("not enough memory")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "zeros", zeros)
        with pytest.raises(RequestError, match="for 2 sequences of 300 positions takes"):
            decoder.fork()
    assert decoder.slots == 1
    decoder.reset()
    np.testing.assert_array_equal(decoder.prefill([1, 2]), first)
    assert decoder.fork().length == 2


def test_threads_do_not_disturb_each_other(make, long):
    ids, expected = long
    decoder, found = make(), {}

    def work(at):
        fork = decoder.fork()
        found[at] = [fork.verify(ids[i : i + 10]) for i in range(0, 100, 10)]

    threads = [threading.Thread(target=work, args=(at,)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for at in range(6):
        assert_close(np.concatenate(found[at]), expected[:100])


# Manners


def test_decoders_that_do_not_go_together_are_refused_and_stay_as_they_were(folder, make):
    decoder = make()
    decoder.prefill([1, 2])
    fork, stranger = decoder.fork(), TorchDecoder.from_folder(folder)
    for decoders, ids, message in (
        ([], [], "0 rows of ids do not fit 0 decoders"),
        ([decoder, fork], [[1]], "1 rows of ids do not fit 2 decoders"),
        ([decoder, decoder], [[1], [1]], "stands in the list twice"),
        ([decoder, stranger], [[1], [1]], "have different weights"),
        ([decoder, fork], [[1], []], "cannot be read"),
        ([decoder, fork], [[1], [1] * 299], "more than the context"),
    ):
        with pytest.raises(RequestError, match=message):
            TorchDecoder.step_together(decoders, ids)
    with pytest.raises(TokenError, match="not whole numbers from 0 to 49"):
        TorchDecoder.verify_together([decoder, fork], [[1], [50]])
    assert (decoder.length, fork.length, stranger.length) == (2, 2, 0)
    assert_close(decoder.step(3), fork.step(3))


def test_returned_logits_stay_as_they_were(make):
    decoder = make()
    logits, every = decoder.prefill([4, 5]), decoder.verify([7, 8])
    copies = logits.copy(), every.copy()
    decoder.step(6)
    decoder.verify([1, 2])
    np.testing.assert_array_equal(logits, copies[0])
    np.testing.assert_array_equal(every, copies[1])


def test_ids_may_be_a_list_or_any_integer_array(make):
    decoder = make()
    expected = decoder.prefill([7, 8, 9])
    for ids in ((7, 8, 9), np.array([7, 8, 9], np.uint16), np.array([7, 8, 9], np.int32)):
        decoder.reset()
        np.testing.assert_array_equal(decoder.prefill(ids), expected)


def test_the_context_is_full_with_numbers_and_the_cache_is_kept(make, long):
    ids, expected = long
    decoder = make(context_length=20)
    assert decoder.context_length == 20
    with pytest.raises(RequestError, match=r"21 ids after the 0 cached .* context of 20 positions"):
        decoder.prefill(ids[:21])
    assert decoder.length == 0
    assert_close(decoder.prefill(ids[:20]), expected[19])
    with pytest.raises(RequestError, match="1 ids after the 20 cached"):
        decoder.step(1)
    assert decoder.length == 20


@pytest.mark.parametrize("context_length", [0, -1, 301])
def test_a_context_that_the_model_does_not_have_is_refused(folder, context_length):
    with pytest.raises(RequestError, match=f"context_length {context_length} is outside 1 to 300"):
        TorchDecoder.from_folder(folder, context_length=context_length)


@pytest.mark.parametrize("length", [-1, 4])
def test_truncate_needs_as_many_positions(make, length):
    decoder = make()
    decoder.prefill([1, 2, 3])
    with pytest.raises(RequestError, match=f"length {length} is outside 0 to 3"):
        decoder.truncate(length)


@pytest.mark.parametrize("ids", [[50], [-1], [3, 2**70], [1.0]])
def test_ids_of_another_vocabulary_are_refused(make, ids):
    decoder = make()
    with pytest.raises(TokenError, match="are not whole numbers from 0 to 49"):
        decoder.prefill(ids)
    assert decoder.length == 0


@pytest.mark.parametrize("ids", [[], [[1, 2]], 3])
def test_ids_must_be_one_row(make, ids):
    with pytest.raises(RequestError, match="cannot be read; give one row of 1 or more"):
        make().prefill(ids)


def test_settings_that_cannot_be_are_refused(folder):
    with pytest.raises(RequestError, match="precision 'int8' is neither of float32, bfloat16"):
        TorchDecoder.from_folder(folder, precision="int8")


# Users


@pytest.mark.parametrize("device", ["tpu", "", "cpu:x", "meta", 3.5])
def test_an_unknown_device_is_refused(model_folder, device):
    with pytest.raises(RequestError, match=f"device {device!r} is neither of cpu, cuda"):
        Composer.load(model_folder, device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused(model_folder):
    with pytest.raises(RequestError, match=r"device 'cuda' cannot be used \(.+\); install torch"):
        Composer.load(model_folder, device="cuda")


def test_without_a_device_the_decoder_is_the_compiled_one(model_folder):
    assert isinstance(Composer.load(model_folder).model.decoder, CPUDecoder)
    for opened in (Composer.load(model_folder, device="cpu"), load(device="cpu")):
        assert isinstance(opened.model.decoder, TorchDecoder)


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_without_torch_one_sentence_says_what_to_install(model_folder, missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
from composer.api import Composer
Composer.load({str(model_folder)!r})
try:
    Composer.load({str(model_folder)!r}, device="cpu")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("decoding on a device needs torch and transformers, and one")
    assert done.stdout.endswith("install both with: pip install 'composer-midi[torch]'\n")


@pytest.fixture(scope="module")
def composers(cells, model_folder):
    """The verbs of one model, on torch and compiled."""
    kinds = TorchDecoder, CPUDecoder
    decoders = [kind.from_folder(model_folder, precision="float32") for kind in kinds]
    return [Composer(decoder, cells) for decoder in decoders]


def test_verbs_write_the_notes_that_the_decoder_of_the_cpu_writes(composers):
    songs = []
    for composer in composers:
        settings = {"seed": 1, "temperature": 0}
        tune = composer.melody("Am F C G", bars=4, **settings)
        song = composer.arrange(tune, ["piano", "bass", "drums"], **settings)
        again = composer.infill(song, bars="2-3", **settings)
        songs.append([tune, composer.harmonize(tune, **settings), song, again])
        assert all(track.notes.size for track in song.tracks)
    for ours, theirs in zip(*songs, strict=True):
        assert ours.chords == theirs.chords
        for track, other in zip(ours.tracks, theirs.tracks, strict=True):
            np.testing.assert_array_equal(track.notes, other.notes)


def test_a_stream_goes_on_with_torch(composers):
    streams = [c.stream("Am F", instruments=["bass"], seed=1, temperature=0) for c in composers]
    for ours, theirs, _ in zip(*streams, range(6)):  # noqa: B905
        for track, other in zip(ours.tracks, theirs.tracks, strict=True):
            np.testing.assert_array_equal(track.notes, other.notes)


def test_many_requests_written_together_come_out_as_on_the_cpu(composers, cells):
    grid = cells.grid(composers[0].melody("C G", bars=2, seed=1))
    written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
    written[:, 1] = True
    rules = given_rules(grid)
    requests = [Request(grid, written, rules, Sampling(0.9), seed) for seed in range(20)]
    found = [write_together(requests, composer.model.decoder, cells) for composer in composers]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours.grid.notes, theirs.grid.notes)
        np.testing.assert_allclose(ours.log_probability, theirs.log_probability, atol=1e-2)
    assert len({writer.grid.notes.tobytes() for writer in found[0]}) > 10
