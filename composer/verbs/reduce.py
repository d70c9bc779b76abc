"""``reduce``: many parts as a piano.

Many parts as a piano that two hands can play, out of the notes there are.

Time goes from onset to onset; what begins within a position of the grid of each other begins
together. At each, in this order:

1. *The melody* goes to the right hand: the highest note that begins in the melody part or, while
   that rests, in any. *The bass* goes to the left: the lowest note that begins, if it is the bass
   part's or nothing that sounds lies lower. For those two a hand lets go what it can no longer
   reach and what stands in the way; the bass gives way to a melody that lies below it.
2. *The rest* fills the hands as far as they reach, between melody and bass: first pitch classes
   that do not sound yet, then doublings in a hand of three notes or fewer, the longer before the
   shorter; each in the hand whose notes it lies nearer to. What does not fit is left out.

A hand spans a tenth at most (sixteen semitones) and holds five notes at most, and the hands do not
cross. A note that a hand lets go early is shortened; one that would hardly sound is left out. Drums
are left out, and notes of one pitch that begin together are one.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Iterator, Sequence

import numpy as np

from composer.errors import RequestError
from composer.model.model import Model
from composer.planning.settings import ScoreLike, read
from composer.score.events import NOTE, Events
from composer.score.grid import RESOLUTION
from composer.score.parts import track_roles
from composer.score.score import Score, Track


def reduce(model: Model, score: ScoreLike, to: str = "piano") -> Score:
    """Reduce many parts to a piano that two hands can play.

    Nothing is made up: every note is one of the score's, some of them shortened. The melody and the
    bass stay; of the notes between them each hand plays what it reaches, a tenth and five notes at
    most. ``composer.verbs.reduce`` says how it chooses.

    Parameters
    ----------
    score
        A score or the path of one.
    to
        ``"piano"``, which is all there is by now.

    Returns
    -------
    Score
        Two tracks, "Right hand" and "Left hand"; tempos, signatures, markers and chords as they
        were.

    Raises
    ------
    RequestError
        The score has no notes but drums, or it is to be something else than a piano.

    Examples
    --------
    >>> import composer
    >>> song = composer.arrange(composer.melody("C G Am F", seed=1), "strings, bass", seed=1)
    >>> [track.name for track in composer.reduce(song).tracks]
    ['Right hand', 'Left hand']
    """
    if to != "piano":
        raise RequestError(f"a score cannot be reduced to {to!r}; give to='piano'")
    return piano_reduction(read(score))


SPAN = 16  # semitones: a major tenth


FINGERS = 5


_FULL = 4  # notes from which a hand takes no doubling


@dataclasses.dataclass(eq=False)
class _Note:
    onset: int  # ticks
    end: int
    pitch: int
    velocity: int
    role: str
    leads: bool = False  # the melody or the bass: given up for no other note
    is_cut: bool = False  # let go early


class _Hand:
    """What a hand has played, and what it holds; its side is 1 for right and -1 for left."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.played: list[_Note] = []
        self.held: list[_Note] = []

    def take(self, note: _Note) -> None:
        self.held.append(note)
        self.played.append(note)

    def let_go(self, note: _Note, now: int) -> None:
        note.end, note.is_cut = now, True
        self.held.remove(note)

    def reaches(self, pitch: int) -> bool:
        """Return whether one more note fits into the hand."""
        pitches = [pitch, *(note.pitch for note in self.held)]
        return len(pitches) <= FINGERS and max(pitches) - min(pitches) <= SPAN

    def is_beyond(self, pitch: int, other: int) -> bool:
        """Return whether a pitch lies farther out on the hand's side than another."""
        return self.side * (pitch - other) > 0

    def distance(self, pitch: int) -> float:
        """Return how far a pitch lies from what the hand holds."""
        return min((abs(pitch - note.pitch) for note in self.held), default=math.inf)


def piano_reduction(score: Score) -> Score:
    """Return a score as two tracks that a pianist can play, right hand and left hand.

    Parameters
    ----------
    score
        Any score. Tempos, signatures, markers and chords stay, and the right hand has the lyrics of
        the melody; controllers and bends go with the parts they belong to.

    Raises
    ------
    RequestError
        It has no notes but drums.
    """
    roles = track_roles(score)
    close = max(1, score.tpq // RESOLUTION)  # ticks
    groups = _groups(score, roles, close)
    if not groups:
        raise RequestError("the score has no notes but drums; there is nothing to reduce")
    right, left = _Hand(1), _Hand(-1)
    for group, lowest in zip(groups, _lowest_sounding(groups), strict=True):
        now = min(note.onset for note in group)
        for hand in (right, left):
            hand.held = [note for note in hand.held if note.end > now]
        melody = _melody(group, right)
        if melody:
            _lead(melody, right, left, now)
        bass = _bass(group, lowest)
        if bass and all(bass.pitch < note.pitch for note in right.held if note.leads):
            _lead(bass, left, right, now)
        _fill([note for note in group if not note.leads], right, left, now)
    sung = [t.lyrics for t, role in zip(score.tracks, roles, strict=True) if role == "melody"]
    return score.replace(
        tracks=(
            Track("Right hand", notes=_table(right, close), lyrics=[*sung, ()][0]),
            Track("Left hand", notes=_table(left, close)),
        )
    )


def _groups(score: Score, roles: Sequence[str], close: int) -> list[list[_Note]]:
    """Return the notes that begin together, in order of time, each pitch once."""
    notes = [
        _Note(onset, onset + duration, pitch, velocity, role)
        for track, role in zip(score.tracks, roles, strict=True)
        if role != "drums"
        for onset, duration, pitch, velocity in track.notes.tolist()
    ]
    groups: list[dict[int, _Note]] = []
    begin = -close
    for note in sorted(notes, key=lambda note: (note.onset, _RANK[note.role])):
        if note.onset - begin >= close:
            begin = note.onset
            groups.append({})
        same = groups[-1].setdefault(note.pitch, note)
        if _RANK[note.role] < _RANK[same.role]:
            groups[-1][note.pitch] = note
        elif note.role == same.role:
            same.end = max(same.end, note.end)
    return [list(group.values()) for group in groups]


_RANK = {"melody": 0, "bass": 1, "accompaniment": 2}  # whose note a unison is


def _lowest_sounding(groups: Sequence[Sequence[_Note]]) -> Iterator[int]:
    """Yield the lowest pitch that sounds where each group begins."""
    sounding: list[tuple[int, int]] = []  # a heap of (pitch, end)
    for group in groups:
        for note in group:
            heapq.heappush(sounding, (note.pitch, note.end))
        now = min(note.onset for note in group)
        while sounding[0][1] <= now:
            heapq.heappop(sounding)
        yield sounding[0][0]


def _melody(group: Sequence[_Note], right: _Hand) -> _Note | None:
    """Return the note of a group that the melody goes on with."""
    own = [note for note in group if note.role == "melody"]
    if not own and not any(note.role == "melody" for note in right.held):
        own = [note for note in group if note.role != "bass"]
    return max(own, key=lambda note: note.pitch, default=None)


def _bass(group: Sequence[_Note], lowest: int) -> _Note | None:
    """Return the note of a group that the bass goes on with."""
    deep = [n for n in group if not n.leads and (n.role == "bass" or n.pitch <= lowest)]
    return min(deep, key=lambda note: note.pitch, default=None)


def _lead(note: _Note, hand: _Hand, other: _Hand, now: int) -> None:
    """Play the melody or the bass, and let go what is in its way."""
    note.leads = True
    for held in [held for held in other.held if not hand.is_beyond(note.pitch, held.pitch)]:
        other.let_go(held, now)
    for held in [held for held in hand.held if held.pitch == note.pitch]:
        hand.let_go(held, now)
    while not hand.reaches(note.pitch):
        farthest = max(hand.held, key=lambda n: (not n.leads, abs(n.pitch - note.pitch)))
        hand.let_go(farthest, now)
    hand.take(note)


def _fill(notes: Sequence[_Note], right: _Hand, left: _Hand, now: int) -> None:
    """Play what fits of the other notes of a group."""
    rest = sorted(notes, key=lambda note: (-(note.end - note.onset), -note.pitch))
    while rest:
        sounding = {note.pitch % 12 for hand in (right, left) for note in hand.held}
        note = min(rest, key=lambda note: note.pitch % 12 in sounding)  # the first of equals
        rest.remove(note)
        hands = [
            hand
            for hand, other in ((right, left), (left, right))
            if _fits(note, hand, other, doubling=note.pitch % 12 in sounding)
        ]
        if hands:
            hand = min(hands, key=lambda hand: hand.distance(note.pitch))
            for held in [held for held in hand.held if held.pitch == note.pitch]:
                hand.let_go(held, now)
            hand.take(note)


def _fits(note: _Note, hand: _Hand, other: _Hand, *, doubling: bool) -> bool:
    """Return whether a hand can play a note inside the melody and the bass."""
    inside = all(
        hand.is_beyond(lead.pitch, note.pitch) for lead in hand.held if lead.leads
    ) and all(hand.is_beyond(note.pitch, held.pitch) for held in other.held)
    again = any(held.pitch == note.pitch for held in hand.held)  # struck once more
    if not inside or (doubling and not again and len(hand.held) >= _FULL):
        return False
    return again or hand.reaches(note.pitch)


def _table(hand: _Hand, shortest: int) -> Events:
    """Return the notes of a hand, without those that it let go at once."""
    rows = [
        (note.onset, note.end - note.onset, note.pitch, note.velocity)
        for note in hand.played
        if note.leads or not note.is_cut or note.end - note.onset >= shortest
    ]
    return np.array([row for row in rows if row[1] > 0], NOTE)
