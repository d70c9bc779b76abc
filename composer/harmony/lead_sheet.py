"""A chart to write on: bars in a key, meter and tempo, with the chords of a text or of a score."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Integral, Real

import numpy as np

from composer.errors import RequestError
from composer.harmony.inference import infer_key
from composer.harmony.sources import ChordsLike, read_chords
from composer.harmony.voicing import block_chords
from composer.score.beats import shared_out
from composer.score.events import (
    KEY_SIGNATURE,
    TEMPO,
    TIME_SIGNATURE,
    Text,
    microseconds_per_quarter,
)
from composer.score.score import Score, Track
from composer.theory.keys import Key
from composer.theory.meters import parse_meter
from composer.theory.progression import Progression

TPQ = 480
USUAL_BARS = 8
MOST_BARS = 1000
SLOWEST, FASTEST = 20, 320  # quarter notes a minute
USUAL_METER, USUAL_TEMPO = "4/4", 110.0


def chart(
    chords: ChordsLike | None,
    *,
    key: str | None,
    meter: str | None,
    tempo: float | None,
    bars: int | None,
) -> tuple[Score, Key, int]:
    """Return a score without tracks, its key, and its number of bars.

    Parameters
    ----------
    chords
        Any chords that `read_chords` reads, repeated until the bars are full; None for none.
    key
        Key; without it the one that the chords begin in, if they say so, or suggest, or C major.
    meter
        Time signature; the chords' own without it, or 4/4. Of chords in a text those bars that name
        a meter have it in any case.
    tempo
        Quarter notes a minute; those of a score of chords without it, or 110.
    bars
        Number of bars; as many as the chords have without it, or 8.

    Returns
    -------
    score
        With chords as they were written, names of sections as markers, and all keys and meters.
    key
        The home key.
    bars
        How many there are.

    Raises
    ------
    RequestError
        Fewer bars than the chords have, a number of bars or a tempo out of range, or a key that is
        not the one the chords begin in.
    SymbolError
        A key, a meter or a chord that cannot be read.
    """
    if tempo is not None and not (isinstance(tempo, Real) and SLOWEST <= tempo <= FASTEST):
        raise RequestError(f"tempo {tempo!r} bpm is outside {SLOWEST} to {FASTEST}")
    is_count = isinstance(bars, Integral) and not isinstance(bars, bool)
    if bars is not None and not (is_count and 1 <= bars <= MOST_BARS):
        raise RequestError(f"bars {bars!r} is outside 1 to {MOST_BARS}; give how many to write")
    usual = parse_meter(meter or USUAL_METER)
    home = Key.parse(key) if key else None
    length = Fraction(4 * usual[0], usual[1])
    progression = (
        Progression([])
        if chords is None
        else read_chords(chords, home, quarters=lambda bar: length)
    )
    if home and progression.key and home != progression.key:
        raise RequestError(
            f"key {home.name} is not {progression.key.name}, which the chords begin in; leave it "
            f"out or change it in the chords"
        )
    count = bars or len(progression.bars) or USUAL_BARS
    home = home or progression.key or _key_of(progression)
    own_meters = progression.meters if meter is None or not isinstance(chords, Score) else ()
    signatures, mspq = _signatures(own_meters, usual, count), microseconds_per_quarter
    score = Score(
        tpq=TPQ,
        tempos=np.array([(0, mspq(tempo or USUAL_TEMPO))], TEMPO),
        time_signatures=np.array(signatures, TIME_SIGNATURE),
    )
    if isinstance(chords, Score) and tempo is None and len(chords.tempos):
        scaled = chords.tempos.copy()
        scaled["tick"] = scaled["tick"] * TPQ // chords.tpq
        score = score.replace(tempos=scaled)
    score = score.replace(key_signatures=_keys(progression, home, score, count))
    if progression.bars:
        score = score.replace(
            chords=_texts(progression, score, count), markers=_markers(progression, score, count)
        )
    return score, home, count


def key_named(chords: ChordsLike | None, key: str | None) -> str | None:
    """Return the key that chords begin in by their own account, or else the one given."""
    own = None if chords is None else read_chords(chords, Key.parse(key) if key else None).key
    return own.name if own else key


def chord_texts(chords: ChordsLike, key: Key, score: Score, bars: int) -> tuple[Text, ...]:
    """Return the chord symbols of any chords over the bars of a score, repeated until it is full.

    Parameters
    ----------
    chords
        Any chords that `read_chords` reads. A text of fewer bars than the score begins behind a
        pickup, a first bar shorter than the second, which has the first of its chords.
    key
        Key that Roman numerals refer to.
    score
        The score.
    bars
        How many bars it has.

    Raises
    ------
    RequestError
        The chords have more bars than the score.
    SymbolError
        A chord that cannot be read.
    """
    meter = score.meter
    short, full = (int(meter.bar_length(bar)) for bar in range(2))

    def read(behind: int) -> Progression:
        def quarters(bar: int) -> Fraction:
            return Fraction(int(meter.bar_length(bar + behind)), score.tpq)

        return read_chords(chords, key, quarters=quarters)

    progression = read(0)
    if isinstance(chords, str) and short < full and len(progression.bars) < bars:
        return _texts(read(1), score, bars, pickup=1)
    return _texts(progression, score, bars)


def _texts(progression: Progression, score: Score, bars: int, pickup: int = 0) -> tuple[Text, ...]:
    played = progression.bars
    if len(played) > bars:
        raise RequestError(
            f"the chords have {len(played)} bars, more than the {bars} to write; "
            f"leave some out or ask for more bars"
        )
    ahead = [Text(0, played[0][0][2])][:pickup]
    return tuple(ahead) + tuple(
        Text(_tick(score, bar, start, _shares(progression, (bar - pickup) % len(played))), text)
        for bar in range(pickup, bars)
        for start, _, text in played[(bar - pickup) % len(played)]
    )


def _shares(progression: Progression, bar: int) -> int:
    """Return how many shares a bar is written with; 0 where its chords say where they begin."""
    if not progression.in_beats:
        return 0
    keys = [share for at, share, _ in progression.keys if at == bar]
    starts = [chord.start for chord in progression.bars[bar]]
    return math.lcm(*(start.denominator for start in starts + keys))


def _tick(score: Score, bar: int, start: Fraction, shares: int = 0) -> int:
    """Return the tick of a fraction of a bar; of a share where it is written with shares."""
    first, length = score.meter.bar_start(bar), score.meter.bar_length(bar)
    signature = score.meter.signature_at(bar)
    meter = int(signature["numerator"]), int(signature["denominator"])
    if shares and length == Fraction(4 * score.tpq * meter[0], meter[1]):  # no cut bar, no pickup
        start = shared_out(*meter, shares)[int(start * shares)]
    return int(first) + round(start * int(length))


def _markers(progression: Progression, score: Score, bars: int) -> tuple[Text, ...]:
    length = len(progression.bars)
    return tuple(
        Text(_tick(score, first + bar, Fraction(0)), label)
        for first in range(0, bars, length)
        for bar, label in progression.labels
        if first + bar < bars
    )


def _signatures(
    meters: tuple[tuple[int, int] | None, ...], usual: tuple[int, int], bars: int
) -> list[tuple[int, int, int]]:
    """Return the time signatures of bars, at ticks, where they change."""
    rows: list[tuple[int, int, int]] = []
    tick = 0
    for bar in range(bars):
        meter = (meters[bar % len(meters)] if meters else None) or usual
        if not rows or rows[-1][1:] != meter:
            rows.append((tick, *meter))
        tick += 4 * TPQ * meter[0] // meter[1]
    return rows


def _keys(progression: Progression, home: Key, score: Score, bars: int) -> np.ndarray:
    """Return the key signatures of bars, where they change."""
    length = len(progression.bars) or bars
    rows: list[tuple[int, int, int]] = []
    for first in range(0, bars, length):
        for bar, share, key in ((0, Fraction(0), home), *progression.keys):
            shares = _shares(progression, bar) if progression.bars else 0
            tick = _tick(score, first + bar, share, shares)
            rows = [row for row in rows if row[0] < tick]
            if first + bar < bars and (not rows or rows[-1][1:] != (key.sharps, key.is_minor)):
                rows.append((tick, key.sharps, key.is_minor))
    return np.array(rows, KEY_SIGNATURE)


def _key_of(progression: Progression) -> Key:
    """Return the key that chords suggest before they name one, sounded as 4/4; C major if none."""
    until = progression.keys[0][:2] if progression.keys else (len(progression.bars), Fraction(0))
    flat = [
        (round((bar + share) * 4 * TPQ), chord)
        for bar, chords in enumerate(progression.bars)
        for share, chord, _ in chords
        if (bar, share) < until
    ]
    notes = block_chords(flat, round((until[0] + until[1]) * 4 * TPQ))
    return infer_key(Score(tpq=TPQ, tracks=(Track(notes=notes),)))
