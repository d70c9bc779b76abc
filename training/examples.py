"""What a model is shown: windows of pieces, some cells of them to be written given the others.

Every verb is one of these tasks, drawn at random for each window. The home key's name is drawn at
random too: pitches are relative to it, so each piece stands for itself in all twelve keys.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.controls.kinds import KINDS
from composer.controls.measures import measure_cells, measure_parts
from composer.planning.roles import part_roles
from composer.score.grid import Grid, choose_parts, cut_bars
from composer.tokenizers.cells.cells import Cells
from composer.tokenizers.cells.levels import UNSAID, Levels, level_of
from composer.tokenizers.cells.vocabulary import MAX_BARS
from composer.tokenizers.families import transposition
from composer.tokenizers.vocabulary import Ids
from composer.training.corpus import Corpus

Generator = np.random.Generator

#: Task -> how often it is drawn.
TASKS = {"melody": 0.2, "chords": 0.15, "arrange": 0.35, "infill": 0.2, "everything": 0.1}
MOST_PARTS = 6
SHORTEST_WINDOW, LONGEST_WINDOW = 4, 24  # bars
LONGEST_CONTEXT = 6  # bars given before those that are written
ROLE_SAID = 0.8
BORROWED_DRUMS = 0.3
CHORDS_UNKNOWN = 0.15
OTHER_PROGRAM = 0.3
PARTS_SAID = 0.3
CELLS_SAID = 0.65
STYLE_SAID = 0.6
REMEMBERED = 0.3
LONGEST_MEMORY = 4  # bars
UNLEARNED = -100  # what torch takes as no label

#: Role -> programs that stand in for a part's own now and then, so that a role can be asked of
#: instruments the corpus has few of: all but basses, sound effects and percussion for a melody.
STAND_INS = {
    "melody": (*range(32), *range(40, 47), *range(48, 88), *range(104, 112)),
    "bass": (*range(32, 40), 0, 42, 43, 57, 58, 70),
    "accompaniment": (0, 1, 4, 5, 6, 11, 16, 19, 21, 24, 25, 26, 27, 46, 48, 49, 50, 52, 61, 89),
}


@dataclasses.dataclass(frozen=True)
class Task:
    """Bars of a grid in the order they are said, and which of their cells are written."""

    context: list[int]
    fill: list[int]
    written: npt.NDArray[np.bool_]  # (bars, 1 + parts), column 0 the chords


class Memory(NamedTuple):
    """Bars of long before that are shown as well, so that a theme can be taken up again."""

    before: int = 0  # bars by which the window begins earlier
    bars: int = 0  # how many of those are shown, from its first on


class Examples:
    """Rows of ids of one length, drawn from a corpus; row ``i`` is always the same.

    Parameters
    ----------
    corpus
        Prepared corpus.
    held_out
        Whether to draw from the pieces held out, or from the others.
    context_length
        Ids a row. Examples follow each other in a row; the last is cut where the row ends.
    rows
        Number of rows.
    seed
        Seed of the draws.
    balance
        A group of pieces is drawn in proportion to its bars to the power of this: 1 takes bars as
        they are, 0 every group alike.
    styles
        Group -> the style that its pieces are in, where it is not called like the group.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        held_out: bool,
        context_length: int,
        rows: int,
        seed: int = 0,
        balance: float = 0.25,
        styles: Mapping[str, str] | None = None,
    ) -> None:
        self.corpus = corpus
        self.context_length = context_length
        self.rows = rows
        self.seed = seed
        chosen = corpus.split()[held_out].tolist()
        self._indices = np.array(chosen)
        bars = np.array([corpus.pieces[i].bars for i in chosen], float)
        groups = np.array([corpus.pieces[i].group for i in chosen])
        _, which = np.unique(groups, return_inverse=True)
        totals = np.bincount(which, bars)
        # Long pieces are drawn more often, but not so often that a symphony crowds out the songs.
        share = np.sqrt(bars)
        share /= np.bincount(which, share)[which]
        weights = share * (totals**balance)[which]
        self._weights = weights / weights.sum()
        vocabulary = corpus.tokenizer.vocabulary
        #: Which ids are learned, shape (V,): controls are given, never chosen.
        self.is_learned = np.ones(vocabulary.size, bool)
        for family in ("Control", "Style"):
            self.is_learned[vocabulary.slices[family]] = False
        known = corpus.tokenizer.config.styles
        named = [(styles or {}).get(piece.group, piece.group) for piece in corpus.pieces]
        self._styles = [known.index(name) if name in known else UNSAID for name in named]
        drums = [i for i in chosen if _only_drums(corpus, i)]
        self._drummers = np.array(drums, int)

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, row: int) -> dict[str, npt.NDArray[np.int64]]:
        ids = self.row(row).astype(np.int64)
        return {"input_ids": ids, "labels": np.where(self.is_learned[ids], ids, UNLEARNED)}

    def row(self, row: int) -> Ids:
        """Return one row of ids, shape (context_length,)."""
        rng = np.random.default_rng([self.seed, row])
        chunks: list[Ids] = []
        length = 0
        while length < self.context_length:
            chunk = self._example(rng)
            chunks.append(chunk)
            length += len(chunk)
        return np.concatenate(chunks)[: self.context_length]

    def _example(self, rng: Generator) -> Ids:
        index = int(rng.choice(self._indices, p=self._weights))
        grid = self.corpus.grid(index)
        kind = str(rng.choice(list(TASKS), p=list(TASKS.values())))
        roles = part_roles(grid)
        count = min(len(grid.bars), int(rng.integers(SHORTEST_WINDOW, LONGEST_WINDOW + 1)))
        start = int(rng.integers(0, len(grid.bars) - count + 1))
        while True:
            memory = draw_memory(start, count, rng)
            first = start - memory.before
            window = cut_bars(grid, first, memory.before + count)
            window, kept_roles = self._choose_parts(window, roles, kind, memory.before, rng)
            window = rename_programs(window, kept_roles, rng)
            if kind != "chords" and rng.random() < CHORDS_UNKNOWN:
                window = window.replace(chords=window.chords[:0])
            task = draw_task(kind, window, kept_roles, rng, memory)
            said = [role if rng.random() < ROLE_SAID else None for role in kept_roles]
            levels = draw_levels(window, task, self._styles[index], rng)
            left = len(grid.bars) - 1 - np.arange(first, start + count)
            ids = encode_task(self.corpus.tokenizer, window, task, left, said, levels)
            if len(ids) <= self.context_length or count == 1:
                return rename_key(ids, self.corpus.tokenizer, rng)
            count = max(1, count // 2)

    def _choose_parts(
        self, window: Grid, roles: list[str | None], kind: str, start: int, rng: Generator
    ) -> tuple[Grid, list[str | None]]:
        """Return some of the parts that play in a window from a bar on, the melody first."""
        playing = np.unique(window.notes["part"][window.notes["bar"] >= start]).tolist()
        melody = [row for row in playing if roles[row] == "melody"]
        others = [row for row in playing if roles[row] != "melody"]
        if kind == "melody" and melody:
            others = []
        elif kind == "chords" and rng.random() < 0.7:
            others = others if not melody else []
        elif rng.random() < 0.5:
            rng.shuffle(others)
        most = int(rng.integers(1, MOST_PARTS))
        rows = melody + (others if len(others) <= most else sorted(others[:most]))
        kept = [roles[row] for row in rows]
        window = choose_parts(window, rows)
        has_drums = any(part.is_drum for part in window.parts)
        if kind in ("arrange", "everything") and not has_drums and rng.random() < BORROWED_DRUMS:
            lent = self._borrow_drums(window, rng)
            if lent is not None:
                return lent, [*kept, None]
        return window, kept

    def _borrow_drums(self, window: Grid, rng: Generator) -> Grid | None:
        """Return the window with drums from a piece of drums in the same meter, if one is drawn."""
        if not len(self._drummers):
            return None
        drums = self.corpus.grid(int(rng.choice(self._drummers)))
        count = len(window.bars)
        meter = ["numerator", "denominator"]
        if len(drums.bars) < count + 1 or (drums.bars[meter][0] != window.bars[meter]).any():
            return None
        start = int(rng.integers(0, len(drums.bars) - count + 1))
        lent = cut_bars(drums, start, count)
        notes = lent.notes.copy()
        notes["part"] = len(window.parts)
        both = np.concatenate([window.notes, notes])
        both = both[np.lexsort([both[k] for k in ("pitch", "position", "part", "bar")])]
        return window.replace(parts=(*window.parts, lent.parts[0]), notes=both)


def _only_drums(corpus: Corpus, index: int) -> bool:
    header = corpus.tokenizer.ids_to_tokens(corpus.ids(index)[:7])
    return header[5] == "Program_drums" and header[6].startswith("Bar")


def draw_memory(start: int, count: int, rng: Generator) -> Memory:
    """Return which bars of before are shown with bars from ``start`` on: mostly none."""
    furthest = min(start, MAX_BARS - count)
    bars = int(rng.integers(1, LONGEST_MEMORY + 1))
    if rng.random() >= REMEMBERED or furthest < bars:
        return Memory()
    # Now as far back as can be said, which may be how the piece begins; now anywhere.
    before = furthest if rng.random() < 0.5 else int(rng.integers(bars, furthest + 1))
    return Memory(before, bars)


def draw_task(
    kind: str,
    window: Grid,
    roles: Sequence[str | None],
    rng: Generator,
    memory: Memory = Memory(),  # noqa: B008  (frozen)
) -> Task:
    """Return which cells of a window are given and which are written."""
    bars, parts = len(window.bars) - memory.before, len(window.parts)
    written = np.zeros((bars, 1 + parts), bool)
    is_melody = np.array([False, *(role == "melody" for role in roles)])
    first = int(rng.integers(0, min(LONGEST_CONTEXT, bars - 1) + 1)) if rng.random() < 0.6 else 0
    last = bars
    if kind == "melody":
        written[:, is_melody] = True
        written[:, 0] = rng.random() < 0.2
    elif kind == "chords":
        written[:, 0] = True
    elif kind == "arrange":
        written[:, 1:] = ~is_melody[1:]
        if parts > 2 and rng.random() < 0.3:  # some of the band is there already
            written[:, 1 + int(rng.integers(0, parts))] = False
    elif kind == "infill":
        last = int(rng.integers(first + 1, bars + 1))
        written[:] = rng.random(written.shape) < rng.uniform(0.3, 1)
        if rng.random() < 0.7:  # whole rows, as people ask for them
            written[:] = rng.random(1 + parts) < 0.6
    else:
        written[:] = True
    written[:, 0] &= len(window.chords) > 0
    fill = list(range(first, last))
    if not written[fill].any():
        written[:, -1] = True
    context = [*range(first), *range(last, bars)]
    before = memory.before
    return Task(
        [*range(memory.bars), *(before + bar for bar in context)],
        [before + bar for bar in fill],
        np.concatenate([np.zeros((before, 1 + parts), bool), written]),
    )


def encode_task(
    tokenizer: Cells,
    window: Grid,
    task: Task,
    left: npt.ArrayLike,
    roles: Sequence[str | None],
    levels: Levels | None = None,
) -> Ids:
    """Return the ids of a window with its task."""
    return tokenizer.encode_grid(
        window,
        context=task.context,
        fill=task.fill,
        written=task.written,
        left=left,
        roles=roles,
        levels=levels,
    )


def draw_levels(window: Grid, task: Task, style: int, rng: Generator) -> Levels:
    """Return what is said of the notes to write: now this, now that, and often nothing.

    So that each control can be given or left out alone. Parts say what their written cells measure
    together, some cells what they measure themselves.
    """
    written = np.zeros((len(window.bars), len(window.parts)), bool)
    written[task.fill] = task.written[task.fill, 1:]
    levels, shift = Levels.none(*written.shape), transposition(window.key)
    if rng.random() < PARTS_SAID:
        values = measure_parts(window, written)
        kept = rng.random(values.shape) < rng.uniform(0.2, 1)
        levels.parts[kept] = level_of(values, shift)[kept]
    if rng.random() < CELLS_SAID:
        cells = level_of(measure_cells(window), shift)
        kinds = rng.random(len(KINDS)) < rng.uniform(0.2, 1)
        share = 1 if rng.random() < 0.6 else rng.uniform(0.2, 1)
        kept = written[..., None] & (rng.random((*written.shape, 1)) < share) & kinds
        levels.cells[kept] = cells[kept]
    return dataclasses.replace(levels, style=style if rng.random() < STYLE_SAID else UNSAID)


def rename_key(ids: Ids, tokenizer: Cells, rng: Generator) -> Ids:
    """Return ids with another tonic of the same mode, which moves no relative pitch."""
    renamed = ids.copy()
    base = tokenizer.vocabulary.base["Key"]
    mode = (int(ids[1]) - base) // 12
    renamed[1] = base + 12 * mode + rng.integers(0, 12)
    return renamed


def rename_programs(grid: Grid, roles: Sequence[str | None], rng: Generator) -> Grid:
    """Return a grid some parts of which are played by a stand-in."""
    parts = list(grid.parts)
    for row, role in enumerate(roles):
        if role is not None and rng.random() < OTHER_PROGRAM:
            program = int(rng.choice(STAND_INS[role]))
            parts[row] = dataclasses.replace(parts[row], program=program)
    return grid.replace(parts=tuple(parts))
