import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import Score, TokenError, Track
from composer.controls.kinds import KINDS
from composer.theory.chords import QUALITIES
from composer.theory.keys import Key
from composer.tokenizers import Cells, CellsConfig
from composer.tokenizers.cells.cells import home_key
from composer.tokenizers.cells.codec import restated_chords
from composer.tokenizers.cells.levels import UNSAID, Levels
from composer.tokenizers.cells.vocabulary import ROLES
from composer.tokenizers.families import transposition
from tests.strategies import every_cells, moderate, scores, seeds, walk

FORMATS = [
    Cells(),
    Cells(CellsConfig(velocity_bins=1, styles=("waltz", "jig"))),
    Cells(CellsConfig(velocity_bins=63)),
]
formats = pytest.mark.parametrize("cells", FORMATS, ids=lambda cells: str(cells.config))
MAX_BARS = 40  # of drawn grids; the Fill form numbers 64


def obvious(cells, grid):
    """Return the tokens of a whole grid, one cell after the other."""
    up, bins = transposition(grid.key), cells.config.velocity_bins
    heads = [(f"TimeSig_{n}/{d}", f"Tempo_{round(60e6 / mspq)}") for n, d, mspq in grid.bars]
    tokens = ["BOS", f"Key_{grid.key.tonic}{grid.key.mode[:3]}", *heads[0]]
    for row, part in enumerate(grid.parts):
        tokens += [f"Part_{row}", f"Program_{'drums' if part.is_drum else part.program}"]
    for bar, head in enumerate(heads):
        tokens += [f"Bar_{bar % 64}"]
        tokens += [token for token, first in zip(head, heads[0], strict=True) if token != first]
        tokens += chord_cell(grid, bar, up)
        for row, part in enumerate(grid.parts):
            cell = grid.notes[(grid.notes["bar"] == bar) & (grid.notes["part"] == row)]
            tokens += [f"Part_{row}"] * bool(len(cell))
            said, level = None, None
            for _, _, position, pitch, duration, velocity in cell.tolist():
                tokens += [f"Position_{position}"] * (position != said)
                tokens += [f"Velocity_{velocity * bins // 128}"] * (velocity != level)
                tokens += [f"Drum_{pitch}"] if part.is_drum else [f"Pitch_{pitch + up}"]
                tokens += [] if part.is_drum else [f"Duration_{duration}"]
                said, level = position, velocity
    return [*tokens, "EOS"]


def chord_cell(grid, bar, up):
    """Return the tokens of a bar's chords, the one that holds said again."""
    before = grid.chords[grid.chords["bar"] < bar][-1:].tolist()
    inside = [row[1:] for row in grid.chords.tolist() if row[0] == bar]
    if before and not (inside and inside[0][0] == 0):
        inside = [(0, *before[0][2:]), *inside]
    tokens = ["Part_chords"] * bool(inside)
    for position, root, quality, bass in inside:
        name = "N.C." if root < 0 else f"{(root + up) % 12}:{QUALITIES[quality].name or 'maj'}"
        tokens += [f"Position_{position}", f"Chord_{name}"]
        tokens += [f"Bass_{(bass + up) % 12}"] if bass >= 0 else []
    return tokens


def assert_same(grid, other):
    assert (grid.key, grid.parts) == (other.key, other.parts)
    for name in ("bars", "notes", "chords"):
        assert np.array_equal(getattr(grid, name), getattr(other, name)), name


@st.composite
def fillings(draw):
    """A grid, and how a sequence of the Fill form may say all of it."""
    cells = draw(st.sampled_from(FORMATS))
    score = draw(scores())
    grid = cells.grid(score)
    if len(grid.bars) > MAX_BARS:
        grid = cells.grid(score, bars=MAX_BARS)
    bars = draw(st.permutations(range(len(grid.bars))))
    cut = draw(st.integers(0, len(bars)))
    rng = np.random.default_rng(draw(seeds))
    written = rng.random((len(bars), 1 + len(grid.parts))) < draw(st.sampled_from((0, 0.5, 1)))
    form = {
        "context": sorted(bars[:cut]),
        "fill": bars[cut:],
        "written": draw(st.sampled_from((written, None))),
        "left": draw(st.sampled_from((np.arange(len(bars))[::-1], None))),
        "roles": draw(st.lists(st.sampled_from((None, *ROLES)), max_size=len(grid.parts))),
        "levels": draw(st.sampled_from((drawn_levels(cells, grid, rng), None))),
    }
    return cells, grid, form


def drawn_levels(cells, grid, rng):
    """Controls for about half of all parts and cells."""
    levels = Levels.none(len(grid.bars), len(grid.parts))
    for table in (levels.parts, levels.cells):
        for column, kind in enumerate(KINDS):
            drawn = rng.integers(0, len(kind.levels), table.shape[:-1])
            table[..., column] = np.where(rng.random(drawn.shape) < 0.5, drawn, UNSAID)
    styles = len(cells.config.styles)
    return dataclasses.replace(levels, style=int(rng.integers(styles)) if styles else UNSAID)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(cells=every_cells, score=scores())
def test_round_trip_in_every_configuration(cells, score):
    quantized = cells.quantize(score)
    assert cells.quantize(quantized) == quantized
    ids = cells.encode(quantized)
    assert ids.dtype == np.int32
    assert np.array_equal(cells.encode(score), ids)
    assert np.array_equal(cells.grammar.check(ids), ids)
    assert cells.grammar._scan.accepts(ids)
    assert cells.validate(ids, canonical=True) == []  # a walk
    decoded = cells.decode(ids)
    assert decoded == quantized
    assert np.array_equal(cells.encode(decoded), ids)


@formats
@moderate
@given(score=scores(max_tracks=3))
def test_arrays_say_what_a_plain_loop_says(cells, score):
    grid = cells.grid(score)
    assert cells.ids_to_tokens(cells.encode_grid(grid)) == obvious(cells, grid)


@moderate
@given(drawn=fillings())
def test_the_fill_form_says_the_same_grid(drawn):
    cells, grid, form = drawn
    ids = cells.encode_grid(grid, **form)
    assert_same(cells.decode_grid(ids), grid)


@moderate
@given(drawn=fillings())
def test_blank_empties_exactly_the_written_cells(drawn):
    cells, grid, form = drawn
    blank = cells.decode_grid(cells.encode_grid(grid, **form, blank=True))
    empty = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
    if form["written"] is not None:
        empty[form["fill"]] = form["written"][form["fill"]]
    kept = grid.notes[~empty[grid.notes["bar"], grid.notes["part"] + 1]]
    assert np.array_equal(blank.notes, kept)
    assert np.array_equal(blank.bars, grid.bars)
    said = restated_chords(grid)
    said = said[~empty[said["bar"], 0]]
    changed = [i == 0 or said[i].tolist()[2:] != said[i - 1].tolist()[2:] for i in range(len(said))]
    assert np.array_equal(blank.chords, said[changed] if len(said) else said)


@moderate
@given(drawn=fillings())
def test_written_cells_are_named_and_come_last_in_their_bar(drawn):
    cells, grid, form = drawn
    tokens = cells.ids_to_tokens(cells.encode_grid(grid, **form))
    assert tokens.count("Fill") == bool(form["fill"])
    for bar in form["fill"] if form["written"] is not None else []:
        start = tokens.index(f"Bar_{bar}", tokens.index("Fill"))
        said = []
        for token in tokens[start + 1 :]:
            if token.startswith(("Bar_", "EOS")):
                break
            said += [token.removeprefix("Part_")] if token.startswith("Part_") else []
        rows = [0 if name == "chords" else int(name) + 1 for name in said]
        late = [bool(form["written"][bar, row]) for row in rows]
        assert late == sorted(late)
        assert sum(late) == form["written"][bar].sum()


@moderate
@given(drawn=fillings())
def test_controls_are_said_of_parts_and_of_written_cells(drawn):
    cells, grid, form = drawn
    ids = cells.encode_grid(grid, **form)
    assert cells.grammar._scan.accepts(cells.grammar.check(ids))
    tokens = cells.ids_to_tokens(ids)
    levels = form["levels"] or Levels.none(len(grid.bars), len(grid.parts))
    said, bar, part = [], None, None
    for token in tokens:
        family, _, label = token.partition("_")
        if family == "Bar":
            bar, part = int(label), None
        elif family == "Part":
            part = label
        elif family == "Control":
            said.append((bar, int(part), label))
        elif family == "Style":
            assert label == cells.config.styles[levels.style]
    assert ("Style" in "".join(tokens)) == (levels.style != UNSAID)
    expected = [(None, row, names) for row, names in enumerate(map(spelled, levels.parts))]
    if form["written"] is not None:
        expected += [
            (bar, row, spelled(levels.cells[bar, row]))
            for bar in form["fill"]
            for row in np.flatnonzero(form["written"][bar, 1:]).tolist()
        ]
    assert said == [(bar, row, name) for bar, row, names in expected for name in names]


def spelled(levels):
    """Return what the tokens of a row of levels say, kinds in order."""
    pairs = zip(KINDS, levels.tolist(), strict=True)
    return [f"{kind.name}:{kind.levels[level]:g}" for kind, level in pairs if level != UNSAID]


@formats
@moderate
@given(seed=seeds, length=st.integers(0, 150))
def test_whatever_the_grammar_allows_is_music(cells, seed, length):
    ids = walk(cells.grammar, seed, length, without=("Fill", "Left", "Role"))
    once = cells.encode_grid(cells.decode_grid(ids))
    assert np.array_equal(cells.encode_grid(cells.decode_grid(once)), once)
    score = cells.decode(ids)
    assert np.array_equal(cells.encode(cells.decode(cells.encode(score))), cells.encode(score))


@moderate
@given(seed=seeds, length=st.integers(0, 150))
def test_whatever_the_grammar_allows_after_fill_is_music(seed, length):
    cells = Cells()
    grid = cells.decode_grid(walk(cells.grammar, seed, length))
    once = cells.encode_grid(grid)
    assert np.array_equal(cells.encode_grid(cells.decode_grid(once)), once)


@pytest.mark.parametrize("tonic", range(12))
def test_a_tune_has_the_same_ids_in_every_key(tonic):
    key = Key(tonic)
    tune = Track(notes=[(12 * i, 12, 60 + tonic + step, 90) for i, step in enumerate((0, 4, 7))])
    score = Score(12, (tune,), key_signatures=[(0, key.sharps, 0)], chords=[(0, key.spell(tonic))])
    tokens = Cells().ids_to_tokens(Cells().encode(score))
    octave = (
        {"Pitch_60", "Pitch_64", "Pitch_67"} if tonic < 6 else {"Pitch_72", "Pitch_76", "Pitch_79"}
    )
    assert {token for token in tokens if token.startswith("Pitch")} == octave
    assert "Chord_0:maj" in tokens


def test_the_key_is_the_first_signatures_or_inferred():
    scale = [(12 * i, 12, pitch, 90) for i, pitch in enumerate((62, 64, 66, 67, 69, 71, 73, 74))]
    tune = Score(12, (Track(notes=[*scale, (96, 48, 62, 90)]),))
    assert home_key(tune) == Key.parse("D")
    assert home_key(tune.replace(key_signatures=[(0, -2, 1), (48, 0, 0)])) == Key.parse("Gm")


def test_bars_past_64_are_numbered_again():
    score = Score(12, (Track(notes=[(48 * 130, 12, 60, 90)]),))
    tokens = Cells().ids_to_tokens(Cells().encode(score))
    bars = [int(token.removeprefix("Bar_")) for token in tokens if token.startswith("Bar_")]
    assert bars == [i % 64 for i in range(131)]


def test_roles_and_bars_left_are_said():
    cells = Cells()
    grid = cells.grid(Score(12, (Track(notes=[(48 * 9, 12, 60, 90)]), Track(program=32))))
    ids = cells.encode_grid(grid, left=range(9, -1, -1), roles=[None, "bass"])
    tokens = cells.ids_to_tokens(ids)
    assert tokens[tokens.index("Part_1") :][:3] == ["Part_1", "Program_32", "Role_bass"]
    assert [token for token in tokens if token.startswith("Left")] == [
        f"Left_{i}" for i in range(7, -1, -1)
    ]
    assert "Role_melody" not in tokens


def test_more_than_64_tracks_are_refused():
    score = Score(12, [Track(notes=[(0, 12, 60, 90)])] * 65)
    with pytest.raises(TokenError, match="has 65 tracks; cells holds 64: merge or drop some"):
        Cells().encode(score)
    assert len(Cells().decode(Cells().encode(score.replace(tracks=score.tracks[:64]))).tracks) == 64


@pytest.mark.parametrize("bins", [0, 65])
def test_settings_out_of_range_are_refused(bins):
    with pytest.raises(TokenError, match=f"velocity_bins {bins} is outside 1 to 64"):
        CellsConfig(velocity_bins=bins)


def test_the_order_of_tracks_and_silent_ones_make_no_difference():
    tracks = (
        Track("Kit", is_drum=True, notes=[(0, 1, 36, 90)]),
        Track("Flute", 73, notes=[(0, 12, 72, 90)]),
        Track("Piano", 0, notes=[(0, 12, 60, 90)]),
        Track("Second piano", 0, notes=[(0, 12, 48, 90)]),
    )
    cells = Cells()
    ids = cells.encode(Score(12, tracks))
    assert np.array_equal(cells.encode(Score(12, (Track("Silent", 5), *tracks[::-1]))), ids)
    programs = [(t.program, t.is_drum) for t in cells.decode(ids).tracks]
    assert programs == [(0, False), (0, False), (73, False), (0, True)]
