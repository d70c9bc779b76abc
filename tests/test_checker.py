"""The checker finds each kind of breach, and only that."""

import pytest

from composer import (
    ChordTones,
    InScale,
    MaxPolyphony,
    Monophonic,
    NoteCount,
    PitchRange,
    RequestError,
    Rhythm,
    Score,
    Track,
    check,
)
from composer.where import Constraint

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
    (NoteCount(min=3, parts=1), [(2, "1 onsets, fewer than 3")]),
    (NoteCount(max=2, parts=1), [(1, "3 onsets, more than 2")]),
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


def test_only_what_is_named_is_looked_at():
    where = [NoteCount(min=9)]
    assert {(b.part, b.bar) for b in check(SCORE, where)} == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert {(b.part, b.bar) for b in check(SCORE, where, bars=(2, 3))} == {
        (1, 2), (2, 2), (1, 3), (2, 3)
    }  # fmt: skip
    assert {(b.part, b.bar) for b in check(SCORE, where, parts=["drums"])} == {(2, 1), (2, 2)}


def test_a_breach_in_words():
    (breach,) = check(SCORE, NoteCount(max=2, parts=1))
    assert str(breach) == "NoteCount(max=2) in bar 1 of part 1: 3 onsets, more than 2"


def test_what_it_does_not_know_is_refused():
    with pytest.raises(RequestError, match="no constraint that can be checked"):
        check(SCORE, Constraint())
