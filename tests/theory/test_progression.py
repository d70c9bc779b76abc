import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import SymbolError
from composer.theory.chord_names import WAYS
from composer.theory.chords import QUALITIES, Chord, chord_symbol, parse_chord
from composer.theory.keys import Key
from composer.theory.progression import MAX_REPEATS, parse_progression

CHARTS = Path(__file__).parents[1] / "data/charts"


def read(text, key=None):
    """Return a progression as one line: bars with chords, and where a chord begins inside a bar."""
    bars = []
    for bar in parse_progression(text, key).bars:
        entries = [text + (f"@{start}" if start else "") for start, _, text in bar]
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
        ("| C7(b9, #11) F |", "C7(b9, #11) F@1/2"),
        ("am f♯ø C-7", "Am | F♯ø | C-7"),
        ("C13 F6/9/A", "C13 | F6/9/A"),
        ("Am | F\nC | G", "Am | F | C | G"),
        ("| Am F |\n\n C | [B]\n G", "Am F@1/2 | C | G"),
        ("| C |   | F | |", "C | C | F | F"),
        ("| C G |\t|: F | :|", "C G@1/2 | F | F | F | F"),
        ("C-G-Am-F", "C | G | Am | F"),
        ("Dm7-G7-Cmaj7 F#-7-Bb-C7-9", "Dm7 | G7 | Cmaj7 | F#-7 | Bb | C7-9"),
        ("| C-add9 C-Δ | Dm - G |", "C-add9 C-Δ@1/2 | Dm G@1/2"),
        ("# by ear\n| C | F |\n # and\n| G |", "C | F | G"),
        ("| C:maj7/3 G:7 | N |", "Cmaj7/E G7@1/2 | N.C."),
        ("| (3/4) C . G | F |", "C G@2/3 | F"),
    ],
)
def test_bars_and_chords(text, bars):
    assert read(text) == bars


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("|: C | F :|", "C | F | C | F"),
        ("|: C :| [3x]", "C | C | C"),
        ("|: C :| [x3] | F |", "C | C | C | F"),
        ("|: C :| [repeat 3 times]", "C | C | C"),
        ("|: C :| 3x", "C | C | C"),
        ("|: C :| (3x) F", "C | C | C | F"),
        ("| C | F | [2x]\n| G |", "C | F | C | F | G"),
        ("C F\nG x2", "C | F | G | G"),
        ("| C | F\nG | x2", "C | F | G | G"),
        ("C [Segno] F G [Dal Segno]", "C | F | G | F | G"),
        ("| C | F | Fine | G | Da Capo al Fine |", "C | F | G | C | F"),
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
        ("|: A |1. B :|2. C :| D", "A | B | A | C | D"),
        ("|: A |1,2. B :|3. C | D", "A | B | A | B | A | C | D"),
        ("|: A |[1] B :|[2] C | D", "A | B | A | C | D"),
        ("| C | F | x2\n| G | x3\n| A |", "C | F | C | F | G | G | G | A"),
        ("C F x2", "C | F | C | F"),
        ("| C F x2", "C F@1/2 | C F@1/2"),
        ("C F [Fine] G [D.C. al Fine]", "C | F | G | C | F"),
        ("| C | F | Fine | G | D.C. al Fine |", "C | F | G | C | F"),
        ("C [Segno] F G [D.S.]", "C | F | G | F | G"),
        ("Segno C F To Coda G D.S. al Coda Coda A", "C | F | G | C | F | A"),
        ("|: C | F :| G Fine |: A :| D.C. al Fine", "C | F | C | F | G | A | A | C | F | G"),
        ("|: C |1. F :|2. G | D.C. al Fine |", None),
        ("|: C |1. F :|2. G | Fine | A | D.C. al Fine |", "C | F | C | G | A | C | G"),
    ],
)
def test_bars_are_written_out_as_they_are_played(text, bars):
    if bars is None:
        with pytest.raises(SymbolError, match="has no bar to end with; write"):
            read(text)
    else:
        assert read(text) == bars


def test_labels_are_sections_where_they_are_played():
    text = "[Verse] |: C | F :| [Chorus] | G | [A] A |"
    assert parse_progression(text).labels == ((0, "Verse"), (2, "Verse"), (4, "Chorus"), (5, "A"))


def test_keys_change_inside_a_text():
    read = parse_progression("C: ii V I | [key: Ab] V7 I | f: V i |")
    assert [[text for _, _, text in bar] for bar in read.bars] == [
        ["Dm", "G", "C"],
        ["Eb7", "Ab"],
        ["C", "Fm"],
    ]
    names = [(bar, start, key.name) for bar, start, key in read.keys]
    assert names == [(0, 0, "C major"), (1, 0, "Ab major"), (2, 0, "F minor")]
    assert read.key == Key(0)
    assert parse_progression("C [key: G] C").key is None


def test_a_jump_back_goes_back_to_the_key():
    read = parse_progression("[key: C] I [key: Eb] I D.C.")
    assert [bar[0].text for bar in read.bars] == ["C", "Eb", "C", "Eb"]
    assert [key.name for _, _, key in read.keys] == ["C major", "Eb major"] * 2


def test_meters_hold_on_in_brackets_and_for_a_bar_in_parentheses():
    read = parse_progression("[3/4] C (5/4) F G [meter: 4/4] C")
    assert read.meters == ((3, 4), (5, 4), (3, 4), (4, 4))
    assert parse_progression("C (5/4) F G").meters == (None, (5, 4), None)


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
        ("viio7 V65", "C", "Bdim7 | G7/B"),
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
        ("Am-7q-F", "at character 1, bar 1: chord 'Am-7q' cannot be read"),
        ("|   | C |", "character 5, bar 1 holds a chord before there is one"),
        ("Verse: C G", r"'Verse:' at character 1, bar 1 seems to name a section; .* \[Verse\]"),
        ("C F\nPre chorus 2: G", r"'Pre chorus 2:' at line 2.*\[Pre chorus 2\]"),
        ("[Am]Hello [F]you", "'Hello' at character 5, bar 1 seems to be a word of a song sheet"),
        ("1 4 5- 1", "'1' at character 1, bar 1 seems to be a Nashville number; write .*'V' for 5"),
        ("irealb://Tune%3DX", "links of iReal Pro cannot be read"),
        ("C F [D.S. al 2nd ending]", "sign 'D.S. al 2nd ending' at character 5, bar 3 cannot be"),
        ("C [Coda 1] F [D.C. al Coda 1]", "sign 'Coda 1' at character 3"),
        (". C", "character 1, bar 1 holds a chord before there is one"),
        ("| % |", "'%' at character 3, bar 1 has no bar before it"),
        ("| C | F % |", "bar 2 stands for a whole bar"),
        ("| C ) |", r"'\)' at character 5, bar 1 is not a part of a progression"),
        ("x3 C", "'x3' at character 1, bar 1 must follow a plain ':|'"),
        ("|: C | F\nG | x2", "'x2' at line 2, column 5, bar 4 must follow"),
        ("| Am | F |\n| C | Hm |", "at line 2, column 7, bar 4: chord 'Hm' cannot be read; "),
        ("\n\nAm Cmja7", "at line 3, column 4, bar 2: chord 'Cmja7' .* that can is 'Cmaj7'"),
        ("| D/C7 |", "polychords are not known here; write .* such as 'D/C'"),
        ("[key: H] C", "at character 1, bar 1: key 'H' cannot be read"),
        ("C [3/5] F", "at character 3, bar 2: meter '3/5' is not a time signature"),
        ("|2. C", "no ending is for pass 1 of its repeat; number endings 1, 2"),
        ("C F [D.S.]", "no bar is marked .Segno. to go to"),
        ("Coda C To Coda Coda D D.C. al Coda", "2 bars are marked .Coda. to go to"),
        ("C Coda D D.C. al Coda", "has no bar to leave; write .To Coda. behind"),
        ("C:majj", "label 'C:majj' cannot be read"),
        ("|: C :| x1", "x2 to x64"),
        ("|: C :| x65", "x2 to x64"),
        ("|: C :| F x3", "must follow a plain"),
        ("|: C |1. D :| x3 |2. E", "must follow a plain"),
        ("", "has no chords"),
        ("[A] ||", "has no chords"),
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
    shares = [
        [(Fraction(i, len(bar)), chord, chord_symbol(chord, key)) for i, chord in enumerate(bar)]
        for bar in bars
    ]
    assert parse_progression(text).bars == shares


symbols = st.builds(
    lambda root, way, bass: root + way + (f"/{bass}" if bass else ""),
    st.sampled_from("A Bb B C C# D♭ E F♯ Gb G#".split()),
    st.sampled_from([way for suffix, ways in WAYS.items() for way in (suffix, *ways)]),
    st.sampled_from(["", "", "E", "Bb", "F#"]),
)


@given(st.lists(st.lists(symbols, min_size=1, max_size=4), min_size=1, max_size=6))
def test_text_becomes_chords_and_the_same_text(bars):
    text = "| " + " | ".join(" ".join(bar) for bar in bars) + " |"
    read = parse_progression(text).bars
    assert [[placed.text for placed in bar] for bar in read] == bars
    for bar in read:
        assert all(parse_chord(placed.text) == placed.chord for placed in bar)
    again = " | ".join(" ".join(placed.text for placed in bar) for bar in read)
    assert parse_progression(f"| {again} |").bars == read


@given(progressions, st.integers(2, MAX_REPEATS))
def test_a_repeat_is_the_bars_again(bars, times):
    text = "|".join(" ".join(chord_symbol(chord) for chord in bar) for bar in bars)
    once = parse_progression(text + "|").bars
    assert parse_progression(f"|: {text} :| x{times}").bars == once * times
    assert parse_progression(f"| {text} | x{times}").bars == once * times


@given(st.text("ABCm7/.%|:x12 ()[]IVivN-b#", max_size=24))
def test_any_text_gives_bars_that_begin_with_a_chord_or_is_refused(text):
    try:
        bars = parse_progression(text, Key(0)).bars
    except SymbolError:
        return
    for bar in bars:
        starts = [placed.start for placed in bar]
        assert starts[0] == 0
        assert starts == sorted(set(starts))
        assert starts[-1] < 1


@pytest.mark.parametrize("name", ["0003", "0004"])
def test_whole_charts_can_be_read(name):
    lines = []
    for line in (CHARTS / f"billboard_{name}.txt").read_text().splitlines():
        found = re.search(r"\|.*\|", line)
        if found and not line.startswith("#"):
            section = re.search(r"([a-z-]+), \|", line)
            lines.append((f"[{section[1]}] " if section else "") + found[0])
    read = parse_progression("\n".join(lines))
    assert len(read.bars) == sum(line.count("|") - 1 for line in lines) > 60
    assert len(read.labels) == sum(line.startswith("[") for line in lines) > 5
