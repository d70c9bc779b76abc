"""Between a user's score and the grid: which bars, and the new notes put back.

The score keeps its own ticks. Of its events only the notes and chords that begin in the cells
written are taken out, and only what was written is put in. Which cell an event begins in is judged
on the grid, where what comes a little early has its place after the bar line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from composer.edits.changes import Stretch
from composer.edits.feel import with_feel
from composer.edits.ticks import GRID, Ints, bar_of, edge_of, first_ticks, positions_of, ticks_of
from composer.errors import RequestError
from composer.harmony.inference import key_there
from composer.score.events import MAX_TICK, NOTE, Events, Text
from composer.score.grid import HELD, RESOLUTION, Grid
from composer.score.meter import Meter
from composer.score.score import Score
from composer.theory.chords import NO_CHORD, Chord, chord_symbol
from composer.tokenizers.cells.codec import restated_chords
from composer.tokenizers.quantize import quantize_signatures

DRUM_HIT = RESOLUTION // 4  # positions a drum hit is written with: a sixteenth

Mask = npt.NDArray[np.bool_]


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
    end = positions_of(score.meter.bar_start(bars), score.tpq)
    grid = Meter(RESOLUTION, quantize_signatures(score, GRID), score.tempos[:0])
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
    starts = positions_of(score.meter.bar_start(np.arange(bars)), score.tpq)
    cells = np.zeros((bars, 1 + len(score.tracks)), bool)
    chords = np.array([tick for tick, _ in score.chords], np.int64)
    for column, ticks in enumerate([chords, *(t.notes["onset"] for t in score.tracks)]):
        positions = positions_of(ticks, score.tpq)
        cells[np.searchsorted(starts, positions, side="right") - 1, column] = True
    return cells


def held_notes(score: Score, grid: Grid, written: Mask, kept: Sequence[Events] = ()) -> Events:
    """Return the notes that stay where cells are written, dtype ``HELD``, as they really sound.

    The grid moves notes a little, and shortens those that a file lets overlap.

    Parameters
    ----------
    score, grid, written, kept
        As for ``put_back``.
    """
    ticks = ticks_of(np.arange(int(grid.bar_starts[-1]) + 1), score.tpq)
    held = [np.empty(0, HELD)]
    for row, track in enumerate(score.tracks):
        notes = _staying(track.notes, row, score, grid, written, kept)
        offset = notes["onset"] + notes["duration"]
        rows = np.empty(len(notes), HELD)
        rows["part"], rows["pitch"] = row, notes["pitch"]
        rows["onset"] = positions_of(notes["onset"], score.tpq)
        rows["offset"] = np.maximum(
            rows["onset"] + 1, 0 if track.is_drum else positions_of(offset, score.tpq)
        )
        # Where a note of this pitch would have to make way for it.
        rows["first"] = np.searchsorted(ticks, notes["onset"])
        rows["last"] = np.searchsorted(ticks, offset)
        held.append(rows)
    return np.concatenate(held)


def put_back(
    score: Score,
    grid: Grid,
    written: Mask,
    kept: Sequence[Events] = (),
    *,
    feel: bool = False,
    moves: bool = True,
) -> Score:
    """Return a score with the cells that were written taken from a grid.

    Parameters
    ----------
    score
        What the user gave.
    grid
        The grid of the same tracks, cells written.
    written
        Shape (bars, 1 + parts): which cells, column 0 the chords.
    kept
        Of each track, notes that stay in these cells, dtype ``NOTE``; none without it.
    feel
        Whether the notes written are played as those around them are.
    moves
        Whether that may take them to another position of the grid.
    """
    tracks = list(score.tracks)
    for row, track in enumerate(tracks):
        bars = written[:, row + 1]
        if bars.any():
            old = _staying(track.notes, row, score, grid, written, kept)
            new = _new_notes(grid, row, bars, score.tpq)
            if feel:
                new = with_feel(new, row, score, grid, written, moves)
            # A note that has to wait does so in its bar.
            last = first_ticks(
                grid.bar_starts[bar_of(new["onset"], grid, score.tpq) + 1], score.tpq
            )
            new = _make_way(new, old, last)
            tracks[row] = track.replace(notes=np.concatenate([old, new]))
    score = score.replace(tracks=tuple(tracks))
    if written[:, 0].any():
        score = score.replace(chords=_new_chords(score, grid, written[:, 0]))
    return score


def _staying(
    notes: Events, row: int, score: Score, grid: Grid, written: Mask, kept: Sequence[Events]
) -> Events:
    """Return the notes of a track that are not taken out."""
    outside = notes[~written[:, row + 1][bar_of(notes["onset"], grid, score.tpq)]]
    if not len(kept) or not len(kept[row]):
        return outside
    return np.sort(np.concatenate([outside, kept[row]]), order="onset", kind="stable")


def _new_notes(grid: Grid, row: int, bars: Mask, tpq: int) -> Events:
    cells = grid.notes[(grid.notes["part"] == row) & bars[grid.notes["bar"]]]
    onset = grid.bar_starts[cells["bar"]] + cells["position"]
    offset = onset + cells["duration"]
    if grid.parts[row].is_drum:  # no hit makes the piece longer
        offset = np.minimum(onset + DRUM_HIT, grid.bar_starts[-1])
    notes = np.empty(len(cells), NOTE)
    notes["onset"] = ticks_of(onset, tpq)
    notes["duration"] = np.maximum(1, ticks_of(offset, tpq) - notes["onset"])
    notes["pitch"], notes["velocity"] = cells["pitch"], cells["velocity"]
    return notes


def _make_way(new: Events, old: Events, last: Ints) -> Events:
    """Return new notes, shortened or left out where a note of their pitch sounds or begins.

    One that would begin at a tick of ``last`` or later is left out.

    MIDI cannot tell apart two notes of one pitch that overlap. On the grid none do, but old notes
    end off the grid, and drum hits are written longer than the grid has them.
    """
    made = []
    for pitch in np.unique(new["pitch"]):
        own, sounding = new["pitch"] == pitch, old[old["pitch"] == pitch]
        _, first = np.unique(new["onset"][own], return_index=True)
        notes, latest = new[own][first], last[own][first]
        ends = np.maximum.accumulate(np.r_[0, sounding["onset"] + sounding["duration"]])
        free = ends[np.searchsorted(sounding["onset"], notes["onset"], side="right")]
        begins = np.sort(np.r_[notes["onset"], sounding["onset"], MAX_TICK])
        until = begins[np.searchsorted(begins, notes["onset"], side="right")]
        offset = np.minimum(notes["onset"] + notes["duration"], until)
        notes["onset"] = np.maximum(notes["onset"], free)
        notes["duration"] = offset - notes["onset"]
        made.append(notes[(notes["duration"] > 0) & (notes["onset"] < latest)])
    return np.concatenate([new[:0], *made])


def _new_chords(score: Score, grid: Grid, bars: Mask) -> tuple[Text, ...]:
    """Return the chord symbols: the score's in the bars not written, the grid's in the others.

    A chord of the score that held on past the bars written holds there still; where there was none
    there is ``N.C.``. What holds on into the bars written is said there only if it was said before,
    so that writing the bars before them as well comes to the same in any order.
    """
    given = np.array([tick for tick, _ in score.chords], np.int64)
    given_bars = bar_of(given, grid, score.tpq)
    kept = [text for text, bar in zip(score.chords, given_bars, strict=True) if not bars[bar]]
    said = positions_of(given, score.tpq)
    end = _end(score)

    def holding(start: int) -> str:
        return [
            NO_CHORD,
            *(c.text for at, c in zip(said, score.chords, strict=True) if at < start),
        ][-1]

    new = []
    last = ""
    ends: dict[int, str] = {}  # what holds at the end of each bar of the grid
    for bar, position, root, quality, bass in restated_chords(grid).tolist():
        chord = Chord(root, quality, bass if bass >= 0 else None) if root >= 0 else None
        start = int(grid.bar_starts[bar])
        tick = edge_of(start + position, score.tpq).tick
        symbol = chord_symbol(chord, key_there(score, grid.key, tick))
        if position == 0 and bar and bars[bar] and not bars[bar - 1]:
            last = holding(start) if start < end and start not in said else ""
        if bars[bar] and symbol != last:
            new.append(Text(tick, symbol))
        ends[bar] = last = symbol
    for bar in np.flatnonzero(bars[:-1] & ~bars[1:]).tolist():
        start = int(grid.bar_starts[bar + 1])
        held = holding(start)
        if start not in said and ends.get(bar, held) != held:
            new.append(Text(edge_of(start, score.tpq).tick, held))
    return tuple(sorted([*kept, *new], key=lambda text: text.tick))


def chord_stretches(score: Score, grid: Grid, bars: Mask) -> list[Stretch]:
    """Return the time of each run of bars in which chords are written.

    Parameters
    ----------
    score, grid
        As for ``put_back``.
    bars
        Shape (bars,): where chords are written.
    """
    tpq, last, end = score.tpq, int(grid.bar_starts[-1]), _end(score)
    edges = np.flatnonzero(np.diff(np.r_[False, bars, False]))
    starts = grid.bar_starts[edges].tolist()
    return [
        Stretch(edge_of(start, tpq), edge_of(until, tpq), until == last, start >= end)
        for start, until in zip(starts[::2], starts[1::2], strict=True)
    ]


def _end(score: Score) -> int:
    """Return the position at which the last note ends, or the last chord has begun."""
    chord = score.chords[-1].tick + 1 if score.chords else 0
    return int(positions_of(max(score.end, chord), score.tpq))
