"""What an edit takes out of one table of events and puts in, and how that is done again.

Conventions
-----------
Every change has ``made(table)``, which returns the table after it or raises ``Missing`` where the
table does not hold what the change takes out, and ``revert()``. Notes are counted: equal ones are
as good as each other, and their order is that of the table. Other events keep their order within a
tick, so a tick that changes is changed whole.

Chord symbols hold until the next one. A change of chords is about a stretch of time, and leaves
alone what holds outside: a chord that held on past the stretch is said again behind it, and is
left out again with the change that made it needed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from composer.score.events import MAX_TICK, NOTE, Events, Frozen, Text, frozen, joined
from composer.theory.chords import NO_CHORD

Texts = tuple[Text, ...]


class Missing(Exception):
    """What a change takes out and the table does not hold, in words."""


@dataclasses.dataclass(frozen=True, eq=False)
class NoteChange(Frozen):
    """Notes out of a track, and notes in; dtype ``NOTE``, sorted."""

    out: Events
    put: Events

    @classmethod
    def between(cls, before: Events, after: Events) -> NoteChange:
        """Return what makes ``after`` of ``before``."""
        return cls(frozen(rows_without(before, after)), frozen(rows_without(after, before)))

    def made(self, notes: Events) -> Events:
        """Return notes with the change made."""
        lacking = rows_without(self.out, notes)
        if len(lacking):
            onset, _, pitch, _ = lacking[0].tolist()
            raise Missing(f"a note of pitch {pitch} at tick {onset}")
        return joined([rows_without(notes, self.out), self.put], NOTE)

    def revert(self) -> NoteChange:
        """Return the change back."""
        return NoteChange(self.put, self.out)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NoteChange):
            return NotImplemented
        return np.array_equal(self.out, other.out) and np.array_equal(self.put, other.put)

    __hash__ = None  # type: ignore[assignment]


def rows_without(notes: Events, others: Events) -> Events:
    """Return the notes that are left when others are taken away, each as often as it is there.

    >>> a = np.array([(0, 9, 60, 90), (0, 9, 60, 90), (5, 9, 62, 90)], NOTE)
    >>> rows_without(a, a[1:]).tolist()
    [(0, 9, 60, 90)]
    """
    both = joined([others, notes], NOTE)
    begins = both["onset"] << 7 | both["pitch"]
    lasts = both["duration"] << 7 | both["velocity"]
    order = np.lexsort((lasts, begins))  # of equal notes the others come first
    begins, lasts = begins[order], lasts[order]
    is_new = np.r_[True, (begins[1:] != begins[:-1]) | (lasts[1:] != lasts[:-1])][: len(both)]
    group = np.cumsum(is_new) - 1
    is_mine = order >= len(others)
    taken = np.bincount(group, ~is_mine)
    # A note's rank among its equals, those to be taken away left out.
    counted = np.cumsum(is_mine)
    rank: npt.NDArray[np.int64] = counted - (counted - is_mine)[is_new][group]
    return np.asarray(both[order[is_mine & (rank > taken[group])]])


class RowChange(NamedTuple):
    """All rows of some ticks out of a table, and all rows of these ticks in."""

    out: tuple[Any, ...]  # rows whose first value is their tick
    put: tuple[Any, ...]

    @classmethod
    def between(cls, before: Iterable[Any], after: Iterable[Any]) -> RowChange:
        """Return what makes ``after`` of ``before``."""
        old, new = _by_tick(before), _by_tick(after)
        ticks = sorted(tick for tick in {*old, *new} if old.get(tick) != new.get(tick))
        return cls(_rows(old, ticks), _rows(new, ticks))

    def made(self, rows: Iterable[Any]) -> tuple[Any, ...]:
        """Return rows with the change made."""
        now, out, put = _by_tick(rows), _by_tick(self.out), _by_tick(self.put)
        for tick in {*out, *put}:
            if now.get(tick) != out.get(tick):
                rows_there = [" ".join(map(str, row[1:])) for row in out.get(tick, ())]
                raise Missing(f"{', '.join(rows_there) or 'nothing else'} at tick {tick}")
        now = {tick: rows for tick, rows in now.items() if tick not in out} | put
        return _rows(now, sorted(now))

    def revert(self) -> RowChange:
        """Return the change back."""
        return RowChange(self.put, self.out)


def _by_tick(rows: Iterable[Any]) -> dict[int, list[Any]]:
    ticks: dict[int, list[Any]] = {}
    for row in rows:
        ticks.setdefault(row[0], []).append(row)
    return ticks


def _rows(by_tick: dict[int, list[Any]], ticks: Sequence[int]) -> tuple[Any, ...]:
    return tuple(row for tick in ticks for row in by_tick.get(tick, ()))


class Edge(NamedTuple):
    """Where a stretch of chords begins or ends."""

    low: int  # the first tick that counts as it: players come early
    tick: int  # where a chord is said that has to be
    high: int  # the first tick that comes after it

    def said(self, texts: Texts) -> Texts:
        """Return the chords that are said here."""
        return tuple(text for text in texts if self.low <= text.tick < self.high)


#: Behind the last tick.
NEVER = Edge(MAX_TICK + 1, MAX_TICK + 1, MAX_TICK + 1)


class Stretch(NamedTuple):
    """The time that a change of chords is about."""

    start: Edge
    end: Edge = NEVER
    is_last: bool = True  # nothing has to hold on behind it while no chord stands there
    is_new: bool = False  # it comes after the end, so that nothing holds on into it

    def cut(self, chords: Texts) -> tuple[Texts, Texts, Texts]:
        """Return the chords before, inside and behind."""
        before = tuple(text for text in chords if text.tick < self.start.low)
        behind = tuple(text for text in chords if text.tick >= self.end.low)
        return before, chords[len(before) : len(chords) - len(behind)], behind


class ChordChange(NamedTuple):
    """The chords of a stretch out, and others in.

    ``enters`` is what holds at its start where no chord of the stretch is said there, for what is
    taken out and for what is put in; nothing where that does not matter. ``adds`` is whether a
    chord had to be said again behind it, ``drops`` whether one no longer has to be.
    """

    stretch: Stretch
    out: Texts
    put: Texts
    enters: tuple[str, str]
    adds: bool = False
    drops: bool = False

    @classmethod
    def between(cls, before: Texts, after: Texts, stretch: Stretch) -> ChordChange:
        """Return the change that turns ``before`` into ``after`` in a stretch."""
        (early, old, late), (_, new, later) = stretch.cut(before), stretch.cut(after)
        start, held = stretch.start, "" if stretch.is_new else _held(early)
        enters = [said[0].text if (said := start.said(texts)) else held for texts in (old, new)]
        was, now = (bool(stretch.end.said(texts)) for texts in (late, later))
        return cls(stretch, old, new, (enters[0], enters[1]), now and not was, was and not now)

    def made(self, chords: Texts) -> Texts:
        """Return chords with the change made."""
        (start, end, is_last, _), (left, entered) = self.stretch, self.enters
        before, inside, behind = self.stretch.cut(chords)
        held = _held(before)
        # Where another edit has changed what comes before, the chord is said that held till then.
        old, new = (
            (Text(start.tick, enters), *texts)
            if enters not in ("", held) and not start.said(texts)
            else texts
            for enters, texts in ((left, self.out), (entered, self.put))
        )
        if inside != old:
            first = next(two for two in zip_longest(old, inside) if two[0] != two[1])
            tick = min(text.tick for text in first if text)
            raise Missing(f"the chords as they were at tick {tick}")
        was, now = _held((*before, *old)), _held((*before, *new))
        said = end.said(behind)
        if not said and was != now and (behind or not is_last):
            behind = (Text(end.tick, was), *behind)
        elif self.drops and said == (Text(end.tick, now),):
            behind = behind[1:]
        return (*before, *new, *behind)

    def revert(self) -> ChordChange:
        """Return the change back."""
        enters = self.enters[1], self.enters[0]
        return ChordChange(self.stretch, self.put, self.out, enters, self.drops, self.adds)


def chord_changes(
    before: Texts, after: Texts, stretches: Sequence[Stretch] = ()
) -> tuple[ChordChange, ...]:
    """Return what makes the chords ``after`` of those ``before``.

    Parameters
    ----------
    before, after
        Chord symbols.
    stretches
        Where they were written, in order, none beside another; told by what has changed without
        them, or where something else has changed as well.
    """
    if before == after:
        return ()
    changes = [ChordChange.between(before, after, stretch) for stretch in stretches]
    try:
        made = reduce(lambda chords, change: change.made(chords), changes, before)
    except Missing:
        made = before
    if made != after:
        changes = [ChordChange.between(before, after, _stretch_of(before, after))]
    return tuple(change for change in changes if change != change.revert())


def _stretch_of(before: Texts, after: Texts) -> Stretch:
    """Return the stretch from the first chord that differs to one after all that differ."""
    change = RowChange.between(before, after)
    ticks = [text.tick for text in (*change.out, *change.put)]
    first = min(ticks)
    common = [tick for tick, _ in before if tick > max(ticks)]  # said in both
    start, *end = (Edge(tick, tick, tick + 1) for tick in (first, *common[:1]))
    return Stretch(start, end[0] if end else NEVER)


def _held(chords: Sequence[Text]) -> str:
    """Return the chord that holds behind chords."""
    return chords[-1].text if chords else NO_CHORD
