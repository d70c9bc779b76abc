"""The bytes of a Standard MIDI File: checked, repaired, counted, and cleaned for the parser.

Every file passes through here before ``symusic`` sees it, because that parser trusts its input:
it reads past the end of short meta events, mistakes escaped system exclusives for notes, and mixes
up tempos that stand at one tick. ``clean`` refuses what nobody can read right, repairs what can be,
counts what no score can keep, reads what belongs to the whole piece, and returns the rest as a file
that holds nothing else: notes, controllers, programs, pitch bends, track names and lyrics, each
with its status byte.

Conventions
-----------
Repaired, and said in ``Cleaned.repairs``:

- What stands around the file: a RIFF wrapper, up to 256 bytes before the header, a header of more
  than 6 bytes, fewer tracks than the header counts, bytes after the last track, be they another
  file. A format above 2 is read as format 1.
- Tracks beyond those that the header counts are skipped, as by all readers; where it counts none,
  all are read.
- SMPTE time: a quarter is half a second, or one second where ticks a second are odd (25 frames of
  an odd number of ticks), and 1.001 times that for NTSC's 29.97 frames. All seconds are exact;
  tempo events, which mean nothing there, are left out. Other rates than the standard's four are
  taken at their word.
- Format 2: the patterns stand side by side and keep their ticks, as ``symusic``, ``mido`` and what
  builds on it have them; no reader can know in what order they were meant to be played.
- Running status goes on across meta and system exclusive events: the standard ends it there, but
  many writers do not, and a data byte in that place has no other meaning.
- A number of more than 4 bytes, the most that the standard allows, is read to its end.
- A data byte over 127 counts as 127, as ``mido`` has it with ``clip=True``.
- A track ends without an end event where its chunk ends; what stands behind its end event is
  skipped.
- A note without an end sounds until the end of the piece, which is the latest event of all tracks,
  end events included; in format 2 until the end of its pattern. An end without a note is nothing.

A channel is one in all tracks, as the standard has it: a track that sets no program on a channel
has the one that other tracks have set there up to its first note (not in format 2).

Left out, and said in ``Cleaned.dropped``: impossible tempos, time and key signatures, chunks of
unknown kind, and every event that a score has no place for.

Refused: what is cut short, lengths that cannot be, statuses that no file may hold, and ticks above
``MAX_TICK``.

References
----------
Standard MIDI Files 1.0, MIDI Manufacturers Association, RP-001 (1996).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from composer.errors import MidiError
from composer.score import KEY_SIGNATURE, MAX_TICK, TIME_SIGNATURE, Events, Text
from composer.score import TEMPO as TEMPO_ROW
from composer.smf.chunks import Layout, find_tracks
from composer.smf.text import decode_text
from composer.smf.walk import (
    BAD_STATUS,
    BEHIND_END,
    CHANNEL_STATE,
    CUT,
    END,
    FIRST,
    HIGH_BYTE,
    KEY,
    KINDS,
    LONG,
    LONG_NUMBER,
    LOST_NAME,
    MARKER,
    METER,
    NO_END,
    NO_STATUS,
    POLY,
    PRESSURE,
    PROGRAM,
    RESUMED,
    SOUNDING,
    SYSEX,
    SYSTEM,
    TEMPO,
    TOO_LATE,
    TRACK_EXTRA,
    UNENDED,
    Ints,
    walk_track,
)
from composer.smf.write import wait

# What no score can keep.
_DROPPED = {
    SYSEX: "system exclusive",
    SYSTEM: "system common or real-time message",
    POLY: "polyphonic aftertouch",
    PRESSURE: "channel aftertouch",
    LOST_NAME: "name of a track without events",
    TEMPO: "impossible tempo",
    METER: "impossible time signature",
    KEY: "impossible key signature",
    0x00: "sequence number",
    0x01: "text",
    0x02: "copyright notice",
    0x04: "instrument name",
    0x07: "cue point",
    0x08: "program name",
    0x09: "device name",
    0x20: "channel prefix",
    0x21: "port",
    0x54: "SMPTE offset",
    0x7F: "sequencer specific",
}
# What is read another way than it stands there.
_REPAIRED = {
    HIGH_BYTE: "data byte over 127, read as 127",
    RESUMED: "running status that goes on after a meta or system event",
    NO_END: "track without an end event",
    BEHIND_END: "byte after the end of a track, skipped",
    LONG: "number of more than 4 bytes",
    UNENDED: "note without an end, held to the end of the piece",
}


class Cleaned(NamedTuple):
    """What ``clean`` makes of a file."""

    content: bytes  # a file of format 1 that symusic reads right; texts in it are bytes as Latin-1
    tempos: Events
    time_signatures: Events
    key_signatures: Events
    markers: list[Text]
    dropped: dict[str, int]  # kind of event -> how many no score can keep
    repairs: list[str]  # what was read another way than it stands there


class _Track(NamedTuple):
    """A track as symusic is to read it, but for notes that have no end yet."""

    events: bytes
    end: int  # tick
    silence: int  # ticks from the last of the events to the end
    sounding: list[list[int]]  # channel, pitch and number of notes without an end
    unset: list[list[int]]  # channel and tick of the first note, where it has no program


def clean(source: bytes, name: str) -> Cleaned:
    """Check a MIDI file and take it apart.

    Parameters
    ----------
    source
        The bytes of the file.
    name
        What to call it in messages.

    Raises
    ------
    MidiError
        The bytes are no MIDI file, are cut short, or contradict themselves.
    """
    layout = find_tracks(source, name)
    counts = np.zeros(KINDS, np.int64)
    metas = np.empty((len(source) // 2 + 1, 4), np.int64)  # a program may have 2 bytes
    metas[0] = 0
    tracks = _read_tracks(source, layout, metas, counts, name)
    metas = metas[1 : metas[0, 0] + 1]
    metas = metas[np.argsort(metas[:, 0], kind="stable")]
    tempos, time_signatures, key_signatures = _tables(source, metas, counts)
    markers = [
        Text(tick, decode_text(source[start : start + length]))
        for tick, kind, start, length in metas[metas[:, 1] == MARKER].tolist()
    ]
    found = [(kind, int(counts[kind])) for kind in np.flatnonzero(counts).tolist()]
    dropped = {
        _DROPPED.get(kind, f"meta event {kind:#04x}"): count
        for kind, count in found
        if kind not in _REPAIRED
    }
    if layout.chunks:
        dropped["chunk of unknown kind"] = layout.chunks
    repairs = [f"{count} x {_REPAIRED[kind]}" for kind, count in found if kind in _REPAIRED]
    if layout.mspq:
        if len(tempos):
            dropped["tempo in SMPTE time"] = len(tempos)
        tempos = np.array([(0, layout.mspq)], TEMPO_ROW)
    return Cleaned(
        content=_join(tracks, layout, metas[metas[:, 1] == PROGRAM].tolist()),
        tempos=tempos,
        time_signatures=time_signatures,
        key_signatures=key_signatures,
        markers=markers,
        dropped=dropped,
        repairs=layout.repairs + repairs,
    )


def _read_tracks(
    source: bytes, layout: Layout, metas: Ints, counts: Ints, name: str
) -> list[_Track]:
    """Return the tracks, and put what ``walk_track`` finds beside them into the tables."""
    array = np.frombuffer(source, np.uint8)
    # A byte of running status may become two, and a byte of a text.
    longest = max((stop - start for start, stop in layout.tracks), default=0)
    target = np.empty(2 * longest + TRACK_EXTRA, np.uint8)
    channels = np.empty(CHANNEL_STATE, np.int64)
    tracks: list[_Track] = []
    for index, (start, stop) in enumerate(layout.tracks, 1):
        unended = counts[UNENDED]
        error, place, value, out, tick, silence = walk_track(
            array, (start, stop, 0), target, metas=metas, counts=counts, channels=channels
        )
        if error:
            what = "is cut short" if error == CUT else "is broken"
            reason = _describe(error, place, value, stop - place)
            raise MidiError(f"{name} {what}: track {index} {reason}")
        if place < stop and b"MTrk" in source[place:stop]:
            raise MidiError(
                f"{name} lies about its lengths: track {index} says {stop - start} bytes, "
                f"and ends after {place - start} with another track behind"
            )
        sounding = []
        if counts[UNENDED] > unended:
            held = channels[:, :SOUNDING]
            sounding = np.column_stack([*held.nonzero(), held[held > 0]]).tolist()
        unset = []
        if (first := channels[:, FIRST]).any():
            unset = np.column_stack([*first.nonzero(), first[first > 0] - 1]).tolist()
        tracks.append(_Track(target[:out].tobytes(), tick, silence, sounding, unset))
    return tracks


def _join(tracks: list[_Track], layout: Layout, programs: list[list[int]]) -> bytes:
    """Return a file of the tracks, each note with an end and with its channel's program."""
    last = max((track.end for track in tracks), default=0)
    ticks: list[list[int]] = [[] for _ in range(16)]
    values: list[list[int]] = [[] for _ in range(16)]
    for tick, _, channel, program in programs if layout.form != 2 else []:
        ticks[channel].append(tick)
        values[channel].append(program)
    parts = [struct.pack(">4sIHHH", b"MThd", 6, 1, len(tracks), layout.tpq)]
    for events, end, silence, sounding, unset in tracks:
        head = tail = b""
        for channel, tick in unset:
            if before := bisect_right(ticks[channel], tick):
                head += bytes([0, 0xC0 | channel, values[channel][before - 1]])
        if sounding:
            rest = 0 if layout.form == 2 else last - end
            for channel, pitch, count in sounding:
                tail += bytes([0, 0x80 | channel, pitch, 0]) * count
            tail = wait(silence + rest) + tail[1:]
        tail += bytes([0, 0xFF, END, 0])
        size = len(head) + len(events) + len(tail)
        parts += [struct.pack(">4sI", b"MTrk", size), head, events, tail]
    return b"".join(parts)


def _describe(error: int, place: int, value: int, left: int) -> str:
    """Return what is wrong with a track, as the end of a sentence."""
    return {
        CUT: f"needs {value} bytes at byte {place}, {left} are left",
        NO_STATUS: f"has the value {value} at byte {place}, where an event must begin",
        BAD_STATUS: f"has the status {value:#x} at byte {place}, which no file may hold",
        LONG_NUMBER: f"has a number above {MAX_TICK} at byte {place}",
        TOO_LATE: f"reaches tick {value} at byte {place}, which is outside 0 to {MAX_TICK}",
    }[error]


def _tables(source: bytes, metas: Ints, counts: Ints) -> tuple[Events, Events, Events]:
    """Return tempos, time signatures and key signatures; count those that cannot be."""
    array = np.frombuffer(source, np.uint8)
    tables = []
    for kind, dtype, size in (
        (TEMPO, TEMPO_ROW, 3),
        (METER, TIME_SIGNATURE, 2),
        (KEY, KEY_SIGNATURE, 2),
    ):
        rows = metas[metas[:, 1] == kind]
        whole = rows[rows[:, 3] >= size]
        values = array[whole[:, 2, None] + np.arange(size)].astype(np.int64)  # (events, size)
        columns = [whole[:, 0], values[:, 0], values[:, 1]]
        if kind == TEMPO:
            columns = [whole[:, 0], values @ np.array([65536, 256, 1])]
            good = columns[1] > 0
        elif kind == METER:
            columns[2] = 1 << np.minimum(values[:, 1], 16)
            good = (columns[1] > 0) & (values[:, 1] <= 15)
        else:
            columns[1] = values[:, 0].astype(np.int8)
            good = (columns[1] >= -7) & (columns[1] <= 7) & (columns[2] <= 1)
        table = np.empty(good.sum(), dtype)
        for name, column in zip(dtype.names or (), columns, strict=True):
            table[name] = column[good]
        counts[kind] += len(rows) - len(table)
        tables.append(table)
    return tables[0], tables[1], tables[2]
