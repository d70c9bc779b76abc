"""Odd files are read and it is said how, broken ones are refused, layout makes no difference."""

import io
import os
import random
import shutil
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import mido
import pytest

import composer
from composer import ComposerWarning, MidiError, Score, Text, Track
from composer.example_tunes import FOLDER
from composer.midi import read_midi, write_midi
from composer.smf.chunks import FRAME_RATES
from composer.tokenizers import REMI
from tests.midi_bytes import END, NOTE, meta, midi

RUNNING = bytes([0, 0x90, 60, 90])
PLAIN = midi(NOTE + END)
XF = struct.pack(">4sI", b"XFIH", 3) + b"abc"


def riff(content, size=None):
    body = b"RMID" + b"LIST\1\0\0\0x\0" + b"data" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def read_and_hear(source):
    """Return a score and what was warned of, which is one thing at most."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        score = read_midi(source)
    assert all(warning.category is ComposerWarning for warning in seen)
    assert len(seen) <= 1
    return score, str(seen[0].message) if seen else ""


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (bytes([0, 0xF0, 2, 1, 0xF7]), "1 x system exclusive"),
        (bytes([0, 0xF7, 2, 0x90, 1]), "1 x system exclusive"),
        (bytes([0, 0xF8, 0, 0xF2, 1, 2]), "2 x system common or real-time message"),
        (bytes([0, 0xD0, 5, 0, 0xD0, 6]), "2 x channel aftertouch"),
        (bytes([0, 0xA0, 60, 5]), "1 x polyphonic aftertouch"),
        (meta(1, b"hi") * 3 + meta(2, b"me"), "3 x text, 1 x copyright notice"),
        (meta(0x60, b""), "1 x meta event 0x60"),
        (meta(0x51, b"\0\0\0"), "1 x impossible tempo"),
        (meta(0x51, b"\x07"), "1 x impossible tempo"),
        (meta(0x58, bytes([0, 2, 24, 8])), "1 x impossible time signature"),
        (meta(0x58, bytes([4, 16, 24, 8])), "1 x impossible time signature"),
        (meta(0x58, bytes([4, 33, 24, 8])), "1 x impossible time signature"),
        (meta(0x58, bytes([4])), "1 x impossible time signature"),
        (meta(0x59, bytes([8, 0])), "1 x impossible key signature"),
        (meta(0x59, bytes([0x80, 0])), "1 x impossible key signature"),
        (meta(0x59, bytes([0, 2])), "1 x impossible key signature"),
        (meta(0x59, b""), "1 x impossible key signature"),
    ],
)
def test_what_a_score_cannot_keep_is_said_once(events, message):
    score, said = read_and_hear(midi(events + NOTE + END))
    assert said == f"the MIDI data holds what a score cannot keep, and it is left out: {message}"
    assert score == read_midi(PLAIN)


def texts(*rows, kind=1):
    """Return text events, each a quarter after the one before."""
    return b"".join(bytes([96 * (i > 0)]) + meta(kind, t.encode())[1:] for i, t in enumerate(rows))


@pytest.mark.parametrize(
    ("of_conductor", "of_track", "chords"),
    [
        (["Am", "F", "C", "G7/B"], [], ["Am", "F", "C", "G7/B"]),
        ([], ["Am ", "F", "N.C.", "G7"], ["Am", "F", "N.C.", "G7"]),
        (["Am", "F", "C", "Dm7"] * 3 + ["Chorus"], ["Hello"], ["Am", "F", "C", "Dm7"] * 3),
        (["C", "F", "G", "Am"], ["C", "F", "G", "Am", "Dm"], ["C", "F", "G", "Am", "Dm"]),
    ],
)
def test_texts_that_are_chords_become_chord_symbols(of_conductor, of_track, chords):
    source = midi(texts(*of_conductor) + END, texts(*of_track) + NOTE + END, division=96)
    score, said = read_and_hear(source)
    assert [text for _, text in score.chords] == chords
    assert score.chords[1].tick == 96
    lost = len(of_conductor) + len(of_track) - len(chords)
    assert (f"left out: {lost} x text" in said) == (lost > 0)
    assert len(score.tracks) == 1


@pytest.mark.parametrize(
    "rows",
    [
        ["A", "B", "A", "C", "A"],  # rehearsal marks
        ["A", "man", "Do", "Dim", "Am", "E", "Gm"],  # syllables
        ["Am", "F", "C"],  # too few to be sure
        ["am", "f", "c", "g"],
        ["Am", "F", "C", "G7", "Verse"],
    ],
)
def test_texts_that_may_be_something_else_are_no_chords(rows):
    score, said = read_and_hear(midi(texts(*rows) + NOTE + END))
    assert score.chords == ()
    assert f"{len(rows)} x text" in said


def test_chord_markers_go_before_texts(tmp_path):
    events = texts("chord:C", kind=6) + texts("Am", "F", "C", "G7")
    score, _ = read_and_hear(midi(events + NOTE + END))
    assert [text for _, text in score.chords] == ["C"]
    score, _ = read_and_hear(midi(texts("Am", "F", "C", "G7") + NOTE + END))
    score.write(tmp_path / "again.mid")
    assert read_and_hear(tmp_path / "again.mid") == (score, "")


def test_the_name_of_a_conductor_track_is_the_title_and_comes_back(tmp_path):
    song = midi(meta(3, b"Title") + meta(0x51, b"\7\0\0") + END, meta(3, b"Tune") + NOTE + END)
    score, said = read_and_hear(song)
    assert (score.title, score.tracks[0].name, said) == ("Title", "Tune", "")
    score.replace(title="Été").write(tmp_path / "again.mid")
    names = [m.name for m in mido.MidiFile(tmp_path / "again.mid", charset="utf-8").tracks[0][:1]]
    assert names == ["Été"]
    assert read_midi(tmp_path / "again.mid").title == "Été"
    score.replace(title="").write(tmp_path / "again.mid")
    assert read_midi(tmp_path / "again.mid").title == ""


def test_the_name_of_another_track_without_events_is_said_to_be_lost():
    with pytest.warns(ComposerWarning, match="1 x name of a track without events"):
        read_midi(midi(END, meta(3, b"Remarks") + END, NOTE + END))


def test_a_first_track_with_notes_has_its_own_name():
    score = read_midi(midi(meta(3, b"Tune") + NOTE + END, NOTE + END))
    assert (score.title, score.tracks[0].name) == ("", "Tune")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (midi(RUNNING + bytes([96, 60, 0]) + END), ""),
        (midi(NOTE + END, form=0), ""),
        (riff(PLAIN), "RIFF wrapper taken off"),
        (bytes(128) + PLAIN, "128 bytes before the header skipped"),
        (
            b"MThd\0\0\0\x08" + PLAIN[8:14] + b"zz" + PLAIN[14:],
            "header of 8 bytes read as one of 6",
        ),
        (midi(NOTE + END, count=2), "1 tracks read where the header says 2"),
        (midi(NOTE + END, count=0), "1 tracks read where the header says 0"),
        (midi(b"\x80\x80\x80\x80" + NOTE + END), "1 x number of more than 4 bytes"),
        (
            midi(NOTE + b"\0\xff\5\x80\x80\x80\x80\0" + b"\x80" * 9 + END),
            "2 x number of more than 4 bytes",
        ),
        (
            midi(NOTE + END, RUNNING + END, count=1),
            "16 bytes after the last track of which the header knows skipped",
        ),
        (PLAIN + b"MTrk\0\0\1\0", "8 bytes after the last track of which the header knows skipped"),
        (PLAIN + midi(RUNNING + END), "30 bytes after the last track skipped"),
        (midi(NOTE + END, form=3), "format 3, which there is not, read as format 1"),
        (midi(NOTE + END, form=0x100), "format 256, which there is not, read as format 1"),
        (midi(NOTE), "1 x track without an end event"),
        (midi(NOTE + END + b"\x93junk"), "5 x byte after the end of a track, skipped"),
        (PLAIN + b"\0\0\0", "3 bytes after the last track skipped"),
        (PLAIN + bytes(16), "16 bytes after the last track skipped"),
        (PLAIN + b"XFIH\0\1\0\0", "8 bytes after the last track skipped"),
        (
            midi(RUNNING + meta(3, b"") + bytes([96, 60, 0]) + END),
            "1 x running status that goes on after a meta or system event",
        ),
        (midi(bytes([0, 0x90, 60, 90, 96, 0x80, 60, 0xFF]) + END), "1 x data byte over 127"),
    ],
)
def test_odd_files_are_read_and_it_is_said_what_was_repaired(source, message):
    score, said = read_and_hear(source)
    assert score == read_midi(PLAIN)
    assert said.startswith(f"the MIDI data was repaired: {message}" if message else "")
    assert bool(said) == bool(message)


@pytest.mark.parametrize("source", [PLAIN[:14] + XF + PLAIN[14:], PLAIN + XF])
def test_chunks_of_unknown_kind_are_left_out(source):
    score, said = read_and_hear(source)
    assert score == read_midi(PLAIN)
    assert said.endswith("left out: 1 x chunk of unknown kind")


def test_all_that_is_odd_about_a_file_is_said_in_one_warning():
    late = b"\5" + meta(1, b"hi")[1:]
    source = riff(b"?" + midi(RUNNING + late, count=0) + b"!")
    _, said = read_and_hear(source)
    assert said == (
        "the MIDI data was repaired: RIFF wrapper taken off; 1 bytes before the header skipped; "
        "1 bytes after the last track skipped; 1 tracks read where the header says 0; "
        "1 x track without an end event; 1 x note without an end, held to the end of the piece, "
        "and holds what a score cannot keep, and it is left out: 1 x text"
    )


@pytest.mark.parametrize("name", ["song.kar", "song", "song.mid.txt"])
def test_the_name_of_a_file_does_not_matter(tmp_path, name):
    (tmp_path / name).write_bytes(PLAIN)
    assert read_midi(tmp_path / name) == read_midi(PLAIN)


def test_data_bytes_over_127_count_as_127():
    events = bytes([0, 0xC0, 0x90, 0, 0xB0, 7, 200, 0, 0x90, 130, 131, 9, 0x80, 140, 0]) + END
    score, said = read_and_hear(midi(events))
    (track,) = score.tracks
    assert (track.program, track.controls.tolist()) == (127, [(0, 7, 127)])
    assert track.notes.tolist() == [(0, 9, 127, 127)]
    assert "5 x data byte over 127, read as 127" in said


HUGE_WAIT = bytes([0xFF, 0xFF, 0xFF, 0x7F, 0xB0, 7, 1])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "is empty; a MIDI file has 14 bytes at least"),
        (b"RIFF0000", "is no MIDI file: it begins with b'RIFF', not b'MThd'"),
        (b"RIFF\4\0\0\0WAVE" + PLAIN[4:], "is no MIDI file: it begins with b'RIFF'"),
        (b"RIFF\4\0\0\0RMID", "its RIFF wrapper has no chunk b'data'"),
        (riff(PLAIN)[:-1], r"cut short: its RIFF wrapper says 56 bytes, 55 are left"),
        (riff(PLAIN, size=0)[:-1], r"cut short: the RIFF chunk b'data' says 34 bytes, 33 are"),
        (bytes(257) + PLAIN, "is no MIDI file: it begins with"),
        (b"MThd\0\0\0\6\0\1", "cut short: its header needs 14 bytes, and it has 10"),
        (b"MThd\0\0\0\5\0\1\0\1\1\xe0", "its header has 5 bytes"),
        (b"MThd\xff\0\0\6\0\1\0\1\1\xe0", "its header has 4278190086 bytes"),
        (midi(NOTE + END, division=0), "0 ticks per quarter; 1 to 32767"),
        (midi(NOTE + END, division=0xE700), "has 0 ticks a frame; 1 to 255 are possible"),
        (midi(count=1), "cut short: 0 bytes are left for track 1 of 1"),
        (midi(NOTE + END, count=2) + b"MTr", "cut short: 3 bytes are left for track 2 of 2"),
        (midi(NOTE + END, count=2) + XF[:-1], "cut short: the chunk b'XFIH' says 3 bytes, 2 are"),
        (midi(count=0) + (b"MTrk" + bytes(4)) * 2**16, "65536 tracks; 65535 are possible"),
        (PLAIN[:-3], "cut short: track 1 says 12 bytes, 9 are left"),
        (midi(NOTE[:-1]), "cut short: track 1 needs 2 bytes at byte 28, 1 are left"),
        (midi(NOTE[:-3]), "cut short: track 1 needs 1 bytes at byte 27, 0 are left"),
        (midi(b"\0\xf2\1"), "cut short: track 1 needs 2 bytes at byte 24, 1 are left"),
        (midi(b"\0\xff"), "cut short: track 1 needs 1 bytes at byte 24"),
        (midi(b"\0\xff\1"), "cut short: track 1 needs 1 bytes at byte 25"),
        (midi(b"\0\xff\1\x70abc"), "cut short: track 1 needs 112 bytes at byte 26, 3 are left"),
        (midi(b"\0\xf0\xff\xff\xff\x7f"), "track 1 needs 268435455 bytes"),
        (midi(NOTE + END, b"\0\x40\1"), "track 2 has the value 64 at byte 43, where an event"),
        (midi(b"\0\xf4" + NOTE), "status 0xf4 at byte 23, which no file may hold"),
        (midi(b"\x88\x80\x80\x80\x80\0" + NOTE), "has a number above 2147483647 at byte 22"),
        (midi(b"\0\xff\1" + b"\xff" * 9), "has a number above 2147483647 at byte 25"),
        (midi(b"\x80" * 9), "cut short: track 1 needs 1 bytes at byte 31, 0 are left"),
        (midi(HUGE_WAIT * 9), "reaches tick 2415919095 at byte 82, which is outside 0 to"),
        (midi(NOTE + END + PLAIN[14:]), "lies about its lengths: track 1 says 32 bytes, and ends"),
    ],
)
def test_broken_files_are_refused_with_the_reason(source, message):
    with pytest.raises(MidiError, match=message):
        read_midi(source)


def test_more_parts_than_a_file_can_have_tracks_are_refused():
    # Each of 40 programs on each of 16 channels in 103 chunks.
    chunk = b"".join(
        bytes([0, 0xC0 | c, program, 0, 0x90 | c, 60, 90, 1, 60, 0])
        for program in range(40)
        for c in range(16)
    )
    with pytest.raises(MidiError, match="cannot be read: 65920 tracks are more than 65534; merge"):
        read_midi(midi(*[chunk + END] * 103))


def test_a_file_cut_short_anywhere_is_refused():
    source = riff(midi(meta(0x51, b"\7\0\0") + END, NOTE + END))
    for length in range(len(source)):
        with pytest.raises(MidiError):
            read_midi(source[:length])
    bare = midi(NOTE + END, meta(3, b"A") + NOTE + END)
    # Behind its first track it looks like a file that counts its tracks wrong.
    for length in {*range(len(bare))} - {len(PLAIN)}:
        with pytest.raises(MidiError):
            read_midi(bare[:length])


def test_a_wait_of_more_than_four_bytes_is_kept():
    # Two waits of 2**28 - 1 ticks; the event between them is dropped.
    text = bytes([0xFF, 0xFF, 0xFF, 0x7F]) + meta(1, b"")[1:]
    score, _ = read_and_hear(midi(text * 2 + NOTE + END))
    assert score.tracks[0].notes.tolist() == [(2**29 - 2, 96, 60, 90)]


def test_a_wait_of_five_bytes_is_kept():
    score, _ = read_and_hear(midi(b"\x81\x80\x80\x80\x05" + NOTE[1:] + END))
    assert score.tracks[0].notes.tolist() == [(2**28 + 5, 96, 60, 90)]


def test_notes_without_an_end_sound_to_the_end_of_the_piece():
    # Two notes of one pitch, first in, first out; a program that changes while they sound; another
    # channel. The piece ends with the end event of the second track, whose program is 5 as well.
    events = bytes([0, 0xC0, 5, 0, 0x90, 60, 90, 10, 60, 91, 10, 0xC0, 6, 0, 0x91, 0, 92])
    events += bytes([10, 0x80, 60, 0])
    late = meta(3, b"x") + bytes([100, 0xFF, 0x2F, 0])
    score, said = read_and_hear(midi(events + END, NOTE + late))
    found = [(track.program, track.notes.tolist()) for track in score.tracks]
    assert found == [
        (5, [(0, 30, 60, 90), (10, 186, 60, 91)]),
        (0, [(20, 176, 0, 92)]),
        (5, [(0, 96, 60, 90)]),
    ]
    assert said.endswith("was repaired: 2 x note without an end, held to the end of the piece")


def test_a_note_may_be_held_for_longer_than_one_wait():
    late = HUGE_WAIT * 2 + bytes([9, 0xFF, 0x2F, 0])
    score, _ = read_and_hear(midi(RUNNING + END, late))
    assert score.tracks[0].notes.tolist() == [(0, 2**29 + 7, 60, 90)]


def test_ends_without_notes_are_nothing_and_notes_without_length_stay():
    events = bytes([0, 0x80, 60, 0, 5, 0x90, 60, 90, 0, 60, 0, 0, 60, 0]) + END
    score, said = read_and_hear(midi(events))
    assert score.tracks[0].notes.tolist() == [(5, 0, 60, 90)]
    assert said == (
        "the MIDI data was repaired: 1 x note of length 0, kept; tokens make it one position long"
    )
    remi = REMI()
    assert remi.quantize(score).tracks[0].notes["duration"].tolist() == [1]


@pytest.mark.parametrize(
    ("frames", "ticks", "tpq", "mspq", "seconds"),
    [
        (24, 4, 48, 500_000, 1.0),
        (25, 40, 500, 500_000, 0.096),
        (25, 3, 75, 1_000_000, 1.28),
        (29, 80, 1200, 500_500, 96 * 1001 / 30_000 / 80),
        (30, 255, 3825, 500_000, 96 / 30 / 255),
        (1, 40, 20, 500_000, 2.4),
        (127, 255, 32385, 1_000_000, 96 / 127 / 255),
        (128, 255, 16320, 500_000, 96 / 128 / 255),
    ],
)
def test_smpte_time_keeps_its_seconds(frames, ticks, tpq, mspq, seconds):
    source = midi(meta(0x51, b"\1\0\0") + NOTE + END, division=(256 - frames) << 8 | ticks)
    score, said = read_and_hear(source)
    assert (score.tpq, score.tempos.tolist()) == (tpq, [(0, mspq)])
    assert score.seconds == pytest.approx(seconds, rel=1e-12)
    assert f" read as {tpq} ticks a quarter at" in said
    assert (f"SMPTE time of {frames} frames a second read" in said) == (frames not in FRAME_RATES)
    assert said.endswith("left out: 1 x tempo in SMPTE time")


def test_the_patterns_of_format_2_keep_their_ticks():
    # In the first a note is held to the end of the pattern.
    pattern = meta(6, b"A") + NOTE + RUNNING + bytes([24, 0xFF, 0x2F, 0])
    score, said = read_and_hear(midi(pattern, NOTE + NOTE + END, form=2))
    assert [track.notes["onset"].tolist() for track in score.tracks] == [[0, 96], [0, 96]]
    assert [track.end for track in score.tracks] == [120, 192]
    assert score.markers == (Text(0, "A"),)
    assert "format 2 read as patterns side by side" in said


SETUP = bytes([0, 0xC0, 40, 0, 0xC1, 50, 99, 0xC1, 51])


def test_a_program_set_in_another_track_holds():
    first, later = (wait + bytes([0x91, 60, 90, 9, 0x81, 60, 0]) for wait in (b"\x0a", b"\x64"))
    own = bytes([0x81, 72, 0xC1, 7]) + first  # at tick 200
    tracks = [SETUP + END, NOTE + END, first + END, own + END, later + END]
    found = [(track.program, len(track.notes)) for track in read_midi(midi(*tracks)).tracks]
    assert found == [(40, 0), (51, 0), (40, 1), (50, 1), (7, 1), (51, 1)]
    apart, _ = read_and_hear(midi(*tracks, form=2))
    assert [track.program for track in apart.tracks] == [40, 51, 0, 0, 7, 0]


@pytest.mark.filterwarnings("ignore::composer.errors.ComposerWarning")
def test_each_port_has_channels_of_its_own(tmp_path):
    violin, harp = b"\0\xc0\x28", b"\0\xc0\x2e"
    first, second = meta(0x21, b"\0"), meta(0x21, b"\1")
    bare, hit = NOTE + END, b"\0\x99\x24\x40" + END
    tracks = [violin + bare, second + harp + bare, bare, first + bare, second + bare]
    tracks += [meta(0x21, b"\2") + bare, second + hit]
    score = read_midi(midi(*tracks))
    assert [track.program for track in score.tracks] == [40, 46, 40, 40, 46, 0, 0]
    assert [track.is_drum for track in score.tracks] == [False] * 6 + [True]
    score.write(tmp_path / "one port.mid")
    assert read_midi(tmp_path / "one port.mid") == score


def test_ports_are_named_among_what_is_left_out():
    with pytest.warns(ComposerWarning, match="left out: 2 x port"):
        read_midi(midi(meta(0x21, b"\1") + meta(0x21, b"") + NOTE + END))


def test_a_program_set_in_another_track_holds_at_the_last_tick():
    wait = bytes([0xFF, 0xFF, 0xFF, 0x7F]) + meta(1, b"")[1:]
    late = wait * 8 + bytes([7, 0x90, 60, 90])  # tick 2**31 - 1
    score, _ = read_and_hear(midi(bytes([0, 0xC0, 40]) + END, late + END))
    assert [track.program for track in score.tracks] == [40, 40]
    assert score.tracks[1].notes.tolist() == [(2**31 - 1, 0, 60, 90)]


def test_system_exclusives_in_packets_leave_the_notes_between_them_alone():
    packets = [bytes([0, 0xF0, 2, 0x41, 0x90]), bytes([0, 0xF7, 2, 60, 0xF7])]
    source = midi(bytes([0, 0x90, 60, 90]).join(packets) + bytes([96, 0x80, 60, 0]) + END)
    score, said = read_and_hear(source)
    assert score == read_midi(PLAIN)
    assert said.endswith("left out: 2 x system exclusive")


def content(score):
    """Return what a layout cannot change: all but names, lyrics and the order of the tracks."""
    tracks = sorted(
        (track.program, track.is_drum, track.notes.tolist(), track.controls.tolist())
        for track in score.tracks
    )
    tables = [score.tempos, score.time_signatures, score.key_signatures]
    return score.tpq, tracks, [table.tolist() for table in tables], score.markers


def test_the_same_music_by_hand_in_four_layouts_is_the_same_score():
    tempo, late_tempo = meta(0x51, b"\7\0\0"), b"\x60" + meta(0x51, b"\6\0\0")[1:]
    flute = bytes([0, 0xC0, 73, 0, 0x90, 72, 80, 96, 72, 0])
    bass = bytes([0, 0xC1, 33, 0, 0xB1, 7, 100, 0, 0x91, 40, 70, 96, 0x81, 40, 64])
    layouts = [
        midi(tempo + late_tempo + END, flute + END, bass + END),
        midi(bass + END, flute + END, tempo + late_tempo + END),
        PLAIN[:10]
        + b"\0\3"
        + PLAIN[12:14]
        + XF.join(
            struct.pack(">4sI", b"MTrk", len(t)) + t
            for t in (flute + END, tempo + END, bass + bytes([0]) + late_tempo[1:] + END)
        ),
        midi(
            tempo
            + flute[:7]
            + bass[:7]
            + bytes([0, 0x91, 40, 70, 96, 0x90, 72, 0])
            + b"\0"
            + late_tempo[1:]
            + bytes([0, 0x81, 40, 64])
            + END,
            form=0,
        ),
    ]
    scores = [read_and_hear(layout)[0] for layout in layouts]
    assert content(scores[0])[1] == [
        (33, False, [(0, 96, 40, 70)], [(0, 7, 100)]),
        (73, False, [(0, 96, 72, 80)], []),
    ]
    assert scores[0].tempos.tolist() == [(0, 0x70000), (96, 0x60000)]
    for score in scores[1:]:
        assert content(score) == content(scores[0])


def laid_out(file, tracks, form):
    other = mido.MidiFile(type=form, ticks_per_beat=file.ticks_per_beat, charset="latin-1")
    other.tracks = tracks
    stream = io.BytesIO()
    other.save(file=stream)
    return stream.getvalue()


def assert_layout_makes_no_difference(path):
    score, _ = read_and_hear(path)
    file = mido.MidiFile(path, charset="latin-1")
    backwards, _ = read_and_hear(laid_out(file, file.tracks[::-1], 1))
    assert content(backwards) == content(score)
    together, _ = read_and_hear(laid_out(file, [mido.merge_tracks(file.tracks)], 0))
    assert content(together) == content(score)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.mid")), ids=lambda path: path.stem)
def test_real_files_in_other_layouts_are_the_same_score(path):
    assert_layout_makes_no_difference(path)


def test_fifteen_instruments_in_other_layouts_are_the_same_score(tmp_path):
    rng = random.Random(11)
    tracks = tuple(
        Track(
            f"T{i}",
            8 * i,
            is_drum=i == 9,
            notes=[(120 * j, rng.randrange(1, 110), rng.randrange(128), 80) for j in range(20)],
            controls=[(rng.randrange(2000), 7, rng.randrange(128)) for _ in range(5)],
        )
        for i in range(15)
    )
    tempos = [(rng.randrange(2000), rng.randrange(300_000, 900_000)) for _ in range(30)]
    write_midi(Score(tracks=tracks, tempos=tempos), tmp_path / "song.mid")
    assert_layout_makes_no_difference(tmp_path / "song.mid")


UNWRITABLE = "from pathlib import Path; Path('composer/smf/__pycache__').touch(); "
FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/null to call a home")
@pytest.mark.parametrize("trouble", [UNWRITABLE, FULL_DISK], ids=["unwritable", "full disk"])
def test_files_are_read_where_compiled_code_cannot_be_kept(tmp_path, trouble):
    package = Path(composer.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__", "pretrained")
    shutil.copytree(package, tmp_path / "composer", ignore=ignored)
    kept = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "PYTHONPATH")
    environment = {key: value for key, value in os.environ.items() if key not in kept}
    code = f"{trouble}from composer import Score; print(Score.read({PLAIN!r}).end)"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env=environment | {"HOME": os.devnull},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("96\n", "")
    assert not list(tmp_path.rglob("*.nbc"))
