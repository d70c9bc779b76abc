"""Files: what is written comes back, what is broken is refused, what is lost is said."""

import dataclasses
import io
import json
import os
import random
import sys

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import MidiError, Score, Text, Track, interop
from composer.midi import read_midi, write_midi
from composer.score.events import CONTROL
from composer.score.events import NOTE as NOTE_ROW
from composer.smf.read import pedals_of
from composer.smf.text import decode_text, encode_text
from tests.midi_bytes import END, NOTE, meta, midi

# What is drawn has such notes.
pytestmark = pytest.mark.filterwarnings("ignore:.* was repaired. \\d+ x note of length 0, kept")


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    return tmp_path_factory.mktemp("midi") / "song.mid"


def there_and_back(score, path):
    write_midi(score, path)
    return read_midi(path)


ticks = st.integers(0, 3000)
# Not private use characters: some stand for bytes, and a row of these may be UTF-8 after all.
texts = st.text(st.characters(exclude_categories=["Cs", "Co"]), min_size=1, max_size=20)
timed_texts = st.lists(st.tuples(ticks, texts), max_size=4).map(
    lambda rows: tuple(Text(*row) for row in rows)
)


@st.composite
def tracks(draw):
    notes = draw(
        st.lists(
            st.tuples(ticks, st.integers(0, 500), st.integers(0, 127), st.integers(1, 127)),
            max_size=20,
        )
    )
    # First in, first out: no note may end before an earlier one of its pitch.
    ends, rows = {}, []
    for onset, duration, pitch, velocity in sorted(notes):
        ends[pitch] = max(onset + duration, ends.get(pitch, 0))
        rows.append((onset, ends[pitch] - onset, pitch, velocity))
    sevens = st.integers(0, 127)
    rows_of = st.tuples(ticks, sevens, sevens).filter(lambda row: row[1:] != (0, 120))  # kits
    controls = draw(st.lists(rows_of, max_size=8))
    bends = draw(st.lists(st.tuples(ticks, st.integers(-8192, 8191)), max_size=4))
    table = np.array(sorted(controls, key=lambda row: row[0]), CONTROL)
    return Track(
        name=draw(texts),
        program=draw(sevens),
        is_drum=draw(st.booleans()),
        notes=rows,
        controls=table,
        pitch_bends=bends,
        pedals=pedals_of(table, np.array(rows, NOTE_ROW)),
        lyrics=draw(timed_texts),
    )


scores = st.builds(
    Score,
    tpq=st.integers(1, 32767),
    tracks=st.lists(tracks(), max_size=20).map(tuple),
    tempos=st.lists(st.tuples(ticks, st.integers(1, 2**24 - 1)), max_size=40),
    time_signatures=st.lists(
        st.tuples(ticks, st.integers(1, 255), st.integers(0, 15).map(lambda power: 2**power)),
        max_size=40,
    ),
    key_signatures=st.lists(
        st.tuples(ticks, st.integers(-7, 7), st.integers(0, 1)),
        max_size=4,
    ),
    markers=timed_texts.map(lambda rows: tuple(row for row in rows if row.text[:6] != "chord:")),
    chords=timed_texts,
)


@settings(max_examples=100, deadline=None)
@given(score=scores)
def test_any_score_comes_back_from_a_file(song, score):
    back = there_and_back(score, song)
    tracks = [track.replace(controls=uncut(track)) for track in score.tracks]
    assert back == score.replace(tracks=tuple(tracks))


def uncut(track):
    """Return controllers, but for those that would end a note before its end."""
    return [
        (tick, number, value)
        for tick, number, value in track.controls.tolist()
        if number not in (120, 123, 124, 125, 126, 127)
        or not any(on < tick < on + length for on, length, _, _ in track.notes.tolist())
    ]


def test_notes_equal_those_of_a_slow_and_obvious_reader(song):
    rng = np.random.default_rng(3)
    rows = np.stack(
        [rng.integers(0, 2000, 300), rng.integers(1, 9, 300), *rng.integers(1, 127, (2, 300))]
    )
    write_midi(Score(tracks=(Track("A", 5, notes=rows.T.tolist()),)), song)
    expected, open_notes, tick = [], {}, 0
    for message in mido.MidiFile(song).tracks[1]:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            open_notes.setdefault(message.note, []).append((tick, message.velocity))
        elif message.type in ("note_on", "note_off"):
            onset, velocity = open_notes[message.note].pop(0)
            expected.append((onset, tick - onset, message.note, velocity))
    by_pitch = [(onset, pitch, duration, velocity) for onset, duration, pitch, velocity in expected]
    notes = read_midi(song).tracks[0].notes
    assert notes[["onset", "pitch", "duration", "velocity"]].tolist() == sorted(by_pitch)


def test_forty_tracks_keep_their_order_and_drums_their_channel(song):
    tracks = tuple(
        Track(f"T{i}", i, is_drum=i % 7 == 3, notes=[(i, 10, 60, 90), (i, 20, 60, 91)])
        for i in range(40)
    )
    assert there_and_back(Score(tracks=tracks), song).tracks == tracks
    for index, track in enumerate(mido.MidiFile(song).tracks[1:]):
        channels = {message.channel for message in track if message.type == "note_on"}
        assert (channels == {9}) == (index % 7 == 3)


def test_silent_tracks_come_back_with_program_controllers_and_lyrics(song):
    tracks = (
        Track("Tacet", 40),
        Track("Fader", 7, controls=[(0, 7, 100)], pitch_bends=[(3, 99)]),
        Track("Kit", 3, is_drum=True),
        Track("Words", 52, lyrics=(Text(0, "la"),)),
    )
    assert there_and_back(Score(tracks=tracks), song).tracks == tracks


def test_controllers_without_a_note_of_their_program_are_kept():
    # Channel 0 sounds with program 5 only, channel 1 not at all.
    late = bytes([0, 0xC0, 6, 0, 0xB0, 7, 99, 0, 0xB1, 10, 64])
    score = read_midi(midi(bytes([0, 0xC0, 5]) + NOTE + late + END))
    found = [(track.program, len(track.notes), track.controls.tolist()) for track in score.tracks]
    assert found == [(5, 1, []), (6, 0, [(96, 7, 99)]), (0, 0, [(96, 10, 64)])]


def test_controllers_before_the_first_note_belong_to_each_program():
    events = bytes([0, 0xB0, 7, 90, 0, 0xE0, 0, 65]) + NOTE + bytes([0, 0xB0, 10, 3, 0, 0xC0, 6])
    score = read_midi(midi(events + NOTE + END))
    found = [
        (track.program, track.controls.tolist(), track.pitch_bends.tolist())
        for track in score.tracks
    ]
    bends = [(0, 128)]
    assert found == [(0, [(0, 7, 90), (96, 10, 3)], bends), (6, [(0, 7, 90)], bends)]


def test_controllers_of_a_program_that_never_sounds_make_a_track():
    back = bytes([0, 0xC0, 6, 5, 0xB0, 7, 99, 0, 0xC0, 5])
    score = read_midi(midi(bytes([0, 0xC0, 5]) + NOTE + back + NOTE + END))
    found = [(track.program, len(track.notes), track.controls.tolist()) for track in score.tracks]
    assert found == [(5, 2, []), (6, 0, [(101, 7, 99)])]


def test_the_last_of_several_names_counts():
    events = meta(3, b"Draft") + NOTE + meta(3, b"Final") + END
    assert read_midi(midi(events)).tracks[0].name == "Final"


def test_notes_come_by_channel_and_program_whatever_their_order():
    rng = random.Random(2)
    keys = [(channel, program) for channel in range(16) for program in (3, 90)]
    events, expected = b"", {}
    for tick in range(400):
        channel, program = rng.choice(keys)
        pitch = rng.randrange(128)
        events += bytes([0, 0xC0 | channel, program, 0, 0x90 | channel, pitch, 70])
        events += bytes([1, 0x80 | channel, pitch, 0])
        expected.setdefault((channel, program), []).append((tick, 1, pitch, 70))
    tracks = read_midi(midi(events + END, form=0)).tracks
    assert [track.notes.tolist() for track in tracks] == [expected[key] for key in sorted(expected)]
    assert [track.is_drum for track in tracks] == [channel == 9 for channel, _ in sorted(expected)]


@pytest.mark.parametrize("count", [20, 2000])
def test_many_notes_at_one_tick_are_sorted(count):
    rng = random.Random(3)
    keys = [(rng.randrange(128), rng.randrange(1, 128)) for _ in range(count)]
    events = b"".join(bytes([0, 0x90, *key]) for key in keys)
    ends = b"".join(bytes([tick % 3, 0x80, pitch, 0]) for tick, (pitch, _) in enumerate(keys))
    (track,) = read_midi(midi(events + ends + END)).tracks
    now, ends_at, onsets = 0, {}, []
    for tick, (pitch, _) in enumerate(keys):
        now += tick % 3
        ends_at.setdefault(pitch, []).append(now)
    for pitch, velocity in keys:
        onsets.append((pitch, ends_at[pitch].pop(0), velocity))
    expected = [(0, end, pitch, velocity) for pitch, end, velocity in sorted(onsets)]
    assert track.notes.tolist() == expected


def test_two_notes_of_one_pitch_and_length_are_sorted_by_velocity():
    events = bytes([0, 0x90, 60, 90, 0, 60, 80, 9, 60, 0, 0, 60, 0])
    notes = read_midi(midi(events + END)).tracks[0].notes
    assert notes.tolist() == [(0, 9, 60, 80), (0, 9, 60, 90)]


def test_controllers_at_one_tick_keep_their_order(song):
    bend_range = [(0, 101, 0), (0, 100, 0), (0, 6, 12), (0, 38, 0), (0, 101, 127), (0, 100, 127)]
    score = Score(tracks=(Track("A", controls=bend_range * 20, notes=[(0, 1, 60, 90)]),))
    assert there_and_back(score, song).tracks[0].controls.tolist() == bend_range * 20


def test_tempos_at_one_tick_keep_their_order(song):
    tempos = [(tick // 10, 400_000 + tick) for tick in range(500)]
    assert there_and_back(Score(tempos=tempos), song).tempos.tolist() == tempos


def test_tempos_of_several_tracks_keep_the_order_of_the_tracks():
    def tempo(tick, mspq):
        return bytes([tick > 0, 0xFF, 0x51, 3, 0, 0, mspq])

    chunks = [b"".join(tempo(tick, mspq) for tick in range(100)) + END for mspq in (9, 5, 7)]
    expected = [(tick, mspq) for tick in range(100) for mspq in (9, 5, 7)]
    assert read_midi(midi(*chunks)).tempos.tolist() == expected


def test_pedals_without_controllers_are_written_as_controllers(song):
    track = Track("A", notes=[(0, 1, 60, 90)], pedals=[(0, 480), (480, 100)])
    back = there_and_back(Score(tracks=(track,)), song).tracks[0]
    assert back.pedals.tolist() == [(0, 480), (480, 100)]
    assert back.controls.tolist() == [(0, 64, 127), (480, 64, 0), (480, 64, 127), (580, 64, 0)]


def test_the_pedal_is_down_from_64_to_63():
    controls = [(0, 64, 63), (10, 64, 64), (20, 64, 127), (30, 64, 63), (40, 64, 127)]
    table, silence = np.array(controls, CONTROL), np.empty(0, NOTE_ROW)
    assert pedals_of(table, silence).tolist() == [(10, 20)]
    assert pedals_of(table, np.array([(0, 40, 60, 9)], NOTE_ROW)).tolist() == [(10, 20)]


def test_a_pedal_that_is_not_let_go_holds_to_the_last_note(song):
    events = bytes([0, 0xB0, 64, 0, 5, 64, 127, 5, 0x90, 60, 90, 90, 60, 0]) + END
    score = read_midi(midi(events))
    assert score.tracks[0].pedals.tolist() == [(5, 95)]
    assert there_and_back(score, song) == score
    for library in ("symusic", "pretty_midi"):
        other = getattr(interop, f"to_{library}")(score)
        back = getattr(interop, f"from_{library}")(other)
        assert back.tracks[0].pedals.tolist() == [(5, 95)]


def test_a_pedal_that_is_only_let_go_is_no_pedal():
    # symusic would have it down from tick 0 on every channel but the first.
    events = bytes([10, 0xB1, 64, 0, 0, 0x91, 60, 90, 9, 60, 0])
    assert len(read_midi(midi(events + END)).tracks[0].pedals) == 0


def test_chords_are_markers_in_the_file(song):
    score = Score(markers=(Text(0, "Verse"),), chords=(Text(0, "C"), Text(480, "F#m7b5/E")))
    assert there_and_back(score, song) == score
    texts = [message.text for message in mido.MidiFile(song).tracks[0] if message.type == "marker"]
    assert texts == ["Verse", "chord:C", "chord:F#m7b5/E"]


TITLES = [
    "Flöte".encode("latin-1"),
    "旋律".encode("shift_jis"),
    "旋律".encode("big5"),
    "Flöte".encode("utf-16"),
    "Flöte 🎵".encode(),
    "\ueff6".encode(),
    b"\xed\xa0\x80",
    bytes(range(32)),
    bytes(range(128, 240)),
    bytes(range(240, 256)),
]


def varied_texts(title):
    return meta(3, title) + meta(5, title) + meta(6, title) + meta(6, b"chord:" + title)


@pytest.mark.parametrize("title", TITLES, ids=ascii)
def test_text_in_any_encoding_comes_back_byte_for_byte(song, title):
    score = read_midi(midi(varied_texts(title) + NOTE + END))
    track = score.tracks[0]
    for text in (track.name, track.lyrics[0].text, score.markers[0].text, score.chords[0].text):
        assert encode_text(text) == title
        assert json.loads(json.dumps(text, ensure_ascii=False).encode()) == text
    assert there_and_back(score, song) == score
    conductor, part = mido.MidiFile(song, charset="latin-1").tracks
    texts = [message.text for message in conductor if message.type == "marker"]
    title = title.decode("latin-1")
    assert texts == [title, "chord:" + title]
    assert part.name == title
    assert [message.text for message in part if message.type == "lyrics"] == [title]


def test_bytes_that_are_no_text_leave_notes_and_controllers_alone(song):
    rng = np.random.default_rng(5)
    tracks = tuple(
        Track(
            name,
            program,
            notes=np.stack([np.arange(99), *rng.integers(1, 127, (3, 99))]).T.tolist(),
            controls=np.stack([np.arange(99), *rng.integers(0, 127, (2, 99))]).T.tolist(),
            pitch_bends=[(5, -8192), (6, 8191)],
            lyrics=(Text(3, "la"), Text(3, "\uefe9"), Text(2**20, "l\xe0" * 90)),
        )
        for program, name in enumerate(["Fl\ueff6te", "Flöte"])
    )
    plain = there_and_back(Score(tracks=tuple(track.replace(lyrics=()) for track in tracks)), song)
    back = there_and_back(Score(tracks=tracks), song)
    assert [track.lyrics for track in back.tracks] == [track.lyrics for track in tracks]
    assert [track.replace(lyrics=()) for track in back.tracks] == list(plain.tracks)


@given(content=st.binary())
def test_any_bytes_are_a_text_and_come_back(content):
    assert encode_text(decode_text(content)) == content


def test_lyrics_stay_with_the_notes_of_their_track():
    score = read_midi(midi(meta(3, b"Voice") + meta(5, b"la") + NOTE + END, NOTE + END))
    assert [track.lyrics for track in score.tracks] == [(Text(0, "la"),), ()]


@pytest.mark.parametrize("name", [meta(3, b"Words"), meta(3, b"Flute"), b""])
def test_lyrics_in_a_chunk_of_their_own_stay_there(song, name):
    words = name + meta(5, b"la") + END
    flute = meta(3, b"Flute") + NOTE + END
    score = read_midi(midi(flute, words, words))
    assert [len(track.lyrics) for track in score.tracks] == [0, 1, 1]
    assert [track.name for track in score.tracks[1:]] == [name[4:].decode()] * 2
    assert there_and_back(score, song) == score


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::composer.errors.ComposerWarning")
@settings(max_examples=150, deadline=None)
@given(score=scores, seed=st.integers(0, 2**32), flips=st.integers(0, 4))
def test_damaged_files_are_read_or_refused(song, score, seed, flips):
    rng = random.Random(seed)
    write_midi(score, song)
    content = bytearray(song.read_bytes())
    for _ in range(flips):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    content = content[: rng.randrange(len(content))] if rng.random() < 0.3 else content
    try:
        damaged = read_midi(bytes(content))
    except MidiError:
        return
    for track in damaged.tracks:
        fields = {field.name: getattr(track, field.name) for field in dataclasses.fields(track)}
        assert Track(**fields) == track
        assert not any(
            value.flags.writeable for value in fields.values() if isinstance(value, np.ndarray)
        )
    assert there_and_back(damaged, song) == damaged


@pytest.mark.parametrize("name", ["Late", decode_text(b"Sp\xe4t")])
def test_waits_longer_than_one_number_are_written_and_read(song, name):
    last = 2**31 - 2
    track = Track(
        name,
        notes=[(0, last, 60, 90), (2**28, 2**28, 64, 90), (last - 9, 0, 61, 80), (last, 0, 1, 1)],
        controls=[(2**29 + 1, 7, 9)],
    )
    silent = Track(pitch_bends=[(last, 5)])
    sung = Track(notes=[(0, 1, 60, 90)], lyrics=[(3 * 2**28, "la"), (last, "lu")])
    score = Score(
        1,
        (track, silent, sung),
        tempos=[(0, 1), (last, 2)],
        time_signatures=[(2**28 - 1, 3, 4), (2**30, 4, 4)],
        markers=(Text(2**28, "far"),),
    )
    assert there_and_back(score, song) == score
    seen = mido.MidiFile(song, charset="latin-1")
    assert {sum(event.time for event in track) for track in seen.tracks} == {last, last + 1}
    assert max(event.time for track in seen.tracks for event in track) == 2**28 - 1


def test_bad_paths_are_refused_with_a_remedy(tmp_path):
    with pytest.raises(MidiError, match=r"none\.mid does not exist; check the path"):
        read_midi(tmp_path / "none.mid")
    with pytest.raises(MidiError, match="is a folder; name one of the files in it"):
        read_midi(tmp_path)
    with pytest.raises(MidiError, match="cannot be read: embedded null"):
        read_midi("a\0b")


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="this user may read every file"
)
def test_a_forbidden_file_is_refused(tmp_path):
    path = tmp_path / "song.mid"
    path.touch(mode=0)
    with pytest.raises(MidiError, match="cannot be read: Permission denied"):
        read_midi(path)


def test_a_path_as_text_bytes_and_an_open_file_read_the_same(song):
    score = Score(tracks=(Track("A", notes=[(0, 1, 60, 90)]),))
    score.write(song)
    with open(song, "rb") as file:
        assert Score.read(file) == score
    assert Score.read(str(song)) == Score.read(song.read_bytes()) == score


def test_a_stream_of_text_is_refused():
    with pytest.raises(MidiError, match="open as text; open it in mode 'rb'"):
        read_midi(io.StringIO("MThd"))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (Score(markers=(Text(0, "\ud800"),)), "half a surrogate pair"),
        (
            Score(tracks=(Track(notes=[(2**31 - 2, 1, 60, 90)]),)),
            "tick 2147483647 is outside 0 to 2147483646",
        ),
        (Score(tracks=(Track(pedals=[(9, 2**31 - 1)]),)), "tick 2147483656 is outside"),
    ],
)
def test_a_score_that_no_file_can_hold_leaves_the_old_file(tmp_path, score, message):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")
    with pytest.raises(MidiError, match=f"song.mid cannot be written: .*{message}"):
        write_midi(score, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["song.mid"]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")

    def refuse(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(MidiError, match="No space left on device; choose another path"):
        write_midi(Score(), path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["song.mid"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MidiError, match=r"make the folder .*new first"):
        write_midi(Score(), tmp_path / "new" / "song.mid")
    with pytest.raises(MidiError, match="cannot be written"):
        write_midi(Score(), tmp_path)
