"""What is asked of cells that chance draws: where it draws none, nothing is left to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from composer.constraints.demands import Mask
from composer.constraints.where import constraints_of
from composer.parts import track_rows
from composer.score import Score
from composer.tokenizers.levels import NAMES
from composer.writing.aims import listed_controls
from composer.writing.scopes import bars_of, rows_of
from composer.writing.settings import NoteSettings

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
