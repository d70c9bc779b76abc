"""What a verb was asked for can be read from the score it made, and is checked in it."""

import json

import pytest

from composer import NoteCount, PitchRange, RequestError, Score, Track, diff

WHERE = [NoteCount(min=2, max=3, parts="Low", bars="2-3"), PitchRange("C3-C5")]


@pytest.fixture(scope="module")
def song():
    lead = [(480 * i, 480, 60 + i % 5, 80) for i in range(16)]
    low = [(1920 * i, 1920, 30, 80) for i in range(4)]
    return Score(480, (Track("Lead", 73, notes=lead), Track("Low", 0, notes=low)))


@pytest.fixture(scope="module")
def filled(random_composer, song):
    return random_composer.infill(song, "2-3", ["Low"], where=WHERE, seed=3)


def test_a_certificate_says_what_was_asked_for(filled):
    certificate = filled.certificate()
    assert certificate.holds
    assert certificate.required == tuple(WHERE)
    assert str(certificate).splitlines()[0].startswith("infill by composer 0.1.0 (seed 3): bars")
    assert "  NoteCount(min=2, max=3) in bars 2-3 of Low: holds" in str(certificate)


def test_notes_that_were_given_need_not_keep_what_was_asked_for(filled, song):
    assert song.tracks[1].notes["pitch"].max() < 48
    assert filled.certificate().holds


def test_a_certificate_as_json(filled):
    content = json.loads(filled.certificate().to_json())
    assert content["verb"], content["seed"] == ("infill", 3)
    assert content["cells"] == [{"part": 2, "name": "Low", "bars": [2, 3]}]
    assert content["required"][0] == {
        "constraint": "NoteCount(min=2, max=3)", "parts": ["Low"], "bars": [2, 3], "holds": True
    }  # fmt: skip
    assert content["sampling"]["temperature"] == 0.9
    assert content["holds"] is True


def test_what_was_broken_since_is_found(filled):
    low = filled.tracks[1]
    notes = low.notes.copy()
    notes["pitch"] += 60 * (notes["onset"] >= 3840)
    broken = filled.replace(tracks=(filled.tracks[0], low.replace(notes=notes)))
    certificate = broken.certificate()
    assert not certificate.holds
    assert {(b.part, b.bar) for b in certificate.breaches} == {(2, 3)}  # bar 4 was not asked for
    assert "  PitchRange(low=48, high=72): does not hold" in str(certificate)
    assert json.loads(certificate.to_json())["breaches"]


def test_what_was_changed_outside_the_cells_is_found(filled, song):
    lead = song.tracks[0].replace(controls=[(0, 7, 100)], notes=song.tracks[0].notes[1:])
    patch = filled.history[-1]
    import dataclasses

    more = diff(song, song.replace(tracks=(lead, filled.tracks[1])), by="me")
    forged = song.apply(dataclasses.replace(more, author=patch.author, regions=patch.regions))
    assert forged.certificate().strays == (
        "controls of Lead were changed",
        "Lead has 1 notes changed outside the cells",
    )
    assert not forged.certificate().holds


def test_a_patch_by_hand_requires_nothing(song):
    after = song.apply(diff(song, song.replace(tracks=song.tracks[:1]), by="me"))
    assert after.certificate().required == ()
    assert after.certificate().holds


def test_a_score_that_nobody_wrote_has_none(song):
    with pytest.raises(RequestError, match="the score has no history"):
        song.certificate()
