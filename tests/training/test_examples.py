import numpy as np
import pytest

from composer import Score, Track
from composer.controls.kinds import REGISTER
from composer.controls.measures import measure_cells, measure_parts
from composer.planning.roles import part_roles
from composer.score.grid import Grid
from composer.tokenizers import Cells
from composer.tokenizers.cells.cells import CellsConfig
from composer.tokenizers.cells.levels import UNSAID, level_of
from composer.tokenizers.families import transposition
from composer.training.corpus import prepare
from composer.training.examples import (
    TASKS,
    Examples,
    Memory,
    draw_levels,
    draw_memory,
    draw_task,
    rename_key,
)

CELLS = Cells(CellsConfig(styles=("folk", "rock")))


def song(seed: int) -> Score:
    rng = np.random.default_rng(seed)

    def line(low: int, step: int) -> list[tuple[int, int, int, int]]:
        return [(i, step, low + int(rng.integers(12)), 90) for i in range(0, 480 * 64, step)]

    return Score(
        tracks=(
            Track("Piano", 0, notes=line(50, 240) + line(64, 240)),
            Track("Voice", 53, notes=line(66, 480)),
            Track("Bass", 33, notes=line(30, 960)),
            Track("Drums", is_drum=True, notes=line(36, 480)),
        ),
        chords=[(1920 * i, text) for i, text in enumerate(["C", "Am", "F", "G7"] * 4)],
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("midi")
    for i in range(40):
        song(i).write(folder / f"{i}.mid")
    return prepare(folder, tmp_path_factory.mktemp("corpus") / "out", CELLS)


def examples(corpus, **changes):
    settings = {"held_out": False, "context_length": 512, "rows": 20, **changes}
    return Examples(corpus, **settings)


def test_a_row_is_always_the_same_and_rows_differ(corpus):
    one, two = examples(corpus), examples(corpus)
    np.testing.assert_array_equal(one.row(3), two.row(3))
    assert not np.array_equal(one.row(3), one.row(4))
    assert not np.array_equal(one.row(3), examples(corpus, seed=1).row(3))
    assert one.row(3).shape == (512,)
    assert one[3]["input_ids"].tolist() == one.row(3).tolist()


def test_controls_are_shown_and_not_learned(corpus):
    row = examples(corpus)[3]
    families = [CELLS.vocabulary.token(i).split("_")[0] for i in row["input_ids"].tolist()]
    given = [family in ("Control", "Style") for family in families]
    assert any(given)
    assert (row["labels"] == np.where(given, -100, row["input_ids"])).all()


def test_every_example_keeps_the_grammar(corpus):
    drawn = examples(corpus)
    rng = np.random.default_rng(0)
    for _ in range(60):
        ids = drawn._example(rng)
        assert len(ids) <= 512
        CELLS.grammar.check(ids)


def test_held_out_pieces_are_never_drawn_for_training(corpus):
    train, held_out = examples(corpus), examples(corpus, held_out=True)
    assert set(train._indices).isdisjoint(held_out._indices)
    assert len(train._indices) + len(held_out._indices) == len(corpus.pieces)


def test_roles_are_judged_by_the_notes():
    grid = CELLS.grid(song(0))
    assert part_roles(grid) == ["accompaniment", "melody", "bass", None]


@pytest.mark.parametrize("kind", TASKS)
def test_a_task_says_every_bar_once_and_writes_something(kind):
    grid = CELLS.grid(song(1))
    roles = part_roles(grid)
    for seed in range(30):
        task = draw_task(kind, grid, roles, np.random.default_rng(seed))
        assert sorted([*task.context, *task.fill]) == list(range(len(grid.bars)))
        assert task.written[task.fill].any()
        if kind == "chords":
            assert task.written[task.fill, 0].all()
            assert not task.written[:, 1:].any()
        if kind == "arrange":
            assert not task.written[:, [0, 2]].any()


def test_another_name_for_the_key_moves_no_relative_pitch():
    ids = CELLS.encode(song(2))
    rng = np.random.default_rng(0)
    renamed = [rename_key(ids, CELLS, rng) for _ in range(50)]
    keys = {CELLS.ids_to_tokens(r)[1] for r in renamed}
    assert len(keys) > 6
    assert len({key[-3:] for key in keys}) == 1
    assert all((r[2:] == ids[2:]).all() for r in renamed)


def test_balance_draws_small_groups_more_often(tmp_path):
    folder = tmp_path / "midi"
    for group, count in (("few", 12), ("many", 60)):
        (folder / group).mkdir(parents=True)
        for i in range(count):
            song(i).write(folder / group / f"{i}.mid")
    corpus = prepare(folder, tmp_path / "out", CELLS)

    def share(balance: float) -> float:
        drawn = examples(corpus, balance=balance)
        few = np.array([corpus.pieces[i].group == "few" for i in drawn._indices])
        return float(drawn._weights[few].sum())

    assert share(1.0) < 0.25 < share(0.5) < share(0.0) == pytest.approx(0.5)


def test_drums_are_borrowed_only_in_the_same_meter(tmp_path):
    folder = tmp_path / "midi"
    folder.mkdir()
    waltz = [(480 * i, 480, 60 + i % 5, 90) for i in range(3 * 24)]
    beat = [(480 * i, 120, 36 + 2 * (i % 2), 90) for i in range(4 * 40)]
    for i in range(30):
        Score(tracks=(Track("Tune", 73, notes=waltz),), time_signatures=[(0, 3, 4)]).write(
            folder / f"waltz{i}.mid"
        )
        Score(tracks=(Track(is_drum=True, notes=beat),)).write(folder / f"beat{i}.mid")
    corpus = prepare(folder, tmp_path / "out", CELLS)
    drawn = examples(corpus)
    rng = np.random.default_rng(0)
    three: Grid = corpus.grid(next(i for i, p in enumerate(corpus.pieces) if "waltz" in p.path))
    assert all(drawn._borrow_drums(three, rng) is None for _ in range(20))
    four = CELLS.grid(song(0).replace(tracks=song(0).tracks[:1]))
    lent = [drawn._borrow_drums(four, rng) for _ in range(20)]
    assert all(grid is not None and grid.parts[-1].is_drum for grid in lent)


def test_controls_say_what_the_written_notes_measure():
    grid = CELLS.grid(song(3))
    roles = part_roles(grid)
    said = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        task = draw_task("infill", grid, roles, rng)
        levels = draw_levels(grid, task, 1, rng)
        written = np.zeros((len(grid.bars), len(grid.parts)), bool)
        written[task.fill] = task.written[task.fill, 1:]
        for told, values in (
            (levels.parts, measure_parts(grid, written)),
            (levels.cells, measure_cells(grid)),
        ):
            values[..., REGISTER] += transposition(grid.key)
            kept = told != UNSAID
            assert (told[kept] == level_of(values)[kept]).all()
            said += kept.sum()
        assert not (levels.cells != UNSAID)[~written].any()
        assert levels.style in (1, UNSAID)
    assert said > 100


def test_a_memory_is_of_bars_before_the_window():
    drawn = [draw_memory(40, 16, np.random.default_rng(seed)) for seed in range(200)]
    assert 30 < sum(memory.bars > 0 for memory in drawn) < 90
    assert max(memory.before for memory in drawn) == 40
    assert all(0 <= memory.bars <= max(memory.before, 0) for memory in drawn)
    assert {draw_memory(0, 16, np.random.default_rng(seed)) for seed in range(50)} == {Memory()}
    # What is numbered alike would be taken for the same bar.
    assert max(draw_memory(500, 24, np.random.default_rng(s)).before for s in range(200)) == 40


def test_a_task_with_a_memory_says_its_bars_and_writes_none_of_them():
    grid = CELLS.grid(song(4))
    task = draw_task("everything", grid, part_roles(grid), np.random.default_rng(0), Memory(6, 2))
    assert task.context[:2] == [0, 1]
    assert sorted([*task.context[2:], *task.fill]) == [*range(6, 16)]
    assert not task.written[:6].any()


def test_pieces_are_in_the_style_of_their_folder(tmp_path):
    for i in range(12):
        (tmp_path / "midi" / ("folk", "rock", "jazz")[i % 3]).mkdir(parents=True, exist_ok=True)
        song(i).write(tmp_path / "midi" / ("folk", "rock", "jazz")[i % 3] / f"{i}.mid")
    corpus = prepare(tmp_path / "midi", tmp_path / "out", CELLS)
    drawn = examples(corpus, styles={"jazz": "rock"})
    named = {piece.group: style for piece, style in zip(corpus.pieces, drawn._styles, strict=True)}
    assert named == {"folk": 0, "rock": 1, "jazz": 1}
