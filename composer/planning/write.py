"""The one place that every verb writes through: a sheet, the cells to write, and the settings.

Conventions
-----------
Cells are a table of (bars of the score, 1 + tracks), column 0 the chords: True where something is
to be written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from string import capwords
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from composer._version import __version__
from composer.best_of.candidates import seed_of
from composer.constraints.base import Constraint
from composer.constraints.cell import Mask
from composer.controls.controls import Controls
from composer.edits.cells import chord_stretches, grid_bars, own_bars, put_back
from composer.edits.patch import Author, recorded, regions_of
from composer.errors import RequestError
from composer.form.outline import Outline
from composer.generate import batch as together
from composer.harmony.inference import bar_keys, song_key
from composer.model.model import Model
from composer.planning.constraints import post
from composer.planning.controls import ControlTargets, with_reach
from composer.planning.habits import asked_of, with_ranges
from composer.planning.locked import LockedPlan, locked_plan, with_source
from composer.planning.roles import given_rules
from composer.planning.settings import NoteSettings, ScoreLike, read
from composer.request.request import PartRules, Request
from composer.request.sampling import Sampling
from composer.score.grid import Grid
from composer.score.instruments import Instrument
from composer.score.score import Score, Track
from composer.theory.keys import Key

#: How much controls weigh where nobody says: at twice what the model makes of them pieces come
#: nearest to most of them (``benchmarks/controls.py``).
GUIDANCE = 2.0

NO_TARGETS = ControlTargets()

#: Where the melodies of the model in the package come nearest to real ones in rhythm, and drums in
#: bars that come again: of 16 bars 58% do, and in games 54% to 69%, where the bar four before is
#: the same more often than the one before. Without the leaning 15% do, as the model has learnt
#: drums from solos for the most part; without ``full_kit`` one arrangement in four has a first bar
#: that lacks kick, snare or hi-hats, and so lacks them to the end.
SAMPLING = Sampling(0.9, 0.95, repeat_drums=40, full_kit=8)


@dataclasses.dataclass(frozen=True, eq=False)
class WorkingScore:
    """What is written on: a score, its home key, and how many bars it has."""

    score: Score
    key: Key
    bars: int

    @classmethod
    def of(cls, score: ScoreLike, key: str | None = None) -> WorkingScore:
        """Return the sheet of a score or of the path of one.

        Parameters
        ----------
        score
            With notes or chords, as far as they go.
        key
            Home key; that of the score's key signature, or the one its notes suggest, without it.

        Raises
        ------
        RequestError
            The score has neither notes nor chords.
        SymbolError
            The key cannot be read.
        MidiError
            The path is no MIDI file.
        """
        score = read(score)
        return cls(score, Key.parse(key) if key else song_key(score), own_bars(score))

    def cells(self, columns: Sequence[int], bars: slice = slice(None)) -> Mask:
        """Return the cells of some columns in some bars, which count from 0 here."""
        cells = np.zeros((self.bars, 1 + len(self.score.tracks)), bool)
        for column in columns:
            cells[bars, column] = True
        return cells


def write(
    model: Model,
    sheet: WorkingScore,
    cells: Mask,
    rules: tuple[PartRules, ...],
    settings: NoteSettings,
    *,
    usual: Sampling = SAMPLING,
    chords_per_bar: int | None = None,
    outline: Outline | None = None,
) -> Score:
    """Return a sheet's score with some cells written.

    Parameters
    ----------
    model
        What writes.
    sheet, cells
        What is given, and which cells of it to write.
    rules
        How each part is to be written.
    settings
        What the verb was called with.
    usual
        The settings of sampling where none are given.
    chords_per_bar
        As for a ``Request``.
    outline
        How the bars of the sheet hang together; nothing is asked of them without it.

    Raises
    ------
    RequestError
        Settings out of their range, or constraints that nothing can meet.
    """
    plan = _planned(
        model, sheet, cells, rules, settings, usual, chords_per_bar=chords_per_bar, outline=outline
    )
    hidden = None if model.progress else True  # None: hidden unless there is a terminal
    todo = int(plan.request.written.any(1).sum())
    with tqdm(total=todo, desc="Writing", unit="bar", disable=hidden) as bar:
        writer = together.write(plan.request, model, wrote=bar.update)
    return _spliced(model, sheet, cells, plan, writer.grid)


class _Plan(NamedTuple):
    """What a call comes to: the request, the notes that stay, and what the history says of it."""

    request: Request
    kept: LockedPlan
    constraints: tuple[Constraint, ...]
    controls: tuple[Controls, ...]
    style: str
    feel: bool


def _planned(
    model: Model,
    sheet: WorkingScore,
    cells: Mask,
    rules: tuple[PartRules, ...],
    settings: NoteSettings,
    usual: Sampling,
    *,
    chords_per_bar: int | None,
    outline: Outline | None,
) -> _Plan:
    """Return what a call asks for, as a request for cells of the grid."""
    score, count = sheet.score, grid_bars(sheet.score, sheet.bars)
    # The tokenizer has no names, but messages do.
    grid = model.tokenizer.grid(score, sheet.key, count).named(score.tracks)
    pieces = _pieces(score, sheet.bars, count)
    written = np.repeat(cells, pieces, axis=0)
    constraints = asked_of(settings, score, cells)
    posted = post(constraints, score, grid, written, sheet.bars)
    kept = locked_plan(posted, score, grid, written)
    if kept.tracks:
        alone = kept.score(score, grid, written)
        grid = model.tokenizer.grid(alone, sheet.key, count).named(score.tracks)
    feel = settings.get("feel", False)
    if feel and not any(len(track.notes) for track in score.tracks):
        raise RequestError("feel is that of the notes around, and there are none; leave it out")
    seed = seed_of(settings.get("seed"))
    aims = ControlTargets.of(settings, [part.role for part in rules], model.tokenizer, score, cells)
    request = Request(
        grid,
        written,
        with_ranges(with_reach(rules, aims.controls, score, cells), settings, score, cells),
        sampling_of(settings, usual, aims),
        seed,
        posted=kept.posted,
        levels=aims.levels(score, grid, written, sheet.bars),
        held=kept.held(score, grid, written) if posted else None,
        chords_per_bar=chords_per_bar,
        outline=outline.cut(pieces) if outline else None,
        keys=_cut_keys(bar_keys(score, sheet.key, sheet.bars), pieces),
        locked=kept.locked(grid, written),
    )
    constraints = with_source(constraints, score)
    style = settings.get("style") or ""
    return _Plan(request, kept, constraints, aims.controls, style, feel)


def _spliced(model: Model, sheet: WorkingScore, cells: Mask, plan: _Plan, grid: Grid) -> Score:
    """Return a sheet's score with what was written in its cells, and a patch that says so."""
    score, request = sheet.score, plan.request
    author = Author(
        "composer",
        model=model.name,
        seed=request.seed,
        sampling=request.sampling,
        constraints=plan.constraints,
        controls=plan.controls,
        style=plan.style,
        key=sheet.key.name,
        version=__version__,
    )
    stretches = chord_stretches(score, grid, request.written[:, 0])
    made = plan.kept.others(grid, request.locked)
    moves = not request.posted
    after = put_back(score, made, request.written, plan.kept.tracks, feel=plan.feel, moves=moves)
    return recorded(score, after, author, regions_of(score, cells), stretches)


def own_rules(model: Model, sheet: WorkingScore, cells: Mask) -> tuple[PartRules, ...]:
    """Return rules for the parts that a sheet has, to be written as they are.

    Parameters
    ----------
    model, sheet
        As in ``write``.
    cells
        Those to go by: a part that begins notes in each of its own is to do so in what is written.
    """
    count = grid_bars(sheet.score, sheet.bars)
    grid = model.tokenizer.grid(sheet.score, sheet.key, count)
    return given_rules(grid, np.repeat(cells, _pieces(sheet.score, sheet.bars, count), axis=0))


def _pieces(score: Score, bars: int, count: int) -> npt.NDArray[np.int64]:
    """Return of how many bars of the grid each bar is made: two where the grid cannot say it."""
    if count == bars:
        return np.ones(bars, np.int64)
    return np.diff([grid_bars(score, bar) for bar in range(bars + 1)])


def _cut_keys(keys: tuple[Key, ...], pieces: npt.NDArray[np.int64]) -> tuple[Key, ...]:
    """Return the key of each bar of the grid, by the keys of the bars it is cut from."""
    return tuple(key for key, size in zip(keys, pieces, strict=True) for _ in range(size))


def sampling_of(
    settings: NoteSettings, usual: Sampling = SAMPLING, aims: ControlTargets = NO_TARGETS
) -> Sampling:
    """Return how ids are chosen under the settings of a verb, and under what it aims at.

    Raises
    ------
    RequestError
        A value is out of its range, or no ``Sampling``.
    """
    sampling = settings.get("sampling") or usual
    if not isinstance(sampling, Sampling):
        raise RequestError(
            f"sampling {sampling!r} is not a Sampling; for example Sampling(temperature=0.9)"
        )
    single = {name: settings.get(name) for name in ("temperature", "top_p", "guidance")}
    given = {name: value for name, value in single.items() if value is not None}
    if aims != NO_TARGETS and sampling.guidance == 1:
        given = {"guidance": GUIDANCE, **given}
    return dataclasses.replace(sampling, **given)  # type: ignore[arg-type]


def new_track(name: str | int, player: Instrument) -> Track:
    """Return an empty track for an instrument, called what the user calls it."""
    title = str(name).strip()
    if title.isdigit():
        title = player.name
    elif title.islower():
        title = capwords(title)
    return Track(title, player.program, player.is_drum)
