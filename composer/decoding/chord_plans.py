"""All chords of a bar that differ in what they leave the lines that hang on them."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.decoding.chord_choice import CHORDS, ChordChoice, Plan

Bools = npt.NDArray[np.bool_]


class Freedom(NamedTuple):
    """What chords leave lines: bits at each position, all the better for each that is set."""

    held: Bools  # (chords, positions, bits): under a chord of ``CHORDS`` that began before
    begun: Bools  # (chords, positions, bits): under one that begins there


def every_plan(choice: ChordChoice, freedom: Freedom, most: int) -> tuple[list[Plan], bool]:
    """Return chords that leave a bar's parts enough, but for those that others are better than.

    Parameters
    ----------
    choice
        The chords of the bar.
    freedom
        What they leave the lines.
    most
        How many to try.

    Returns
    -------
    plans, is_all
        Those with few changes first, and whether these are all.
    """
    count = len(choice.places)
    begin = [_worth_beginning(choice, freedom, place) for place in range(count)]
    found: list[dict[int, int]] = []
    tried = 0
    for changes in range(count):
        for places in combinations(range(1, count), changes):
            for chords in product(*(begin[place] for place in (0, *places))):
                if tried == most:
                    return _plans(choice, freedom, found), False
                tried += 1
                plan = dict(zip((0, *places), chords, strict=True))
                if all(a != b for a, b in pairwise(chords)) and choice.suits(plan):
                    found.append(plan)
    return _plans(choice, freedom, found), True


def _worth_beginning(choice: ChordChoice, freedom: Freedom, place: int) -> list[int]:
    """Return the chords to begin at a place: no other is as good from there on."""
    at = choice.places[place]
    gains = np.array([choice.gains(place, chord) for chord, _ in enumerate(CHORDS)], np.int16)
    left = [freedom.begun[:, at], freedom.held[:, at + 1 :].reshape(len(CHORDS), -1)]
    return _undominated(np.concatenate([gains, *left], 1))


def _plans(choice: ChordChoice, freedom: Freedom, found: list[dict[int, int]]) -> list[Plan]:
    """Return the best of some chords: place -> chord."""
    if not found:
        return []
    left = []
    for chords in found:
        rows, chord = freedom.held[chords[0]].copy(), -1
        for place, position in enumerate(choice.places):
            chord = chords.get(place, chord)
            rows[position:] = freedom.held[chord, position:]
            if place in chords:
                rows[position] = freedom.begun[chord, position]
        left.append(rows.ravel())
    best = [found[i] for i in _undominated(np.array(left))]
    return [tuple((choice.places[p], CHORDS[c]) for p, c in chords.items()) for chords in best]


def _undominated(rows: npt.NDArray[np.int16]) -> list[int]:
    """Return which rows have no other that is as much all over; of equal ones the first."""
    rows = rows[:, (rows != rows[:1]).any(0)]
    # Most pitches go together: those of a class, at all positions alike.
    columns = {column.tobytes(): column for column in rows.T.copy()}
    rows = np.array([*columns.values()]).reshape(-1, len(rows)).T
    kept: list[int] = []
    for i in np.argsort(-rows.sum(1, dtype=np.int64), kind="stable").tolist():
        if not (rows[kept] >= rows[i]).all(1).any():
            kept.append(i)
    return sorted(kept)
