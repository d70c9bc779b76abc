"""Between a user's score and the grid: which bars, which track, and the new notes put back.

The score keeps its own ticks. Of its events only the notes that begin in the cells written are
taken out, and only what was written is put in.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError, SymbolError
from composer.grid import RESOLUTION, Grid
from composer.instruments import parse_instrument
from composer.meter import Meter
from composer.score import NOTE, Events, Score, Text
from composer.tokenizers.quantize import quantize_signatures, to_positions

DRUM_HIT = RESOLUTION // 4  # positions a drum hit is written with: a sixteenth

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def own_bars(score: Score) -> int:
    """Return how many bars a score has, to its last note or chord.

    Raises
    ------
    RequestError
        It has neither.
    """
    if not score.end and not score.chords:
        raise RequestError("the score has no notes and no chords; there is nothing to go by")
    last_chord = max((tick for tick, _ in score.chords), default=-1)
    return score.meter.bars_until(max(score.end, last_chord + 1))


def bar_range(bars: str | tuple[int, int], count: int) -> tuple[int, int]:
    """Return the first and last bar, counted from 1.

    Raises
    ------
    RequestError
        The text is no range, or the score has no such bars.

    Examples
    --------
    >>> bar_range("5-8", 16), bar_range("3", 16)
    ((5, 8), (3, 3))
    """
    if isinstance(bars, str):
        found = re.fullmatch(r"\s*(\d+)\s*(?:[-–]\s*(\d+))?\s*", bars)
        if not found:
            raise RequestError(f"bars {bars!r} cannot be read; write first and last, such as '5-8'")
        first, last = int(found[1]), int(found[2] or found[1])
    else:
        first, last = bars
    if not 1 <= first <= last <= count:
        raise RequestError(f"bars {first} to {last} are not in the score, which has 1 to {count}")
    return first, last


def track_index(score: Score, name: str | int) -> int:
    """Return the index of a track by number from 1, name, or instrument; case does not matter.

    Raises
    ------
    RequestError
        The score has no such track, or several.
    """
    names = [track.name or f"track {i + 1}" for i, track in enumerate(score.tracks)]
    if isinstance(name, int) or name.strip().isdigit():
        if 1 <= int(name) <= len(names):
            return int(name) - 1
    else:
        found = [i for i, own in enumerate(names) if own.strip().lower() == name.strip().lower()]
        found = found or _played_by(score, name)
        if len(found) == 1:
            return found[0]
        if found:
            numbers = " and ".join(str(i + 1) for i in found)
            raise RequestError(f"tracks {numbers} are both called {name!r}; name them by number")
    listed = ", ".join(f"{i + 1} {own!r}" for i, own in enumerate(names)) or "none"
    raise RequestError(f"the score has no track {name!r}; it has {listed}")


def _played_by(score: Score, name: str) -> list[int]:
    try:
        player = parse_instrument(name)
    except SymbolError:
        return []
    kind = player.is_drum, player.program
    return [
        i for i, t in enumerate(score.tracks) if (t.is_drum, 0 if t.is_drum else t.program) == kind
    ]


def grid_bars(score: Score, bars: int) -> int:
    """Return how many bars of the grid the first bars of a score make.

    They are as many, unless the score has bars that the grid cannot say and cuts in two.
    """
    end = to_positions(score.meter.bar_start(bars), score.tpq)
    grid = Meter(RESOLUTION, quantize_signatures(score), score.tempos[:0])
    return grid.bars_until(int(end))


def put_back(score: Score, grid: Grid, written: Mask) -> Score:
    """Return a score with the cells that were written taken from a grid.

    Parameters
    ----------
    score
        What the user gave.
    grid
        The grid of the same tracks, cells written.
    written
        Shape (bars, 1 + parts): which cells, column 0 the chords.
    """
    ticks = _to_ticks(grid.bar_starts, score.tpq)
    tracks = list(score.tracks)
    for row, track in enumerate(tracks):
        bars = written[:, row + 1]
        if bars.any():
            old = track.notes[~_inside(track.notes["onset"], ticks, bars)]
            new = _new_notes(grid, row, bars, score.tpq)
            tracks[row] = track.replace(notes=np.concatenate([old, new]))
    score = score.replace(tracks=tuple(tracks))
    if written[:, 0].any():
        score = score.replace(chords=_new_chords(score, grid, ticks, written[:, 0]))
    return score


def _to_ticks(positions: npt.ArrayLike, tpq: int) -> Ints:
    return (np.asarray(positions, np.int64) * 2 * tpq + RESOLUTION) // (2 * RESOLUTION)


def _inside(ticks: npt.ArrayLike, starts: Ints, bars: Mask) -> Mask:
    """Return which ticks lie in one of the bars."""
    bar = np.searchsorted(starts, ticks, side="right") - 1
    return np.asarray((bar < len(bars)) & bars[np.minimum(bar, len(bars) - 1)])


def _new_notes(grid: Grid, row: int, bars: Mask, tpq: int) -> Events:
    cells = grid.notes[(grid.notes["part"] == row) & bars[grid.notes["bar"]]]
    onset = grid.bar_starts[cells["bar"]] + cells["position"]
    length = DRUM_HIT if grid.parts[row].is_drum else cells["duration"]
    notes = np.empty(len(cells), NOTE)
    notes["onset"] = _to_ticks(onset, tpq)
    offset = np.minimum(onset + length, grid.bar_starts[-1])  # no hit makes the piece longer
    notes["duration"] = np.maximum(1, _to_ticks(offset, tpq) - notes["onset"])
    notes["pitch"], notes["velocity"] = cells["pitch"], cells["velocity"]
    return notes


def _new_chords(score: Score, grid: Grid, starts: Ints, bars: Mask) -> tuple[Text, ...]:
    given = np.array([tick for tick, _ in score.chords], np.int64)
    kept = [
        text
        for text, gone in zip(score.chords, _inside(given, starts, bars), strict=True)
        if not gone
    ]
    found = grid.replace(chords=grid.chords[bars[grid.chords["bar"]]]).score().chords
    new = [Text(int(_to_ticks(tick, score.tpq)), text) for tick, text in found]
    # A chord that held on past the bars written holds there still.
    after = np.flatnonzero(bars & ~np.r_[bars[1:], False]) + 1
    for bar in after[after < len(bars)].tolist():
        tick = int(starts[bar])
        holding = [text for at, text in score.chords if at <= tick]
        if holding and not any(at == tick for at, _ in kept):
            new.append(Text(tick, holding[-1]))
    return tuple(sorted([*kept, *new]))
