"""Constraints of a user's own hold as those of the package do, or are refused at the call."""

import dataclasses

import numpy as np
import pytest

import composer
from composer import MaxRepeatedNotes, RequestError, Score, Track
from composer.constraints.base import Constraint, Onsets, pitches_of


@dataclasses.dataclass(frozen=True)
class Pentatonic(Constraint):
    pitched = True

    def pitches(self, cell):
        five = frozenset((cell.key.tonic + step) % 12 for step in (0, 2, 4, 7, 9))
        return np.tile(pitches_of(five), (cell.positions, 1))


@dataclasses.dataclass(frozen=True)
class OnEighths(Constraint):
    """Two onsets a bar or more, all on eighths, the second eighth among them."""

    def onsets(self, cell):
        is_open = np.zeros((cell.positions, 128), bool)
        is_open[::6] = True
        return Onsets(least=2, required=(6,), open=is_open)


@dataclasses.dataclass(frozen=True)
class AtMost(Constraint):
    count: int = 2

    def voices(self, program, is_drum):
        return self.count


@pytest.mark.parametrize("seed", range(3))
def test_pitches_onsets_and_voices_hold_and_are_checked(random_composer, seed):
    where = [Pentatonic(parts="piano"), OnEighths(parts=["piano", "bass"]), AtMost(2)]
    tune = random_composer.melody("C G Am F", key="C", seed=seed)
    song = random_composer.arrange(
        tune, ["piano", "bass", "drums"], where=where, key="C", seed=seed
    )
    assert composer.check(song, where, key="C", parts=["piano", "bass", "drums"]) == []
    assert song.certificate().holds
    piano = song.tracks[1].notes
    assert {int(pitch) % 12 for pitch in piano["pitch"]} <= {0, 2, 4, 7, 9}
    eighth = song.tpq // 2
    assert not (piano["onset"] % eighth).any()
    for bar in range(4):
        assert eighth + 4 * bar * song.tpq in piano["onset"]


def test_what_breaks_one_is_told():
    notes = [(0, 240, 61, 90), (480, 240, 60, 90)]
    score = Score(tpq=480, tracks=(Track("A", notes=notes),))
    wrong = composer.check(score, [Pentatonic(), OnEighths(), AtMost(0)], key="C")
    assert [breach.what for breach in wrong] == [
        "pitch 61 begins at position 0",
        "no onset at position 6",
        "1 notes sound at position 0, more than 0",
        "1 notes sound at position 12, more than 0",
    ]


def test_one_that_says_nothing_is_refused_at_the_call(random_composer):
    @dataclasses.dataclass(frozen=True)
    class Beautiful(Constraint):
        pass

    with pytest.raises(RequestError, match="Beautiful does not say what it asks for; define"):
        random_composer.melody("C", where=Beautiful())


def test_one_whose_values_are_not_told_apart_is_refused():
    class Loose(Pentatonic):
        pass

    with pytest.raises(RequestError, match="Loose is not a dataclass"):
        composer.check(Score(), Loose())


def test_one_that_returns_another_shape_is_refused(random_composer):
    @dataclasses.dataclass(frozen=True)
    class Flat(Constraint):
        def pitches(self, cell):
            return np.ones(128, bool)

    with pytest.raises(RequestError, match=r"Flat\(\) returns pitches of shape \(128,\) for a bar"):
        random_composer.melody("C", where=Flat())


@pytest.mark.parametrize("notes", [1, 2, 3])
def test_no_more_notes_of_one_pitch_in_a_row_than_are_asked_for(random_composer, notes):
    where = [MaxRepeatedNotes(notes), composer.OnsetCount(min=6)]
    for seed in range(4):
        tune = random_composer.melody("C G", bars=4, where=where, range="C4-E4", key="C", seed=seed)
        pitches = tune.tracks[0].notes["pitch"].tolist()
        runs = [pitches[i : i + notes + 1] for i in range(len(pitches) - notes)]
        assert runs
        assert all(len({*run}) > 1 for run in runs)
        assert composer.check(tune, where) == []


def test_a_run_over_a_bar_line_is_told_in_the_bar_of_its_last_note():
    notes = [(at * 480, 480, 60, 90) for at in range(5)]
    score = Score(tpq=480, tracks=(Track("A", notes=notes),))
    (wrong,) = composer.check(score, MaxRepeatedNotes(4))
    assert (wrong.bar, wrong.what) == (2, "note 5 in a row of pitch 60 at position 0")


@pytest.mark.parametrize("notes", [0, -1, 1.5, True, 1001])
def test_a_number_that_leaves_no_line_is_refused(notes):
    with pytest.raises(RequestError, match="leaves no line; give notes from 1 to 1000"):
        MaxRepeatedNotes(notes)
