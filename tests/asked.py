"""Random requests under random constraints, and whether a refusal is right.

Shares no code with demands and masks: what a cell may hold is asked of the checker.
"""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np

from composer.checker import check
from composer.constraints import ChordTones, DrumPieces, InScale, PitchRange
from composer.errors import RequestError
from composer.grid import CELL_NOTE, sorted_notes
from composer.instruments import KIT_PIECES
from composer.scopes import demands_on
from composer.where import MaxPolyphony, Monophonic, NoteCount, Rhythm
from tests.test_sampler import random_request

PITCH_KINDS = (InScale, ChordTones, PitchRange, DrumPieces)


def random_constraint(rng, grid, written):
    """Return a constraint, about some cells of a grid; it may be about none that are written."""
    bars, rows = len(grid.bars), len(grid.parts)
    first = int(rng.integers(1, bars + 1))
    scope = {
        "parts": None if rng.random() < 0.5 else int(rng.integers(1, rows + 1)),
        "bars": None if rng.random() < 0.5 else (first, int(rng.integers(first, bars + 1))),
    }
    length = int(grid.bar_lengths.min())
    kind = rng.integers(10)
    if kind == 0:
        return InScale(**scope)
    if kind == 1:
        return ChordTones(everywhere=bool(rng.random() < 0.4), **scope)
    if kind == 2:
        low = int(rng.integers(24, 96))
        return PitchRange(low, low + int(rng.integers(0, 30) * rng.random()), **scope)
    if kind in (3, 4):
        low = int(rng.integers(0, min(length, 6) + 1)) if rng.random() < 0.9 else length - 1
        high = None if low and rng.random() < 0.6 else low + int(rng.integers(4))
        return NoteCount(low, high, **scope)
    if kind in (5, 6):
        last = length if rng.random() < 0.9 else length + 12
        beats = [1 + p / 12 for p in sorted({int(p) for p in rng.integers(0, last, 8)})]
        few = beats[: int(rng.integers(1, 5))]
        if rng.random() < 0.5:
            return Rhythm(required=few, **scope)
        return Rhythm(allowed=beats, required=few if rng.random() < 0.5 else (), **scope)
    if kind == 9:
        pieces = rng.choice([*KIT_PIECES], int(rng.integers(1, 4)), replace=False)
        return DrumPieces(pieces.tolist(), **scope)
    if kind == 7:
        return Monophonic(**scope)
    return MaxPolyphony(int(rng.integers(1, 5)), **scope)


def random_asked(seed):
    """Return a request with demands, and the constraints it is made from."""
    rng = np.random.default_rng([seed, 7])
    index = seed * 1000
    while True:
        request = random_request(index)
        index += 1
        if len(request.grid.parts) and request.written[:, 1:].any():
            break
    grid, score = request.grid, request.grid.score()
    where = []
    for _ in range(int(rng.integers(1, 6))):
        constraint = random_constraint(rng, grid, request.written)
        try:
            demands_on([constraint], score, grid, request.written, len(grid.bars))
        except RequestError:
            continue
        where.append(constraint)
        if isinstance(constraint, Rhythm) and constraint.required and rng.random() < 0.5:
            most = len(constraint.required) + int(rng.integers(0, 3))
            where.append(NoteCount(max=most, parts=constraint.parts, bars=constraint.bars))
    demands = demands_on(where, score, grid, request.written, len(grid.bars))
    return dataclasses.replace(request, demands=demands), where


def breaches(request, result, where, *, written=True):
    """Return what the checker finds wrong with the cells that were written, or with the others."""
    found = check(result.score(), where, key=result.key, bars=(1, len(result.bars)))
    cells = request.written[:, 1:]
    return [b for b in found if cells[b.bar - 1, b.part - 1] == written]


def about(where, bar, row):
    """Return the constraints about a cell, as if they were about it alone."""
    found = []
    for constraint in where:
        first, last = constraint.bars or (1, 10**6)
        if first <= bar + 1 <= last and constraint.parts in (None, (row + 1,)):
            found.append(constraint)
    return found


def with_notes(grid, notes):
    """Return the grid's score with notes more: (bar, part, position, pitch, duration)."""
    rows = np.array([(*note, 76) for note in notes], CELL_NOTE)
    return grid.replace(notes=sorted_notes(np.concatenate([grid.notes, rows]))).score()


def free_pitches(grid, where, bar, row):
    """Return which pitches may begin where, asked of the checker: (positions, 128)."""
    length = int(grid.bar_lengths[bar])
    pitched = [c for c in about(where, bar, row) if isinstance(c, PITCH_KINDS)]
    notes = [(bar, row, place, pitch, 1) for place in range(length) for pitch in range(128)]
    free = np.ones((length, 128), bool)
    empty = grid.replace(notes=grid.notes[:0])
    looked_at = {"bars": (bar + 1, bar + 1), "parts": [row + 1]}
    for breach in check(with_notes(empty, notes), pitched, key=grid.key, **looked_at):
        words = breach.what.split()
        free[int(words[-1]), int(words[1])] = False
    return free


def sounding(grid, bar, row):
    """Return when given notes sound in a cell: (pitch, positions)."""
    found = []
    start, length = int(grid.bar_starts[bar]), int(grid.bar_lengths[bar])
    for note_bar, part, position, pitch, duration, _ in grid.notes.tolist():
        begin = int(grid.bar_starts[note_bar]) + position - start
        if part == row:
            found.append((pitch, {*range(begin, begin + duration)} & {*range(length)}))
    return found


def is_impossible(grid, where, bar, row):
    """Return whether a cell cannot be written, counted out anew."""
    free = free_pitches(grid, where, bar, row)
    silent = not free.any()
    given = sounding(grid, bar, row)
    cell = about(where, bar, row)
    voices = min([10**6, *(getattr(c, "notes", 1) for c in cell if isinstance(c, VOICES))])
    for pitch, places in given:
        free[list(places), pitch] = False
    for place in range(len(free)):
        if sum(place in places for _, places in given) >= voices:
            free[place] = False
    counts = [c for c in cell if isinstance(c, NoteCount)]
    rhythms = [c for c in cell if isinstance(c, Rhythm)]
    places = {place for place in range(len(free)) if free[place].any()}
    for rhythm in rhythms:
        if rhythm.allowed is not None:
            places &= {round((beat - 1) * 12) for beat in rhythm.allowed}
    needed = {round((beat - 1) * 12) for rhythm in rhythms for beat in rhythm.required}
    least = max([0, *(c.min for c in counts)])
    most = min([10**6, *(c.max for c in counts if c.max is not None)])
    return (
        bool(needed - places)
        or max(least, len(needed)) > most
        or least > len(places)
        or (silent and most > 0)
    )


VOICES = (MaxPolyphony, Monophonic)


def is_possible_by_trying(grid, where, bar, row, pitches):
    """Return whether any notes at all in a cell keep the constraints: all are tried."""
    length = int(grid.bar_lengths[bar])
    chances = [0, *range(1, length + 1)]  # no note, or its duration
    places = list(product(range(length), pitches))
    given = sounding(grid, bar, row)
    cell = about(where, bar, row)
    looked_at = {"key": grid.key, "bars": (bar + 1, bar + 1), "parts": [row + 1]}
    for durations in sorted(product(chances, repeat=len(places)), key=sum):
        notes = [(*at, d) for at, d in zip(places, durations, strict=True) if d]
        if overlaps(notes, given):
            continue
        tried = with_notes(grid, [(bar, row, *note) for note in notes])
        if not check(tried, cell, **looked_at):
            return True
    return False


def overlaps(notes, given):
    """Return whether two notes of one pitch sound at once."""
    taken = {(pitch, place) for pitch, places in given for place in places}
    for place, pitch, duration in notes:
        cells = {(pitch, place + i) for i in range(duration)}
        if cells & taken:
            return True
        taken |= cells
    return False
