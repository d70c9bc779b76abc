"""``extend``: bars after the end of a piece."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from composer.constraints.locked import Locked
from composer.edits.ticks import positions_of
from composer.errors import RequestError
from composer.harmony.inference import infer_chords
from composer.harmony.lead_sheet import MOST_BARS
from composer.model.model import Model
from composer.planning.settings import NoteSettings, ScoreLike, with_where
from composer.planning.write import WorkingScore, own_rules, write
from composer.score.names import is_whole
from composer.score.score import Score

if TYPE_CHECKING:
    from typing_extensions import Unpack


_LAST_BARS = 4  # a part that plays in each of them plays on


def extend(
    model: Model,
    score: ScoreLike,
    bars: int = 8,
    **settings: Unpack[NoteSettings],
) -> Score:
    """Write bars after the end, all parts and the chords.

    The meter and the tempo that hold at the end go on. A part that plays in each of the last four
    bars plays in each new one; of the others the model may leave bars empty.

    Parameters
    ----------
    score
        A score or the path of one.
    bars
        How many, 1 to 1000.
    **settings
        See ``composer.planning.settings.NoteSettings``; bars of constraints count from the
        beginning of the piece.

    Returns
    -------
    Score
        The score, untouched, and the new bars. One without chord symbols has none after it either.

    Raises
    ------
    RequestError
        The score has nothing to go by, or the bars are out of range.

    Examples
    --------
    >>> import composer
    >>> longer = composer.extend(composer.melody("C G Am F", seed=1), bars=4, seed=2)
    >>> longer.meter.bars_until(longer.end)
    8
    """
    if not is_whole(bars) or not 1 <= bars <= MOST_BARS:
        raise RequestError(f"bars {bars!r} is outside 1 to {MOST_BARS}; give how many to add")
    sheet = WorkingScore.of(score, settings.get("key"))
    given, end = sheet.score, sheet.bars
    # The model knows no music without chords.
    heard = given if given.chords else given.replace(chords=infer_chords(given))
    longer = dataclasses.replace(sheet, score=heard, bars=end + bars)
    cells = np.zeros((longer.bars, 1 + len(given.tracks)), bool)
    cells[end:] = True
    last = np.zeros_like(cells)
    last[max(0, end - _LAST_BARS) : end] = True
    asked = with_where(settings, _early(given, end))
    new = write(model, longer, cells, own_rules(model, longer, last), asked)
    return new if given.chords else new.replace(chords=())


def _early(score: Score, bars: int) -> list[Locked]:
    """Return what keeps notes that are played a little before the first new bar, but go with it."""
    end = positions_of(score.meter.bar_start(bars), score.tpq)
    rows = [
        row + 1
        for row, track in enumerate(score.tracks)
        if (positions_of(track.notes["onset"], score.tpq) >= end).any()
    ]
    return [Locked(parts=rows, bars=bars + 1)] if rows else []
