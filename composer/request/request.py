"""What every verb asks for: write these cells, given the others, under these rules."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from composer.constraints.base import PitchRule
from composer.constraints.cell import PostedConstraint
from composer.constraints.pitches import PitchRange
from composer.errors import RequestError
from composer.form.outline import Outline
from composer.request.sampling import Sampling
from composer.score.events import Events
from composer.score.grid import CELL_NOTE, Grid
from composer.theory.keys import Key
from composer.tokenizers.cells.levels import Levels
from composer.tokenizers.cells.vocabulary import ROLES


@dataclasses.dataclass(frozen=True)
class PartRules:
    """How a part is to be written.

    Parameters
    ----------
    role
        What the model is told of the part: ``"melody"``, ``"bass"``, ``"accompaniment"`` or None.
    rules
        Rules that all its notes keep, drum hits too.
    monophonic
        Whether a note ends before the next begins. Notes of one pitch always do.
    ends_with_chord
        Whether a note ends where a chord or a bar begins whose chord it is not a note of.
    leans
        Whether notes that ``ChordTones`` among the rules would not have may begin in a monophonic
        part where a note of the chord follows in the bar as the next onset, a step away.
    most_notes
        Most notes that begin together, at least 1.
    least_notes
        Notes that begin together at least on strong beats and where a chord begins, as far as the
        rules have them.
    least_onsets
        Onsets a bar has at least, as far as rules and notes that sound on leave room for them.

    Raises
    ------
    RequestError
        A value is out of its range.
    """

    role: str | None = None
    rules: tuple[PitchRule, ...] = ()
    monophonic: bool = False
    ends_with_chord: bool = False
    allows_suspensions: bool = False
    most_notes: int = 6
    least_notes: int = 1
    least_onsets: int = 1

    def __post_init__(self) -> None:
        if self.role not in (None, *ROLES):
            raise RequestError(f"role {self.role!r} is unknown; take one of {', '.join(ROLES)}")
        if self.most_notes < 1:
            raise RequestError(f"most_notes {self.most_notes} leaves no note; give 1 or more")
        if not 1 <= self.least_notes <= self.most_notes:
            raise RequestError(
                f"least_notes {self.least_notes} is outside 1 to most_notes, {self.most_notes}"
            )
        if self.least_onsets < 0:
            raise RequestError(f"least_onsets {self.least_onsets} is less than 0")

    @property
    def range(self) -> PitchRange | None:
        """The range of pitches that the rules have; None without one."""
        return next((rule for rule in self.rules if isinstance(rule, PitchRange)), None)

    def within(self, low: int, high: int) -> PartRules:
        """Return the rules with a range of pitches in the place of their own."""
        others = (rule for rule in self.rules if not isinstance(rule, PitchRange))
        return dataclasses.replace(self, rules=(PitchRange(low, high), *others))


@dataclasses.dataclass(frozen=True, eq=False)
class Request:
    """Write these cells of a grid.

    Parameters
    ----------
    grid
        The piece, with as many bars and parts as it is to have.
    written
        Shape (bars, 1 + parts): the cells to write, column 0 the chords. What the grid holds there
        is not looked at.
    parts
        Rules of each part.
    sampling
        Temperature and the like.
    seed
        0 or more. The same seed, model and request give the same notes.
    levels
        Controls that the model is told, the register relative to the key; none without it.
    demands
        What holds whatever the model and the parts' rules say.
    held
        The notes of the cells that are not written, dtype ``HELD``, where they sound longer or
        begin elsewhere than the grid can say; as the grid has them without it. So are those locked.
    chords_per_bar
        Chords to write in each bar, as far as it has beats and the demands have chords for them;
        the model decides without it.
    outline
        How the bars hang together; nothing is asked of them without it.
    keys
        The key that each bar is in; the grid's without it.
    locked
        Notes that stay in the cells written, in each of which a demand is that they do; dtype
        ``CELL_NOTE``, lengths such as grids have. A duration or velocity of 0 is free.

    Raises
    ------
    RequestError
        The shapes do not fit, nothing is to be written, or the seed is negative.
    """

    grid: Grid
    written: npt.NDArray[np.bool_]
    parts: tuple[PartRules, ...]
    sampling: Sampling = Sampling(temperature=1.0, top_p=0.95)  # noqa: RUF009  (frozen)
    seed: int = 0
    posted: tuple[PostedConstraint, ...] = ()
    levels: Levels | None = None
    held: Events | None = None
    chords_per_bar: int | None = None
    outline: Outline | None = None
    keys: tuple[Key, ...] = ()
    locked: Events = dataclasses.field(default_factory=lambda: np.empty(0, CELL_NOTE))

    def __post_init__(self) -> None:
        shape = (len(self.grid.bars), 1 + len(self.grid.parts))
        if self.written.shape != shape or len(self.parts) != shape[1] - 1:
            raise RequestError(
                f"written has shape {self.written.shape} and there are rules for {len(self.parts)} "
                f"parts; the grid has {shape[0]} bars and {shape[1] - 1} parts"
            )
        for demand in self.posted:
            if demand.cells.shape != (shape[0], shape[1] - 1):
                raise RequestError(
                    f"{demand.constraint} is about cells of shape {demand.cells.shape}; the grid "
                    f"has {shape[0]} bars and {shape[1] - 1} parts"
                )
        if self.keys and len(self.keys) != shape[0]:
            raise RequestError(f"there are keys for {len(self.keys)} bars; the grid has {shape[0]}")
        if self.outline is not None and len(self.outline) != shape[0]:
            raise RequestError(
                f"the outline is of {len(self.outline)} bars; the grid has {shape[0]}"
            )
        if not self.written.any():
            raise RequestError("the request names no cell to write; name bars and parts")
        if self.seed < 0:
            raise RequestError(f"seed {self.seed} is negative; give 0 or more")
