"""What a written Standard MIDI File needs beyond symusic: the whole piece, and texts as bytes.

References
----------
Standard MIDI Files 1.0, MIDI Manufacturers Association, RP-001 (1996).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from composer.score.events import Text
from composer.score.score import Score
from composer.smf.text import encode_text
from composer.smf.walk import END, KEY, LYRIC, MARKER, MAX_DELTA, METER, NAME, TEMPO

#: Controllers that choose a bank of programs.
BANKS = (0, 32)

#: A tick, and an event's bytes from its status on.
Event = tuple[int, bytes]


def number(value: int) -> bytes:
    """Return a variable-length number of at most four bytes.

    >>> number(200).hex()
    '8148'
    """
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(0x80 | (value & 0x7F))
    return bytes(reversed(parts))


def wait(ticks: int) -> bytes:
    """Return the wait before an event; empty markers break one too long for one number."""
    breaks, rest = divmod(ticks, MAX_DELTA)
    return (number(MAX_DELTA) + bytes([0xFF, MARKER, 0])) * breaks + number(rest)


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

    Raises
    ------
    ScoreError
        A text has half a surrogate pair.
    """
    rows = [(0, NAME, encode_text(score.title))] if score.title else []
    for tick, numerator, denominator in score.time_signatures.tolist():
        # Last come MIDI clocks a click and 32nds a quarter, always the standard's own values.
        rows.append((tick, METER, bytes([numerator, denominator.bit_length() - 1, 24, 8])))
    for tick, sharps, minor in score.key_signatures.tolist():
        rows.append((tick, KEY, bytes([sharps % 256, minor])))
    for tick, mspq in score.tempos.tolist():
        rows.append((tick, TEMPO, mspq.to_bytes(3, "big")))
    rows += [(tick, MARKER, encode_text(text)) for tick, text in markers]
    rows.sort(key=lambda row: row[0])
    chunk, now = bytearray(), 0
    for tick, kind, value in [*rows, (rows[-1][0] if rows else 0, END, b"")]:
        chunk += wait(tick - now) + bytes([0xFF, kind]) + number(len(value)) + value
        now = tick
    (count,) = struct.unpack(">H", content[10:12])
    head = content[:8] + struct.pack(">HH", 1, count + 1) + content[12:14]
    return head + struct.pack(">4sI", b"MTrk", len(chunk)) + bytes(chunk) + content[14:]


def texts_as_bytes(events: list[Event]) -> list[Event]:
    """Return a track's events with its texts turned from UTF-8 into Latin-1.

    symusic takes Unicode only; bytes that are none are given to it as Latin-1, each byte a
    character, and this turns them back.
    """
    changed = []
    for tick, event in events:
        kind = event[1] if event[0] == 0xFF else None
        if kind == NAME or kind == LYRIC:
            length, at = _read_number(event, 2)
            value = event[at : at + length].decode().encode("latin-1")
            event = event[:2] + number(len(value)) + value
        changed.append((tick, event))
    return changed


def banks_ahead(events: list[Event]) -> list[Event]:
    """Return a track's events with each bank select before a program change, which it is for.

    symusic has the program first; synthesizers turn to the bank at the next program change.
    """
    program = next((event for _, event in events if event[0] & 0xF0 == 0xC0), b"")
    ticks = [tick for tick, event in events if _is_bank(event)]
    if not program or not ticks:
        return events
    changed: list[Event] = []
    for index, (tick, event) in enumerate(events):
        if event == program and tick in ticks:
            continue
        changed.append((tick, event))
        if _is_bank(event):
            behind = (other for at, other in events[index + 1 :] if at == tick)
            if not any(_is_bank(other) for other in behind):
                changed.append((tick, program))
    return changed


def _is_bank(event: bytes) -> bool:
    return event[0] & 0xF0 == 0xB0 and event[1] in BANKS


def change_tracks(content: bytes, change: Callable[[list[Event]], list[Event]]) -> bytes:
    """Return a file that ``symusic`` wrote with the events of each track changed."""
    file, at = bytearray(content[:14]), 14
    while at < len(content):
        end = at + 8 + int.from_bytes(content[at + 4 : at + 8], "big")
        chunk, now = bytearray(), 0
        for tick, event in change([*_events(content, at + 8, end)]):
            chunk += number(tick - now) + event
            now = tick
        file += struct.pack(">4sI", b"MTrk", len(chunk)) + chunk
        at = end
    return bytes(file)


def _events(content: bytes, at: int, end: int) -> Iterator[Event]:
    """Yield the events of a track that symusic wrote, each with its status."""
    status = tick = 0
    while at < end:
        delta, at = _read_number(content, at)
        tick += delta
        if content[at] >= 0x80:  # else running status
            status = content[at]
            at += 1
        start = at
        if status == 0xFF:  # symusic writes no system exclusives
            length, at = _read_number(content, at + 1)
            at += length
        else:
            at += 1 if status & 0xE0 == 0xC0 else 2
        yield tick, bytes([status]) + content[start:at]


def _read_number(content: bytes, at: int) -> tuple[int, int]:
    """Return the value and the next place of a variable-length number."""
    value = 0
    while True:
        value = (value << 7) | (content[at] & 0x7F)
        at += 1
        if content[at - 1] < 0x80:
            return value, at
