"""What was written is put into the score; every other event stays, tick for tick."""

import numpy as np
import pytest

from composer import Score, Text, Track
from composer.edits.cells import grid_bars, own_bars, put_back
from composer.errors import RequestError
from composer.score.grid import CELL_CHORD, CELL_NOTE
from composer.theory.keys import Key
from composer.tokenizers.cells.cells import Cells


def put(score, bars, columns, notes=(), chords=()):
    """Return the score with cells written that hold these notes and chords alone."""
    grid = Cells().grid(score, Key(0), grid_bars(score, own_bars(score)))
    written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
    written[np.ix_(bars, columns)] = True
    keep = ~written[grid.notes["bar"], grid.notes["part"] + 1]
    chords_kept = ~written[grid.chords["bar"], 0]
    grid = grid.replace(
        notes=np.concatenate([grid.notes[keep], np.array(list(notes), CELL_NOTE)]),
        chords=np.sort(
            np.concatenate([grid.chords[chords_kept], np.array(list(chords), CELL_CHORD)])
        ),
    )
    return put_back(score, grid, written)


def tune(*notes, chords=(), **track):
    return Score(480, (Track("A", notes=notes, **track),), chords=[Text(*c) for c in chords])


def rows(score, track=0):
    return [tuple(note)[:3] for note in score.tracks[track].notes.tolist()]


def test_bars_go_to_the_last_note_or_chord():
    assert own_bars(tune((0, 1920, 60, 90))) == 1
    assert own_bars(tune((0, 2400, 60, 90))) == 2
    assert own_bars(tune((0, 2000, 60, 90))) == 1  # let go a little late
    assert own_bars(tune((0, 2000, 60, 90), (1920, 60, 60, 90))) == 2
    assert own_bars(tune((0, 480, 60, 90), chords=[(5760, "C")])) == 4
    with pytest.raises(RequestError, match="no notes and no chords"):
        own_bars(Score())


def test_only_notes_of_the_cells_written_go():
    score = tune((0, 480, 60, 90), (1930, 470, 62, 91), (3840, 100, 64, 92))
    after = put(score, [1], [1], notes=[(1, 0, 12, 70, 24, 76)])
    assert rows(after) == [(0, 480, 60), (2400, 960, 70), (3840, 100, 64)]


def test_a_note_a_little_early_belongs_to_the_bar_it_is_meant_for():
    score = tune((0, 480, 60, 90), (1905, 480, 62, 90), (3830, 480, 64, 90))
    first = put(score, [0], [1])
    assert rows(first) == [(1905, 480, 62), (3830, 480, 64)]
    second = put(score, [1], [1])
    assert rows(second) == [(0, 480, 60), (3830, 480, 64)]


def test_a_note_early_for_a_bar_after_the_end_belongs_to_the_last():
    assert rows(put(tune((0, 480, 60, 90), (1910, 10, 62, 90)), [0], [1])) == []


def test_new_notes_make_way_for_old_ones_of_their_pitch():
    # One rings in off the grid, one begins where the new one still sounds.
    score = tune((0, 1990, 60, 90), (3840, 480, 62, 90))
    new = [(1, 0, 0, 60, 12, 76), (1, 0, 0, 72, 12, 76), (1, 0, 36, 62, 24, 76)]
    assert rows(put(score, [1], [1], notes=new)) == [
        (0, 1990, 60),
        (1920, 480, 72),
        (1990, 410, 60),
        (3360, 480, 62),
        (3840, 480, 62),
    ]


def test_a_new_note_wholly_inside_an_old_one_is_left_out():
    score = tune((0, 3840, 60, 90))
    assert rows(put(score, [1], [1], notes=[(1, 0, 12, 60, 12, 76)])) == [(0, 3840, 60)]


def test_drum_hits_are_sixteenths_that_never_meet():
    score = tune((0, 60, 36, 90), (1920, 60, 36, 90), is_drum=True)
    hits = [(0, 0, position, 36, 1, 76) for position in (0, 1, 12, 47)]
    assert rows(put(score, [0], [1], notes=hits)) == [
        (0, 40, 36),
        (40, 120, 36),
        (480, 120, 36),
        (1880, 40, 36),
        (1920, 60, 36),
    ]


@pytest.mark.parametrize("tpq", [1, 5, 96, 480, 1000])
def test_any_resolution(tpq):
    score = Score(tpq, (Track(notes=[(0, 8 * tpq, 40, 90)]),))
    new = [(1, 0, position, 60, 1, 76) for position in range(48)]
    notes = put(score, [1], [1], notes=new).tracks[0].notes
    line = notes[notes["pitch"] == 60]
    assert (line["onset"][1:] >= (line["onset"] + line["duration"])[:-1]).all()
    assert (line["duration"] > 0).all()
    assert (line["onset"] >= 4 * tpq).all()


CHART = [(0, "C"), (1920, "F"), (3840, "G"), (5760, "C")]


def test_only_chords_of_the_bars_written_go():
    score = tune((0, 7680, 60, 90), chords=CHART)
    after = put(score, [1], [0], chords=[(1, 0, 9, 1, -1), (1, 24, 2, 1, -1)])
    assert after.chords == ((0, "C"), (1920, "Am"), (2880, "Dm"), (3840, "G"), (5760, "C"))


def test_a_chord_that_held_on_holds_again_after_the_bars_written():
    score = tune((0, 7680, 60, 90), chords=[(960, "Cmaj7")])
    after = put(score, [1], [0], chords=[(1, 0, 9, 1, -1)])
    assert after.chords == ((960, "Cmaj7"), (1920, "Am"), (3840, "Cmaj7"))


def test_where_there_was_no_chord_there_is_none_after_the_bars_written():
    score = tune((0, 7680, 60, 90), chords=[(5760, "C")])
    after = put(score, [1], [0], chords=[(1, 0, 9, 1, -1), (2, 0, -1, 0, -1)])
    assert after.chords == ((1920, "Am"), (3840, "N.C."), (5760, "C"))


def test_a_chord_is_said_again_after_a_bar_that_is_not_written():
    score = tune((0, 7680, 60, 90), chords=[(1920, "G")])
    new = [(0, 0, 0, 0, -1), (2, 0, 0, 0, -1), (3, 0, 0, 0, -1)]
    after = put(score, [0, 2, 3], [0], chords=new)
    assert after.chords == ((0, "C"), (1920, "G"), (3840, "C"))


def test_a_chord_a_little_early_belongs_to_the_bar_it_is_meant_for():
    score = tune((0, 7680, 60, 90), chords=[(0, "C"), (1915, "F")])
    after = put(score, [0], [0], chords=[(0, 0, 9, 1, -1)])
    assert after.chords == ((0, "Am"), (1915, "F"))


def test_bars_that_the_grid_cuts_in_two():
    score = Score(480, (Track(notes=[(0, 480 * 26, 60, 90)]),), time_signatures=[(0, 13, 4)])
    assert own_bars(score) == 2
    assert [grid_bars(score, bars) for bars in (0, 1, 2)] == [0, 2, 4]


def test_a_new_note_that_would_have_to_wait_beyond_its_bar_is_left_out():
    score = tune((0, 4800, 60, 90))
    new = [(1, 0, 36, 60, 48, 76), (1, 0, 0, 64, 12, 76)]
    assert rows(put(score, [1], [1], notes=new)) == [(0, 4800, 60), (1920, 480, 64)]


def test_chords_said_at_one_tick_keep_their_order():
    score = tune((0, 7680, 60, 90), chords=[(0, "F"), (0, "C")])
    after = put(score, [2], [0], chords=[(2, 0, 9, 1, -1)])
    assert after.chords == ((0, "F"), (0, "C"), (3840, "Am"), (5760, "C"))


def test_a_chord_that_holds_on_is_not_said_again_by_what_is_written():
    score = tune((0, 7680, 60, 90), chords=[(0, "C")])
    assert put(score, [1], [0], chords=[(1, 0, 0, 0, -1)]).chords == score.chords


def test_new_chords_are_spelled_in_the_key_that_holds_there():
    score = tune((0, 5760, 60, 90)).replace(key_signatures=[(0, 0, 0), (1920, 6, 0), (3840, -6, 0)])
    rows = [(bar, 0, 10, 0, -1) for bar in range(3)]
    changed = put(score, [0, 1, 2], [0], chords=rows)
    assert [text for _, text in changed.chords] == ["Bb", "A#", "Bb"]
