"""The events of all tracks, walked byte by byte with compiled code, and put into tables.

Which track an event belongs to: each (chunk, channel, program) that begins a note is a track.
Controllers and pitch bends of a program that has not begun one wait, and belong to every program
of their channel that begins one later in the chunk; if none does, they make a track of the last
program that has none yet. A chunk without any note makes a track of each channel that has events.

The compiled functions take their tables one by one and index single cells: rows and tuples of
arrays, which numba counts references of, made the walk five times as slow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer._jit import compiled, inner
from composer.score.events import CONTROL, MAX_TICK, NOTE, PITCH_BEND, Events

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

MAX_DELTA = 2**28 - 1  # four bytes of seven bits, the longest that the standard allows

# An event's kind is its meta type, or one of these, or its status byte above _CHANNEL_EVENT. After
# the events come other things that are counted.
TEXT, NAME, LYRIC, MARKER, PORT, END, TEMPO, METER, KEY = 1, 3, 5, 6, 0x21, 0x2F, 0x51, 0x58, 0x59
SYSEX, SYSTEM, POLY, PRESSURE, LOST_NAME = range(256, 261)
HIGH_BYTE, RESUMED, NO_END, BEHIND_END, UNENDED = range(261, 266)
LONG = 266
KINDS = 267
# And how many rows of some kinds there are.
EVENTS, OTHERS, TRACKS, _NOTES, _CONTROLS, _BENDS, ALL_COUNTS = range(KINDS, KINDS + 7)
_CHANNEL_EVENT = 512

#: Controllers that end the notes of a channel: this one, and all from the other on.
SOUND_OFF, NOTES_OFF = 120, 123

CUT, NO_STATUS, BAD_STATUS, LONG_NUMBER, TOO_LATE = range(1, 6)

# Columns of an event that is kept: its track, or chunk where it belongs to no track; what it holds;
# the event behind it in its queue; and where a note ends.
TICK, KIND, OWNER, FIRST, SECOND, _NEXT, _END = range(7)
_NOTE, _CONTROL, _BEND, PROGRAM_SET, PORT_SET = 0, 1, 2, 4, 7  # kinds beside the meta types

# Columns of a track: place; tick of the channel's first note where the chunk sets no program on it,
# else -1; begin and end in each of three tables; how many events waited for it, the first of them.
CHUNK, CHANNEL, PROGRAM, UNSET, NOTES, CONTROLS, BENDS, _WAITED, _FIRST = *range(5), 6, 8, 10, 11
_TRACK_COLUMNS = 12

# Columns of a channel: program now, whether it was set, whether there was a note and the tick of
# the first, whether there was any event; controls and pitch bends that wait, first and last of
# them, the last one's program, and whether a track has yet to take it. Then the track of each
# program, and of each pitch the first and the last note without an end. What is a row of another
# table is counted from 1, so that 0 is none.
_NOW, _SET, _BEGAN, _BEGAN_AT, _USED = range(5)
_CONTROLS_WAIT, _BENDS_WAIT, _HEAD, _TAIL, _WAITING_PROGRAM, _LEFT = range(5, 11)
_TRACK, _OPEN, _LAST_OPEN = 16, 144, 272
_CHANNEL_COLUMNS = 400

# So many notes of one onset a note may pass on its way to its place; more are left to ``Track``.
_MAX_STEPS = 256


class Walked(NamedTuple):
    """What ``walk_tracks`` finds."""

    error: int  # 0 for none
    value: int  # what is wrong
    chunk: int  # where it is wrong
    places: list[int]  # of bytes, where walking ended in each chunk
    tracks: Ints  # in order of their first notes, chunk by chunk
    notes: Events  # track by track
    controls: Events
    pitch_bends: Events
    others: Ints  # rows of events that belong to no track, chunk by chunk
    counts: Ints  # of each kind what is not kept or not as it ought to be
    in_order: bool  # whether each track's notes stand as ``Track`` sorts them


@inner
def _read_number(source: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return error, value and the next place of a variable-length number."""
    value = 0
    for place in range(at, end):
        byte = source[place]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return 0, value, place + 1
        if value > MAX_TICK:
            return LONG_NUMBER, 0, at
    return CUT, 1, end


@inner
def _read_event(source: Bytes, at: int, end: int, status: int) -> tuple[int, int, int, int]:
    """Return error, kind, start and length of an event; in error, its place and what is wrong."""
    if at >= end:
        return CUT, 0, at, 1
    byte = int(source[at])
    if byte >= 0xF0:
        if byte == 0xFF:
            if at + 1 >= end:
                return CUT, 0, at + 1, 1
            kind, start = int(source[at + 1]), at + 2
        elif byte == 0xF0 or byte == 0xF7:
            kind, start = SYSEX, at + 1
        elif byte == 0xF4 or byte == 0xF5 or byte == 0xF9 or byte == 0xFD:
            return BAD_STATUS, 0, at, byte
        else:
            # Meant for cables: song position has 2 data bytes, quarter frame and song select 1.
            length = 2 if byte == 0xF2 else 1 if byte == 0xF1 or byte == 0xF3 else 0
            if at + 1 + length > end:
                return CUT, 0, at + 1, length
            return 0, SYSTEM, at + 1, length
        error, length, start = _read_number(source, start, end)
        if error:
            return error, 0, start, length
        if start + length > end:
            return CUT, 0, start, length
        return 0, kind, start, length
    if byte >= 0x80:
        status = byte
        at += 1
    elif status == 0:
        return NO_STATUS, 0, at, byte
    length = 1 if status & 0xE0 == 0xC0 else 2
    if at + length > end:
        return CUT, 0, at, length
    return 0, _CHANNEL_EVENT + status, at, length


@inner
def _read_whole(source: Bytes, kind: int, start: int, length: int) -> tuple[bool, int, int]:
    """Return whether a tempo, time or key signature can be, and its two values."""
    if kind == TEMPO:
        if length < 3:
            return False, 0, 0
        mspq = (int(source[start]) << 16) | (int(source[start + 1]) << 8) | int(source[start + 2])
        return mspq > 0, mspq, 0
    if length < 2:
        return False, 0, 0
    first, second = int(source[start]), int(source[start + 1])
    if kind == METER:
        return first > 0 and second <= 15, first, 1 << min(second, 15)
    sharps = first - 256 * (first > 127)
    return abs(sharps) <= 7 and second <= 1, sharps, second


@inner
def _add_event(
    tick: int, kind: int, owner: int, first: int, second: int, events: Ints, counts: Ints
) -> int:
    """Keep an event; return its row."""
    row = int(counts[EVENTS])
    counts[EVENTS] += 1
    events[row, TICK], events[row, KIND], events[row, OWNER] = tick, kind, owner
    events[row, FIRST], events[row, SECOND] = first, second
    events[row, _NEXT], events[row, _END] = 0, -1
    return row


@inner
def _add_other(
    tick: int, kind: int, chunk: int, first: int, second: int, others: Ints, counts: Ints
) -> None:
    """Keep an event that belongs to no track."""
    row = counts[OTHERS]
    counts[OTHERS] += 1
    others[row, TICK], others[row, KIND], others[row, OWNER] = tick, kind, chunk
    others[row, FIRST], others[row, SECOND] = first, second


@inner
def _add_track(
    chunk: int, channel: int, program: int, tracks: Ints, channels: Ints, counts: Ints
) -> int:
    """Begin a track, which takes what waits on its channel; return its row."""
    row = int(counts[TRACKS])
    counts[TRACKS] += 1
    tracks[row, UNSET], tracks[row, NOTES + 1] = -1, 0
    tracks[row, CHUNK], tracks[row, CHANNEL], tracks[row, PROGRAM] = chunk, channel, program
    tracks[row, CONTROLS + 1] = channels[channel, _CONTROLS_WAIT]
    tracks[row, BENDS + 1] = channels[channel, _BENDS_WAIT]
    tracks[row, _WAITED] = channels[channel, _CONTROLS_WAIT] + channels[channel, _BENDS_WAIT]
    tracks[row, _FIRST] = channels[channel, _HEAD]
    channels[channel, _LEFT] = 0
    channels[channel, _TRACK + program] = row + 1
    return row


@inner
def _begin_note(
    tick: int,
    chunk: int,
    key: tuple[int, int, int],
    events: Ints,
    tracks: Ints,
    channels: Ints,
    counts: Ints,
) -> None:
    channel, pitch, velocity = key
    program = channels[channel, _NOW]
    track = channels[channel, _TRACK + program] - 1
    if track < 0:
        track = _add_track(chunk, channel, program, tracks, channels, counts)
        if channels[channel, _BEGAN] == 0:
            channels[channel, _BEGAN], channels[channel, _BEGAN_AT] = 1, tick
    note = _add_event(tick, _NOTE, track, pitch, velocity, events, counts)
    tracks[track, NOTES + 1] += 1
    counts[UNENDED] += 1
    if channels[channel, _OPEN + pitch] == 0:
        channels[channel, _OPEN + pitch] = note + 1
    else:
        events[channels[channel, _LAST_OPEN + pitch] - 1, _NEXT] = note + 1
    channels[channel, _LAST_OPEN + pitch] = note + 1


@inner
def _end_note(
    tick: int, channel: int, pitch: int, events: Ints, channels: Ints, counts: Ints
) -> None:
    note = channels[channel, _OPEN + pitch] - 1
    if note >= 0:
        events[note, _END] = tick
        counts[UNENDED] -= 1
        channels[channel, _OPEN + pitch] = events[note, _NEXT]


@inner
def _end_all(tick: int, channel: int, events: Ints, channels: Ints, counts: Ints) -> None:
    for pitch in range(128):
        while channels[channel, _OPEN + pitch]:
            _end_note(tick, channel, pitch, events, channels, counts)


@inner
def _add_controller(
    tick: int,
    channel: int,
    value: tuple[int, int, int],
    events: Ints,
    tracks: Ints,
    channels: Ints,
    counts: Ints,
) -> None:
    kind, first, second = value
    bend = kind == _BEND
    program = channels[channel, _NOW]
    track = channels[channel, _TRACK + program] - 1
    row = _add_event(tick, kind, track, first, second, events, counts)
    if track >= 0:
        tracks[track, BENDS + 1 if bend else CONTROLS + 1] += 1
        return
    if channels[channel, _CONTROLS_WAIT] + channels[channel, _BENDS_WAIT] == 0:
        channels[channel, _HEAD] = row + 1
    else:
        events[channels[channel, _TAIL] - 1, _NEXT] = row + 1
    channels[channel, _TAIL] = row + 1
    channels[channel, _BENDS_WAIT if bend else _CONTROLS_WAIT] += 1
    channels[channel, _WAITING_PROGRAM], channels[channel, _LEFT] = program, 1


@inner
def _read_meta_event(
    source: Bytes,
    tick: int,
    chunk: int,
    place: tuple[int, int, int],
    others: Ints,
    counts: Ints,
) -> None:
    kind, start, length = place
    if kind == NAME or (length > 0 and (kind == LYRIC or kind == MARKER)):
        _add_other(tick, kind, chunk, start, start + length, others, counts)
    elif kind == TEMPO or kind == METER or kind == KEY:
        possible, first, second = _read_whole(source, kind, start, length)
        if possible:
            _add_other(tick, kind, chunk, first, second, others, counts)
        else:
            counts[kind] += 1
    elif kind != LYRIC and kind != MARKER:
        if kind == TEXT and length > 0:
            _add_other(tick, TEXT, chunk, start, start + length, others, counts)
        elif kind == PORT and length > 0:
            _add_other(tick, PORT_SET, chunk, int(source[start]), 0, others, counts)
        counts[kind] += 1


@inner
def _walk_chunk(
    source: Bytes,
    span: tuple[int, int],
    chunk: int,
    events: Ints,
    others: Ints,
    tracks: Ints,
    channels: Ints,
    counts: Ints,
) -> tuple[int, int, int, int]:
    """Return error, where reading ended, what is wrong there and the last tick."""
    at, end = span
    tick = status = 0
    interrupted = ended = False
    while at < end and not ended:
        begin = at
        error, delta, at = _read_number(source, at, end)
        if error:
            return error, at, delta, tick
        counts[LONG] += at - begin > 4
        tick += delta
        if tick > MAX_TICK:
            return TOO_LATE, at, tick, tick
        error, kind, start, length = _read_event(source, at, end, status)
        if error:
            return error, start, length, tick
        resumed = start == at and interrupted
        at_event, at = at, start + length
        interrupted = kind < _CHANNEL_EVENT
        if interrupted and kind != SYSTEM:
            counts[LONG] += start - at_event > (5 if kind == SYSEX else 6)
        if kind == END:
            ended = True
        elif interrupted:
            _read_meta_event(source, tick, chunk, (kind, start, length), others, counts)
        else:
            status = kind - _CHANNEL_EVENT
            counts[RESUMED] += resumed
            counts[HIGH_BYTE] += (source[start] > 127) + (length > 1 and source[at - 1] > 127)
            first, second = min(127, int(source[start])), min(127, int(source[at - 1]))
            kind, channel = status & 0xF0, status & 0x0F
            if kind == 0xA0 or kind == 0xD0:
                counts[POLY if kind == 0xA0 else PRESSURE] += 1
                continue
            channels[channel, _USED] = 1
            if kind == 0x90 and second > 0:
                key = channel, first, second
                _begin_note(tick, chunk, key, events, tracks, channels, counts)
            elif kind <= 0x90:
                _end_note(tick, channel, first, events, channels, counts)
            elif kind == 0xC0:
                channels[channel, _NOW], channels[channel, _SET] = first, 1
                _add_other(tick, PROGRAM_SET, chunk, channel, first, others, counts)
            else:
                value = _CONTROL, first, second
                if kind == 0xB0 and (first == SOUND_OFF or first >= NOTES_OFF):
                    _end_all(tick, channel, events, channels, counts)
                if kind == 0xE0:
                    value = _BEND, (second << 7 | first) - 8192, 0
                _add_controller(tick, channel, value, events, tracks, channels, counts)
    counts[NO_END] += not ended
    counts[BEHIND_END] += end - at
    return 0, at, 0, tick


@inner
def _end_chunk(
    chunk: int,
    first_other: int,
    first_track: int,
    others: Ints,
    tracks: Ints,
    channels: Ints,
    counts: Ints,
) -> None:
    """Make the tracks that no note has begun, and mark those whose program was not set."""
    silent = counts[TRACKS] == first_track
    used = 0
    for channel in range(16):
        used += channels[channel, _USED]
    if used == 0:
        names = lyrics = 0
        for row in range(first_other, counts[OTHERS]):
            names += others[row, KIND] == NAME
            lyrics += others[row, KIND] == LYRIC
        if lyrics:
            channels[0, _USED] = 1
        else:
            counts[LOST_NAME] += names
    for channel in range(16):
        if channels[channel, _LEFT] or (silent and channels[channel, _USED]):
            program = channels[channel, _NOW]
            if channels[channel, _TRACK + program]:
                program = channels[channel, _WAITING_PROGRAM]
            _add_track(chunk, channel, program, tracks, channels, counts)
    for row in range(first_track, counts[TRACKS]):
        channel = tracks[row, CHANNEL]
        if channels[channel, _BEGAN] and not channels[channel, _SET]:
            tracks[row, UNSET] = channels[channel, _BEGAN_AT]


@inner
def _begin_spans(tracks: Ints, column: int, counts: Ints) -> int:
    """Turn how many rows each track has into where they begin, twice; return how many in all."""
    begin = 0
    for row in range(counts[TRACKS]):
        count = tracks[row, column + 1]
        tracks[row, column] = tracks[row, column + 1] = begin
        begin += count
    return begin


@compiled
def _walk(
    source: Bytes,
    spans: Longs,
    events: Ints,
    others: Ints,
    tracks: Ints,
    channels: Ints,
    counts: Ints,
    ends: Longs,
) -> tuple[int, int, int]:
    """Return error or 0, what is wrong, and in which chunk."""
    for chunk in range(len(spans)):
        for channel in range(16):
            for column in range(_CHANNEL_COLUMNS):
                channels[channel, column] = 0
        first_other, first_track = counts[OTHERS], counts[TRACKS]
        span = spans[chunk, 0], spans[chunk, 1]
        error, place, value, tick = _walk_chunk(
            source, span, chunk, events, others, tracks, channels, counts
        )
        ends[chunk, 0], ends[chunk, 1] = place, tick
        if error:
            return error, value, chunk
        _end_chunk(chunk, first_other, first_track, others, tracks, channels, counts)
    counts[_NOTES] = _begin_spans(tracks, NOTES, counts)
    counts[_CONTROLS] = _begin_spans(tracks, CONTROLS, counts)
    counts[_BENDS] = _begin_spans(tracks, BENDS, counts)
    return 0, 0, 0


@inner
def _place_note(
    at: int, begin: int, onset: int, duration: int, key: tuple[int, int], notes: Events
) -> bool:
    """Put a note, they come by onset, where ``Track`` sorts it; return whether it got there."""
    pitch, velocity = key
    least = max(begin, at - _MAX_STEPS)
    while at > least:
        before = notes[at - 1]
        if before.onset < onset or before.pitch < pitch:
            break
        if before.pitch == pitch and (
            before.duration < duration
            or (before.duration == duration and before.velocity <= velocity)
        ):
            break
        note = notes[at]
        note.onset, note.duration = before.onset, before.duration
        note.pitch, note.velocity = before.pitch, before.velocity
        at -= 1
    note = notes[at]
    note.onset, note.duration, note.pitch, note.velocity = onset, duration, pitch, velocity
    return at > least or at == begin


@inner
def _place_controller(
    events: Ints, event: int, track: int, tracks: Ints, controls: Events, bends: Events
) -> None:
    """Put a controller or pitch bend behind those of its track."""
    if events[event, KIND] == _BEND:
        bend = bends[tracks[track, BENDS + 1]]
        bend.tick, bend.value = events[event, TICK], events[event, FIRST]
        tracks[track, BENDS + 1] += 1
    else:
        control = controls[tracks[track, CONTROLS + 1]]
        control.tick, control.number = events[event, TICK], events[event, FIRST]
        control.value = events[event, SECOND]
        tracks[track, CONTROLS + 1] += 1


@compiled
def _fill(
    events: Ints,
    tracks: Ints,
    counts: Ints,
    held_until: Longs,
    notes: Events,
    controls: Events,
    bends: Events,
) -> bool:
    """Put the events into their tables, track by track; return whether all notes are in order."""
    in_order = True
    for track in range(counts[TRACKS]):
        waiting = tracks[track, _FIRST] - 1
        for _ in range(tracks[track, _WAITED]):
            _place_controller(events, waiting, track, tracks, controls, bends)
            waiting = events[waiting, _NEXT] - 1
    for row in range(counts[EVENTS]):
        track = events[row, OWNER]
        if events[row, KIND] == _NOTE:
            onset, end = events[row, TICK], events[row, _END]
            if end < 0:
                end = held_until[tracks[track, CHUNK]]
            key = events[row, FIRST], events[row, SECOND]
            begin, at = tracks[track, NOTES], tracks[track, NOTES + 1]
            in_order &= _place_note(at, begin, onset, end - onset, key, notes)
            tracks[track, NOTES + 1] += 1
        elif track >= 0:
            _place_controller(events, row, track, tracks, controls, bends)
    return in_order


def walk_tracks(source: bytes, spans: list[tuple[int, int]], apart: bool) -> Walked:
    """Read the events of all tracks of a file.

    Parameters
    ----------
    source
        The bytes of the file.
    spans
        Where the events of each chunk begin and end.
    apart
        Whether notes without an end last until the end of their chunk, not of the piece.
    """
    # A program and its wait have 2 bytes, other events more.
    room = len(source) // 2
    events, others = np.empty((room, 7), np.int32), np.empty((room, 5), np.int32)
    tracks = np.empty((room, _TRACK_COLUMNS), np.int32)
    channels = np.empty((16, _CHANNEL_COLUMNS), np.int32)
    counts, ends = np.zeros(ALL_COUNTS, np.int32), np.zeros((len(spans), 2), np.int64)
    array = np.frombuffer(source, np.uint8)
    places = np.array(spans, np.int64).reshape(-1, 2)  # a file may have no track
    error, value, chunk = _walk(array, places, events, others, tracks, channels, counts, ends)
    notes = np.empty(counts[_NOTES], NOTE)
    controls, bends = np.empty(counts[_CONTROLS], CONTROL), np.empty(counts[_BENDS], PITCH_BEND)
    in_order = True
    if not error:
        held_until = ends[:, 1].copy()
        if not apart:
            held_until[:] = held_until.max(initial=0)
        in_order = _fill(events, tracks, counts, held_until, notes, controls, bends)
    for table in (notes, controls, bends):
        table.flags.writeable = False  # so that tracks need no copies
    found = tracks[: counts[TRACKS]], notes, controls, bends, others[: counts[OTHERS]]
    return Walked(error, value, chunk, ends[:, 0].tolist(), *found, counts, in_order)
