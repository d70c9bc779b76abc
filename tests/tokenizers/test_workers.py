"""Worker processes: what one item does to its process costs only that item."""

import json
import os
import pickle
import subprocess
import sys
import textwrap
import threading

import pytest

from composer.errors import TrainingError
from composer.tokenizers.corpus.workers import _START, Lost, as_message, receive, run_job, send

pytestmark = pytest.mark.slow

MODULE = """
import ctypes, faulthandler, os, pathlib, signal, sys, time

def job(item):
    word, _, rest = item.partition(":")
    if word == "segfault":
        ctypes.string_at(0)
    if word == "abort":
        os.abort()
    if word == "exit":
        os._exit(7)
    if word in ("hang", "hang for good"):
        if word == "hang for good":  # then only the parent can end it
            faulthandler.cancel_dump_traceback_later()
        while True:
            time.sleep(60)
    if word == "once":  # the first process that gets it dies of something else
        seen = pathlib.Path(rest)
        if not seen.exists():
            seen.touch()
            os.kill(os.getpid(), signal.SIGTERM)
    if word == "print":
        print("x" * 100_000)
        sys.stdout.flush()
        os.write(1, b"y" * 100_000)
    if word == "modules":
        return sorted(sys.modules)
    return item.upper()

class Broken:
    def __setstate__(self, state):
        raise RuntimeError("not here")
    def __getstate__(self):
        return {"some": "state"}
    def __call__(self, item):
        return item

class Deadly(Broken):
    def __setstate__(self, state):
        os._exit(3)
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    (tmp_path / "jobs_of_a_test.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(str(tmp_path))
    import jobs_of_a_test

    yield jobs_of_a_test
    del sys.modules["jobs_of_a_test"]


def results(job, items, workers=2, timeout=60.0):
    found = dict(run_job(job, items, workers=workers, timeout=timeout))
    assert sorted(found) == list(range(len(items)))
    return [found[i] for i in range(len(items))]


@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_is_done_once(jobs, workers):
    items = [f"item {i}" for i in range(50)]
    assert results(jobs.job, items, workers) == [item.upper() for item in items]
    assert results(jobs.job, []) == []


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("segfault", "crashed: ended by SIGSEGV"),
        ("abort", "crashed: ended by SIGABRT"),
        ("exit", "crashed: ended with status 7"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="names of signals")
def test_a_crash_costs_one_item(jobs, item, reason):
    found = results(jobs.job, ["a", item, "b", "c"], workers=1)
    assert isinstance(found[1], Lost)
    assert str(found[1]) == reason
    assert [found[0], *found[2:]] == ["A", "B", "C"]


def test_a_hang_costs_one_item(jobs):
    found = results(jobs.job, ["a", "hang for good", "b"], workers=1, timeout=1.0)
    assert str(found[1]) == "took over 1 seconds"
    assert (found[0], found[2]) == ("A", "B")


def test_a_process_that_hangs_ends_even_if_nobody_ends_it(jobs):
    command = [sys.executable, "-c", _START, json.dumps(sys.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        send(process.stdin, as_message(jobs.job))
        assert receive(process.stdout) == b""
        send(process.stdin, pickle.dumps(("hang", 0.2)))
        assert receive(process.stdout) is None
        assert process.wait() == 1


def test_an_item_whose_process_dies_of_something_else_is_tried_again(jobs, tmp_path):
    item = f"once:{tmp_path / 'seen'}"
    assert results(jobs.job, [item]) == [item.upper()]


def test_what_is_printed_does_not_disturb_the_answers(jobs, capfd):
    assert results(jobs.job, ["print", "a"], workers=1) == ["PRINT", "A"]
    assert "yyy" in capfd.readouterr().err


def test_workers_import_little(jobs):
    (modules,) = results(jobs.job, ["modules"])
    assert "composer.tokenizers" in modules
    assert not {"torch", "transformers", "music21", "pytest", "tqdm"} & set(modules)


def test_stopping_early_ends_the_processes(jobs):
    before = threading.active_count()
    running = run_job(jobs.job, ["a", "hang", *"bcdefghijklmnopq"], workers=2, timeout=60.0)
    next(running)
    running.close()
    assert threading.active_count() == before


def test_what_has_no_name_is_refused(jobs):
    with pytest.raises(TrainingError, match="define the preparation"):
        as_message(lambda score: score)
    with pytest.raises(TrainingError, match="define the preparation"):
        results(lambda item: item, ["a"])


def test_a_job_that_cannot_be_made_in_a_worker_is_said_once(jobs):
    with pytest.raises(TrainingError, match="RuntimeError: not here"):
        results(jobs.Broken(), ["a", "b", "c"])
    with pytest.raises(TrainingError, match="did not start: ended with status 3"):
        results(jobs.Deadly(), ["a", "b", "c"])


def test_nothing_of_the_environment_is_changed(jobs):
    before = dict(os.environ)
    results(jobs.job, ["a"])
    assert dict(os.environ) == before
