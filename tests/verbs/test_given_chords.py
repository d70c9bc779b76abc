"""Verbs take chords of every kind, and give them back as they were written."""

import pytest

from composer import RequestError, SymbolError
from composer.theory.chords import parse_chord


def texts(score):
    return [text for _, text in score.chords]


def test_a_chord_comes_back_as_it_was_written(random_composer):
    tune = random_composer.melody("[Verse] | F | C#m7b5 F#7alt |", key="F# minor", seed=1)
    assert texts(tune) == ["F", "C#m7b5", "F#7alt"]
    assert tune.markers == ((0, "Verse"),)


def test_numerals_follow_the_keys_of_a_text(random_composer):
    tune = random_composer.melody("C: ii7 V65/V | I Ab: V7 |", seed=1)
    assert texts(tune) == ["Dm7", "D7/F#", "C", "Eb7"]
    assert tune.key_signatures["sharps"].tolist() == [0, -4]


def test_a_score_of_chords_brings_its_meter_and_tempo(random_composer):
    waltz = random_composer.chords(key="G", meter="3/4", tempo=90, bars=2, part=None, seed=1)
    tune = random_composer.melody(waltz, bars=3, seed=2)
    assert texts(tune)[: len(texts(waltz))] == texts(waltz)
    assert tune.time_signatures.tolist() == [(0, 3, 4)]
    assert tune.tempos.tolist() == waltz.tempos.tolist()
    assert tune.key_signatures.tolist() == waltz.key_signatures.tolist()
    straight = random_composer.melody(waltz, meter="4/4", tempo=100, seed=2)
    assert straight.time_signatures.tolist() == [(0, 4, 4)]


@pytest.mark.parametrize(
    "chords", [["Am", "F E7"], [(1, 1, "Am"), (2, 1, "F"), (2, 3, "E7")], "| Am | F E7 |"]
)
def test_an_arrangement_over_chords_of_any_kind(random_composer, chords):
    tune = random_composer.melody("C F", seed=1)
    song = random_composer.arrange(tune, "bass", chords=chords, seed=1)
    assert [tuple(chord) for chord in song.chords] == [(0, "Am"), (1920, "F"), (2880, "E7")]
    again = random_composer.arrange(tune, "bass", chords=song, seed=1)
    assert again == song


def test_the_chord_track_that_is_written_is_read_as_its_notes(random_composer):
    score = random_composer.chords(key="D minor", bars=4, seed=3)

    def heard(text):  # Gsus2/A and Dsus4/A are one chord
        chord = parse_chord(text)
        return chord.pitch_classes, chord.root if chord.bass is None else chord.bass

    asked = [(tick, heard(text)) for tick, text in score.chords]
    changes = [row for i, row in enumerate(asked) if i == 0 or row[1] != asked[i - 1][1]]
    read = score.replace(chords=()).with_chords(track="Chords").chords
    assert [(tick, heard(text)) for tick, text in read] == changes


def test_errors_say_where(random_composer):
    with pytest.raises(SymbolError, match=r"line 2, column 3, bar 2: chord 'Hm' .* is 'Bm'"):
        random_composer.melody("| Am |\n| Hm |")
    with pytest.raises(RequestError, match="beat 5 of bar 1, which has beats 1 to 4"):
        random_composer.arrange(random_composer.melody("C", seed=1), chords=[(1, 5, "C")])
