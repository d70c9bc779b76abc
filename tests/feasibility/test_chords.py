"""Chords that are written follow what the bar's parts need, and change where they have to."""

import pytest

import composer
from composer import ChordTones, Locked, MaxLeap, RequestError, Score, Track

CHROMATIC = Score(
    tpq=480,
    tracks=[Track("Flute", 73, False, [(i * 480, 480, 72 + i % 4, 80) for i in range(8)])],
    key_signatures=[(0, 0, 0)],
)


def test_chords_change_where_no_single_one_would_do(random_composer):
    where = ChordTones(everywhere=True)
    for seed in range(3):
        song = random_composer.harmonize(CHROMATIC, where=where, seed=seed)
        assert composer.check(song, where, parts=["flute"]) == []
        assert len(song.chords) >= 4


def test_a_bar_has_as_many_chords_as_asked_for_and_is_refused_where_these_are_too_few(
    random_composer,
):
    where = ChordTones(everywhere=True)
    with pytest.raises(RequestError, match=r"no single chord in bar 1 will do for Flute"):
        random_composer.harmonize(CHROMATIC, where=where, chords_per_bar=1)
    song = random_composer.harmonize(CHROMATIC, where=where, chords_per_bar=4, seed=1)
    assert composer.check(song, where, parts=["flute"]) == []


@pytest.mark.parametrize("seed", range(4))
def test_chords_change_under_a_line_that_no_single_one_would_do_for(random_composer, seed):
    where = [Locked(), ChordTones(everywhere=True), MaxLeap(3)]
    song = random_composer.infill(CHROMATIC, "1-2", ["chords", "flute"], where=where, seed=seed)
    assert composer.check(song, where, before=CHROMATIC) == []
    assert len(song.chords) >= 4
