"""Tracks in patches: which go on in another score, and whole ones that come and go.

A patch knows tracks by name, program and whether they are drums, and where several are alike by
their number among them: so it finds them when others have come or gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from composer.errors import RequestError
from composer.score.score import Score, Track


class TrackRef(NamedTuple):
    """A track that is there before a patch and after it."""

    name: str
    program: int
    is_drum: bool
    was: tuple[int, int]  # which of how many that are alike, before; from 0
    now: tuple[int, int]  # the same after

    def revert(self) -> TrackRef:
        """Return the same for the patch back."""
        return self._replace(was=self.now, now=self.was)


class Placed(NamedTuple):
    """A whole track put in or taken out, and the tracks on both sides that stay."""

    track: Track
    after: TrackRef | None
    until: TrackRef | None

    def revert(self) -> Placed:
        """Return the same for the patch back."""
        return Placed(self.track, *(kept and kept.revert() for kept in self[1:]))


def refusal(what: str) -> str:
    """Return why a patch cannot be applied to a score that does not hold something."""
    return f"the score does not hold {what}; apply the patch to the score that it was made from"


def identity(track: Track) -> tuple[str, int, bool]:
    """Return what a track is known by: its name, its program and whether it is of drums."""
    return track.name, track.program, track.is_drum


def aligned(before: Sequence[Track], after: Sequence[Track]) -> list[tuple[int, int]]:
    """Return which track of one score goes on in which of the other, in order.

    Of all ways the one with the most tracks that are as they were, then with the most that go on.
    """
    first = 0
    while first < min(len(before), len(after)) and before[first] == after[first]:
        first += 1
    old, new = before[first:], after[first:]
    unlike = 1 + len(old) + len(new)  # as they were counts more than any number that go on
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    worth = [
        [(identity(a) == identity(b)) * (1 + unlike * (a is b or a == b)) for b in new] for a in old
    ]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            both = best[i + 1][j + 1] + worth[i][j] if worth[i][j] else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], both)
    pairs, i, j = [(k, k) for k in range(first)], 0, 0
    while i < len(old) and j < len(new):
        if worth[i][j] and best[i][j] == best[i + 1][j + 1] + worth[i][j]:
            pairs.append((first + i, first + j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def track_ref(before: Sequence[Track], after: Sequence[Track], i: int, j: int) -> TrackRef:
    """Return what a patch says of a track that is number i before it and number j after."""
    was, now = (
        [k for k, track in enumerate(tracks) if identity(track) == identity(before[i])]
        for tracks in (before, after)
    )
    return TrackRef(*identity(before[i]), (was.index(i), len(was)), (now.index(j), len(now)))


def other_tracks(
    tracks: Sequence[Track], places: Sequence[int], kept: Sequence[TrackRef]
) -> tuple[Placed, ...]:
    """Return the tracks that do not stay, each with its neighbours that do."""
    bounds: list[TrackRef | None] = [None, *kept, None]
    placed = []
    for i, track in enumerate(tracks):
        if i not in places:
            before = sum(place < i for place in places)
            placed.append(Placed(track, bounds[before], bounds[before + 1]))
    return tuple(placed)


def track_of(kept: TrackRef, score: Score) -> int:
    """Return the index in a score of a track that a patch is about.

    Raises
    ------
    RequestError
        The score does not have it.
    """
    alike = [i for i, track in enumerate(score.tracks) if identity(track) == kept[:3]]
    number, count = kept.was
    if len(alike) < count:
        raise RequestError(refusal(f"the track {kept.name or f'of program {kept.program}'}"))
    return alike[number]


def placed_tracks(
    taken: Sequence[Placed], added: Sequence[Placed], score: Score, tracks: Sequence[Track]
) -> tuple[Track, ...]:
    """Return the tracks of a score without those taken and with those added.

    Parameters
    ----------
    taken, added
        By where they lie in the score.
    score
        The score.
    tracks
        Its tracks, changed in themselves already.

    Raises
    ------
    RequestError
        The score does not hold those taken.
    """

    def gap(placed: Placed) -> tuple[int, int]:
        after = -1 if placed.after is None else track_of(placed.after, score)
        return after, len(tracks) if placed.until is None else track_of(placed.until, score)

    gone = set()
    for placed in taken:
        after, until = gap(placed)
        found = [i for i in range(after + 1, until) if tracks[i] == placed.track and i not in gone]
        if not found:
            raise RequestError(refusal(f"{placed.track.name or 'a track'} as it was"))
        gone.add(found[0])
    new: dict[int, tuple[int, list[Track]]] = {}
    for placed in added:
        after, until = gap(placed)
        new.setdefault(after, (until, []))[1].append(placed.track)
    result, i = [], -1
    while i < len(tracks):
        if i >= 0 and i not in gone:
            result.append(tracks[i])
        if i in new:
            until, group = new[i]
            others = [tracks[k] for k in range(i + 1, until) if k not in gone]
            result += _merged(others, group)
            i = until - 1
        i += 1
    return tuple(result)


def _merged(first: Sequence[Track], second: Sequence[Track]) -> list[Track]:
    """Return tracks of both, each kept in order, in the same order whichever comes first."""

    def rank(track: Track) -> tuple[Any, ...]:
        tables = (track.notes, track.controls, track.pitch_bends, track.pedals)
        return (*identity(track), *(table.tobytes() for table in tables), track.lyrics)

    merged, rest = [], [list(first), list(second)]
    while all(rest):
        merged.append(min(rest, key=lambda tracks: rank(tracks[0])).pop(0))
    return [*merged, *rest[0], *rest[1]]
