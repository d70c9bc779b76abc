"""Chord symbols among the text events of a file, where nobody would read them as anything else.

Notation programs and DAWs write chords as plain text events. So do karaoke files their syllables
("Do", "A"), and others their rehearsal marks ("A", "B"). Texts are taken for chords in one chunk
alone: where nearly all of its texts can be read so, and enough of them say more than a letter.
"""

from __future__ import annotations

from collections.abc import Iterable

from composer.score.events import Text
from composer.theory.chords import is_chord

_LEAST = 4  # texts
_READABLE = 10  # of so many texts of a chunk one may be no chord
_MORE_THAN_A_LETTER = 0.25  # the share of these that are none of "A" to "G", at least


def chords_among(texts: Iterable[tuple[int, Text]]) -> tuple[Text, ...]:
    """Return the chord symbols of the chunk that has most of them; none where nothing is sure.

    Parameters
    ----------
    texts
        The text events of a file in order, each with its chunk.

    Examples
    --------
    >>> song = [Text(480 * beat, text) for beat, text in enumerate(["Am", "F", "C", "G7/B"])]
    >>> chords_among((0, text) for text in song) == (*song,)
    True
    >>> chords_among((0, Text(tick, letter)) for tick, letter in enumerate("ABAC"))
    ()
    """
    chunks: dict[int, list[Text]] = {}
    for chunk, (tick, text) in texts:
        chunks.setdefault(chunk, []).append(Text(tick, text.strip()))
    found = (_symbols(of_chunk) for of_chunk in chunks.values())
    return max(found, key=len, default=())


def _symbols(texts: list[Text]) -> tuple[Text, ...]:
    symbols: list[Text] = []
    for place, text in enumerate(texts):
        if text.text[:1] in tuple("ABCDEFGNn") and is_chord(text.text):
            symbols.append(text)
        elif (place + 1 - len(symbols)) * _READABLE > len(texts):
            return ()
    more = sum(len(text) > 1 for _, text in symbols)
    is_sure = len(symbols) >= _LEAST and more >= _MORE_THAN_A_LETTER * len(symbols)
    return tuple(symbols) if is_sure else ()
