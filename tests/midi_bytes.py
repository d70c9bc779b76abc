"""Standard MIDI Files made byte by byte."""

import struct

END = bytes([0, 0xFF, 0x2F, 0])
NOTE = bytes([0, 0x90, 60, 90, 96, 0x80, 60, 0])


def midi(*tracks, form=1, count=None, division=480):
    """Return a file of these tracks' events."""
    count = len(tracks) if count is None else count
    head = struct.pack(">4sIHHH", b"MThd", 6, form, count, division)
    return head + b"".join(struct.pack(">4sI", b"MTrk", len(events)) + events for events in tracks)


def meta(kind, content):
    return bytes([0, 0xFF, kind, len(content)]) + content
