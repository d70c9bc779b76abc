from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import SymbolError
from composer.progression import MAX_REPEATS, parse_progression
from composer.theory import QUALITIES, Chord, Key, chord_symbol


def read(text, key=None):
    """Return a progression as one line: bars with chords, and where a chord begins inside a bar."""
    bars = []
    for bar in parse_progression(text, key):
        entries = [chord_symbol(chord) + (f"@{start}" if start else "") for start, chord in bar]
        bars.append(" ".join(entries))
    return " | ".join(bars)


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("Am F C G7/B", "Am | F | C | G7/B"),
        ("Am, F, C", "Am | F | C"),
        ("Am - F – C → G", "Am | F | C | G"),
        ("| Am F | C . G7 . |", "Am F@1/2 | C G7@1/2"),
        ("Am F | C G", "Am F@1/2 | C G@1/2"),
        ("| C / / G |", "C G@3/4"),
        ("| C //// | F |", "C | F"),
        ("| C F G |", "C F@1/3 G@2/3"),
        ("| C | F |\n| G | C |]", "C | F | G | C"),
        ("| C | % | % | F ||", "C | C | C | F"),
        ("| C F | % |", "C F@1/2 | C F@1/2"),
        ("| C F | . G |", "C F@1/2 | F G@1/2"),
        ("| C | . |", "C | C"),
        ("C . F %", "C | C | F | F"),
        ("| N.C. | NC C |", "N.C. | N.C. C@1/2"),
        ("| N.C. | . G |", "N.C. | N.C. G@1/2"),
        ("[A] C F [B] G", "C | F | G"),
        ("[Verse 1] | C | [Chorus] F |", "C | F"),
        ("| C7(b9, #11) F |", "C7b9 F@1/2"),
        ("Cm7b5", "Cm7b5"),
    ],
)
def test_bars_and_chords(text, bars):
    assert read(text) == bars


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("|: C | F :|", "C | F | C | F"),
        ("|: C :| F", "C | C | F"),
        ("C | F :| G", "C | F | C | F | G"),
        ("|: C :| x3 F", "C | C | C | F"),
        ("|: C :|x2", "C | C"),
        ("|: C :| (x3)", "C | C | C"),
        ("|: C :|: F :|", "C | C | F | F"),
        ("|: C :||: F :|", "C | C | F | F"),
        ("G |: C :| F :|", "G | C | C | F | F"),
        ("|: A |1. B :|2. C | D", "A | B | A | C | D"),
        ("|: A |1. B :|2. C :|3. D ||: E :|", "A | B | A | C | A | D | E | E"),
        ("|: A | % :|", "A | A | A | A"),
        ("|: A |1. B | C :|2. . D |", "A | B | C | A | A D@1/2"),
    ],
)
def test_repeats_are_written_out(text, bars):
    assert read(text) == bars


def test_a_hold_after_a_repeat_sign_holds_what_was_played_before():
    assert read("F |: . G :|") == "F | F G@1/2 | G G@1/2"


@pytest.mark.parametrize(
    ("text", "key", "bars"),
    [
        ("ii7 V7 Imaj7", "C", "Dm7 | G7 | Cmaj7"),
        ("I vi IV V", "Eb", "Eb | Cm | Ab | Bb"),
        ("i VI III VII", "Am", "Am | F | C | G"),
        ("i bVI bIII bVII", "Am", "Am | F | C | G"),
        ("I bVII IV", "D", "D | C | G"),
        ("vii° I", "Am", "G#dim | A"),
        ("viio7", "C", "Bdim7"),
        ("viiø7 #ivo7", "C", "Bm7b5 | F#dim7"),
        ("V7/V V", "C", "D7 | G"),
        ("V7/ii viio7/vi", "C", "A7 | G#dim7"),
        ("bII iv", "Cm", "Db | Fm"),
        ("#VI", "Am", "F#"),
        ("| Isus4 I | C |", "G", "Gsus4 G@1/2 | C"),
    ],
)
def test_numerals_are_read_in_their_key(text, key, bars):
    assert read(text, Key.parse(key)) == bars


def test_numerals_need_a_key():
    with pytest.raises(SymbolError, match=r"at character 3, bar 2: numeral 'V7' needs a key"):
        parse_progression("C V7")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("| Am Q7 | F", "at character 6, bar 1: chord 'Q7' cannot be read"),
        ("| Am | F G | C Hm", "at character 16, bar 3: chord 'Hm' cannot be read"),
        ("Am F Q", "at character 6, bar 3: chord 'Q' cannot be read"),
        ("Am-F", "at character 1, bar 1: chord 'Am-F' cannot be read"),
        (". C", "character 1, bar 1 holds a chord before there is one"),
        ("| % |", "'%' at character 3, bar 1 has no bar before it"),
        ("| C | F % |", "bar 2 stands for a whole bar"),
        ("| C ) |", r"'\)' at character 5, bar 1 is no part of a progression"),
        ("x3 C", "'x3' at character 1, bar 1 must follow a plain ':|'"),
        ("|: C :| x1", "x2 to x64"),
        ("|: C :| x65", "x2 to x64"),
        ("|: C :| F x3", "must follow a plain"),
        ("|: C |1. D :| x3 |2. E", "must follow a plain"),
        ("", "has no chords"),
        ("| | |", "has no chords"),
        ("[Am] [F]", "is a label"),
    ],
)
def test_errors_say_what_and_where(text, message):
    with pytest.raises(SymbolError, match=message.replace("|", r"\|")):
        parse_progression(text)


chords = st.none() | st.builds(Chord, st.integers(0, 11), st.integers(0, len(QUALITIES) - 1))
progressions = st.lists(st.lists(chords, min_size=1, max_size=5), min_size=1, max_size=6)


@given(progressions, st.sampled_from([None, Key(6, "minor")]))
def test_what_is_written_is_read(bars, key):
    text = "|".join(" ".join(chord_symbol(chord, key) for chord in bar) for bar in bars) + "|"
    shares = [[(Fraction(i, len(bar)), chord) for i, chord in enumerate(bar)] for bar in bars]
    assert parse_progression(text) == shares


@given(progressions, st.integers(2, MAX_REPEATS))
def test_a_repeat_is_the_bars_again(bars, times):
    text = "|".join(" ".join(chord_symbol(chord) for chord in bar) for bar in bars)
    once = parse_progression(text + "|")
    assert parse_progression(f"|: {text} :| x{times}") == once * times


@given(st.text("ABCm7/.%|:x12 ()[]IVivN-b#", max_size=24))
def test_any_text_gives_bars_that_begin_with_a_chord_or_is_refused(text):
    try:
        bars = parse_progression(text, Key(0))
    except SymbolError:
        return
    for bar in bars:
        starts = [start for start, _ in bar]
        assert starts[0] == 0
        assert starts == sorted(set(starts))
        assert starts[-1] < 1
