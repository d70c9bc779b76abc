"""Grid to ids and back in the ``cells`` format.

Headings and chords are made ready in numpy, and one compiled loop writes them and the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from composer.errors import TokenError
from composer.score.events import Events
from composer.score.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part, sorted_chords, sorted_notes
from composer.theory.keys import Key
from composer.tokenizers.bins import TEMPOS, TIME_SIGNATURES, Bins, nearest, velocity_bins
from composer.tokenizers.cells.levels import UNSAID, Levels, control_ids
from composer.tokenizers.cells.vocabulary import CHORDS, MAX_BARS, MAX_LEFT, MAX_PARTS, ROLES
from composer.tokenizers.columns import Reader, changes, chord_columns
from composer.tokenizers.families import DRUMS, KEYS, lowest_pitch, transposition
from composer.tokenizers.quantize import changed_chords, signature_index
from composer.tokenizers.vocabulary import Ids, Vocabulary

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class CellsCodec:
    """Encodes and decodes the sequences of the format.

    Parameters
    ----------
    vocabulary
        Its families.
    bins
        The tables that its values are binned by.
    """

    def __init__(self, vocabulary: Vocabulary, bins: Bins) -> None:
        self._vocabulary = vocabulary
        self._bins = bins
        base = vocabulary.base
        self._velocity_ids = base["Velocity"] + velocity_bins(range(128), bins.velocities)
        lengths = np.arange(bins.durations[-1] + 1)
        self._duration_ids = base["Duration"] + nearest(lengths, bins.durations)
        self._part_ids = base["Part"] + np.array([CHORDS, *range(MAX_PARTS)])

    def encode(
        self,
        grid: Grid,
        context: Sequence[int],
        fill: Sequence[int],
        *,
        written: Mask | None = None,
        left: npt.ArrayLike | None = None,
        roles: Sequence[str | None] = (),
        levels: Levels | None = None,
        blank: bool = False,
    ) -> Ids:
        """Return the ids of some bars of a grid; the arguments are ``Cells.encode_grid``'s."""
        if len(grid.parts) > MAX_PARTS:
            raise TokenError(
                f"the score has {len(grid.parts)} tracks; cells holds {MAX_PARTS}: merge or drop "
                "some"
            )
        # Late, as loading the compiler takes longer than all else that a tokenizer imports.
        from composer.tokenizers.cells.kernels import write_bars

        base, notes = self._vocabulary.base, grid.notes
        bars, rows = np.array([*context, *fill], np.int64), 1 + len(grid.parts)
        late = np.zeros((len(grid.bars), rows), bool)
        if written is not None:
            late[fill] = written[fill]
        signatures, tempos = self._bar_columns(grid)
        headings = self._headings(bars, len(context), left, signatures, tempos)
        controls = np.empty((len(grid.bars), len(grid.parts), 0), np.int64)
        if levels:
            controls = control_ids(levels.cells, base["Control"])
        header = self._header(grid, signatures, tempos, roles, levels)
        chords = restated_chords(grid)
        lowest = base["Pitch"] + lowest_pitch(grid.key)
        # A note says Position, Velocity, Pitch and Duration at most; a cell begins with its Part.
        most = headings.size + 3 * len(chords) + 4 * len(notes) + rows * len(bars)
        most += int((controls >= 0).sum())
        ids = np.empty(len(header) + most + 1, np.int32)
        ids[: len(header)] = header
        end = len(header) + write_bars(
            bars,
            headings,
            self._part_ids[:rows],
            late,
            blank,
            controls,
            chords["bar"],
            self._chord_ids(chords, grid.key),
            notes["bar"],
            notes["part"],
            notes["position"],
            notes["pitch"],
            notes["velocity"],
            notes["duration"],
            base["Position"],
            np.where(grid.is_drum, base["Drum"], lowest),
            self._velocity_ids,
            self._duration_ids,
            grid.is_drum,
            ids[len(header) :],
        )
        ids[end] = base["EOS"]
        return ids[: end + 1].copy()

    def _bar_columns(self, grid: Grid) -> tuple[Ints, Ints]:
        """Return the TimeSig and Tempo value of each bar."""
        numerator, denominator = grid.bars["numerator"], grid.bars["denominator"]
        changed = changes(numerator) | changes(denominator)
        said = zip(numerator[changed].tolist(), denominator[changed].tolist(), strict=True)
        values = np.array([signature_index(n, d) for n, d in said])
        return values[np.cumsum(changed) - 1], self._bins.tempo_bin(grid.bars["mspq"])

    def _header(
        self,
        grid: Grid,
        signatures: Ints,
        tempos: Ints,
        roles: Sequence[str | None],
        levels: Levels | None,
    ) -> list[int]:
        base = self._vocabulary.base
        ids = [
            base["BOS"],
            base["Key"] + KEYS.index(grid.key),
            base["TimeSig"] + int(signatures[0]),
            base["Tempo"] + int(tempos[0]),
        ]
        if levels and levels.style != UNSAID:
            ids.append(base["Style"] + levels.style)
        controls = control_ids(levels.parts, base["Control"]).tolist() if levels else None
        for row, part in enumerate(grid.parts):
            ids += [base["Part"] + row, base["Program"] + (DRUMS if part.is_drum else part.program)]
            role = roles[row] if row < len(roles) else None
            if role:
                ids.append(base["Role"] + ROLES.index(role))
            ids += [token for token in controls[row] if token >= 0] if controls else []
        return ids

    def _headings(
        self, bars: Ints, given: int, left: npt.ArrayLike | None, signatures: Ints, tempos: Ints
    ) -> Ints:
        """Return Fill, Bar, Left, TimeSig and Tempo of bars, -1 for what is not said: (bars, 5)."""
        base = self._vocabulary.base
        ids = np.full((len(bars), 5), -1)
        ids[given : given + 1, 0] = base["Fill"]
        ids[:, 1] = base["Bar"] + bars % MAX_BARS
        if left is not None:
            remaining = np.asarray(left)[bars]
            ids[:, 2] = np.where(remaining < MAX_LEFT, base["Left"] + remaining, -1)
        for column, (name, values) in enumerate([("TimeSig", signatures), ("Tempo", tempos)], 3):
            said = values[bars]
            ids[:, column] = np.where(said != values[0], base[name] + said, -1)
        return ids

    def _chord_ids(self, chords: Events, key: Key) -> Ints:
        """Return Position, Chord and Bass of chords, -1 for no bass: shape (chords, 3)."""
        if not len(chords):
            return np.empty((0, 3), np.int64)
        columns = chord_columns(self._vocabulary, chords, transposition(key))
        return np.stack([self._vocabulary.base["Position"] + chords["position"], *columns], 1)

    def decode(self, ids: Ids) -> Grid:
        """Return the grid that ids say; the ids must keep the grammar."""
        read = Reader(self._vocabulary, ids)
        bar_places = read.at("Bar")
        key = KEYS[read.value[read.at("Key")[0]]]
        programs = read.value[read.at("Program")].tolist()
        parts = tuple(Part("", p % DRUMS, p == DRUMS) for p in programs)

        order = np.arange(max(1, len(bar_places)))
        if len(read.at("Fill")):
            order[np.argsort(read.value[bar_places], kind="stable")] = np.arange(len(order))

        def bar_of(places: Ints) -> Ints:
            return order[np.searchsorted(bar_places, places) - 1]

        places, pitched = read.notes()
        notes = np.empty(len(places), CELL_NOTE)
        notes["bar"], notes["part"] = bar_of(places), read.running("Part", places)
        notes["position"] = read.running("Position", places)
        notes["pitch"] = read.value[places] - np.where(pitched, lowest_pitch(key), 0)
        notes["duration"] = read.durations(places + 1, pitched)
        notes["velocity"] = read.velocities(read.running("Velocity", places))
        notes = sorted_notes(notes)

        places, root, quality, bass = read.chords(transposition(key))
        chords = np.empty(len(places), CELL_CHORD)
        chords["bar"], chords["position"] = bar_of(places), read.running("Position", places)
        chords["root"], chords["quality"], chords["bass"] = root, quality, bass
        chords = sorted_chords(chords)
        bars = _decode_bars(read, bar_of, len(order))
        return Grid(key, parts, bars, notes, changed_chords(chords))


def restated_chords(grid: Grid) -> Events:
    """Return the chords of a grid with the one that holds said again at each bar's start."""
    chords = grid.chords
    if not len(chords):
        return chords
    bars = np.arange(chords["bar"][0], len(grid.bars))
    first = np.searchsorted(chords["bar"], bars)
    begins = first < len(chords)
    begins[begins] = (chords["bar"][first[begins]] == bars[begins]) & (
        chords["position"][first[begins]] == 0
    )
    bars, holding = bars[~begins], first[~begins] - 1
    said_again = chords[np.maximum(holding, 0)].copy()
    said_again["bar"], said_again["position"] = bars, 0
    said_again = said_again[holding >= 0]
    both = np.concatenate([chords, said_again])
    return sorted_chords(both)


def _decode_bars(read: Reader, bar_of: Callable[[Ints], Ints], count: int) -> Events:
    """Return the bars: what the header says of time signature and tempo, or what they say."""
    header_end = int(read.at("Bar")[0]) if len(read.at("Bar")) else len(read.value)
    columns = []
    for name in ("TimeSig", "Tempo"):
        places = read.at(name)
        column = np.full(count, read.value[places[0]])
        inside = places[places > header_end]
        column[bar_of(inside)] = read.value[inside]
        columns.append(column)
    bars = np.empty(count, BAR)
    signatures = np.array(TIME_SIGNATURES)[columns[0]]
    bars["numerator"], bars["denominator"] = signatures[:, 0], signatures[:, 1]
    bars["mspq"] = TEMPOS[columns[1]]
    return bars
