"""A finished score as it is checked: its notes, chords and keys, by bar and position.

Conventions
-----------
Ticks are taken to the nearest of twelve positions a quarter, halves up, and a note lasts for one
position at least. A note belongs to the bar and the position that it begins in. Bars and tracks
count from 0 here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from composer.constraints.base import Cell
from composer.errors import SymbolError
from composer.score.score import Score
from composer.theory.chords import Chord, parse_chord
from composer.theory.keys import Key


class Onset(NamedTuple):
    """A note: its bar and place there, and when it sounds, in positions."""

    bar: int
    place: int
    begin: int
    end: int
    pitch: int


class CheckedScore(NamedTuple):
    """A score, and what every constraint has to look up."""

    score: Score
    home: Key  # up to the first change of signature
    starts: list[int]  # where each bar begins, and where the last one ends, in positions
    chords: list[tuple[int, Chord | None]]  # where each begins, in positions

    @classmethod
    def of(cls, score: Score, home: Key, named: Sequence[tuple[int, int] | None]) -> CheckedScore:
        """Return a score with as many bars as it has, or as some pairs of bars name."""
        count = max([_bars(score), *(pair[1] for pair in named if pair)])
        starts = [_position(int(score.meter.bar_start(bar)), score.tpq) for bar in range(count + 1)]
        return cls(score, home, starts, _chords(score))

    @property
    def bars(self) -> int:
        """How many bars there are."""
        return len(self.starts) - 1

    def place_of(self, tick: int, tpq: int) -> tuple[int, int]:
        """Return the bar that a tick of so many a quarter goes to, and its position there."""
        bar, begin = 0, _position(tick, tpq)
        while bar + 1 < self.bars and self.starts[bar + 1] <= begin:
            bar += 1
        return bar, begin - self.starts[bar]

    def notes(self, row: int) -> list[Onset]:
        """Return the notes of a track."""
        track, tpq = self.score.tracks[row], self.score.tpq
        notes = []
        for onset, duration, pitch, _ in track.notes.tolist():
            begin = _position(onset, tpq)
            end = begin + 1 if track.is_drum else max(begin + 1, _position(onset + duration, tpq))
            notes.append(Onset(*self.place_of(onset, tpq), begin, end, pitch))
        return notes

    def key(self, bar: int) -> Key:
        """Return the key of the signature that a bar begins with: of the first one the home key."""
        rows = self.score.key_signatures.tolist()
        changes = [row for row in rows[1:] if row[0] <= self.score.meter.bar_start(bar)]
        if not changes or changes[-1][1:] == rows[0][1:]:
            return self.home
        _, sharps, minor = changes[-1]
        return Key.from_signature(sharps, bool(minor))

    def chord_at(self, begin: int) -> tuple[Chord | None, bool]:
        """Return the chord at a position, and whether it begins there."""
        chord, begins = None, False
        for position, name in self.chords:
            if position <= begin:
                chord, begins = name, position == begin
        return chord, begins

    def cell(self, row: int, bar: int) -> Cell:
        """Return what a constraint of a user's own may know of a bar of a track."""
        signature, start, end = self.score.meter.signature_at(bar), *self.starts[bar : bar + 2]
        track, (holding, _) = self.score.tracks[row], self.chord_at(start)
        begun = [(at - start, chord) for at, chord in self.chords if start < at < end]
        return Cell(
            self.key(bar),
            int(signature["numerator"]),
            int(signature["denominator"]),
            ((0, holding), *begun) if self.chords else (),
            track.program,
            track.is_drum,
        )

    def strong(self, bar: int) -> list[int]:
        """Return where a bar's strong beats are: its first, and every second of an even number.

        Beats of 6/8, 9/8, 12/8 and the like are three of their units long.
        """
        signature = self.score.meter.signature_at(bar)
        beats, unit = int(signature["numerator"]), 48 // int(signature["denominator"])
        if unit <= 6 and beats % 3 == 0 and beats > 3:
            beats, unit = beats // 3, 3 * unit
        return [beat * unit for beat in range(0, beats, 2)] if beats % 2 == 0 else [0]


def _position(tick: int, tpq: int) -> int:
    return (24 * tick + tpq) // (2 * tpq)


def _bars(score: Score) -> int:
    """Return how many bars a score has."""
    ends = [int(note["onset"] + note["duration"]) for t in score.tracks for note in t.notes]
    begins = [int(note["onset"]) for track in score.tracks for note in track.notes]
    # As a verb counts them: a last note held a sixteenth too long opens no bar.
    end = max([0, max(ends, default=0) - score.tpq // 4, max(begins, default=-1) + 1])
    return score.meter.bars_until(max([end, *(tick + 1 for tick, _ in score.chords)]))


def _chords(score: Score) -> list[tuple[int, Chord | None]]:
    """Return where each chord begins, in positions, and the chord."""
    chords: list[tuple[int, Chord | None]] = []
    for tick, text in score.chords:
        try:
            chord = parse_chord(text)
        except SymbolError:
            continue
        position = _position(tick, score.tpq)
        if chords and chords[-1][0] == position:
            chords.pop()
        if chord != (chords[-1][1] if chords else None):
            chords.append((position, chord))
    return chords
