"""Sheets to write a new piece on, and how the bars of a piece hang together."""

from __future__ import annotations

from functools import partial
from typing import Any

from composer.edits.realigned import can_be_said
from composer.errors import RequestError
from composer.form.letters import Form
from composer.form.outline import Outline
from composer.harmony.lead_sheet import chart
from composer.harmony.sources import ChordsLike
from composer.planning.write import WorkingScore
from composer.score.score import Score
from composer.theory.keys import Key


def blank_score(
    chords: ChordsLike | None,
    form: str | None,
    *,
    key: str | None,
    meter: str | None,
    tempo: float | None,
    bars: int | None,
) -> tuple[WorkingScore, Outline | None]:
    """Return a sheet without tracks, and what its form makes of each bar.

    Parameters
    ----------
    chords, key, meter, tempo, bars
        As for ``composer.harmony.lead_sheet.chart``. With a form ``bars`` may be left out where its
        sections or the chords say how many.
    form
        A letter a section, each of which has a marker then; None for no form and no outline.

    Raises
    ------
    RequestError
        As ``chart``; or form, bars and chords do not add up.
    SymbolError
        As ``chart``; or the form cannot be read.
    """
    of_chart = partial(sayable_chart, chords, key=key, meter=meter, tempo=tempo)
    if form is None:
        return WorkingScore(*of_chart(bars=bars)), None
    sections = Form.parse(form)
    given = 0 if chords is None else of_chart(bars=None)[2]
    blank, home, count = of_chart(bars=sections.bars(bars, given))
    return WorkingScore(sections.named(blank, count), home, count), sections.outline(count)


def sayable_chart(*chords: Any, **settings: Any) -> tuple[Score, Key, int]:
    """Return what ``composer.harmony.lead_sheet.chart`` does, if verbs can write in its bars.

    Raises
    ------
    RequestError
        As ``chart``; or a bar is not one that the grid can say.
    SymbolError
        As ``chart``.
    """
    blank, home, count = chart(*chords, **settings)
    for _, numerator, denominator in blank.time_signatures.tolist():
        if not can_be_said(numerator, denominator):
            raise RequestError(
                f"meter {numerator}/{denominator} has bars that are not written here: they are cut "
                "into sixteenths, of which a bar has 32 at most, or 24 eighths; write another meter"
            )
    return blank, home, count


def outline_of(form: str | None, bars: int) -> Outline:
    """Return what a form makes of each bar; without one, that the last bar closes.

    Raises
    ------
    RequestError
        Form and bars do not add up.
    SymbolError
        The form cannot be read.
    """
    return Outline.closing(bars) if form is None else Form.parse(form).outline(bars)
