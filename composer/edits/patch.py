"""Edits as values: what a patch takes out of a score and puts in, and who made it.

Conventions
-----------
A patch knows the tracks that it is about as ``composer.edits.tracks`` has them, so that it finds
them when others have come or gone. It says nothing about events that it neither takes out nor puts
in.

Laws, wherever ``apply`` does not refuse: a patch and its ``revert()`` leave every event as it was,
and patches about different cells may be applied in any order. Tracks that two patches add in one
place come in order of their names then. A note is not shortened for another patch's note.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from composer._calls import called_right, shown
from composer._version import __version__
from composer.edits.changes import (
    ChordChange,
    Missing,
    NoteChange,
    RowChange,
    Stretch,
    chord_changes,
)
from composer.edits.tracks import (
    Placed,
    TrackRef,
    aligned,
    identity,
    other_tracks,
    placed_tracks,
    refusal,
    track_of,
    track_ref,
)
from composer.errors import RequestError
from composer.score.score import Score, Track, own_score

if TYPE_CHECKING:
    from composer.constraints.base import Constraint
    from composer.controls.controls import Controls
    from composer.request.sampling import Sampling

# Tables whose rows begin with a tick.
_TRACK_ROWS = ("controls", "pitch_bends", "pedals", "lyrics")
_SCORE_ROWS = ("tempos", "time_signatures", "key_signatures", "markers")


@called_right("composer.Author")
@dataclasses.dataclass(frozen=True)
class Author:
    """Who made a patch, and with what.

    Parameters
    ----------
    name
        A person, or ``"composer"`` for what a verb wrote.
    verb
        What was called, such as ``"infill"``.
    model
        The model's name and the beginning of its weights' hash.
    seed, sampling, constraints, controls, style
        What the verb was called with, the seed that was drawn if none was given.
    key
        Home key that it wrote in.
    version
        Version of the library.

    Raises
    ------
    RequestError
        The name is not a text.
    """

    name: str
    verb: str = ""
    model: str = ""
    seed: int | None = None
    sampling: Sampling | None = None
    constraints: tuple[Constraint, ...] = ()
    controls: tuple[Controls, ...] = ()
    style: str = ""
    key: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise RequestError(f"name {shown(self.name)} is not a text; say who, such as 'me'")

    def __str__(self) -> str:
        who = f"{self.name} {self.version}".rstrip()
        made_with = [self.model] if self.model else []
        if self.seed is not None:
            made_with.append(f"seed {self.seed}")
        return f"{who} ({', '.join(made_with)})" if made_with else who


class Region(NamedTuple):
    """Cells of one part beside each other."""

    part: int  # track, from 1; 0 for the chords
    name: str
    first: int  # bar, from 1
    last: int

    @property
    def bars(self) -> str:
        """The bars in words."""
        return f"bar {self.first}" if self.first == self.last else f"bars {self.first}-{self.last}"

    def __str__(self) -> str:
        return f"{self.bars} of {self.name}"


class TrackChange(NamedTuple):
    """What changes in a track that stays."""

    track: TrackRef
    notes: NoteChange | None
    rows: tuple[tuple[str, RowChange], ...]  # by the name of the table

    def revert(self) -> TrackChange:
        """Return the same for the patch back."""
        rows = tuple((name, change.revert()) for name, change in self.rows)
        return TrackChange(self.track.revert(), self.notes and self.notes.revert(), rows)


@dataclasses.dataclass(frozen=True)
class Patch:
    """An edit: what it takes out of a score and puts in.

    Made by ``diff`` or by a verb; see ``Score.apply``.

    Parameters
    ----------
    tpq
        Ticks a quarter of the scores that it is for.
    author
        Who made it.
    regions
        The cells that it is about.
    tracks, chords, rows
        What changes in tracks that stay, in the chords, and in what belongs to the whole piece.
    taken, added
        Whole tracks.
    is_revert
        Whether it takes back another.
    """

    tpq: int
    author: Author
    regions: tuple[Region, ...] = ()
    tracks: tuple[TrackChange, ...] = ()
    chords: tuple[ChordChange, ...] = ()
    rows: tuple[tuple[str, RowChange], ...] = ()
    taken: tuple[Placed, ...] = ()
    added: tuple[Placed, ...] = ()
    is_revert: bool = False

    __hash__ = None  # type: ignore[assignment]

    @called_right("composer.Patch.revert")
    def revert(self) -> Patch:
        """Return the patch that takes this one back."""
        return dataclasses.replace(
            self,
            tracks=tuple(change.revert() for change in self.tracks),
            chords=tuple(change.revert() for change in reversed(self.chords)),
            rows=tuple((name, change.revert()) for name, change in self.rows),
            taken=tuple(placed.revert() for placed in self.added),
            added=tuple(placed.revert() for placed in self.taken),
            is_revert=not self.is_revert,
        )

    def applied_to(self, score: Score) -> Score:
        """Return a score with the edit made; ``Score.apply`` is the way to call it.

        Raises
        ------
        RequestError
            The score does not hold what the patch takes out.
        """
        if own_score(score).tpq != self.tpq:
            raise RequestError(
                f"the patch counts {self.tpq} ticks a quarter and the score {score.tpq}; apply it "
                "to the score that it was made from"
            )
        fields: dict[str, Any] = {}
        for name, change in self.rows:
            fields[name] = _made(change, getattr(score, name), name.replace("_", " "))
        chords, changes = score.chords, []
        for one in self.chords:
            after = _made(one, chords, "chords")
            # Kept as it came out here, so that undoing it is exact.
            changes.append(ChordChange.between(chords, after, one.stretch))
            chords = after
        history = (*score.history, dataclasses.replace(self, chords=tuple(changes)))
        return score.replace(tracks=self._tracks(score), chords=chords, history=history, **fields)

    def _tracks(self, score: Score) -> tuple[Track, ...]:
        tracks = list(score.tracks)
        for change in self.tracks:
            index = track_of(change.track, score)
            track, title = tracks[index], tracks[index].name or f"track {index + 1}"
            fields = {
                name: _made(rows, getattr(track, name), f"the {name.replace('_', ' ')} of {title}")
                for name, rows in change.rows
            }
            if change.notes:
                fields["notes"] = _made(change.notes, track.notes, title)
            tracks[index] = track.replace(**fields)
        return placed_tracks(self.taken, self.added, score, tracks)

    def __str__(self) -> str:
        notes = [change.notes for change in self.tracks if change.notes]
        out = sum(len(n.out) for n in notes) + sum(len(p.track.notes) for p in self.taken)
        put = sum(len(n.put) for n in notes) + sum(len(p.track.notes) for p in self.added)
        what = ("revert of " if self.is_revert else "") + (self.author.verb or "edit")
        parts: dict[str, list[str]] = {}
        for region in self.regions:
            parts.setdefault(region.bars, []).append(region.name)
        where = ", ".join(f"{bars} of {' and '.join(names)}" for bars, names in parts.items())
        where = f": {where}" if where else ""
        return f"{what} by {self.author}{where}; {out} notes out, {put} in"


@called_right("composer.diff")
def diff(before: Score, after: Score, *, by: str = "me") -> Patch:
    """Return the patch that makes one score of another.

    Parameters
    ----------
    before, after
        Scores of as many ticks a quarter. A track that is called otherwise, or plays another
        program, is another track.
    by
        Who made the edit.

    Raises
    ------
    RequestError
        One is not a score, or they count ticks differently.

    Examples
    --------
    >>> from composer import Note, Track
    >>> before = Score(tracks=[Track("Flute", 73, notes=[Note(0, 480, 72), Note(480, 480, 74)])])
    >>> after = Score(tracks=[Track("Flute", 73, notes=[Note(0, 480, 72), Note(480, 480, 76)])])
    >>> patch = diff(before, after, by="Clara")
    >>> print(patch)
    edit by Clara: bar 1 of Flute; 1 notes out, 1 in
    >>> before.apply(patch) == after, after.apply(patch.revert()) == before
    (True, True)
    """
    patch = patch_between(own_score(before), own_score(after), Author(by))
    return dataclasses.replace(patch, regions=_regions(patch, after))


def patch_between(
    before: Score,
    after: Score,
    author: Author,
    *,
    regions: Sequence[Region] = (),
    stretches: Sequence[Stretch] = (),
) -> Patch:
    """Return the patch that makes one score of another.

    Parameters
    ----------
    before, after
        As for ``diff``.
    author, regions
        What it is to say of itself.
    stretches
        Where chords were written; told by what has changed without it.
    """
    if before.tpq != after.tpq:
        raise RequestError(
            f"one score counts {before.tpq} ticks a quarter and the other {after.tpq}; give both "
            "as many"
        )
    pairs = aligned(before.tracks, after.tracks)
    kept = [track_ref(before.tracks, after.tracks, i, j) for i, j in pairs]
    changes = (
        _track_change(track, before.tracks[i], after.tracks[j])
        for track, (i, j) in zip(kept, pairs, strict=True)
        if before.tracks[i] is not after.tracks[j]
    )
    rows = ((n, RowChange.between(*_lists(before, after, n))) for n in _SCORE_ROWS)
    return Patch(
        before.tpq,
        author,
        tuple(regions),
        tuple(change for change in changes if change.notes or change.rows),
        chord_changes(before.chords, after.chords, stretches),
        tuple((name, change) for name, change in rows if change.out or change.put),
        other_tracks(before.tracks, [i for i, _ in pairs], kept),
        other_tracks(after.tracks, [j for _, j in pairs], kept),
    )


def recorded(
    before: Score,
    after: Score,
    author: Author,
    regions: Sequence[Region] = (),
    stretches: Sequence[Stretch] = (),
) -> Score:
    """Return ``after`` with the history of ``before`` and the patch between them.

    The parameters are those of ``patch_between``.
    """
    patch = patch_between(before, after, author, regions=regions, stretches=stretches)
    return after.replace(history=(*before.history, patch))


def signed(before: Score, after: Score, verb: str) -> Score:
    """Return ``after`` with all that a verb did to ``before`` as one patch of its history.

    Parameters
    ----------
    before
        What the verb was given.
    after
        What it returns; what its model wrote is the last patch of its history, if one wrote.
    verb
        Its name.
    """
    wrote = after.history[-1:] if len(after.history) > len(before.history) else ()
    author = wrote[0].author if wrote else Author("composer", version=__version__)
    regions = wrote[0].regions if wrote else ()
    stretches = [change.stretch for patch in wrote for change in patch.chords]
    author = dataclasses.replace(author, verb=verb)
    return recorded(before, after, author, regions, stretches)


def regions_of(score: Score, cells: npt.NDArray[np.bool_]) -> tuple[Region, ...]:
    """Return cells as runs of bars.

    Parameters
    ----------
    score
        Whose parts they are.
    cells
        Shape (bars of the score, 1 + tracks), column 0 the chords.
    """
    regions = []
    for part, bars in enumerate(cells.T):
        edges = np.flatnonzero(np.diff(np.r_[False, bars, False])).tolist()
        name = part_name(score, part)
        regions += [
            Region(part, name, a + 1, b) for a, b in zip(edges[::2], edges[1::2], strict=True)
        ]
    return tuple(regions)


def part_name(score: Score, part: int) -> str:
    """Return what messages call a part: a track by number from 1, or the chords, 0."""
    return (score.tracks[part - 1].name or f"track {part}") if part else "the chords"


def own_patch(value: object) -> Patch:
    """Return a value that was given as a patch.

    Raises
    ------
    RequestError
        It is not a patch.
    """
    if isinstance(value, Patch):
        return value
    raise RequestError(
        f"{shown(value)} is not a patch; give one of a score's history, such as song.history[-1], "
        "or what diff returns"
    )


def last_patch(score: Score) -> Patch:
    """Return the last patch of a score's history.

    Raises
    ------
    RequestError
        It has none.
    """
    if not score.history:
        raise RequestError("the score has no history; it holds what verbs and patches did to it")
    return score.history[-1]


def _made(change: Any, table: Any, where: str) -> Any:
    """Return a table with a change made."""
    try:
        return change.made(table if isinstance(change, NoteChange | ChordChange) else _list(table))
    except Missing as error:
        raise RequestError(refusal(f"what the patch takes out of {where}: {error}")) from None


def _list(table: Any) -> Any:
    return table if isinstance(table, tuple) else table.tolist()


def _lists(before: Any, after: Any, name: str) -> tuple[Any, Any]:
    """Return the rows of a table of both; none of either where it is the same."""
    old, new = getattr(before, name), getattr(after, name)
    return ((), ()) if old is new else (_list(old), _list(new))


def _track_change(track: TrackRef, before: Track, after: Track) -> TrackChange:
    notes = NoteChange.between(before.notes, after.notes)
    rows = ((name, RowChange.between(*_lists(before, after, name))) for name in _TRACK_ROWS)
    return TrackChange(
        track,
        notes if len(notes.out) or len(notes.put) else None,
        tuple((name, change) for name, change in rows if change.out or change.put),
    )


def _regions(patch: Patch, after: Score) -> tuple[Region, ...]:
    """Return the cells in which notes and chords change."""
    ticks = {0: [text.tick for c in patch.chords for text in (*c.out, *c.put)]}
    for change in patch.tracks:
        if change.notes:
            kept = change.track
            index = [i for i, t in enumerate(after.tracks) if identity(t) == kept[:3]][kept.now[0]]
            notes = (change.notes.out["onset"], change.notes.put["onset"])
            ticks[index + 1] = np.concatenate(notes).tolist()
    bars = {part: after.meter.bar_and_position(of_part)[0] for part, of_part in ticks.items()}
    last = max((int(of_part.max(initial=-1)) for of_part in bars.values()), default=-1)
    cells = np.zeros((last + 1, 1 + len(after.tracks)), bool)
    for part, of_part in bars.items():
        cells[of_part, part] = True
    return regions_of(after, cells)
