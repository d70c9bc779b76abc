import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import SymbolError
from composer.theory.chords import QUALITIES, Chord, chord_symbol, parse_chord
from composer.theory.keys import NATURALS, Key, note_name
from composer.theory.meters import parse_meter

KEYS = [Key(tonic, mode) for tonic in range(12) for mode in ("major", "minor")]
NAMES = [quality.name for quality in QUALITIES]

keys = st.sampled_from(KEYS)
pitch_classes = st.integers(0, 11)
chords = st.builds(
    Chord, pitch_classes, st.integers(0, len(QUALITIES) - 1), st.none() | pitch_classes
)


def pitch_class(name):
    return (NATURALS[name[0]] + name.count("#") - name.count("b")) % 12


# Qualities


def test_order_of_qualities_is_the_one_on_disk():
    assert NAMES[:22] == [
        *("", "m", "7", "maj7", "m7", "m7b5", "dim7", "dim", "aug", "sus4", "sus2"),
        *("6", "m6", "mMaj7", "7sus4", "9", "maj9", "m9", "add9", "5", "7b9", "7#5"),
    ]


@pytest.mark.parametrize("quality", QUALITIES, ids=lambda quality: quality.name or "major")
def test_a_quality_holds_the_tones_its_name_says(quality):
    name, tones = quality.name, {step % 12 for step in quality.intervals}
    minor = name.startswith(("m", "dim")) and not name.startswith("maj")
    if minor:
        assert 3 in tones
        assert 4 not in tones
    elif name.endswith(("sus4", "sus2")) or name == "5":
        assert not {3, 4} & tones
        assert ("sus4" in name) == (5 in tones)
    else:
        assert 4 in tones
        assert 3 not in tones
    assert (10 in tones) == bool(re.match(r"m?(7|9)", name))
    assert (11 in tones) == ("aj" in name)
    assert (9 in tones) == (name in ("6", "m6", "dim7"))
    diminished, augmented = name.startswith("dim") or "b5" in name, name in ("aug", "7#5")
    assert {6, 7, 8} & tones == ({6} if diminished else {8} if augmented else {7})
    assert quality.intervals[0] == 0
    assert list(quality.intervals) == sorted(quality.intervals)


def test_no_two_qualities_are_the_same_chord():
    assert len({frozenset(quality.intervals) for quality in QUALITIES}) == len(QUALITIES)
    assert len(set(NAMES)) == len(NAMES)


# Keys


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("F# minor", "F# minor"),
        ("f#m", "F# minor"),
        ("Bb", "Bb major"),
        ("B♭", "Bb major"),
        ("bb minor", "Bb minor"),
        ("Am", "A minor"),
        ("AM", "A major"),
        ("A-", "A minor"),
        ("C major", "C major"),
        ("c maj", "C major"),
        ("E flat major", "Eb major"),
        ("e-flat", "Eb major"),
        ("C sharp minor", "C# minor"),
        ("D min.", "D minor"),
        ("b", "B major"),
        (" g MINOR ", "G minor"),
        ("A# major", "Bb major"),
        ("Cb", "Cb major"),
        ("F#", "F# major"),
        ("Gb", "Gb major"),
        ("D# minor", "D# minor"),
        ("G# major", "Ab major"),
    ],
)
def test_keys_are_read_as_people_write_them(text, name):
    assert Key.parse(text).name == name


@pytest.mark.parametrize(
    ("text", "major", "minor"),
    [
        ("D dorian", "C", "A"),
        ("E phrygian", "C", "A"),
        ("Eb Lydian", "Bb", "G"),
        ("A mixolydian", "D", "B"),
        ("F# locrian", "G", "E"),
    ],
)
def test_a_mode_is_refused_by_name_with_the_keys_that_have_its_notes(text, major, minor):
    with pytest.raises(SymbolError, match=f"is a mode.*'{major} major' and '{minor} minor' have"):
        Key.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "H", "C doric", "C" + "-" * 20_000 + "x", "minor", "7", "Cmaj7", "A m i n o r", "C##5"],
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(SymbolError, match="write one like 'Bb major'"):
        Key.parse(text)


@pytest.mark.parametrize(("tonic", "mode"), [(12, "major"), (-1, "minor"), (0, "dorian")])
def test_key_outside_its_range_is_refused(tonic, mode):
    with pytest.raises(SymbolError, match=r"0 to 11|'major' or 'minor'"):
        Key(tonic, mode)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_key_names_come_back(key):
    assert Key.parse(key.name) == key == Key.parse(str(key))


@pytest.mark.parametrize("sharps", range(-7, 8))
@pytest.mark.parametrize("minor", [False, True])
def test_signatures_and_keys_agree(sharps, minor):
    key = Key.from_signature(sharps, minor)
    assert key.is_minor == minor
    assert (key.sharps - sharps) % 12 == 0
    # The signature's notes: seven neighbours on the line of fifths.
    assert key.scale == {pitch_class(note_name(sharps + n)) for n in range(-1, 6)}


def test_keys_are_the_same_however_they_are_spelled():
    sharp, flat = Key.parse("F#"), Key.parse("Gb")
    assert sharp == flat == Key(6)
    assert hash(sharp) == hash(flat)
    assert (sharp.sharps, flat.sharps, sharp.transpose(12).sharps) == (6, -6, -6)
    assert chord_symbol(Chord(6), flat) == "Gb"  # what one asks for is not remembered for the other
    assert chord_symbol(Chord(6), sharp) == "F#"
    with pytest.raises(SymbolError, match="a signature of 3 sharps is not that of"):
        Key(0, "major", 3)


def test_signature_outside_seven_is_refused():
    with pytest.raises(SymbolError, match="8 sharps is outside -7 to 7"):
        Key.from_signature(8)


def test_relative_keys_share_their_scale():
    assert Key.parse("A minor").scale == Key.parse("C").scale == frozenset((0, 2, 4, 5, 7, 9, 11))


@given(keys)
def test_only_the_minor_leading_tone_is_outside_the_scale(key):
    assert (key.leading_tone in key.scale) != key.is_minor
    assert (key.leading_tone + 1) % 12 == key.tonic


@given(keys, pitch_classes)
def test_a_spelling_names_the_note_it_spells(key, pc):
    name = key.spell(pc)
    assert pitch_class(name) == pc
    assert len(name) <= 2


@given(keys)
def test_the_scale_uses_each_letter_once(key):
    assert {key.spell(pc)[0] for pc in key.scale} == set("ABCDEFG")


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("C", "C Db D Eb E F F# G Ab A Bb B"),
        ("A minor", "C C# D D# E F F# G G# A Bb B"),
        ("F", "C Db D Eb E F Gb G Ab A Bb B"),
        ("E", "C C# D D# E F F# G G# A A# B"),
        ("F# minor", "C C# D D# E E# F# G G# A A# B"),
        ("Eb minor", "C Db D Eb E F Gb G Ab A Bb Cb"),
    ],
)
def test_spelling_by_key(key, names):
    assert [Key.parse(key).spell(pc) for pc in range(12)] == names.split()


def test_keys_transpose():
    assert Key.parse("A minor").transpose(-2).name == "G minor"


# Chords

SAME_CHORDS = {
    "C": "C Cmaj CM Cmajor c C(#11) C(add4)",
    "Cm": "Cm C- Cmin cm Cmi CMIN Cminor c-",
    "C7": "C7 c7 Cdom7 C7(#11) C7#9 C7b5 C7(no5) C7no3 C7(b5)",
    "Cmaj7": "CM7 CΔ7 CΔ Cma7 Cmaj7 CMAJ7 C^7 C∆ C7M Cmaj7#11 Cmaj7(add13)",
    "Cm7": "C-7 Cmin7 Cm7 CMI7 cm7 Cm7(11) Cm7b9",
    "Cm7b5": "Cm7b5 Cø Cø7 C-7b5 Cm7(b5) Cm7-5 Cmin7b5 Chalfdim Chalf-dim7",
    "Cdim7": "Co7 C°7 Cdim7 CDIM7 Cdim9",
    "Cdim": "C° Cdim Co Cdim. Cmb5 Cm(b5) Cdim(maj7)",
    "Caug": "C+ Caug C(#5) C+5 Cmaj7#5 CaugMaj7 Caug.",
    "Csus4": "Csus Csus4 C4 Csus(add9) Csus24 C(sus4)",
    "Csus2": "Csus2 C2 C7sus2",
    "C6": "C6 C6/9 C69 C(6) Cmaj6 C6(9) C6add9 C6/9#11",
    "Cm6": "Cm6 C-6 Cm6/9 Cmin6",
    "CmMaj7": "Cm/maj7 Cm(maj7) CmM7 CmMaj7 C-Δ C-maj7 Cm(#7) Cminmaj9 Cm+7",
    "C7sus4": "C7sus4 C7sus C9sus4 C9sus C13sus C11 Csus9 Csus4(add7) C7(sus4) C7sus4(b9)",
    "C9": "C9 C13 C7(9) C9#11 C9(add#11) C13#11 C7/9 C9b5",
    "Cmaj9": "Cmaj9 CM9 CΔ9 Cma9 Cmaj13 Cmaj9#11 Cmaj7(9)",
    "Cm9": "Cm9 C-9 Cm11 Cm13 Cmin9 Cm7(9)",
    "Cadd9": "C(add9) Cadd9 Cadd2 C(9) C(add2)",
    "C5": "C5 Cno3 C(omit3)",
    "C7b9": "C7b9 C7(b9,#11) C7-9 C13b9 C7(addb9) C7b9#9 C(b9) C7/b9",
    "C7#5": "C7#5 C7alt C+7 Caug7 C7+ C9#5 C7(#5) C7aug C7#5#9 C7+5",
}


@pytest.mark.parametrize(
    ("text", "symbol"),
    [(text, symbol) for symbol, texts in SAME_CHORDS.items() for text in texts.split()],
)
def test_chords_are_read_as_people_write_them(text, symbol):
    assert parse_chord(text).symbol() == symbol


def test_every_quality_has_its_ways_of_writing():
    assert ["C" + name for name in NAMES] == sorted(SAME_CHORDS, key=lambda s: NAMES.index(s[1:]))


# Odd symbols of the OpenEWLD lead sheets.
@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("Gsus4(add7)/C", "G7sus4/C"),
        ("Gsus4(add7)(add9)", "G7sus4"),
        ("F13(b9)", "F7b9"),
        ("C7(addb9)", "C7b9"),
        ("C9(add#11)", "C9"),
        ("A7(b5)/E", "A7/E"),
        ("Ebdim7/Bbb", "Ebdim7/A"),
        ("Cb7/Gb", "B7/F#"),
        ("Abm6/Cb", "G#m6/B"),
        ("Dm7(b5)", "Dm7b5"),
        ("Am(#5)", "Am"),
        ("C(add4)", "C"),
        ("Gaug7", "G7#5"),
        ("D7/Gb", "D7/F#"),
        ("Em/D#", "Em/D#"),
        ("A#dim", "Bbdim"),
    ],
)
def test_symbols_of_real_lead_sheets(text, symbol):
    assert parse_chord(text).symbol() == symbol


@pytest.mark.parametrize(
    ("text", "root", "bass"),
    [("bb7", 10, None), ("B♭/D", 10, 2), ("F♯m7", 6, None), ("b/d#", 11, 3), ("A / C#", 9, 1)],
)
def test_accidentals_and_basses(text, root, bass):
    chord = Chord.parse(text)
    assert (chord.root, chord.bass) == (root, bass)


@pytest.mark.parametrize("text", ["N.C.", "NC", "N", "n.c.", "no chord", " N.C. "])
def test_no_chord_is_none(text):
    assert parse_chord(text) is None
    with pytest.raises(SymbolError, match="means no chord"):
        Chord.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "H7",
        "/E",
        "C/",
        "C77",
        "Cmm",
        "C7(b9,b9)",
        "Am F",
        "CC",
        "x",
        "C7y",
        "C/H",
        "Nope",
        "C8",
    ],
)
def test_what_is_no_chord_is_refused_by_name(text):
    with pytest.raises(
        SymbolError, match=re.escape(f"chord {text!r} cannot be read; ") + ".*write a root"
    ):
        parse_chord(text)


@given(chords, st.none() | keys)
def test_symbols_come_back(chord, key):
    assert parse_chord(chord.symbol(key)) == chord


def test_symbols_of_all_chords_come_back():
    for root, quality, key in itertools.product(range(12), range(len(QUALITIES)), [None, *KEYS]):
        chord = Chord(root, quality)
        assert parse_chord(chord.symbol(key)) == chord


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text):
    try:
        chord = parse_chord(text)
    except SymbolError:
        return
    assert parse_chord(chord_symbol(chord)) == chord


@given(chords, st.integers(-24, 24))
def test_transposing_moves_every_tone(chord, semitones):
    moved = chord.transpose(semitones)
    assert moved.quality == chord.quality
    assert moved.pitch_classes == {(pc + semitones) % 12 for pc in chord.pitch_classes}
    assert moved.transpose(-semitones) == chord


@given(chords)
def test_tones_begin_with_the_root_and_leave_the_bass_out(chord):
    assert chord.tones[0] == chord.root
    assert len(chord.tones) == len(QUALITIES[chord.quality].intervals)
    assert chord.pitch_classes == {*chord.tones, *([] if chord.bass is None else [chord.bass])}


def test_a_bass_on_the_root_is_none():
    assert Chord(7, 0, 7) == Chord(7) == parse_chord("G/G")


@pytest.mark.parametrize("values", [(12, 0), (-1, 0), (0, len(QUALITIES)), (0, -1), (0, 0, 12)])
def test_chord_outside_its_range_is_refused(values):
    with pytest.raises(SymbolError, match="is outside"):
        Chord(*values)


@pytest.mark.parametrize(
    ("text", "key", "symbol"),
    [
        ("A#7", "F", "Bb7"),
        ("Gb", "D", "F#"),
        ("E7/Ab", "A minor", "E7/G#"),
        ("D#m", "Bb", "Ebm"),
        ("Ebm/F#", "Db", "Ebm/Gb"),
        ("Bm7b5/F", "C", "Bm7b5/F"),
        ("Caug/Ab", "F", "Caug/G#"),
        ("C/A#", "C", "C/Bb"),
    ],
)
def test_chords_are_spelled_for_their_key(text, key, symbol):
    assert Chord.parse(text).symbol(Key.parse(key)) == symbol


def test_no_chord_has_a_text():
    assert chord_symbol(None) == "N.C."
    assert chord_symbol(Chord(6), Key.parse("Db")) == "Gb"
    assert str(Chord(6)) == "F#"


# Meters


@pytest.mark.parametrize(
    ("text", "meter"), [("3/4", (3, 4)), (" 12 / 8 ", (12, 8)), ("2/2", (2, 2))]
)
def test_meters_are_read(text, meter):
    assert parse_meter(text) == meter


@pytest.mark.parametrize("text", ["", "3", "3/5", "0/4", "256/4", "C", "3/4/4", "4/128", "-3/4"])
def test_what_is_no_meter_is_refused(text):
    with pytest.raises(SymbolError, match="write one like '4/4' or '6/8'"):
        parse_meter(text)
