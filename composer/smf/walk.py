"""The events of one track, walked byte by byte with compiled code.

All functions that numba compiles stand in this file: its cache asks whether the file of the caller
has changed, never that of the called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

from composer.score import MAX_TICK

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., object])

MAX_DELTA = 2**28 - 1  # four bytes of seven bits, the longest that the standard allows

# An event's kind is its meta type, or one of these, or its status byte above _CHANNEL. After the
# events come other things that are counted.
NAME, LYRIC, MARKER, END, TEMPO, METER, KEY = 0x03, 0x05, 0x06, 0x2F, 0x51, 0x58, 0x59
SYSEX, SYSTEM, POLY, PRESSURE, LOST_NAME = range(256, 261)
HIGH_BYTE, RESUMED, NO_END, BEHIND_END, UNENDED = range(261, 266)
PROGRAM = 266  # stands in ``metas`` only
LONG = 267
KINDS = 268
_CHANNEL = 512

CUT, NO_STATUS, BAD_STATUS, LONG_NUMBER, TOO_LATE = range(1, 6)

# State of a channel: 128 counts of sounding notes, then whether each of 128 programs has begun a
# note, the program now, whether events wait for it to begin one, whether there were events at all,
# whether a program was set, and if none was, one more than the tick of the first note.
SOUNDING = 128
_BEGUN, _PROGRAM, _WAITS, _USED, _SET, FIRST = 128, 256, 257, 258, 259, 260
CHANNEL_STATE = (16, 261)

#: Bytes that a track may need beyond twice its own: 16 notes, and 8 events that break a long wait.
TRACK_EXTRA = 128


def _compiled(function: Function) -> Function:
    """Return a function compiled, and kept on disk where numba finds a folder that it may use."""
    try:
        compiled: Function = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        compiled = njit(nogil=True)(function)
    return compiled


@_compiled
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


@_compiled
def _write_number(target: Bytes, at: int, value: int) -> int:
    """Write a variable-length number; return the next place."""
    for shift in (21, 14, 7):
        if value >> shift:
            target[at] = 0x80 | ((value >> shift) & 0x7F)
            at += 1
    target[at] = value & 0x7F
    return at + 1


@_compiled
def _write_wait(target: Bytes, at: int, wait: int) -> int:
    """Write the wait before an event; return the next place."""
    while wait > MAX_DELTA:
        # Too long for one number: an empty text event breaks it.
        at = _write_number(target, at, MAX_DELTA)
        target[at], target[at + 1], target[at + 2] = 0xFF, 0x01, 0
        at, wait = at + 3, wait - MAX_DELTA
    return _write_number(target, at, wait)


@_compiled
def _write_text(target: Bytes, at: int, text: Bytes) -> int:
    """Write a text, from Latin-1 to UTF-8, so that any bytes pass; return the next place."""
    high = 0
    for byte in text:
        high += byte >> 7
    at = _write_number(target, at, len(text) + high)
    for byte in text:
        if byte > 127:
            target[at], target[at + 1] = 0xC0 | (byte >> 6), 0x80 | (byte & 0x3F)
            at += 2
        else:
            target[at] = byte
            at += 1
    return at


@_compiled
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
    return 0, _CHANNEL + status, at, length


@_compiled
def _follow_channel(status: int, first: int, last: int, channels: Ints, counts: Ints) -> bool:
    """Follow the state of a channel through an event; return whether a score keeps the event."""
    kind, channel = status & 0xF0, channels[status & 0x0F]
    if kind == 0xA0 or kind == 0xD0:
        counts[POLY if kind == 0xA0 else PRESSURE] += 1
        return False
    if kind == 0x90 and last > 0:
        channel[first] += 1
        channel[_BEGUN + channel[_PROGRAM]] = 1
        channel[_WAITS] = 0
    elif kind <= 0x90:
        channel[first] = max(0, channel[first] - 1)
    elif kind == 0xC0:
        channel[_PROGRAM] = first
        channel[_SET], channel[FIRST] = 1, 0
    elif not channel[_BEGUN + channel[_PROGRAM]]:
        channel[_WAITS] = 1
    channel[_USED] = 1
    return True


@_compiled
def _walk(
    source: Bytes,
    span: tuple[int, int, int],
    target: Bytes,
    metas: Ints,
    counts: Ints,
    channels: Ints,
) -> tuple[int, int, int, int, int, int]:
    at, end, tick = span
    waiting = tick
    out = status = names = lyrics = 0
    interrupted = ended = False
    channels[:] = 0
    while at < end and not ended:
        begin = at
        error, delta, at = _read_number(source, at, end)
        if error:
            return error, at, delta, out, tick, waiting
        counts[LONG] += at - begin > 4
        tick += delta
        waiting += delta
        if tick > MAX_TICK:
            return TOO_LATE, at, tick, out, tick, waiting
        error, kind, start, length = _read_event(source, at, end, status)
        if error:
            return error, start, length, out, tick, waiting
        resumed = start == at
        at_event, at = at, start + length
        if kind >= _CHANNEL:
            status = kind - _CHANNEL
            counts[RESUMED] += resumed and interrupted
            interrupted = False
            counts[HIGH_BYTE] += (source[start] >> 7) + (length > 1 and source[at - 1] > 127)
            first, last = min(127, source[start]), min(127, source[at - 1])
            if not _follow_channel(status, first, last, channels, counts):
                continue
            state = channels[status & 0x0F]
            if status >= 0xC0 and status < 0xD0:
                metas[0, 0] += 1
                row = metas[metas[0, 0]]
                row[0], row[1], row[2], row[3] = tick, PROGRAM, status & 0x0F, first
            elif status >= 0x90 and status < 0xA0 and last and not (state[_SET] or state[FIRST]):
                state[FIRST] = tick + 1
            out = _write_wait(target, out, waiting)
            target[out], target[out + 1] = status, first
            out += 2
            if length > 1:
                target[out] = last
                out += 1
            waiting = 0
            continue
        interrupted = True
        if kind != SYSTEM:
            counts[LONG] += start - at_event > (5 if kind == SYSEX else 6)
        if kind == NAME or (kind == LYRIC and length > 0):
            names += kind == NAME
            lyrics += kind == LYRIC
            out = _write_wait(target, out, waiting)
            target[out], target[out + 1] = 0xFF, kind
            out = _write_text(target, out + 2, source[start:at])
            waiting = 0
        elif kind == MARKER or kind == TEMPO or kind == METER or kind == KEY:
            metas[0, 0] += 1
            row = metas[metas[0, 0]]
            row[0], row[1], row[2], row[3] = tick, kind, start, length
        elif kind == END:
            ended = True
        elif kind != LYRIC:
            counts[kind] += 1
    counts[NO_END] += not ended
    counts[BEHIND_END] += end - at
    counts[UNENDED] += channels[:, :SOUNDING].sum()
    if lyrics == 0 and not channels.any():
        counts[LOST_NAME] += names
    silent = not channels[:, _BEGUN:_PROGRAM].any()
    if lyrics and not channels.any():
        channels[0, _USED] = 1
    for channel in range(16):
        if channels[channel, _WAITS] or (silent and channels[channel, _USED]):
            # symusic makes a track where a note begins, and would drop controllers without one and
            # a part that is silent, and not say which chunk lyrics belong to. A note that never
            # ends makes a track and no note.
            target[out], target[out + 1], target[out + 2], target[out + 3] = 0, 0x90 | channel, 0, 1
            out += 4
    return 0, at, 0, out, tick, waiting


def walk_track(
    source: Bytes,
    span: tuple[int, int, int],
    target: Bytes,
    *,
    metas: Ints,
    counts: Ints,
    channels: Ints,
) -> tuple[int, int, int, int, int, int]:
    """Copy the events of a track that symusic is to read, each with its status byte.

    Parameters
    ----------
    source
        The bytes of the file.
    span
        Where the events begin and end, and the tick of the first's wait.
    target
        Where to write: twice the bytes of the track and ``TRACK_EXTRA``.
    metas
        Gets a row (tick, kind, start, length) of each event of the whole piece, and a row (tick,
        ``PROGRAM``, channel, program) of each program; its first row's first column is the number
        of rows.
    counts
        Shape (``KINDS``,): gets how many of each kind were met that are not copied or not in order.
    channels
        Shape ``CHANNEL_STATE``: gets the state of the channels at the end.

    Returns
    -------
    tuple
        Error or 0, the place where reading stopped, what is wrong there, the bytes written, the
        last tick, and how many ticks lie between the last event written and it.
    """
    for _ in range(64):
        try:
            return _walk(source, span, target, metas, counts, channels)
        except OSError:
            # The disk is full: numba has compiled one function more, for one kind of arguments, and
            # could not keep it.
            continue
    return _walk(source, span, target, metas, counts, channels)
