"""``infill``: some cells of a piece anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from composer.edit import grid_bars, track_index
from composer.errors import RequestError
from composer.meter import bar_range
from composer.roles import given_rules
from composer.score import Score
from composer.settings import Settings
from composer.where import listed
from composer.writing import ScoreLike, Sheet, write

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from composer.compose import Composer


def infill(
    self: Composer,
    score: ScoreLike,
    bars: str | tuple[int, int],
    parts: str | int | Sequence[str | int] | None = None,
    **settings: Unpack[Settings],
) -> Score:
    """Write some bars of some parts anew, in keeping with all the rest.

    Parameters
    ----------
    score
        A score or the path of one.
    bars
        First and last bar, counted from 1: ``(5, 8)`` or ``"5-8"``.
    parts
        Names or numbers (from 1) of tracks, and ``"chords"`` for the chord symbols (a track
        that is called so goes by its number); all tracks without it.
    **settings
        See ``composer.settings.Settings``.

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
    """
    sheet = Sheet.of(score, settings.get("key"))
    given = sheet.score
    first, last = bar_range(bars, sheet.bars)
    names = [i + 1 for i, _ in enumerate(given.tracks)] if parts is None else listed(parts)
    columns = [0 if name == "chords" else track_index(given, name) + 1 for name in names]
    if not columns:
        raise RequestError("parts is empty; name tracks of the score, or leave it out for all")
    asked = range(grid_bars(given, first - 1), grid_bars(given, last))
    rules = given_rules(self.tokenizer.grid(given, sheet.key), asked)
    return write(self, sheet, sheet.cells(columns, slice(first - 1, last)), rules, settings)
