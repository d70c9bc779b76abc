"""A chart to write on: bars in a key, meter and tempo, with the chords of a text."""

from __future__ import annotations

import numpy as np

from composer.errors import RequestError
from composer.harmony import infer_key
from composer.progression import Bar, parse_progression
from composer.score import (
    KEY_SIGNATURE,
    TEMPO,
    TIME_SIGNATURE,
    Score,
    Text,
    Track,
    microseconds_per_quarter,
)
from composer.theory import Key, chord_symbol, parse_meter
from composer.voicing import block_chords

TPQ = 480
USUAL_BARS = 8
MOST_BARS = 1000
SLOWEST, FASTEST = 20, 320  # quarter notes a minute


def chart(
    chords: str | None, *, key: str | None, meter: str, tempo: float, bars: int | None
) -> tuple[Score, Key, int]:
    """Return a score without tracks, its key, and its number of bars.

    Parameters
    ----------
    chords
        Lead-sheet text, repeated until the bars are full; None for no chords.
    key
        Key; the one the chords suggest without it, or C major.
    meter
        Time signature.
    tempo
        Quarter notes a minute.
    bars
        Number of bars; as many as the text has without it, or 8.

    Raises
    ------
    RequestError
        Fewer bars than the chords have, or a number of bars or a tempo out of range.
    """
    if not SLOWEST <= tempo <= FASTEST:
        raise RequestError(f"tempo {tempo} bpm is outside {SLOWEST} to {FASTEST}")
    if bars is not None and not 1 <= bars <= MOST_BARS:
        raise RequestError(f"bars {bars} is outside 1 to {MOST_BARS}")
    numerator, denominator = parse_meter(meter)
    home = Key.parse(key) if key else None
    progression = [] if chords is None else parse_progression(chords, home)
    count = bars or len(progression) or USUAL_BARS
    score = Score(
        tpq=TPQ,
        tempos=np.array([(0, microseconds_per_quarter(tempo))], TEMPO),
        time_signatures=np.array([(0, numerator, denominator)], TIME_SIGNATURE),
    )
    home = home or _key_of(progression)
    signature = np.array([(0, home.sharps, home.mode == "minor")], KEY_SIGNATURE)
    score = score.replace(key_signatures=signature)
    if progression:
        score = score.replace(chords=_texts(progression, home, score, count))
    return score, home, count


def chord_texts(chords: str, key: Key, score: Score, bars: int) -> tuple[Text, ...]:
    """Return the chord symbols of a lead-sheet text over the bars of a score.

    Raises
    ------
    RequestError
        The text has more bars than the score.
    """
    return _texts(parse_progression(chords, key), key, score, bars)


def _texts(progression: list[Bar], key: Key, score: Score, bars: int) -> tuple[Text, ...]:
    if len(progression) > bars:
        raise RequestError(
            f"the chords have {len(progression)} bars, more than the {bars} to write; "
            f"leave some out or ask for more bars"
        )
    meter = score.meter
    texts = []
    for bar in range(bars):
        start, length = int(meter.bar_start(bar)), int(meter.bar_length(bar))
        for share, chord in progression[bar % len(progression)]:
            texts.append(Text(start + round(share * length), chord_symbol(chord, key)))
    return tuple(texts)


def _key_of(progression: list[Bar]) -> Key:
    """Return the key that chords suggest, sounded as 4/4; C major without any."""
    flat = [
        (round((bar + share) * 4 * TPQ), chord)
        for bar, chords in enumerate(progression)
        for share, chord in chords
    ]
    notes = block_chords(flat, 4 * TPQ * len(progression))
    return infer_key(Score(tpq=TPQ, tracks=(Track(notes=notes),)))
