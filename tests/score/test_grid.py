import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import Score, Track
from composer.score.grid import choose_parts, cut_bars
from composer.theory.keys import Key
from composer.tokenizers import Cells
from composer.tokenizers.bins import TEMPOS
from tests.strategies import moderate, scores

C = Key(0)


def grids():
    return scores().map(lambda score: Cells().grid(score))


def tune(**changes):
    """Three bars of 4/4, 3/4 and 3/4, a chord that holds from the first into the last."""
    flute = Track(program=73, notes=[(0, 12, 72, 90), (60, 24, 74, 90), (84, 6, 76, 90)])
    bass = Track(program=32, notes=[(48, 36, 36, 90)])
    score = Score(
        tpq=12,
        tracks=(flute, bass),
        time_signatures=[(0, 4, 4), (48, 3, 4)],
        tempos=[(0, 500_000), (84, 400_000)],
        chords=[(12, "C"), (90, "G7")],
    )
    return score.replace(**changes)


@moderate
@given(score=scores())
def test_a_quantised_score_comes_back(score):
    quantized = Cells().quantize(score)
    key = Key.from_signature(*quantized.key_signatures[["sharps", "minor"]][0].tolist())
    assert Cells().grid(quantized, key).score() == quantized


@moderate
@given(grid=grids())
def test_notes_lie_inside_their_bars_in_order(grid):
    notes = grid.notes
    assert (notes["position"] >= 0).all()
    assert (notes["position"] < grid.bar_lengths[notes["bar"]]).all()
    rows = notes[["bar", "part", "position", "pitch"]].tolist()
    assert rows == sorted(set(rows))
    assert grid.bar_starts.tolist() == [0, *np.cumsum(grid.bar_lengths)]


def test_bars_have_their_signature_and_tempo():
    grid = Cells().grid(tune(), C)
    assert grid.bars.tolist() == [(4, 4, TEMPOS[31]), (3, 4, TEMPOS[31]), (3, 4, TEMPOS[35])]
    assert grid.bar_starts.tolist() == [0, 48, 84, 120]
    assert [(n["bar"], n["part"], n["position"]) for n in grid.notes] == [
        (0, 0, 0),
        (1, 0, 12),
        (1, 1, 0),
        (2, 0, 0),
    ]


@pytest.mark.parametrize(
    ("changes", "bars"),
    [
        ({}, 3),
        ({"chords": ()}, 3),
        ({"tracks": ()}, 3),
        ({"tracks": (), "chords": ()}, 1),
        ({"tracks": (), "chords": [(47, "C")]}, 1),
        ({"tracks": (), "chords": [(48, "C")]}, 2),
        ({"tracks": (Track(notes=[(0, 52, 60, 90)]),), "chords": ()}, 2),
        ({"tracks": (Track(notes=[(0, 48, 60, 90)]),), "chords": ()}, 1),
    ],
)
def test_bars_reach_to_the_last_note_and_chord(changes, bars):
    score = tune(**changes)
    assert len(Cells().grid(score, C).bars) == bars


def test_a_number_of_bars_adds_empty_ones_or_leaves_some_out():
    longer, shorter = Cells().grid(tune(), C, bars=5), Cells().grid(tune(), C, bars=1)
    assert longer.bars["numerator"].tolist() == [4, 3, 3, 3, 3]
    assert shorter.notes["bar"].tolist() == [0]
    assert len(shorter.chords) == 1


def test_a_cut_begins_with_the_chord_that_holds():
    cut = cut_bars(Cells().grid(tune(), C), 1, 2)
    assert cut.bars["numerator"].tolist() == [3, 3]
    assert cut.notes["bar"].tolist() == [0, 0, 1]
    assert cut.chords[["bar", "position", "root"]].tolist() == [(0, 0, 0), (1, 6, 7)]


def test_a_cut_that_begins_with_a_chord_of_its_own_says_that_one():
    grid = Cells().grid(tune(chords=[(0, "C"), (48, "F")]), C)
    assert cut_bars(grid, 1, 1).chords[["bar", "position", "root"]].tolist() == [(0, 0, 5)]
    assert len(cut_bars(Cells().grid(tune(chords=[(90, "F")]), C), 0, 2).chords) == 0


@moderate
@given(grid=grids(), place=st.floats(0, 1))
def test_two_cuts_hold_all_notes(grid, place):
    at = int(place * len(grid.bars))
    first, second = cut_bars(grid, 0, at), cut_bars(grid, at, len(grid.bars) - at)
    moved = second.notes.copy()
    moved["bar"] += at
    assert np.array_equal(np.concatenate([first.notes, moved]), grid.notes)
    assert np.array_equal(np.concatenate([first.bars, second.bars]), grid.bars)


@moderate
@given(grid=grids(), choice=st.randoms(use_true_random=False))
def test_chosen_parts_keep_their_notes(grid, choice):
    rows = choice.sample(range(len(grid.parts)), choice.randint(0, len(grid.parts)))
    chosen = choose_parts(grid, rows)
    assert chosen.parts == tuple(grid.parts[row] for row in rows)
    tracks, before = chosen.score().tracks, grid.score().tracks
    assert [track.notes.tolist() for track in tracks] == [
        before[row].notes.tolist() for row in rows
    ]


def test_an_empty_grid_is_one_bar():
    grid = Cells().grid(Score(12), C)
    assert (len(grid.bars), len(grid.notes), len(grid.chords), grid.parts) == (1, 0, 0, ())
    assert grid.score().time_signatures.tolist() == [(0, 4, 4)]
