"""The same seed gives the same music, whatever came before, beside it, or was interrupted.

What is behind the public calls and changes, or is remembered:

- decoders, whose caches every call writes: each call leases one of its own (``Model.lease``), a
  stream has one to itself; copies and pickles have caches, and addresses of them, of their own;
- ``lru_cache`` by keys: those whose results hang on spelling go by the sharps as well, as equal
  keys may be spelled differently; so does ``Cell``;
- the model of the package, loaded once (``composer.api``): it holds a ``Model``, as above;
- streams: a bar that is interrupted leaves what it began with;
- scores and patches: their tables cannot be written, copied and unpickled ones neither.
"""

import copy
import multiprocessing
import pickle
import random
import subprocess
import sys
import typing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice

import numpy as np
import pytest

import composer
from composer import Composer, Score
from tests.tree import ROOT

pytestmark = pytest.mark.slow

CALLS = [
    ("melody", ("C Am F G",), {}),
    ("melody", ("Gb Ebm Cb Db",), {"key": "Gb"}),
    ("melody", ("F# D#m B C#",), {"key": "F#"}),
    ("chords", (), {"key": "F#", "bars": 3}),
    ("chords", (), {"key": "Gb", "bars": 3}),
    ("melody", ("Am F",), {"n": 3}),
]


def music(score):
    return [track.notes.tobytes() for track in score.tracks], score.chords


def outcome(at, seed=1):
    name, given, settings = CALLS[at]
    return music(getattr(composer, name)(*given, seed=seed, **settings))


@pytest.fixture(scope="module")
def fresh():
    """What each call gives in a process in which it is the first one."""
    found = []
    for at in range(len(CALLS)):
        code = (
            "import pickle, sys; from tests.verbs.test_state import outcome;"
            f"sys.stdout.buffer.write(pickle.dumps(outcome({at})))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        found.append(pickle.loads(done.stdout))
    return found


@pytest.mark.parametrize("order", range(3))
def test_whatever_was_called_before(fresh, order):
    for at in random.Random(order).choices(range(len(CALLS)), k=12):
        assert outcome(at) == fresh[at], CALLS[at]


def test_whatever_runs_beside_it(fresh):
    at = [i % len(CALLS) for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        for i, found in zip(at, pool.map(outcome, at), strict=True):
            assert found == fresh[i], CALLS[i]


def test_decoders_are_as_many_as_run_at_once(random_composer):
    for _ in range(20):
        random_composer.melody("C", bars=1, seed=1)
    assert len(random_composer.model._idle) == 1


def test_a_copy_and_a_pickle_write_the_same_and_stand_alone(model_folder):
    first = Composer.load(model_folder)
    expected = music(first.melody("C G", bars=2, seed=1))
    copies = [copy.copy(first), copy.deepcopy(first), pickle.loads(pickle.dumps(first))]
    other = pickle.loads(pickle.dumps(first.model.decoder))
    assert other._own.addresses != first.model.decoder._own.addresses
    assert other._own.addresses[0] == other._own.keys.ctypes.data
    del first
    for one in copies:
        assert music(one.melody("C G", bars=2, seed=1)) == expected


def test_copies_of_a_decoder_share_no_cache(decoders):
    decoder = decoders[512].blank()
    decoder.prefill([1, 2, 3])
    after = decoder.fork().step(4)
    for make in (copy.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))):
        other = make(decoder)
        other.truncate(1)
        other.prefill(range(5, 40))
        np.testing.assert_array_equal(decoder.fork().step(4), after)
        again = make(decoder)
        np.testing.assert_array_equal(again.step(4), after)


def written(given):
    return music(given.melody("C G", bars=2, seed=1))


def test_a_composer_goes_to_other_processes(model_folder):
    given = Composer.load(model_folder)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert [*pool.map(written, [given] * 2)] == [written(given)] * 2


class Stop(BaseException):
    """Stands for KeyboardInterrupt, which would end the tests where one got away."""


def interrupted(stream, after):
    """Let a stream be interrupted after so many lines of Python, unless the bar ends before."""
    left = after

    def trace(frame, event, argument):
        nonlocal left
        if "/composer/" in frame.f_code.co_filename:
            left -= 1
            if left < 0:
                raise Stop
        return trace

    sys.settrace(trace)
    try:
        next(stream)
    except Stop:
        return True
    finally:
        sys.settrace(None)
    return False


def test_an_interrupted_bar_comes_again(random_composer):
    settings = {"instruments": ["piano", "bass"], "seed": 3}
    expected = [music(bar) for bar in islice(random_composer.stream("Am F C G", **settings), 6)]
    rng = random.Random(1)
    for _ in range(12):
        stream = random_composer.stream("Am F C G", **settings)
        found = []
        while len(found) < 6:
            while interrupted(copied := stream, rng.randrange(3000)) and rng.random() < 0.7:
                pass
            if copied.bars > len(found):  # the bar has ended before the interrupt
                break
            found.append(music(next(stream)))
        assert found == expected[: len(found)]


def test_a_stream_that_is_pickled_goes_on(random_composer):
    stream = random_composer.stream("Am F C G", instruments=["bass"], seed=3)
    next(stream)
    other = pickle.loads(pickle.dumps(stream))
    assert [music(next(other)) for _ in range(3)] == [music(next(stream)) for _ in range(3)]


@pytest.mark.parametrize(
    "make", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_tables_cannot_be_written_in_copies(make):
    tune = composer.infill(composer.example("shenandoah"), 2, seed=1)
    other = make(tune)
    assert other == tune
    tables = [*(t.notes for t in other.tracks), other.tempos, other.time_signatures]
    (change,) = other.history[-1].tracks
    tables += [change.notes.out, change.notes.put]
    for table in tables:
        with pytest.raises(ValueError, match="read-only"):
            table["onset" if "onset" in table.dtype.names else "tick"] = 0


@pytest.mark.parametrize(
    "name", "melody chords harmonize arrange infill extend vary reduce stream".split()
)
def test_the_types_of_a_verb_can_be_looked_up(name):
    hints = typing.get_type_hints(getattr(composer, name))
    assert hints["return"] is Score or name == "stream"
    assert "model" not in hints


def test_a_progress_bar_may_be_asked_for():
    assert composer.load(progress=True).model.progress
    assert not composer.load().model.progress
