"""Find pieces that are the same music: as they are, transposed, or with some notes changed.

Conventions
-----------
What is compared are notes on the grid of twelve positions a quarter, counted from the first one.
Tracks, programs, velocities, names, tempos and ``tpq`` play no part, so neither does the layout of
a file. Three kinds of likeness, each wider than the one before:

``exact``
    The same onsets, pitches and durations.
``transposed``
    The same but for one interval that all pitched notes are moved by.
``near``
    Of all phrases of two pieces at least ``THRESHOLD`` are common to both (the Jaccard index of the
    two sets). A phrase is ``PHRASE`` steps from note to note, a step being the time since the note
    before and the interval to it; drum hits have phrases of their own, by pitch. So a repeat
    written out or a part of the notes changed is found, transposed or not; an excerpt of a much
    longer piece, other note values and a new arrangement of a tune are not.

Sets of phrases are compared by their MinHash of ``HASHES`` values, which tells the index to within
0.05 or so. Pairs are looked for in bands of ``BAND`` values (LSH): of those at the threshold it
finds 94 in 100, of those at 0.5 99 in 100. A group is whatever hangs together through such pairs.

References
----------
Broder 1997, *On the Resemblance and Containment of Documents* (MinHash); Leskovec, Rajaraman &
Ullman, *Mining of Massive Datasets*, chapter 3 (LSH).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from composer.score.score import Score
from composer.tokenizers.bins import Bins
from composer.tokenizers.columns import Ints
from composer.tokenizers.quantize import all_events, longest

Hashes = npt.NDArray[np.uint32]
_Words = npt.NDArray[np.uint64]

_GRID = Bins(velocities=0)  # asked for times only

PHRASE = 4
THRESHOLD = 0.4
HASHES = 128
BAND = 3
#: A piece of fewer distinct phrases is too plain to be called near another one.
FEWEST_PHRASES = 24

#: What stands for the MinHash of a piece that is not compared.
NO_HASHES = np.full(HASHES, 2**32 - 1, np.uint32)
_LONGEST_STEP = 255  # positions; what is further apart is as far
_AT_ONCE = 512  # phrases hashed at once: what a core's own cache holds, however long the piece
# Odd multipliers, then shifts: a permutation of 64-bit words each, drawn once and for all.
_FACTORS = np.random.Generator(np.random.PCG64(1997)).integers(
    0, 2**63, HASHES, dtype=np.uint64
) * np.uint64(2) + np.uint64(1)


@dataclasses.dataclass(frozen=True)
class Sketch:
    """What of a piece is kept to compare it.

    Parameters
    ----------
    exact, tune
        Digests of the notes, as they are and whatever the transposition; both "" without notes.
    hashes
        MinHash of the phrases, shape (HASHES,); ``NO_HASHES`` where they are too few.
    """

    exact: str
    tune: str
    hashes: Hashes


@dataclasses.dataclass(frozen=True)
class Duplicates:
    """Pieces that are the same music.

    Parameters
    ----------
    kind
        The widest likeness needed to join them: ``exact``, ``transposed`` or ``near``.
    members
        Two or more indices, rising.
    """

    kind: str
    members: tuple[int, ...]


def sketch(score: Score) -> Sketch:
    """Return what is kept of a score to compare it.

    >>> from composer import Score, Track
    >>> tune = Score(480, (Track(notes=[(0, 480, 60, 90), (480, 480, 64, 90)]),))
    >>> high = Score(96, (Track(notes=[(96, 96, 62, 50), (192, 96, 66, 70)]),))
    >>> sketch(tune).exact == sketch(high).exact, sketch(tune).tune == sketch(high).tune
    (False, True)
    """
    notes, drum = all_events(score.tracks, [track.is_drum for track in score.tracks])
    if not len(notes):
        return Sketch("", "", NO_HASHES)
    grid = notes.copy()
    grid["onset"] = _GRID.to_positions(notes["onset"], score.tpq)
    grid["duration"] = (
        _GRID.to_positions(notes["onset"] + notes["duration"], score.tpq) - grid["onset"]
    )
    grid["duration"][drum > 0] = 1
    grid["velocity"] = 0
    grid["onset"] -= grid["onset"].min()
    place = (grid["onset"] * 2 + drum) * 128 + grid["pitch"]
    rows = longest(grid, place)  # in order of onset, pitched notes before hits, and pitch
    onset, pitch, drum = grid["onset"][rows], grid["pitch"][rows].astype(np.int64), drum[rows]
    columns = np.stack([onset, grid["duration"][rows], pitch, drum])
    exact = _digest(columns)
    pitched = drum == 0
    columns[2, pitched] -= pitch[pitched].min(initial=127)
    return Sketch(
        exact,
        _digest(columns),
        _min_hash(
            np.concatenate(
                [
                    _phrases(onset[pitched], np.diff(pitch[pitched], prepend=0) + 128),
                    _phrases(onset[~pitched], pitch[~pitched] + 256),
                ]
            )
        ),
    )


def _digest(columns: Ints) -> str:
    content = np.ascontiguousarray(columns, "<i8").tobytes()
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _phrases(onset: Ints, pitch: Ints) -> _Words:
    """Return a word for each ``PHRASE`` steps that follow each other.

    Parameters
    ----------
    onset
        Positions, rising, shape (notes,).
    pitch
        What each note's step says of pitch, 0 to 511, shape (notes,).
    """
    steps = np.minimum(np.diff(onset), _LONGEST_STEP) * 512 + pitch[1:]
    count = len(steps) - PHRASE + 1
    words = np.zeros(max(count, 0), np.uint64)
    for i in range(PHRASE if count > 0 else 0):
        words = _mixed(words + steps[i : i + count].astype(np.uint64))
    return words


def _mixed(words: _Words) -> _Words:
    """Return words whose every bit depends on all bits (the finaliser of SplitMix64)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)))


def _min_hash(words: _Words) -> Hashes:
    """Return the least of each hash over a set of words, shape (HASHES,)."""
    words = np.unique(words)
    if len(words) < FEWEST_PHRASES:
        return NO_HASHES
    least = np.full(HASHES, 2**64 - 1, np.uint64)
    for start in range(0, len(words), _AT_ONCE):
        hashed = words[start : start + _AT_ONCE, None] * _FACTORS  # (phrases, HASHES)
        np.minimum(least, hashed.min(axis=0), out=least)
    return (least >> np.uint64(32)).astype(np.uint32)


def find_duplicates(exact: Sequence[str], tunes: Sequence[str], hashes: Hashes) -> list[Duplicates]:
    """Return the groups of pieces that are the same music, by their first member.

    Memory is a few hundred bytes a piece; the time is that of sorting the pieces once a band.

    Parameters
    ----------
    exact, tunes
        Digests of each piece, as in ``Sketch``.
    hashes
        MinHash of each, shape (pieces, HASHES).
    """
    groups = _Groups(len(exact))
    first: dict[str, int] = {}
    copies = np.zeros(len(exact), bool)
    for index, tune in enumerate(tunes):
        if tune and first.setdefault(tune, index) != index:
            groups.join(first[tune], index)
            copies[index] = True
    # Copies have the phrases of the first: it stands for them.
    compared = np.flatnonzero(~copies & (hashes != NO_HASHES).any(axis=1))
    for start in range(0, HASHES - BAND + 1, BAND):
        for bucket in _buckets(hashes[:, start : start + BAND], compared):
            _join_alike(groups, hashes, bucket)
    return [
        Duplicates(_kind([exact[i] for i in group], [tunes[i] for i in group]), group)
        for group in groups.several()
    ]


def _kind(exact: Sequence[str], tunes: Sequence[str]) -> str:
    if len(set(exact)) == 1:
        return "exact"
    return "transposed" if len(set(tunes)) == 1 else "near"


def _buckets(band: Hashes, rows: Ints) -> Iterable[Ints]:
    """Yield those of ``rows`` that share all values of a band, two or more at a time."""
    words = np.zeros(len(rows), np.uint64)
    for column in band.T:
        words = _mixed(words + column[rows])
    order = np.argsort(words, kind="stable")
    ends = np.flatnonzero(np.diff(words[order], append=0) != 0) + 1
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    for i in np.flatnonzero(ends - starts > 1):
        yield rows[order[starts[i] : ends[i]]]


def _join_alike(groups: _Groups, hashes: Hashes, bucket: Ints) -> None:
    """Join the pieces of a bucket that are alike: the first with all like it, then what is left."""
    while len(bucket) > 1:
        head, rest = int(bucket[0]), bucket[1:]
        alike = (hashes[rest] == hashes[head]).mean(axis=1) >= THRESHOLD
        for index in rest[alike].tolist():
            groups.join(head, index)
        bucket = rest[~alike]


class _Groups:
    """Indices that are joined to groups (a disjoint-set forest)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def _root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index

    def join(self, one: int, other: int) -> None:
        """Make one group of the groups of two indices; its root is the least index."""
        low, high = sorted((self._root(one), self._root(other)))
        self._parent[high] = low

    def several(self) -> list[tuple[int, ...]]:
        """Return the groups of two or more, by their first member."""
        members: dict[int, list[int]] = {}
        for index in range(len(self._parent)):
            members.setdefault(self._root(index), []).append(index)
        return [tuple(group) for group in members.values() if len(group) > 1]
