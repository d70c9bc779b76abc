"""The chunks of a Standard MIDI File: where its tracks lie, whatever stands around them.

References
----------
Standard MIDI Files 1.0, MIDI Manufacturers Association, RP-001 (1996); RMID, RP-029 (2000).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from composer.errors import MidiError

#: How far from a file's begin its header is looked for; a MacBinary wrapper has 128 bytes.
MAX_JUNK = 256

MAX_TRACKS = 2**16 - 1

#: Frames a second in the header -> in truth, as a fraction; 29 stands for NTSC's drop frames. The
#: standard has no others, and where a file has, they are taken at their word.
FRAME_RATES = {24: (24, 1), 25: (25, 1), 29: (30_000, 1001), 30: (30, 1)}


class Layout(NamedTuple):
    """Where things lie in a file."""

    form: int  # as the header says; above 2 it counts as 1
    tpq: int
    mspq: int  # microseconds a quarter, where ticks are parts of a second; else 0
    tracks: list[tuple[int, int]]  # start and end of each track's events
    chunks: int  # how many are not tracks
    repairs: list[str]  # what was not as it ought to be


def find_tracks(source: bytes, name: str) -> Layout:
    """Return where the tracks of a file lie.

    Raises
    ------
    MidiError
        The bytes are no MIDI file, or one whose chunks are cut short.
    """
    if len(source) == 0:
        raise MidiError(f"{name} is empty; a MIDI file has 14 bytes at least")
    repairs: list[str] = []
    begin, stop = _unwrap(source, name, repairs)
    if stop - begin < 14:
        size = stop - begin
        raise MidiError(f"{name} is cut short: its header needs 14 bytes, and it has {size}")
    header, form, count, division = struct.unpack(">IHHH", source[begin + 4 : begin + 14])
    room = stop - begin - 8
    if header < 6 or header > room:
        raise MidiError(f"{name} says that its header has {header} bytes; 6 to {room} are possible")
    if header > 6:
        repairs.append(f"header of {header} bytes read as one of 6")
    if form > 2:
        repairs.append(f"format {form}, which there is not, read as format 1")
    tpq, mspq = _resolution(division, name)
    if mspq:
        frames = 256 - (division >> 8)
        unknown = "" if frames in FRAME_RATES else f" of {frames} frames a second"
        clock = f"{tpq} ticks a quarter at {60e6 / mspq:.5g} bpm"
        repairs.append(f"SMPTE time{unknown} read as {clock}")
    tracks, chunks, end = _walk_chunks(source, begin + 8 + header, stop, count, name)
    if len(tracks) > MAX_TRACKS:
        raise MidiError(f"{name} has {len(tracks)} tracks; {MAX_TRACKS} are possible, split it")
    if stop > end:
        more = " of which the header knows" if source[end : end + 4] == b"MTrk" else ""
        repairs.append(f"{stop - end} bytes after the last track{more} skipped")
    if len(tracks) != count:
        repairs.append(f"{len(tracks)} tracks read where the header says {count}")
    if form == 0 and len(tracks) > 1:
        repairs.append("format 0 with more than one track read as format 1")
    if form == 2:
        repairs.append("format 2 read as patterns side by side")
    return Layout(form, tpq, mspq, tracks, chunks, repairs)


def _unwrap(source: bytes, name: str, repairs: list[str]) -> tuple[int, int]:
    """Return where the file inside begins and ends."""
    begin, stop = 0, len(source)
    if source[:4] == b"RIFF" and source[8:12] == b"RMID":
        begin, stop = _unwrap_riff(source, name)
        repairs.append("RIFF wrapper taken off")
    junk = source[begin : min(stop, begin + MAX_JUNK + 4)].find(b"MThd")
    if junk < 0:
        head = source[begin : begin + 4]
        raise MidiError(f"{name} is no MIDI file: it begins with {head!r}, not b'MThd'")
    if junk:
        repairs.append(f"{junk} bytes before the header skipped")
    return begin + junk, stop


def _unwrap_riff(source: bytes, name: str) -> tuple[int, int]:
    """Return where the first ``data`` of a RIFF file begins and ends."""
    size, left = int.from_bytes(source[4:8], "little"), len(source) - 8
    if size > left:
        raise MidiError(f"{name} is cut short: its RIFF wrapper says {size} bytes, {left} are left")
    at = 12
    while len(source) - at >= 8:
        kind, size = source[at : at + 4], int.from_bytes(source[at + 4 : at + 8], "little")
        left = len(source) - at - 8
        if size > left:
            what = f"the RIFF chunk {kind!r} says {size} bytes, {left} are left"
            raise MidiError(f"{name} is cut short: {what}")
        if kind == b"data":
            return at + 8, at + 8 + size
        at += 8 + size + size % 2
    raise MidiError(f"{name} is no MIDI file: its RIFF wrapper has no chunk b'data'")


def _resolution(division: int, name: str) -> tuple[int, int]:
    """Return ticks a quarter, and microseconds a quarter if the header fixes them, else 0."""
    if division == 0:
        raise MidiError(f"{name} has 0 ticks per quarter; 1 to 32767 are possible")
    if division < 0x8000:
        return division, 0
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if ticks == 0:
        raise MidiError(f"{name} has 0 ticks a frame; 1 to 255 are possible")
    above, below = FRAME_RATES.get(frames, (frames, 1))
    nominal = -(-above // below) * ticks  # ticks a second, 30 frames for NTSC's 29.97
    # A quarter is half a second, or the whole of it where the half has no whole number of ticks.
    tpq = nominal if nominal % 2 else nominal // 2
    return tpq, 1_000_000 * tpq * below // (above * ticks)


def _walk_chunks(
    source: bytes, at: int, stop: int, count: int, name: str
) -> tuple[list[tuple[int, int]], int, int]:
    """Return the tracks, how many there are of other chunks, and where the chunks end."""
    tracks: list[tuple[int, int]] = []
    chunks = 0
    while stop - at >= 8:
        kind, length = source[at : at + 4], int.from_bytes(source[at + 4 : at + 8], "big")
        left = stop - at - 8
        if kind == b"MTrk" and 0 < count <= len(tracks):
            break  # no reader looks for more tracks than the header counts
        if length > left:
            if len(tracks) >= count and kind != b"MTrk":
                break  # padding, which some writers leave
            what = f"track {len(tracks) + 1}" if kind == b"MTrk" else f"the chunk {kind!r}"
            raise MidiError(f"{name} is cut short: {what} says {length} bytes, {left} are left")
        if kind == b"MTrk":
            tracks.append((at + 8, at + 8 + length))
        elif len(tracks) >= count and kind in (bytes(4), b"MThd"):
            break  # padding too, or another file
        else:
            chunks += 1
        at += 8 + length
    if len(tracks) < count and (stop > at or not tracks):
        raise MidiError(
            f"{name} is cut short: {stop - at} bytes are left for track {len(tracks) + 1} "
            f"of {count}"
        )
    return tracks, chunks, at
