"""Trainings of a small model on files made here; each is a real run of the transformers Trainer."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import composer
from composer import ModelError, Score, Track, TrainingError
from composer.model.cpu import CPUDecoder
from composer.tokenizers import Cells
from composer.tokenizers.cells.cells import CellsConfig
from composer.training import TrainingConfig, train
from composer.training.trainer import last_checkpoint

pytestmark = pytest.mark.slow

SMALL = TrainingConfig(
    hidden_size=64,
    layers=2,
    heads=4,
    kv_heads=1,
    context_length=256,
    steps=200,
    batch_size=8,
    learning_rate=8e-3,
    evaluate_every=100,
    held_out_rows=8,
    threads=1,
)
TUNES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tunes that say each bar four times: what two ids back cannot tell, a model can."""
    root = tmp_path_factory.mktemp("midi")
    for seed in range(TUNES):
        rng = np.random.default_rng(seed)
        bar = rng.choice([60, 62, 64, 67, 69], 4)
        notes = [(480 * i, 480, int(bar[i % 4]), 90) for i in range(64)]
        Score(tracks=(Track("Tune", 73, notes=notes),)).write(root / f"{seed}.mid")
    return root


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    return train(folder, tmp_path_factory.mktemp("out") / "model", SMALL)


def test_the_model_beats_unigram_and_bigram_on_held_out_tunes(trained):
    assert trained.held_out_loss < trained.bigram_loss < trained.unigram_loss
    assert f"{trained.held_out_loss:.3f}" in str(trained)


def test_the_folder_opens_in_composer_and_in_transformers(trained):
    import torch
    from transformers import AutoModelForCausalLM

    ours = CPUDecoder.from_folder(trained.folder, precision="float32")
    theirs = AutoModelForCausalLM.from_pretrained(trained.folder, dtype=torch.float32)
    ids = Cells().encode(composer.example("drunken_sailor"))[:100]
    with torch.no_grad():
        logits = theirs(torch.tensor(ids[None].astype(np.int64))).logits[0, -1].numpy()
    np.testing.assert_allclose(ours.prefill(ids), logits, atol=1e-3)
    tune = composer.load(trained.folder).melody("C G", bars=4, seed=0)
    assert tune.bars == 4


def test_the_card_says_what_was_trained_on_and_the_losses(trained):
    card = (trained.folder / "README.md").read_text()
    assert f"{trained.held_out_loss:.3f}" in card
    assert f"| {TUNES} |" in card


def test_a_model_goes_on_from_another_and_learns_its_styles(trained, folder, tmp_path):
    files = tmp_path / "files" / "jigs"
    files.mkdir(parents=True)
    for path in folder.iterdir():
        (files / path.name).write_bytes(path.read_bytes())
    config = dataclasses.replace(SMALL, steps=4, evaluate_every=4, layers=1, learning_rate=1e-5)
    begun = train(tmp_path / "files", tmp_path / "out", config, start=trained.folder)
    grown = Cells.load(begun.folder)
    assert grown.config.styles == ("jigs",)
    assert CPUDecoder.from_folder(begun.folder).vocab_size == grown.vocab_size
    # What it begins with is already good: four steps alone would not get there.
    assert begun.held_out_loss < begun.bigram_loss
    other = TrainingConfig(**{**config.__dict__, "styles": {"jigs": "reels"}})
    with pytest.raises(TrainingError, match="holds a training with styles"):
        train(tmp_path / "files", tmp_path / "out", other, start=trained.folder)


def test_a_model_of_other_tokens_is_no_start(trained, folder, tmp_path):
    start = tmp_path / "start"
    shutil.copytree(trained.folder, start, ignore=shutil.ignore_patterns("corpus", "checkpoints"))
    Cells(CellsConfig(velocity_bins=8)).save(start)
    with pytest.raises(ModelError, match="has 1229 ids and its tokenizer 1221"):
        train(folder, tmp_path / "out", SMALL, start=start)


def test_another_training_in_the_same_folder_is_refused(trained, folder):
    other = TrainingConfig(**{**SMALL.__dict__, "steps": 90})
    with pytest.raises(TrainingError, match="holds a training with steps 200, not 90"):
        train(folder, trained.folder, other)


def test_a_folder_without_midi_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TrainingError, match="is not a folder"):
        train(tmp_path / "absent", tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists()


def test_too_few_files_are_refused(tmp_path):
    (tmp_path / "midi").mkdir()
    notes = [(480 * i, 480, 60 + i, 90) for i in range(12)]
    Score(tracks=(Track(notes=notes),)).write(tmp_path / "midi" / "one.mid")
    with pytest.raises(TrainingError, match="too few to hold one out"):
        train(tmp_path / "midi", tmp_path / "out", SMALL)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps 0 must be at least 1"),
        ({"heads": 3}, "hidden_size 256 must divide"),
        ({"kv_heads": 3}, "kv_heads"),
        ({"context_length": 8}, "context_length 8"),
    ],
)
def test_a_config_that_cannot_be_is_refused(changes, message):
    with pytest.raises(TrainingError, match=message):
        TrainingConfig(**changes)


def test_a_half_written_checkpoint_is_passed_over(tmp_path):
    for step in (40, 80):
        (tmp_path / f"checkpoint-{step}").mkdir()
    (tmp_path / "checkpoint-40" / "trainer_state.json").write_text(json.dumps({"step": 40}))
    (tmp_path / "checkpoint-80" / "trainer_state.json").write_text('{"step": 8')
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-40")
    assert last_checkpoint(tmp_path / "absent") is None


def test_a_training_killed_goes_on_from_its_last_checkpoint(folder, tmp_path):
    out = tmp_path / "model"
    config = {**SMALL.__dict__, "steps": 120, "evaluate_every": 20}
    script = (
        "import sys, composer.training as t\n"
        f"t.train(sys.argv[1], sys.argv[2], t.TrainingConfig(**{config!r}))"
    )
    root = Path(composer.__file__).parents[1]
    run = [sys.executable, "-c", script, str(folder), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(run, env=environment, stdout=-1, stderr=-2) as process:
        while last_checkpoint(out / "checkpoints") is None and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (out / "model.safetensors").exists()
    reached = int(Path(str(last_checkpoint(out / "checkpoints"))).name.split("-")[1])
    result = train(folder, out, TrainingConfig(**config))
    newest = Path(str(last_checkpoint(out / "checkpoints")))
    state = json.loads((newest / "trainer_state.json").read_text())
    assert state["global_step"] == 120
    # What the first run logged is in the history of the second: it did not begin again.
    logged = [entry["step"] for entry in state["log_history"]]
    assert reached in logged
    assert logged == sorted(logged)
    assert result.held_out_loss < result.unigram_loss
