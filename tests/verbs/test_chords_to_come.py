"""Notes end where a chord begins that they are no note of, also if it is written after them."""

import dataclasses
from itertools import islice

import pytest

import composer
from composer import Locked, MaxRepeatedNotes, Text
from composer.theory.chords import parse_chord


def changes(chords):
    """Return where chords begin that are others than those before, and their notes."""
    found = []
    for tick, text in chords:
        chord = parse_chord(text)
        if not found or found[-1][1] != chord:
            found.append((tick, chord))
    return [(tick, chord.pitch_classes) for tick, chord in found if chord is not None]


def sounding_on(score, rows, first=0, last=10**9):
    """Return the notes of some tracks, begun in some ticks, that sound on into other chords."""
    return [
        (onset, duration, pitch)
        for row in rows
        for onset, duration, pitch, _ in score.tracks[row].notes.tolist()
        if first <= onset < last
        and any(
            onset < tick < onset + duration and pitch % 12 not in tones
            for tick, tones in changes(score.chords)
        )
    ]


@pytest.mark.parametrize("seed", range(4))
def test_in_arrangements_whose_chords_are_written_too(random_composer, seed):
    tune = composer.example("shenandoah")
    bars = tune.meter.bar_start(8)
    notes = tune.tracks[0].notes
    tune = tune.replace(
        tracks=(tune.tracks[0].replace(notes=notes[notes["onset"] < bars]),), chords=()
    )
    song = random_composer.arrange(tune, ["piano", "bass", "strings"], seed=seed)
    assert sounding_on(song, [1, 2, 3]) == []
    assert song.certificate().holds


@pytest.mark.parametrize("seed", range(6))
def test_in_bars_written_with_their_chords(random_composer, seed):
    tune = random_composer.melody("Am F C G", bars=8, seed=seed)
    song = random_composer.arrange(tune, ["piano", "bass"], seed=seed)
    start, end = (int(tick) for tick in song.meter.bar_start([1, 4]))
    other = random_composer.infill(song, "2-4", ["piano", "bass", "chords"], seed=seed)
    assert sounding_on(other, [1, 2], start, end) == []
    longer = random_composer.extend(song, 3, seed=seed)
    assert sounding_on(longer, [0, 1, 2], int(song.meter.bar_start(8))) == []


def test_what_is_locked_stays_as_long_as_it_was(random_composer):
    tune = random_composer.melody("Am F C G", bars=8, seed=3)
    song = random_composer.arrange(tune, ["piano"], seed=3)
    long = song.tracks[1].replace(notes=[(1920, 3840, 61, 80)])
    song = song.replace(tracks=(song.tracks[0], long))
    other = random_composer.infill(song, "2-4", ["piano", "chords"], where=Locked(), seed=1)
    assert long.notes.tolist()[0] in other.tracks[1].notes.tolist()


def whole(bars, length):
    """Return bars of a stream as one score."""
    score = bars[0]
    tracks = [[] for _ in score.tracks]
    chords = []
    for number, bar in enumerate(bars):
        chords += [Text(tick + number * length, text) for tick, text in bar.chords]
        for row, track in enumerate(bar.tracks):
            tracks[row] += [(on + number * length, *rest) for on, *rest in track.notes.tolist()]
    made = [track.replace(notes=notes) for track, notes in zip(score.tracks, tracks, strict=True)]
    return dataclasses.replace(score, tracks=tuple(made), chords=tuple(chords))


@pytest.mark.parametrize("chords", [None, "Am F C G", "C"])
def test_in_streams(random_composer, chords):
    for seed in range(4):
        stream = random_composer.stream(chords, instruments=["piano", "strings"], seed=seed)
        bars = [*islice(stream, 6)]
        assert sounding_on(whole(bars, 4 * bars[0].tpq), [0, 1]) == []


def test_a_last_note_that_constraints_leave_no_other_pitch_ends_with_its_chord(random_composer):
    chart = "| E7#9 Ebsus4 Gaug | [key: Gb] C#sus4 Csus2 Fmaj7/Bb Bbsus2 | F#dim7 | Csus2 F7sus4 |"
    where = MaxRepeatedNotes(2)
    tune = random_composer.melody(
        chart, meter="2/2", part="violin", range="C4-E4", where=where, seed=5219
    )
    assert sounding_on(tune, [0]) == []
