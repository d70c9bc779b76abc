"""Controls as tokens: what can be asked of a part or of a cell, in a few levels each.

A level stands for a value: ``Control_density:1.5`` says about one and a half onsets a beat. A part
says its controls in the header, for all that is written of it; a cell that is written says those
that are its own before its notes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from composer.controls.kinds import KINDS, REGISTER
from composer.tokenizers.bins import nearest
from composer.tokenizers.vocabulary import Family

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: The level of what is not said.
UNSAID = -1


_SIZES = np.array([len(kind.levels) for kind in KINDS])
#: Value of the first ``Control`` of each kind, and their number.
STARTS = np.concatenate([[0], np.cumsum(_SIZES)])
#: The kind of each value of ``Control``.
KIND_OF = np.repeat(np.arange(len(KINDS)), _SIZES)


@dataclasses.dataclass(frozen=True, eq=False)
class Levels:
    """The controls that a sequence says.

    Parameters
    ----------
    parts
        Shape (parts, kinds): levels of each part, ``UNSAID`` for those it does not say.
    cells
        Shape (bars, parts, kinds): those of each cell.
    style
        Index of the style, ``UNSAID`` for none.
    """

    parts: Ints
    cells: Ints
    style: int = UNSAID

    @classmethod
    def none(cls, bars: int, parts: int) -> Levels:
        """Return levels that say nothing."""
        kinds = len(KINDS)
        return cls(np.full((parts, kinds), UNSAID), np.full((bars, parts, kinds), UNSAID))

    def choose(self, bars: Sequence[int], rows: Sequence[int]) -> Levels:
        """Return the levels of some bars and parts."""
        return Levels(self.parts[rows], self.cells[bars][:, rows], self.style)


def control_family() -> Family:
    """Return ``Control``: each level of each kind."""
    return Family.of("Control", [f"{k.name}:{value:g}" for k in KINDS for value in k.levels])


def level_of(values: Floats, shift: int = 0) -> Ints:
    """Return the nearest level of each value; ``UNSAID`` for nan.

    Parameters
    ----------
    values
        Shape (..., kinds).
    shift
        Semitones from a real pitch to one relative to the home key, as the register is said.
    """
    levels = np.full(values.shape, UNSAID)
    for column, kind in enumerate(KINDS):
        said = ~np.isnan(values[..., column])
        wanted = values[said, column] + (shift if column == REGISTER else 0)
        levels[said, column] = nearest(wanted, np.array(kind.levels, float))
    return levels


def control_ids(levels: Ints, base: int) -> Ints:
    """Return the ids of levels, shape (..., kinds); -1 for those not said."""
    return np.where(levels == UNSAID, -1, base + STARTS[:-1] + levels)
