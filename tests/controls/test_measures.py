"""What cells measure, against what one counts by hand."""

import numpy as np
import pytest

from composer import Score, Track
from composer.controls.kinds import KINDS, NAMES
from composer.controls.measures import beat_lengths, measure_cells, measure_parts
from composer.tokenizers import Cells
from composer.tokenizers.cells.levels import UNSAID, level_of

CELLS = Cells()


def grid_of(*tracks, signatures=(), **fields):
    return CELLS.grid(Score(12, tracks, time_signatures=signatures, **fields))


def one(grid, bar=0, row=0):
    return dict(zip(NAMES, measure_cells(grid)[bar, row].tolist(), strict=True))


def test_a_bar_of_two_chords_and_a_note():
    rows = [(0, 24, 60, 60), (0, 24, 64, 60), (24, 6, 67, 92), (36, 12, 72, 92)]
    found = one(grid_of(Track(notes=rows)))
    assert found["density"] == 3 / 4
    assert found["polyphony"] == pytest.approx((2 + 1 + 1) / 3)
    assert found["register"] == (60 + 64 + 67 + 72) / 4
    assert found["note_length"] == pytest.approx((2 * 2 * 0.5 * 1) ** (1 / 4))
    assert found["dynamics"] == 76
    assert found["syncopation"] == 0


def test_a_note_that_rings_on_is_heard_with_those_that_begin():
    found = one(grid_of(Track(notes=[(0, 48, 48, 90), (12, 12, 60, 90), (24, 12, 62, 90)])))
    assert found["polyphony"] == pytest.approx((1 + 2 + 2) / 3)


def test_an_onset_off_the_beat_is_syncopated_unless_the_next_beat_has_one():
    tied = Track(notes=[(0, 6, 60, 90), (6, 12, 62, 90), (24, 12, 64, 90)])
    passing = Track(notes=[(0, 6, 60, 90), (6, 6, 62, 90), (12, 12, 64, 90)])
    grid = grid_of(tied, passing)
    assert one(grid)["syncopation"] == pytest.approx(1 / 3)
    assert one(grid, row=1)["syncopation"] == 0


def test_the_beat_after_a_bars_last_onset_lies_in_the_next_bar():
    late = [(42, 6, 60, 90)]
    assert one(grid_of(Track(notes=[*late, (48, 12, 60, 90)])))["syncopation"] == 0
    assert one(grid_of(Track(notes=[*late, (60, 12, 60, 90)])))["syncopation"] == 1


def test_a_beat_of_six_eight_is_dotted():
    grid = grid_of(Track(notes=[(12, 6, 60, 90)]), signatures=[(0, 6, 8)])
    assert beat_lengths(grid.bars).tolist() == [18]
    assert one(grid)["density"] == 1 / 3
    assert one(grid)["syncopation"] == 1


def test_drums_have_no_register_and_no_length():
    found = one(grid_of(Track(is_drum=True, notes=[(0, 12, 36, 64), (0, 12, 42, 64)])))
    assert np.isnan([found["register"], found["note_length"]]).all()
    assert (found["density"], found["polyphony"]) == (1 / 4, 2)


def test_an_empty_cell_has_a_density_of_nothing_and_nothing_else():
    found = one(grid_of(Track(notes=[(0, 12, 60, 90)]), Track(notes=[(48, 12, 60, 90)])), bar=1)
    assert found.pop("density") == 0
    assert np.isnan([*found.values()]).all()


def test_parts_are_measured_over_the_cells_named_alone():
    notes = [(0, 12, 60, 90), (48, 12, 72, 90), (60, 12, 72, 90), (96, 12, 84, 90)]
    grid = grid_of(Track(notes=notes), Track(notes=notes))
    cells = np.array([[True, False], [True, False], [False, False]])
    first, second = measure_parts(grid, cells)
    assert first[0] == 3 / 8
    assert first[2] == 68
    assert np.isnan(second).all()


def test_levels_are_the_nearest_values():
    values = np.array([0.1, 2.6, 61, 0.9, 127, np.nan])
    assert [
        level if level == UNSAID else kind.levels[level]
        for kind, level in zip(KINDS, level_of(values).tolist(), strict=True)
    ] == [0, 3, 60, 1, 126, UNSAID]
