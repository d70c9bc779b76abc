"""Chords may be given as text, bars, beats, a score or a file."""

from fractions import Fraction

import pytest

from composer import RequestError, Score, SymbolError, Track
from composer.harmony.lead_sheet import chart
from composer.harmony.sources import read_chords
from composer.interop import to_music21
from composer.theory.keys import Key

SONG = Score(
    tpq=96,
    tracks=(Track(notes=[(0, 960, 60, 90)]),),
    time_signatures=[(0, 3, 4), (576, 4, 4)],
    key_signatures=[(0, 1, 0), (576, -3, 0)],
    markers=[(0, "Verse"), (576, "Chorus")],
    tempos=[(0, 400_000)],
    chords=[(0, "G"), (96, "D7/F#"), (432, "N.C."), (576, "Eb13")],
)


def texts(source, key=None, **options):
    """Return a progression as bars of texts, with places in a bar behind an @."""
    read = read_chords(source, key, **options)
    return [
        " ".join(text + (f"@{start}" if start else "") for start, _, text in bar)
        for bar in read.bars
    ]


@pytest.mark.parametrize(
    "source",
    [
        "| Am F | C |",
        ["Am F", "C"],
        ("Am F", "C"),
        [["Am", "F"], ["C"]],
        [(1, 1, "Am"), (1, 3, "F"), (2, 1, "C")],
        [(2, 1.0, "C"), (1, 3, "F"), (1, 1, "Am")],
    ],
)
def test_one_progression_in_many_ways(source):
    assert texts(source) == ["Am F@1/2", "C"]


def test_beats_count_in_quarters_of_their_bar():
    beats = [(1, 1, "Am"), (1, 2.5, "V7"), (3, 1 + 1 / 3, None)]
    assert texts(beats, Key.parse("A minor"), quarters=lambda bar: Fraction(3)) == [
        "Am E7@1/2",
        "E7",
        "E7 N.C.@1/9",
    ]


def test_before_the_first_beat_there_is_no_chord():
    assert texts([(2, 3, "C")]) == ["N.C.", "N.C. C@1/2"]


def test_a_score_gives_its_chords_meters_keys_and_sections():
    assert texts(SONG) == ["G D7/F#@1/3", "D7/F# N.C.@1/2", "Eb13"]
    read = read_chords(SONG)
    assert read.meters == ((3, 4), (3, 4), (4, 4))
    assert [(bar, key.name) for bar, _, key in read.keys] == [(0, "G major"), (2, "Eb major")]
    assert read.labels == ((0, "Verse"), (2, "Chorus"))


def test_a_chart_on_a_score_is_like_it():
    copy, key, bars = chart(SONG, key=None, meter=None, tempo=None, bars=None)
    assert (key.name, bars) == ("G major", 3)
    assert copy.time_signatures.tolist() == [(0, 3, 4), (2880, 4, 4)]
    assert copy.key_signatures.tolist() == [(0, 1, 0), (2880, -3, 0)]
    assert copy.tempos.tolist() == [(0, 400_000)]
    assert copy.markers == ((0, "Verse"), (2880, "Chorus"))
    assert [text for _, text in copy.chords] == ["G", "D7/F#", "D7/F#", "N.C.", "Eb13"]


def test_files_are_read_by_their_ending(tmp_path):
    (tmp_path / "tune.txt").write_text("# a tune\n| Am F |\n| C |\n", encoding="utf-8")
    assert texts(tmp_path / "tune.txt") == texts(str(tmp_path / "tune.txt")) == ["Am F@1/2", "C"]
    SONG.write(tmp_path / "song.mid")
    assert texts(str(tmp_path / "song.mid")) == texts(SONG)
    plain = SONG.replace(time_signatures=[(0, 4, 4)], chords=[(0, "G"), (384, "C/E")])
    to_music21(plain).write("musicxml", tmp_path / "song.musicxml")
    assert texts(tmp_path / "song.musicxml")[:2] == ["G", "C/E"]


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ([], RequestError, "the list of chords is empty"),
        ([(1, 5, "C")], RequestError, "beat 5 of bar 1, which has beats 1 to 4 in quarters"),
        ([(1, 0.5, "C")], RequestError, "beat 0.5 of bar 1"),
        ([(0, 1, "C")], RequestError, "bar 0 of chord 'C' is outside 1 to 10,000"),
        ([(1, 1, "C"), (1, 1.0, "F")], RequestError, "'C' and 'F' stand on one beat of bar 1"),
        ([(1, 3, "H7")], SymbolError, "on beat 3 of bar 1: chord 'H7' cannot .* 'B7'"),
        ([(1, 1, "C F")], SymbolError, "on beat 1 of bar 1: 'C F' is not one chord"),
        (["C", "| F"], RequestError, "bar 2 of the list is '| F'; write the chords of one bar"),
        (["C", " "], RequestError, "bar 2 of the list is ' '"),
        (SONG.chords, RequestError, "give .* the whole score for its chord symbols"),
        (SONG.replace(chords=()), RequestError, "no chord symbols; read them from a track or from"),
        (SONG.replace(chords=[(600, "X")]), SymbolError, "in bar 3 of the score: chord 'X'"),
        ("nowhere.txt", RequestError, "nowhere.txt cannot be read: No such file"),
        ("nowhere.mid", ValueError, "nowhere.mid does not exist"),
        ("nowhere.mxl", ValueError, "nowhere.mxl does not exist"),
        ("tune.doc", SymbolError, "chord 'tune.doc' cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(source, error, message):
    with pytest.raises(error, match=message.replace("|", r"\|")):
        read_chords(source)


def test_a_path_that_is_no_chart_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"is not a file of chords; name one that ends in .txt"):
        read_chords(tmp_path / "tune.doc")
    (tmp_path / "tune.txt").write_text("| C |\n| Q |\n")
    with pytest.raises(SymbolError, match=r"tune.txt: at line 2, column 3, bar 2: chord 'Q'"):
        read_chords(tmp_path / "tune.txt")
