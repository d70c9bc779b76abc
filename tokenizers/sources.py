"""What a tokenizer takes for a score: files, and the objects of other libraries."""

from __future__ import annotations

import os
from typing import Any

from composer.errors import TokenError
from composer.score.score import Score

#: Libraries whose scores are taken, by the name they are imported under.
_LIBRARIES = ("symusic", "pretty_midi", "miditoolkit", "music21")


def as_score(source: Any) -> Score:
    """Return a score: of a path, the bytes or the stream of a MIDI file, or another library's.

    Raises
    ------
    TokenError
        The source is not one of these.
    MidiError
        The file cannot be read.
    """
    if isinstance(source, Score):
        return source
    if isinstance(source, (str, os.PathLike, bytes)) or hasattr(source, "read"):
        return Score.read(source)
    for base in type(source).__mro__:
        library = base.__module__.partition(".")[0]
        if library in _LIBRARIES:
            from composer import interop

            score: Score = getattr(interop, f"from_{library}")(source)
            return score
    raise TokenError(
        f"a {type(source).__name__} is not a score; give a Score, a MIDI file, or an object of "
        f"{', '.join(_LIBRARIES)}"
    )
