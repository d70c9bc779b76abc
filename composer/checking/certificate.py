"""What a verb was asked for and whether a score keeps it, in words and as JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.checking.checker import Breach, check
from composer.constraints.base import Constraint
from composer.edits.patch import Patch, last_patch
from composer.edits.tracks import track_of
from composer.score.names import listed
from composer.score.score import Score

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What the last verb of a score's history was asked for, and what was found in the score.

    Parameters
    ----------
    patch
        What the verb did; its ``author`` has model, seed and settings.
    breaches
        Where a constraint does not hold in the cells written, by ``composer.check``, which shares
        no code with what writes.
    strays
        What was changed outside the cells, in words.
    """

    patch: Patch
    breaches: tuple[Breach, ...]
    strays: tuple[str, ...]

    @property
    def required(self) -> tuple[Constraint, ...]:
        """The constraints asked for, those given as plain settings among them."""
        return self.patch.author.constraints if not self.patch.is_revert else ()

    @property
    def holds(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.breaches and not self.strays

    def __str__(self) -> str:
        lines = [f"{self.patch}: {_verdict(self.holds)}"]
        for constraint in self.required:
            lines.append(f"  {self._said(constraint)}")
            found = (breach for breach in self.breaches if breach.constraint == constraint)
            lines += [f"    bar {b.bar} of part {b.part}: {b.what}" for b in found]
        lines += [f"  {stray}" for stray in self.strays]
        if not self.strays:
            lines.append("  outside the cells named nothing was changed")
        return "\n".join(lines)

    def _said(self, constraint: Constraint) -> str:
        where = ""
        if constraint.bar_pair:
            where += " in bars {}-{}".format(*constraint.bar_pair)
        if constraint.parts is not None:
            where += f" of {', '.join(map(str, listed(constraint.parts)))}"
        return f"{constraint}{where}: {_verdict(self._kept(constraint))}"

    def _kept(self, constraint: Constraint) -> bool:
        return all(breach.constraint != constraint for breach in self.breaches)

    def to_json(self) -> str:
        """Return it as JSON: an object of verb, model, seed, settings, cells and what was found."""
        author = self.patch.author
        content = {
            "holds": self.holds,
            "by": author.name,
            "version": author.version,
            "verb": author.verb,
            "model": author.model,
            "seed": author.seed,
            "key": author.key,
            "sampling": _plain(author.sampling),
            "cells": [
                {"part": r.part, "name": r.name, "bars": [r.first, r.last]}
                for r in self.patch.regions
            ],
            "required": [
                {
                    "constraint": str(constraint),
                    "parts": constraint.parts,
                    "bars": constraint.bars,
                    "holds": self._kept(constraint),
                }
                for constraint in self.required
            ],
            "breaches": [str(breach) for breach in self.breaches],
            "strays": list(self.strays),
        }
        return json.dumps(content, ensure_ascii=False, indent=2)


def certify(score: Score) -> Certificate:
    """Return the certificate of a score; ``Score.certificate`` is the way to call it.

    Raises
    ------
    RequestError
        The score has no history.
    """
    patch = last_patch(score)
    required = () if patch.is_revert else patch.author.constraints
    breaches: list[Breach] = []
    for region in patch.regions:
        # Chords decide about the notes over them, but those need not be the verb's own.
        if required and region.part:
            found = check(
                score,
                required,
                key=patch.author.key or None,
                bars=(region.first, region.last),
                parts=[region.part],
            )
            breaches += found
    return Certificate(patch, tuple(breaches), tuple(_strays(score, patch)))


def _verdict(holds: bool) -> str:
    return "holds" if holds else "does not hold"


def _plain(settings: Any) -> Any:
    """Return settings as JSON has them, without those that are not set."""
    if settings is None:
        return None
    table = dataclasses.asdict(settings)
    return {name: value for name, value in table.items() if value is not None}


def _strays(score: Score, patch: Patch) -> list[str]:
    """Return what a patch changes outside its cells in the tracks that stay."""
    # A piece that was begun has got its tempos and the like; it had none before.
    rows = [name for name, change in patch.rows if change.out]
    strays = [f"{name.replace('_', ' ')} were changed" for name in rows]
    for change in patch.tracks:
        part, name = 1 + track_of(change.track.revert(), score), change.track.name or "a track"
        strays += [f"{table.replace('_', ' ')} of {name} were changed" for table, _ in change.rows]
        if change.notes:
            ticks = np.concatenate([change.notes.out["onset"], change.notes.put["onset"]])
            outside = np.ones(len(ticks), bool)
            for region in patch.regions:
                if region.part == part:
                    outside &= ~_lies_in(ticks, score, region.first, region.last)
            if outside.any():
                strays.append(f"{name} has {outside.sum()} notes changed outside the cells")
    return strays


def _lies_in(ticks: Ints, score: Score, first: int, last: int) -> Mask:
    """Return which ticks lie in some bars of the score's own meter, counted from 1.

    What a player begins less than half a twelfth of a quarter before a bar line goes with the bar
    after it, and what lies behind the last bar with that.
    """
    start, end = score.meter.bar_start([first - 1, last]).tolist()
    is_last = not any((track.notes["onset"] >= end).any() for track in score.tracks)
    early = score.tpq / 24
    return np.asarray((ticks >= start - early) & ((ticks < end) | is_last))
