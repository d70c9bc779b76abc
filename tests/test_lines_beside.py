"""Lines of parts that keep notes, are played by hands, or let notes pass: all lines tried."""

import dataclasses
from itertools import product

import numpy as np
import pytest

from composer import ChordTones, MaxLeap, NoParallels, NoRepeat, PitchRange, Playable, Rhythm
from composer.decoding.request import PartRules, Request
from composer.decoding.sampling import Sampling
from composer.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.symbols import QUALITIES, Key
from composer.writing.scopes import demands_on
from tests import asked
from tests.test_lines import cell_constraint, meet_or_refuse, refusal, score, track


def tiny_request(seed):
    """Return a request for two bars of 1/16 between two others, and its constraints."""
    rng = np.random.default_rng([seed, 13])
    low = int(rng.integers(59, 63))
    high = low + (2 if rng.random() < 0.2 else 1)
    notes = [
        (bar, 0, place, int(rng.integers(low, high + 2)), 1, 76)
        for bar, place in product((0, 3), range(3))
        if rng.random() < 0.3
    ]
    if rng.random() < 0.5:  # both hands are busy for a while
        notes += [(0, 0, 0, pitch, int(rng.integers(2, 8)), 76) for pitch in (30, 40)]
    stay = [
        (bar, 0, place, int(rng.integers(low, high + 1)), 1, 76)
        for bar, place in product((1, 2), range(3))
        if rng.random() < 0.2
    ]
    chords = [(0, 0, 0, 0, -1)] * (rng.random() < 0.7)
    grid = Grid(
        Key(0),
        (Part("A", 0),),
        np.array([(1, 16, 500_000)] * 4, BAR),
        sorted_notes(np.array(notes, CELL_NOTE)),
        np.array(chords, CELL_CHORD),
    )
    written = np.array([[False] * 2, [False, True], [False, True], [False] * 2])
    where = [PitchRange(low, high, bars="2-3"), line_constraint(rng, chords)]
    if rng.random() < 0.5:
        where.append(Playable(span=2))
    for _ in range(int(rng.integers(0, 3))):
        where.append(cell_constraint(rng, 1))
    demands = demands_on(where, grid.score(), grid, written, 4)
    stay = np.array(stay, CELL_NOTE)
    locked, locking = asked.locked_of(grid, grid.notes, stay, rng.random(len(stay)) < 0.5)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    rules = (PartRules(monophonic=bool(rng.random() < 0.3)),)
    request = Request(grid, written, rules, sampling, seed, (*demands, *locking))
    where += [demand.constraint for demand in locking]
    return dataclasses.replace(request, locked=locked), where


def line_constraint(rng, chords):
    kind = rng.integers(4)
    if kind == 0:
        pitches = rng.integers(60, 63, 8).tolist()
        return NoRepeat(score(track("C", pitches, step=40)), 2)
    if kind < 3 and chords:
        return ChordTones(passing=True)
    return MaxLeap(int(rng.integers(0, 3)))


def is_possible(request, where):
    """Return whether any line at all keeps the constraints: all are tried."""
    given = asked.given_notes(request)
    pitches = range(where[0].low, where[0].high + 1)
    places = list(product((1, 2), range(3)))
    heard = {bar: asked.sounding(given, bar, 0) for bar in (1, 2)}
    for chosen in product((None, *pitches), repeat=len(places)):
        notes = [(*at, pitch) for at, pitch in zip(places, chosen, strict=True) if pitch]
        if any((pitch, place) in sounds(heard[bar]) for bar, place, pitch in notes):
            continue
        rows = np.array([(bar, 0, place, pitch, 1, 76) for bar, place, pitch in notes], CELL_NOTE)
        tried = given.replace(notes=sorted_notes(np.concatenate([given.notes, rows])))
        if not asked.breaches(request, tried, where):
            return True
    return False


def sounds(notes):
    return {(pitch, place) for pitch, places in notes for place in places}


@pytest.mark.parametrize("batch", range(4))
def test_small_requests_are_refused_if_and_only_if_no_lines_at_all_would_do(batch, decoders, cells):
    for seed in range(6 * batch, 6 * batch + 6):
        meet_or_refuse(*tiny_request(seed), is_possible, decoders[512], cells)


def tiny_harmony(seed):
    """Return a request for the chords and two parts of a bar of 1/16 between two, and the rest."""
    rng = np.random.default_rng([seed, 19])
    notes = [
        (bar, row, place, int(rng.integers(58, 72)), 1, 76)
        for bar, row, place in product((0, 2), range(2), range(3))
        if rng.random() < 0.4
    ]
    grid = Grid(
        Key(0),
        (Part("A", 0), Part("B", 0)),
        np.array([(1, 16, 500_000)] * 3, BAR),
        sorted_notes(np.array(notes, CELL_NOTE)),
        np.empty(0, CELL_CHORD),
    )
    written = np.array([[False] * 3, [True] * 3, [False] * 3])
    where = [ChordTones(everywhere=True, bars=2)]
    for part in (1, 2):
        low = int(rng.integers(58, 68))
        where.append(PitchRange(low, low + 1, parts=part, bars=2))
        places = [1 + p / 12 for p in range(3) if rng.random() < 0.7]
        where += [Rhythm(required=places, parts=part, bars=2)] if places else []
    where += [MaxLeap(int(rng.integers(0, 5)), parts=1)] if rng.random() < 0.6 else []
    where += [MaxLeap(int(rng.integers(0, 5)), parts=2)] if rng.random() < 0.6 else []
    where += [NoParallels(parts=(1, 2))] if rng.random() < 0.6 or len(where) < 4 else []
    if rng.random() < 0.4:
        where.append(NoRepeat(score(track("C", rng.integers(60, 65, 8).tolist(), step=40)), 2))
    demands = demands_on(where, grid.score(), grid, written, 3)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    rules = (PartRules(monophonic=bool(rng.random() < 0.3)),) * 2
    chords_per_bar = 1 if rng.random() < 0.6 else None
    request = Request(grid, written, rules, sampling, seed, demands, chords_per_bar=chords_per_bar)
    return request, where


def harmony_is_possible(request, where):
    """Return whether any lines at all are in chords and keep the rest: all are tried."""
    given = asked.given_notes(request)
    rest = [constraint for constraint in where if not constraint.by_chord]
    ranges = [range(c.low, c.high + 1) for c in where if isinstance(c, PitchRange)]
    for chosen in product(*[(None, *pitches) for pitches in ranges for _ in range(3)]):
        notes = [(1, i // 3, i % 3, pitch, 1, 76) for i, pitch in enumerate(chosen) if pitch]
        if not are_in_chords(notes, request.chords_per_bar == 1):
            continue
        rows = np.array(notes, CELL_NOTE)
        tried = given.replace(notes=sorted_notes(np.concatenate([given.notes, rows])))
        if not asked.breaches(request, tried, rest):
            return True
    return False


def are_in_chords(notes, is_one):
    """Return whether some chord has the notes of the bar, or one those of each position."""
    chords = [{(root + i) % 12 for i in q.intervals} for root in range(12) for q in QUALITIES]
    places = {0 if is_one else note[2] for note in notes}
    together = [{n[3] % 12 for n in notes if is_one or n[2] == place} for place in places]
    return all(any(pitches <= chord for chord in chords) for pitches in together)


@pytest.mark.parametrize("batch", range(3))
def test_lines_over_chords_that_are_written_are_refused_only_if_none_at_all_would_do(
    batch, decoders, cells
):
    for seed in range(6 * batch, 6 * batch + 6):
        meet_or_refuse(*tiny_harmony(seed), harmony_is_possible, decoders[1024], cells)


@pytest.mark.parametrize("batch", range(3))
def test_chords_that_are_written_with_a_line_rule_nothing_out(batch, decoders, cells):
    """Each note of one line is in some chord, and chords may change wherever one begins."""
    for seed in range(8 * batch, 8 * batch + 8):
        request, where = tiny_request(seed)
        where = [constraint for constraint in where if not constraint.by_chord]
        free = request.grid.replace(chords=request.grid.chords[:0])
        written = request.written.copy()
        written[1:3, 0] = True
        tones = ChordTones(everywhere=True, bars="2-3")
        demands = demands_on([tones], free.score(), free, written, 4)
        others = [d for d in request.demands if not d.constraint.by_chord]
        request = dataclasses.replace(
            request, grid=free, written=written, demands=(*others, *demands)
        )
        message, grid = refusal(request, decoders[1024], cells)
        if grid is not None:
            assert not asked.breaches(request, grid, [*where, tones]), seed
        else:
            assert not is_possible(request, where), (seed, message)
