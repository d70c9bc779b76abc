"""Roman numerals give the chords that a theory teacher and a songwriter mean by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import SymbolError
from composer.theory.chords import parse_chord
from composer.theory.keys import Key
from composer.theory.numerals import is_numeral, numeral_symbol

DEGREES = "I II III IV V VI VII i ii iii iv v vi vii".split()
FIGURES = (
    "",
    "6",
    "64",
    "65",
    "6/5",
    "43",
    "42",
    "2",
    "7",
    "maj7",
    "o7",
    "ø7",
    "+",
    "sus4",
    "add9",
)
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


@pytest.mark.parametrize(
    ("key", "numerals", "symbols"),
    [
        ("C", "ii7 V7 Imaj7 I7 IM7", "Dm7 G7 Cmaj7 C7 CM7"),
        ("C", "bVII bIII bVI bII #ivo7", "Bb Eb Ab Db F#dim7"),
        ("C", "viio viio7 viiø7 vii°7 viiø III+ viidim7", "Bdim Bdim7 Bm7b5 Bdim7 Bm7b5 E+ Bdim7"),
        ("C", "V6 I64 ii6 IV6 viio6 vii°6", "G/B C/G Dm/F F/A Bdim/D Bdim/D"),
        ("C", "V65 V43 V42 V2 V6/5 V4/3 V4/2", "G7/B G7/D G7/F G7/F G7/B G7/D G7/F"),
        ("C", "I65 IV42 ii65 viio65 viiø65", "Cmaj7/E Fmaj7/E Dm7/F Bdim7/D Bm7b5/D"),
        ("C", "V7/V V65/V viio7/vi V7/V/V V/bVII V6/5/ii", "D7 D7/F# G#dim7 A7 F A7/C#"),
        ("C", "N6 N It6 Ger6 Gr65 Fr43 Cad64", "Db/F Db Ab7(no5) Ab7 Ab7 Ab7b5 C/G"),
        ("C", "Iadd6 VI69 I6/9 V9 V13b9 Isus4 I5", "Cadd6 A69 C6/9 G9 G13b9 Csus4 C5"),
        ("C", "im ivm7 V7sus4 im(maj7)", "Cm Fm7 G7sus4 Cm(maj7)"),
        ("A minor", "i iv V VI VII III bVI bVII", "Am Dm E F G C F G"),
        ("A minor", "viio7 #viio7 V65 i42 iiø65 ii°6", "G#dim7 G#dim7 E7/G# Am7/G Bm7b5/D Bdim/D"),
        ("A minor", "#VI N6 Ger6 Cad64 V7/iv", "F# Bb/D F7 Am/E A7"),
        ("F#", "V7 viio7 bVII", "C#7 E#dim7 E"),
        ("Gb", "V7 viio7 bVII", "Db7 Fdim7 Fb"),
        ("Db", "bVI N6 bIII", "A D/F# Fb"),
        ("F# minor", "V7 III viio7", "C#7 A E#dim7"),
    ],
)
def test_numerals_in_keys(key, numerals, symbols):
    read = [numeral_symbol(numeral, Key.parse(key)) for numeral in numerals.split()]
    assert read == symbols.split()


@pytest.mark.parametrize("text", ["V7/ii", "bVII", "Ger6", "N6", "Cad64", "#ivo7", "Im", "vi"])
def test_what_looks_like_a_numeral(text):
    assert is_numeral(text)


@pytest.mark.parametrize("text", ["Bb7", "N.C.", "N", "C", "bb7", "dim", "G/B", "Ab", "NC", ""])
def test_what_does_not(text):
    assert not is_numeral(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [("IVI", "numeral 'IVI' cannot be read"), ("V7/IVI", "refers to no degree"), ("iVi", "cannot")],
)
def test_what_is_no_numeral_is_refused(text, message):
    with pytest.raises(SymbolError, match=message):
        numeral_symbol(text, Key(0))


@given(
    st.sampled_from(DEGREES),
    st.sampled_from(FIGURES),
    st.sampled_from(["", "b", "#"]),
    st.integers(-7, 7),
    st.booleans(),
)
def test_every_numeral_is_a_chord_on_its_degree_of_any_key(degree, figures, sign, sharps, minor):
    key = Key.from_signature(sharps, minor)
    symbol = numeral_symbol(sign + degree + figures, key)
    chord = parse_chord(symbol)
    place = ["i", "ii", "iii", "iv", "v", "vi", "vii"].index(degree.lower())
    steps = MINOR if minor else MAJOR
    leads = place == 6 and degree.islower() and figures in ("o7", "ø7") and not sign
    if sign == "b" or leads:
        steps = MAJOR
    root = (key.tonic + steps[place] + {"": 0, "b": -1, "#": 1}[sign]) % 12
    assert chord.root == root
    third = (root + (3 if degree.islower() or "o" in figures or "ø" in figures else 4)) % 12
    if not figures.startswith(("sus", "o7", "ø7")):
        assert third in chord.tones
    if figures in ("6", "65", "6/5"):
        assert chord.bass == third


@given(st.sampled_from(DEGREES), st.integers(-7, 7), st.booleans())
def test_a_numeral_is_named_by_the_letter_of_its_degree(degree, sharps, minor):
    key = Key.from_signature(sharps, minor)
    place = ["i", "ii", "iii", "iv", "v", "vi", "vii"].index(degree.lower())
    letters = "CDEFGAB"
    tonic = letters.index(key.spell(key.tonic)[0])
    assert numeral_symbol(degree, key)[0] == letters[(tonic + place) % 7]


@pytest.mark.parametrize(
    ("numerals", "key", "symbols"),
    [
        # Figures in full.
        ("V653 V6/5/3 V643 V6/4/3 V642 V6/4/2", "C", "G7/B G7/B G7/D G7/D G7/F G7/F"),
        ("V63 V6/3 V753 V7/5/3 ii63", "C", "G/B G/B G7 G7 Dm/F"),
        # Capitals with m stand on their own third.
        ("IIm65 IVm6 VIm6 IIm6/V", "C", "Dm7/F Fm/Ab Am/C Am/C"),
        ("IV-6 II-65 IImin65", "C", "F-/Ab D-7/F Dmin7/F"),
        # Half diminished, as RomanText has it.
        ("vii/o7 ii/o65 #vi/o4/3 vii/o7/V", "C", "Bm7b5 Dm7b5/F A#m7b5/E F#m7b5"),
        ("vii/o7 ii/o65", "C minor", "Bm7b5 Dm7b5/F"),
        # Augmented sixths and the Neapolitan, on their basses.
        ("It6 It+6 It64 It53", "C minor", "Ab7(no5) Ab7(no5) Ab7(no5)/C Ab7(no5)/Gb"),
        ("Ger6 Ger+6 Ger65 Ger43 Ger42", "C minor", "Ab7 Ab7 Ab7 Ab7/C Ab7/Eb"),
        ("Fr6 Fr+6 Fr43 Fr65 Fr42", "A minor", "F7b5 F7b5 F7b5 F7b5/Eb F7b5/A"),
        ("N6 N64 N N65", "C", "Db/F Db/Ab Db Dbmaj7/F"),
        # Over a degree of the key.
        ("I/5 I/3 V/3 V/7 ii/4 vi/5 V7/4 I/1", "C", "C/G C/E G/E G/B Dm/F Am/G G7/F C"),
        ("i/5 V/7 i/7 i/b7 I/#4", "C minor", "Cm/G G/B Cm/Bb Cm/Bb C/F#"),
        # Brackets.
        ("bVII[add9] V[no3] i[add7] V7[b9]", "G minor", "F(add9) D(no3) Gm(add7) D7(b9)"),
        # Accidentals in figures that are tones of the chord.
        ("viio6#4", "A minor", "G#dim/D"),
    ],
)
def test_numerals_as_people_write_them(numerals, key, symbols):
    for numeral, symbol in zip(numerals.split(), symbols.split(), strict=True):
        assert numeral_symbol(numeral, Key.parse(key)) == symbol, numeral


@pytest.mark.parametrize("numeral", ["V6#5", "V#6", "viio6#4", "IV6b5"])
def test_accidentals_in_figures_that_say_another_chord_are_refused(numeral):
    with pytest.raises(SymbolError, match="a note in its figures that is not of the chord"):
        numeral_symbol(numeral, Key.parse("C"))


def test_two_basses_are_refused():
    with pytest.raises(SymbolError, match="has two basses"):
        numeral_symbol("V65/5", Key.parse("C"))
