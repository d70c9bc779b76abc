"""Requests for one small cell, and whether any notes at all would do: all are tried."""

import numpy as np

from composer import ChordTones, InScale, MaxPolyphony, Monophonic, OnsetCount, PitchRange, Rhythm
from composer.planning.constraints import post
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.keys import Key
from tests.brute import asked


def request(seed):
    """Return a request for one bar of 1/16 between two others, and its constraints."""
    rng = np.random.default_rng([seed, 3])
    bars = np.array([(1, 16, 500_000)] * 3, BAR)
    notes = []
    for pitch in (60, 61, 62):
        if rng.random() < 0.3:
            notes.append((0, 0, int(rng.integers(3)), pitch, int(rng.integers(1, 6)), 76))
    chords = [(0, 0, int(rng.integers(12)), int(rng.integers(3)), -1)] * (rng.random() < 0.5)
    grid = Grid(
        Key(int(rng.integers(12))),
        (Part("Piano", 0),),
        bars,
        sorted_notes(np.array(notes, CELL_NOTE)),
        np.array(chords, CELL_CHORD),
    )
    low = int(rng.integers(60, 62))
    where = [PitchRange(low, int(rng.integers(low, 62)))]
    for _ in range(int(rng.integers(1, 5))):
        where.append(constraint(rng))
    written = np.zeros((3, 2), bool)
    written[1, 1] = True
    posted = post(where, grid.score(), grid, written, 3)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    rules = PartRules(monophonic=bool(rng.random() < 0.3))
    return Request(grid, written, (rules,), sampling, seed, posted), where


def constraint(rng):
    kind = rng.integers(7)
    places = [1 + p / 12 for p in range(3 if rng.random() < 0.9 else 4) if rng.random() < 0.5]
    if kind == 0:
        return OnsetCount(min=int(rng.integers(1, 4)))
    if kind == 1:
        return OnsetCount(max=int(rng.integers(0, 3)))
    if kind == 2 and places:
        return Rhythm(required=places)
    if kind == 3 and places:
        return Rhythm(allowed=places)
    if kind == 4:
        return InScale() if rng.random() < 0.5 else ChordTones(everywhere=bool(rng.random() < 0.5))
    return MaxPolyphony(2) if rng.random() < 0.3 else Monophonic()


def is_possible(request, where):
    """Return whether any notes at all keep the constraints: all are tried."""
    pitches = range(where[0].low, where[0].high + 1)
    return asked.is_possible_by_trying(request.grid, where, 1, 0, pitches)
