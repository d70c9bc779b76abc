"""Which cells of a score a user names: bars of parts, and of drum parts pieces of the kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from composer.constraints.cell import Mask
from composer.constraints.locked import Locked
from composer.edits.patch import part_name
from composer.errors import RequestError
from composer.planning.write import WorkingScore
from composer.score.meter import BarsLike, bar_set
from composer.score.names import Parts, listed
from composer.score.parts import track_rows
from composer.score.score import Score

#: Pieces of the kit by drum part; None for all of a part.
Pieces = Mapping[str | int, str | Sequence[str] | None]


def cells_in(sheet: WorkingScore, bars: BarsLike | None, parts: Parts | Pieces) -> Mask:
    """Return the cells of some parts in some bars; all tracks, or all bars, without them.

    Raises
    ------
    RequestError
        The score does not have them, or none is named.
    """
    named = [*range(sheet.bars)] if bars is None else bar_set(bars, sheet.bars)
    columns = _columns(sheet.score, [*parts] if isinstance(parts, Mapping) else parts)
    cells = np.zeros((sheet.bars, 1 + len(sheet.score.tracks)), bool)
    cells[np.ix_(named, columns)] = True
    return cells


def cells_of(sheet: WorkingScore, bars: Mapping[str | int, BarsLike]) -> Mask:
    """Return the cells of bars by part.

    Raises
    ------
    RequestError
        The score does not have them, a part is named twice, or none is named.
    """
    if not isinstance(bars, Mapping):
        raise RequestError(f"cells {bars!r} name no parts; for example {{'piano': '5-8'}}")
    cells = np.zeros((sheet.bars, 1 + len(sheet.score.tracks)), bool)
    for part, own in bars.items():
        columns, rows = _columns(sheet.score, listed(part)), bar_set(own, sheet.bars)
        if cells[:, columns].any():
            raise RequestError(f"cells {dict(bars)!r} name {part!r} twice; name each part once")
        cells[np.ix_(rows, columns)] = True
    if not cells.any():
        raise RequestError("cells is empty; name bars by part, such as {'piano': '5-8'}")
    return cells


def locks_of(score: Score, parts: Parts | Pieces) -> dict[int, Locked]:
    """Return what keeps the pieces of the kit that are not named, by track from 0.

    Parameters
    ----------
    score
        The score.
    parts
        As a verb is given them; only a mapping names pieces.

    Raises
    ------
    RequestError
        A part plays no drums, is named twice, or is not there.
    SymbolError
        A piece that cannot be read.
    """
    if not isinstance(parts, Mapping):
        return {}
    locks: dict[int, Locked] = {}
    seen: set[int] = set()
    said = f"parts {dict(parts)!r} name"
    for part, pieces in parts.items():
        for column in _columns(score, listed(part)):
            if column in seen:
                name = part_name(score, column)
                raise RequestError(f"{said} {name} twice; name each part once")
            seen.add(column)
            if pieces is None:
                continue
            if column == 0 or not score.tracks[column - 1].is_drum:
                raise RequestError(
                    f"{said} pieces of the kit for {part_name(score, column)}, which plays no "
                    "drums; name a drum part"
                )
            locks[column - 1] = Locked(but=pieces, parts=column)
    return locks


def unlocked(score: Score, locks: Mapping[int, Locked]) -> Score:
    """Return a score of the notes that locks of pieces of the kit do not keep.

    Parameters
    ----------
    score
        The score.
    locks
        As ``locks_of`` has them.
    """
    tracks = list(score.tracks)
    for row, lock in locks.items():
        notes = tracks[row].notes
        tracks[row] = tracks[row].replace(
            notes=notes[~np.isin(notes["pitch"], [*(lock.sounds or ())])]
        )
    return score.replace(tracks=tuple(tracks))


def _columns(score: Score, parts: Parts) -> list[int]:
    if parts is None:
        return [row + 1 for row in track_rows(score, None)]
    columns: list[int] = []
    for name in listed(parts):
        columns += [0] if name == "chords" else [row + 1 for row in track_rows(score, name)]
    if not columns:
        raise RequestError("parts is empty; name tracks of the score, or leave it out for all")
    return columns
