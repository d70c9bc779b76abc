"""The notes that ``Locked`` keeps: found in the user's score, and said to those who write.

Those of a score stay as they are, in ticks; on the grid they stand for themselves. Those that are
only named (pins) are written like all others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from composer.constraints.base import Constraint
from composer.constraints.cell import Mask, PostedConstraint
from composer.constraints.locked import Locked, PinnedNote
from composer.edits.cells import grid_bars, held_notes
from composer.edits.ticks import bar_of, positions_of
from composer.errors import RequestError
from composer.score.events import Events
from composer.score.grid import CELL_NOTE, RESOLUTION, Grid, held_on_grid, sorted_notes
from composer.score.names import listed
from composer.score.parts import track_index
from composer.score.score import Score
from composer.tokenizers.bins import DURATIONS


class LockedPlan(NamedTuple):
    """What stays in the cells that are written.

    Parameters
    ----------
    demands
        All demands; of those to keep notes the cells that have some.
    tracks
        Of each track, the notes that stay as they are, dtype ``NOTE``; empty where none do.
    pins
        Those that are only named, dtype ``CELL_NOTE``, 0 for a length or a velocity left open.
    """

    posted: tuple[PostedConstraint, ...]
    tracks: tuple[Events, ...] = ()
    pinned: Events = np.empty(0, CELL_NOTE)

    def score(self, score: Score, grid: Grid, written: Mask) -> Score:
        """Return a score whose written cells hold what stays alone."""
        tracks = list(score.tracks)
        for row, notes in enumerate(self.tracks):
            bars = written[:, row + 1]
            if bars.any():
                given = tracks[row].notes
                given = given[~bars[bar_of(given["onset"], grid, score.tpq)]]
                tracks[row] = tracks[row].replace(notes=np.concatenate([given, notes]))
        return score.replace(tracks=tuple(tracks))

    def locked(self, grid: Grid, written: Mask) -> Events:
        """Return the same by cells, as a ``Request`` has them; ``grid`` is that of ``score``.

        Raises
        ------
        RequestError
            A pin has no room between the other notes of its pitch.
        """
        if not self.tracks:
            return np.empty(0, CELL_NOTE)
        for pin in self.pinned:
            _check_room(pin, np.concatenate([grid.notes, self.pinned]), grid)
        stays = grid.notes[written[grid.notes["bar"], grid.notes["part"] + 1]]
        return sorted_notes(np.concatenate([stays, self.pinned]))

    def held(self, score: Score, grid: Grid, written: Mask) -> Events:
        """Return the notes of a request as they sound, those that are pinned among them."""
        held = held_notes(score, grid, written, self.tracks)
        pinned = self.pinned.copy()
        pinned["duration"] = np.maximum(1, pinned["duration"])
        return np.concatenate([held, held_on_grid(grid.replace(notes=pinned))])

    def others(self, grid: Grid, locked: Events) -> Grid:
        """Return a grid that has been written without the notes that stand for themselves.

        Pins are as loud as they are to be, which bins of velocity cannot say.
        """
        names = ["bar", "part", "position", "pitch"]
        velocity = dict(
            zip(self.pinned[names].tolist(), self.pinned["velocity"].tolist(), strict=True)
        )
        stay = {*locked[names].tolist()} - {*velocity}
        rows = grid.notes[names].tolist()
        notes = grid.notes[np.array([row not in stay for row in rows], bool)]
        for note in notes if velocity else ():
            note["velocity"] = velocity.get(note[names].item(), 0) or note["velocity"]
        return grid.replace(notes=notes)


def locked_plan(
    posted: Sequence[PostedConstraint], score: Score, grid: Grid, written: Mask
) -> LockedPlan:
    """Return the notes that demands keep.

    Parameters
    ----------
    demands
        All of a request.
    score
        What the user gave.
    grid, written
        The same as a grid, and which cells of it are written.

    Raises
    ------
    RequestError
        There is no such note, or no such place for one.
    """
    if not any(demand.constraint.keeps_notes for demand in posted):
        return LockedPlan(tuple(posted))
    tracks = [track.notes[:0] for track in score.tracks]
    pinned: list[tuple[int, ...]] = []
    narrowed = []
    for demand in posted:
        locked = demand.constraint
        if not isinstance(locked, Locked):
            narrowed.append(demand)
            continue
        cells = demand.cells & written[:, 1:]
        holding = np.zeros_like(cells)
        for row in np.flatnonzero(cells.any(0)).tolist():
            notes = _notes_of(locked, score, row)
            bars = bar_of(notes["onset"], grid, score.tpq)
            places = positions_of(notes["onset"], score.tpq) - grid.bar_starts[bars]
            chosen = cells[bars, row]
            if locked.positions is not None:
                chosen &= np.isin(places, locked.positions)
            if locked.sounds is not None:
                chosen &= np.isin(notes["pitch"], [*locked.sounds])
            tracks[row] = _with(tracks[row], notes[chosen])
            holding[bars[chosen], row] = True
        for pin in locked.pinned:
            bar, row = _cell_of(pin, locked, score, cells)
            if pin.position >= grid.bar_lengths[bar]:
                raise RequestError(
                    f"{locked} has a note on beat {pin.beat} of bar {pin.bar}, "
                    "which is shorter; name another beat"
                )
            found = _found(pin, score, grid, bar, row)
            tracks[row] = _with(tracks[row], found)
            holding[bar, row] = True
            if not len(found):
                pinned.append(_row(pin, locked, grid, bar, row))
        if locked.sounds is not None:
            holding = cells  # no hit of theirs may come where they are silent
        if not holding.any():
            raise RequestError(
                f"{locked} keeps no note: none begins there in the cells that are written; name "
                "others or leave it out"
            )
        narrowed.append(dataclasses.replace(demand, cells=holding))
    return LockedPlan(tuple(narrowed), tuple(tracks), np.array(sorted({*pinned}), CELL_NOTE))


def with_source(constraints: Sequence[Constraint], score: Score) -> tuple[Constraint, ...]:
    """Return constraints of which those that keep notes of the score given name that score."""
    return tuple(
        dataclasses.replace(constraint, notes=score)
        if isinstance(constraint, Locked) and constraint.notes is None
        else constraint
        for constraint in constraints
    )


def _with(notes: Events, more: Events) -> Events:
    """Return notes and those of others that are not among them."""
    known = {*notes.tolist()}
    is_new = np.array([note not in known for note in more.tolist()], bool)
    return np.concatenate([notes, more[is_new]])


def _notes_of(locked: Locked, score: Score, row: int) -> Events:
    """Return the notes that a track may keep, in ticks of the score."""
    track = score.tracks[row]
    if locked.notes is None:
        return track.notes
    if not isinstance(locked.notes, Score):
        return track.notes[:0]
    source = source_track(locked.notes, score, row)
    if source is None:
        return track.notes[:0]
    notes = locked.notes.tracks[source].notes.copy()
    for name in ("onset", "duration"):
        ticks = notes[name] * score.tpq
        if (ticks % locked.notes.tpq).any():
            raise RequestError(
                f"{locked} has {locked.notes.tpq} ticks a quarter and the piece {score.tpq}, in "
                "which its notes have no place; give one of as many"
            )
        notes[name] = ticks // locked.notes.tpq
    return notes


def source_track(source: Score, score: Score, row: int) -> int | None:
    """Return the track of a score whose notes are for a part of another; None without one."""
    if len(source.tracks) == 1:
        return 0
    track = score.tracks[row]
    if row < len(source.tracks) and source.tracks[row].name == track.name:
        return row
    try:
        return track_index(source, track.name)
    except RequestError:
        return None


def _cell_of(pin: PinnedNote, locked: Locked, score: Score, cells: Mask) -> tuple[int, int]:
    """Return the bar and the part of a note that is named."""
    bar = grid_bars(score, pin.bar - 1)
    rows = np.flatnonzero(cells[bar]).tolist() if bar < len(cells) else []
    if len(rows) == 1:
        return bar, rows[0]
    if rows:
        named = [score.tracks[row].name or f"track {row + 1}" for row in rows]
        raise RequestError(
            f"{locked} does not say which part plays {pin}, {' or '.join(named)}; give parts"
        )
    where = f" of {', '.join(map(str, listed(locked.parts)))}" if locked.parts else ""
    raise RequestError(
        f"{locked} has a note in bar {pin.bar}{where}, which is not written; name bars that are"
    )


def _found(pin: PinnedNote, score: Score, grid: Grid, bar: int, row: int) -> Events:
    """Return the notes of a score that a pin names; none if it says how they are to be."""
    notes = score.tracks[row].notes
    if pin.length or pin.velocity:
        return notes[:0]
    place = positions_of(notes["onset"], score.tpq) - grid.bar_starts[bar]
    inside = bar_of(notes["onset"], grid, score.tpq) == bar
    return np.asarray(notes[inside & (place == pin.position) & (notes["pitch"] == pin.midi)])


def _row(pin: PinnedNote, locked: Locked, grid: Grid, bar: int, row: int) -> tuple[int, ...]:
    """Return a pin as a row of ``CELL_NOTE``."""
    end = int(grid.bar_starts[bar]) + pin.position + pin.duration
    duration = 1 if grid.parts[row].is_drum else pin.duration
    if duration and (duration not in DURATIONS or end > grid.bar_starts[-1]):
        raise RequestError(
            f"{locked} has a note of {pin.length} quarters in bar {pin.bar}, which the grid "
            f"cannot say or the piece is too short for; give up to {DURATIONS[-1] // RESOLUTION} "
            "quarters, long ones in whole ones"
        )
    return bar, row, pin.position, pin.midi, duration, pin.velocity


def _check_room(pin: Events, notes: Events, grid: Grid) -> None:
    """Refuse a pin where its pitch sounds otherwise."""
    notes = notes[(notes["part"] == pin["part"]) & (notes["pitch"] == pin["pitch"])]
    begins = grid.bar_starts[notes["bar"]] + notes["position"]
    ends = begins + np.maximum(1, notes["duration"])
    begin = grid.bar_starts[pin["bar"]] + pin["position"]
    if int(((begins < begin + max(1, pin["duration"])) & (ends > begin)).sum()) > 1:
        raise RequestError(
            f"a locked note of pitch {pin['pitch']} in bar {pin['bar'] + 1} of "
            f"{grid.part_name(int(pin['part']))} meets another of its pitch; drop one or shorten it"
        )
