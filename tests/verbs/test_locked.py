"""Notes that stay: the calls that users type, what comes out, and what is refused."""

import numpy as np
import pytest

from composer import (
    ChordTones,
    InScale,
    Locked,
    Monophonic,
    OnsetCount,
    PitchRange,
    Playable,
    RequestError,
    Rhythm,
    Score,
    SymbolError,
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
    where = [Locked(beats=[1, 3]), OnsetCount(min=6)]
    score = random_composer.infill(GIVEN, "2-3", ["piano"], where=where, seed=seed)
    stay = [ROWS[i] for beat in (4, 6, 8, 10) for i in (2 * beat, 2 * beat + 1)]
    assert {*stay} <= {*rows(score)}
    assert outside(rows(score)) == outside(ROWS)
    assert check(score, where, bars=(2, 3), parts=["piano"], before=GIVEN) == []
    gone = {*ROWS} - {*stay} - {*outside(ROWS)}
    assert not gone & {*rows(score)}
    assert score.tracks[1] == GIVEN.tracks[1]


def test_all_notes_may_stay_and_more_come(random_composer):
    where = [Locked(), OnsetCount(min=8)]
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
        OnsetCount(min=2, max=2),
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
    stream = random_composer.stream("C Am", instruments=["piano"], where=[Playable(10)], seed=1)
    for _ in range(6):
        bar = next(stream)
        assert check(bar, Playable(10), bars=(1, 1)) == []


REFUSED = [
    ([Locked(beats=[1]), Monophonic()], r"Locked\(beats=\[1\]\) keeps Ab3, F4 on beat 1 in bar 2 "
     r"of Piano; Monophonic\(\) allows no such onset there"),
    ([Locked(), OnsetCount(max=3)], r"Locked\(\) in bar 2 of Piano needs 4 onsets; "
     r"OnsetCount\(max=3\) allows 3"),
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
    (lambda: Locked([(1, 1)]), "is not a note; write"),
    (lambda: Locked([(0, 1, 60)]), "is not a note"),
    (lambda: Locked([(1, 1, 128)]), "is not a note"),
    (lambda: Locked([(1, 1, 60, 0.3)]), "is not a note"),
    (lambda: Locked([(1, 1.1, 60)]), "not on the grid"),
    (lambda: Locked([5]), "is not a note"),
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


# Pieces of the kit


def beat():
    """Return four bars of drums, played a little off the grid, and a flute."""
    rng = np.random.default_rng(8)
    kit = [(4, 42, 70), (8, 36, 101), (8, 38, 90)]
    hits = [
        (max(0, 1920 // n * i + int(rng.integers(-7, 8))) + 1920 * bar, 55, pitch, velocity + i)
        for bar in range(4)
        for n, pitch, velocity in kit
        for i in range(n)
        if pitch == 42 or (i % 4 == 0) == (pitch == 36)
    ]
    flute = [(960 * i, 900, 72 + i % 4, 93) for i in range(8)]
    return Score(tracks=(Track("Kit", is_drum=True, notes=hits), Track("Flute", 73, notes=flute)))


BEAT = beat()
HI_HAT, KICK, SNARE = {42, 44, 46}, {35, 36}, {38, 40}


def hits(score, sounds):
    return [row for row in rows(score) if row[2] in sounds]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "settings",
    [{}, {"notes": (6, 16)}, {"where": [Playable()]}, {"polyphony": {"Kit": 2}}, {"feel": True}],
    ids=str,
)
def test_one_piece_of_the_kit_is_written_and_the_others_are_not_touched(
    seed, settings, random_composer
):
    score = random_composer.infill(BEAT, "2-3", {"Kit": "hi-hat"}, seed=seed, **settings)
    others = {*range(128)} - HI_HAT
    assert hits(score, others) == hits(BEAT, others)
    assert outside(rows(score)) == outside(rows(BEAT))
    assert score.tracks[1] == BEAT.tracks[1]
    assert hits(score, HI_HAT) != hits(BEAT, HI_HAT)
    assert score.certificate().holds


@pytest.mark.parametrize("seed", range(3))
def test_some_bars_of_one_piece_are_varied_and_the_others_are_not_touched(seed, random_composer):
    kit, flute = BEAT.tracks
    ticking = [row for row in hits(BEAT, HI_HAT) if (row[0] + 8) // 1920 != 2]  # bar 3 is silent
    kit = kit.replace(notes=[*ticking, *hits(BEAT, KICK | SNARE)])
    given = BEAT.replace(tracks=(kit, flute))
    parts = {"drums": "hi-hat", "Flute": None}
    score = random_composer.vary(given, 0.5, bars="2-4", parts=parts, seed=seed)
    # Of five cells two are written, and the first of them is of the kit, whose bar 3 is silent.
    (bar,) = [region.first for region in score.history[-1].regions if region.name == "Kit"]
    assert bar in (2, 4)
    stay = [row for row in rows(given) if row[2] not in HI_HAT or (row[0] + 8) // 1920 != bar - 1]
    assert [row for row in rows(score) if row in stay] == stay
    new = [row for row in rows(score) if row not in stay]
    assert {(row[0] + 8) // 1920 for row in new} <= {bar - 1}
    assert {row[2] for row in new} <= HI_HAT
    assert score.certificate().holds


def test_of_two_kits_that_may_be_varied_one_alone_may_be_chosen(random_composer):
    kit = BEAT.tracks[0]
    two = BEAT.replace(tracks=(kit, kit.replace(name="Other")))
    parts = {"Kit": "hi-hat", "Other": "snare, kick"}
    scores = [random_composer.vary(two, 0.1, parts=parts, seed=seed) for seed in range(4)]
    assert {score.history[-1].regions[0].name for score in scores} == {"Kit", "Other"}
    for score in scores:
        for track, stays in zip(score.tracks, (KICK | SNARE, HI_HAT), strict=True):
            assert [r for r in track.notes.tolist() if r[2] in stays] == hits(BEAT, stays)


def test_all_of_a_part_goes_beside_pieces_of_another(random_composer):
    parts = {"drums": ["hi-hat", "toms"], "Flute": None}
    score = random_composer.infill(BEAT, "1-4", parts, seed=1)
    assert hits(score, KICK | SNARE) == hits(BEAT, KICK | SNARE)
    assert score.tracks[1] != BEAT.tracks[1]


@pytest.mark.parametrize("seed", range(3))
def test_pieces_that_are_named_play_what_they_played(seed, random_composer):
    where = Locked(pieces="kick")
    score = random_composer.infill(BEAT, "1-4", "drums", where=[where, OnsetCount(8)], seed=seed)
    assert hits(score, KICK) == hits(BEAT, KICK)
    assert hits(score, SNARE) != hits(BEAT, SNARE)
    more = score.tracks[0].replace(notes=[*rows(score), (480, 60, 36, 90)])
    (breach,) = check(score.replace(tracks=(more, score.tracks[1])), where, before=BEAT)
    assert (breach.bar, breach.what) == (1, "pitch 36 at position 12 was not there before")
    less = score.tracks[0].replace(notes=[row for row in rows(score) if row[2] != 36])
    assert check(score.replace(tracks=(less, score.tracks[1])), where, before=BEAT)


def test_a_piece_that_was_silent_stays_so(random_composer):
    where = [Locked(but="hi-hat"), OnsetCount(6)]
    quiet = BEAT.replace(tracks=(Track("Kit", is_drum=True, notes=hits(BEAT, HI_HAT)),))
    score = random_composer.infill(quiet, "1-4", where=where, seed=1)
    assert {row[2] for row in rows(score)} <= HI_HAT
    assert score != quiet


def test_a_piece_may_stay_on_some_beats(random_composer):
    where = Locked(pieces="kick", beats=[1])
    score = random_composer.infill(BEAT, "1-4", "drums", where=where, seed=1)
    assert {row for row in hits(BEAT, KICK) if row[0] % 1920 < 9} <= {*rows(score)}
    assert check(score, where, before=BEAT) == []


@pytest.mark.parametrize(
    ("parts", "settings", "message"),
    [
        ({"Flute": "kick"}, {}, "pieces of the kit for Flute, which plays no drums; name a drum"),
        ({"chords": "kick"}, {}, "pieces of the kit for the chords, which plays no drums"),
        ({"Kit": "kik"}, {}, "drum 'kik' is unknown; did you mean 'kick'"),
        ({"Kit": "piano"}, {}, "drum 'piano' is unknown; take one of 'kick', 'snare'"),
        ({"Kit": "kick", 1: "snare"}, {}, "name Kit twice; name each part once"),
        ({"Kit": "kick", "drums": None}, {}, "name Kit twice; name each part once"),
        ("hi-hat", {}, "no track 'hi-hat'; .* a drum part for .* its kit: {'drums': 'hi-hat'}"),
        ({}, {}, "parts is empty"),
        (
            {"Kit": "hi-hat"},
            {"where": OnsetCount(max=1, parts="Kit")},
            r"Locked\(but=\['hi-hat'\]\) in bar 1 of Kit needs 8 onsets; .* allows 1",
        ),
    ],
)
def test_pieces_that_cannot_be_are_refused(parts, settings, message, random_composer):
    with pytest.raises((RequestError, SymbolError), match=message):
        random_composer.infill(BEAT, 1, parts, **settings)
    with pytest.raises((RequestError, SymbolError), match=message):
        random_composer.vary(BEAT, bars=1, parts=parts, seed=1, **settings)


def test_pieces_that_are_silent_cannot_be_varied(random_composer):
    with pytest.raises(RequestError, match="silent; name bars and parts that have notes"):
        random_composer.vary(BEAT, parts={"drums": "ride"})


def test_pieces_go_with_notes_of_a_score_alone():
    with pytest.raises(RequestError, match=r"pieces .*'kick'.* and but .*'snare'.* are given"):
        Locked(pieces="kick", but="snare")
    with pytest.raises(RequestError, match="5 is not a note; write"):
        Locked(5)
    with pytest.raises(RequestError, match=r"pieces \[\] are not pieces of the kit"):
        Locked(but=[])
    with pytest.raises(RequestError, match="names notes and pieces of the kit"):
        Locked([(1, 1, 36)], pieces="kick")
    assert Locked(but="hi-hat, ride").but == ("hi-hat", "ride")
