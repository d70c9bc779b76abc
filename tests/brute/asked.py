"""Random requests under random constraints, and whether a refusal is right.

Shares no code with demands and masks: what a cell may hold is asked of the checker.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from composer.checking.checker import check
from composer.constraints.cell import PostedConstraint
from composer.constraints.counts import MaxPolyphony, Monophonic, OnsetCount, Rhythm
from composer.constraints.lines import (
    Cadence,
    MaxLeap,
    MaxRepeatedNotes,
    NoParallels,
    NoQuote,
)
from composer.constraints.locked import Locked
from composer.constraints.pitches import ChordTones, DrumPieces, InScale, PitchRange
from composer.constraints.playable import Playable
from composer.errors import RequestError
from composer.planning.constraints import post
from composer.score.grid import CELL_NOTE, sorted_notes
from composer.score.instruments import KIT_PIECES
from composer.score.score import Score, Track
from tests.generate.test_batch import random_request

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
    kind = rng.integers(18)
    if kind == 0:
        return InScale(**scope)
    if kind == 1:
        how = rng.choice(["", "everywhere", "passing"])
        return ChordTones(**({how: True} if how else {}), **scope)
    if kind == 2:
        low = int(rng.integers(24, 96))
        return PitchRange(low, low + int(rng.integers(0, 30) * rng.random()), **scope)
    if kind in (3, 4):
        low = int(rng.integers(0, min(length, 6) + 1)) if rng.random() < 0.9 else length - 1
        high = None if low and rng.random() < 0.6 else low + int(rng.integers(4))
        return OnsetCount(low, high, **scope)
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
    if kind in (10, 14):
        return MaxLeap(int(rng.choice([0, 1, 2, 3, 5, 7, 12, 24])), **scope)
    if kind == 11:
        degrees = [int(d) for d in rng.integers(1, 8, rng.integers(1, 4))]
        beat = 1 + int(rng.integers(0, length if rng.random() < 0.9 else length + 12)) / 12
        return Cadence(degrees, beat, **scope)
    if kind in (12, 13):
        return random_pair(rng, grid, scope)
    if kind == 17:
        return MaxRepeatedNotes(int(rng.integers(1, 5)), **scope)
    if kind == 15:
        return Playable(int(rng.integers(2, 17)), **scope)
    return MaxPolyphony(int(rng.integers(1, 5)), **scope)


def random_pair(rng, grid, scope):
    """Return a constraint on two parts, or on what may be copied from the grid itself."""
    pitched = [row + 1 for row, part in enumerate(grid.parts) if not part.is_drum]
    if len(pitched) > 1 and rng.random() < 0.5:
        pair = rng.choice(pitched, 2, replace=False).tolist()
        return NoParallels(parts=pair, bars=scope["bars"])
    return NoQuote(
        grid.score(),
        int(rng.integers(2, 5)),
        transposed=bool(rng.random() < 0.7),
        rhythm=bool(rng.random() < 0.3),
        **scope,
    )


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
            post([constraint], score, grid, request.written, len(grid.bars))
        except RequestError:
            continue
        where.append(constraint)
        if isinstance(constraint, Rhythm) and constraint.required and rng.random() < 0.5:
            most = len(constraint.required) + int(rng.integers(0, 3))
            where.append(OnsetCount(max=most, parts=constraint.parts, bars=constraint.bars))
    posted = post(where, score, grid, request.written, len(grid.bars))
    locked, locking = random_locked(rng, request) if rng.random() < 0.5 else (grid.notes[:0], [])
    request = dataclasses.replace(request, posted=(*posted, *locking), locked=locked)
    return request, [*where, *(demand.constraint for demand in locking)]


def random_locked(rng, request):
    """Return notes of the cells that are written, to stay there, and the demands that they do."""
    grid = request.grid
    is_written = request.written[grid.notes["bar"], grid.notes["part"] + 1]
    given = grid.notes[~is_written]
    share = rng.random()
    stay = grid.notes[is_written & (rng.random(len(grid.notes)) < share)]
    return locked_of(grid, given, stay, rng.random(len(stay)) < rng.random())


def locked_of(grid, given, stay, is_open):
    """Return notes that are to stay, some of any length and velocity, and the demands."""
    locked = stay.copy()
    everything = np.concatenate([given, stay])
    begins = grid.bar_starts[everything["bar"]] + everything["position"]
    for i in np.flatnonzero(is_open).tolist():
        note = stay[i]
        begin = grid.bar_starts[note["bar"]] + note["position"]
        alike = (everything["part"] == note["part"]) & (everything["pitch"] == note["pitch"])
        sounds = (begins <= begin) & (begin < begins + everything["duration"])
        if (alike & sounds).sum() == 1 and not grid.parts[note["part"]].is_drum:
            locked[i]["duration"] = locked[i]["velocity"] = 0
    is_open = locked["duration"] == 0
    fixed = Locked(grid.replace(notes=stay[~is_open]).score())
    posted = [PostedConstraint(fixed, cells_of(grid, stay[~is_open]))] if not is_open.all() else []
    for row in np.unique(stay["part"][is_open]).tolist():
        pinned = stay[is_open & (stay["part"] == row)]
        notes = [
            (bar + 1, 1 + Fraction(position, 12), pitch)
            for bar, _, position, pitch, _, _ in pinned.tolist()
        ]
        posted.append(PostedConstraint(Locked(notes, parts=row + 1), cells_of(grid, pinned)))
    return locked, posted


def cells_of(grid, notes):
    cells = np.zeros((len(grid.bars), len(grid.parts)), bool)
    cells[notes["bar"], notes["part"]] = True
    return cells


def track(name, pitches, *, step=480, program=0, is_drum=False):
    """Return a track of notes one after the other; a tuple begins together, None is a rest."""
    rows = []
    for i, pitch in enumerate(pitches):
        chord = () if pitch is None else pitch if isinstance(pitch, tuple) else (pitch,)
        rows += [(i * step, step, one, 80) for one in chord]
    return Track(name, program, is_drum, rows)


def score(*tracks):
    return Score(tpq=480, tracks=tracks, key_signatures=[(0, 0, 0)])


def finish(writer):
    """Write a request to its end."""
    logits = None
    while writer.go_on(logits):
        logits = writer.decoder.prefill(writer.pending)


def given_notes(request):
    """Return the grid of a request without what it is to write, and with what stays of it."""
    grid, stay = request.grid, request.locked.copy()
    notes = grid.notes[~request.written[grid.notes["bar"], grid.notes["part"] + 1]]
    for name in ("duration", "velocity"):
        stay[name] = np.maximum(1, stay[name])
    return grid.replace(notes=sorted_notes(np.concatenate([notes, stay])))


def breaches(request, result, where, *, written=True):
    """Return what the checker finds wrong with the cells that were written, or with the others.

    Steps of lines that lead on from written cells are told with these.
    """
    found = check(result.score(), where, key=result.key, bars=(1, len(result.bars)))
    cells = request.written[:, 1:]
    return [
        b for b in found if (cells[b.bar - 1, b.part - 1] or hangs(request, result, b)) == written
    ]


def hangs(request, result, breach):
    """Return whether a breach lies where a line leads on from cells that are written."""
    constraint = breach.constraint
    if not isinstance(constraint, LINES):
        return False
    rows = [breach.part - 1]
    if isinstance(constraint, NoParallels):
        rows = [part - 1 for part in constraint.parts]
    place = int(breach.what.split()[-1])
    at = int(result.bar_starts[breach.bar - 1]) + place
    return any(at in behind(request, result, row, getattr(constraint, "notes", 1)) for row in rows)


def behind(request, result, row, count):
    """Return where the first given onsets are behind written cells, and all that are written."""
    found, since = set(), None
    onsets = {(note[0], note[2]) for note in result.notes.tolist() if note[1] == row}
    for bar in range(len(result.bars)):
        if request.written[bar, row + 1]:
            since = 0
        for place in sorted(place for b, place in onsets if b == bar):
            if request.written[bar, row + 1] or (since is not None and since < count):
                found.add(int(result.bar_starts[bar]) + place)
            if not request.written[bar, row + 1] and since is not None:
                since += 1
    return found


def about(where, bar, row, bars=0):
    """Return the constraints about a cell of so many bars, as if they were about it alone."""
    found = []
    for constraint in where:
        first, last = constraint.bars or (1, 10**6)
        if isinstance(constraint, Cadence):
            first = last = constraint.bars[1] if constraint.bars else bars
        if first <= bar + 1 <= last and constraint.parts in (None, (row + 1,), row + 1):
            found.append(constraint)
    return found


def with_notes(grid, notes):
    """Return the grid's score with notes more: (bar, part, position, pitch, duration)."""
    rows = np.array([(*note, 76) for note in notes], CELL_NOTE)
    return grid.replace(notes=sorted_notes(np.concatenate([grid.notes, rows]))).score()


def free_pitches(grid, where, bar, row):
    """Return which pitches may begin where, asked of the checker: (positions, 128)."""
    pitched = [c for c in about(where, bar, row) if isinstance(c, PITCH_KINDS)]
    others = [c for c in pitched if not getattr(c, "passing", False)]
    free = not_wrong(grid, others, bar, row)
    if len(others) < len(pitched):
        free &= not_wrong(grid, [ChordTones()], bar, row)
        free &= not_wrong(grid, [ChordTones(everywhere=True)], bar, row) | not_wrong(
            grid, [InScale()], bar, row
        )
    return free


def only_passing(grid, where, bar, row):
    """Return which pitches may begin where in passing alone, asked of the checker."""
    if any(getattr(c, "passing", False) for c in about(where, bar, row)):
        return ~not_wrong(grid, [ChordTones(everywhere=True)], bar, row)
    return np.zeros((int(grid.bar_lengths[bar]), 128), bool)


def not_wrong(grid, constraints, bar, row):
    """Return with which pitches constraints are content that are about single notes."""
    length = int(grid.bar_lengths[bar])
    notes = [(bar, row, place, pitch, 1) for place in range(length) for pitch in range(128)]
    free = np.ones((length, 128), bool)
    empty = grid.replace(notes=grid.notes[:0])
    looked_at = {"bars": (bar + 1, bar + 1), "parts": [row + 1]}
    for breach in check(with_notes(empty, notes), constraints, key=grid.key, **looked_at):
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


@cache
def can_play(pitches, way):
    """Return whether pitches can sound together, all ways to hold them tried."""
    if way.is_kit:
        hands = pitches - {35, 36, 44}
        return len(pitches & {35, 36}) <= 1 and len(hands) <= 2
    if not way.fingers:
        return True
    notes = sorted(pitches)
    for hands in product((0, 1), repeat=len(notes)):
        both = [[p for p, h in zip(notes, hands, strict=True) if h == hand] for hand in (0, 1)]
        if all(not h or (len(h) <= way.fingers and h[-1] - h[0] <= way.span) for h in both):
            return True
    return False


def is_impossible(request, where, bar, row):
    """Return whether a cell cannot be written, counted out anew."""
    stay = [note for note in request.locked.tolist() if note[:2] == (bar, row)]
    room = cell_room(given_notes(request), where, bar, row, stay)
    free, silent, least, needed, most = room
    places = {place for place in range(len(free)) if free[place].any()}
    return (
        bool(needed - places)
        or max(least, len(needed)) > most
        or least > len(places)
        or (silent and most > 0)
    )


def cell_room(grid, where, bar, row, stay=()):
    """Return what a cell may hold, whether it is silent for want of pitches, and its onsets.

    Which pitches may begin where, whether none may anywhere, the fewest onsets, those required, and
    the most. ``stay`` has the notes of the cell that stay, which the grid has as well.
    """
    free = free_pitches(grid, where, bar, row)
    given = sounding(grid, bar, row)
    cell, part = about(where, bar, row, len(grid.bars)), grid.parts[row]
    ways = [c.technique(part.program, part.is_drum) for c in cell if isinstance(c, Playable)]
    for way in ways:
        free[:, : way.low] = free[:, way.high + 1 :] = False
    silent = not free.any()
    needed = {note[2] for note in stay}
    for cadence in [c for c in cell if isinstance(c, Cadence)]:
        place = round((cadence.beat - 1) * 12)
        needed.add(place)
        free[place + 1 :] = False
        for pitch in range(128):
            if place < len(free) and not ends_well(grid, cadence, bar, row, pitch):
                free[place, pitch] = False
    allowed = free.copy()
    voices = min([10**6, *(getattr(c, "notes", 1) for c in cell if isinstance(c, VOICES))])
    voices = min([voices, *(way.notes for way in ways if way.notes is not None)])
    for pitch, places in given:
        free[list(places), pitch] = False
    for place in range(len(free)):
        if sum(place in places for _, places in given) >= voices:
            free[place] = False
    heard = [frozenset(p for p, places in given if place in places) for place in range(len(free))]
    for place, pitch in np.argwhere(free).tolist() if ways else ():
        if not all(can_play(heard[place] | {pitch}, way) for way in ways):
            free[place, pitch] = False
    for place in {note[2] for note in stay}:
        pitches = [note[3] for note in stay if note[2] == place]
        is_right = sum(place in places for _, places in given) <= voices
        is_right &= all(can_play(heard[place], way) for way in ways)
        is_right &= all(allowed[place, pitch] for pitch in pitches)
        free[place, : max(pitches) + 1] = False
        free[place, max(pitches)] = True
        free[place] &= is_right
    counts = [c for c in cell if isinstance(c, OnsetCount)]
    rhythms = [c for c in cell if isinstance(c, Rhythm)]
    needed |= {round((beat - 1) * 12) for rhythm in rhythms for beat in rhythm.required}
    for rhythm in rhythms:
        if rhythm.allowed is not None:
            places = {round((beat - 1) * 12) for beat in rhythm.allowed}
            free[[place for place in range(len(free)) if place not in places]] = False
    least = max([0, *(c.min for c in counts)])
    most = min([10**6, *(c.max for c in counts if c.max is not None)])
    return free, silent, least, needed, most


def ends_well(grid, cadence, bar, row, pitch):
    """Return whether a bar ends on a cadence with a pitch alone, asked of the checker."""
    empty = grid.replace(notes=grid.notes[:0])
    score = with_notes(empty, [(bar, row, round((cadence.beat - 1) * 12), pitch, 1)])
    return not check(score, cadence, key=grid.key, bars=(bar + 1, bar + 1), parts=[row + 1])


def has_line(grid, where, written, row, locked=()):
    """Return whether a part has a line that keeps leaps, told from its beginning.

    Of each time it is known which pitches the line may have come to, after how many onsets, and
    whether by a note that has to be left by a step.
    """
    reached = np.zeros((65, 2, 129), bool)
    reached[0, 0, 128] = True
    moves = np.abs(np.arange(129)[:, None] - np.arange(128)[None])
    moves[128] = 0
    is_step = (moves > 0) & (moves <= 2)
    changed = False  # whether what is given next comes from elsewhere
    for bar in range(len(grid.bars)):
        leaps = [c.semitones for c in about(where, bar, row) if isinstance(c, MaxLeap)]
        near = moves <= min([128, *leaps])
        if not written[bar, row + 1]:
            notes = [n for n in grid.notes.tolist() if n[0] == bar and n[1] == row]
            for place in sorted({note[2] for note in notes}):
                top = max(note[3] for note in notes if note[2] == place)
                ways = np.stack([near, near & is_step])[:, :, top] if changed else True
                may = (reached.any(0) & ways).any()
                reached[:] = False
                reached[0, 0, top] = may
                changed = False
            continue
        changed = True
        stay = [note for note in locked if note[:2] == (bar, row)]
        free, _, least, needed, most = cell_room(grid, where, bar, row, stay)
        if any(place >= len(free) for place in needed):
            return False
        passes = only_passing(grid, where, bar, row)
        for note in stay:
            if passes[note[2], note[3]]:
                free[note[2], np.arange(128) != note[3]] = False
        for place in range(len(free)):
            onto = np.zeros((64, 2, 128), bool)
            for is_between in (0, 1):
                after = near & is_step if is_between else near
                tops = free[place] & (passes[place] == is_between)
                onto[:, is_between] = (reached[:-1, 0] @ after) & tops
                onto[:, is_between] |= (reached[:-1, 1] @ (near & is_step)) & tops
            if place in needed:
                reached[:] = False
            reached[1:, :, :128] |= onto
        counts = np.arange(65)
        reached[(counts < least) | (counts > most)] = False
        reached[0] = reached.any(0)
        reached[1:] = False
    return bool(reached[:, 0].any())


VOICES = (MaxPolyphony, Monophonic)
LINES = (MaxLeap, MaxRepeatedNotes, NoParallels, NoQuote)


def is_possible_by_trying(grid, where, bar, row, pitches):
    """Return whether any notes at all in a cell keep the constraints: all are tried."""
    length = int(grid.bar_lengths[bar])
    chances = [0, *range(1, length + 1)]  # no note, or its duration
    places = list(product(range(length), pitches))
    given = sounding(grid, bar, row)
    cell = about(where, bar, row, len(grid.bars))
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
