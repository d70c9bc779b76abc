"""Written parts, as notation has them, made into a score.

Readers fill a ``WrittenPart`` a part, in quarters; here ties are joined, measures become time
signatures, and quarters become ticks. A tie goes to the next note of its pitch in the part that
begins where it ends, in any voice or chord.
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

from composer.interop._tables import table_rows
from composer.score.events import Text, microseconds_per_quarter
from composer.score.score import Score, Track

#: Beat units with more parts than this are not written as a signature.
_MOST_DENOMINATOR = 128


@dataclasses.dataclass
class WrittenNote:
    """A note of a part; times in quarters, pitch as it sounds."""

    onset: Fraction
    offset: Fraction
    pitch: int
    velocity: int
    voice: str = ""
    tie_start: bool = False
    tie_stop: bool = False
    is_drum: bool = False


@dataclasses.dataclass
class WrittenPart:
    """One part: its notes, and what stands in it at which quarter."""

    name: str = ""
    title: str = ""  # of the piece, in its first part
    program: int = 0
    is_drum: bool = False
    notes: list[WrittenNote] = dataclasses.field(default_factory=list)
    lyrics: list[tuple[Fraction, str]] = dataclasses.field(default_factory=list)
    keys: list[tuple[Fraction, int, int]] = dataclasses.field(default_factory=list)
    meters: list[tuple[Fraction, int, int]] = dataclasses.field(default_factory=list)
    chords: list[tuple[Fraction, str]] = dataclasses.field(default_factory=list)
    tempos: list[tuple[Fraction, float]] = dataclasses.field(default_factory=list)
    #: Start and length of each measure.
    measures: list[tuple[Fraction, Fraction]] = dataclasses.field(default_factory=list)


def score_of(parts: list[WrittenPart], tpq: int) -> Score:
    """Return written parts as a score."""

    def tick(quarter: Fraction) -> int:
        return round(quarter * tpq)

    def first(name: str) -> WrittenPart:
        pitched = [part for part in parts if not part.is_drum]
        found = [part for part in (*pitched, *parts) if getattr(part, name)]
        return found[0] if found else WrittenPart()

    tempos = {tick(at): bpm for part in reversed(parts) for at, bpm in part.tempos if bpm > 0}
    symbols = [(tick(at), text) for part in parts for at, text in part.chords]
    chords: dict[tuple[int, str], None] = dict.fromkeys(sorted(symbols, key=lambda row: row[0]))
    measures = first("measures").measures
    meters = (
        bar_signatures(first("meters").meters, measures) if measures else first("meters").meters
    )
    return Score(
        tpq=tpq,
        tracks=tuple(track for part in parts for track in _tracks(part, tpq)),
        tempos=table_rows(
            (at, microseconds_per_quarter(bpm)) for at, bpm in sorted(tempos.items())
        ),
        time_signatures=table_rows((tick(at), *meter) for at, *meter in meters),
        key_signatures=table_rows((tick(at), *key) for at, *key in first("keys").keys),
        chords=tuple(Text(at, text) for at, text in chords),
        title=first("title").title,
    )


def _tracks(part: WrittenPart, tpq: int) -> list[Track]:
    """Return a part as a track; one more if it has drums beside pitched notes."""
    joined = join_ties(part.notes)
    kinds = sorted({note.is_drum for note in joined}) or [part.is_drum]
    tracks: list[Track] = []
    for is_drum in kinds:
        rows = dict.fromkeys(
            (round(n.onset * tpq), round(n.offset * tpq), n.pitch, n.velocity)
            for n in joined
            if n.is_drum == is_drum
        )
        tracks.append(
            Track(
                name=part.name,
                program=0 if is_drum and not part.is_drum else part.program,
                is_drum=is_drum,
                notes=table_rows((on, off - on, pitch, vel) for on, off, pitch, vel in rows),
                lyrics=()
                if tracks
                else tuple(Text(round(at * tpq), text) for at, text in part.lyrics),
            )
        )
    return tracks


def join_ties(notes: list[WrittenNote]) -> list[WrittenNote]:
    """Return notes with those that are tied made one, in the order of their onsets."""
    joined: list[WrittenNote] = []
    held: dict[tuple[int, bool, Fraction], list[WrittenNote]] = {}
    for note in sorted(notes, key=lambda note: note.onset):
        waiting = held.get((note.pitch, note.is_drum, note.onset), []) if note.tie_stop else []
        if waiting:
            same = [other for other in waiting if other.voice == note.voice]
            head = (same or waiting)[0]
            waiting.remove(head)
            head.offset, head.voice = note.offset, note.voice
        else:
            head = dataclasses.replace(note)
            joined.append(head)
        if note.tie_start:
            held.setdefault((note.pitch, note.is_drum, head.offset), []).append(head)
    return joined


def bar_signatures(
    meters: list[tuple[Fraction, int, int]], measures: list[tuple[Fraction, Fraction]]
) -> list[tuple[Fraction, int, int]]:
    """Return the signatures that make bars of these measures.

    The last measure keeps its meter where it is short: it ends with the piece.
    """
    signatures: list[tuple[Fraction, int, int]] = []
    written, given = (4, 4), False
    current: tuple[int, int] | None = None
    expected = Fraction(0)  # where the bar line stands if nothing is said
    inside = sorted(meters, key=lambda row: row[0])[::-1]
    for number, (start, length) in enumerate(measures):
        while inside and inside[-1][0] <= start:
            written, given = inside.pop()[1:], True
        full = Fraction(4 * written[0], written[1])
        last = number == len(measures) - 1
        meter = written
        if length != full and not (last and length < full):
            meter = _of_length(length, written)
        if meter != (current or (4, 4)) or start != expected or (given and current is None):
            signatures.append((start, *meter))
            current = meter
        expected = start + Fraction(4 * meter[0], meter[1])
    return signatures


def _of_length(length: Fraction, written: tuple[int, int]) -> tuple[int, int]:
    """Return a signature of a length; of the next beat up, which is then cut, if there is none."""
    denominator = written[1]
    while denominator <= _MOST_DENOMINATOR:
        numerator = length * denominator / 4
        if numerator.denominator == 1 and 1 <= numerator <= 255:
            return int(numerator), denominator
        denominator *= 2
    return min(math.ceil(length * written[1] / 4), 255), written[1]
