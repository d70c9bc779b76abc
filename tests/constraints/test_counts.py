"""What users type: constraints are checked when made, every verb takes them, and they hold."""

from itertools import islice

import pytest

import composer
from composer import (
    ChordTones,
    InScale,
    Locked,
    MaxPolyphony,
    Monophonic,
    OnsetCount,
    PitchRange,
    RequestError,
    Rhythm,
    Score,
    Track,
)

MADE = [
    (lambda: OnsetCount(), "asks for nothing"),
    (lambda: OnsetCount(min=3, max=2), "min no more than max"),
    (lambda: OnsetCount(min=-1), "whole numbers from 0"),
    (lambda: Rhythm(), "asks for nothing"),
    (lambda: Rhythm(required=[1.1]), "beat 1.1 is not on the grid"),
    (lambda: Rhythm(required=[0]), "beat 0 is not on the grid"),
    (lambda: Rhythm(required="1 3"), "beats '1 3' are not a list; for example"),
    (lambda: Rhythm(required=["1"]), "beat '1' is not a number"),
    (lambda: Rhythm(required=[2], allowed=[1]), "requires a beat that it does not allow"),
    (lambda: MaxPolyphony(0), "leaves no note"),
    (lambda: PitchRange(60), "no upper end"),
    (lambda: PitchRange(72, 60), "not a range of MIDI pitches"),
    (lambda: PitchRange("C4"), "cannot be read"),
    (lambda: OnsetCount(min=1, bars="x"), "bars 'x' cannot be read"),
    (lambda: OnsetCount(min=1, bars=0), "bars 0 cannot be read"),
    (lambda: OnsetCount(min=1, parts=[]), "names no part"),
]


@pytest.mark.parametrize(("make", "message"), MADE)
def test_a_constraint_is_checked_when_it_is_made(make, message):
    with pytest.raises(RequestError, match=message):
        make()


def test_what_a_constraint_is_called():
    assert str(OnsetCount(min=9, parts="piano", bars=3)) == "OnsetCount(min=9)"
    assert PitchRange("C4-C6") == PitchRange(60, 84)
    assert Rhythm(required=(1.33, 3)).positions("required") == (4, 24)
    assert OnsetCount(min=1, bars="3-4").bars == OnsetCount(min=1, bars=(3, 4)).bars == (3, 4)


def tune(random_composer, **options):
    return random_composer.melody("C Am F G", seed=1, **options)


ALL = (
    OnsetCount(min=3, max=6),
    Rhythm(required=[1, 3], allowed=[1 + i / 2 for i in range(8)]),
    Monophonic(),
    InScale(),
    ChordTones(),
)


def test_a_melody_keeps_all_at_once(random_composer):
    where = [*ALL, PitchRange("C5-A5"), Rhythm(required=[4.5], bars="2-3")]
    for seed in range(5):
        score = random_composer.melody("C Am F G", where=where, seed=seed)
        assert composer.check(score, where) == []


def test_onsets_are_kept_for_what_is_required(random_composer):
    where = [Rhythm(required=[2, 3, 4.5]), OnsetCount(max=4)]
    for seed in range(5):
        score = random_composer.melody("C Am F G", where=where, seed=seed)
        assert composer.check(score, where) == []


def test_a_register_gives_way_to_a_range_that_is_asked_for(random_composer):
    where = [PitchRange("C2-C3", parts="flute"), OnsetCount(min=1)]
    score = random_composer.melody("C Am F G", part="flute", where=where, seed=3)
    pitches = score.tracks[0].notes["pitch"]
    assert len(pitches) >= 4
    assert ((pitches >= 36) & (pitches <= 48)).all()
    assert composer.check(score, [InScale(), ChordTones()]) == []  # its other rules stand


def test_an_instrument_that_plays_singly_does_so_under_constraints(random_composer):
    where = [Rhythm(required=[1, 2.5, 4]), OnsetCount(min=5)]
    for seed in range(5):
        score = random_composer.melody("C Am F G", part="flute", where=where, seed=seed)
        assert composer.check(score, [*where, Monophonic()]) == []
    harmony = [*where, Rhythm(required=[2], bars="2"), MaxPolyphony(3)]
    assert composer.check(tune(random_composer, part="flute", where=harmony), harmony) == []


def test_a_melody_with_its_own_chords(random_composer):
    where = [PitchRange("C5-D5"), ChordTones(everywhere=True), OnsetCount(min=5), Monophonic()]
    for seed in range(5):
        score = random_composer.melody(bars=4, where=where, seed=seed)
        assert composer.check(score, where) == []


def test_chords_suit_the_melody_as_asked(random_composer):
    flute = Track("Flute", 73, notes=[(480 * i, 480, 60 + p, 90) for i, p in enumerate([0, 1] * 8)])
    given = Score(tpq=480, tracks=(flute,), key_signatures=[(0, 0, 0)])
    where = ChordTones(everywhere=True)
    score = random_composer.harmonize(given, key="C", where=where, seed=1)
    assert composer.check(score, where) == []
    with pytest.raises(RequestError, match="about no notes that are written"):
        random_composer.harmonize(given, where=OnsetCount(min=1), seed=1)


def test_an_arrangement(random_composer):
    where = [
        OnsetCount(min=4, parts="piano, bass"),
        OnsetCount(min=8, parts="drums", bars="2-3"),
        MaxPolyphony(2, parts="piano"),
        PitchRange("C1-C2", parts="bass"),
        PitchRange(36, 38, parts="drums"),
        ChordTones(everywhere=True, parts=["bass"]),
    ]
    given = tune(random_composer)
    for seed in range(3):
        score = random_composer.arrange(given, ["piano", "bass", "drums"], where=where, seed=seed)
        assert composer.check(score, where) == []
        assert score.tracks[0] == given.tracks[0]


def uneven():
    """Return a piano that begins and ends notes off the grid, some of them early or very long."""
    notes = [
        (483 * i - 7 * (i > 0), 450 + 331 * (i % 7), 60 + 5 * i % 13, 80) for i in range(4 * 6)
    ]
    return Score(
        tpq=480,
        tracks=(Track("Piano", 0, notes=notes), Track("Flute", 73, notes=[(0, 480, 72, 90)])),
        key_signatures=[(0, 0, 0)],
    )


@pytest.mark.parametrize("seed", range(10))
def test_what_is_put_between_uneven_notes_keeps_all(random_composer, seed):
    given = uneven()
    where = [
        OnsetCount(min=12, max=14, bars="3"),
        Rhythm(required=[4.5]),
        MaxPolyphony(4),
        PitchRange("C4-C5", parts=1),
    ]
    score = random_composer.infill(given, "3-4", ["Piano"], where=where, seed=seed)
    assert composer.check(score, where, bars=(3, 4), parts=["Piano"]) == []
    before = {(b.bar, b.what) for b in composer.check(given, where[2], parts=["Piano"])}
    after = composer.check(score, where[2], parts=["Piano"])
    assert not [b for b in after if b.bar not in (3, 4) and (b.bar, b.what) not in before]


@pytest.mark.parametrize("rule", [Monophonic(), PitchRange(60, 60)])
def test_given_notes_sound_as_long_as_they_really_do(random_composer, rule):
    """On the grid the first note ends at the second beat of bar 2; really a little later."""
    notes = [(3 * 480, 1000, 60, 80), (2 * 1920, 480, 64, 80)]
    given = Score(tpq=480, tracks=(Track("Piano", notes=notes),), key_signatures=[(0, 0, 0)])
    grid = random_composer.model.tokenizer.grid(given)
    assert grid.notes["duration"][0] == 24
    where = [rule, OnsetCount(min=35)]
    score = random_composer.infill(given, "2", where=where, seed=1)
    assert composer.check(score, where, bars=(2, 2)) == []
    with pytest.raises(RequestError, match="allows 35 beside the notes that sound on"):
        random_composer.infill(given, "2", where=[rule, OnsetCount(min=36)], seed=1)


def test_a_stream_keeps_them_in_every_bar(random_composer):
    where = [OnsetCount(min=3), Rhythm(required=[1], parts="bass"), Monophonic(parts="flute")]
    stream = random_composer.stream("C Am F G", instruments=["bass"], where=where, seed=2)
    for i, bar in enumerate(islice(stream, 8)):
        assert composer.check(bar, where, bars=(1, 1)) == [], i
        assert all(track.end <= 4 * bar.tpq for track in bar.tracks)


def test_a_stream_refuses_what_no_bar_can_keep(random_composer):
    where = [PitchRange("C5-C5", parts="flute"), ChordTones(), Rhythm(required=[1])]
    stream = random_composer.stream("C Am", where=where, seed=2)
    with pytest.raises(RequestError, match="bar 1 of Flute"):
        stream.change(chords="D")
    assert [chord.text for chord in next(stream).chords] == ["C"]
    with pytest.raises(RequestError, match="names bars"):
        random_composer.stream("C", where=OnsetCount(min=1, bars=2))


WRONG = [
    ([OnsetCount(min=1, parts="tuba")], "no track 'tuba'"),
    ([OnsetCount(min=1, bars="3-9")], "bars 3 to 9 are not in the score"),
    (["C4-C5"], "which is not a constraint"),
    (5, "where holds 5, which is not a constraint"),
    (
        [OnsetCount(min=1, parts="flute", bars=2), OnsetCount(max=0)],
        r"OnsetCount\(max=0\) allows 0",
    ),
]


@pytest.mark.parametrize(("where", "message"), WRONG)
def test_what_cannot_be_is_refused(random_composer, where, message):
    with pytest.raises(RequestError, match=message):
        tune(random_composer, where=where)


@pytest.mark.parametrize("make", [Rhythm, lambda beats: Locked(beats=beats)])
def test_beats_are_a_list(make):
    with pytest.raises(RequestError, match=r"beats 3 are not a list; for example \[1, 3\]"):
        make(3)


def test_drums_have_no_key(random_composer):
    with pytest.raises(RequestError, match="drums have no key"):
        random_composer.arrange(tune(random_composer), "drums", where=InScale(parts="drums"))


def test_bars_that_are_written_as_two_are_not_counted(random_composer):
    notes = [(0, 480, 60, 80), (480 * 15, 480, 60, 80)]
    given = Score(tpq=480, tracks=(Track(notes=notes),), time_signatures=[(0, 16, 4)])
    with pytest.raises(RequestError, match="too long to be written as one"):
        random_composer.infill(given, "1", where=OnsetCount(min=1))


def test_a_coarse_score_is_refused(random_composer):
    given = Score(tpq=4, tracks=(Track(notes=[(0, 4, 60, 80), (8, 8, 62, 80)]),))
    with pytest.raises(RequestError, match="4 ticks a quarter"):
        random_composer.infill(given, "1", where=OnsetCount(min=1))
