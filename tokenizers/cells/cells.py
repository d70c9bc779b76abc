"""The ``cells`` format: a piece bar by bar, and inside a bar part by part.

    BOS Key TimeSig Tempo Style? { Part Program Role? Control* }*        header
        { Bar Left? TimeSig? Tempo? { Part cell }* }*                    context
        Fill { Bar Left? TimeSig? Tempo? { Part Control* cell }* }*      bars to write
    EOS

    cell        { Position { Velocity? Pitch Duration }+ }*
    drum cell   { Position { Velocity? Drum }+ }*
    chord cell  { Position Chord Bass? }*

Pitches and chord roots are relative to the home key (C major, A minor), so one model serves all
keys. Bars carry their number in the window and, near the end of a piece, how many bars are left.
TimeSig and Tempo stand in a bar where they differ from the header's; a velocity stands where it
changes inside a cell; a bar's chord is said again at its start. Everything is relative to the
header and the bar, never to another bar, so bars can be cut out and reordered.

Inside a bar that is being written, what is given (a melody, the chords) stands before what is to be
written, which a decoder-only model then sees at arm's length. A block of all given cells before all
written ones, as anticipated in the design, says every given bar twice as far away and at twice
the length; with the data and the time a small model gets, near is what it can learn.

References
----------
Huang & Yang 2020, *Pop Music Transformer* (REMI); von Rütte et al. 2022, *FIGARO* (REMI+); Ou et
al. 2024, REMI-z: grouping a bar's notes by instrument.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from itertools import groupby

import numpy as np
import numpy.typing as npt

from composer.errors import TokenError
from composer.score.events import Events
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, choose_parts
from composer.score.score import Score
from composer.theory.keys import Key
from composer.tokenizers.base import Tokenizer
from composer.tokenizers.bins import Bins
from composer.tokenizers.cells.codec import CellsCodec
from composer.tokenizers.cells.grammar import cells_grammar
from composer.tokenizers.cells.levels import Levels
from composer.tokenizers.cells.vocabulary import MAX_STYLES, cells_vocabulary
from composer.tokenizers.columns import Ints
from composer.tokenizers.grammar import Mask
from composer.tokenizers.quantize import (
    all_events,
    bar_starts,
    home_key,
    longest,
    on_grid,
    quantize_chords,
    quantize_signatures,
    quantize_tempos,
)
from composer.tokenizers.vocabulary import Ids


@dataclasses.dataclass(frozen=True)
class CellsConfig:
    """Settings of ``Cells``.

    Parameters
    ----------
    velocity_bins
        Number of velocities told apart, 1 to 64. Each distinct one in a cell costs a token.
    styles
        Names of the styles that a piece can be said to be in, at most 64.

    Raises
    ------
    TokenError
        The number is out of range, or a name of a style is empty or there twice.
    """

    velocity_bins: int = 16
    styles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "styles", tuple(self.styles))
        if not 1 <= self.velocity_bins <= 64:
            raise TokenError(f"velocity_bins {self.velocity_bins} is outside 1 to 64")
        if len({*self.styles, ""}) != len(self.styles) + 1 or len(self.styles) > MAX_STYLES:
            raise TokenError(
                f"styles {list(self.styles)} must be at most {MAX_STYLES} different names"
            )


class Cells(Tokenizer):
    """Tokenizer of the grid: what the composing model reads and writes.

    Parameters
    ----------
    config
        Settings; ``CellsConfig()`` without it.

    Examples
    --------
    >>> from composer import Score, Track
    >>> flute = Track(program=73, notes=[(0, 480, 62, 90), (480, 960, 66, 90)])
    >>> tune = Score(tpq=480, tracks=(flute,), key_signatures=[(0, 2, 0)])
    >>> cells = Cells()
    >>> print(*cells.ids_to_tokens(cells.encode(tune)))
    BOS Key_2maj TimeSig_4/4 Tempo_120 Part_0 Program_73 Bar_0 Part_0 Position_0 Velocity_11 \
Pitch_60 Duration_12 Position_12 Pitch_64 Duration_24 EOS
    """

    format = "cells"
    _config_class = CellsConfig
    _tempos_on_bars = True

    def __init__(self, config: CellsConfig | None = None) -> None:
        self.config = config or CellsConfig()
        self.bins = Bins(velocities=self.config.velocity_bins)
        self.vocabulary = cells_vocabulary(self.config.velocity_bins, self.config.styles)
        self.grammar = cells_grammar(self.vocabulary)
        self.codec = CellsCodec(self.vocabulary, self.bins)

    def quantize(self, score: Score) -> Score:
        """Return the score as this format can say it: on the grid, names and controllers gone.

        The key is the first key signature's, or inferred from the notes where there is none. Tracks
        rise by program, drums last, then by their notes, those without notes left out, so that the
        order a file happens to have makes no difference; ``grid`` keeps it.

        Raises
        ------
        TokenError
            The score has more than 100,000 bars.
        """
        return self._in_order(score).score()

    def grid(self, score: Score, key: Key | None = None, bars: int | None = None) -> Grid:
        """Return the quantised score as a grid, track names kept out.

        Parameters
        ----------
        score
            Any score.
        key
            Home key; the score's first key signature, or inferred, without it.
        bars
            Number of bars; as many as the notes and chords need without it.

        Raises
        ------
        TokenError
            They need more than 100,000 bars.
        """
        return self._grid(score, range(len(score.tracks)), key, bars)

    def _in_order(self, score: Score) -> Grid:
        """Return the grid of the tracks that have notes, in an order of their own."""
        played = [row for row, track in enumerate(score.tracks) if len(track.notes)]
        kinds = [(t.is_drum, 0 if t.is_drum else t.program) for t in score.tracks]
        played.sort(key=kinds.__getitem__)
        return _twins_in_order(self._grid(score, played))

    def _grid(
        self, score: Score, rows: Sequence[int], key: Key | None = None, bars: int | None = None
    ) -> Grid:
        key = key or home_key(score)
        bins = self.bins
        tracks = [score.tracks[row] for row in rows]
        parts = tuple(Part("", 0 if t.is_drum else t.program, t.is_drum) for t in tracks)
        notes, part = all_events(tracks, range(len(tracks)))
        is_drum = np.array([part.is_drum for part in parts] or [False])[part]
        notes = on_grid(notes, score.tpq, bins, is_drum)
        chords = quantize_chords(score, bins)
        offsets = notes["onset"] + notes["duration"]
        end = max(int(offsets.max(initial=0)), int(chords["tick"].max(initial=-1)) + 1)
        signatures = quantize_signatures(score, bins)
        starts = bar_starts(signatures, bins, end, bars=bars)
        tempos = quantize_tempos(score, bins, on_bars=starts)
        return Grid(
            key,
            parts,
            _bar_rows(starts[:-1], signatures, tempos),
            _cell_notes(notes, part, starts),
            _cell_chords(chords, starts),
        )

    def _encode(self, score: Score) -> Ids:
        """Return the ids of a whole score, shape (T,) int32.

        Raises
        ------
        TokenError
            The score has more than 64 tracks or 100,000 bars.
        """
        return self.encode_grid(self._in_order(score))

    def _rows(self, score: Score) -> Sequence[int]:
        return range(len(score.tracks))

    def decode(self, ids: npt.ArrayLike) -> Score:
        """Return the score that ids say, at twelve ticks a quarter.

        Raises
        ------
        TokenError
            The ids break the grammar; the message gives the place.
        """
        return self.decode_grid(ids).score()

    def encode_grid(
        self,
        grid: Grid,
        *,
        context: Sequence[int] | None = None,
        fill: Sequence[int] = (),
        written: Mask | None = None,
        left: npt.ArrayLike | None = None,
        roles: Sequence[str | None] = (),
        levels: Levels | None = None,
        blank: bool = False,
    ) -> Ids:
        """Return the ids of some bars of a grid, in a given order.

        Parameters
        ----------
        grid
            The piece.
        context
            Bars that are given; all without it.
        fill
            Bars that follow ``Fill``.
        written
            Shape (bars, 1 + parts), column 0 the chords: the cells of ``fill`` that are written,
            said after the others of their bar and said even if empty.
        left
            Shape (bars,): bars left after each; said where it is under 8. Nowhere without it.
        roles
            A role of ``ROLES``, or None, for each part; none without it.
        levels
            Controls of the parts, of the written cells, and the style; none without it.
        blank
            Whether to leave the written cells empty, for a sampler to fill.

        Raises
        ------
        TokenError
            The grid has more than 64 parts.
        """
        context = range(len(grid.bars)) if context is None else context
        return self.codec.encode(
            grid,
            list(context),
            list(fill),
            written=written,
            left=left,
            roles=roles,
            levels=levels,
            blank=blank,
        )

    def decode_grid(self, ids: npt.ArrayLike) -> Grid:
        """Return the grid that ids say; with a ``Fill`` in them, bars go by their numbers.

        Raises
        ------
        TokenError
            The ids break the grammar.
        """
        return self.codec.decode(self.grammar.check(ids))


def _twins_in_order(grid: Grid) -> Grid:
    """Return a grid whose like parts stand by what they play; all others stand in order."""
    order: list[int] = []
    for _, rows in groupby(range(len(grid.parts)), grid.parts.__getitem__):
        twins = [*rows]
        order += sorted(twins, key=partial(_content, grid)) if len(twins) > 1 else twins
    return grid if order == [*range(len(order))] else choose_parts(grid, order)


def _content(grid: Grid, row: int) -> bytes:
    """Return what a part plays as bytes that are the same on every machine."""
    notes = grid.notes.take(np.flatnonzero(grid.notes["part"] == row))
    notes["part"] = 0
    return notes.view("i4").astype(">i4").tobytes()


def _bar_rows(starts: Ints, signatures: Events, tempos: Events) -> Events:
    """Return the bars of a piece, dtype ``BAR``."""
    rows = np.empty(len(starts), BAR)
    which = np.searchsorted(signatures["tick"], starts, side="right") - 1
    rows["numerator"] = signatures["numerator"][which]
    rows["denominator"] = signatures["denominator"][which]
    rows["mspq"] = tempos["mspq"][np.searchsorted(tempos["tick"], starts, side="right") - 1]
    return rows


def _cell_notes(notes: Events, part: Ints, starts: Ints) -> Events:
    """Return notes by bar, part, position and pitch, dtype ``CELL_NOTE``, the longest of each."""
    # Late, as loading the compiler takes longer than all else that a tokenizer imports.
    from composer.tokenizers.grid_notes import fill_cells, place_in_bars

    bar, place = np.empty(len(notes), np.int64), np.empty(len(notes), np.int64)
    parts = int(part.max(initial=0)) + 1
    place_in_bars(notes["onset"], part, notes["pitch"], starts, parts, bar, place)
    rows = longest(notes, place)
    if notes["onset"].max(initial=0) >= starts[-1]:
        rows = rows[: np.searchsorted(bar.take(rows), len(starts) - 1)]
    cells = np.empty(len(rows), CELL_NOTE)
    fill_cells(rows, bar, part, starts, notes, cells)
    return cells


def _cell_chords(chords: Events, starts: Ints) -> Events:
    """Return chords as they stand in their bars, dtype ``CELL_CHORD``."""
    chords = chords[chords["tick"] < starts[-1]]
    cells = np.empty(len(chords), CELL_CHORD)
    if not len(chords):
        return cells
    cells["bar"] = np.searchsorted(starts, chords["tick"], side="right") - 1
    cells["position"] = chords["tick"] - starts[cells["bar"]]
    for name in ("root", "quality", "bass"):
        cells[name] = chords[name]
    return cells
