"""Rules allow what music theory says, at the positions it says."""

import numpy as np
import pytest

from composer import RequestError
from composer.constraints.base import Cell, allowed_pitches
from composer.constraints.pitches import BassNotes, ChordTones, InScale, PitchRange, allowed_chords
from composer.score.beats import beat_length, strong_positions
from composer.theory.chords import QUALITIES, Chord
from composer.theory.keys import Key

C, A_MINOR = Key.parse("C"), Key.parse("A minor")


def cell(*chords, key=C, meter=(4, 4)):
    return Cell(key, *meter, chords=tuple((at, text and Chord.parse(text)) for at, text in chords))


def names(mask, position):
    """Return the pitch classes allowed at a position, as letters of a piano's keys."""
    classes = {pitch % 12 for pitch in np.flatnonzero(mask[position])}
    return " ".join("C C# D D# E F F# G G# A A# B".split()[pc] for pc in sorted(classes))


# Key, chord, and the notes that may sound: each altered degree in place of its plain one.
ALTERED = [
    (C, None, "C D E F G A B"),
    (C, "Am", "C D E F G A B"),
    (C, "D7", "C D E F# G A B"),
    (C, "A7", "C# D E F G A B"),
    (C, "E7", "C D E F G# A B"),
    (C, "Caug", "C D E F G# A B"),
    (C, "Fm", "C D E F G G# B"),
    (C, "Ab", "C D D# F G G# B"),
    (C, "Bb", "C D E F G A A#"),
    (C, "Bdim7", "C D E F G G# B"),
    (C, "C7", "C D E F G A A#"),
    (C, "G7b9", "C D E F G G# B"),
    (C, "Cm6", "C D D# F G A B"),
    (C, "D/F#", "C D E F# G A B"),
    (A_MINOR, "E", "C D E F G# A B"),
    (A_MINOR, "E7/G#", "C D E F G# A B"),
    (A_MINOR, "G", "C D E F G A B"),
    (A_MINOR, "G#dim7", "C D E F G# A B"),
    (A_MINOR, "Bb", "C D E F G A A#"),
    (Key.parse("Eb"), "D7", "C D D# F# G A A#"),
]


@pytest.mark.parametrize(("key", "chord", "expected"), ALTERED)
def test_a_chord_alters_the_scale(key, chord, expected):
    mask = InScale().pitches(cell((0, chord), key=key))
    assert names(mask, 0) == expected
    assert mask.shape == (48, 128)


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_a_chord_alters_the_scale_alike_in_every_key(mode):
    for quality in range(len(QUALITIES)):
        for steps in ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))[mode == "minor"]:
            found = set()
            for tonic in range(12):
                key, chord = Key(tonic, mode), Chord((tonic + steps) % 12, quality)
                mask = InScale().pitches(Cell(key, 4, 4, chords=((0, chord),)))[0]
                found.add(tuple(np.roll(mask[:12], -tonic).tolist()))
                assert set(np.flatnonzero(mask) % 12) >= chord.pitch_classes
                assert 5 <= mask[:12].sum() <= 10
            assert len(found) == 1


def test_the_chord_that_holds_counts():
    mask = InScale().pitches(cell((12, "D7"), (24, None), (36, "Fm")))
    assert [names(mask, p) for p in (11, 12, 23, 24, 36)] == [
        "C D E F G A B",
        "C D E F# G A B",
        "C D E F# G A B",
        "C D E F G A B",
        "C D E F G G# B",
    ]


def test_chord_tones_are_owed_on_strong_beats_and_where_a_chord_begins():
    mask = ChordTones().pitches(cell((0, "C"), (30, "F/G")))
    assert [names(mask, p) for p in (0, 24, 30)] == ["C E G", "C E G", "C F G A"]
    assert mask[[1, 12, 23, 25, 31, 36, 47]].all()
    assert ChordTones().pitches(cell()).all()
    assert ChordTones().pitches(cell((0, None))).all()


def test_other_notes_of_the_key_may_pass_between_strong_beats():
    where = ChordTones(passing=True)
    assert where.is_linear
    assert not ChordTones().is_linear
    mask, between = where.pitches(cell((0, "E"))), where.only_passing(cell((0, "E")))
    assert [names(mask, p) for p in (0, 12)] == ["E G# B", "C D E F G# A B"]
    assert [names(between, p) for p in (0, 12)] == ["", "C D F A"]
    assert where.pitches(cell((0, None))).all()
    with pytest.raises(RequestError, match="leaves no note to pass; drop everywhere or passing"):
        ChordTones(everywhere=True, passing=True)


def test_the_bass_speaks_where_a_chord_begins():
    mask = BassNotes().pitches(cell((0, "C/E"), (24, "F"), (36, None)))
    assert [names(mask, p) for p in (0, 24)] == ["E", "F"]
    assert mask[[1, 23, 36, 47]].all()


def test_a_range_holds_everywhere_and_rules_are_joined_by_and():
    given = cell((0, "C"), meter=(3, 4))
    mask = allowed_pitches((PitchRange(60, 72), InScale(), ChordTones()), given)
    assert mask.shape == (36, 128)
    assert np.flatnonzero(mask[0]).tolist() == [60, 64, 67, 72]
    assert np.flatnonzero(mask[1]).tolist() == [60, 62, 64, 65, 67, 69, 71, 72]
    assert allowed_pitches((), given).all()


def test_a_chord_not_in_the_key_has_a_bass_that_may_sound():
    rules = (InScale(), ChordTones(), BassNotes())
    assert names(allowed_pitches(rules, cell((0, "C/F#"))), 0) == "F#"


@pytest.mark.parametrize(
    ("meter", "beat", "strong"),
    [
        ((4, 4), 12, [0, 24]),
        ((3, 4), 12, [0]),
        ((2, 2), 24, [0]),
        ((4, 2), 24, [0, 48]),
        ((6, 8), 18, [0]),
        ((12, 8), 18, [0, 36]),
        ((9, 8), 18, [0]),
        ((5, 8), 6, [0]),
        ((3, 8), 6, [0]),
        ((6, 4), 12, [0, 24, 48]),
        ((1, 16), 3, [0]),
        ((32, 16), 3, list(range(0, 96, 6))),
    ],
)
def test_beats(meter, beat, strong):
    assert beat_length(*meter) == beat
    assert strong_positions(*meter).tolist() == strong


def chords_of(mask):
    return {Chord(int(root), int(quality)).symbol() for root, quality in np.argwhere(mask)}


def test_chords_lie_in_the_key():
    found = chords_of(allowed_chords(C))
    assert {"C", "Dm", "G7", "Fmaj7", "Am7", "Bdim"} <= found
    assert not found & {"D", "Cm", "E7", "Bb", "Caug"}


def test_minor_has_its_dominant_too():
    found = chords_of(allowed_chords(A_MINOR))
    assert {"Am", "E7", "E", "Em", "G7", "G#dim7"} <= found
    assert "C7" not in found


@pytest.mark.parametrize(
    ("sounding", "held"),
    [
        ([0], {0}),
        ([4, 7], {4, 7}),
        ([1], {1}),  # the key lacks it
        ([0, 1, 2, 3], {0}),  # no chord holds all: the last are given up first
    ],
)
def test_chords_hold_what_sounds(sounding, held):
    found = np.argwhere(allowed_chords(C, sounding)).tolist()
    assert found
    for root, quality in found:
        assert held <= set(Chord(root, quality).tones)
