r"""Lyrics of karaoke files (``.kar``), which write their words as plain text events.

In them a chunk called "Soft karaoke" holds texts about the file, such as ``@KMIDI KARAOKE FILE``,
and a chunk called "Words" the title (``@T``), the language (``@L``) and the syllables; ``\`` begins
a paragraph and ``/`` a line, spaces end words.

References
----------
Tune 1000 (1995). *Soft Karaoke* file format, as players of ``.kar`` files read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from composer.score.events import Text


def lyrics_among(
    texts: Iterable[tuple[int, Text]], names: Mapping[int, str]
) -> dict[int, list[Text]]:
    """Return the syllables of each chunk that sings; none in a file that is not karaoke.

    Parameters
    ----------
    texts
        The text events of a file in order, each with its chunk.
    names
        The name of each chunk that has one.

    Examples
    --------
    >>> head = [(0, Text(0, "@KMIDI KARAOKE FILE"))]
    >>> words = [(1, Text(tick, text)) for tick, text in enumerate(["@TSong", "/Hel", "lo "])]
    >>> [text for _, text in lyrics_among(head + words, {1: "Words"})[1]]
    ['/Hel', 'lo ']
    >>> lyrics_among(words, {1: "Remarks"})
    {}
    """
    chunks: dict[int, list[Text]] = {}
    is_karaoke = False
    for chunk, text in texts:
        is_karaoke |= text.text.upper().startswith("@KMIDI")
        if text.text and not text.text.startswith("@"):
            chunks.setdefault(chunk, []).append(text)
    sung = {chunk for chunk in chunks if names.get(chunk, "").strip().lower() == "words"}
    if not sung and is_karaoke:
        sung = {chunk for chunk, said in chunks.items() if any(t.text[0] in "/\\" for t in said)}
    return {chunk: said for chunk, said in chunks.items() if chunk in sung}
