"""What constraints leave the cells of two short bars, said by hand."""

from fractions import Fraction

import numpy as np
import pytest

from composer import Cadence, MaxPolyphony, Monophonic, OnsetCount, PitchRange, Rhythm
from composer.errors import RequestError
from composer.feasibility.cell_kernels import COUNTED, IDLE, REQUIRED
from composer.masks.factory import CellRules
from composer.planning.constraints import post
from composer.request.request import PartRules, Request
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.keys import Key
from composer.tokenizers import Cells

GRAMMAR = Cells().grammar


def rules_of(where, notes=(), written=(0, 1)):
    """Return the rules of a request for bars of 1/4 of one part, and its grid."""
    grid = Grid(
        Key(0),
        (Part("A", 0),),
        np.array([(1, 4, 500_000)] * 2, BAR),
        sorted_notes(np.array(list(notes), CELL_NOTE)),
        np.empty(0, CELL_CHORD),
    )
    cells = np.zeros((2, 2), bool)
    cells[list(written), 1] = True
    posted = post(where, grid.score(), grid, cells, 2)
    rules = CellRules(Request(grid, cells, (PartRules(),), posted=posted), GRAMMAR)
    rules.check(grid)
    return rules._bounds, grid


def test_a_cell_asks_for_its_onsets_and_leaves_pitches():
    where = [OnsetCount(min=2, max=3), PitchRange(60, 62), Rhythm(required=[1.5])]
    bounds, grid = rules_of(where)
    domain = bounds.domain(grid, 0, 0)
    assert (domain.least, domain.most, domain.onsets) == (2, 3, 2)
    assert np.flatnonzero(domain.required).tolist() == [6]
    assert np.flatnonzero(domain.pitches[0]).tolist() == [60, 61, 62]


def test_times_reach_into_the_bar_behind_and_say_what_it_wants():
    bounds, grid = rules_of([Rhythm(required=[1]), Monophonic()])
    cell = bounds.bound(grid, 0, 0)
    assert cell.wants[[0, 12]].tolist() == [REQUIRED, REQUIRED]
    assert {*cell.wants[1:12].tolist()} <= {IDLE, COUNTED}
    assert cell.bar_of[[0, 11, 12]].tolist() == [0, 0, 1]
    assert cell.most_sounding[0] == 1


def test_given_notes_close_their_pitch_and_count():
    given = [(0, 0, 0, 60, 24, 90)]  # sounds on through the bar that is written
    bounds, grid = rules_of([MaxPolyphony(2)], given, written=(1,))
    cell = bounds.bound(grid, 1, 0)
    assert not cell.pitches[:12, 60].any()
    assert cell.most_sounding[0] == 1


def test_nothing_is_kept_of_cells_of_which_nothing_is_asked():
    bounds, grid = rules_of([OnsetCount(max=2, bars=1)])
    assert bounds.concern(0, 0)
    assert not bounds.concern(1, 0)
    assert bounds.bound(grid, 1, 0) is None


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ([OnsetCount(min=13)], "needs 13 onsets; the bar allows 12"),
        ([PitchRange(60, 61), PitchRange(63, 64)], "leave no pitch in bar 1 of A"),
        ([Rhythm(required=[2])], "needs a note on beat 2 in bar 1 of A, which has 1 beats"),
        ([Cadence(beat=1), OnsetCount(min=2)], "needs 2 onsets; Cadence"),
        (
            [Rhythm(required=[1, 1 + Fraction(1, 2)]), OnsetCount(max=1)],
            r"needs 2 onsets; OnsetCount\(max=1\) allows 1",
        ),
    ],
)
def test_the_smallest_clash_is_named(where, words):
    with pytest.raises(RequestError, match=words):
        rules_of(where)
