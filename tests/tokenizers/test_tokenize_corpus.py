"""A corpus in one call: whole whatever happens on the way, and split without leaks."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import composer
from composer import Score, Track, TrainingError
from composer.tokenizers import (
    BPE,
    REMI,
    Cells,
    CellsConfig,
    REMIPlus,
    TokenCorpus,
    load,
    tokenize_corpus,
)
from composer.tokenizers.corpus import shards as shards_module
from composer.tokenizers.corpus.build import midi_files

pytestmark = pytest.mark.slow

PREPARATIONS = """
import ctypes, functools, os, pathlib, time

from composer.errors import ScoreError

def as_named(score):
    name = score.tracks[0].name
    if name == "segfault":
        ctypes.string_at(0)
    if name == "hang":
        while True:
            time.sleep(60)
    if name == "fault":
        return 1 // 0
    if name == "refuse":
        raise ScoreError("not to my taste")
    return score

def stop_at(score, flag):
    while score.tracks[0].name == "stop" and not pathlib.Path(flag).exists():
        time.sleep(60)
    return score

def nothing(score):
    return score
"""


def tune(seed: int, name: str = "Tune", notes: int = 60) -> Score:
    rng = np.random.default_rng(seed)
    onset = np.cumsum(rng.choice([120, 240, 480], notes)).tolist()
    pitch = (60 + rng.integers(-12, 13, notes)).tolist()
    rows = [(o, 120, p, 90) for o, p in zip(onset, pitch, strict=True)]
    return Score(480, (Track(name, 0, notes=rows),))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "midi"
    (root / "more").mkdir(parents=True)
    for i in range(12):
        tune(i).write(root / f"{i:02}.mid")
        tune(100 + i).write(root / "more" / f"{i:02}.MID")
    return root


@pytest.fixture
def preparations(tmp_path, monkeypatch):
    (tmp_path / "preparations_of_a_test.py").write_text(PREPARATIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    import preparations_of_a_test

    yield preparations_of_a_test
    del sys.modules["preparations_of_a_test"]


def content(corpus: TokenCorpus) -> dict[str, list[int]]:
    return {piece.path: corpus.ids(i).tolist() for i, piece in enumerate(corpus.pieces)}


def expected(folder: Path, tokenizer=None) -> dict[str, list[int]]:
    tokenizer = tokenizer or Cells()
    return {name: tokenizer.encode(folder / name).tolist() for name in midi_files(folder)}


def run(folder, out, **settings):
    return tokenize_corpus(folder, out, progress=False, **settings)


@pytest.mark.parametrize("tokenizer", [Cells(), REMI(), REMIPlus()], ids=lambda t: t.format)
def test_pieces_hold_the_ids_of_their_files(folder, tmp_path, tokenizer):
    corpus = run(folder, tmp_path / "out", tokenizer=tokenizer, workers=2)
    assert content(corpus) == expected(folder, tokenizer)
    assert list(content(corpus)) == sorted(content(corpus))
    score = Score.read(folder / "00.mid")
    first = corpus.pieces[0]
    assert (first.path, first.notes, first.group) == ("00.mid", 60, "")
    assert first.bars == tokenizer.quantize(score).bars
    assert first.length == len(corpus.ids(0))
    assert corpus.pieces[-1].group == "more"
    assert corpus.ids(0).dtype == np.int32
    assert type(tokenizer).load(tmp_path / "out").vocabulary == tokenizer.vocabulary
    assert f"TokenCorpus(pieces={len(corpus)}, " in repr(corpus)


def test_a_learned_vocabulary_makes_a_corpus_of_its_own_ids(folder, tmp_path):
    base = REMIPlus()
    sources = [folder / name for name in midi_files(folder)]
    bpe = BPE.train(base, sources, base.vocab_size + 200)
    merged = [i for i, t in enumerate(bpe.vocabulary.tokens) if "+" in t and "Bar" in t]
    assert merged  # bars that stand in no id of their own
    corpus = run(folder, tmp_path / "out", tokenizer=bpe)
    assert not corpus.quarantined
    assert content(corpus) == expected(folder, bpe)
    bars = [piece.bars for piece in run(folder, tmp_path / "plain", tokenizer=base).pieces]
    assert [piece.bars for piece in corpus.pieces] == bars
    assert load(tmp_path / "out").merges == bpe.merges
    with pytest.raises(TrainingError, match="with vocabulary"):
        run(folder, tmp_path / "out", tokenizer=BPE(base, bpe.merges.pairs, "onset"))


def test_shards_are_npy_files_of_small_integers(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shards_module, "SHARD_IDS", 1000)
    corpus = run(folder, tmp_path / "out")
    files = sorted((tmp_path / "out").glob("ids-*.npy"))
    assert len(files) > 3
    loaded = [np.load(file) for file in files]
    assert {ids.dtype for ids in loaded} == {np.dtype("<u2")}
    assert sum(map(len, loaded)) == sum(piece.length for piece in corpus.pieces)
    assert all(0 < len(ids) <= 1000 for ids in loaded)
    assert content(corpus) == expected(folder)


def test_a_pickled_corpus_opens_its_files_anew(folder, tmp_path):
    corpus = run(folder, tmp_path / "out")
    ids = corpus.ids(0)
    pickled = pickle.dumps(corpus)
    assert len(pickled) < 1000
    again = pickle.loads(pickled)
    assert again.pieces == corpus.pieces
    assert np.array_equal(again.ids(0), ids)


def test_a_finished_corpus_is_used_again(folder, tmp_path):
    first = run(folder, tmp_path / "out")
    stamps = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    again = run(folder, tmp_path / "out", workers=2)
    assert content(again) == content(first)
    stamps[".lock"] = (tmp_path / "out" / ".lock").stat().st_mtime_ns
    assert stamps == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}


def test_changed_new_and_missing_files_are_noticed(folder, tmp_path):
    run(folder, tmp_path / "out")
    tune(50).write(folder / "new.mid")
    tune(51, notes=70).write(folder / "03.mid")
    (folder / "05.mid").unlink()
    corpus = run(folder, tmp_path / "out")
    assert content(corpus) == expected(folder)
    assert content(TokenCorpus(tmp_path / "out")) == expected(folder)
    lines = (tmp_path / "out" / "index.jsonl").read_text().splitlines()
    assert len(lines) == 24 + 3
    shutil.copy(folder / "04.mid", folder / "05.mid")  # one that was gone comes back as another
    assert content(run(folder, tmp_path / "out")) == expected(folder)


@pytest.mark.parametrize("shard_ids", [700, 2**26])
def test_a_kill_at_any_moment_leaves_every_piece_whole_or_absent(
    folder, tmp_path, monkeypatch, shard_ids
):
    """A kill leaves part of the index, and behind what that says any part of the rest."""
    monkeypatch.setattr(shards_module, "SHARD_IDS", shard_ids)
    whole = tmp_path / "whole"
    run(folder, whole)
    index = (whole / "index.jsonl").read_bytes()
    rng = np.random.default_rng(shard_ids)
    for cut in [0, len(index), *rng.integers(1, len(index), 4).tolist()]:
        out = tmp_path / f"cut {cut}"
        shutil.copytree(whole, out)
        (out / "report.json").unlink()
        (out / "index.jsonl").write_bytes(index[:cut])
        rows = [json.loads(line) for line in index[: index[:cut].rfind(b"\n") + 1].splitlines()]
        last = max((row["shard"] for row in rows), default=0)
        end = max((r["start"] + r["length"] for r in rows if r["shard"] == last), default=0)
        for path in out.glob("ids-*.npy"):
            if path.name > f"ids-{last + 1:05}.npy":
                path.unlink()
        for path, least in (
            (out / f"ids-{last:05}.npy", 128 + 2 * end),
            (out / "sketches.npy", 128 + 512 * len(rows)),
        ):
            # Behind what the index says there may be anything; heads are written at the end.
            kept = bytes(128) + path.read_bytes()[128:least]
            path.write_bytes(kept + rng.bytes(int(rng.integers(0, 900))) if rows else b"")
        with pytest.raises(TrainingError, match="no finished corpus"):
            TokenCorpus(out)
        corpus = run(folder, out)
        assert content(corpus) == expected(folder)
        assert corpus.pieces == TokenCorpus(whole).pieces
        for path in whole.glob("*.npy"):
            assert path.read_bytes() == (out / path.name).read_bytes()


def test_a_run_that_is_killed_goes_on_where_it_was(folder, tmp_path, preparations):
    tune(60, "stop").write(folder / "more" / "05.MID")
    out, flag = tmp_path / "out", tmp_path / "flag"
    script = f"""
import functools
from composer.tokenizers import tokenize_corpus
from composer.tokenizers.corpus import shards
from preparations_of_a_test import stop_at
shards.COMMIT_SECONDS = 0
stop = functools.partial(stop_at, flag={str(flag)!r})
tokenize_corpus({str(folder)!r}, {str(out)!r}, preparation=stop, timeout=20)
"""
    root = Path(composer.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(tmp_path)])}
    index = out / "index.jsonl"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        while not (index.is_file() and index.read_bytes().count(b"\n") == 17):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(TrainingError, match="no finished corpus"):
        TokenCorpus(out)
    before = index.read_bytes()
    flag.touch()
    again = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert again.returncode == 0, again.stderr
    assert index.read_bytes().startswith(before)
    assert index.read_bytes().count(b"\n") == 24  # nothing was done twice
    assert "24/24" in again.stderr
    assert content(TokenCorpus(out)) == expected(folder)


def test_what_one_file_does_costs_only_that_file(folder, tmp_path, preparations):
    for i, name in enumerate(("segfault", "hang", "fault", "refuse")):
        tune(70 + i, name).write(folder / f"{name}.mid")
    (folder / "broken.mid").write_bytes(b"MThd and no more")
    settings = {"preparation": preparations.as_named, "workers": 2, "timeout": 3.0}
    corpus = run(folder, tmp_path / "out", **settings)
    assert corpus.quarantined == {
        "fault.mid": "ZeroDivisionError: integer division or modulo by zero",
        "hang.mid": "took over 3 seconds",
        "segfault.mid": "crashed: ended by SIGSEGV",
    }
    assert list(corpus.refused) == ["broken.mid", "refuse.mid"]
    assert corpus.refused["refuse.mid"] == "not to my taste"
    assert len(corpus) == 24
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["files"], report["pieces"]) == (29, 24)
    # They are not tried again until they change.
    index = (tmp_path / "out" / "index.jsonl").read_bytes()
    run(folder, tmp_path / "out", **settings)
    assert (tmp_path / "out" / "index.jsonl").read_bytes() == index
    tune(70, "well").write(folder / "hang.mid")
    assert list(run(folder, tmp_path / "out", **settings).quarantined) == [
        "fault.mid",
        "segfault.mid",
    ]


def test_duplicates_are_listed_and_never_straddle_the_split(tmp_path):
    folder = tmp_path / "midi"
    folder.mkdir()
    for i in range(60):
        score = tune(i, notes=120)
        score.write(folder / f"{i:02}.mid")
        notes = score.tracks[0].notes.copy()
        notes["pitch"] += i % 3
        if i % 4 == 3:
            notes["pitch"][::30] += 1
        score.replace(tracks=(Track("Other", 40, notes=notes),)).write(folder / f"c{i:02}.mid")
    corpus = run(folder, tmp_path / "out")
    assert [group.paths for group in corpus.duplicates] == [
        (f"{i:02}.mid", f"c{i:02}.mid") for i in range(60)
    ]
    kinds = ["near" if i % 4 == 3 else "transposed" if i % 3 else "exact" for i in range(60)]
    assert [group.kind for group in corpus.duplicates] == kinds
    train, held_out = (set(indices.tolist()) for indices in corpus.split())
    assert not train & held_out
    assert train | held_out == set(range(120))
    number = {piece.path: i for i, piece in enumerate(corpus.pieces)}
    sides = [{number[path] in held_out for path in group.paths} for group in corpus.duplicates]
    assert all(len(side) == 1 for side in sides)
    assert {True} in sides
    # By path alone they would straddle.
    (tmp_path / "alone").mkdir()
    for i in range(60):
        shutil.copy(folder / f"c{i:02}.mid", tmp_path / "alone")
    alone = run(tmp_path / "alone", tmp_path / "out2")
    assert [piece.held_out for piece in alone.pieces] != [
        piece.held_out for piece in corpus.pieces[60:]
    ]


def test_a_corpus_made_with_something_else_is_refused(folder, tmp_path, preparations, monkeypatch):
    out = tmp_path / "out"
    run(folder, out, preparation=preparations.nothing)
    with pytest.raises(TrainingError, match=r"with preparation preparations_of_a_test\.nothing"):
        run(folder, out)
    same = {"preparation": preparations.nothing}
    with pytest.raises(TrainingError, match="with format cells, not remi"):
        run(folder, out, tokenizer=REMI(), **same)
    with pytest.raises(TrainingError, match="with config"):
        run(folder, out, tokenizer=Cells(CellsConfig(velocity_bins=4)), **same)
    monkeypatch.setattr("composer.tokenizers.corpus.build.__version__", "9")
    with pytest.raises(TrainingError, match="with version"):
        run(folder, out, **same)


def test_a_folder_that_holds_something_else_is_left_alone(folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ids-00007.npy").write_bytes(b"mine")
    with pytest.raises(TrainingError, match=r"holds other files, such as ids-00007\.npy"):
        run(folder, tmp_path / "out")
    assert (tmp_path / "out" / "ids-00007.npy").read_bytes() == b"mine"


def test_two_runs_do_not_write_to_one_folder(folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with shards_module.lock(out), pytest.raises(TrainingError, match="another process writes"):
        run(folder, out)
    assert len(run(folder, out)) == 24


def test_ids_that_are_missing_are_an_error(folder, tmp_path):
    out = tmp_path / "out"
    run(folder, out)
    ids = (out / "ids-00000.npy").read_bytes()
    (out / "ids-00000.npy").write_bytes(ids[:1000])
    (out / "report.json").unlink()
    with pytest.raises(TrainingError, match="shorter than the index beside it says"):
        run(folder, out)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "workers 0"),
        ({"timeout": 0}, "timeout 0"),
        ({"timeout": float("inf")}, "timeout inf"),
    ],
)
def test_settings_that_cannot_be_are_refused(folder, tmp_path, settings, message):
    with pytest.raises(TrainingError, match=message):
        run(folder, tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_a_preparation_without_a_name_is_refused(folder, tmp_path):
    with pytest.raises(TrainingError, match="define the preparation"):
        run(folder, tmp_path / "out", preparation=lambda score: score)


def test_midi_files_are_found_below_a_folder_in_order(folder):
    names = midi_files(folder)
    assert {"00.mid", "more/00.MID"} < set(names)
    assert len(names) == 24
    assert names == sorted(names)


def test_a_folder_without_midi_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TrainingError, match="holds no file that ends in"):
        run(tmp_path, tmp_path / "out")
    with pytest.raises(TrainingError, match="is not a folder"):
        run(tmp_path / "absent", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_useless_files_are_an_error_that_names_one(tmp_path):
    (tmp_path / "a.mid").write_bytes(b"no MIDI")
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"none of the 1 files .* a\.mid"):
            run(tmp_path, tmp_path / "out")


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no UTF-8")
def test_names_in_any_bytes_are_kept(tmp_path):
    folder = tmp_path / "midi"
    folder.mkdir()
    tune(0).write(folder / "a.mid")
    os.rename(folder / "a.mid", os.fsencode(folder) + b"/caf\xe9\n.mid")
    corpus = run(folder, tmp_path / "out")
    assert os.fsencode(corpus.pieces[0].path) == b"caf\xe9\n.mid"
