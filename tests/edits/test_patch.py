"""Patches: there and back is nothing, and what is apart may be done in any order."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import Score, Text, Track, diff
from composer.edits.cells import chord_stretches, grid_bars, own_bars, put_back
from composer.edits.patch import Author, patch_between, recorded, regions_of, signed
from composer.errors import RequestError
from composer.score.grid import CELL_CHORD, CELL_NOTE
from composer.theory.keys import Key
from composer.tokenizers.cells.cells import Cells
from tests.strategies import moderate, scores, tracks

ME = Author("me")


@st.composite
def edits(draw):
    """A score and another that some of it is in, tracks in any order."""
    before = draw(scores(max_tracks=4))
    other = draw(scores(max_tracks=2))
    kept = draw(st.permutations(before.tracks)) if draw(st.booleans()) else before.tracks
    kept = [track for track in kept if draw(st.integers(0, 3))]
    new = []
    for track in kept:
        again = draw(tracks(before.tpq))
        names = ("notes", "controls", "pitch_bends", "pedals", "lyrics")
        changed = {name: getattr(again, name) for name in names if not draw(st.integers(0, 3))}
        new.append(track.replace(**changed))
    for track in draw(st.lists(tracks(before.tpq), max_size=2)):
        new.insert(draw(st.integers(0, len(new))), track)
    fields = ("tempos", "time_signatures", "key_signatures", "markers", "chords")
    changed = {name: getattr(other, name) for name in fields if not draw(st.integers(0, 3))}
    return before, before.replace(tracks=new, **changed)


@moderate
@given(pair=edits())
def test_a_patch_makes_one_score_of_the_other_and_back(pair):
    before, after = pair
    patch = diff(before, after, by="me")
    assert before.apply(patch) == after
    assert after.apply(patch.revert()) == before
    assert before.apply(patch).undo() == before
    assert patch.revert().revert() == patch


def song(bars=6, chords=((0, "C"), (5760, "F"), (7680, "G"))):
    """A tune and a bass, a note a beat, with notes of one pitch that overlap."""
    lead = [
        (480 * i, min(1500, 1920 * bars - 480 * i), 60 + i % 3, 70 + i) for i in range(4 * bars)
    ]
    low = [(1920 * bar, 1920, 36, 80) for bar in range(bars)]
    tracks = (Track("Lead", 73, notes=lead), Track("Bass", 33, notes=low))
    return Score(480, tracks, chords=[Text(*c) for c in chords])


def written(score, cells, rng):
    """Return a score with cells written by chance, as verbs do it, and its patch."""
    grid = Cells().grid(score, Key(0), grid_bars(score, own_bars(score)))
    notes, chords = [], []
    for bar, column in np.argwhere(cells).tolist():
        for position in sorted(rng.choice(48, rng.integers(1, 4), replace=False).tolist()):
            if column:
                row = (bar, column - 1, position, 60 + rng.integers(3), rng.integers(1, 60), 76)
                notes.append(row)
            else:
                position *= bool(chords and chords[-1][0] == bar)
                chords.append((bar, position, [0, 5, 7, -1][rng.integers(4)], 0, -1))
    kept = ~cells[grid.notes["bar"], grid.notes["part"] + 1]
    kept_chords = ~cells[grid.chords["bar"], 0]
    rows = np.concatenate([grid.chords[kept_chords], np.array(chords, CELL_CHORD)])
    grid = grid.replace(
        notes=np.concatenate([grid.notes[kept], np.array(notes, CELL_NOTE)]),
        chords=np.sort(rows, order=["bar", "position"]),
    )
    after = put_back(score, grid, cells)
    stretches = chord_stretches(score, grid, cells[:, 0])
    return recorded(score, after, ME, regions_of(score, cells), stretches)


@st.composite
def charts(draw):
    ticks = draw(st.lists(st.sampled_from((0, 1910, 1920, 3840, 4000, 5760, 7680)), max_size=5))
    return [(tick, draw(st.sampled_from(("C", "F", "N.C.", "what?")))) for tick in sorted(ticks)]


@pytest.mark.filterwarnings("ignore:chord symbols that cannot be read")
@moderate
@given(chart=charts(), seed=st.integers(0, 999), data=st.data())
def test_patches_of_cells_apart_commute(chart, seed, data):
    base, rng = song(chords=chart), np.random.default_rng(seed)
    owner = rng.integers(0, 4, (6, 3))  # the fourth leaves a cell alone
    patches = [written(base, owner == i, rng).history[-1] for i in range(3) if (owner == i).any()]
    results = []
    for order in itertools.permutations(patches):
        score = base
        for patch in order:
            score = score.apply(patch)
        results.append(score)
        for patch in data.draw(st.permutations(order)):
            score = score.apply(patch.revert())
        assert score == base
    assert all(result == results[0] for result in results)


def test_the_chord_that_holds_on_is_said_again_only_while_it_has_to_be():
    base = song(chords=[(0, "C")])
    first = base.replace(chords=[Text(0, "Am"), Text(3840, "C")])
    second = base.replace(chords=[Text(0, "C"), Text(3840, "F"), Text(5760, "C")])
    bars = np.zeros((6, 3), bool)
    grid = Cells().grid(base, Key(0))
    patches = []
    for after, where in ((first, slice(0, 2)), (second, slice(2, 3))):
        mask = bars.copy()
        mask[where, 0] = True
        stretches = chord_stretches(base, grid, mask[:, 0])
        patches.append(patch_between(base, after, ME, stretches=stretches))
    both = base.apply(patches[0]).apply(patches[1])
    assert both.chords == ((0, "Am"), (3840, "F"), (5760, "C"))
    assert both == base.apply(patches[1]).apply(patches[0])
    assert both.apply(patches[0].revert()) == second
    assert both.apply(patches[1].revert()) == first


def test_tracks_added_to_one_score_come_in_one_order():
    base = song()
    new = [Track("Zither", 15), Track("Oboe", 68), Track("Piano", 0, notes=[(0, 9, 60, 90)])]
    patches = [
        diff(base, base.replace(tracks=(*base.tracks, *added)), by="me")
        for added in (new[:2], new[2:], [Track("Piano")])
    ]
    results = []
    for order in itertools.permutations(patches):
        score = base
        for patch in order:
            score = score.apply(patch)
        results.append(score)
    assert all(result == results[0] for result in results)
    names = [track.name for track in results[0].tracks]
    assert names == ["Lead", "Bass", "Piano", "Piano", "Zither", "Oboe"]


def test_a_track_is_found_when_others_have_come_and_gone():
    base = song()
    louder = base.tracks[1].replace(notes=[(0, 480, 40, 100)])
    patch = diff(base, base.replace(tracks=(base.tracks[0], louder)), by="me")
    moved = base.replace(tracks=(Track("New", 5), base.tracks[1]))
    assert moved.apply(patch).tracks == (Track("New", 5), louder)


def test_of_tracks_that_are_alike_those_that_stay_are_told_by_their_notes():
    twins = [Track("Piano", notes=[(0, 480, pitch, 90)]) for pitch in (60, 64, 67)]
    before = Score(tracks=twins)
    patch = diff(before, Score(tracks=twins[1:]), by="me")
    assert [placed.track for placed in patch.taken] == twins[:1]
    assert not patch.tracks


BASE = song()
SHORT = BASE.tracks[0].replace(notes=BASE.tracks[0].notes[1:])


@pytest.mark.parametrize(
    ("after", "changed", "message"),
    [
        ({"tracks": (SHORT, BASE.tracks[1])}, {"tracks": (SHORT, BASE.tracks[1])},
         "out of Lead: a note of pitch 60 at tick 0; apply the patch to the score that it was"),
        ({"tracks": BASE.tracks[:1]}, {"tracks": (SHORT, BASE.tracks[1].replace(notes=()))},
         "does not hold Bass as it was"),
        ({"tracks": (SHORT, BASE.tracks[1])}, {"tracks": BASE.tracks[1:]}, "hold the track Lead"),
        ({"tempos": [(0, 400_000)]}, {"tempos": [(0, 300_000)]},
         "out of tempos: nothing else at tick 0"),
        ({"tempos": [(0, 400_000)]}, {"tpq": 96}, "counts 480 ticks a quarter and the score 96"),
        ({"chords": [Text(0, "Am"), *BASE.chords[1:]]}, {"chords": BASE.chords[1:]},
         "out of chords: the chords as they were at tick 0"),
    ],
)  # fmt: skip
def test_a_score_that_does_not_hold_what_is_taken_out_is_refused(after, changed, message):
    patch = diff(BASE, BASE.replace(**after), by="me")
    with pytest.raises(RequestError, match=message):
        BASE.replace(**changed).apply(patch)


def test_scores_that_count_otherwise_have_no_patch():
    with pytest.raises(RequestError, match="480 ticks a quarter and the other 96"):
        diff(BASE, BASE.replace(tpq=96), by="me")


def test_history_is_kept_and_not_compared():
    after = BASE.replace(tracks=(SHORT, BASE.tracks[1]))
    score = BASE.apply(diff(BASE, after, by="me"))
    assert score == after
    assert "history" not in repr(score)
    (patch,) = score.replace(markers=[Text(0, "A")]).history
    assert str(patch) == "edit by me: bar 1 of Lead; 1 notes out, 0 in"
    back = score.apply(patch.revert())
    assert [str(p).partition(" by")[0] for p in back.history] == ["edit", "revert of edit"]
    assert back.undo().undo() == BASE
    assert score.undo().history == ()
    with pytest.raises(RequestError, match="has no history"):
        BASE.undo()
    with pytest.raises(RequestError, match="does not hold what the patch takes out"):
        score.apply(diff(after, BASE, by="me")).replace(tracks=after.tracks).undo()


def test_what_a_verb_does_is_one_patch():
    cells = np.zeros((6, 3), bool)
    cells[1:3, :2] = True
    score = written(BASE.replace(chords=()), cells, np.random.default_rng(1))
    whole = signed(BASE, score.replace(tracks=(*score.tracks, Track("Chords"))), "harmonize")
    (patch,) = whole.history
    assert whole.undo() == BASE
    assert (patch.author.name, patch.author.verb) == ("me", "harmonize")
    assert [str(region) for region in patch.regions] == [
        "bars 2-3 of the chords", "bars 2-3 of Lead"
    ]  # fmt: skip


def test_an_author_in_words():
    author = Author("composer", "infill", "small 3fa9", seed=3, version="0.1.0")
    assert str(author) == "composer 0.1.0 (small 3fa9, seed 3)"
    assert str(dataclasses.replace(author, model="", seed=None)) == "composer 0.1.0"
