"""How busy, thick, high, long, loud and syncopated cells are: what controls ask for, measured.

============  ==================================================================================
density       onsets a quarter note; notes that begin together are one onset
polyphony     notes that sound where one begins, itself included, on average over the onsets
register      mean pitch of the notes, a MIDI number
note_length   geometric mean of the notes' lengths, in quarter notes
dynamics      mean velocity of the notes
syncopation   share of the onsets that lie off the beat and have no onset on the beat after them
============  ==================================================================================

Drums have no register and no length. What has no notes has a density of 0 and nothing else.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer.controls.kinds import KINDS
from composer.score.beats import beat_length
from composer.score.events import Events
from composer.score.grid import RESOLUTION, Grid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def measure_cells(grid: Grid) -> Floats:
    """Return what each cell of a grid measures, shape (bars, parts, kinds); nan for nothing."""
    return _measured(grid, np.arange(len(grid.bars)), len(grid.bars))


def measure_parts(grid: Grid, cells: Mask) -> Floats:
    """Return what some cells of each part measure together, shape (parts, kinds).

    Parameters
    ----------
    grid
        The piece.
    cells
        Shape (bars, parts): which; a part with none measures nothing, not even a density.
    """
    found = np.full((len(grid.parts), len(KINDS)), np.nan)
    for row in np.flatnonzero(cells.any(0)).tolist():
        group = np.where(cells[:, row], 0, -1)
        found[row] = _measured(grid, group, 1)[0, row]
    return found


def _measured(grid: Grid, group: Ints, groups: int) -> Floats:
    """Return measures by group of bars, shape (groups, parts, kinds); bars of group -1 left out."""
    parts, notes = len(grid.parts), grid.notes
    kept = group[notes["bar"]] >= 0
    onset = grid.bar_starts[notes["bar"]] + notes["position"]
    voices, syncopated, first = _onsets(grid, onset)
    cell = group[notes["bar"]] * parts + notes["part"]
    size = groups * parts

    def summed(rows: Mask, weights: Floats | None = None) -> Floats:
        weights = None if weights is None else weights[rows]
        return np.bincount(cell[rows], weights, size).astype(float)

    count, onsets = summed(kept), summed(kept & first)
    beats = np.zeros(groups)
    np.add.at(beats, group[group >= 0], grid.bar_lengths[group >= 0] / RESOLUTION)
    log_length = np.log(np.maximum(1, notes["duration"]) / RESOLUTION)
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = [
            onsets / np.repeat(beats, parts),
            summed(kept & first, voices) / onsets,
            summed(kept, notes["pitch"].astype(float)) / count,
            np.exp(summed(kept, log_length) / count),
            summed(kept, notes["velocity"].astype(float)) / count,
            summed(kept & first, syncopated.astype(float)) / onsets,
        ]
    table = np.stack(columns, -1).reshape(groups, parts, len(KINDS))
    pitched = np.array([not kind.for_drums for kind in KINDS])
    table[:, grid.is_drum[:, None] & pitched] = np.nan
    return table


def _onsets(grid: Grid, onset: Ints) -> tuple[Floats, Mask, Mask]:
    """Return of each note: how many sound with it, whether it is syncopated, and first there."""
    notes = grid.notes
    voices, syncopated = np.zeros(len(notes)), np.zeros(len(notes), bool)
    first = np.zeros(len(notes), bool)
    beat = beat_lengths(grid.bars)[notes["bar"]]
    past = notes["position"] % beat
    following = onset - past + beat
    for row, _ in enumerate(grid.parts):
        own = np.flatnonzero(notes["part"] == row)
        begins, ends = onset[own], np.sort(onset[own] + notes["duration"][own])
        voices[own] = np.searchsorted(begins, begins, "right") - np.searchsorted(
            ends, begins, "right"
        )
        found = np.searchsorted(begins, following[own])
        begun = begins[np.minimum(found, len(begins) - 1)] == following[own] if len(own) else found
        syncopated[own] = (past[own] > 0) & ~begun.astype(bool)
        first[own] = np.diff(begins, prepend=-1) > 0
    return voices, syncopated, first


def beat_lengths(bars: Events) -> Ints:
    """Return the positions of a beat in each bar."""
    return np.array([beat_length(n, d) for n, d, _ in bars.tolist()], np.int64)
