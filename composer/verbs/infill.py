"""``infill``: any cells of a piece anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from composer.constraints.demands import Mask
from composer.constraints.locked import Locked
from composer.constraints.where import Parts, constraints_of, listed
from composer.errors import RequestError
from composer.meter import BarsLike, bar_set
from composer.parts import track_rows
from composer.score import Score
from composer.writing.settings import NoteSettings, ScoreLike
from composer.writing.sheet import Sheet, own_rules, write

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from composer.compose import Composer

#: Pieces of the kit by drum part; None for all of a part.
Pieces = Mapping[str | int, str | Sequence[str] | None]


def infill(
    self: Composer,
    score: ScoreLike,
    bars: BarsLike | None = None,
    parts: Parts | Pieces = None,
    *,
    cells: Mapping[str | int, BarsLike] | None = None,
    **settings: Unpack[NoteSettings],
) -> Score:
    """Write some bars of some parts anew, in keeping with all the rest.

    Parameters
    ----------
    score
        A score or the path of one.
    bars
        Bars, counted from 1: ``5``, ``(5, 8)``, ``"5-8"``, or several such, ``"1-2, 5-8"``.
    parts
        Tracks by number (from 1), name, instrument or role (``"melody"``, ``"bass"``,
        ``"accompaniment"``, ``"drums"``), and ``"chords"`` for the chord symbols (a track that is
        called so goes by its number); all tracks without it. With pieces of the kit of each drum
        part, such as ``{"drums": "hi-hat"}``, those alone are written anew (None for all of a
        part).
    cells
        In place of both: bars for each part, such as ``{"piano": "5-8", "bass": "7"}``.
    **settings
        See ``composer.writing.settings.NoteSettings``.

    Returns
    -------
    Score
        The score; notes that begin in the cells named are new, all else is as it was.

    Raises
    ------
    RequestError
        Bars or parts that the score does not have, or constraints that nothing can meet.

    Examples
    --------
    >>> import composer
    >>> tune = composer.melody("C G Am F", seed=1)
    >>> composer.infill(tune, bars="3-4", seed=2).bars
    4
    >>> song = composer.arrange(tune, "piano, bass", seed=1)
    >>> new = composer.infill(song, cells={"piano": "1-2, 4", "bass": 3}, seed=2)
    >>> new.tracks[0] == song.tracks[0], new.tracks[1] == song.tracks[1]
    (True, False)
    >>> beat = composer.arrange(tune, "drums", seed=1)
    >>> ticking = composer.infill(beat, "1-4", {"drums": "hi-hat"}, density="busy", seed=2)
    """
    if (cells is None) == (bars is None):
        given = "both are given" if cells else "neither is given"
        raise RequestError(f"infill takes bars or cells, and {given}; give such as bars='5-8'")
    if cells is not None and parts is not None:
        raise RequestError(f"cells name their parts, and parts {parts!r} is given; leave it out")
    if isinstance(parts, Mapping):
        kept = [Locked(but=own, parts=part) for part, own in parts.items() if own is not None]
        settings["where"] = [*constraints_of(settings.get("where", ())), *kept]
        parts = [*parts]
    sheet = Sheet.of(score, settings.get("key"))
    asked = cells_of(sheet, cells) if cells is not None else cells_in(sheet, bars, parts)
    return write(self, sheet, asked, own_rules(self, sheet, asked), settings)


def cells_in(sheet: Sheet, bars: BarsLike | None, parts: Parts) -> Mask:
    """Return the cells of some parts in some bars; all tracks, or all bars, without them.

    Raises
    ------
    RequestError
        The score does not have them, or none is named.
    """
    named = [*range(sheet.bars)] if bars is None else bar_set(bars, sheet.bars)
    cells = np.zeros((sheet.bars, 1 + len(sheet.score.tracks)), bool)
    cells[np.ix_(named, _columns(sheet, parts))] = True
    return cells


def cells_of(sheet: Sheet, bars: Mapping[str | int, BarsLike]) -> Mask:
    """Return the cells of bars by part.

    Raises
    ------
    RequestError
        The score does not have them, a part is named twice, or none is named.
    """
    if not isinstance(bars, Mapping):
        raise RequestError(f"cells {bars!r} name no parts; write such as {{'piano': '5-8'}}")
    cells = np.zeros((sheet.bars, 1 + len(sheet.score.tracks)), bool)
    for part, own in bars.items():
        columns, rows = _columns(sheet, part), bar_set(own, sheet.bars)
        if cells[:, columns].any():
            raise RequestError(f"cells {dict(bars)!r} name {part!r} twice; name each part once")
        cells[np.ix_(rows, columns)] = True
    if not cells.any():
        raise RequestError("cells is empty; name bars by part, such as {'piano': '5-8'}")
    return cells


def _columns(sheet: Sheet, parts: Parts) -> list[int]:
    if parts is None:
        return [row + 1 for row in track_rows(sheet.score, None)]
    columns: list[int] = []
    for name in listed(parts):
        columns += [0] if name == "chords" else [r + 1 for r in track_rows(sheet.score, name)]
    if not columns:
        raise RequestError("parts is empty; name tracks of the score, or leave it out for all")
    return columns
