"""The same music comes back through each library's own objects."""

import numpy as np
import pytest

from composer import Score, ScoreError, Text, Track
from composer.interop import (
    from_miditoolkit,
    from_music21,
    from_pretty_midi,
    from_symusic,
    read_musicxml,
    to_miditoolkit,
    to_music21,
    to_pretty_midi,
    to_symusic,
)


@pytest.fixture
def score():
    lead = [(0, 240, 67, 70), (240, 480, 69, 80), (720, 160, 71, 90), (880, 160, 72, 100)]
    block = [(0, 960, 48, 60), (0, 960, 52, 61), (0, 960, 55, 62), (960, 1920, 53, 63)]
    return Score(
        tpq=480,
        tracks=(
            Track(
                "Lead",
                73,
                notes=lead,
                lyrics=(Text(0, "lo"), Text(240, "ve")),
                controls=[(0, 7, 100), (10, 64, 127), (500, 64, 0)],
                pitch_bends=[(5, -8192), (6, 8191)],
                pedals=[(10, 490)],
            ),
            Track("Keys", 0, notes=block),
            Track("Kit", 0, is_drum=True, notes=[(i * 240, 60, 42, 50 + i) for i in range(8)]),
        ),
        tempos=[(0, 500_000), (960, 411_523)],
        time_signatures=[(0, 3, 4), (1440, 6, 8)],
        key_signatures=[(0, -3, 1), (1440, 2, 0)],
        markers=(Text(0, "A"),),
        chords=(Text(0, "C"), Text(480, "Bb7/D"), Text(960, "N.C.")),
    )


def assert_same_notes(ours, theirs):
    assert len(ours.tracks) == len(theirs.tracks)
    for mine, other in zip(ours.tracks, theirs.tracks, strict=True):
        assert mine.notes.tolist() == other.notes.tolist()
        assert (mine.name, mine.program, mine.is_drum) == (other.name, other.program, other.is_drum)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (to_symusic, from_symusic),
        (to_pretty_midi, from_pretty_midi),
        (to_miditoolkit, from_miditoolkit),
    ],
    ids=["symusic", "pretty_midi", "miditoolkit"],
)
def test_a_score_comes_back_whole(score, there, back):
    assert back(there(score)) == score


@pytest.mark.parametrize("tpq", [480, 24, 960])
def test_music21_brings_back_all_that_it_knows(score, tpq):
    other = from_music21(to_music21(score), tpq=480)
    assert_same_notes(score, other)
    for name in ("tempos", "time_signatures", "key_signatures"):
        assert getattr(score, name).tolist() == getattr(other, name).tolist()
    assert other.chords == score.chords
    assert other.tracks[0].lyrics == score.tracks[0].lyrics
    onsets = from_music21(to_music21(score), tpq=tpq).tracks[2].notes["onset"]
    np.testing.assert_array_equal(onsets, score.tracks[2].notes["onset"] * tpq // 480)


def test_music21_objects_lie_at_quarter_offsets(score):
    notes = list(to_music21(score).parts[0].flatten().getElementsByClass("Note"))
    assert [note.offset for note in notes] == [0, 0.5, 1.5, pytest.approx(11 / 6)]
    assert [note.quarterLength for note in notes][:2] == [0.5, 1.0]
    symbols = to_music21(score).recurse().getElementsByClass("ChordSymbol")
    assert [symbol.figure for symbol in symbols][:2] == ["C", "B-7/D"]


def test_musicxml_can_be_written_and_read_again(score, tmp_path):
    from music21 import converter

    path = to_music21(score).write("musicxml", tmp_path / "song.musicxml")
    other = from_music21(converter.parse(path))
    for mine, theirs in zip(score.tracks[:2], other.tracks[:2], strict=True):
        for column in ("onset", "duration", "pitch"):
            assert mine.notes[column].tolist() == theirs.notes[column].tolist()
    assert other.key_signatures["sharps"].tolist() == [-3, 2]
    assert other.time_signatures.tolist() == score.time_signatures.tolist()


def test_a_chord_that_music21_cannot_read_becomes_a_text():
    stream = to_music21(Score(chords=(Text(0, "C~odd"),)))
    texts = stream.recurse().getElementsByClass("TextExpression")
    assert [text.content for text in texts] == ["C~odd"]


def test_music21_percussion_and_missing_velocities_get_a_value():
    from music21 import note, stream

    part = stream.Part([note.Note("C4"), note.Unpitched()])
    pitched, drums = from_music21(part).tracks
    assert pitched.notes.tolist() == [(0, 480, 60, 90)]
    assert (drums.is_drum, drums.notes.tolist()) == (True, [(480, 480, 38, 90)])


def test_written_files_of_the_others_hold_the_same_notes(score, tmp_path):
    # pretty_midi would write texts as text events, and lyrics into a track of their own.
    tracks = tuple(track.replace(lyrics=()) for track in score.tracks)
    score = score.replace(tracks=tracks, markers=(), chords=())
    to_pretty_midi(score).write(str(tmp_path / "a.mid"))
    to_miditoolkit(score).dump(str(tmp_path / "b.mid"))
    for name in "ab":
        assert_same_notes(score, Score.read(tmp_path / f"{name}.mid"))


def test_symusic_scores_of_other_units_are_read_in_ticks(score):
    other = from_symusic(to_symusic(score).to("quarter"))
    assert_same_notes(score, other)


@pytest.mark.parametrize("sharps", range(-5, 7))
@pytest.mark.parametrize("minor", [0, 1])
def test_keys_keep_their_signature(sharps, minor):
    score = Score(key_signatures=[(0, sharps, minor)])
    assert from_pretty_midi(to_pretty_midi(score)).key_signatures.tolist() == [(0, sharps, minor)]
    assert from_miditoolkit(to_miditoolkit(score)).key_signatures.tolist() == [(0, sharps, minor)]
    assert from_music21(to_music21(score)).key_signatures.tolist() == [(0, sharps, minor)]


def test_an_unknown_key_name_is_refused():
    other = to_miditoolkit(Score(key_signatures=[(0, 0, 0)]))
    other.key_signature_changes[0].key_name = "H"
    with pytest.raises(ScoreError, match="key 'H' is not one of Cb, Gb"):
        from_miditoolkit(other)


def test_symusic_cannot_hold_a_denominator_of_256():
    with pytest.raises(ScoreError, match="denominator 256 is outside 1 to 128"):
        to_symusic(Score(time_signatures=[(0, 4, 256)]))


@pytest.mark.parametrize("title", ["", "My song"])
def test_titles_come_back_from_music21_and_musicxml(title, tmp_path):
    score = Score(tracks=(Track("A", notes=[(0, 480, 60, 90)]),), title=title)
    stream = to_music21(score)
    assert from_music21(stream).title == title
    stream.write("musicxml", tmp_path / "song.musicxml")
    assert read_musicxml(tmp_path / "song.musicxml").title == title
