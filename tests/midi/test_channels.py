"""What a channel's controllers and a chunk's name say: banks, ends of notes, kits and words.

Files are made and judged with mido, which shares no code with the reader and the writer.
"""

import io
import warnings

import mido
import pytest
from mido import Message, MetaMessage

from composer import ComposerWarning, Score, Track
from composer.midi import midi_bytes, read_midi


def file_of(*chunks):
    """Return the bytes of a file; each chunk is a list of events with times in ticks from 0."""
    file = mido.MidiFile(ticks_per_beat=480)
    for events in chunks:
        track, now = mido.MidiTrack(), 0
        for event in events:
            track.append(event.copy(time=event.time - now))
            now = event.time
        file.tracks.append(track)
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def read(content):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ComposerWarning)
        score = read_midi(content)
    return score, " ".join(str(warning.message) for warning in heard)


def note(on, off, pitch=60, channel=0):
    return [
        Message("note_on", note=pitch, velocity=90, channel=channel, time=on),
        Message("note_off", note=pitch, channel=channel, time=off),
    ]


def written(score):
    """Return the events of the first track: tick, kind, and the number of a controller."""
    tick, events = 0, []
    for message in mido.MidiFile(file=io.BytesIO(midi_bytes(score))).tracks[1]:
        tick += message.time
        events.append((tick, message.type, getattr(message, "control", None)))
    return [event for event in events if event[1] in ("program_change", "control_change")]


def test_banks_are_chosen_before_the_program_they_are_for():
    controls = [(0, 7, 100), (0, 0, 8), (0, 32, 1), (0, 10, 64), (960, 0, 9), (960, 11, 5)]
    score = Score(tracks=(Track("Organ", 16, notes=[(0, 9, 60, 90)], controls=controls),))
    rows = [(tick, kind, number) for tick, kind, number in written(score)]
    places = {row: i for i, row in enumerate(rows)}
    program = (0, "program_change", None)
    assert rows.count(program) == 1
    assert places[0, "control_change", 0] < places[0, "control_change", 32] < places[program]
    assert places[960, "control_change", 0] < places[960, "program_change", None]
    assert read_midi(midi_bytes(score)) == score


@pytest.mark.parametrize("number", [120, 123, 124, 125, 126, 127])
def test_controllers_end_the_notes_of_their_channel(number):
    end = Message("control_change", control=number, time=480)
    other = note(0, 1920, pitch=64, channel=1)
    on, off = note(0, 1920)
    (again, stop), (start, late) = note(480, 900, pitch=62), other
    score, _ = read(file_of([on, start, end, again, stop, off, late]))
    assert [track.notes.tolist() for track in score.tracks] == [
        [(0, 480, 60, 90), (480, 420, 62, 90)],
        [(0, 1920, 64, 90)],
    ]
    assert read_midi(midi_bytes(score)) == score


def test_other_controllers_end_nothing():
    for number in (0, 1, 64, 119, 121, 122):
        on, off = note(0, 1920)
        change = Message("control_change", control=number, time=480)
        score, _ = read(file_of([on, change, off]))
        assert score.tracks[0].notes["duration"].tolist() == [1920]


def test_a_note_that_was_made_longer_is_written_as_long_as_it_is():
    tracks = (Track("A", notes=[(0, 960, 60, 90)], controls=[(480, 123, 0), (960, 123, 0)]),)
    content = midi_bytes(Score(tracks=tracks))
    times, tick = {}, 0
    for message in mido.MidiFile(file=io.BytesIO(content)).tracks[1]:
        tick += message.time
        times.setdefault(message.type, []).append(tick)
    assert (times["note_on"], times["note_off"]) == ([0], [960])
    assert times["control_change"] == [960]


@pytest.mark.parametrize(
    ("name", "program", "pitch", "is_drum"),
    [
        ("Drums", None, 38, True),
        ("Drum Kit 2", 0, 42, True),
        ("KICK", 0, 36, True),
        ("Hi-Hat", None, 42, True),
        ("Steel Drums", 114, 60, False),
        ("Drums", 118, 38, False),
        ("Drums", 0, 96, False),
        ("Kick Bass", 0, 36, False),
        ("Piano", 0, 38, False),
    ],
)
def test_a_track_called_like_a_kit_is_one(name, program, pitch, is_drum):
    change = [] if program is None else [Message("program_change", program=program)]
    content = file_of([MetaMessage("track_name", name=name), *change, *note(0, 240, pitch)])
    score, said = read(content)
    assert [track.is_drum for track in score.tracks] == [is_drum]
    assert (f"track {name!r} on channel 1, read as a drum kit" in said) == is_drum
    again = mido.MidiFile(file=io.BytesIO(midi_bytes(score)))
    channels = {m.channel for track in again.tracks for m in track if m.type == "note_on"}
    assert channels == {9 if is_drum else 0}
    assert read_midi(midi_bytes(score)) == score


XG_ON = mido.Message("sysex", data=[0x43, 0x10, 0x4C, 0, 0, 0x7E, 0])


@pytest.mark.parametrize(
    ("bank", "before", "is_drum"),
    [(120, [], True), (127, [XG_ON], True), (127, [], False), (8, [XG_ON], False)],
)
def test_a_bank_of_kits_makes_a_kit(bank, before, is_drum):
    choose = Message("control_change", control=0, value=bank, channel=3)
    change = Message("program_change", program=25, channel=3)
    score, _ = read(file_of([*before, choose, change, *note(0, 240, 38, channel=3)]))
    assert [track.is_drum for track in score.tracks] == [is_drum]


def karaoke(name, head, *texts):
    words = [MetaMessage("text", text=text, time=240 * i) for i, text in enumerate(texts)]
    chunk = [MetaMessage("track_name", name=name), *words]
    return file_of([MetaMessage("text", text=text) for text in head], chunk, note(0, 960))


def test_the_words_of_karaoke_files_are_lyrics_and_come_back():
    head = ["@KMIDI KARAOKE FILE", "@V0100"]
    score, _ = read(karaoke("Words", head, "@LENGL", "@TSong", "\\Hel", "lo ", "/world"))
    sung = [track for track in score.tracks if track.lyrics]
    assert [(track.name, track.lyrics) for track in sung] == [
        ("Words", ((480, "\\Hel"), (720, "lo "), (960, "/world")))
    ]
    assert read_midi(midi_bytes(score)) == score
    unnamed, _ = read(karaoke("Melody", head, "\\Hel", "lo "))
    assert [text for track in unnamed.tracks for _, text in track.lyrics] == ["\\Hel", "lo "]


def test_other_texts_are_not_lyrics():
    score, said = read(karaoke("Remarks", [], "/Hel", "lo "))
    assert not any(track.lyrics for track in score.tracks)
    assert "2 x text" in said
