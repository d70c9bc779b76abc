"""What a verb was asked for can be read from the score it made, and is checked in it."""

import dataclasses
import hashlib
import json

import pytest

from composer import OnsetCount, PitchRange, RequestError, Score, Track, diff
from composer.api import load

WHERE = [OnsetCount(min=2, max=3, parts="Low", bars="2-3"), PitchRange("C3-C5")]


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
    assert "  OnsetCount(min=2, max=3) in bars 2-3 of Low: holds" in str(certificate)


def test_notes_that_were_given_need_not_keep_what_was_asked_for(filled, song):
    assert song.tracks[1].notes["pitch"].max() < 48
    assert filled.certificate().holds


def test_a_certificate_as_json(filled):
    content = json.loads(filled.certificate().to_json())
    assert content["verb"], content["seed"] == ("infill", 3)
    assert content["cells"] == [{"part": 2, "name": "Low", "bars": [2, 3]}]
    assert content["required"][0] == {
        "constraint": "OnsetCount(min=2, max=3)", "parts": ["Low"], "bars": [2, 3], "holds": True
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


def test_each_verb_says_what_it_did_in_one_patch(random_composer):
    verbs = random_composer
    tune = verbs.melody("C G", seed=1)
    steps = [
        verbs.infill(tune, "2", seed=2),
        verbs.vary(tune, 0.5, seed=2),
        verbs.extend(tune, 1, seed=2),
        verbs.arrange(tune, ["bass"], chords="F C", keep=[1], seed=2),
        verbs.harmonize(tune, seed=2),
        verbs.reduce(tune),
    ]
    names = ["infill", "vary", "extend", "arrange", "harmonize", "reduce"]
    for name, score in zip(names, steps, strict=True):
        assert [patch.author.verb for patch in score.history] == ["melody", name]
        assert score.history[-1].author.seed == (None if name == "reduce" else 2)
        assert score.undo() == tune
        assert score.certificate().holds
    (written,) = verbs.chords(bars=2, seed=1).history
    assert written.author.verb == "chords"
    assert tune.undo() == Score(tune.tpq)


def test_a_bar_of_a_stream_says_who_wrote_it(random_composer):
    stream = random_composer.stream("C G", where=OnsetCount(max=3), seed=5)
    for _ in range(2):
        bar = next(stream)
        assert bar.certificate().holds
        assert bar.certificate().required == (OnsetCount(max=3),)
        assert str(bar.history[0]).startswith("stream by composer 0.1.0 (seed 5): bar 1 of")


def test_a_verb_given_a_file_has_it_as_what_was_there_before(random_composer, song, tmp_path):
    song.write(tmp_path / "song.mid")
    after = random_composer.infill(tmp_path / "song.mid", "1", seed=1)
    assert after.undo() == Score.read(tmp_path / "song.mid")


def test_a_loaded_model_is_named_with_its_weights_hash(model_folder):
    verbs = load(model_folder)
    digest = hashlib.sha256((model_folder / "model.safetensors").read_bytes()).hexdigest()
    assert verbs.model.name == f"{model_folder.name} {digest[:8]}"
    assert verbs.melody("C", seed=1).history[0].author.model == verbs.model.name


def test_feel_is_refused_where_nothing_is_around(random_composer):
    with pytest.raises(RequestError, match="feel is that of the notes around, and there are none"):
        random_composer.melody("C", feel=True)
    with pytest.raises(RequestError, match="feel is that of the notes around, and there are none"):
        random_composer.stream("C", feel=True)
