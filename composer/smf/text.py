"""Texts of MIDI files, whose encoding no file names: from bytes to ``str`` and back, none lost.

Conventions
-----------
Text is UTF-8. A byte ``b`` that is not (0x80 to 0xFF) becomes the private use character
``chr(0xEF00 + b)``, U+EF80 to U+EFFF, and that character is written as the byte. This is what
Python's ``surrogateescape`` does (PEP 383), but with characters that can be printed, put into JSON
and saved, which half a surrogate pair cannot. One of these characters that a file really holds is
taken as its three bytes, so that every file's bytes come back.

A reader who knows the encoding gets at the words with ``encode_text(text).decode("shift_jis")``.
"""

from __future__ import annotations

import re

from composer.errors import ScoreError

_BASE = 0xEF00
_RAW = re.compile("[\uef80-\uefff]")
_OF_ESCAPES = {0xDC00 + byte: _BASE + byte for byte in range(0x80, 0x100)}
_TO_ESCAPES = {raw: escape for escape, raw in _OF_ESCAPES.items()}


def decode_text(content: bytes) -> str:
    r"""Return bytes as text.

    >>> decode_text("Flöte".encode())
    'Flöte'
    >>> ascii(decode_text("Flöte".encode("latin-1")))
    "'Fl\\ueff6te'"
    """
    if content.isascii():
        return content.decode("ascii")
    text = content.decode(errors="surrogateescape")
    text = _RAW.sub(lambda raw: "".join(chr(_BASE + byte) for byte in raw[0].encode()), text)
    return text.translate(_OF_ESCAPES)


def encode_text(text: str) -> bytes:
    """Return a text as bytes.

    Raises
    ------
    ScoreError
        The text has half a surrogate pair.

    Examples
    --------
    >>> encode_text(decode_text("旋律".encode("shift_jis"))).decode("shift_jis")
    '旋律'
    """
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise ScoreError(f"the text {text!r} has half a surrogate pair; remove it") from None
    if not has_raw_bytes(text):
        return content
    return text.translate(_TO_ESCAPES).encode(errors="surrogateescape")


def has_raw_bytes(text: str) -> bool:
    """Return whether a text stands for bytes that are no UTF-8."""
    return not text.isascii() and _RAW.search(text) is not None
