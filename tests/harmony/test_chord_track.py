"""A track of block chords, and markers, become the chord symbols that they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import RequestError, Score, Track
from composer.harmony.chord_track import name_chord
from composer.harmony.voicing import block_chords
from composer.theory.chord_names import WAYS, suffix_tones
from composer.theory.chords import QUALITIES, Chord, parse_chord, split_symbol
from composer.theory.keys import Key

C = Key(0)
CHORDS = st.builds(Chord, st.integers(0, 11), st.integers(0, len(QUALITIES) - 1))


@pytest.mark.parametrize(
    ("pitches", "symbol"),
    [
        ([60, 64, 67], "C"),
        ([52, 55, 60], "C/E"),
        ([43, 52, 60, 67], "C/G"),
        ([60, 64, 67, 69], "C6"),
        ([52, 57, 60, 67], "Am7/E"),
        ([60, 65, 67], "Csus4"),
        ([53, 55, 60], "Fsus2"),
        ([50, 60, 64, 67], "C/D"),
        ([41, 55, 59, 62], "G/F"),
        ([53, 55, 59, 62], "G7/F"),
        ([60, 64, 70], "C7"),
        ([60, 64], "C"),
        ([57, 60], "Am"),
        ([60, 67], "C5"),
        ([60, 63, 66, 69], "Cdim7"),
        ([63, 66, 69, 72], "Ebdim7"),
        ([36, 64, 67, 71, 74], "Cmaj9"),
        ([43, 65, 69, 72], "F/G"),
        ([36, 58, 64, 69], "C13"),
        ([36, 52, 58, 63], "C7#9"),
        ([60], None),
        ([60, 61, 62], None),
    ],
)
def test_notes_have_the_simplest_name(pitches, symbol):
    assert name_chord(pitches, C) == symbol


def test_names_are_spelled_in_the_key():
    assert name_chord([54, 58, 61], Key.parse("Gb")) == "Gb"
    assert name_chord([54, 58, 61], Key.parse("F#")) == "F#"
    assert name_chord([58, 61, 66], Key.parse("F#")) == "F#/A#"


@given(st.lists(st.integers(36, 84), min_size=1, max_size=6))
def test_a_name_says_the_notes_that_sound(pitches):
    symbol = name_chord(pitches, C)
    if symbol is None:
        return
    chord, (_, suffix, _) = parse_chord(symbol), split_symbol(symbol)
    said = {(chord.root + step) % 12 for step in suffix_tones(suffix)}
    bass = chord.root if chord.bass is None else chord.bass
    assert min(pitches) % 12 == bass
    sounding = {pitch % 12 for pitch in pitches}
    assert sounding <= said | {bass}
    left_out = said - sounding  # a fifth, and the ninth of a thirteenth chord
    assert left_out <= {(chord.root + 7) % 12, (chord.root + 2) % 12}


@given(st.lists(CHORDS, min_size=1, max_size=8), st.sampled_from([C, Key(6, "minor")]))
def test_block_chords_come_back(chords, key):
    notes = block_chords([(1920 * i, chord) for i, chord in enumerate(chords)], 1920 * len(chords))
    sharps = [(0, key.sharps, key.is_minor)]
    read = Score(tracks=(Track("Chords", notes=notes),), key_signatures=sharps)
    found = read.with_chords(track="chords").chords
    changes = [chord for i, chord in enumerate(chords) if i == 0 or chord != chords[i - 1]]
    for chord, (_, text) in zip(changes, found, strict=True):
        # The same tones above the same bass: Csus2 above C is not told from Gsus4/C, nor need be.
        assert parse_chord(text).pitch_classes == chord.pitch_classes
        assert text.split("/")[0] == key.spell(parse_chord(text).root) + split_symbol(text)[1]
        assert parse_chord(text) == chord


def played(*groups, tpq=480, name="Keys"):
    """Return a score of (onset, duration, pitches)."""
    notes = [(onset, length, pitch, 80) for onset, length, group in groups for pitch in group]
    return Score(tpq=tpq, tracks=(Track(name, notes=notes),), key_signatures=[(0, 0, 0)])


def read(score):
    return [tuple(text) for text in score.with_chords(track=1).chords]


def test_strummed_early_and_late_chords_stand_on_their_beat():
    notes = [(1890, 900, 53, 80), (1905, 890, 57, 80), (1930, 880, 60, 80)]
    score = played((0, 1900, [48, 52, 55]))
    track = score.tracks[0]
    score = score.replace(tracks=(track.replace(notes=[*track.notes.tolist(), *notes]),))
    assert read(score) == [(0, "C"), (1920, "F")]


def test_a_held_note_belongs_to_the_next_chord_and_a_late_release_does_not():
    held = played((0, 3840, [48]), (0, 1920, [64, 67]), (1920, 1920, [65, 69]))
    assert read(held) == [(0, "C"), (1920, "F/C")]
    late = played((0, 2000, [48, 52, 55]), (1920, 1920, [53, 57, 60]))
    assert read(late) == [(0, "C"), (1920, "F")]


def test_a_chord_again_is_no_change_and_a_silent_bar_no_chord():
    score = played(
        (0, 480, [48, 52, 55]),
        (960, 480, [48, 52, 55]),
        (5760, 480, [48, 52, 55]),
        (7680, 1920, [53, 57, 60]),
    )
    assert read(score) == [(0, "C"), (1920, "N.C."), (5760, "C"), (7680, "F")]


def test_symbols_follow_the_key_signature():
    score = played((0, 1920, [54, 58, 61]), (1920, 1920, [54, 58, 61])).replace(
        key_signatures=[(0, 6, 0), (1920, -6, 0)]
    )
    assert read(score) == [(0, "F#"), (1920, "Gb")]


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (
            played((0, 480, [48, 52, 55]), (2880, 480, [60, 61, 62])),
            "Keys has C4 Db4 D4 on beat 3 of bar 2, which is not a chord that is known here",
        ),
        (Score(tracks=(Track("Kit", is_drum=True, notes=[(0, 1, 38, 9)]),)), "Kit is of drums"),
        (Score(tracks=(Track("Pad"),)), "Pad has no notes"),
    ],
)
def test_what_makes_no_chords_is_refused(score, message):
    with pytest.raises(RequestError, match=message):
        score.with_chords(track=1)


def test_every_written_suffix_is_found_in_full_voicings():
    for suffix in WAYS:
        tones = suffix_tones(suffix)
        if suffix == "mb6" or not ({7, 3} <= tones or {7, 4} <= tones):
            continue  # these may have simpler names: Cmb6 is Abmaj7/C
        pitches = [36, *(60 + tone for tone in tones)]
        chord = parse_chord(name_chord(pitches, C))
        assert (chord.root, chord.bass) == (0, None), suffix


# Markers and given chords


MARKED = Score(markers=[(0, "Verse"), (0, "Am7"), (1920, "D7/F# "), (3840, "NC"), (5760, "B")])


def test_markers_become_chords_when_asked_to():
    score = MARKED.with_chords(markers=True, letters="sections")
    assert score.chords == ((0, "Am7"), (1920, "D7/F#"), (3840, "NC"))
    assert score.markers == ((0, "Verse"), (5760, "B"))
    assert MARKED.with_chords(markers=True, letters="chords").chords[-1] == (5760, "B")


def test_a_letter_is_not_guessed_at():
    with pytest.raises(
        RequestError, match="marker 'B' in bar 4 may be a chord or a rehearsal mark"
    ):
        MARKED.with_chords(markers=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "takes one source and was given 0"),
        ({"chords": "C", "track": 1}, "was given 2"),
        ({"markers": True, "letters": "both"}, "letters 'both' is not one of chords, sections"),
        ({"chords": "C", "letters": "chords"}, "which say what markers of one letter are"),
        ({"track": "Harp"}, "the score has no track 'Harp'"),
    ],
)
def test_one_source_is_named(options, message):
    with pytest.raises(RequestError, match=message):
        MARKED.with_chords(**options)


def test_markers_without_chords_are_refused():
    with pytest.raises(RequestError, match=r"no marker can be read .* the score has 'A', 'Verse'"):
        Score(markers=[(0, "A"), (9, "Verse")]).with_chords(markers=True, letters="sections")


def test_chords_that_notes_suggest_are_put_in_when_asked_for():
    notes = block_chords([(0, parse_chord("C#")), (1920, parse_chord("F#"))], 3840)
    score = Score(tracks=(Track(notes=notes),), chords=[(0, "G")])
    for key, symbols in (("Db", ["Db", "Gb"]), ("C#", ["C#", "F#"])):
        assert [text for _, text in score.with_chords(notes=True, key=key).chords] == symbols
    own = score.replace(key_signatures=[(0, -5, 0)])
    assert [text for _, text in own.with_chords(notes=True).chords] == ["Db", "Gb"]
    beat = Score(tracks=(Track(is_drum=True, notes=[(0, 60, 36, 90)]),))
    with pytest.raises(RequestError, match="no notes but drums, which suggest no chords"):
        beat.with_chords(notes=True)


def test_given_chords_fill_the_score_in_its_key():
    score = Score(tracks=(Track(notes=[(0, 5760, 60, 9)]),), key_signatures=[(0, -1, 0)])
    assert [text for _, text in score.with_chords("ii7 V7").chords] == ["Gm7", "C7", "Gm7"]
    assert score.with_chords("| i", key="C minor").chords[0] == (0, "Cm")
    other = score.with_chords([(1, 2, "C")])
    assert other.chords == (
        (0, "N.C."),
        (480, "C"),
        (1920, "N.C."),
        (2400, "C"),
        (3840, "N.C."),
        (4320, "C"),
    )
    assert score.with_chords(other).chords == other.chords
