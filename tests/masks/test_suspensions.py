"""Notes that lean on the chord, step by step, and in melodies of a model of random weights."""

import numpy as np
import pytest

import composer
from composer import ChordTones, Locked, OnsetCount, Rhythm
from composer.constraints.base import Cell
from composer.masks.suspensions import Suspensions
from composer.metrics.measures import chord_tones
from composer.theory.chords import parse_chord
from composer.theory.keys import Key

C_MAJOR = Cell(Key.parse("C"), 4, 4, ((0, parse_chord("C")), (24, parse_chord("F"))))


def suspensions(low=60, high=72, closed=()):
    """Return those of a bar of C and F, in the white keys of a range, but at some positions."""
    pitches = np.zeros((48, 128), bool)
    pitches[:, low : high + 1] = np.isin(np.arange(low, high + 1) % 12, [0, 2, 4, 5, 7, 9, 11])
    pitches[list(closed)] = False
    usual = pitches & ChordTones().pitches(C_MAJOR)
    return Suspensions(pitches, usual, ChordTones(everywhere=True).pitches(C_MAJOR))


def named(mask):
    return np.flatnonzero(mask).tolist()


def test_a_note_may_lean_where_one_of_the_chord_can_follow_a_step_away():
    found = suspensions()
    assert named(found.pitches[0]) == [60, 62, 64, 65, 67, 69, 71, 72]  # each has a neighbour
    assert not found.must_resolve
    found.accept(0, 62)
    assert found.must_resolve
    assert named(found.positions()) == [*range(48)]
    assert named(found.following(6)) == [60, 64]
    assert named(found.following(30)) == [60]  # of F
    found.accept(6, 64)
    assert not found.must_resolve


def test_what_leans_ends_in_time():
    found = suspensions(closed=range(24, 48))
    assert found.latest(0, 65, 48) == 23
    assert found.latest(0, 64, 48) == 48  # of the chord
    # At the end of the bar nothing could follow.
    assert named(suspensions(closed=range(25, 48)).pitches[24]) == [60, 65, 69, 72]


def test_none_leans_where_no_note_of_the_chord_could_begin():
    assert named(suspensions(low=62, high=62).pitches[0]) == []
    assert named(suspensions(low=62, high=62).pitches[1]) == [62]


def leaning_notes(tune):
    """Return (onset, pitch, next pitch, tones there) of what leans on strong beats."""
    chords = [(tick, parse_chord(text).pitch_classes) for tick, text in tune.chords]

    def tones(tick):
        return [classes for start, classes in chords if start <= tick][-1]

    notes = tune.tracks[0].notes
    for i, (onset, _, pitch, _) in enumerate(notes.tolist()):
        if onset % 960 == 0 and pitch % 12 not in tones(onset):
            following = notes[i + 1] if i + 1 < len(notes) else None
            alike = following is not None and following["onset"] // 1920 == onset // 1920
            next_pitch = int(following["pitch"]) if alike else None
            yield onset, pitch, next_pitch, tones(following["onset"]) if alike else ()


def test_in_melodies_they_are_followed_by_a_note_of_the_chord(random_composer):
    count, strong = 0, [Rhythm(required=[1, 3])]
    for seed in range(4):
        tune = random_composer.melody("C Dm G C", bars=8, where=strong, seed=seed)
        for _, pitch, following, tones in leaning_notes(tune):
            assert following is not None
            assert abs(following - pitch) in (1, 2)
            assert following % 12 in tones
            count += 1
    assert count > 5


LOCKED = [(bar, beat, pitch, 0.5) for bar, beat, pitch in [(2, 3, "G4"), (3, 2.5, "A4")]]
TIGHT = {
    "one onset": [OnsetCount(min=1, max=1)],
    "two onsets": [OnsetCount(min=1, max=2)],
    "four onsets, two of them given": [OnsetCount(min=4, max=4), Rhythm(required=[1, 2])],
    "onsets given": [Rhythm(required=[1, 2, 3])],
    "three places for three onsets": [Rhythm(allowed=[1, 2, 3]), OnsetCount(min=3)],
    "notes that stay": [Locked(LOCKED)],
    "notes that stay and few others": [Locked(LOCKED), OnsetCount(max=3)],
}


@pytest.mark.parametrize("name", TIGHT)
def test_they_lean_only_where_what_is_asked_leaves_room_for_what_follows(name, random_composer):
    stay = {(1, 960, 67), (2, 720, 69)} if "stay" in name else set()
    for make in (random_composer, composer):
        for seed in range(12):
            tune = make.melody("C Dm G C", bars=8, where=TIGHT[name], seed=seed)
            for onset, pitch, following, tones in leaning_notes(tune):
                if (onset // 1920, onset % 1920, pitch) in stay:
                    continue
                assert following is not None, (seed, onset)
                assert abs(following - pitch) in (1, 2)
                assert following % 12 in tones


def test_a_note_leans_only_if_one_can_follow_where_the_next_may_be():
    found, places = suspensions(), np.zeros(48, bool)
    assert named(found.firm(0, places)) == named(found.firm(0))
    places[30] = True  # under F
    assert 71 in named(found.pitches[0])  # to C
    assert 65 not in named(found.firm(0, places))  # to E or G, which are not of F
    assert 62 in named(found.firm(0, places))  # to C
    assert found.latest(0, 62, 48, places) == 30


@pytest.mark.parametrize("where", [ChordTones(), ChordTones(everywhere=True)])
def test_chord_tones_that_are_asked_for_leave_no_room(where, random_composer):
    for seed in range(3):
        tune = random_composer.melody("C Dm G C", where=[where, OnsetCount(min=3)], seed=seed)
        assert composer.check(tune, [where]) == []
        assert chord_tones(tune) == 1


def test_accompaniments_do_not_lean(random_composer):
    tune = random_composer.melody("C Dm G C", seed=1)
    song = random_composer.arrange(tune, ["piano", "cello", "bass"], seed=1)
    assert chord_tones(song, [2, 3, 4]) == 1
