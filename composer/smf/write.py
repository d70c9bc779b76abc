"""What a written Standard MIDI File needs beyond symusic: the whole piece, and texts as bytes.

References
----------
Standard MIDI Files 1.0, MIDI Manufacturers Association, RP-001 (1996).
"""

from __future__ import annotations

import struct

from composer.score.events import Text
from composer.score.score import Score
from composer.smf.text import encode_text
from composer.smf.walk import END, KEY, LYRIC, MARKER, MAX_DELTA, METER, NAME, TEMPO


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
    rows: list[tuple[int, int, bytes]] = []
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


def texts_as_bytes(content: bytes) -> bytes:
    """Return a file that ``symusic`` wrote with its texts turned from UTF-8 into Latin-1.

    symusic takes Unicode only; bytes that are none are given to it as Latin-1, each byte a
    character, and this turns them back.
    """
    file, at = bytearray(content[:14]), 14
    while at < len(content):
        end = at + 8 + int.from_bytes(content[at + 4 : at + 8], "big")
        at += 8
        status, chunk = 0, bytearray()
        while at < end:
            start = at
            _, at = _read_number(content, at)
            if content[at] >= 0x80:  # else running status
                status = content[at]
                at += 1
            if status != 0xFF:  # symusic writes no system exclusives
                at += 1 if status & 0xE0 == 0xC0 else 2
                chunk += content[start:at]
                continue
            kind = content[at]
            chunk += content[start : at + 1]
            length, at = _read_number(content, at + 1)
            value = content[at : at + length]
            if kind == NAME or kind == LYRIC:
                value = value.decode().encode("latin-1")
            chunk += number(len(value)) + value
            at += length
        file += struct.pack(">4sI", b"MTrk", len(chunk)) + chunk
    return bytes(file)


def _read_number(content: bytes, at: int) -> tuple[int, int]:
    """Return the value and the next place of a variable-length number."""
    value = 0
    while True:
        value = (value << 7) | (content[at] & 0x7F)
        at += 1
        if content[at - 1] < 0x80:
            return value, at
