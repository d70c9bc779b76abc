"""Requests for lines beside notes that stay, by hands or with passing notes; all are tried."""

import dataclasses
from itertools import product

import numpy as np

from composer import ChordTones, MaxLeap, NoQuote, PitchRange, Playable
from composer.planning.constraints import post
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.keys import Key
from tests.brute import asked, small_lines


def request(seed):
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
        where.append(small_lines.cell_constraint(rng, 1))
    posted = post(where, grid.score(), grid, written, 4)
    stay = np.array(stay, CELL_NOTE)
    locked, locking = asked.locked_of(grid, grid.notes, stay, rng.random(len(stay)) < 0.5)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    rules = (PartRules(monophonic=bool(rng.random() < 0.3)),)
    request = Request(grid, written, rules, sampling, seed, (*posted, *locking))
    where += [demand.constraint for demand in locking]
    return dataclasses.replace(request, locked=locked), where


def line_constraint(rng, chords):
    kind = rng.integers(4)
    if kind == 0:
        pitches = rng.integers(60, 63, 8).tolist()
        return NoQuote(asked.score(asked.track("C", pitches, step=40)), 2)
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
