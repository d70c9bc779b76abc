import os
import time

import numpy as np
import pytest

from composer.errors import MidiError, TokenError
from composer.score.score import Score, Track
from composer.tokenizers import REMI, Cells, REMIPlus
from tests.fuzz import mutate
from tests.fuzz.mutations import MUTATIONS, made_here, mutated, put_together, sources, take_apart
from tests.midi_bytes import END, NOTE, midi

FILES = sources()
TOKENIZERS = [REMI(), REMIPlus(), Cells()]
PLAIN = midi(NOTE + END)
SCORE = Score(480, (Track(notes=[(0, 480, 60, 90)]),))


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory):
    """The first file of a machine waits for the compiler, which is not a slow file."""
    mutate.check(PLAIN, [], tmp_path_factory.mktemp("first"))


@pytest.mark.parametrize("seed", range(10))
def test_a_broken_file_is_a_score_or_refused(seed, tmp_path):
    for index in range(50):
        outcome = mutate.check(mutated(seed, index, FILES), TOKENIZERS, tmp_path)
        assert not outcome.failure, f"file {index} of seed {seed}"


def test_broken_files_are_the_same_for_the_same_seed_and_differ():
    files = [mutated(3, index, FILES) for index in range(200)]
    assert files == [mutated(3, index, FILES) for index in range(200)]
    assert len(set(files)) > 190
    assert files[7] != mutated(4, 7, FILES)
    assert len(set(files) & set(FILES)) < 10


def test_many_broken_files_can_still_be_read(tmp_path):
    # Else nothing but the refusal would be looked at.
    names = [mutate.check(mutated(5, i, FILES), [], tmp_path).names for i in range(200)]
    assert names.count(["read"]) > 50
    assert names.count(["refused"]) > 50


@pytest.mark.parametrize("change", MUTATIONS)
def test_each_mutation_stands_any_file(change):
    import random

    rng = random.Random(0)
    for content in (b"", b"M", b"MTrk", b"MThd", *FILES):
        results = {change(rng, content, FILES) for _ in range(20)}
        assert content not in (PLAIN, FILES[0]) or len(results) > 1


@pytest.mark.parametrize("content", [*made_here(), PLAIN])
def test_a_file_taken_apart_and_put_together_is_the_same(content):
    assert put_together(take_apart(content)) == content


def check(monkeypatch, tmp_path, name, replacement):
    monkeypatch.setattr(mutate, name, replacement)
    return mutate.check(PLAIN, TOKENIZERS, tmp_path)


def slow(content):
    time.sleep(mutate.MAX_READING)  # set to a moment below
    return SCORE


def test_what_ought_not_to_be_is_told(monkeypatch, tmp_path):
    def raising(error):
        def read(content):
            raise error

        return read

    assert mutate.check(PLAIN, TOKENIZERS, tmp_path).names == ["read"]
    assert "KeyError: 5" in check(monkeypatch, tmp_path, "read_midi", raising(KeyError(5))).failure
    told = check(monkeypatch, tmp_path, "read_midi", raising(MidiError("two\nlines"))).failure
    assert "not a sentence" in told
    assert not check(monkeypatch, tmp_path, "read_midi", raising(MidiError("no"))).failure
    scores = iter([SCORE, Score()])
    told = check(monkeypatch, tmp_path, "read_midi", lambda content: next(scores)).failure
    assert "it is another score" in told
    monkeypatch.setattr(mutate, "MAX_READING", 0.001)
    assert "reading took" in check(monkeypatch, tmp_path, "read_midi", slow).failure


def test_a_tokenizer_that_changes_its_ids_or_refuses_them_is_told(monkeypatch, tmp_path):
    class Growing(REMI):
        calls = 0

        def _encode(self, score):
            self.calls += 1
            return np.arange(self.calls)

        def decode(self, ids):
            return SCORE

    class Forgetful(REMI):
        def decode(self, ids):
            raise TokenError("never seen")

    class Narrow(REMI):
        def _encode(self, score):
            raise TokenError("too long")

    assert "others the second time" in mutate.check(PLAIN, [Growing()], tmp_path).failure
    assert "are refused" in mutate.check(PLAIN, [Forgetful()], tmp_path).failure
    assert mutate.check(PLAIN, [Narrow()], tmp_path)[:2] == (["read", "not remi"], "")


def test_the_program_counts_and_says_whether_all_went_well(capsys):
    assert mutate.main(["--count", "3", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("3 files: {")
    assert ", 0 failures" in said


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="nobody knows the memory")
def test_memory_is_measured():
    before = mutate.memory()
    block = np.ones(2**27, np.uint8)
    assert before > 20
    assert mutate.memory() >= max(before, block.nbytes / 2**20)


def dies_at_the_second(sender, folder, seed, first, last):
    sender.send(None)
    for index in range(first, last):
        if index == 1:
            os._exit(9)
        sender.send((mutate.Outcome(["read"], "", 0.0), 600.0 if index == 3 else 9.0))


def test_a_file_that_ends_or_bloats_the_process_is_told_and_the_next_ones_read(monkeypatch):
    monkeypatch.setattr(mutate, "work", dies_at_the_second)
    failures = [outcome.failure for outcome, _ in mutate.run(mutate.FOLDER, 0, 0, 5)]
    assert failures == ["", "the process ended with code 9", "", "600 MB of memory", ""]
