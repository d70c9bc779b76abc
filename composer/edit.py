"""Between a user's score and the grid: which bars, and the new notes put back.

The score keeps its own ticks. Of its events only the notes and chords that begin in the cells
written are taken out, and only what was written is put in. Which cell an event begins in is judged
on the grid, where what comes a little early has its place after the bar line.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError
from composer.grid import HELD, RESOLUTION, Grid
from composer.meter import Meter
from composer.score import MAX_TICK, NOTE, Events, Score, Text
from composer.theory import NO_CHORD, Chord, chord_symbol
from composer.tokenizers.bins import Bins
from composer.tokenizers.cells_codec import restated_chords
from composer.tokenizers.quantize import quantize_signatures

DRUM_HIT = RESOLUTION // 4  # positions a drum hit is written with: a sixteenth

_GRID = Bins(velocities=0)  # asked for times only

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def own_bars(score: Score) -> int:
    """Return how many bars a score has, to the end of its last note and its last chord.

    A last note held up to a sixteenth too long opens no bar.

    Raises
    ------
    RequestError
        It has neither.
    """
    onsets = [int(track.notes["onset"][-1]) for track in score.tracks if len(track.notes)]
    begins = [*onsets, *(tick for tick, _ in score.chords)]
    if not begins:
        raise RequestError("the score has no notes and no chords; there is nothing to go by")
    return score.meter.bars_until(max(score.end - score.tpq // 4, max(begins) + 1))


def grid_bars(score: Score, bars: int) -> int:
    """Return how many bars of the grid the first bars of a score make.

    They are as many, unless the score has bars that the grid cannot say and cuts in two.
    """
    end = _GRID.to_positions(score.meter.bar_start(bars), score.tpq)
    grid = Meter(RESOLUTION, quantize_signatures(score, _GRID), score.tempos[:0])
    return grid.bars_until(int(end))


def cells_with_notes(score: Score, bars: int) -> Mask:
    """Return in which bars a score has notes that begin there, and chords in column 0.

    Parameters
    ----------
    score
        The score.
    bars
        How many it has; what begins a little before a bar line belongs to the bar after it.

    Returns
    -------
    ndarray
        Shape (bars, 1 + tracks), bool.
    """
    starts = _GRID.to_positions(score.meter.bar_start(np.arange(bars)), score.tpq)
    cells = np.zeros((bars, 1 + len(score.tracks)), bool)
    chords = np.array([tick for tick, _ in score.chords], np.int64)
    for column, ticks in enumerate([chords, *(t.notes["onset"] for t in score.tracks)]):
        positions = _GRID.to_positions(ticks, score.tpq)
        cells[np.searchsorted(starts, positions, side="right") - 1, column] = True
    return cells


def held_notes(score: Score, grid: Grid, written: Mask) -> Events:
    """Return the notes that stay where cells are written, dtype ``HELD``, as they really sound.

    The grid moves notes a little, and shortens those that a file lets overlap.

    Parameters
    ----------
    score, grid, written
        As for ``put_back``.
    """
    ticks = _to_ticks(np.arange(int(grid.bar_starts[-1]) + 1), score.tpq)
    held = [np.empty(0, HELD)]
    for row, track in enumerate(score.tracks):
        bars = written[:, row + 1]
        notes = track.notes[~bars[_bar_of(track.notes["onset"], grid, score.tpq)]]
        offset = notes["onset"] + notes["duration"]
        rows = np.empty(len(notes), HELD)
        rows["part"], rows["pitch"] = row, notes["pitch"]
        rows["onset"] = _GRID.to_positions(notes["onset"], score.tpq)
        rows["offset"] = np.maximum(
            rows["onset"] + 1, 0 if track.is_drum else _GRID.to_positions(offset, score.tpq)
        )
        # Where a note of this pitch would have to make way for it.
        rows["first"] = np.searchsorted(ticks, notes["onset"])
        rows["last"] = np.searchsorted(ticks, offset)
        held.append(rows)
    return np.concatenate(held)


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
    tracks = list(score.tracks)
    for row, track in enumerate(tracks):
        bars = written[:, row + 1]
        if bars.any():
            old = track.notes[~bars[_bar_of(track.notes["onset"], grid, score.tpq)]]
            new = _make_way(_new_notes(grid, row, bars, score.tpq), old)
            tracks[row] = track.replace(notes=np.concatenate([old, new]))
    score = score.replace(tracks=tuple(tracks))
    if written[:, 0].any():
        score = score.replace(chords=_new_chords(score, grid, written[:, 0]))
    return score


def _to_ticks(positions: npt.ArrayLike, tpq: int) -> Ints:
    return (np.asarray(positions, np.int64) * 2 * tpq + RESOLUTION) // (2 * RESOLUTION)


def _bar_of(ticks: Ints, grid: Grid, tpq: int) -> Ints:
    """Return the bar of the grid that each tick goes to.

    What a player begins a little before a bar line goes to the bar after it, as in the grid; what
    lies so at the end of the piece, to the last.
    """
    positions = _GRID.to_positions(ticks, tpq)
    bar = np.searchsorted(grid.bar_starts, positions, side="right") - 1
    return np.asarray(np.minimum(bar, len(grid.bars) - 1))


def _new_notes(grid: Grid, row: int, bars: Mask, tpq: int) -> Events:
    cells = grid.notes[(grid.notes["part"] == row) & bars[grid.notes["bar"]]]
    onset = grid.bar_starts[cells["bar"]] + cells["position"]
    offset = onset + cells["duration"]
    if grid.parts[row].is_drum:  # no hit makes the piece longer
        offset = np.minimum(onset + DRUM_HIT, grid.bar_starts[-1])
    notes = np.empty(len(cells), NOTE)
    notes["onset"] = _to_ticks(onset, tpq)
    notes["duration"] = np.maximum(1, _to_ticks(offset, tpq) - notes["onset"])
    notes["pitch"], notes["velocity"] = cells["pitch"], cells["velocity"]
    return notes


def _make_way(new: Events, old: Events) -> Events:
    """Return new notes, shortened or left out where a note of their pitch sounds or begins.

    MIDI cannot tell apart two notes of one pitch that overlap. On the grid none do, but old notes
    end off the grid, and drum hits are written longer than the grid has them.
    """
    made = []
    for pitch in np.unique(new["pitch"]):
        notes, sounding = (rows[rows["pitch"] == pitch] for rows in (new, old))
        notes = notes[np.unique(notes["onset"], return_index=True)[1]]
        ends = np.maximum.accumulate(np.r_[0, sounding["onset"] + sounding["duration"]])
        free = ends[np.searchsorted(sounding["onset"], notes["onset"], side="right")]
        begins = np.sort(np.r_[notes["onset"], sounding["onset"], MAX_TICK])
        until = begins[np.searchsorted(begins, notes["onset"], side="right")]
        offset = np.minimum(notes["onset"] + notes["duration"], until)
        notes["onset"] = np.maximum(notes["onset"], free)
        notes["duration"] = offset - notes["onset"]
        made.append(notes[notes["duration"] > 0])
    return np.concatenate([new[:0], *made])


def _new_chords(score: Score, grid: Grid, bars: Mask) -> tuple[Text, ...]:
    """Return the chord symbols: the score's in the bars not written, the grid's in the others.

    A chord of the score that held on past the bars written holds there still; where there was none
    there is ``N.C.``.
    """
    given = np.array([tick for tick, _ in score.chords], np.int64)
    given_bars = _bar_of(given, grid, score.tpq)
    kept = [text for text, bar in zip(score.chords, given_bars, strict=True) if not bars[bar]]
    new = []
    last = ""
    for bar, position, root, quality, bass in restated_chords(grid).tolist():
        chord = Chord(root, quality, bass if bass >= 0 else None) if root >= 0 else None
        symbol = chord_symbol(chord, grid.key)
        if bars[bar] and (symbol != last or not bars[bar - 1]):
            tick = int(_to_ticks(grid.bar_starts[bar] + position, score.tpq))
            new.append(Text(tick, symbol))
        last = symbol
    said = _GRID.to_positions(given, score.tpq)
    for start in grid.bar_starts[1:-1][bars[:-1] & ~bars[1:]].tolist():
        if start not in said:
            holding = [text for at, (_, text) in zip(said, score.chords, strict=True) if at < start]
            new.append(Text(int(_to_ticks(start, score.tpq)), [NO_CHORD, *holding][-1]))
    return tuple(sorted([*kept, *new]))
