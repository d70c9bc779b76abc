"""Beats, strong beats and where beats stand on the grid.

Conventions
-----------
Beats count from 1 in quarter notes, whatever the meter: in 6/8 the second half of a bar begins at
2.5. A position is a twelfth of a quarter note.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from numbers import Real

import numpy as np
import numpy.typing as npt

from composer._calls import shown
from composer.errors import RequestError
from composer.score.grid import RESOLUTION

#: Beats counted from 1, in quarters: ``1.5`` is the eighth after the first.
Beats = Iterable[float | Fraction]


_OFF_GRID = 0.05  # of a position: so 1.33 is read as a third


def listed_beats(beats: Beats) -> tuple[float | Fraction, ...]:
    """Return beats as a tuple.

    Raises
    ------
    RequestError
        They are not a list, or one is not on the grid.
    """
    if isinstance(beats, str) or not isinstance(beats, Iterable):
        raise RequestError(f"beats {shown(beats)} are not a list; for example [1, 3]")
    found = tuple(beats)
    for beat in found:
        beat_position(beat)
    return found


def beat_position(beat: float | Fraction) -> int:
    """Return the position of a beat in its bar.

    Raises
    ------
    RequestError
        It is not on the grid.
    """
    if not isinstance(beat, Real) or isinstance(beat, bool):
        raise RequestError(f"beat {beat!r} is not a number; beats count from 1 in quarters")
    exact = (float(beat) - 1) * RESOLUTION
    position = round(exact) if math.isfinite(exact) else -1
    if position < 0 or abs(exact - position) > _OFF_GRID:
        raise RequestError(
            f"beat {beat} is not on the grid; beats count from 1 in quarters, with halves, thirds, "
            "quarters, sixths and twelfths of them"
        )
    return position


def beat_length(numerator: int, denominator: int) -> int:
    """Return the positions of a beat: a dotted note in compound meters.

    >>> beat_length(4, 4), beat_length(6, 8), beat_length(3, 8), beat_length(2, 2)
    (12, 18, 6, 24)
    """
    unit = 4 * RESOLUTION // denominator
    return 3 * unit if is_compound(numerator, denominator) else unit


def is_compound(numerator: int, denominator: int) -> bool:
    """Return whether a meter is counted in dotted notes: 6/8, 9/8 and 12/8, but not 3/8."""
    return denominator >= 8 and numerator % 3 == 0 and numerator > 3


def chord_positions(numerator: int, denominator: int, chords: int) -> list[int]:
    """Return where so many chords begin in a bar, each on a beat and the longer ones first.

    A bar of fewer beats has fewer.

    >>> chord_positions(4, 4, 2), chord_positions(3, 4, 2), chord_positions(6, 8, 2)
    ([0, 24], [0, 24], [0, 18])
    """
    beat = beat_length(numerator, denominator)
    beats = numerator * 4 * RESOLUTION // denominator // beat
    return sorted({-(-i * beats // chords) * beat for i in range(min(chords, beats))})


def shared_out(numerator: int, denominator: int, shares: int) -> list[Fraction]:
    """Return where each of so many shares of a bar begins, as players read a chart.

    Shares are whole beats, the longer ones first; of the meter's notes where there are more shares
    than beats, then of halves and quarters of them; and equal where there are more still.

    Parameters
    ----------
    numerator, denominator
        The time signature.
    shares
        How many chords, or signs that hold one, the bar is written with.

    Returns
    -------
    list of Fraction
        Fractions of the bar.

    Examples
    --------
    >>> [[str(4 * start) for start in shared_out(4, 4, shares)] for shares in (2, 3, 5)]
    [['0', '2'], ['0', '2', '3'], ['0', '1', '2', '5/2', '7/2']]
    >>> [[str(n * start) for start in shared_out(n, d, 2)] for n, d in ((3, 4), (5, 4), (7, 8))]
    [['0', '2'], ['0', '3'], ['0', '4']]
    """
    beats = numerator // 3 if is_compound(numerator, denominator) else numerator
    units = next((n for n in (beats, numerator, 2 * numerator, 4 * numerator) if n >= shares), 0)
    units = units or shares
    return [Fraction(-(-i * units // shares), units) for i in range(shares)]


def strong_positions(numerator: int, denominator: int) -> npt.NDArray[np.int64]:
    """Return the positions of a bar's strong beats: every second beat if their number is even.

    >>> strong_positions(4, 4), strong_positions(3, 4), strong_positions(12, 8)
    (array([ 0, 24]), array([0]), array([ 0, 36]))
    """
    beat = beat_length(numerator, denominator)
    length = numerator * 4 * RESOLUTION // denominator
    beats = length // beat
    return np.arange(0, length, 2 * beat) if beats % 2 == 0 else np.array([0])
