"""``infill``: any cells of a piece anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from composer._calls import shown
from composer.errors import RequestError
from composer.model.model import Model
from composer.planning.cells import Pieces, cells_in, cells_of, locks_of
from composer.planning.settings import NoteSettings, ScoreLike, with_where
from composer.planning.write import WorkingScore, own_rules, write
from composer.score.meter import BarsLike
from composer.score.names import Parts
from composer.score.score import Score

if TYPE_CHECKING:
    from typing_extensions import Unpack


def infill(
    model: Model,
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
        See ``composer.planning.settings.NoteSettings``.

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
        given = "neither is given" if cells is None else "both are given"
        raise RequestError(f"infill takes bars or cells, and {given}; for example bars='5-8'")
    if isinstance(bars, Mapping):
        raise RequestError(f"bars {shown(bars)} name parts; give them as cells={shown(bars)}")
    if cells is not None and parts is not None:
        raise RequestError(f"cells name their parts, and parts {parts!r} is given; leave it out")
    sheet = WorkingScore.of(score, settings.get("key"))
    asked = cells_of(sheet, cells) if cells is not None else cells_in(sheet, bars, parts)
    wanted = with_where(settings, locks_of(sheet.score, parts).values())
    return write(model, sheet, asked, own_rules(model, sheet, asked), wanted)
