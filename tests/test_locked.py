"""Notes that stay: the calls that users type, what comes out, and what is refused."""

import numpy as np
import pytest

from composer import (
    ChordTones,
    InScale,
    Locked,
    Monophonic,
    NoteCount,
    PitchRange,
    Playable,
    RequestError,
    Rhythm,
    Score,
    Track,
    check,
)


def played():
    """Return four bars of piano, played a little off the grid, and a flute."""
    rng = np.random.default_rng(4)
    piano = [
        (480 * i + int(rng.integers(-9, 10)) * (i > 0), 431 + 3 * i, pitch, 60 + 3 * i)
        for i in range(16)
        for pitch in (52 + i % 5, 64 + i % 3)
    ]
    flute = [(960 * i, 900, 72 + i % 4, 93) for i in range(8)]
    return Score(
        tpq=480,
        tracks=(Track("Piano", 0, notes=piano), Track("Flute", 73, notes=flute)),
        key_signatures=[(0, 0, 0)],
        chords=[(0, "C"), (1920, "F"), (3840, "G"), (5760, "C")],
    )


GIVEN = played()
ROWS = GIVEN.tracks[0].notes.tolist()


def rows(score, track=0):
    return score.tracks[track].notes.tolist()


def outside(notes, first=2, last=3):
    """Return the notes of a score's bars around some, judged as the grid does."""
    return [n for n in notes if not first - 1 <= (n[0] + 20) // 1920 < last]


@pytest.mark.parametrize("seed", range(4))
def test_what_begins_on_a_beat_stays_to_the_tick(random_composer, seed):
    where = [Locked(beats=[1, 3]), NoteCount(min=6)]
    score = random_composer.infill(GIVEN, "2-3", ["piano"], where=where, seed=seed)
    stay = [ROWS[i] for beat in (4, 6, 8, 10) for i in (2 * beat, 2 * beat + 1)]
    assert {*stay} <= {*rows(score)}
    assert outside(rows(score)) == outside(ROWS)
    assert check(score, where, bars=(2, 3), parts=["piano"], before=GIVEN) == []
    gone = {*ROWS} - {*stay} - {*outside(ROWS)}
    assert not gone & {*rows(score)}
    assert score.tracks[1] == GIVEN.tracks[1]


def test_all_notes_may_stay_and_more_come(random_composer):
    where = [Locked(), NoteCount(min=8)]
    score = random_composer.infill(GIVEN, "2-3", where=where, seed=1)
    for track in (0, 1):
        assert {*rows(GIVEN, track)} < {*rows(score, track)}
    assert check(score, [Locked(GIVEN), where[1]], bars=(2, 3)) == []


def test_what_stayed_is_certified(random_composer):
    where = [Locked(beats=[1]), Locked([(2, 3, "C6")], parts="flute"), Playable()]
    score = random_composer.infill(GIVEN, "2-3", where=where, seed=1)
    assert score.certificate().breaches == ()
    gone = score.tracks[0].replace(notes=rows(score)[:4])
    after = score.replace(tracks=(gone, score.tracks[1]))
    assert any("did not stay" in str(breach) for breach in after.certificate().breaches)


def test_only_the_parts_and_bars_named_keep_theirs(random_composer):
    where = Locked(parts="piano", bars=2)
    score = random_composer.infill(GIVEN, "2-3", where=where, seed=1)
    bar = [row for row in ROWS if 1900 <= row[0] < 3820]
    assert {*bar} <= {*rows(score)}
    assert not {*outside(ROWS, 1, 2)} - {*outside(ROWS)} & {*rows(score)}
    assert not {*rows(GIVEN, 1)[2:6]} & {*rows(score, 1)}


@pytest.mark.parametrize("seed", range(4))
def test_notes_that_are_named_are_written(random_composer, seed):
    where = [
        Locked([(1, 1, "A5"), (2, 2.5, 76, 1.5), (4, 3, "G5", 2, 101)]),
        Monophonic(),
        PitchRange("C4-A5"),
    ]
    score = random_composer.melody("Am F C G", where=where, seed=seed)
    assert check(score, where) == []
    notes = rows(score)
    assert (81, 0) in [(pitch, onset) for onset, _, pitch, _ in notes]
    assert (2640, 720, 76) in [note[:3] for note in notes]
    assert (6720, 960, 79, 101) in notes


def test_a_note_that_is_named_stays_as_it_is_where_there_is_one(random_composer):
    onset, duration, pitch, velocity = ROWS[10]
    where = Locked([(2, 2, pitch)], parts="piano")
    score = random_composer.infill(GIVEN, "2", where=where, seed=1)
    assert (onset, duration, pitch, velocity) in rows(score)
    longer = Locked([(2, 2, pitch, 2)], parts="piano")
    score = random_composer.infill(GIVEN, "2", where=longer, seed=1)
    assert (2400, 960, pitch) in [row[:3] for row in rows(score)]


def test_the_notes_of_a_sketch_are_in_what_is_written(random_composer):
    sketch = Score(tpq=96, tracks=(Track("Left hand", notes=[(3, 90, 48, 77), (393, 90, 50, 78)]),))
    where = Locked(sketch, parts="piano")
    score = random_composer.arrange(GIVEN, ["piano", "bass"], keep="flute", where=where, seed=1)
    assert {(15, 450, 48, 77), (1965, 450, 50, 78)} <= {*rows(score, 1)}
    assert check(score, where) == []


def test_chords_are_chosen_so_that_what_stays_keeps_to_them(random_composer):
    where = [Locked([(2, 1, "F#5"), (3, 3, "Eb5")]), ChordTones(everywhere=True)]
    for seed in range(4):
        score = random_composer.melody(bars=4, where=where, seed=seed)
        assert check(score, where) == []


def test_what_stays_counts_for_all_constraints(random_composer):
    where = [
        Locked([(2, 1, "C5"), (2, 3, "E5")], parts="flute"),
        NoteCount(min=2, max=2),
        Rhythm(required=[3], allowed=[1, 2, 3]),
        Monophonic(),
    ]
    score = random_composer.infill(GIVEN, "2", ["flute"], where=where, seed=1)
    assert check(score, where, bars=(2, 2), parts=["flute"]) == []
    assert [row[0] for row in rows(score, 1) if 1920 <= row[0] < 3840] == [1920, 2880]


def test_a_stream_has_nothing_to_keep(random_composer):
    with pytest.raises(RequestError, match="a stream has none yet"):
        random_composer.stream("C", where=Locked())


def test_a_stream_is_played_by_a_player(random_composer):
    stream = random_composer.stream("C Am", parts=["piano"], where=[Playable(10)], seed=1)
    for _ in range(6):
        bar = next(stream)
        assert check(bar, Playable(10), bars=(1, 1)) == []


REFUSED = [
    ([Locked(beats=[1]), Monophonic()], r"Locked\(beats=\[1\]\) keeps Ab3, F4 on beat 1 in bar 2 "
     r"of Piano; Monophonic\(\) allows no such onset there"),
    ([Locked(), NoteCount(max=3)], r"Locked\(\) in bar 2 of Piano needs 4 onsets; "
     r"NoteCount\(max=3\) allows 3"),
    ([Locked([(2, 1, "F#4")], parts=1), InScale()], r"keeps F#4 on beat 1 in bar 2 of Piano; "
     r"InScale\(\) allows no such onset"),
    ([Locked([(2, 1, "C1"), (2, 1, "C4"), (2, 1, "C7")], parts=1), Playable(12)],
     r"keeps C1, C4, C7 .* Playable\(span=12\) allows no such"),
    ([Locked([(2, 1, "C4")], parts=1), Rhythm(allowed=[2])], r"allows no such onset there"),
    (Locked([(4, 1, "C4")]), "has a note in bar 4, which is not written"),
    (Locked([(2, 1, "C4")]), "does not say which part plays"),
    (Locked([(2, 5, "C4")], parts=1), "beat 5 of bar 2, which is shorter"),
    (Locked([(2, 1, "C4", 2), (2, 2, "C4")], parts=1), "meets another of its pitch"),
    (Locked([(2, 1, "C4", 40)], parts=1), "the piece is too short for"),
    (Locked(beats=[1.25]), "keeps no note"),
    (Locked(Score(tpq=500, tracks=(Track(notes=[(2001, 100, 60, 80)]),))), "have no place"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "message"), REFUSED)
def test_what_cannot_be_is_refused(random_composer, where, message):
    with pytest.raises(RequestError, match=message):
        random_composer.infill(GIVEN, "2-3", where=where, seed=1)


MADE = [
    (lambda: Locked([(1, 1)]), "is no note; write"),
    (lambda: Locked([(0, 1, 60)]), "is no note"),
    (lambda: Locked([(1, 1, 128)]), "is no note"),
    (lambda: Locked([(1, 1, 60, 0.3)]), "is no note"),
    (lambda: Locked([(1, 1.1, 60)]), "not on the grid"),
    (lambda: Locked([5]), "is no note"),
    (lambda: Playable(0), "outside 1 to 24"),
    (lambda: Playable("C4-C5"), "outside 1 to 24"),
]


@pytest.mark.parametrize(("make", "message"), MADE)
def test_a_constraint_is_checked_when_it_is_made(make, message):
    with pytest.raises(RequestError, match=message):
        make()


# The checker

KEYS = Track("Piano", notes=[(0, 960, 40, 80), (480, 480, 60, 80), (480, 480, 90, 80)])
KIT = Track("Drums", is_drum=True, notes=[(0, 9, p, 80) for p in (36, 38, 42, 49)])
TWO = Score(tpq=480, tracks=(KEYS, KIT, Track("Flute", 73, notes=[(0, 480, 59, 80)])))

FOUND = [
    (Playable(), [(1, "[40, 60, 90] are more than two hands hold at position 12"),
                  (2, "[36, 38, 42, 49] begin together at position 0"),
                  (3, "pitch 59 is outside 60 to 96 at position 0")]),
    (Playable(20, parts=1), []),
    (Locked([(1, 2, 60), (1, 1, 60), (1, 1, "E2", 2), (1, 1, 40, 1), (1, 1, 40, 0, 81)], parts=1),
     [(1, "no note (1, 1, 60) at position 0"), (1, "no note (1, 1, 40, 1) at position 0"),
      (1, "no note (1, 1, 40, 0, 81) at position 0")]),
    (Locked(TWO), []),
    (Locked(TWO.replace(tracks=(KEYS.replace(notes=[(1, 960, 40, 80), (480, 480, 60, 80)]),))),
     [(1, "pitch 40 at position 0 did not stay as it was")]),
]  # fmt: skip


@pytest.mark.parametrize(("constraint", "expected"), FOUND)
def test_each_breach_is_found(constraint, expected):
    if isinstance(constraint, Locked) and constraint.parts is None and expected:
        found = check(TWO, constraint, parts=[1])
    else:
        found = check(TWO, constraint)
    assert [(breach.part, breach.what) for breach in found] == expected


def test_what_stays_of_a_score_that_is_not_given_cannot_be_checked():
    with pytest.raises(RequestError, match="name it as before="):
        check(TWO, Locked())
    assert check(TWO, Locked(), before=TWO) == []
