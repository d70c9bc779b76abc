"""The checker finds each kind of breach, and only that."""

import numpy as np
import pytest

from composer import (
    ChordTones,
    InScale,
    MaxPolyphony,
    Monophonic,
    OnsetCount,
    PitchRange,
    RequestError,
    Rhythm,
    Score,
    Track,
    check,
)
from composer.constraints.base import Constraint

# C4, E4 and G4 together on 1, F#4 on 2 and 3, the first of them held on, in bar 1; G3 in bar 2.
PIANO = Track(
    "Piano",
    notes=[
        (0, 480, 60, 80),
        (0, 480, 64, 80),
        (0, 480, 67, 80),
        (480, 960, 66, 80),
        (960, 480, 54, 80),
        (1920, 480, 55, 80),
    ],
)
DRUMS = Track("Drums", 0, True, [(0, 960, 36, 80), (240, 960, 38, 80)])
SCORE = Score(
    tpq=480, tracks=(PIANO, DRUMS), key_signatures=[(0, 0, 0)], chords=[(0, "C"), (960, "D7")]
)

FOUND = [
    (OnsetCount(min=3, parts=1), [(2, "1 onsets, fewer than 3")]),
    (OnsetCount(max=2, parts=1), [(1, "3 onsets, more than 2")]),
    (Rhythm(required=[2], parts=1), [(2, "no onset at position 12")]),
    (
        Rhythm(allowed=[1, 1.5, 3]),
        [(1, "an onset at position 12")],
    ),
    (
        Monophonic(parts=1),
        [(1, "3 notes sound at position 0, more than 1"), (1, "2 notes sound at position 24, "
         "more than 1")],
    ),
    (MaxPolyphony(2), [(1, "3 notes sound at position 0, more than 2")]),
    (MaxPolyphony(1, parts="drums"), []),
    (PitchRange(55, 66, bars=1), [
        (1, "pitch 67 begins at position 0"), (1, "pitch 54 begins at position 24")
    ]),
    (PitchRange(36, 37, parts=2), [(1, "pitch 38 begins at position 6")]),
    (InScale(), [(1, "pitch 66 begins at position 12")]),
    (ChordTones(), [(2, "pitch 55 begins at position 0")]),
    (ChordTones(everywhere=True, bars=1), [(1, "pitch 66 begins at position 12")]),
]  # fmt: skip


@pytest.mark.parametrize(("constraint", "expected"), FOUND)
def test_each_breach_is_found(constraint, expected):
    found = check(SCORE, constraint, key="C")
    assert sorted((breach.bar, breach.what) for breach in found) == sorted(expected)
    assert all(breach.constraint == constraint for breach in found)


PASSING = [
    ([72, 74, 76], True),  # C, D, E over C
    ([72, 74, 72], True),  # a neighbour
    ([72, 71, 69, 67], True),  # two in a row
    ([76, 74, 79], False),  # left by a leap
    ([79, 74, 72], False),  # come to by one
    ([76, 75, 76], False),  # not of the key
    ([72, 74, 74, 76], False),  # said again is not a step
    ([72, 74], False),  # nothing follows
    ([72, (67, 74), 76], True),
    ([72, (69, 74), 76], False),  # only the highest may pass
    ([72, (74, 79), 76], False),
]


@pytest.mark.parametrize(("pitches", "passes"), PASSING)
def test_passing_notes_are_told_by_their_steps(pitches, passes):
    rows = []
    for i, pitch in enumerate(pitches):
        rows += [(i * 240, 240, one, 80) for one in np.atleast_1d(pitch).tolist()]
    score = Score(tpq=480, tracks=[Track("Flute", 73, False, rows)], chords=[(0, "C")])
    assert (check(score, ChordTones(passing=True), key="C") == []) == passes


def test_a_passing_note_on_a_strong_beat_is_none():
    rows = [(i * 240, 240, pitch, 80) for i, pitch in enumerate((72, 72, 72, 76, 77, 79))]
    score = Score(tpq=480, tracks=[Track("Flute", 73, False, rows)], chords=[(0, "C")])
    found = check(score, ChordTones(passing=True), key="C")
    assert [breach.what for breach in found] == ["pitch 77 begins at position 24"]


def test_only_what_is_named_is_looked_at():
    where = [OnsetCount(min=9)]
    assert {(b.part, b.bar) for b in check(SCORE, where)} == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert {(b.part, b.bar) for b in check(SCORE, where, bars=(2, 3))} == {
        (1, 2), (2, 2), (1, 3), (2, 3)
    }  # fmt: skip
    assert check(SCORE, where, bars="2-3") == check(SCORE, where, bars=(2, 3))
    assert {(b.part, b.bar) for b in check(SCORE, where, bars=2)} == {(1, 2), (2, 2)}
    assert {(b.part, b.bar) for b in check(SCORE, where, parts=["drums"])} == {(2, 1), (2, 2)}


def test_a_breach_in_words():
    (breach,) = check(SCORE, OnsetCount(max=2, parts=1))
    assert str(breach) == "OnsetCount(max=2) in bar 1 of part 1: 3 onsets, more than 2"


def test_what_it_does_not_know_is_refused():
    with pytest.raises(
        RequestError, match="Constraint does not say what it asks for; define pitches"
    ):
        check(SCORE, Constraint())


@pytest.mark.parametrize("where", [5, [5], "low"])
def test_what_is_no_constraint_cannot_be_checked(where):
    with pytest.raises(RequestError, match="which is not a constraint; for example"):
        check(Score(), where)
