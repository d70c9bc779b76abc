"""What the conversions share: rows, tables of notes, lyrics and a look at what was given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from composer._calls import shown
from composer.errors import ScoreError
from composer.score.events import NOTE, Events, Text
from composer.score.meter import Meter
from composer.score.score import Score, Track


def check_score(given: object, call: str) -> None:
    """Refuse what is not a score.

    Raises
    ------
    ScoreError
        It is not.
    """
    if not isinstance(given, Score):
        raise ScoreError(
            f"{call} was given {shown(given)}, which is not a score; give a Score, for example "
            "Score.read('song.mid')"
        )


def check_other(given: object, names: tuple[str, ...], call: str, example: str) -> None:
    """Refuse what has not all attributes of another library's object.

    Raises
    ------
    ScoreError
        One is missing.
    """
    if not all(hasattr(given, name) for name in names):
        raise ScoreError(f"{call} was given {shown(given)}; give a {example}")


def table_rows(rows: Iterable[tuple[Any, ...]]) -> Any:
    """Return rows for a score to make a table of."""
    return list(rows)


def note_table(starts: Any, ends: Any, pitches: Any, velocities: Any) -> Events:
    """Return columns as a table of notes."""
    notes = np.empty(len(starts), NOTE)
    notes["onset"], notes["duration"] = starts, np.subtract(ends, starts)
    notes["pitch"], notes["velocity"] = pitches, velocities
    return notes


def timed(table: Events, meter: Meter) -> Iterable[tuple[Any, float]]:
    """Return the rows of a table with their times in seconds."""
    first = (table.dtype.names or ())[0]  # onset or tick
    return zip(table.tolist(), meter.seconds(table[first]).tolist(), strict=True)


def with_lyrics(tracks: list[Track], lyrics: list[Text]) -> tuple[Track, ...]:
    """Return tracks, the first one with the lyrics."""
    if lyrics:
        tracks = tracks or [Track()]
        tracks[0] = tracks[0].replace(lyrics=tuple(lyrics))
    return tuple(tracks)
