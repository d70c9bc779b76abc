"""Requests for the chords and parts of a small bar, and whether any chords at all would do."""

import dataclasses
from itertools import product

import numpy as np

from composer import ChordTones, InScale, OnsetCount, PitchRange, Rhythm
from composer.checking.checker import check
from composer.planning.constraints import post
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_notes
from composer.theory.chords import QUALITIES
from composer.theory.keys import Key
from tests.brute import asked

POSITIONS = 3


def request(seed):
    """Return a request for the chords and parts of a bar of 1/16, and its constraints."""
    rng = np.random.default_rng([seed, 17])
    where = [ChordTones(everywhere=bool(rng.random() < 0.6))]
    for part in (1, 2):
        low = int(rng.integers(48, 72))
        where.append(PitchRange(low, low + int(rng.random() < 0.2), parts=part))
        places = [1 + p / 12 for p in range(POSITIONS) if rng.random() < 0.5]
        where += [Rhythm(required=places, parts=part)] if places else []
        if rng.random() < 0.4:
            where.append(OnsetCount(min=int(rng.integers(1, 4)), parts=part))
    where += [InScale()] if rng.random() < 0.4 else []
    notes, written = [], np.array([[True] * 3])
    if rng.random() < 0.6:  # one of them is given, and the chords are to suit it
        written[0, 2] = False
        notes = [(0, 1, place, int(rng.integers(60, 72)), 1, 76) for place in range(POSITIONS)]
        where = [constraint for constraint in where if constraint.parts != (2,)]
    grid = Grid(
        Key(int(rng.integers(12))),
        (Part("A", 0), Part("B", 0)),
        np.array([(1, 16, 500_000)], BAR),
        np.array(notes, CELL_NOTE),
        np.empty(0, CELL_CHORD),
    )
    posted = post(where, grid.score(), grid, written, 1)
    sampling = Sampling(float(rng.choice([0, 1, 3])))
    request = Request(grid, written, (PartRules(),) * 2, sampling, seed, posted)
    return dataclasses.replace(request, chords_per_bar=1 if seed % 2 else None), where


def is_possible(request, where):
    """Return whether any chords at all let the bar be written: all sequences are tried.

    Chords count once that come to the same for both parts.
    """
    chords = product(range(12), range(len(QUALITIES)))
    effects = {effect_of(request, where, *chord) for chord in chords}
    others = (None,) if request.chords_per_bar else (None, *effects)
    for places in product(effects, *[others] * (POSITIONS - 1)):
        if is_enough(request, where, places):
            return True
    return False


def effect_of(request, where, root, quality):
    """Return where each part is open under a chord that holds, and where it begins: 2 by parts."""
    none = (0, 0, -1, 0, -1)
    held = open_places(request, where, [(0, 0, root, quality, -1)])
    begun = [held] + [
        open_places(request, where, [none, (0, place, root, quality, -1)])
        for place in range(1, POSITIONS)
    ]
    begins = [tuple(begun[place][row][place] for place in range(POSITIONS)) for row in range(2)]
    return (*held, *begins)


def open_places(request, where, chords):
    """Return where each part may have a note under some chords, asked of the checker."""
    grid, found = request.grid.replace(chords=np.array(chords, CELL_CHORD)), []
    for row in range(2):
        asked_of = [c for c in where if c.parts in (None, (row + 1,)) and hasattr(c, "pitches")]
        notes = grid.notes[grid.notes["part"] == row].tolist()
        if request.written[0, row + 1]:
            (limits,) = (c for c in asked_of if isinstance(c, PitchRange))
            pitches = range(limits.low, limits.high + 1)
            notes = [(0, row, place, p, 1, 76) for place in range(POSITIONS) for p in pitches]
        score = grid.replace(notes=sorted_notes(np.array(notes, CELL_NOTE))).score()
        wrong = {
            tuple(map(int, breach.what.split()[1::4]))
            for breach in check(score, asked_of, key=grid.key, parts=[row + 1])
        }
        right = {(note[3], note[2]) for note in notes} - wrong
        is_open = [any(place == at for _, at in right) for place in range(POSITIONS)]
        found.append(tuple(is_open))
    return found


def is_enough(request, where, places):
    """Return whether each part has what it needs under effects that begin at places, or hold."""
    is_open, holding = np.zeros((2, POSITIONS), bool), places[0]
    for place, effect in enumerate(places):
        begins = effect is not None
        holding = effect if begins else holding
        for row in range(2):
            is_open[row, place] = holding[2 * begins + row][place]
    for row in range(2):
        if not request.written[0, row + 1]:
            if not is_open[row].all():
                return False
            continue
        cell = asked.about(where, 0, row)
        needed = {round((b - 1) * 12) for c in cell if isinstance(c, Rhythm) for b in c.required}
        least = max([1, *(c.min for c in cell if isinstance(c, OnsetCount))])
        if not is_open[row, list(needed)].all() or is_open[row].sum() < least:
            return False
    return True
