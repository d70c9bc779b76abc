"""Whatever people give as chords, read as a progression.

================================================  ================================================
``"| Am F | C |"``                                lead-sheet text: ``composer.theory.progression``
``["Am F", "C"]``, ``[["Am", "F"], ["C"]]``       a list of bars
``[(1, 1, "Am"), (1, 3, "F"), (2, 1, "C")]``      bar, beat and symbol; bars and beats count from 1,
                                                  beats in quarters
``song``                                          a ``Score``: its chord symbols, meters and keys
``"tune.txt"``, ``"song.mid"``, ``"a.musicxml"``  a file with a chart, or a score with chord symbols
================================================  ================================================

A text that ends like the name of such a file is one.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import Any

from composer._calls import shown
from composer.errors import RequestError, SymbolError
from composer.score.names import is_whole
from composer.score.score import Score
from composer.theory.chords import NO_CHORD, parse_chord
from composer.theory.keys import Key
from composer.theory.progression import Bar, Placed, Progression, parse_progression

#: A symbol on a beat of a bar, both counted from 1.
BeatChord = tuple[int, float, str]

#: What chords are given as.
ChordsLike = (
    str | os.PathLike[str] | Score | Sequence[str] | Sequence[Sequence[str]] | Sequence[BeatChord]
)

CHARTS, SCORES = (".txt", ".chart"), (".mid", ".midi", ".musicxml", ".mxl", ".xml")
MOST_BARS = 10_000
_FIT = 1e-6  # how far a beat given as a decimal may be from a fraction


def read_chords(
    chords: ChordsLike, key: Key | None = None, *, quarters: Callable[[int], Fraction] | None = None
) -> Progression:
    """Read chords from any source that the table above has.

    Parameters
    ----------
    chords
        The source.
    key
        Key that Roman numerals refer to.
    quarters
        Gives the length in quarters of each bar, from 0, that beats are counted in; 4 without it.

    Raises
    ------
    SymbolError
        A chord cannot be read; the message says where it stands.
    RequestError
        There are no chords, a file that cannot be one, or a beat that its bar does not have.

    Examples
    --------
    >>> [[chord.text for chord in bar] for bar in read_chords(["Am F", "C"]).bars]
    [['Am', 'F'], ['C']]
    >>> read = read_chords([(1, 1, "Am"), (2, 3, "F")])
    >>> [[(str(chord.start), chord.text) for chord in bar] for bar in read.bars]
    [[('0', 'Am')], [('0', 'Am'), ('1/2', 'F')]]
    """
    if isinstance(chords, Score):
        return _of_score(chords, "the score")
    if isinstance(chords, str | os.PathLike):
        path = Path(chords)
        suffix = path.suffix.lower()
        is_path = not isinstance(chords, str) or (
            suffix in CHARTS + SCORES and "\n" not in chords and "|" not in chords
        )
        return _of_file(path, suffix, key) if is_path else parse_progression(str(chords), key)
    rows: list[Any] = list(chords) if isinstance(chords, Sequence) else [chords]
    if not rows:
        raise RequestError("the list of chords is empty; write a bar at least, such as ['Am F']")
    if all(isinstance(row, str) for row in rows):
        return parse_progression(_as_text(rows), key)
    if all(_is_beat_chord(row) for row in rows):
        return Progression(_of_beats(rows, key, quarters or (lambda bar: Fraction(4))))
    if all(_is_bar(row) for row in rows):
        return parse_progression(_as_text([" ".join(row) for row in rows]), key)
    raise RequestError(
        f"chords such as {shown(rows[0])} cannot be read; give bars such as 'Am F', or (bar, beat, "
        f"symbol) such as (1, 3, 'F'), or the whole score for its chord symbols"
    )


def _as_text(bars: list[str]) -> str:
    for number, bar in enumerate(bars, 1):
        if not bar.strip() or "|" in bar:
            raise RequestError(
                f"bar {number} of the list is {bar!r}; write the chords of one bar, such as 'Am F'"
            )
    return " | ".join(bars) + " |"


def _is_beat_chord(row: Any) -> bool:
    if isinstance(row, str) or not isinstance(row, Sequence) or len(row) != 3:
        return False
    bar, beat, symbol = row
    return is_whole(bar) and isinstance(beat, Real) and _is_symbol(symbol)


def _is_bar(row: Any) -> bool:
    is_list = isinstance(row, Sequence) and not isinstance(row, str)
    return is_list and all(isinstance(symbol, str) for symbol in row)


def _is_symbol(symbol: Any) -> bool:
    return symbol is None or isinstance(symbol, str)


def _of_file(path: Path, suffix: str, key: Key | None) -> Progression:
    if suffix in SCORES:
        if suffix in (".mid", ".midi"):
            return _of_score(Score.read(path), str(path))
        from composer.interop.musicxml import read_parts
        from composer.interop.written import score_of

        parts = read_parts(path)
        # A chart's last chord is held over the measures of rests behind it.
        measures = max((len(part.measures) for part in parts), default=0)
        return _of_score(score_of(parts, 480), str(path), measures)
    if suffix not in CHARTS:
        known = ", ".join(CHARTS + SCORES)
        raise RequestError(f"{path} is not a file of chords; name one that ends in {known}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise RequestError(f"{path} cannot be read: {reason}; check the path") from error
    try:
        return parse_progression(text, key)
    except SymbolError as error:
        raise SymbolError(f"{path}: {error}") from None


def _of_score(score: Score, name: str, bars: int = 0) -> Progression:
    if not score.chords:
        raise RequestError(
            f"{name} has no chord symbols; read them from a track or from markers with "
            f"with_chords(track=...) or with_chords(markers=True), or find them in the notes with "
            f"composer.harmony.inference.infer_chords"
        )
    meter = score.meter
    count = meter.bars_until(max(score.end - score.tpq // 4, score.chords[-1].tick + 1))
    count = max(count, bars)
    rows = []
    for tick, text in score.chords:
        bar, position = (int(value) for value in meter.bar_and_position(tick))
        try:
            parse_chord(text)
        except SymbolError as error:
            raise SymbolError(f"in bar {bar + 1} of {name}: {error}") from None
        rows.append((bar, Fraction(position, int(meter.bar_length(bar))), text))
    keys = []
    for tick, sharps, minor in score.key_signatures.tolist():
        bar, position = (int(value) for value in meter.bar_and_position(tick))
        if bar < count:
            start = Fraction(position, int(meter.bar_length(bar)))
            keys.append((bar, start, Key.from_signature(sharps, bool(minor))))
    labels = [(int(meter.bar_and_position(tick)[0]), text) for tick, text in score.markers]
    signatures = [meter.signature_at(bar) for bar in range(count)]
    return Progression(
        _filled(rows, count),
        tuple((bar, text) for bar, text in labels if bar < count),
        tuple(keys),
        tuple((int(row["numerator"]), int(row["denominator"])) for row in signatures),
    )


def _of_beats(
    rows: list[BeatChord], key: Key | None, quarters: Callable[[int], Fraction]
) -> list[Bar]:
    placed = []
    for bar, beat, symbol in rows:
        if not 1 <= bar <= MOST_BARS:
            raise RequestError(
                f"bar {shown(bar)} of chord {symbol!r} is outside 1 to {MOST_BARS:,}; bars count "
                "from 1"
            )
        length = quarters(int(bar) - 1)
        exact = float(beat)
        exact = exact if math.isfinite(exact) else 0.0
        position = Fraction(exact).limit_denominator(96) - 1
        if not 0 <= position < length or abs(float(position + 1) - float(beat)) > _FIT:
            raise RequestError(
                f"chord {symbol!r} stands on beat {beat} of bar {bar}, which has beats 1 to "
                f"{float(length):g} in quarters; name one of them, or halves and thirds between"
            )
        text = NO_CHORD if symbol is None else symbol
        try:
            (only,) = parse_progression(f"| {text} |", key).bars
            (chord,) = only
        except ValueError as error:
            reason = str(error) if isinstance(error, SymbolError) else f"{text!r} is not one chord"
            reason = reason.removeprefix("at character 3, bar 1: ")
            raise SymbolError(f"on beat {beat:g} of bar {bar}: {reason}") from None
        placed.append((int(bar) - 1, position / length, chord.text))
    placed.sort(key=lambda row: row[:2])
    for row, after in itertools.pairwise(placed):
        if row[:2] == after[:2]:
            raise RequestError(
                f"chords {row[2]!r} and {after[2]!r} stand on one beat of bar {row[0] + 1}; "
                f"leave one out"
            )
    return _filled(placed, placed[-1][0] + 1)


def _filled(rows: list[tuple[int, Fraction, str]], count: int) -> list[Bar]:
    """Return bars of chords at places in order, each bar beginning with the one that holds."""
    bars: list[Bar] = [[] for _ in range(count)]
    for bar, start, text in rows:
        placed = Placed(start, parse_chord(text), text)
        if bars[bar] and bars[bar][-1].start == start:
            bars[bar].pop()  # of two at one place the last holds
        bars[bar].append(placed)
    holding = Placed(Fraction(0), None, NO_CHORD)
    for chords in bars:
        if not chords or chords[0].start:
            chords.insert(0, holding)
        holding = chords[-1]._replace(start=Fraction(0))
    return bars
