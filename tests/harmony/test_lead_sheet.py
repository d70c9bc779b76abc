"""A chart has the bars, the key, the meter and the chords that were asked for."""

import pytest

from composer.errors import RequestError, SymbolError
from composer.harmony.lead_sheet import chart, chord_texts
from composer.theory.keys import Key

USUAL = {"key": None, "meter": "4/4", "tempo": 120, "bars": None}


def test_chords_are_repeated_until_the_bars_are_full():
    score, key, count = chart("| Am F | C |", **{**USUAL, "bars": 5})
    assert count == 5
    assert key.name == "C major"
    assert [text for _, text in score.chords] == ["Am", "F", "C", "Am", "F", "C", "Am", "F"]
    assert [tick for tick, _ in score.chords][:4] == [0, 960, 1920, 3840]
    assert score.tempos.tolist() == [(0, 500_000)]
    assert score.key_signatures.tolist() == [(0, 0, 0)]
    assert score.tracks == ()


def test_chords_share_the_bar_of_any_meter():
    score, _, count = chart("| C G | Am |", **{**USUAL, "meter": "6/8"})
    assert count == 2
    assert [tick for tick, _ in score.chords] == [0, 720, 1440]
    assert score.time_signatures.tolist() == [(0, 6, 8)]


def test_numerals_are_read_in_the_key():
    score, key, _ = chart("ii V7 I", **{**USUAL, "key": "Bb"})
    assert [text for _, text in score.chords] == ["Cm", "F7", "Bb"]
    assert key == Key.parse("Bb")
    assert score.key_signatures.tolist() == [(0, -2, 0)]


def test_chords_stay_as_they_were_written():
    score, _, _ = chart("| F | C13(b9)/E |", **{**USUAL, "key": "F# minor"})
    assert [text for _, text in score.chords] == ["F", "C13(b9)/E"]


def test_keys_are_spelled_as_they_were_asked_for():
    for name, sharps in (("F#", 6), ("Gb", -6), ("D# minor", 6), ("Ab minor", -7)):
        score, _, _ = chart("V I", **{**USUAL, "key": name})
        assert score.key_signatures["sharps"].tolist() == [sharps]
    assert [text for _, text in chart("V i", **{**USUAL, "key": "D# minor"})[0].chords] == [
        "A#",
        "D#m",
    ]


def test_sections_keys_and_meters_of_a_text_come_round_with_it():
    text = "[A] [3/4] | C: I | [B] [4/4] Ab: I |"
    score, key, count = chart(text, **{**USUAL, "bars": 3})
    assert (key.name, count) == ("C major", 3)
    assert score.markers == ((0, "A"), (1440, "B"), (3360, "A"))
    assert score.time_signatures.tolist() == [(0, 3, 4), (1440, 4, 4), (3360, 3, 4)]
    assert score.key_signatures.tolist() == [(0, 0, 0), (1440, -4, 0), (3360, 0, 0)]


def test_a_key_after_the_begin_leaves_the_home_key_to_the_chords():
    score, key, _ = chart("G D G [key: Bb] I", **USUAL)
    assert key.name == "G major"
    assert score.key_signatures.tolist() == [(0, 1, 0), (5760, -2, 0)]


def test_without_chords_there_are_eight_bars_in_c():
    score, key, count = chart(None, **USUAL)
    assert (key, count, score.chords) == (Key(0), 8, ())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"bars": 1}, RequestError, "the chords have 2 bars, more than the 1 to write"),
        ({"bars": 0}, RequestError, "bars 0 is outside 1 to 1000"),
        ({"bars": 1001}, RequestError, "bars 1001 is outside"),
        ({"tempo": 19}, RequestError, "tempo 19 bpm is outside 20 to 320"),
        ({"tempo": float("nan")}, RequestError, "tempo nan bpm is outside"),
        ({"meter": "4/3"}, SymbolError, "meter '4/3'"),
        ({"key": "H"}, SymbolError, "key 'H'"),
        (
            {"chords": "[key: D] I", "key": "C"},
            RequestError,
            "key C major is not D major, which the chords begin in",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        chart(**{"chords": "Am F", **USUAL, **change})


def test_a_text_may_be_laid_over_a_score():
    score, key, _ = chart(None, **USUAL)
    texts = chord_texts("C | G |", key, score, 3)
    assert texts == ((0, "C"), (1920, "G"), (3840, "C"))
    with pytest.raises(RequestError, match="more than the 1 to write"):
        chord_texts("C | G |", key, score, 1)


@pytest.mark.parametrize(
    ("text", "meter", "quarters"),
    [
        ("| C Am F |", "4/4", [0, 2, 3]),
        ("| C Am F G |", "4/4", [0, 1, 2, 3]),
        ("| C . . Am |", "4/4", [0, 3]),
        ("| C Am |", "3/4", [0, 2]),
        ("| C Am |", "5/4", [0, 3]),
        ("| C Am |", "7/8", [0, 2]),
        ("| C Am F |", "7/8", [0, 1.5, 2.5]),
        ("| C Am |", "6/8", [0, 1.5]),
        ("| C Am F G |", "6/8", [0, 1, 1.5, 2.5]),
        ("| C Am F |", "12/8", [0, 3, 4.5]),
    ],
)
def test_chords_that_share_a_bar_begin_on_its_beats(text, meter, quarters):
    score, _, _ = chart(text, key="C", meter=meter, tempo=None, bars=None)
    assert [chord.tick / score.tpq for chord in score.chords] == quarters


def test_a_key_changes_with_the_chord_it_stands_before():
    score, _, _ = chart("| C Am [key: G] D |", key="C", meter=None, tempo=None, bars=None)
    assert score.key_signatures["tick"].tolist() == [0, 3 * score.tpq]


def test_chords_given_by_their_beats_stay_there():
    rows = [(1, 1, "C"), (1, 1 + 4 / 3, "F"), (1, 1 + 8 / 3, "G")]
    score, _, _ = chart(rows, key="C", meter=None, tempo=None, bars=None)
    assert [chord.tick for chord in score.chords] == [0, 640, 1280]
    again, _, _ = chart(score, key="C", meter=None, tempo=None, bars=None)
    assert [chord.tick for chord in again.chords] == [0, 640, 1280]
