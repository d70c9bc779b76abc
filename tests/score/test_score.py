"""Scores and tracks as values: what they refuse, how they compare, that they do not change."""

import dataclasses
import pickle

import numpy as np
import pytest

from composer import Note, RequestError, Score, ScoreError, Text, Track
from composer.score.events import CONTROL, MAX_TICK, NOTE, TEMPO, microseconds_per_quarter


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"program": 128}, "program 128 is outside 0 to 127"),
        ({"program": -1}, "program -1 is outside 0 to 127"),
        ({"notes": [(-1, 1, 60, 90)]}, "note onset -1 is outside 0 to 2147483647"),
        ({"notes": [(0, -1, 60, 90)]}, "note duration -1 is outside 0 to"),
        ({"notes": [(0, 1, 60, 90), (0, 1, 128, 90)]}, "pitch 128 is outside 0 to 127"),
        ({"notes": [(0, 1, 60, 0)]}, "velocity 0 is outside 1 to 127"),
        ({"notes": [(MAX_TICK + 1, 1, 60, 90)]}, "note onset 2147483648 is outside"),
        (
            {"notes": [(0, 1, 60)]},
            r"notes must be rows of \(onset, .*; \(0, 1, 60\) is not",
        ),
        ({"notes": [("a", 1, 60, 90)]}, r"whole numbers; \('a', 1, 60, 90\) is not"),
        ({"notes": [(0.5, 1, 60, 90)]}, r"whole numbers; \(0.5, 1, 60, 90\) is not"),
        ({"notes": [(2**70, 1, 60, 90)]}, "notes must be rows of .*too large"),
        ({"notes": 5}, r"notes must be rows of \(onset, .*\), not 5"),
        ({"name": 5}, "name 5 is not a text; for example 'Flute'"),
        ({"program": "flute"}, "program 'flute' is not a whole number from 0 to 127"),
        ({"is_drum": "yes"}, "is_drum 'yes' is neither True nor False"),
        ({"lyrics": "la la"}, r"lyrics must be rows of \(tick, text\), not 'la la'"),
        ({"lyrics": ["la"]}, r"lyrics must be rows of \(tick, text\); 'la' is not"),
        ({"lyrics": [("now", "la")]}, r"lyrics must be rows .*; \('now', 'la'\) is not"),
        ({"notes": np.zeros(1, CONTROL)}, "notes have dtype .*; build them with dtype"),
        ({"controls": [(-1, 7, 1)]}, "control tick -1 is outside"),
        ({"controls": [(0, 128, 1)]}, "control number 128 is outside 0 to 127"),
        ({"controls": [(0, 7, 128)]}, "control value 128 is outside 0 to 127"),
        ({"pitch_bends": [(-1, 0)]}, "pitch bend tick -1 is outside"),
        ({"pitch_bends": [(0, 8192)]}, "pitch bend 8192 is outside -8192 to 8191"),
        ({"pedals": [(-1, 5)]}, "pedal tick -1 is outside"),
        ({"pedals": [(0, -5)]}, "pedal duration -5 is outside"),
        ({"lyrics": (Text(-1, "la"),)}, "lyric tick -1 is outside"),
    ],
)
def test_a_track_refuses_values_outside_their_range(fields, message):
    with pytest.raises(ScoreError, match=message):
        Track(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tpq": 0}, "tpq 0 is outside 1 to 32767"),
        ({"tpq": 32768}, "tpq 32768 is outside 1 to 32767"),
        ({"tpq": 480.5}, "tpq 480.5 is not a whole number from 1 to 32767"),
        ({"tracks": 5}, "tracks 5 are not tracks; give a list of Track"),
        ({"tracks": ["Flute"]}, r"tracks \['Flute'\] are not tracks"),
        ({"tracks": Track("Flute")}, r"tracks Track\('Flute', .* are not tracks"),
        ({"history": 5}, "history 5 is not a history; give that of another score"),
        ({"history": [5]}, r"history \[5\] is not a history"),
        ({"chords": "Am F"}, "with_chords puts a text of chords into a score"),
        ({"chords": [(0, 5)]}, r"chords must be rows of \(tick, text\); \(0, 5\) is not"),
        ({"tempos": [(-1, 1)]}, "tempo tick -1 is outside"),
        ({"tempos": [(0, 0)]}, "tempo in microseconds a quarter 0 is outside 1 to 16777215"),
        ({"tempos": [(0, 2**24)]}, "tempo in microseconds a quarter 16777216 is outside"),
        ({"time_signatures": [(-1, 4, 4)]}, "time signature tick -1 is outside"),
        ({"time_signatures": [(0, 0, 4)]}, "time signature numerator 0 is outside 1 to 255"),
        ({"time_signatures": [(0, 256, 4)]}, "time signature numerator 256 is outside"),
        ({"time_signatures": [(0, 4, 0)]}, "time signature denominator 0 is outside"),
        ({"time_signatures": [(0, 4, 6)]}, "must be powers of 2"),
        ({"key_signatures": [(-1, 0, 0)]}, "key signature tick -1 is outside"),
        ({"key_signatures": [(0, 8, 0)]}, "key signature sharps 8 is outside -7 to 7"),
        ({"key_signatures": [(0, 0, 2)]}, "key signature mode 2 is outside 0 to 1"),
        ({"markers": (Text(-1, "A"),)}, "marker tick -1 is outside"),
        ({"chords": (Text(MAX_TICK + 1, "C"),)}, "chord tick 2147483648 is outside"),
    ],
)
def test_a_score_refuses_values_outside_their_range(fields, message):
    with pytest.raises(ScoreError, match=message):
        Score(**fields)


def test_the_ends_of_every_range_are_allowed():
    Track(program=127, notes=[(0, 0, 0, 1), (MAX_TICK, 0, 127, 127)], pitch_bends=[(0, -8192)])
    Score(
        tpq=32767, tempos=[(0, 1)], time_signatures=[(0, 255, 2**15)], key_signatures=[(0, -7, 1)]
    )


def test_notes_are_sorted_by_onset_pitch_duration_velocity():
    rows = [(480, 1, 60, 90), (0, 2, 64, 90), (0, 2, 60, 91), (0, 2, 60, 90), (0, 1, 60, 99)]
    expected = [rows[4], rows[3], rows[2], rows[1], rows[0]]
    assert Track(notes=rows).notes.tolist() == expected


def test_notes_in_order_but_for_equal_onsets_are_sorted():
    notes = np.array([(0, 2, 60, 90), (0, 1, 60, 90), (0, 1, 60, 80), (5, 1, 50, 90)], NOTE)
    assert Track(notes=notes).notes.tolist() == notes[[2, 1, 0, 3]].tolist()


def test_a_copy_with_a_field_changed_is_checked_and_keeps_the_rest():
    track = Track("A", 5, notes=[(0, 1, 60, 90)])
    copy = track.replace(program=6)
    assert (copy, copy.notes is track.notes) == (Track("A", 6, notes=[(0, 1, 60, 90)]), True)
    with pytest.raises(ScoreError, match="program 128 is outside"):
        track.replace(program=128)
    with pytest.raises(RequestError, match="knows no 'pitch', did you mean 'pitch_bends'"):
        track.replace(pitch=60)


def test_a_copy_with_another_meter_counts_other_bars():
    score = Score(tracks=(Track(notes=[(0, 3840, 60, 90)]),))
    assert (score.bars, score.replace(time_signatures=[(0, 2, 4)]).bars) == (2, 4)


def test_events_of_one_tick_stay_in_the_order_given():
    rows = [(5, 1, 1), (0, 101, 0), (0, 100, 0), (0, 6, 2)]
    assert Track(controls=rows).controls.tolist() == [*rows[1:], rows[0]]
    texts = (Text(5, "z"), Text(0, "b"), Text(0, "a"))
    assert Score(markers=texts).markers == (Text(0, "b"), Text(0, "a"), Text(5, "z"))


def test_equality_is_by_content_and_type():
    def score(velocity):
        return Score(tracks=(Track("A", notes=[(0, 1, 60, velocity)]),), tempos=[(0, 5)])

    assert score(90) == score(90)
    assert score(90) != score(91)
    assert score(90) != score(90).replace(tempos=())
    assert score(90).tracks[0] != score(90).tracks[0].replace(name="B")
    assert Track() != Score()
    with pytest.raises(TypeError, match="unhashable"):
        hash(score(90))


def test_arrays_and_fields_are_read_only():
    track = Track(notes=[(0, 1, 60, 90)])
    with pytest.raises(ValueError, match="read-only"):
        track.notes["pitch"] += 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        track.name = "B"


def test_the_array_given_is_neither_changed_nor_watched():
    rows = np.array([(0, 1, 60, 90)], NOTE)
    track = Track(notes=rows)
    rows["pitch"] = 61
    assert track.notes["pitch"].tolist() == [60]
    unsorted = np.array([(9, 1, 60, 90), (0, 1, 60, 90)], NOTE)
    Track(notes=unsorted)
    assert unsorted["onset"].tolist() == [9, 0]


def test_replace_gives_a_copy_and_checks_it():
    score = Score(tpq=96, tempos=[(0, 400_000)])
    assert score.replace(tpq=480).tpq == 480
    assert score.tpq == 96
    with pytest.raises(ScoreError, match="tpq 0"):
        score.replace(tpq=0)


def test_lengths_run_to_the_last_notes_end():
    assert (Score().end, Score().bars, Score().seconds) == (0, 0, 0.0)
    notes = [(0, 4000, 60, 90), (3000, 10, 62, 90)]
    score = Score(tpq=480, tracks=(Track(), Track(notes=notes)), tempos=[(0, 1_000_000)])
    assert (score.end, score.bars) == (4000, 3)
    assert score.seconds == pytest.approx(4000 / 480)


def test_a_note_row_is_a_note():
    assert Track(notes=[Note(0, 1, 60)]).notes.tolist() == [(0, 1, 60, 90)]
    assert Note(*Track(notes=[Note(0, 1, 60)]).notes[0].tolist()).pitch == 60


def test_scores_can_be_pickled():
    score = Score(tracks=(Track("A", notes=[(0, 1, 60, 90)]),), tempos=np.array([(0, 5)], TEMPO))
    assert pickle.loads(pickle.dumps(score)) == score


def test_reprs_say_what_is_inside():
    tracks = (Track("Flute", 73, notes=[(0, 480, 72, 90)]), Track(program=5), Track(is_drum=True))
    assert repr(tracks[0]) == "Track('Flute', program 73, 1 notes)"
    assert repr(tracks[2]) == "Track('', drums, 0 notes)"
    assert repr(Score(tracks=tracks)).startswith("Score(1 bars, 0.5 s, tracks: Flute, program 5")


@pytest.mark.parametrize(("bpm", "mspq"), [(60, 1_000_000), (120, 500_000), (133.3, 450_113)])
def test_tempos_are_rounded_to_microseconds(bpm, mspq):
    assert microseconds_per_quarter(bpm) == mspq
