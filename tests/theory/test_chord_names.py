"""What people write for a chord, and what is offered where nothing can be read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import SymbolError
from composer.theory.chord_names import WAYS, nearest_symbol, suffix_tones
from composer.theory.chords import QUALITIES, parse_chord
from composer.theory.keys import Key
from composer.theory.numerals import numeral_symbol

CHARTS = Path(__file__).parents[1] / "data/charts"
IREAL = """5 2 add9 + o h sus ^ - ^7 -7 7 7sus h7 o7 ^9 ^13 6 69 ^7#11 ^9#11 ^7#5 -6 -69 -^7 -^9 -9
-11 -7b5 h9 -b6 -#5 9 7b9 7#9 7#11 7b5 7#5 9#11 9b5 9#5 7b13 7#9#5 7#9b5 7#9#11 7b9#11 7b9b5 7b9#5
7b9#9 7b9b13 7alt 13 13#11 13b9 13#9 7b9sus 7susadd3 9sus 13sus 7b13sus 11""".split()


@pytest.mark.parametrize("suffix", WAYS)
def test_every_way_to_write_a_suffix_asks_for_its_tones(suffix):
    tones = suffix_tones(suffix)
    assert tones is not None
    for way in WAYS[suffix]:
        assert suffix_tones(way) == tones, way


def test_no_two_suffixes_ask_for_the_same_tones():
    assert len({suffix_tones(suffix) for suffix in WAYS}) == len(WAYS)


def test_every_quality_has_its_ways():
    assert {quality.name for quality in QUALITIES} <= set(WAYS)
    for quality in QUALITIES:
        assert suffix_tones(quality.name) == {step % 12 for step in quality.intervals}


@pytest.mark.parametrize(
    ("suffix", "semitones"),
    [
        ("7#9", {0, 3, 4, 7, 10}),
        ("13", {0, 2, 4, 7, 9, 10}),
        ("7alt", {0, 1, 4, 8, 10}),
        ("maj7#11", {0, 4, 6, 7, 11}),
        ("m11", {0, 2, 3, 5, 7, 10}),
        ("9sus4", {0, 2, 5, 7, 10}),
        ("6/9", {0, 2, 4, 7, 9}),
        ("6(b7)", {0, 4, 7, 9, 10}),
        ("7(b13)(#9)", {0, 3, 4, 7, 8, 10}),
        ("7(#9,b13)", {0, 3, 4, 7, 8, 10}),
        ("13(no9)", {0, 4, 7, 9, 10}),
        ("(no3)(no5)", {0}),
        ("h9", {0, 2, 3, 6, 10}),
    ],
)
def test_suffixes_ask_for_their_tones(suffix, semitones):
    assert suffix_tones(suffix) == semitones


@pytest.mark.parametrize("suffix", [s for s in IREAL if s != "h"])
def test_every_suffix_of_jazz_charts_can_be_read(suffix):
    assert suffix_tones(suffix) is not None


@pytest.mark.parametrize("text", (CHARTS / "openewld_symbols.txt").read_text().split("\n")[:-1])
def test_every_symbol_of_real_lead_sheets_can_be_read(text):
    assert parse_chord(text) is not None


@pytest.mark.parametrize("text", (CHARTS / "free_midi_chords_numerals.txt").read_text().split())
@pytest.mark.parametrize("key", ["C", "A minor"])
def test_every_numeral_of_real_progressions_can_be_read(text, key):
    assert parse_chord(numeral_symbol(text, Key.parse(key))) is not None


def test_a_dominant_stays_one_however_it_is_altered():
    for text in ("C7b5#9", "C7#9b5", "C13#9b5", "C7#9#5"):
        assert 4 in parse_chord(text).tones, text


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Cmja7", "Cmaj7"),
        ("Hm7", "Bm7"),
        ("Am7y/G", "Am7/G"),
        ("F#sos4", "F#sus4"),
        ("D/C7", "D/C"),
        ("C77", "C7"),
        ("Ebmaj7sus#", "Ebmaj7sus4"),
        ("Am F", "Am"),
        ("cmm", "Cm"),
        ("Q7", None),
        ("", None),
    ],
)
def test_the_nearest_symbol_is_offered(text, near):
    assert nearest_symbol(text) == near


@pytest.mark.parametrize(
    ("text", "near"), [("Cmja7", "'Cmaj7'"), ("D/C7", "polychords"), ("Q", "A to G")]
)
def test_what_cannot_be_read_is_refused_with_it(text, near):
    with pytest.raises(SymbolError, match=near):
        parse_chord(text)


@given(st.text("ABCDEFGHmajdinsu#b0123456789/()+-øΔ ", max_size=10))
def test_whatever_is_offered_can_be_read(text):
    near = nearest_symbol(text)
    assert near is None or parse_chord(near) is not None
