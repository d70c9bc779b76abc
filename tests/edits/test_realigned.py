"""Bars that are not bars of the grid are written, and no other bar is."""

import numpy as np
import pytest

import composer
from composer import RequestError, Score, Track
from composer.edits.cells import own_bars
from composer.edits.realigned import Realigned, is_on_grid
from tests.fuzz.untouched import changed

ODD = {
    "32nds": [(0, 15, 32), (900, 4, 4)],
    "64ths": [(0, 9, 64), (270, 4, 4)],
    "all of 7/32": [(0, 7, 32)],
    "33 quarters": [(0, 33, 4)],
    "late by 5 ticks": [(0, 4, 4), (1925, 3, 4)],
    "inside a bar": [(0, 4, 4), (2920, 3, 4)],
    "nearly at the end of a bar": [(0, 4, 4), (3839, 3, 4)],
    "tiny bars": [(0, 7, 4), (3360, 1, 8), (3361, 1, 8), (3362, 7, 4)],
}


def odd(signatures, tpq=480):
    rows = [(tpq * i // 2, tpq // 2, 48 + i % 7, 90) for i in range(60)]
    return Score(
        tpq,
        [Track("Piano", notes=rows), Track("Bass", 33, notes=rows[::2], controls=[(700, 7, 90)])],
        time_signatures=signatures,
        chords=[(0, "C"), (3000, "F")],
    )


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("tpq", [480, 220, 90])
def test_only_the_bar_that_is_named_is_written(random_composer, name, tpq):
    score = odd([(tick * tpq // 480, n, d) for tick, n, d in ODD[name]], tpq)
    last = own_bars(score)
    assert tpq != 480 or not is_on_grid(score, last)
    for bar in {1, 2, min(3, last), last // 2 + 1, last} & set(range(1, last + 1)):
        other = random_composer.infill(score, bar, "piano", seed=bar)
        assert changed(score, other, {(1, bar)}) == []
        assert other.certificate().holds
        assert other.undo() == score
        assert score.apply(other.history[-1]) == other


@pytest.mark.parametrize("name", ODD)
def test_new_bars_follow_the_last(random_composer, name):
    score = odd(ODD[name])
    last = own_bars(score)
    other = random_composer.extend(score, 2, seed=1)
    cells = {(column, bar) for column in range(3) for bar in (last + 1, last + 2)}
    assert changed(score, other, cells) == []
    assert own_bars(other) > last


@pytest.mark.parametrize("name", ODD)
def test_other_verbs_leave_what_they_are_given(random_composer, name):
    score = odd(ODD[name])
    song = random_composer.arrange(score, ["flute"], seed=1)
    assert song.tracks[:2] == score.tracks
    assert song.time_signatures.tolist() == score.time_signatures.tolist()
    varied = random_composer.vary(score, 0.3, parts="bass", seed=1)
    cells = {
        (r.part, bar) for r in varied.history[-1].regions for bar in range(r.first, r.last + 1)
    }
    assert changed(score, varied, cells) == []


def test_what_is_realigned_and_not_written_comes_back_as_it_was():
    score = odd(ODD["late by 5 ticks"])
    realigned = Realigned.of(score)
    assert realigned.back(realigned.score) == score
    assert realigned.score.bars >= score.bars


def test_scores_of_the_grid_are_left_as_they_are():
    for meter in [(4, 4), (6, 8), (13, 4), (7, 16)]:
        assert Realigned.of(odd([(0, *meter)])) is None


@pytest.mark.parametrize("meter", ["7/32", "3/64", "33/4", "35/16"])
def test_new_pieces_in_bars_that_cannot_be_said_are_refused(random_composer, meter):
    with pytest.raises(RequestError, match=f"meter {meter} has bars that are not written here"):
        random_composer.melody("C G", meter=meter)
    with pytest.raises(RequestError, match=f"meter {meter} has bars that are not written here"):
        random_composer.stream("C G", instruments=["bass"], meter=meter)


@pytest.mark.parametrize("meter", ["1/16", "8/32", "12/64", "13/4", "31/8", "5/2"])
def test_other_odd_meters_are_written_to_the_last_bar_and_no_further(random_composer, meter):
    tune = random_composer.melody("C G Am F", meter=meter, seed=1)
    assert tune.end <= tune.meter.bar_start(4)
    assert composer.check(tune, composer.InScale()) == []
    assert np.isin(tune.tracks[0].notes["onset"] % (tune.tpq // 12), 0).all()
