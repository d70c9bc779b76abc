"""New notes take on the dynamics, the timing and the swing of those around them."""

from pathlib import Path

import numpy as np
import pytest

from composer import Score, Track
from composer.edits.cells import put_back
from composer.edits.ticks import positions_of, ticks_of
from composer.score.grid import CELL_NOTE
from composer.theory.keys import Key
from composer.tokenizers.cells.cells import Cells

DATA = Path(__file__).parents[1].joinpath("data")
LATE, SWING = 8, 8  # ticks; positions of the second eighth


def swung(bars=8, **changes):
    """Eighths a little late, the second of each quarter on the third triplet and soft."""
    notes = [
        (480 * quarter + 40 * place + LATE, 200, 60 + quarter % 5, 100 if place == 0 else 60)
        for quarter in range(4 * bars)
        for place in (0, SWING)
    ]
    return Score(480, (Track("Lead", 73, notes=notes, **changes), Track("Low", 33)))


def filled(score, row, rows, *, bar=4, **options):
    """Return the notes put into a bar of a part: (position, duration, velocity) of each."""
    grid = Cells().grid(score, Key(0))
    written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
    written[bar, row + 1] = True
    kept = grid.notes[~written[grid.notes["bar"], grid.notes["part"] + 1]]
    new = np.array([(bar, row, at, 72, length, loud) for at, length, loud in rows], CELL_NOTE)
    after = put_back(score, grid.replace(notes=np.concatenate([kept, new])), written, **options)
    notes = after.tracks[row].notes
    return notes[notes["pitch"] == 72]


STRAIGHT = [(6 * i, 6, 76) for i in range(8)]


def test_without_it_notes_are_on_the_grid():
    notes = filled(swung(), 0, STRAIGHT)
    assert notes["onset"].tolist() == [7680 + 240 * i for i in range(8)]
    assert set(notes["velocity"].tolist()) == {76}


def test_eighths_swing_and_lie_back_as_those_around():
    notes = filled(swung(), 0, STRAIGHT, feel=True)
    late = notes["onset"] - 7680
    assert late[::2].tolist() == [480 * i + LATE for i in range(4)]
    assert late[1::2].tolist() == [480 * i + 40 * SWING + LATE for i in range(4)]
    ends = notes["onset"] + notes["duration"]
    assert ends[:-1].tolist() == notes["onset"][1:].tolist()  # they were legato and are


def test_dynamics_are_those_around():
    notes = filled(swung(), 0, STRAIGHT, feel=True)
    assert notes["velocity"][::2] == pytest.approx(100, abs=6)
    assert notes["velocity"][1::2] == pytest.approx(60, abs=6)


def test_what_was_written_louder_is_louder_as_far_as_others_stray():
    score = swung()
    track = score.tracks[0]
    notes = track.notes.copy()
    notes["velocity"] += np.resize([-9, 9, 9, -9], len(notes))
    score = score.replace(tracks=(track.replace(notes=notes), score.tracks[1]))
    rows = [(12 * i, 12, loud) for i, loud in enumerate((70, 90, 70, 90))]
    loud = filled(score, 0, rows, feel=True)["velocity"]
    assert (loud[1::2] - loud[::2] > 9).all()


def test_where_places_have_to_hold_notes_stay_at_theirs():
    notes = filled(swung(), 0, STRAIGHT, feel=True, moves=False)
    assert (positions_of(notes["onset"], 480) - 4 * 48).tolist() == [6 * i for i in range(8)]
    assert (notes["onset"] > ticks_of(positions_of(notes["onset"], 480), 480)).all()


def test_triplets_and_sixteenths_are_not_swung():
    rows = [(0, 4, 76), (4, 4, 76), (8, 4, 76), (12, 3, 76), (15, 3, 76), (18, 3, 76)]
    notes = filled(swung(), 0, rows, feel=True)
    assert (positions_of(notes["onset"], 480) - 4 * 48).tolist() == [0, 4, 8, 12, 15, 18]


def test_eighths_that_fall_anywhere_have_no_swing():
    score = swung()
    notes = score.tracks[0].notes.copy()
    notes["onset"][1::2] += np.resize([-110, 20, -60, -100, 0], len(notes) // 2)
    score = score.replace(tracks=(score.tracks[0].replace(notes=notes), score.tracks[1]))
    notes = filled(score, 0, STRAIGHT, feel=True)
    assert (positions_of(notes["onset"], 480) - 4 * 48).tolist() == [6 * i for i in range(8)]


def test_a_silent_part_takes_on_the_feel_of_others():
    notes = filled(swung(), 1, STRAIGHT, feel=True)
    assert (notes["onset"] - 7680)[:2].tolist() == [LATE, 40 * SWING + LATE]
    assert filled(Score(480, (Track(),)), 0, STRAIGHT, bar=0, feel=True)["onset"][1] == 240


def test_feel_keeps_notes_in_their_bar_and_in_the_piece():
    early = swung()
    track = early.tracks[0]
    notes = track.notes.copy()
    notes["onset"] = np.maximum(0, notes["onset"] - LATE - 18)
    early = early.replace(tracks=(track.replace(notes=notes), early.tracks[1]))
    new = filled(early, 0, [(0, 12, 76), (42, 6, 76)], bar=7, feel=True)
    assert positions_of(new["onset"], 480)[0] == 7 * 48
    assert (new["onset"] + new["duration"]).max() <= 8 * 1920
    assert filled(early, 0, [(0, 12, 76)], bar=0, feel=True)["onset"][0] == 0


def test_drums_are_told_apart_by_kit_piece():
    hits = [(480 * i, 60, 42, 40) for i in range(64)] + [(960 * i, 60, 36, 110) for i in range(32)]
    score = Score(480, (Track("Kit", is_drum=True, notes=hits),))
    grid = Cells().grid(score, Key(0))
    written = np.zeros((16, 2), bool)
    written[3, 1] = True
    kept = grid.notes[grid.notes["bar"] != 3]
    new = np.array([(3, 0, 12 * i, p, 1, 76) for i in range(4) for p in (36, 42)], CELL_NOTE)
    after = put_back(score, grid.replace(notes=np.concatenate([kept, new])), written, feel=True)
    notes = after.tracks[0].notes
    notes = notes[notes["onset"] // 1920 == 3]
    for pitch, velocity in ((36, 110), (42, 40)):
        assert notes["velocity"][notes["pitch"] == pitch] == pytest.approx(velocity, abs=12)


@pytest.mark.filterwarnings("ignore:.*note of length 0")
def test_a_drummer_is_followed(random_composer):
    score = Score.read(DATA / "jazz_swing.mid")

    def written(**options):
        after = random_composer.infill(score, "9-12", seed=1, **options)
        assert after == random_composer.infill(score, "9-12", seed=1, **options)
        return after.history[-1].tracks[0].notes.put

    plain, felt = written(), written(feel=True)
    around = score.tracks[0].notes
    assert len(plain) == len(felt)
    assert abs(felt["velocity"].mean() - around["velocity"].mean()) < abs(
        plain["velocity"].mean() - around["velocity"].mean()
    )
    assert (plain["onset"] == ticks_of(positions_of(plain["onset"], 480), 480)).all()
    assert (felt["onset"] != plain["onset"]).mean() > 0.5


def test_what_is_played_far_from_the_grid_is_followed_where_nothing_has_to_hold():
    early = [(480 * i + at, 60, 60, 80) for i in range(32) for at in (0, 70)]
    score = Score(480, (Track("Lead", 73, notes=early),))
    rows = [(0, 3, 80), (3, 9, 80)]
    free, bound = (filled(score, 0, rows, feel=True, moves=moves) for moves in (True, False))
    assert free["onset"][1] - 7680 == pytest.approx(70, abs=5)
    assert bound["onset"][1] - 7680 == 100  # the first tick that goes to the sixteenth
    assert free["onset"][0] + free["duration"][0] == free["onset"][1]
