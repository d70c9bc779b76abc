"""From controls to what the model is told of the cells of a request."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from composer._calls import shown
from composer.constraints.cell import Mask
from composer.controls.controls import Controls, controls_for, measured, within
from composer.controls.kinds import BY_NAME, NAMES
from composer.edits.cells import grid_bars
from composer.errors import RequestError
from composer.planning.roles import part_roles
from composer.planning.settings import read
from composer.request.request import PartRules
from composer.score.grid import Grid
from composer.score.instruments import sounding_range
from composer.score.meter import bar_range
from composer.score.parts import track_rows
from composer.score.score import Score
from composer.tokenizers.cells.cells import Cells
from composer.tokenizers.cells.levels import UNSAID, Levels, level_of
from composer.tokenizers.families import transposition

_REACH = 12  # semitones that a part may go above and below the register it aims at


@dataclasses.dataclass(frozen=True)
class ControlTargets:
    """All that is aimed at in a request."""

    controls: tuple[Controls, ...] = ()
    style: int = UNSAID

    @classmethod
    def of(
        cls,
        settings: Mapping[str, Any],
        roles: Sequence[str | None],
        tokenizer: Cells,
        score: Score,
        cells: Mask,
    ) -> ControlTargets:
        """Return what the settings of a verb aim at.

        Parameters
        ----------
        settings
            What the verb was called with.
        roles
            How each part is to be written.
        tokenizer
            The model's, which says the styles that it knows.
        score, cells
            The score, and shape (bars, 1 + tracks): the cells that are written.

        Raises
        ------
        RequestError
            A control cannot be read or is about nothing that is written, the influence has no part
            like those written, or the model does not know the style.
        """
        given = settings.get("controls") or ()
        named = {name: settings.get(name) for name in NAMES}
        named["polyphony"] = _words(named["polyphony"])
        controls = controls_for(named) + listed_controls(given)
        influence, style = settings.get("influence"), settings.get("style")
        if influence is not None:
            piece = tokenizer.grid(read(influence))
            controls = influences(piece, score, cells, roles) + controls
        known = tokenizer.config.styles
        return cls(tuple(controls), UNSAID if style is None else style_index(style, known))

    def levels(self, score: Score, grid: Grid, written: Mask, bars: int) -> Levels | None:
        """Return what the model is told, None for nothing; the parameters are ``post``'s.

        Raises
        ------
        RequestError
            A control names parts or bars that the score does not have, none that are written, or
            something that drums have none of.
        """
        if not self.controls and self.style == UNSAID:
            return None
        levels = target_levels(self.controls, score, grid, written, bars)
        return dataclasses.replace(levels, style=self.style)


def _words(polyphony: Any) -> Any:
    """Return what of the setting is aimed at: a number is a constraint."""
    if isinstance(polyphony, Mapping):
        return {part: value for part, value in polyphony.items() if isinstance(value, str)}
    return polyphony if isinstance(polyphony, str) else None


def target_levels(
    controls: Sequence[Controls], score: Score, grid: Grid, written: Mask, bars: int
) -> Levels:
    """Return what controls tell the model, each in every cell that it is about.

    Said in the header of a part they are learned much less well.

    Parameters
    ----------
    controls
        Those given last go before the others.
    score, grid, written, bars
        As for ``post``.

    Raises
    ------
    RequestError
        A control names parts or bars that the score does not have, none that are written, or
        something that drums have none of.
    """
    values = np.full((len(grid.bars), len(grid.parts), len(NAMES)), np.nan)
    for control in controls:
        rows = _rows(control, score, written)
        where = slice(None)
        if control.bar_pair:
            first, last = bar_range(control.bar_pair, bars)
            where = slice(grid_bars(score, first - 1), grid_bars(score, last))
        if not written[where, [1 + row for row in rows]].any():
            raise RequestError(
                f"{control} is about no notes that are written; name others, or leave parts and "
                "bars out"
            )
        for name, value in control.values().items():
            for row in rows:
                if BY_NAME[name].for_drums or not grid.parts[row].is_drum:
                    values[where, row, NAMES.index(name)] = value
    cells = level_of(values, transposition(grid.key))
    return dataclasses.replace(Levels.none(len(grid.bars), len(grid.parts)), cells=cells)


def listed_controls(given: Controls | Iterable[Controls]) -> list[Controls]:
    """Return one control or several as a list.

    Raises
    ------
    RequestError
        One of them is not a control.
    """
    controls = [*given] if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    for control in controls:
        if not isinstance(control, Controls):
            raise RequestError(
                f"controls holds {control!r}, which is not one; for example "
                "Controls(density='busy')"
            )
    return controls


def _rows(control: Controls, score: Score, written: Mask) -> list[int]:
    """Return the tracks that a control is about: those named, or all that are written."""
    if control.parts is None:
        return [int(row) for row in np.flatnonzero(written[:, 1:].any(0))]
    rows = track_rows(score, control.parts)
    for row in rows:
        wrong = [name for name in control.values() if not BY_NAME[name].for_drums]
        if score.tracks[row].is_drum and wrong:
            raise RequestError(
                f"{control} is about {score.tracks[row].name or 'drums'}, but drums have no "
                f"{wrong[0]}; leave it out or name other parts"
            )
    return rows


def style_index(style: str, styles: Sequence[str]) -> int:
    """Return the index of a style that a model knows; case does not matter.

    Raises
    ------
    RequestError
        It does not know it.
    """
    names, wanted = [name.lower() for name in styles], str(style).strip().lower()
    if wanted in names:
        return names.index(wanted)
    known = f"it knows {', '.join(styles)}" if styles else "it knows none; leave style out"
    raise RequestError(f"the model knows no style {shown(style)}; {known}")


def influences(
    influence: Grid, score: Score, written: Mask, roles: Sequence[str | None]
) -> list[Controls]:
    """Return the controls of another piece, read off for each part that is written.

    A part follows that which plays its role there, drums the drums, and several that do on average;
    an accompaniment follows the bass where nobody accompanies, and the tune where nobody else
    plays. What has no counterpart is left alone.

    Raises
    ------
    RequestError
        No part that is written has a counterpart.
    """
    theirs = [
        "drums" if p.is_drum else r
        for p, r in zip(influence.parts, part_roles(influence), strict=True)
    ]
    found = []
    for row in np.flatnonzero(written[:, 1:].any(0)).tolist():
        role = "drums" if score.tracks[row].is_drum else roles[row]
        like = [i for i, their in enumerate(theirs) if their == role]
        if role == "accompaniment":
            # Where nobody accompanies, what lies under the tune comes nearest, or the tune itself.
            for other in ("bass", "melody"):
                like = like or [i for i, their in enumerate(theirs) if their == other]
        if like:
            values = within(_average([measured(influence, i) for i in like]))
            found.append(Controls(**values, parts=row + 1))  # type: ignore[arg-type]
    if not found:
        raise RequestError(
            "the influence has no part like those that are written; give a piece that has, or "
            "controls"
        )
    return found


def _average(tables: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = [name for name in NAMES if any(name in table for table in tables)]
    return {
        name: float(np.mean([table[name] for table in tables if name in table])) for name in names
    }


def with_reach(
    rules: Sequence[PartRules], controls: Sequence[Controls], score: Score, written: Mask
) -> tuple[PartRules, ...]:
    """Return the rules of parts so that they leave room for what is aimed at.

    An instrument's usual register gives way to the one aimed at, and so do the notes that an
    accompaniment strikes together.
    """
    changed = list(rules)
    for control in controls:
        values = control.values()
        for row in _rows(control, score, written):
            if "register" in values and not score.tracks[row].is_drum:
                changed[row] = _around(changed[row], values["register"], score.tracks[row].program)
            if "polyphony" in values:
                changed[row] = _as_thick(changed[row], values["polyphony"])
            if "density" in values and values["density"] < 1:
                changed[row] = dataclasses.replace(changed[row], least_onsets=0)
    return tuple(changed)


def _around(rules: PartRules, center: float, program: int) -> PartRules:
    low, high = sounding_range(program)
    middle = int(min(max(center, low + _REACH // 2), high - _REACH // 2))
    return rules.within(max(low, middle - _REACH), min(high, middle + _REACH))


def _as_thick(rules: PartRules, notes: float) -> PartRules:
    most = rules.most_notes if rules.monophonic else max(rules.most_notes, math.ceil(notes) + 1)
    return dataclasses.replace(
        rules, most_notes=most, least_notes=max(1, min(rules.least_notes, math.floor(notes)))
    )
