"""What players can do, and notes that stay: on random weights, by brute force on small cells."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest

from composer import (
    ChordTones,
    Locked,
    Monophonic,
    OnsetCount,
    PitchRange,
    Playable,
    RequestError,
    Rhythm,
    Score,
    Track,
    check,
)
from composer.constraints.playable import Technique, beside, bits_of, fit
from composer.generate.writer import Writer
from composer.planning.constraints import post
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.keys import Key
from tests.brute import asked

# What can be played together


def test_two_hands_hold_what_any_sharing_out_holds():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        way = Playable(int(rng.choice([3, 12, 14]))).technique(int(rng.choice([0, 46])))
        width = int(rng.choice([10, 20, 30, 44]))
        notes = 40 + rng.choice(width, int(rng.integers(min(width, 9))), replace=False)
        expected = asked.can_play(frozenset(notes.tolist()), way)
        assert fit(bits_of(notes.tolist()), (way,)) == expected, (notes, way)
        held += expected
    assert 100 < held < 350


def test_what_may_be_added_is_what_then_can_be_played():
    ways = (Playable(9).technique(0), Technique(0, 127, fingers=2, span=20))
    for notes in combinations((40, 44, 50, 60, 71), 3):
        bits = bits_of(notes)
        if fit(bits, ways):
            alone = [fit(bits | 1 << pitch, ways) for pitch in range(128)]
            assert beside(bits, ways).tolist() == alone


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ([36, 38, 42, 44], True),
        ([35, 36], False),
        ([38, 42, 49], False),
        ([36, 44], True),
        ([38, 49], True),
    ],
)
def test_a_drummer_has_two_hands_and_two_feet(pitches, expected):
    assert fit(bits_of(pitches), (Playable().technique(0, True),)) == expected


def test_each_instrument_has_a_way_to_be_played():
    ways = [Playable().technique(program) for program in range(128)]
    assert [ways[program].notes for program in (0, 24, 33, 40, 56, 73, 48)] == [
        None, 6, 4, 1, 1, 1, None,
    ]  # fmt: skip
    assert all((way.fingers > 0) == (way.span > 0) for way in ways)


# Small cells, all notes tried

_PLAYERS = [(0, False), (46, False), (108, False), (42, False), (0, True)]
_PIECES = [(35, 36), (43, 44), (38, 39)]


def tiny_request(seed):
    """Return a request for one bar of 1/16 between two others, and its constraints."""
    rng = np.random.default_rng([seed, 9])
    program, is_drum = _PLAYERS[rng.integers(len(_PLAYERS))]
    low, high = _PIECES[rng.integers(3)] if is_drum else (60, 61)
    near = [*range(35, 45)] if is_drum else [50, 60, 60, 61, 64, 73]
    notes = [
        (bar, 0, int(rng.integers(3)), pitch, 1 if is_drum else int(rng.integers(1, 6)), 76)
        for bar in range(3)
        for pitch in {*rng.choice(near, int(rng.integers(4))).tolist()}
    ]
    grid = Grid(
        Key(0),
        (Part("A", program, is_drum),),
        np.array([(1, 16, 500_000)] * 3, BAR),
        sorted_notes(np.array(notes, CELL_NOTE)),
        np.empty(0, CELL_CHORD),
    )
    where = [PitchRange(low, high if rng.random() < 0.8 else low, parts=1, bars=2)]
    scope = {"bars": None if rng.random() < 0.5 else 2}
    where += [Playable(int(rng.integers(1, 13)), **scope)] * bool(rng.random() < 0.9)
    where += [OnsetCount(min=int(rng.integers(1, 4)), bars=2)] * bool(rng.random() < 0.7)
    where += [OnsetCount(max=int(rng.integers(1, 3)), bars=2)] * bool(rng.random() < 0.3)
    where += [Monophonic(**scope)] * bool(rng.random() < 0.2)
    places = [1 + p / 12 for p in range(3) if rng.random() < 0.5]
    if places and rng.random() < 0.5:
        name = "required" if rng.random() < 0.6 else "allowed"
        where.append(Rhythm(**{name: places}, bars=2))
    written = np.zeros((3, 2), bool)
    written[1, 1] = True
    posted = post(where, grid.score(), grid, written, 3)
    chances = np.where(np.isin(grid.notes["pitch"], (low, high)), 0.8, 0.1)
    stay = grid.notes[(grid.notes["bar"] == 1) & (rng.random(len(grid.notes)) < chances)]
    given = grid.notes[grid.notes["bar"] != 1]
    locking = []
    if len(stay):
        stay, locking = asked.locked_of(grid, given, stay, rng.random(len(stay)) < 0.4)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    rules = (PartRules(monophonic=bool(rng.random() < 0.3)),)
    posted = (*posted, *locking)
    where += [demand.constraint for demand in locking]
    return Request(grid, written, rules, sampling, seed, posted, locked=stay), where


@pytest.mark.parametrize("batch", range(4))
def test_small_cells_are_refused_if_and_only_if_no_notes_at_all_would_do(batch, decoders, cells):
    refusals = 0
    for seed in range(40 * batch, 40 * batch + 40):
        request, where = tiny_request(seed)
        fixed = request.locked[request.locked["duration"] > 0]
        given = asked.given_notes(dataclasses.replace(request, locked=fixed))
        pitches = range(where[0].low, where[0].high + 1)
        possible = asked.is_possible_by_trying(given, where, 1, 0, pitches)
        decoders[512].reset()
        try:
            writer = Writer(request, decoders[512], cells)
        except RequestError:
            writer = None
            refusals += 1
        assert possible == (writer is not None), seed
        if writer is None:
            continue
        asked.finish(writer)
        assert not asked.breaches(request, writer.grid, where), seed
        new = {*asked.breaches(request, writer.grid, where, written=False)}
        assert new <= {*asked.breaches(request, asked.given_notes(request), where, written=False)}
    assert 5 < refusals < 35


# Notes that ring on


def ringing(*notes):
    """Return four bars in C, a low note held in all of them, and these."""
    held = (0, 4 * 1920, 40, 80)
    return Score(
        tpq=480,
        tracks=(Track("Piano", 0, notes=[held, *notes]),),
        key_signatures=[(0, 0, 0)],
        chords=[(0, "C")],
    )


@pytest.mark.parametrize("seed", range(4))
def test_hands_are_free_where_a_note_is_to_come(random_composer, seed):
    """One hand holds the low note, the other one note of the chord: each has to end in time."""
    where = [
        Playable(3),
        ChordTones(everywhere=True),
        PitchRange("C4-D5"),
        Rhythm(required=[1, 2, 3, 4]),
    ]
    score = random_composer.infill(ringing(), "2-3", where=where, temperature=3, seed=seed)
    assert check(score, where, bars=(2, 3)) == []


@pytest.mark.parametrize("seed", range(4))
def test_hands_are_free_where_given_notes_begin(random_composer, seed):
    chords = [(bar * 1920, 480, pitch, 80) for bar in (2, 3) for pitch in (72, 75)]
    given = ringing(*chords)
    where = [
        Playable(3),
        PitchRange("C3-C4"),
        ChordTones(everywhere=True),
        Rhythm(required=[4, 1 + 47 / 12]),
    ]
    score = random_composer.infill(given, "2", where=where, temperature=3, seed=seed)
    assert check(score, where, bars=(2, 2)) == []
    assert check(score, Playable(3)) == []


@pytest.mark.parametrize("seed", range(4))
def test_notes_end_where_one_stays_that_is_to_sound_alone(random_composer, seed):
    notes = [(tick, 9, pitch, 80) for tick in (0, 7200) for pitch in (60, 64)]
    given = Score(tpq=480, tracks=(Track("Piano", 0, notes=notes),))
    where = [Locked([(2, 3, "C5"), (3, 2, "D5")]), Monophonic(), OnsetCount(min=4)]
    score = random_composer.infill(given, "2-3", where=where, temperature=3, seed=seed)
    assert check(score, where[1:], bars=(2, 3)) == check(score, where[0]) == []
