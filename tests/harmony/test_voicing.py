"""Block chords lie well: the bass below, every tone there, small moves, no drift."""

import random

import numpy as np
import pytest

from composer.harmony.voicing import CENTRE, block_chords, voice
from composer.theory.chords import QUALITIES, Chord

ALL = [Chord(root, quality) for root in range(12) for quality in range(len(QUALITIES))]


def random_chords(count, seed=1):
    rng = random.Random(seed)
    for _ in range(count):
        chord = rng.choice(ALL)
        bass = rng.choice((None, *chord.tones, rng.randrange(12)))
        yield Chord(chord.root, chord.quality, bass)


@pytest.mark.parametrize("chord", ALL, ids=str)
def test_a_chord_has_its_tones_and_no_others(chord):
    sounding = {pitch % 12 for pitch in voice(chord, [])}
    assert sounding <= set(chord.tones)
    left_out = set(chord.tones) - sounding
    assert left_out <= ({(chord.root + 7) % 12} if len(chord.tones) == 5 else set())


def test_voices_never_meet_and_stay_around_the_centre():
    before = []
    for chord in random_chords(3000):
        bass, *upper = before = voice(chord, before)
        assert bass % 12 == (chord.root if chord.bass is None else chord.bass)
        assert 36 <= bass <= 47
        assert bass < upper[0]
        assert upper == sorted(set(upper))
        assert abs(np.mean(upper) - CENTRE) < 9


def test_upper_voices_move_little():
    moves, before = [], []
    for chord in random_chords(500, seed=2):
        after = voice(chord, before)
        if before:
            moves.append(abs(np.mean(after[1:]) - np.mean(before[1:])))
        before = after
    assert max(moves) < 7
    assert np.mean(moves) < 2.5


def test_block_chords_hold_until_the_next():
    chords = [(0, Chord(0)), (960, None), (1440, Chord(7))]
    notes = block_chords(chords, 1920)
    assert sorted(set(notes["onset"].tolist())) == [0, 1440]
    assert set(notes["duration"][notes["onset"] == 0].tolist()) == {960}
    assert set(notes["duration"][notes["onset"] == 1440].tolist()) == {480}


@pytest.mark.parametrize("chords", [[], [(0, None)], [(480, Chord(0))]])
def test_without_chords_or_time_there_are_no_notes(chords):
    assert len(block_chords(chords, 480)) == 0
