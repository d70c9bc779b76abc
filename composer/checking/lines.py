"""Whether the lines of a finished score keep constraints, told by plain loops.

Like ``composer.checking.checker`` this shares no code with what writes scores, and the conventions
of ``composer.checking.piece`` hold here. A line is the highest note of each onset of a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from composer.checking.piece import Onset
from composer.constraints.base import Constraint
from composer.constraints.lines import (
    Cadence,
    MaxLeap,
    MaxRepeatedNotes,
    NoParallels,
    NoQuote,
)
from composer.theory.keys import Key

_STEP = 2  # semitones


class Step(NamedTuple):
    """A note of a line: its bar and place there, when it begins, and all pitches that do."""

    bar: int  # from 0
    place: int
    begin: int
    pitch: int
    together: tuple[int, ...]


class Wrong(NamedTuple):
    """What is wrong, and where."""

    row: int
    bar: int  # from 0
    what: str


def line(notes: Sequence[Onset]) -> list[Step]:
    """Return the line of notes."""
    onsets: dict[tuple[int, int, int], list[int]] = {}
    for bar, place, begin, _, pitch in notes:
        onsets.setdefault((begin, bar, place), []).append(pitch)
    return [
        Step(bar, place, begin, max(pitches), tuple(sorted(pitches)))
        for (begin, bar, place), pitches in sorted(onsets.items())
    ]


def stepwise(steps: Sequence[Step]) -> set[tuple[int, int]]:
    """Return when the notes of a line begin, and their pitch, that steps lead to and from."""
    found = set()
    for before, now, after in zip(steps, steps[1:], steps[2:], strict=False):
        moves = abs(now.pitch - before.pitch), abs(after.pitch - now.pitch)
        if all(0 < move <= _STEP for move in moves):
            found.add((now.begin, now.pitch))
    return found


def line_wrongs(
    constraint: Constraint,
    lines: Mapping[int, list[Step]],
    rows: Sequence[int],
    bar: int,
    key: Key,
) -> list[Wrong]:
    """Return what a constraint finds wrong with lines, in whichever bar.

    Parameters
    ----------
    constraint
        One of ``LINE_CHECKS``.
    lines
        Row -> its line.
    rows
        Those that the constraint is about.
    bar
        The last bar that it names, from 0.
    key
        Home key.
    """
    return LINE_CHECKS[type(constraint)](constraint, lines, rows, bar, key)


def _leaps(
    constraint: MaxLeap, lines: Mapping[int, list[Step]], rows: Sequence[int], bar: int, key: Key
) -> list[Wrong]:
    wrong = []
    for row in rows:
        for before, now in pairwise(lines[row]):
            leap = abs(now.pitch - before.pitch)
            if leap > constraint.semitones:
                what = f"a leap of {leap} semitones to pitch {now.pitch} at position {now.place}"
                wrong.append(Wrong(row, now.bar, what))
    return wrong


def _repeated(
    constraint: MaxRepeatedNotes,
    lines: Mapping[int, list[Step]],
    rows: Sequence[int],
    bar: int,
    key: Key,
) -> list[Wrong]:
    wrong = []
    for row in rows:
        count, last = 0, -1
        for step in lines[row]:
            count, last = (count + 1 if step.pitch == last else 1), step.pitch
            if count > constraint.notes:
                what = f"note {count} in a row of pitch {last} at position {step.place}"
                wrong.append(Wrong(row, step.bar, what))
    return wrong


def _endings(
    constraint: Cadence, lines: Mapping[int, list[Step]], rows: Sequence[int], bar: int, key: Key
) -> list[Wrong]:
    return [wrong for row in rows for wrong in _ending(constraint, row, lines[row], bar, key)]


def _ending(constraint: Cadence, row: int, steps: list[Step], bar: int, key: Key) -> list[Wrong]:
    inside = [step for step in steps if step.bar == bar]
    if not inside:
        return [Wrong(row, bar, "no onset to end on")]
    last = inside[-1]
    place = round((float(constraint.beat) - 1) * 12)
    if last.place != place:
        return [Wrong(row, bar, f"the last onset at position {last.place}, not {place}")]
    semitones = (0, 2, 3, 5, 7, 8, 10) if key.mode == "minor" else (0, 2, 4, 5, 7, 9, 11)
    asked = constraint.degree if isinstance(constraint.degree, tuple) else (constraint.degree,)
    notes = {(key.tonic + semitones[int(degree) - 1]) % 12 for degree in asked}
    return [
        Wrong(row, bar, f"pitch {pitch} in the last onset is not on the degree")
        for pitch in last.together
        if pitch % 12 not in notes
    ]


def _parallels(
    constraint: NoParallels,
    lines: Mapping[int, list[Step]],
    rows: Sequence[int],
    bar: int,
    key: Key,
) -> list[Wrong]:
    if len(rows) != 2:
        return []
    (first, second), wrong = rows, []
    steps = {step.begin: i for i, step in enumerate(lines[second])}
    for i, now in enumerate(lines[first]):
        j = steps.get(now.begin, 0)
        if not i or not j:
            continue
        before, other_before, other = lines[first][i - 1], lines[second][j - 1], lines[second][j]
        moves = now.pitch - before.pitch, other.pitch - other_before.pitch
        old, new = abs(before.pitch - other_before.pitch) % 12, abs(now.pitch - other.pitch) % 12
        if moves[0] * moves[1] > 0 and old == new and new in (0, 7):
            name = "fifths" if new == 7 else "octaves"
            what = f"parallel {name} at position {now.place}"
            wrong += [Wrong(first, now.bar, what), Wrong(second, now.bar, what)]
    return wrong


def _copies(
    constraint: NoQuote, lines: Mapping[int, list[Step]], rows: Sequence[int], bar: int, key: Key
) -> list[Wrong]:
    length = constraint.notes + 1
    known = set()
    score = constraint.score
    for track in score.tracks:
        if track.is_drum:
            continue
        highest: dict[int, int] = {}
        for onset, _, pitch, _ in track.notes.tolist():
            begin = (24 * onset + score.tpq) // (2 * score.tpq)
            highest[begin] = max(highest.get(begin, -1), pitch)
        given = sorted(highest.items())
        for i in range(len(given) - length + 1):
            known.add(_shape(given[i : i + length], constraint))
    wrong = []
    for row in rows:
        own = [(step.begin, step.pitch) for step in lines[row]]
        for i in range(len(own) - length + 1):
            if _shape(own[i : i + length], constraint) in known:
                last = lines[row][i + length - 1]
                what = f"{length} notes copied up to position {last.place}"
                wrong.append(Wrong(row, last.bar, what))
    return wrong


def _shape(run: Sequence[tuple[int, int]], constraint: NoQuote) -> tuple[tuple[int, int], ...]:
    """Return what two runs have in common of which one is a copy."""
    begin, pitch = run[0]
    return tuple(
        ((at - begin) * constraint.rhythm, value - pitch * constraint.transposed)
        for at, value in run
    )


#: Constraint -> what judges the lines of the parts that it is about.
LINE_CHECKS: dict[type[Constraint], Callable[..., list[Wrong]]] = {
    MaxLeap: _leaps,
    MaxRepeatedNotes: _repeated,
    NoParallels: _parallels,
    Cadence: _endings,
    NoQuote: _copies,
}
