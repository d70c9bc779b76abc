"""Requests for the chords and lines of small bars, and whether any at all would do."""

from itertools import product

import numpy as np

from composer import ChordTones, MaxLeap, NoParallels, NoQuote, PitchRange, Rhythm
from composer.planning.constraints import post
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.chords import QUALITIES
from composer.theory.keys import Key
from tests.brute import asked


def request(seed):
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
        where.append(
            NoQuote(asked.score(asked.track("C", rng.integers(60, 65, 8).tolist(), step=40)), 2)
        )
    posted = post(where, grid.score(), grid, written, 3)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    rules = (PartRules(monophonic=bool(rng.random() < 0.3)),) * 2
    chords_per_bar = 1 if rng.random() < 0.6 else None
    request = Request(grid, written, rules, sampling, seed, posted, chords_per_bar=chords_per_bar)
    return request, where


def is_possible(request, where):
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
