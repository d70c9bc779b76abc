"""Scores whose bars do not begin on positions of the grid, written on one whose bars do.

The grid has twelve positions a quarter and bars of whole sixteenths. After a bar of 7/32, or a
change of meter inside a bar, the score's bars and the grid's would part company, and every bar
behind would be taken for its neighbour. So such a score is written on another one: bar for bar the
same, but each bar that the grid does not have as long as the grid can say, at most as long as it
is, so that what is written in a bar lies in it. What comes back keeps every event of the score, and
the notes and chords written stand as far behind the beginning of their bar as they were written.

Conventions
-----------
Here a tick belongs to the bar of the score's own meter that it lies in. What lies in the part of a
bar that the grid cannot say is heard at the last position of the bar.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.edits.cells import own_bars
from composer.edits.changes import NEVER, Edge, Stretch
from composer.edits.ticks import GRID, Ints
from composer.score.events import NOTE, TIME_SIGNATURE, Events, Text
from composer.score.grid import RESOLUTION
from composer.score.meter import Meter
from composer.score.score import Score, Track
from composer.tokenizers.bins import BAR_LENGTHS, MAX_POSITIONS, TIME_SIGNATURES
from composer.tokenizers.quantize import quantize_signatures

_SIXTEENTH = RESOLUTION // 4
_MORE = 1000  # bars behind the last that may be written


def can_be_said(numerator: int, denominator: int) -> bool:
    """Return whether the grid has bars of a time signature, or cuts them into bars that it has.

    >>> can_be_said(7, 8), can_be_said(7, 32), can_be_said(13, 4), can_be_said(33, 4)
    (True, False, True, False)
    """
    if 4 * RESOLUTION * numerator % denominator:
        return False
    length = 4 * RESOLUTION * numerator // denominator
    while length > MAX_POSITIONS:
        if length % 2:
            return False
        length //= 2
    return bool((BAR_LENGTHS == length).any())


def is_on_grid(score: Score, bars: int) -> bool:
    """Return whether the first bars of a score are bars of the grid, or cut into such."""
    ticks = score.meter.bar_start(np.arange(bars + 1)) * RESOLUTION
    if (ticks % score.tpq).any():
        return False
    starts = ticks // score.tpq
    grid = Meter(RESOLUTION, quantize_signatures(score, GRID), score.tempos[:0])
    bar, position = grid.bar_and_position(starts)
    is_long = np.diff(starts) > MAX_POSITIONS
    return not position.any() and bool((is_long | (np.diff(bar) == 1)).all())


@dataclasses.dataclass(frozen=True, eq=False)
class Realigned:
    """A score, and the one that it is written on.

    Parameters
    ----------
    original, score
        Both; of the second only what is heard is kept, not controllers and the like.
    starts, new_starts
        Where each bar begins in either, in ticks of either: of the score's and of many more.
    scale
        Ticks of the second to one of the first.
    """

    original: Score
    score: Score
    starts: Ints
    new_starts: Ints
    scale: int

    @classmethod
    def of(cls, score: Score) -> Realigned | None:
        """Return what a score is written on; None for the score itself."""
        bars = own_bars(score) if score.chords or any(len(t.notes) for t in score.tracks) else 0
        if not bars or is_on_grid(score, bars):
            return None
        bars += _MORE
        starts = score.meter.bar_start(np.arange(bars + 1))
        scale = 1 if score.tpq % 4 == 0 else 4  # so that a sixteenth is a whole number of ticks
        tpq = score.tpq * scale
        signatures = [
            _said(row, length, score.tpq)
            for row, length in zip(
                score.meter.signature_at(np.arange(bars)).tolist(), np.diff(starts), strict=True
            )
        ]
        lengths = [4 * tpq * n // d for n, d in signatures]
        new_starts = np.concatenate([[0], np.cumsum(lengths)])
        made = cls(score, score, starts, new_starts, scale)
        return dataclasses.replace(made, score=made._realigned(signatures))

    def _realigned(self, signatures: Sequence[tuple[int, int]]) -> Score:
        rows = [
            (int(start), *signature)
            for bar, (start, signature) in enumerate(zip(self.new_starts, signatures, strict=False))
            if not bar or signature != signatures[bar - 1]
        ]
        tracks = [
            Track(t.name, t.program, t.is_drum, self._moved(t.notes, self._there))
            for t in self.original.tracks
        ]
        return Score(
            self.original.tpq * self.scale,
            tuple(tracks),
            time_signatures=np.array(rows, TIME_SIGNATURE),
            history=self.original.history,
            tempos=self._moved_rows(self.original.tempos),
            key_signatures=self._moved_rows(self.original.key_signatures),
            chords=self._moved_texts(self.original.chords),
            markers=self._moved_texts(self.original.markers),
            title=self.original.title,
        )

    def _moved_rows(self, table: Events) -> Events:
        made = table.copy()
        made["tick"] = self._there(table["tick"])
        return made

    def _moved_texts(self, texts: Sequence[Text]) -> tuple[Text, ...]:
        return tuple(Text(int(self._there(text.tick)), text.text) for text in texts)

    def back(self, after: Score) -> Score:
        """Return the original with what was written on the other score; its history is kept.

        Parameters
        ----------
        after
            The other score with cells written, and with tracks added.
        """
        tracks = []
        for row, track in enumerate(after.tracks):
            if row >= len(self.original.tracks):
                tracks.append(track.replace(notes=self._moved(track.notes, self._here)))
                continue
            before, old = self.score.tracks[row].notes, self.original.tracks[row]
            if track.notes is not before:
                notes = self._restored(track.notes, old.notes)
                tracks.append(old.replace(notes=notes))
            else:
                tracks.append(old)
        chords = [Text(int(self._here(text.tick)), text.text) for text in after.chords]
        if after.chords == self.score.chords:
            chords = [*self.original.chords]
        kept = len(self.original.history)
        history = [
            dataclasses.replace(
                patch,
                chords=tuple(c._replace(stretch=self._stretch(c.stretch)) for c in patch.chords),
            )
            for patch in after.history[kept:]
        ]
        return self.original.replace(
            tracks=tuple(tracks),
            chords=tuple(sorted(chords, key=lambda text: text.tick)),
            history=(*self.original.history, *history),
        )

    def _stretch(self, stretch: Stretch) -> Stretch:
        """Return where chords were written, in ticks of the original."""
        edges = [
            edge if edge == NEVER else Edge(*map(int, self._here(np.array(edge))))
            for edge in stretch[:2]
        ]
        return stretch._replace(start=edges[0], end=edges[1])

    def _restored(self, notes: Events, old: Events) -> Events:
        """Return notes of the other score as notes of the original: those it has, as they are."""
        known = defaultdict(list)
        moved = self._moved(old, self._there)
        for own, there in zip(old.tolist(), moved.tolist(), strict=True):
            known[there].append(own)
        stay: list[Any] = []
        new: list[Any] = []
        for note in notes.tolist():
            (stay if known[note] else new).append(known[note].pop() if known[note] else note)
        written = self._moved(np.array(new, NOTE), self._here)
        return np.concatenate([np.array(stay, NOTE), written])

    def _moved(self, notes: Events, move: Callable[[Ints], Ints]) -> Events:
        made = notes.copy()
        made["onset"] = move(notes["onset"])
        made["duration"] = np.maximum(1, move(notes["onset"] + notes["duration"]) - made["onset"])
        return made

    def _there(self, ticks: npt.ArrayLike) -> Ints:
        half = -(
            -self.original.tpq * self.scale // (2 * RESOLUTION)
        )  # later than that is early for the bar after
        return _along(ticks, self.starts, self.new_starts, self.scale, 1, half)

    def _here(self, ticks: npt.ArrayLike) -> Ints:
        return _along(ticks, self.new_starts, self.starts, 1, self.scale, 0)


def _along(
    ticks: npt.ArrayLike, starts: Ints, onto: Ints, times: int, over: int, before: int
) -> Ints:
    """Return ticks as far behind the beginning of their bar, but so long before its end."""
    bar = np.searchsorted(starts, ticks, side="right") - 1
    inside = (np.asarray(ticks, np.int64) - starts[bar]) * times // over
    longest = np.append(np.diff(onto), np.iinfo(np.int64).max // 2)[bar] - 1 - before
    return np.asarray(onto[bar] + np.minimum(inside, np.maximum(0, longest)))


def _said(row: tuple[int, int, int], length: int, tpq: int) -> tuple[int, int]:
    """Return the time signature of a bar that is as long, or the longest that is no longer."""
    _, numerator, denominator = row
    if length * denominator == 4 * tpq * numerator and can_be_said(numerator, denominator):
        return numerator, denominator
    positions = max(_SIXTEENTH, int(length) * RESOLUTION // tpq)
    fitting = np.flatnonzero(BAR_LENGTHS <= positions)
    longest = BAR_LENGTHS[fitting].max()
    # Of several signatures of one length the one with quarters reads best.
    best = min(
        (TIME_SIGNATURES[i] for i in fitting if BAR_LENGTHS[i] == longest),
        key=lambda pair: (pair[1] != 4) + (pair[1] == 16),
    )
    return best
