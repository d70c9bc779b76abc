"""Controls: what is read, what the model is told of it, and what is refused."""

import numpy as np
import pytest

import composer
from composer import Controls, RequestError
from composer.controls.controls import controls_for, number
from composer.controls.kinds import KINDS, NAMES
from composer.planning.controls import influences, style_index, target_levels, with_reach
from composer.planning.roles import part_rules
from composer.score.instruments import parse_instrument
from composer.tokenizers import Cells
from composer.tokenizers.cells.cells import CellsConfig
from composer.tokenizers.cells.levels import UNSAID

CELLS = Cells(CellsConfig(styles=("hymn", "song")))


@pytest.fixture(scope="module")
def band():
    """A score of a flute, a piano and drums over four bars, and its grid."""
    flute = composer.Track("Flute", 73, notes=[(480 * i, 480, 72, 90) for i in range(16)])
    piano = composer.Track("Piano", 0, notes=[(1920 * i, 1920, 48, 60) for i in range(4)])
    kit = composer.Track("Drums", is_drum=True, notes=[(960 * i, 60, 36, 100) for i in range(8)])
    score = composer.Score(tracks=(flute, piano, kit), key_signatures=[(0, 2, 0)])
    return score, CELLS.grid(score)


def told(band, *controls, written=None):
    score, grid = band
    written = np.ones((4, 4), bool) if written is None else written
    return target_levels(controls, score, grid, written, 4)


def values(levels):
    """Return what is said, as numbers by control; register as the key has it."""
    said = levels.tolist()
    return {
        name: kind.levels[level]
        for name, kind, level in zip(NAMES, KINDS, said, strict=True)
        if level != UNSAID
    }


def test_words_and_numbers_are_read():
    assert number("density", "busy") == 2
    assert number("dynamics", " MF ") == 80
    assert number("register", "C5") == 72
    assert number("polyphony", 3) == 3


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("density", "bussy", r"density 'bussy' is unknown; take a number or silent, sparse"),
        ("density", 13, r"density 13 is outside 0 to 12 onsets a beat"),
        ("dynamics", 0, r"dynamics 0 is outside 1 to 127 as a velocity"),
        ("register", "H4", r"register 'H4' is unknown"),
        ("syncopation", True, r"syncopation True is outside 0 to 1"),
    ],
)
def test_what_cannot_be_read_is_refused(name, value, message):
    with pytest.raises(RequestError, match=message):
        Controls(**{name: value})


def test_controls_that_aim_at_nothing_are_refused():
    with pytest.raises(RequestError, match=r"Controls\(\) aims at nothing; give one of density"):
        Controls(parts="piano")


def test_every_cell_is_told_and_what_is_said_last_goes_first(band):
    levels = told(band, Controls(density=1), Controls(density=3, parts="piano", bars="2-3"))
    assert (levels.parts == UNSAID).all()
    said = [[values(cell) for cell in bar] for bar in levels.cells]
    plain, busy = {"density": 1}, {"density": 3}
    assert said == [[plain] * 3, *[[plain, busy, plain]] * 2, [plain] * 3]


def test_the_register_is_told_as_the_key_has_it(band):
    # In D major C5 is what B-flat 4 is in C major; levels lie six semitones apart.
    assert values(told(band, Controls(register=74, parts="flute")).cells[0, 0]) == {"register": 72}


def test_drums_are_left_out_of_what_they_have_none_of_unless_they_are_named(band):
    levels = told(band, Controls(register="high", density=1))
    assert values(levels.cells[0, 2]) == {"density": 1}
    with pytest.raises(RequestError, match=r"about Drums, but drums have no register"):
        told(band, Controls(register="high", parts="drums"))


def test_what_is_about_nothing_written_is_refused(band):
    written = np.zeros((4, 4), bool)
    written[:2, 1] = True
    assert told(band, Controls(density=1), written=written).cells[0, 1, 0] == UNSAID
    for control in (Controls(density=1, parts="piano"), Controls(density=1, bars="3-4")):
        with pytest.raises(RequestError, match="is about no notes that are written"):
            told(band, control, written=written)


def test_aims_by_name_are_for_all_parts_or_those_they_name():
    assert controls_for({"density": "busy", "register": None}) == [Controls(density="busy")]
    assert controls_for({"density": {"piano": 1, "bass": "busy"}}) == [
        Controls(density=1, parts="piano"),
        Controls(density="busy", parts="bass"),
    ]


def test_styles_are_those_that_the_model_knows():
    assert style_index(" Song", CELLS.config.styles) == 1
    with pytest.raises(RequestError, match="knows no style 'metal'; it knows hymn, song"):
        style_index("metal", CELLS.config.styles)
    with pytest.raises(RequestError, match="it knows none; leave style out"):
        style_index("metal", ())


def test_an_influence_is_read_part_by_part(band):
    score, grid = band
    written = np.zeros((4, 4), bool)
    written[:, [2, 3]] = True
    found = influences(grid, score, written, ["melody", "accompaniment", None])
    piano, drums = (control.values() for control in found)
    # The piano is alone under the tune, low enough to be its bass.
    assert (piano["density"], piano["register"]) == (0.25, 48)
    assert piano["note_length"] == pytest.approx(4)
    assert (drums["density"], drums["dynamics"]) == (0.5, 100)
    assert "register" not in drums


def test_an_influence_without_a_like_part_is_refused(band):
    score, _ = band
    written = np.zeros((4, 4), bool)
    written[:, 3] = True
    flute = CELLS.grid(score.replace(tracks=score.tracks[:1]))
    with pytest.raises(RequestError, match="no part like those that are written"):
        influences(flute, score, written, ["melody", "accompaniment", None])


def test_rules_leave_room_for_what_is_aimed_at(band):
    score, _ = band
    written = np.ones((4, 4), bool)
    names = ["flute", "piano", "drums"]
    roles = ["melody", "accompaniment", None]
    rules = [part_rules(parse_instrument(n), r) for n, r in zip(names, roles, strict=True)]
    low = with_reach(rules, [Controls(register=30, polyphony=6, parts="piano")], score, written)
    assert low[0] == rules[0]
    assert (low[1].rules[0].low, low[1].rules[0].high) == (21, 42)
    assert low[1].most_notes == 7
    thin = with_reach(rules, [Controls(polyphony="single", parts="piano")], score, written)
    assert thin[1].least_notes == 1 < rules[1].least_notes


def test_verbs_tell_the_model_and_guidance_changes_what_it_writes(random_composer):
    plain = random_composer.melody("C G Am F", seed=1)
    usual, twice = (
        random_composer.melody("C G Am F", seed=1, density="sparse", **guidance)
        for guidance in ({}, {"guidance": 2})
    )
    assert usual == twice
    aimed = random_composer.melody("C G Am F", seed=1, density="sparse", guidance=1)
    led = random_composer.melody("C G Am F", seed=1, density="sparse", guidance=3)
    again = random_composer.melody("C G Am F", seed=1, density="sparse", guidance=3)
    assert plain != aimed != led == again
    # Guidance of nothing weighs nothing.
    assert random_composer.melody("C G Am F", seed=1, guidance=3) == plain
    # No weight at all is as if nothing had been said, but for the rules that made room.
    assert random_composer.melody("C G Am F", seed=1, dynamics="ff", guidance=0) == plain


def test_an_unknown_style_and_a_wrong_guidance_are_refused(random_composer):
    with pytest.raises(RequestError, match="knows no style 'polka'"):
        random_composer.melody("C", style="polka")
    with pytest.raises(RequestError, match="guidance 11 is outside 0 to 10"):
        random_composer.melody("C", guidance=11)


def test_a_patch_says_what_was_aimed_at(random_composer):
    author = random_composer.melody("C", seed=1, density="sparse").history[-1].author
    assert (author.controls, author.style) == ((Controls(density="sparse"),), "")
