"""MIDI files broken at random, the same ones for the same seed, index and files."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from composer.example_tunes import FOLDER
from tests.midi_bytes import END, midi

MAX_SIZE = 200_000  # bytes; larger files take long and break in no other way
MAX_WAIT = bytes([0xFF, 0xFF, 0xFF, 0x7F])

#: What a byte, a length or a count is likely to break at.
EDGES = (0, 1, 2, 3, 5, 6, 7, 8, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0xC0, 0xE0, 0xF0, 0xF7, 0xFE, 0xFF)
WIDE_EDGES = (*EDGES, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
WAITS = (b"\0", b"\1", b"\x7f", b"\x81\0", b"\x87\x40", b"\xff\xff\x7f", b"\x84\x80\0", MAX_WAIT)
BAD_WAITS = (b"\x80\0", b"\x80\x80\x80\0", b"\x81\x80\x80\x80\0", b"\xff" * 5, b"\x80" * 4)
DIVISIONS = (0, 1, 2, 3, 7, 96, 480, 960, 0x7FFF, 0x8000, 0xE728, 0xE250, 0xE350, 0xE804, 0xFFFF)

#: Events that are odd, impossible or misplaced, without their waits.
ODD_EVENTS = (
    b"\xff\x51\x03\0\0\0",  # tempos of 0, of 1 microsecond, of the slowest, too short, too long
    b"\xff\x51\x03\0\0\1",
    b"\xff\x51\x03\xff\xff\xff",
    b"\xff\x51\x02\x07\xa1",
    b"\xff\x51\x04\x07\xa1\x20\0",
    b"\xff\x58\x04\x04\x21\x18\x08",  # meters over 2^33, 2^0, 2^15, 2^255, of 0 and 255 beats
    b"\xff\x58\x04\x01\0\x18\x08",
    b"\xff\x58\x04\x01\x0f\x18\x08",
    b"\xff\x58\x04\x03\xff\x18\x08",
    b"\xff\x58\x04\0\x02\x18\x08",
    b"\xff\x58\x04\xff\0\x18\x08",
    b"\xff\x58\x02\x03\x02",
    b"\xff\x58\0",
    b"\xff\x59\x02\xf8\0",  # keys of 8 flats, of 7 sharps, of no mode, of nothing
    b"\xff\x59\x02\x07\x01",
    b"\xff\x59\x02\0\x09",
    b"\xff\x59\0",
    b"\xff\x2f\0",
    b"\xff\x2f\x01\0",
    b"\xff\x03\x03a\xffb",
    b"\xff\x05\x02\xe9\x80",
    b"\xff\x06\x07chord:C",
    b"\xff\x06\x08chord:?!",
    b"\xff\x06\0",
    b"\xff\x7f\x83\x60" + bytes(480),
    b"\xff\x20\x01\x05",
    b"\xff\x60\0",
    b"\xff",
    b"\xf0\x03\x43\x12\0",
    b"\xf7\x02\x43\xf7",
    b"\xf0\0",
    b"\xf7\x03\x90\x3c\x40",
    b"\xf1\x01",
    b"\xf2\x01\x02",
    b"\xf4",
    b"\xf8",
    b"\xfe",
    b"\x90\x3c\x40",  # notes: without an end, without length, ended twice, high, on all channels
    b"\x90\x3c\x40\0\x90\x3c\0",
    b"\x90\x3c\x40\0\x80\x3c\x40\0\x80\x3c\x40",
    b"\x99\x7f\x7f\x01\x89\x7f\x7f",
    b"\x9f\0\x01",
    b"\x80\x3c\x40",
    b"\x90\x3c\xff",
    b"\x90\x80\x40",
    b"\xc0\x80",
    b"\xc9\x05",
    b"\xb0\x40\x7f",
    b"\xb0\x40\0",
    b"\xb5\x7b\0",
    b"\xe0\0\0",
    b"\xe0\x7f\x7f",
    b"\xa0\x3c\x05",
    b"\xd0\x05",
)


def made_here() -> list[bytes]:
    """Return files that show what the tunes do not: formats, clocks, channels, kinds of events."""
    note, running = b"\0\x90\x3c\x5a\x60\x80\x3c\0", b"\0\x90\x3c\x5a\x60\x3c\0"
    chord = b"\0\x90\x3c\x5a\0\x40\x5a\0\x43\x5a\x60\x3c\0\0\x40\0\0\x43\0"
    band = b"".join(
        bytes([0, 0xC0 | c, 5 * c, 0, 0xB0 | c, 7, 90, 0, 0x90 | c, 40 + c, 64, 48, 40 + c, 0])
        for c in range(16)
    )
    pedal = b"\0\xb0\x40\x7f" + note + b"\x10\xb0\x40\0\0\xe0\0\x50\0\xd0\x05\0\xa0\x3c\x05"
    metas = b"\0\xff\x03\x04Lead\0\xff\x51\x03\x07\xa1\x20\0\xff\x58\x04\x03\x02\x18\x08"
    metas += b"\0\xff\x59\x02\xfd\x01\0\xff\x06\x07chord:C\0\xff\x05\x02la"
    system = b"\0\xf0\x05\x7e\x7f\x09\x01\xf7\0\xf7\x02\xf3\x01\0\xf8\0\xff\x7f\x02\0\x41"
    overlap = b"\0\x90\x3c\x50\x20\x90\x3c\x60\x20\x80\x3c\0\x20\x80\x3c\0\0\x90\x3c\x50"
    far = MAX_WAIT + note[1:] + b"\x8f\xff\x7f\xff\x51\x03\x03\xd0\x90" + note
    return [
        midi(chord * 8 + END, form=0),
        midi(metas + END, band * 4 + END, pedal + running * 20 + END),
        midi(metas + note + END, system + running + END, overlap + END, form=2),
        midi(metas + band + END, note + END, division=0xE728),
        midi(metas + END, far + END, division=1),
        midi(*[metas + system + overlap + pedal + END] * 3, division=0x7FFF),
        midi(*[note + END] * 60),
        midi(),
    ]


def chunk(events: bytes, kind: bytes = b"MTrk") -> bytes:
    return kind + struct.pack(">I", len(events)) + events


def sources(folder: Path = FOLDER) -> list[bytes]:
    """Return what is broken: files made here, and those of a folder that are not too large."""
    found = [path.read_bytes() for path in sorted(folder.rglob("*.mid"))]
    return made_here() + [content for content in found if len(content) <= MAX_SIZE]


def mutated(seed: int, index: int, files: list[bytes]) -> bytes:
    """Return a file broken in one place or in a few."""
    rng = random.Random(f"{seed} {index}")
    content = rng.choice(files)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        content = rng.choice(MUTATIONS)(rng, content, files)[: 2 * MAX_SIZE]
    return content


Mutation = Callable[[random.Random, bytes, list[bytes]], bytes]
MUTATIONS: list[Mutation] = []


def mutation(function: Mutation) -> Mutation:
    MUTATIONS.append(function)
    return function


@mutation
def change_bytes(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(min(len(changed), rng.choice((1, 1, 2, 8)))):
        changed[rng.randrange(len(changed))] = rng.choice((rng.randrange(256), rng.choice(EDGES)))
    return bytes(changed)


@mutation
def flip_bit(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    changed = bytearray(content or b"\0")
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


@mutation
def cut_out(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    at = rng.randint(0, len(content))
    return content[:at] + content[at + rng.choice((1, 1, 2, 4, 8, 100)) :]


@mutation
def put_in(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    at = rng.randint(0, len(content))
    return content[:at] + rng.randbytes(rng.choice((1, 1, 2, 4, 100))) + content[at:]


@mutation
def repeat(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    at = rng.randint(0, len(content))
    piece = content[at : at + rng.choice((1, 4, 20, 500))]
    return content[:at] + piece * rng.choice((2, 2, 5, 100)) + content[at + len(piece) :]


@mutation
def truncate(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    return content[: rng.randint(0, len(content))]


@mutation
def splice_bytes(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    other = rng.choice(files)
    return content[: rng.randint(0, len(content))] + other[rng.randint(0, len(other)) :]


@mutation
def splice_tracks(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    other = rng.choice(files)
    places = [at for at in range(len(other)) if other.startswith(b"MTrk", at)] or [0]
    tracks = [other[a:b] for a, b in zip(places, [*places[1:], len(other)], strict=True)]
    own = content.find(b"MTrk")
    return content[:own] + b"".join(rng.sample(tracks, len(tracks))) + content[own:]


@mutation
def lie_about_a_length(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    places = [at for at in range(len(content)) if content[at : at + 4] in (b"MTrk", b"MThd")]
    if not places:
        return content
    at = rng.choice(places) + 4
    length = int.from_bytes(content[at : at + 4], "big")
    lie = rng.choice((length + rng.randint(-9, 9), rng.choice(WIDE_EDGES), length << 8))
    return content[:at] + struct.pack(">I", lie % 2**32) + content[at + 4 :]


@mutation
def change_header(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    at = rng.choice((8, 10, 12))
    values = {8: (0, 1, 2, 3, 0x100), 10: (0, 1, 2, 3, 100, 0xFFFF), 12: DIVISIONS}[at]
    return content[:at] + struct.pack(">H", rng.choice(values)) + content[at + 2 :]


@mutation
def wrap(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
    body = b"RMIDdata" + struct.pack("<I", len(content)) + content
    return rng.choice(
        (
            b"RIFF" + struct.pack("<I", len(body)) + body,
            bytes(128) + content,
            rng.randbytes(rng.randrange(300)) + content,
            content + rng.randbytes(rng.randrange(300)),
            content[:4] + b"\0\0\0\x08" + content[8:14] + b"\0\0" + content[14:],
            content[:14] + chunk(rng.randbytes(20), b"XFIH") + content[14:],
        )
    )


class Parts(NamedTuple):
    """A file taken apart."""

    head: bytes
    tracks: list[list[tuple[bytes, bytes]]]  # wait and event, the last one what cannot be read


def number_at(content: bytes, at: int) -> int:
    """Return where the variable-length number at a place ends."""
    while at < len(content) and content[at] >= 0x80:
        at += 1
    return at + 1


def take_apart(content: bytes) -> Parts:
    tracks = []
    at = content.find(b"MTrk") if b"MTrk" in content else len(content)
    head = content[:at]
    while at < len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "big")
        body, at = content[at + 8 : at + 8 + size], at + 8 + size
        events, place, status = [], 0, 0
        while place < len(body):
            start = number_at(body, place)
            byte = body[start] if start < len(body) else 0xFF
            status = byte if 0x80 <= byte < 0xF0 else status
            if byte >= 0xF0:
                length = start + 1 + (byte == 0xFF)
                end = number_at(body, length)
                value = 0
                for digit in body[length:end]:
                    value = value << 7 | digit & 0x7F
                end += value
            else:
                end = start + (byte >= 0x80) + (1 if status & 0xE0 == 0xC0 else 2)
            events.append((body[place:start], body[start:end]))
            place = end
        tracks.append(events)
    return Parts(head, tracks)


def put_together(parts: Parts) -> bytes:
    return parts.head + b"".join(
        chunk(b"".join(wait + event for wait, event in events)) for events in parts.tracks
    )


def at_events(change: Callable[[random.Random, list[tuple[bytes, bytes]]], None]) -> None:
    """Make a mutation of one that changes a track's list of events, of which there are some."""

    def mutate(rng: random.Random, content: bytes, files: list[bytes]) -> bytes:
        parts = take_apart(content)
        filled = [events for events in parts.tracks if events]
        if filled:
            change(rng, rng.choice(filled))
        return put_together(parts)

    MUTATIONS.append(mutate)


@at_events
def insert_event(rng: random.Random, events: list[tuple[bytes, bytes]]) -> None:
    for _ in range(rng.choice((1, 1, 3, 20))):
        odd = rng.choice(WAITS), rng.choice(ODD_EVENTS)
        events.insert(rng.randrange(len(events)), odd)


@at_events
def drop_events(rng: random.Random, events: list[tuple[bytes, bytes]]) -> None:
    at = rng.randrange(len(events))
    del events[at : at + rng.choice((1, 1, 1, 10))]


@at_events
def swap_events(rng: random.Random, events: list[tuple[bytes, bytes]]) -> None:
    first, second = rng.randrange(len(events)), rng.randrange(len(events))
    events[first], events[second] = events[second], events[first]


@at_events
def repeat_events(rng: random.Random, events: list[tuple[bytes, bytes]]) -> None:
    at = rng.randrange(len(events))
    events[at:at] = events[at : at + rng.choice((1, 5, 50))] * rng.choice((1, 2, 50))


@at_events
def change_wait(rng: random.Random, events: list[tuple[bytes, bytes]]) -> None:
    for _ in range(rng.choice((1, 1, 4))):
        at = rng.randrange(len(events))
        events[at] = rng.choice((*WAITS, rng.choice(BAD_WAITS))), events[at][1]


@at_events
def change_status(rng: random.Random, events: list[tuple[bytes, bytes]]) -> None:
    at = rng.randrange(len(events))
    status = bytes([rng.randrange(0x80, 0x100)])
    events[at] = events[at][0], status + events[at][1][1:]


@at_events
def drop_status(rng: random.Random, events: list[tuple[bytes, bytes]]) -> None:
    at = rng.randrange(len(events))
    events[at] = events[at][0], events[at][1][1:]
