"""The bytes of a Standard MIDI File: checked, counted, and cleaned for the parser behind us.

Every file passes through here before ``symusic`` sees it, because that parser trusts its input:
it reads past the end of short meta events, mistakes escaped system exclusives for notes, and mixes
up tempos that stand at one tick. ``clean`` refuses what is broken, counts what no score can keep,
reads what belongs to the whole piece, and returns the rest as a file that holds nothing else:
notes, controllers, programs, pitch bends, track names and lyrics, each with its status byte. The
other way, ``add_conductor`` puts what belongs to the whole piece in front of what it wrote.

Conventions
-----------
Running status goes on across meta and system exclusive events: the standard ends it there, but
many writers do not, and a data byte in that place has no other meaning. Bytes after a track's end
event, chunks of unknown kind, and what follows the last track are skipped. A missing end event is
forgiven.

References
----------
Standard MIDI Files 1.0, MIDI Manufacturers Association, RP-001 (1996).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from composer.errors import MidiError
from composer.score import KEY_SIGNATURE, MAX_TICK, TEMPO, TIME_SIGNATURE, Events, Score, Text

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

MAX_DELTA = 2**28 - 1  # four bytes of seven bits, the longest that the standard allows

# An event's kind is its meta type, or one of these, or its status byte above _CHANNEL.
_NAME, _LYRIC, _MARKER, _END, _TEMPO, _METER, _KEY = 0x03, 0x05, 0x06, 0x2F, 0x51, 0x58, 0x59
_SYSEX, _POLY, _PRESSURE, _UNENDED, _LOST_NAME = range(256, 261)
_KINDS = 261
_CHANNEL = 512
_KIND_NAMES = {
    _SYSEX: "system exclusive",
    _POLY: "polyphonic aftertouch",
    _PRESSURE: "channel aftertouch",
    _UNENDED: "note without an end",
    _LOST_NAME: "name of a track without events",
    _TEMPO: "impossible tempo",
    _METER: "impossible time signature",
    _KEY: "impossible key signature",
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

_CUT, _NO_STATUS, _BAD_STATUS, _BAD_VALUE, _LONG_NUMBER, _TOO_LATE = range(1, 7)


# State of a channel: 128 counts of sounding notes, then whether each of 128 programs has begun a
# note, the program now, whether events wait for it to begin one, whether there were events at all.
_BEGUN, _PROGRAM, _WAITS, _USED = 128, 256, 257, 258


class Cleaned(NamedTuple):
    """What ``clean`` makes of a file."""

    content: bytes  # a file of format 1 that symusic reads right, without the events below
    tempos: Events
    time_signatures: Events
    key_signatures: Events
    markers: list[Text]
    dropped: dict[str, int]  # kind of event -> how many no score can keep


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _read_number(source: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return error, value and the next place of a variable-length number."""
    value = 0
    for count in range(4):
        if at + count >= end:
            return _CUT, 1, at + count
        byte = source[at + count]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return 0, value, at + count + 1
    return _LONG_NUMBER, 0, at


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _write_number(target: Bytes, at: int, value: int) -> int:
    """Write a variable-length number; return the next place."""
    for shift in (21, 14, 7):
        if value >> shift:
            target[at] = 0x80 | ((value >> shift) & 0x7F)
            at += 1
    target[at] = value & 0x7F
    return at + 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _read_event(source: Bytes, at: int, end: int, status: int) -> tuple[int, int, int, int]:
    """Return error, kind, start and length of an event; in error, its place and what is wrong."""
    if at >= end:
        return _CUT, 0, at, 1
    byte = int(source[at])
    if byte >= 0xF0:
        if byte == 0xFF:
            if at + 1 >= end:
                return _CUT, 0, at + 1, 1
            kind, start = int(source[at + 1]), at + 2
        elif byte == 0xF0 or byte == 0xF7:
            kind, start = _SYSEX, at + 1
        else:
            return _BAD_STATUS, 0, at, byte
        error, length, start = _read_number(source, start, end)
        if error:
            return error, 0, start, length
        if start + length > end:
            return _CUT, 0, start, length
        return 0, kind, start, length
    if byte >= 0x80:
        status = byte
        at += 1
    elif status == 0:
        return _NO_STATUS, 0, at, byte
    length = 1 if status & 0xE0 == 0xC0 else 2
    if at + length > end:
        return _CUT, 0, at, length
    for i in range(at, at + length):
        if source[i] > 127:
            return _BAD_VALUE, 0, i, int(source[i])
    return 0, _CHANNEL + status, at, length


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _follow_channel(status: int, first: int, last: int, channels: Ints, counts: Ints) -> bool:
    """Follow the state of a channel through an event; return whether a score keeps the event."""
    kind, channel = status & 0xF0, channels[status & 0x0F]
    if kind == 0xA0 or kind == 0xD0:
        counts[_POLY if kind == 0xA0 else _PRESSURE] += 1
        return False
    if kind == 0x90 and last > 0:
        channel[first] += 1
        channel[_BEGUN + channel[_PROGRAM]] = 1
        channel[_WAITS] = 0
    elif kind <= 0x90:
        channel[first] = max(0, channel[first] - 1)
    elif kind == 0xC0:
        channel[_PROGRAM] = first
    elif not channel[_BEGUN + channel[_PROGRAM]]:
        channel[_WAITS] = 1
    channel[_USED] = 1
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _clean_track(
    source: Bytes, span: tuple[int, int], target: Bytes, out: int, metas: Ints, counts: Ints
) -> tuple[int, int, int, int]:
    """Copy a track; return error, its place, what is wrong, and the next place out.

    ``metas`` gets a row (tick, kind, start, length) of each event of the whole piece, and in its
    first row's first column the number of rows.
    """
    at, end = span
    tick = waiting = status = 0
    channels = np.zeros((16, 259), np.int64)
    names = lyrics = 0
    while at < end:
        error, delta, at = _read_number(source, at, end)
        if error:
            return error, at, delta, out
        tick += delta
        if tick > MAX_TICK:
            return _TOO_LATE, at, tick, out
        if waiting + delta > MAX_DELTA:
            # Too long a wait for one number: an empty text event breaks it in two.
            out = _write_number(target, out, waiting)
            target[out], target[out + 1], target[out + 2] = 0xFF, 0x01, 0
            out, waiting = out + 3, 0
        waiting += delta
        error, kind, start, length = _read_event(source, at, end, status)
        if error:
            return error, start, length, out
        at = start + length
        if kind == _END:
            break
        if kind >= _CHANNEL:
            status = kind - _CHANNEL
            first, last = source[start], source[at - 1]
            if not _follow_channel(status, first, last, channels, counts):
                continue
            out = _write_number(target, out, waiting)
            target[out] = status
            out += 1
        elif kind == _NAME or kind == _LYRIC:
            names += kind == _NAME
            lyrics += kind == _LYRIC
            out = _write_number(target, out, waiting)
            target[out], target[out + 1] = 0xFF, kind
            out = _write_number(target, out + 2, length)
        else:
            if kind == _MARKER or kind == _TEMPO or kind == _METER or kind == _KEY:
                metas[0, 0] += 1
                row = metas[metas[0, 0]]
                row[0], row[1], row[2], row[3] = tick, kind, start, length
            else:
                counts[kind] += 1
            continue
        waiting = 0
        target[out : out + length] = source[start : start + length]
        out += length
    counts[_UNENDED] += channels[:, :_BEGUN].sum()
    if lyrics == 0 and not channels.any():
        counts[_LOST_NAME] += names
    silent = not channels[:, _BEGUN:_PROGRAM].any()
    for channel in range(16):
        if channels[channel, _WAITS] or (silent and channels[channel, _USED]):
            # symusic makes a track where a note begins, and would drop controllers without one and
            # a part that is silent. A note that never ends makes a track and no note.
            target[out], target[out + 1], target[out + 2], target[out + 3] = 0, 0x90 | channel, 0, 1
            out += 4
    return 0, at, 0, out


def _describe(error: int, place: int, value: int, left: int) -> str:
    """Return what is wrong with a track, as the end of a sentence."""
    return {
        _CUT: f"needs {value} bytes at byte {place}, {left} are left",
        _NO_STATUS: f"has the value {value} at byte {place}, where an event must begin",
        _BAD_STATUS: f"has the status {value:#x} at byte {place}, which no file may hold",
        _BAD_VALUE: f"has the value {value} at byte {place}, which is outside 0 to 127",
        _LONG_NUMBER: f"has a number of more than 4 bytes at byte {place}",
        _TOO_LATE: f"reaches tick {value} at byte {place}, which is outside 0 to {MAX_TICK}",
    }[error]


def _find_tracks(source: bytes, name: str) -> tuple[int, list[tuple[int, int]]]:
    """Return ticks per quarter and the (start, end) of every track's events."""
    if len(source) == 0:
        raise MidiError(f"{name} is empty; a MIDI file has 14 bytes at least")
    if source[:4] != b"MThd":
        raise MidiError(f"{name} is no MIDI file: it begins with {source[:4]!r}, not b'MThd'")
    if len(source) < 14:
        raise MidiError(f"{name} is cut short: its header needs 14 bytes, and it has {len(source)}")
    header, form, count, division = struct.unpack(">IHHH", source[4:14])
    if header < 6 or header > len(source) - 8:
        raise MidiError(
            f"{name} says that its header has {header} bytes; 6 to {len(source) - 8} are possible"
        )
    if form > 1:
        raise MidiError(f"{name} has MIDI format {form}; save it as format 0 or 1 first")
    if division >= 0x8000:
        raise MidiError(f"{name} counts SMPTE frames, not beats; save it with ticks per quarter")
    if division == 0:
        raise MidiError(f"{name} has 0 ticks per quarter; 1 to 32767 are possible")
    tracks: list[tuple[int, int]] = []
    at = 8 + header
    while len(source) - at >= 8:
        kind, length = source[at : at + 4], int.from_bytes(source[at + 4 : at + 8], "big")
        left = len(source) - at - 8
        if length > left:
            if len(tracks) == count and kind != b"MTrk":
                break  # padding, which some writers leave
            what = f"track {len(tracks) + 1}" if kind == b"MTrk" else f"the chunk {kind!r}"
            raise MidiError(f"{name} is cut short: {what} says {length} bytes, {left} are left")
        if kind == b"MTrk":
            tracks.append((at + 8, at + 8 + length))
        at += 8 + length
    if len(tracks) != count:
        raise MidiError(f"{name} says that it has {count} tracks, and has {len(tracks)}")
    return division, tracks


def _tables(array: Bytes, metas: Ints, counts: Ints) -> tuple[Events, Events, Events]:
    """Return tempos, time signatures and key signatures; count those that cannot be."""
    tables = []
    for kind, dtype, size in (
        (_TEMPO, TEMPO, 3),
        (_METER, TIME_SIGNATURE, 2),
        (_KEY, KEY_SIGNATURE, 2),
    ):
        rows = metas[metas[:, 1] == kind]
        whole = rows[rows[:, 3] >= size]
        values = array[whole[:, 2, None] + np.arange(size)].astype(np.int64)  # (events, size)
        columns = [whole[:, 0], values[:, 0], values[:, 1]]
        if kind == _TEMPO:
            columns = [whole[:, 0], values @ np.array([65536, 256, 1])]
            good = columns[1] > 0
        elif kind == _METER:
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
    division, tracks = _find_tracks(source, name)
    array = np.frombuffer(source, np.uint8)
    # A byte of running status may become two; a track gets a header, an end and 16 notes.
    target = np.empty(2 * len(source) + 76 * len(tracks) + 14, np.uint8)
    target[:14] = np.frombuffer(struct.pack(">4sIHHH", b"MThd", 6, 1, len(tracks), division), "u1")
    counts = np.zeros(_KINDS, np.int64)
    metas = np.empty((len(source) // 4 + 1, 4), np.int64)  # no meta event is shorter than 4 bytes
    metas[0] = 0
    out = 14
    for number, span in enumerate(tracks, 1):
        begin = out + 8
        error, place, value, out = _clean_track(array, span, target, begin, metas, counts)
        if error:
            what = "is cut short" if error == _CUT else "is broken"
            reason = _describe(error, place, value, span[1] - place)
            raise MidiError(f"{name} {what}: track {number} {reason}")
        target[out : out + 4] = (0, 0xFF, _END, 0)
        out += 4
        target[begin - 8 : begin] = np.frombuffer(struct.pack(">4sI", b"MTrk", out - begin), "u1")
    metas = metas[1 : metas[0, 0] + 1]
    metas = metas[np.argsort(metas[:, 0], kind="stable")]
    tempos, time_signatures, key_signatures = _tables(array, metas, counts)
    markers = [
        Text(tick, source[start : start + length].decode(errors="replace"))
        for tick, kind, start, length in metas[metas[:, 1] == _MARKER].tolist()
    ]
    dropped = {
        _KIND_NAMES.get(kind, f"meta event {kind:#04x}"): int(counts[kind])
        for kind in np.flatnonzero(counts).tolist()
    }
    content = target[:out].tobytes()
    return Cleaned(content, tempos, time_signatures, key_signatures, markers, dropped)


def add_conductor(content: bytes, score: Score, markers: list[Text]) -> bytes:
    """Return a file with a first track of what belongs to the whole piece.

    Parameters
    ----------
    content
        A file that ``symusic`` wrote.
    score
        Where tempos and signatures are.
    markers
        Texts, chord symbols among them.
    """
    rows: list[tuple[int, int, bytes]] = []
    for tick, numerator, denominator in score.time_signatures.tolist():
        # Last come MIDI clocks a click and 32nds a quarter, always the standard's own values.
        rows.append((tick, _METER, bytes([numerator, denominator.bit_length() - 1, 24, 8])))
    for tick, sharps, minor in score.key_signatures.tolist():
        rows.append((tick, _KEY, bytes([sharps % 256, minor])))
    for tick, mspq in score.tempos.tolist():
        rows.append((tick, _TEMPO, mspq.to_bytes(3, "big")))
    rows += [(tick, _MARKER, text.encode()) for tick, text in markers]
    rows.sort(key=lambda row: row[0])
    chunk, now = bytearray(), 0
    for tick, kind, value in [*rows, (rows[-1][0] if rows else 0, _END, b"")]:
        chunk += _number(tick - now) + bytes([0xFF, kind]) + _number(len(value)) + value
        now = tick
    (count,) = struct.unpack(">H", content[10:12])
    head = content[:8] + struct.pack(">HH", 1, count + 1) + content[12:14]
    return head + struct.pack(">4sI", b"MTrk", len(chunk)) + bytes(chunk) + content[14:]


def _number(value: int) -> bytes:
    """Return a variable-length number."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(0x80 | (value & 0x7F))
    return bytes(reversed(parts))
