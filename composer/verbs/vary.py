"""``vary``: a share of a piece's cells anew.

What is asked of cells that chance draws: where it draws none, nothing is left to ask.
"""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from composer.best_of.candidates import seed_of
from composer.constraints.cell import Mask
from composer.edits.cells import cells_with_notes
from composer.errors import RequestError
from composer.model.model import Model
from composer.planning.cells import Pieces, cells_in, locks_of, unlocked
from composer.planning.settings import NoteSettings, ScoreLike, with_where
from composer.planning.write import WorkingScore, own_rules, write
from composer.score.meter import BarsLike
from composer.score.names import Parts
from composer.score.score import Score

if TYPE_CHECKING:
    from typing_extensions import Unpack

from collections.abc import Mapping, Sequence
from typing import cast

from composer.constraints.base import constraints_of
from composer.controls.kinds import NAMES
from composer.planning.constraints import bars_of, rows_of
from composer.planning.controls import listed_controls
from composer.score.parts import track_rows


def vary(
    model: Model,
    score: ScoreLike,
    amount: float = 0.3,
    *,
    bars: BarsLike | None = None,
    parts: Parts | Pieces = None,
    **settings: Unpack[NoteSettings],
) -> Score:
    """Write a share of a piece anew: whole bars of single parts, spread evenly by chance.

    Parameters
    ----------
    score
        A score or the path of one.
    amount
        Which share of the cells that have notes is hidden and written anew, above 0 up to 1; one
        cell at least.
    bars, parts
        Where, as in ``infill``; anywhere in all tracks without them. With pieces of the kit, such
        as ``{"drums": "hi-hat"}``, cells are chosen among those that have notes of them.
    **settings
        See ``composer.planning.settings.NoteSettings``. The seed chooses the cells too; what is
        asked of others that it might have chosen is left out.

    Returns
    -------
    Score
        The score; notes that begin in the cells chosen are new, all else is as it was.

    Raises
    ------
    RequestError
        The amount is out of its range, the score does not have the bars or parts, or they are
        silent.

    Examples
    --------
    >>> import composer
    >>> tune = composer.melody("C G Am F", bars=8, seed=1)
    >>> other = composer.vary(tune, 0.25, seed=2)
    >>> other.bars, other == tune
    (8, False)
    >>> beat = composer.arrange(tune, "drums", seed=1)
    >>> kicked = composer.vary(beat, 0.5, bars="5-8", parts={"drums": "kick"}, seed=2)
    """
    if isinstance(amount, bool) or not isinstance(amount, Real) or not 0 < amount <= 1:
        where = "" if isinstance(amount, Real) else f", and where as bars={amount!r}"
        raise RequestError(f"amount {amount!r} is not above 0 and up to 1; for example 0.3{where}")
    sheet = WorkingScore.of(score, settings.get("key"))
    cells = cells_in(sheet, bars, parts)
    locks = locks_of(sheet.score, parts)
    sounding = cells & cells_with_notes(unlocked(sheet.score, locks), sheet.bars)
    if not sounding.any():
        raise RequestError("what is named is silent; name bars and parts that have notes")
    seed = seed_of(settings.get("seed"))
    hidden = some_of(sounding, amount, np.random.default_rng(seed))
    settings["seed"] = seed
    asked = with_where(settings, locks.values())
    wanted = for_drawn(asked, sheet.score, hidden, sounding)
    return write(model, sheet, hidden, own_rules(model, sheet, hidden), wanted)


def some_of(cells: Mask, amount: float, rng: np.random.Generator) -> Mask:
    """Return a share of some cells, at least one, spread evenly over parts and bars.

    The cells are laid out part by part and bar by bar and cut into as many stretches of one length
    as are to be chosen; of each stretch chance takes one.
    """
    columns, bars = np.nonzero(cells.T)
    count = max(1, round(amount * len(bars)))
    edges = np.arange(count + 1) * len(bars) // count
    chosen = rng.integers(edges[:-1], edges[1:])
    some = np.zeros_like(cells)
    some[bars[chosen], columns[chosen]] = True
    return some


_BY_PART = dict.fromkeys(["range", "polyphony", "notes", *NAMES])


def for_drawn(settings: NoteSettings, score: Score, drawn: Mask, among: Mask) -> NoteSettings:
    """Return settings without what is about cells that might have been drawn and were not.

    What is about no cell of these stays, to be refused as anywhere.

    Parameters
    ----------
    settings
        What a verb was called with.
    score
        The score.
    drawn, among
        Shape (bars, 1 + tracks): the cells that are written, and those they were drawn from.

    Raises
    ------
    RequestError
        Parts or bars that the score does not have, or a value of the wrong kind.
    """

    def missed(rows: Sequence[int], bars: tuple[int, int], by_chord: bool = False) -> bool:
        about = np.zeros_like(drawn)
        about[bars[0] - 1 : bars[1], [row + 1 for row in rows]] = True
        about[bars[0] - 1 : bars[1], 0] = by_chord
        return bool((about & among).any() and not (about & drawn).any())

    count = len(drawn)
    where = [
        constraint
        for constraint in constraints_of(settings.get("where", ()))
        if not missed(rows_of(constraint, score), bars_of(constraint, count), constraint.by_chord)
    ]
    controls = [
        control
        for control in listed_controls(settings.get("controls") or ())
        if not missed(track_rows(score, control.parts), bars_of(control, count))
    ]
    kept = {**settings, "where": where, "controls": controls}
    for name in _BY_PART:
        value = kept.get(name)
        if isinstance(value, Mapping):
            left = {p: v for p, v in value.items() if not missed(track_rows(score, p), (1, count))}
            kept[name] = left or None
    return cast(NoteSettings, kept)
