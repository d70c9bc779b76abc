"""Requests for lines of two small bars or two parts of one, and whether any at all would do."""

from itertools import product

import numpy as np

from composer import (
    Cadence,
    InScale,
    MaxLeap,
    MaxPolyphony,
    MaxRepeatedNotes,
    Monophonic,
    NoParallels,
    NoQuote,
    OnsetCount,
    PitchRange,
    Rhythm,
)
from composer.planning.constraints import post
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.keys import Key
from tests.brute import asked


def request(seed):
    """Return a request for some cells of four bars of 1/16, and its constraints."""
    rng = np.random.default_rng([seed, 11])
    rows = int(rng.integers(1, 3))
    notes = [
        (bar, row, place, int(rng.integers(60, 64)), 1, 76)
        for bar, row, place in product((0, 3), range(rows), range(3))
        if rng.random() < 0.4
    ]
    grid = Grid(
        Key(0),
        tuple(Part(name, 0) for name in ("A", "B")[:rows]),
        np.array([(1, 16, 500_000)] * 4, BAR),
        sorted_notes(np.array(notes, CELL_NOTE)),
        np.empty(0, CELL_CHORD),
    )
    written = np.zeros((4, 1 + rows), bool)
    written[1, 1:] = True
    if rows == 1:
        written[2, 1] = True
    low = int(rng.integers(60, 63))
    where = [PitchRange(low, low + 1), *([InScale()] if rng.random() < 0.2 else [])]
    for _ in range(int(rng.integers(1, 3))):
        where.append(line_constraint(rng, rows))
    for _ in range(int(rng.integers(0, 3))):
        where.append(cell_constraint(rng, rows))
    posted = post(where, grid.score(), grid, written, 4)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    rules = tuple(PartRules(monophonic=bool(rng.random() < 0.3)) for _ in range(rows))
    return Request(grid, written, rules, sampling, seed, posted), where


def line_constraint(rng, rows):
    kind = rng.integers(5)
    if kind == 0:
        return MaxLeap(int(rng.integers(0, 3)))
    if kind == 4:
        return MaxRepeatedNotes(int(rng.integers(1, 4)))
    if kind == 1:
        degrees = [int(d) for d in rng.integers(1, 4, 2)]
        return Cadence(degrees, 1 + int(rng.integers(3)) / 12, bars=2)
    if kind == 2 and rows == 2:
        return NoParallels(parts=(1, 2))
    pitches = rng.integers(60, 63, 8).tolist()
    return NoQuote(
        asked.score(asked.track("C", pitches, step=40)),
        2,
        transposed=bool(rng.random() < 0.7),
        rhythm=bool(rng.random() < 0.3),
    )


def cell_constraint(rng, rows):
    kind = rng.integers(5)
    part = None if rng.random() < 0.5 else int(rng.integers(1, rows + 1))
    places = [1 + p / 12 for p in range(3) if rng.random() < 0.7] or [1]
    if kind == 0:
        return OnsetCount(min=int(rng.integers(1, 4)), parts=part)
    if kind == 1:
        return OnsetCount(max=int(rng.integers(0, 3)), parts=part)
    if kind == 2:
        return Rhythm(required=places, parts=part)
    if kind == 3:
        return Rhythm(allowed=places, parts=part)
    return MaxPolyphony(2) if rng.random() < 0.3 else Monophonic()


def is_possible(request, where):
    """Return whether any lines at all keep the constraints: all are tried.

    A note beside a highest one, or a longer one, never makes anything possible.
    """
    grid, low, high = request.grid, where[0].low, where[0].high
    cells = np.argwhere(request.written[:, 1:]).tolist()
    places = [(bar, row, place) for bar, row in cells for place in range(3)]
    for pitches in product((None, *range(low, high + 1)), repeat=len(places)):
        notes = [(*at, pitch, 1) for at, pitch in zip(places, pitches, strict=True) if pitch]
        rows = np.array([(*note, 76) for note in notes], CELL_NOTE)
        tried = grid.replace(notes=sorted_notes(np.concatenate([grid.notes, rows])))
        if not asked.breaches(request, tried, where):
            return True
    return False
