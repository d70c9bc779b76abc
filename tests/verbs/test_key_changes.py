"""Pieces that change key: what is written lies in the key that holds, whatever the weights."""

import numpy as np
import pytest

from composer import Cadence, InScale, OnsetCount, Score, Track, check
from composer.harmony.inference import bar_keys, song_key
from composer.request.request import PartRules, Request
from composer.score.grid import Part
from composer.theory.chords import parse_chord
from composer.theory.keys import Key
from tests.generate.test_batch import all_of, plain_grid

CHART = "| C F | Dm G7 | C | [key: E] E A | F#m B7 | C#m | [key: C] F G | C |"
C_MAJOR, E_MAJOR = {0, 2, 4, 5, 7, 9, 11}, {1, 3, 4, 6, 8, 9, 11}
KEYS = [C_MAJOR] * 3 + [E_MAJOR] * 3 + [C_MAJOR] * 2


def by_bar(score, track=0):
    """Return the pitch classes that begin in each bar."""
    notes = score.tracks[track].notes
    bars = score.meter.bar_and_position(notes["onset"])[0]
    return [{*(notes["pitch"][bars == bar] % 12).tolist()} for bar in range(score.bars)]


def in_two_keys(last=4):
    """Return four bars, the last two with another signature, and a tune in C throughout."""
    notes = [(480 * i, 480, 60 + (0, 2, 4, 5, 7)[i % 5], 90) for i in range(16)]
    return Score(
        tracks=(Track("Flute", 73, notes=notes),), key_signatures=[(0, 0, 0), (3840, last, 0)]
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_melody_lies_in_the_keys_of_its_chart(seed, random_composer):
    tune = random_composer.melody(CHART, where=OnsetCount(min=5), seed=seed)
    for pitches, key in zip(by_bar(tune), KEYS, strict=True):
        assert pitches
        assert pitches <= key
    assert any(pitches & (E_MAJOR - C_MAJOR) for pitches in by_bar(tune))
    assert tune.key_signatures["sharps"].tolist() == [0, 4, 0]


def test_the_key_of_a_chart_is_that_of_its_chords_before_it_names_another(random_composer):
    tune = random_composer.melody("| C F | G7 C | [key: E] E A | B7 E | E A | B7 E |", seed=1)
    assert song_key(tune) == Key.parse("C")
    assert tune.history[-1].author.key == "C major"


def test_an_arrangement_and_more_bars_go_on_in_the_key_that_holds(random_composer):
    tune = random_composer.melody("| C F | G7 C | [key: E] E A | B7 E |", seed=1)
    song = random_composer.arrange(tune, "bass", where=OnsetCount(min=5), seed=2)
    pitches = by_bar(song, 1)
    assert pitches[0] | pitches[1] <= C_MAJOR
    assert pitches[2] | pitches[3] <= E_MAJOR
    longer = random_composer.extend(tune, 2, where=OnsetCount(min=6), key="C", seed=3)
    for bar in (4, 5):
        start, end = longer.meter.bar_start([bar, bar + 1]).tolist()
        holding = [text for tick, text in longer.chords if tick < end]
        sounding = [text for tick, text in longer.chords if start <= tick < end]
        tones = {t for text in (holding[-1], *sounding) for t in parse_chord(text).pitch_classes}
        assert by_bar(longer)[bar] <= E_MAJOR | tones
    assert longer.certificate().holds


def test_chords_lie_in_the_signature_that_holds(random_composer):
    silent = in_two_keys().replace(tracks=(Track("Flute", 73, notes=[(0, 480, 64, 90)]),))
    long = silent.replace(chords=[(5760, "E")])  # four bars
    song = random_composer.harmonize(long, part=None, chords_per_bar=2, seed=4)
    for tick, text in song.chords:
        key = C_MAJOR if tick < 3840 else E_MAJOR
        assert parse_chord(text).pitch_classes <= key


def test_the_checker_knows_what_key_holds():
    score = in_two_keys()
    found = check(score, InScale())
    assert {breach.bar for breach in found} == {3, 4}
    assert check(in_two_keys(last=0), InScale()) == []
    # The key that is given goes up to the change.
    assert {breach.bar for breach in check(score, InScale(), key="A major")} == {1, 2, 3, 4}


@pytest.mark.parametrize("seed", range(3))
def test_a_cadence_is_on_a_degree_of_the_last_key(seed, random_composer):
    where = Cadence(degree=7, beat=1)  # no note of C
    tune = random_composer.melody("| C | F | [key: E] A | E |", where=where, seed=seed)
    assert tune.tracks[0].notes["pitch"][-1] % 12 == 3
    assert check(tune, where) == []
    assert check(tune.replace(key_signatures=[(0, 0, 0)]), where)


def test_a_stream_follows_its_chart(random_composer):
    stream = random_composer.stream(
        "| C | [key: E] E |", where=[OnsetCount(min=6), InScale()], seed=1
    )
    for key in [C_MAJOR, E_MAJOR] * 2:
        bar = next(stream)
        assert {*(bar.tracks[0].notes["pitch"] % 12).tolist()} <= key
        assert bar.certificate().holds


def test_the_first_signature_is_the_home_key_wherever_it_comes():
    score = Score(key_signatures=[(0, 0, 0), (1920, 3, 1), (3840, 0, 0), (3900, 1, 0)])
    home, other, last = Key.parse("A minor"), Key.parse("F# minor"), Key.parse("G")
    assert bar_keys(score, home, 4) == (home, other, home, last)
    assert bar_keys(Score(), home, 2) == (home, home)


def test_keys_of_other_bars_are_refused():
    grid = plain_grid(2, [Part("", 0)])
    with pytest.raises(ValueError, match="keys for 1 bars; the grid has 2"):
        Request(grid, all_of(grid, 1), (PartRules(),), keys=(Key.parse("C"),))


def test_a_bar_that_is_written_in_two_pieces_is_in_one_key(random_composer):
    long = Score(
        tracks=(Track("Flute", 73, notes=[(0, 480, 64, 90), (480 * 27, 480, 64, 90)]),),
        time_signatures=[(0, 27, 4)],
        key_signatures=[(0, 0, 0), (480 * 5, 4, 0)],
    )
    new = random_composer.infill(long, 1, seed=1)
    assert {*np.unique(new.tracks[0].notes["pitch"][:-1] % 12).tolist()} <= C_MAJOR
