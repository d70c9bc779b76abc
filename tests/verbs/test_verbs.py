"""The newer verbs on the shipped model: what is asked for is there, nothing else has changed."""

from itertools import pairwise

import numpy as np
import pytest

import composer
from composer import (
    ChordTones,
    Controls,
    DrumPieces,
    InScale,
    MaxLeap,
    OnsetCount,
    PitchRange,
    RequestError,
    Score,
    Track,
    check,
)
from composer.edits.cells import cells_with_notes, own_bars
from composer.theory.chords import parse_chord
from composer.theory.keys import Key

RNG = np.random.default_rng(3)


def piece(signatures, length, *, chords=True, tempos=((0, 500_000),)):
    """Return a tune, a bass and drums; a shorter first bar is a pickup."""
    lead = [
        (t, 480, 60 + p, 90)
        for t, p in zip(range(0, length, 480), RNG.choice([0, 2, 4, 7], 99), strict=False)
    ]
    lead[-1] = (*lead[-1][:1], length - lead[-1][0], *lead[-1][2:])
    low = [(t, min(960, length - t), 36 + (t // 960) % 2 * 7, 80) for t in range(0, length, 960)]
    kit = [(t, 60, 36 + (t // 480) % 2 * 2, 90) for t in range(0, length, 480)]
    texts = [(0, "C"), (length // 2 // 480 * 480, "F")]
    return Score(
        tpq=480,
        tracks=(
            Track("Lead", 73, notes=lead, controls=[(100, 7, 90)]),
            Track("Deep", 42, notes=low, pitch_bends=[(1000, 50)]),
            Track("Kit", is_drum=True, notes=kit),
        ),
        tempos=tempos,
        time_signatures=signatures,
        key_signatures=[(0, 0, 0)],
        markers=[(480, "A")],
        chords=texts if chords else (),
    )


PIECES = {
    "pickup": piece([(0, 1, 4), (480, 4, 4)], 480 + 5 * 1920),
    "pickup without a signature": piece([(0, 4, 4), (960, 4, 4)], 960 + 5 * 1920),
    "5/4": piece([(0, 5, 4)], 5 * 2400),
    "7/8": piece([(0, 7, 8)], 6 * 1680),
    "changes": piece(
        [(0, 4, 4), (3840, 3, 4), (6720, 7, 8)],
        6720 + 2 * 1680,
        tempos=((0, 500_000), (3840, 400_000), (7000, 600_000)),
    ),
    "no chords": piece([(0, 4, 4)], 6 * 1920, chords=False),
}  # fmt: skip


@pytest.fixture(params=PIECES)
def given(request):
    return PIECES[request.param]


def changed(new, old, bars):
    """Return the cells in which two scores of the same tracks differ, shape (bars, 1 + tracks)."""
    starts = old.meter.bar_start(np.arange(bars + 1))
    cells = np.zeros((bars, 1 + len(old.tracks)), bool)
    for bar, (start, end) in enumerate(pairwise(starts)):
        for row, (one, other) in enumerate(zip(new.tracks, old.tracks, strict=True)):
            inside = [
                t.notes[(t.notes["onset"] >= start) & (t.notes["onset"] < end)].tolist()
                for t in (one, other)
            ]
            cells[bar, row + 1] = inside[0] != inside[1]
    return cells


def same_but_notes(new, old):
    """All but notes and chords is the same."""
    assert new.replace(tracks=(), chords=()) == old.replace(tracks=(), chords=())
    for one, other in zip(new.tracks, old.tracks, strict=True):
        assert one.replace(notes=()) == other.replace(notes=())


# infill


def test_any_cells_are_filled_and_no_others(given):
    new = composer.infill(given, cells={"melody": "1, 3-4", "drums": 2, 2: (5, 5)}, seed=1)
    same_but_notes(new, given)
    assert new.chords == given.chords
    assert own_bars(new) == own_bars(given)
    allowed = np.zeros((own_bars(given), 4), bool)
    allowed[[0, 2, 3], 1] = allowed[1, 3] = allowed[4, 2] = True
    cells = changed(new, given, own_bars(given))
    assert not (cells & ~allowed).any()
    assert cells.sum() >= 4  # that one comes out as it was is not likely


def test_several_ranges_of_bars_beside_each_other():
    given = PIECES["5/4"]
    new = composer.infill(given, bars="1-2, 5", parts="bass, drums", seed=1)
    rows, columns = np.nonzero(changed(new, given, 5))
    assert {*rows.tolist()} == {0, 1, 4}
    assert {*columns.tolist()} == {2, 3}


# extend


def test_notes_a_little_before_the_first_new_bar_stay():
    early = [(0, 480, 60, 90), (1440, 470, 62, 80), (1915, 480, 64, 70)]
    given = composer.Score(480, (composer.Track("Piano", 0, notes=early),))
    longer = composer.extend(given, 2, seed=1)
    assert {*early} <= {*longer.tracks[0].notes.tolist()}
    assert longer.undo() == given
    assert longer.certificate().holds


def test_a_piece_is_extended_and_stays_as_it_was(given):
    bars = own_bars(given)
    longer = composer.extend(given, 3, seed=1)
    same_but_notes(longer, given)
    assert own_bars(longer) == bars + 3
    end = int(given.meter.bar_start(bars))
    for one, other in zip(longer.tracks, given.tracks, strict=True):
        assert one.notes[one.notes["onset"] < end].tolist() == other.notes.tolist()
    assert cells_with_notes(longer, bars + 3)[bars:, 1:].all()  # all play on
    assert [text for text in longer.chords if text.tick < end] == [*given.chords]
    assert bool(longer.chords) == bool(given.chords)
    assert longer.meter.bar_length(bars + 2) == given.meter.bar_length(bars - 1)


def test_what_is_silent_at_the_end_may_stay_so():
    given = PIECES["7/8"]
    lead = given.tracks[0]
    early = lead.replace(notes=lead.notes[lead.notes["onset"] < 1680])
    quiet = given.replace(tracks=(early, *given.tracks[1:]))
    longer = composer.extend(quiet, 4, notes={"Lead": 0}, seed=1)
    assert longer.tracks[0] == early
    assert len(longer.tracks[1].notes) > len(quiet.tracks[1].notes)


# vary


@pytest.mark.parametrize("amount", [0.01, 0.3, 1])
def test_a_share_of_the_cells_is_varied(given, amount):
    bars = own_bars(given)
    new = composer.vary(given, amount, seed=2)
    same_but_notes(new, given)
    cells = changed(new, given, bars)
    asked = max(1, round(amount * cells_with_notes(given, bars)[:, 1:].sum()))
    assert 0.7 * asked <= cells.sum() <= asked
    assert not cells[:, 0].any()
    if amount == 0.3:  # of any third of a part, some
        assert all(cells[:, column].any() for column in (1, 2, 3))


def test_the_seed_chooses_what_is_varied():
    given = PIECES["5/4"]
    cells = [changed(composer.vary(given, 0.3, seed=s), given, 5) for s in (1, 1, 2)]
    assert (cells[0] == cells[1]).all()
    assert (cells[0] != cells[2]).any()
    inside = changed(composer.vary(given, 1, bars="2-3", parts="melody", seed=1), given, 5)
    assert not inside[[0, 3, 4]].any()
    assert not inside[:, 2:].any()


@pytest.mark.parametrize(
    "settings",
    [
        {"notes": {"bass": (1, 8)}},
        {"range": {"bass": "C1-C5"}},
        {"density": {"bass": "busy", "piano": 1}},
        {"where": OnsetCount(max=9, parts="bass")},
        {"where": [OnsetCount(max=9, bars=2), MaxLeap(60, bars="3-4")]},
        {"controls": Controls(density="busy", parts="bass", bars="1-2")},
    ],
    ids=str,
)
def test_what_is_asked_of_cells_that_are_not_drawn_is_left_out(settings, random_composer):
    tune = random_composer.melody("C G Am F", seed=1)
    song = random_composer.arrange(tune, "piano, bass", seed=1)
    where = {(region.part, region.first) for region in regions_varied(random_composer, song, {})}
    assert len(where) > 3  # the seeds draw now these cells, now those
    assert {(r.part, r.first) for r in regions_varied(random_composer, song, settings)} == where


def regions_varied(composer, song, settings):
    scores = [composer.vary(song, 0.1, seed=seed, **settings) for seed in range(8)]
    assert all(score.certificate().holds for score in scores)
    return [region for score in scores for region in score.history[-1].regions]


def test_what_is_asked_of_cells_that_cannot_be_drawn_is_refused(random_composer):
    tune = random_composer.melody("C G Am F", seed=1)
    song = random_composer.arrange(tune, "piano, bass", seed=1)
    for settings in (
        {"notes": {"bass": 4}},
        {"where": OnsetCount(max=9, parts="bass")},
        {"controls": Controls(density="busy", parts="bass")},
    ):
        with pytest.raises(RequestError, match=r"(nothing is|no notes that are) written"):
            random_composer.vary(song, 0.5, parts="piano", seed=1, **settings)


# harmonize and chords


@pytest.mark.parametrize(
    ("meter", "chords_per_bar", "places"),
    [
        ("4/4", 1, {0}),
        ("4/4", 2, {0, 960}),
        ("4/4", 4, {0, 480, 960, 1440}),
        ("3/4", 2, {0, 960}),
        ("6/8", 2, {0, 720}),
        ("5/4", 2, {0, 1440}),
        ("6/8", 4, {0, 720}),
    ],
)
def test_chords_change_at_the_pace_asked_for(meter, chords_per_bar, places):
    score = composer.chords(meter=meter, bars=6, chords_per_bar=chords_per_bar, seed=1)
    _, positions = score.meter.bar_and_position([tick for tick, _ in score.chords])
    assert {*positions.tolist()} <= places
    if chords_per_bar > 1:
        assert len(score.chords) >= 6 * len(places) - 2  # a chord that goes on is said once


def test_a_harmonised_piece_stays_as_it_was(given):
    new = composer.harmonize(given, chords_per_bar=2, part=None, seed=1)
    assert new.replace(chords=given.chords) == given
    starts = {*given.meter.bar_start(np.arange(own_bars(given))).tolist()}
    ticks = {tick for tick, _ in new.chords}
    assert len(ticks) > len(starts)
    for tick in ticks:
        sounding = {
            int(note["pitch"]) % 12
            for track in given.tracks[:1]
            for note in track.notes
            if note["onset"] <= tick < note["onset"] + note["duration"]
        }
        chord = next(text for at, text in new.chords if at == tick)
        assert sounding <= parse_chord(chord).pitch_classes


# arrange


def test_chords_of_an_arrangement_let_its_parts_keep_what_they_must():
    tune = composer.example("drunken sailor").replace(chords=())
    where = [
        PitchRange("C3-D3", parts=["piano"], bars="1-8"),
        ChordTones(everywhere=True, parts=["piano", "bass"]),
        InScale(),
        OnsetCount(min=2, parts="piano"),
        OnsetCount(min=1, max=3, parts="bass", bars="1-8"),
        DrumPieces("kick, hi-hat"),
    ]
    song = composer.arrange(tune, "piano, bass, drums", where=where, seed=1)
    assert song.tracks[0] == tune.tracks[0]
    assert song.chords
    assert check(song, where, parts=["piano", "bass", "drums"]) == []


def test_new_parts_suit_a_pickup_and_odd_meters(given):
    song = composer.arrange(given, "piano, drums", seed=1)
    assert song.replace(tracks=song.tracks[:3], chords=given.chords) == given
    assert own_bars(song) == own_bars(given)
    assert cells_with_notes(song, own_bars(song))[:, 4:].all()


def test_a_text_of_chords_begins_behind_a_pickup():
    song = composer.arrange(PIECES["pickup"], "piano", chords="C | F G", seed=1)
    assert [tuple(text) for text in song.chords][:5] == [
        (0, "C"),
        (480, "C"),
        (2400, "F"),
        (3360, "G"),
        (4320, "C"),
    ]
    whole = composer.arrange(PIECES["pickup"], "piano", chords="Dm C F C F C", seed=1)
    assert [text.text for text in whole.chords] == ["Dm", "C", "F", "C", "F", "C"]


# reduce


def fingers(track):
    """Return the most notes that a hand holds, and its widest span; it holds no key twice."""
    onset, pitch = track.notes["onset"], track.notes["pitch"].astype(int)
    offset = onset + track.notes["duration"]
    most = widest = 0
    for now in np.unique(onset):
        held = pitch[(onset <= now) & (offset > now)]
        assert len(held) == len({*held.tolist()})
        most, widest = max(most, len(held)), max(widest, int(held.max() - held.min()))
    return most, widest


def lowest_and_highest(tracks):
    """Return the lowest note of the right hand over the highest of the left, at each onset."""
    right, left = tracks
    for now in np.unique(np.concatenate([right.notes["onset"], left.notes["onset"]])):
        held = [
            t.notes["pitch"][
                (t.notes["onset"] <= now) & (t.notes["onset"] + t.notes["duration"] > now)
            ]
            for t in tracks
        ]
        if len(held[0]) and len(held[1]):
            yield int(held[0].min()) - int(held[1].max())


@pytest.fixture(scope="module")
def band():
    rng = np.random.default_rng(1)
    tune = [(480 * i, 470, 72 + int(rng.choice([0, 2, 4, 5, 7, 9])), 100) for i in range(32)]
    pads = [
        (1920 * bar, 1920, pitch + shift, 60)
        for bar, shift in enumerate([0, 5, 7, 0] * 2)
        for pitch in (48, 52, 55, 60, 64, 67, 72, 76, 79)
    ]
    walk = [(960 * i, 900, 36 + int(rng.choice([0, 5, 7])), 90) for i in range(16)]
    stabs = [(480 * i + 240, 120, p, 80) for i in range(32) for p in (55, 59, 62, 66, 69)]
    return Score(
        tracks=(
            Track("Pads", 48, notes=pads),
            Track("Tune", 73, notes=tune, lyrics=[(0, "la")]),
            Track("Walk", 33, notes=walk),
            Track("Stabs", 61, notes=stabs),
            Track("Kit", is_drum=True, notes=[(0, 60, 36, 90)]),
        ),
        markers=[(0, "A")],
        chords=[(0, "C")],
    )


def test_a_reduction_lies_in_two_hands(band):
    piano = composer.reduce(band)
    right, left = piano.tracks
    for hand in piano.tracks:
        most, widest = fingers(hand)
        assert most <= 5
        assert widest <= 16
    assert all(distance > 0 for distance in lowest_and_highest(piano.tracks))
    given = {(on, pitch) for track in band.tracks[:4] for on, _, pitch, _ in track.notes.tolist()}
    played = [(on, pitch) for hand in piano.tracks for on, _, pitch, _ in hand.notes.tolist()]
    assert len(played) == len({*played})
    assert {*played} <= given
    for track, hand in ((band.tracks[1], right), (band.tracks[2], left)):
        line = {tuple(row)[:3] for row in track.notes.tolist()}
        assert line <= {tuple(row)[:3] for row in hand.notes.tolist()}
    assert fingers(right)[0] >= 3  # inner notes are there as well
    assert right.lyrics == band.tracks[1].lyrics
    assert piano.replace(tracks=band.tracks) == band


def test_a_melody_below_the_bass_goes_first():
    high_bass = [(0, 1920, 60, 80)]
    low_tune = [(480 * i, 480, 50 + i, 80) for i in range(4)]
    score = Score(tracks=(Track("A", 0, notes=low_tune), Track("B", 1, notes=high_bass)))
    right, _ = composer.reduce(score).tracks
    assert right.notes["pitch"].tolist() == [60]  # the higher of two lines is the melody
    crossing = Score(
        tracks=(
            Track("A", 73, notes=[(0, 480, 72, 80), (480, 480, 36, 80)]),
            Track("B", 42, notes=[(0, 960, 40, 80)]),
        )
    )
    right, left = composer.reduce(crossing).tracks
    assert right.notes[["onset", "pitch"]].tolist() == [(0, 72), (480, 36)]
    assert left.notes.tolist() == [(0, 480, 40, 80)]


def test_a_reduction_of_what_has_no_pitch_is_refused():
    with pytest.raises(RequestError, match="no notes but drums"):
        composer.reduce(Score(tracks=(Track("Kit", is_drum=True, notes=[(0, 60, 36, 90)]),)))
    with pytest.raises(RequestError, match="cannot be reduced to 'guitar'; give to='piano'"):
        composer.reduce(composer.example("drunken sailor"), to="guitar")


# plain settings


def test_everyday_constraints_hold(given):
    plain = {
        "range": {"melody": "C4-G4", "bass": (36, 48)},
        "polyphony": {"bass": 1},
        "notes": {"melody": (2, 3), "bass": 1, "drums": (1, 4)},
    }
    new = composer.infill(given, "2-4", key="C major", seed=1, **plain)
    where = [
        PitchRange("C4-G4", parts=1, bars="2-4"),
        PitchRange(36, 48, parts=2, bars="2-4"),
        OnsetCount(2, 3, parts=1, bars="2-4"),
        OnsetCount(1, 1, parts=2, bars="2-4"),
        OnsetCount(1, 4, parts=3, bars="2-4"),
        InScale(bars="2-4"),
        composer.MaxPolyphony(1, parts=2, bars="2-4"),
    ]
    heard = given if given.chords else new
    assert check(new.replace(chords=heard.chords), where, key=Key(0)) == []


def test_a_single_value_is_for_all_but_the_drums():
    song = composer.arrange(
        composer.example("drunken sailor"),
        "piano, drums",
        range="C3-C4",
        notes=2,
        polyphony=2,
        seed=1,
    )
    piano, drums = song.tracks[1:]
    assert 48 <= piano.notes["pitch"].min() <= piano.notes["pitch"].max() <= 60
    bars, _ = song.meter.bar_and_position(np.unique(piano.notes["onset"]))
    assert {*np.bincount(bars).tolist()} == {2}
    assert fingers(piano)[0] <= 2
    drum_bars, _ = song.meter.bar_and_position(np.unique(drums.notes["onset"]))
    assert {*np.bincount(drum_bars).tolist()} != {2}


def test_a_range_takes_the_place_of_the_register():
    low = composer.melody("C G", bars=8, range="C2-C3", seed=1).tracks[0].notes["pitch"]
    assert 36 <= low.min() <= low.max() <= 48
    stream = composer.stream("C", melody=None, instruments=["piano"], range="C2-C3", seed=1)
    assert next(stream).tracks[0].notes["pitch"].max() <= 48
