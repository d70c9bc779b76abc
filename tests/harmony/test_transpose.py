"""A piece moves to another key with its notes, signatures and chord symbols."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import RequestError, Score, SymbolError, Track
from composer.harmony.transpose import parse_interval, transposed_symbol
from composer.theory.chords import parse_chord
from composer.theory.keys import Key, note_name

PIECE = Score(
    tracks=(
        Track("Flute", 73, notes=[(0, 480, 60, 90), (1920, 480, 100, 90)], controls=[(0, 7, 100)]),
        Track("Kit", is_drum=True, notes=[(0, 10, 38, 90)]),
    ),
    key_signatures=[(0, -6, 0), (1920, 3, 1)],
    markers=[(0, "C")],
    chords=[
        (0, "Gb13(b9)/Bb"),
        (9, "Cb"),
        (1920, "F#m"),
        (2000, "C#7/E#"),
        (3000, "N.C."),
        (4000, "F"),
    ],
)


def moved(*arguments, **options):
    score = PIECE.transpose(*arguments, **options)
    return score.key_signatures["sharps"].tolist(), [text for _, text in score.chords]


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("up a minor third", (3, -3)),
        ("a minor third up", (3, -3)),
        ("down a fourth", (-5, 1)),
        ("up 5th", (7, 1)),
        ("M2", (2, 2)),
        ("-m3", (-3, 3)),
        ("-P8", (-12, 0)),
        ("octave", (12, 0)),
        ("major ninth", (14, 2)),
        ("d5", (6, -6)),
        ("up an augmented fourth", (6, 6)),
        ("tritone", (6, 6)),
        ("semitone", (1, -5)),
        ("half-step down", (-1, 5)),
        ("a whole tone", (2, 2)),
        ("down 2 semitones", (-2, -2)),
        ("-3 semitones", (-3, 3)),
        ("minor 3rd", (3, -3)),
    ],
)
def test_intervals_in_words(text, interval):
    assert parse_interval(text) == interval


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("up a third", "a third is a major or a minor one"),
        ("minor fifth", "a fifth is a perfect one"),
        ("banana", "cannot be read; write one such as 'up a minor third'"),
        ("", "cannot be read"),
    ],
)
def test_what_is_no_interval_is_refused(text, message):
    with pytest.raises(SymbolError, match=message):
        parse_interval(text)


@pytest.mark.parametrize(
    ("interval", "sharps", "chords"),
    [
        (1, [1, -2], "G13(b9)/B C Gm D7/F# N.C. F#"),
        (-1, [-1, -4], "F13(b9)/A Bb Fm C7/E N.C. E"),
        ("M2", [-4, 5], "Ab13(b9)/C Db G#m D#7/G N.C. G"),
        (12, [-6, 3], "Gb13(b9)/Bb Cb F#m C#7/E# N.C. F"),
        (0, [-6, 3], "Gb13(b9)/Bb Cb F#m C#7/E# N.C. F"),
    ],
)
def test_all_goes_along(interval, sharps, chords):
    assert moved(interval) == (sharps, chords.split())


def test_a_key_may_be_named():
    assert moved(to="A") == ([3, 0], "A13(b9)/C# D Am E7/G# N.C. G#".split())
    assert PIECE.transpose(to="A").tracks[0].notes["pitch"].tolist() == [63, 103]
    assert PIECE.transpose(to="F#").key_signatures["sharps"].tolist()[0] == 6
    minor = Score(key_signatures=[(0, 0, 1)], tracks=(Track(notes=[(0, 9, 57, 9)]),))
    assert minor.transpose(to="E minor").tracks[0].notes["pitch"].tolist() == [52]
    assert minor.transpose(to="D# minor").tracks[0].notes["pitch"].tolist() == [63]


def test_what_has_no_pitch_stays():
    score = PIECE.transpose(3)
    assert score.tracks[1] == PIECE.tracks[1]
    assert score.markers == PIECE.markers
    assert score.tracks[0].controls.tolist() == [(0, 7, 100)]
    assert score.tracks[0].notes["pitch"].tolist() == [63, 103]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((28,), {}, "28 semitones take E7 of Flute in bar 2 out of .* transpose by -60 to 27"),
        ((-61,), {}, "-61 semitones take C4 of Flute in bar 1 out of .* transpose by -60 to 27"),
        ((), {"to": "A minor"}, "in Gb major, which no transposition makes A minor"),
        ((), {}, "takes either an interval or a key"),
        ((1,), {"to": "C"}, "takes either an interval or a key"),
    ],
)
def test_what_cannot_be_is_refused(arguments, options, message):
    with pytest.raises(RequestError, match=message):
        PIECE.transpose(*arguments, **options)


def test_a_bass_is_named_by_its_root():
    assert transposed_symbol("Cb/Eb", 3, -3) == "D/F#"


keys = st.tuples(st.integers(-7, 7), st.booleans())
names = st.integers(-8, 12).map(note_name)
suffixes = st.sampled_from(["", "m7", "13(b9)", "maj7", "sus", "ø"])


@given(names, suffixes, st.none() | names, st.integers(-30, 30))
def test_a_symbol_moves_by_its_semitones(root, suffix, bass, semitones):
    text = root + suffix + (f"/{bass}" if bass else "")
    fifths = (7 * semitones + 5) % 12 - 5
    higher = transposed_symbol(text, semitones, fifths)
    assert parse_chord(higher) == parse_chord(text).transpose(semitones)
    assert suffix in higher


@given(keys, st.lists(st.integers(-5, 6), max_size=5), st.integers(-11, 11))
def test_there_and_back_is_the_identity(key, degrees, semitones):
    home = Key.from_signature(*key)
    if abs(home.sharps) > 5:  # spelled anew on the way
        return
    texts = [note_name(home.sharps + degree) + "7" for degree in degrees]
    score = Score(
        tracks=(Track(notes=[(0, 10, 60, 90)]),),
        key_signatures=[(0, home.sharps, home.is_minor)],
        chords=[(10 * i, text) for i, text in enumerate(texts)],
    )
    there = score.transpose(semitones)
    back = there.transpose(-semitones)
    assert back.tracks == score.tracks
    assert back.key_signatures["sharps"].tolist() == [home.sharps]
    pairs = zip(score.chords, back.chords, strict=True)
    assert all(parse_chord(a.text) == parse_chord(b.text) for a, b in pairs)
    # The sign of the name is the one that the key has.
    for (_, text), degree in zip(there.chords, degrees, strict=True):
        place = there.key_signatures["sharps"][0] + degree
        if -8 <= place <= 12 and degree >= (-3 if home.is_minor else -6):
            assert text == note_name(int(place)) + "7"
