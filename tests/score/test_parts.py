"""Tracks are found by number, name, instrument and role."""

import pytest

from composer import RequestError, Score, Track
from composer.score.parts import track_index, track_roles, track_rows


def notes(*pitches, start=0):
    return [(start + 480 * i, 480, pitch, 90) for i, pitch in enumerate(pitches)]


def test_tracks_are_found_by_number_name_and_instrument():
    score = Score(tracks=(Track("Lead", 73), Track("", 33), Track("Kit", is_drum=True)))
    assert [track_index(score, name) for name in (1, "2", "lead", " LEAD ")] == [0, 1, 0, 0]
    assert [track_index(score, name) for name in ("flute", "bass", "drums", "track 2")] == [
        0,
        1,
        2,
        1,
    ]
    for name in (0, 4, "tuba", "nobody"):
        with pytest.raises(RequestError, match=r"has no track .*; it has 1 'Lead', 2 'track 2'"):
            track_index(score, name)


def test_a_name_of_two_tracks_is_refused():
    score = Score(tracks=(Track("Piano"), Track("Piano")))
    with pytest.raises(RequestError, match="tracks 1 and 2 are both called 'Piano'"):
        track_index(score, "Piano")


BAND = Score(
    tracks=(
        Track("Left", 0, notes=[n for p in (52, 55, 59) for n in notes(p, p, p)]),
        Track("Tune", 71, notes=notes(72, 74, 76)),
        Track("Low", 42, notes=notes(36, 43, 36)),
        Track("Beat", is_drum=True),
        Track("More beat", is_drum=True),
        Track("Pads", 89),
    )
)


def test_roles_are_judged_by_notes_and_without_them_by_the_instrument():
    assert track_roles(BAND) == [
        "accompaniment",
        "melody",
        "bass",
        "drums",
        "drums",
        "accompaniment",
    ]
    assert track_roles(Score(tracks=(Track("Deep", 43),))) == ["bass"]


def test_a_low_line_below_chords_is_the_bass_and_the_chords_go_before_it():
    pads = [(0, 1920, pitch, 80) for pitch in (60, 64, 67)]
    low = [(480 * i, 480, 36 + i, 80) for i in range(4)]
    tracks = Track("Pad", 89, notes=pads), Track("Sub", 81, notes=low)
    assert track_roles(Score(tracks=tracks)) == ["melody", "bass"]
    assert track_roles(Score(tracks=tracks[1:])) == ["melody"]
    tenor = [(on, length, pitch + 24, v) for on, length, pitch, v in low]
    assert track_roles(Score(tracks=(tracks[0], Track("Horn", 60, notes=tenor)))) == [
        "accompaniment",
        "melody",
    ]


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (None, [0, 1, 2, 3, 4, 5]),
        ("melody", [1]),
        ("bass, melody, 2", [2, 1]),
        (["accompaniment"], [0, 5]),
        ("drums", [3, 4]),
        ("cello", [2]),
        ("pads, Left", [5, 0]),
    ],
)
def test_roles_name_tracks_where_nothing_is_called_so(names, rows):
    assert track_rows(BAND, names) == rows


def test_a_name_and_an_instrument_go_before_a_role():
    named = BAND.replace(tracks=(*BAND.tracks, Track("Bass", 89)))
    assert track_rows(named, "bass") == [6]
    played = BAND.replace(tracks=(*BAND.tracks, Track("Deep", 33)))
    assert track_rows(played, "bass") == [6]


def test_a_role_that_nobody_plays_is_refused():
    with pytest.raises(RequestError, match="has no track 'bass'; it has 1 'Tune'"):
        track_rows(BAND.replace(tracks=BAND.tracks[1:2]), "bass")
