"""Grid to ids and back in the ``cells`` format, by arithmetic on columns.

Bar headings, cell headings, chords and notes are events as ``composer.tokenizers.events`` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from composer.errors import TokenError
from composer.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part
from composer.score import Events
from composer.theory import Key
from composer.tokenizers.bins import (
    DURATIONS,
    TEMPOS,
    TIME_SIGNATURES,
    nearest,
    tempo_bins,
    velocity_bins,
)
from composer.tokenizers.cells_vocabulary import CHORDS, MAX_BARS, MAX_LEFT, MAX_PARTS, ROLES
from composer.tokenizers.events import (
    Reader,
    changes,
    chord_columns,
    in_order,
    side_by_side,
    velocity_bin_count,
)
from composer.tokenizers.families import DRUMS, KEYS, PITCH_OFFSET, transposition
from composer.tokenizers.quantize import signature_index
from composer.tokenizers.vocabulary import Ids, Vocabulary

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_WIDTH = 5  # tokens of the longest event: Fill Bar Left TimeSig Tempo


def encode_cells(
    vocabulary: Vocabulary,
    grid: Grid,
    context: Sequence[int],
    fill: Sequence[int],
    *,
    written: Mask | None = None,
    left: npt.ArrayLike | None = None,
    roles: Sequence[str | None] = (),
    blank: bool = False,
) -> Ids:
    """Return the ids of some bars of a grid; the arguments are those of ``Cells.encode_grid``."""
    if len(grid.parts) > MAX_PARTS:
        raise TokenError(
            f"the score has {len(grid.parts)} tracks; cells holds {MAX_PARTS}: merge or drop some"
        )
    base = vocabulary.base
    order = np.full(len(grid.bars), -1)  # place of each bar in the sequence
    order[[*context, *fill]] = np.arange(len(context) + len(fill))
    filled = np.zeros(len(grid.bars), bool)
    filled[list(fill)] = True
    if written is None:
        written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)

    signatures, tempos = _bar_columns(grid)
    notes = grid.notes[order[grid.notes["bar"]] >= 0]
    chords = restated_chords(grid)
    chords = chords[order[chords["bar"]] >= 0]
    if blank:
        notes = notes[~(filled[notes["bar"]] & written[notes["bar"], notes["part"] + 1])]
        chords = chords[~(filled & written[:, 0])[chords["bar"]]]
    # Rows of cells count from 0, the chords; those of notes are one more than their part.
    cells = np.zeros(written.shape, bool)
    cells[notes["bar"], notes["part"] + 1] = True
    cells[chords["bar"], 0] = True
    cells[filled] |= written[filled]
    cell_bar, cell_row = np.nonzero(cells & (order[:, None] >= 0))

    bars = np.flatnonzero(order >= 0)
    events = [
        _bar_events(vocabulary, bars, fill, left, signatures, tempos),
        side_by_side(_WIDTH, np.where(cell_row == 0, CHORDS, cell_row - 1) + base["Part"]),
        _chord_events(vocabulary, chords, grid.key),
        _note_events(vocabulary, notes, grid),
    ]
    bar = np.concatenate([bars, cell_bar, chords["bar"], notes["bar"]])
    row = np.concatenate([bars * 0 - 1, cell_row, chords["bar"] * 0, notes["part"] + 1])
    # Cells to write come after all others of their bar.
    late = filled[bar] & (row >= 0) & written[bar, np.maximum(row, 0)]
    place = np.concatenate([bars * 0, cell_bar * 0, chords["position"] + 1, notes["position"] + 1])
    key = ((order[bar] * 2 + late) * (written.shape[1] + 1) + row + 1) * 4096 + place
    sequence = in_order(np.concatenate(events), key)
    header = _header(vocabulary, grid, signatures, tempos, roles)
    return np.concatenate([header, sequence, [base["EOS"]]]).astype(np.int32)


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
    return both[np.lexsort([both["position"], both["bar"]])]


def _bar_columns(grid: Grid) -> tuple[Ints, Ints]:
    """Return the TimeSig and Tempo value of each bar."""
    meters, which = np.unique(grid.bars[["numerator", "denominator"]], return_inverse=True)
    values = np.array([signature_index(n, d) for n, d in meters.tolist()])
    return values[which], tempo_bins(grid.bars["mspq"])


def _header(
    vocabulary: Vocabulary, grid: Grid, signatures: Ints, tempos: Ints, roles: Sequence[str | None]
) -> Ids:
    base = vocabulary.base
    ids = [
        base["BOS"],
        base["Key"] + KEYS.index(grid.key),
        base["TimeSig"] + int(signatures[0]),
        base["Tempo"] + int(tempos[0]),
    ]
    for row, part in enumerate(grid.parts):
        ids += [base["Part"] + row, base["Program"] + (DRUMS if part.is_drum else part.program)]
        role = roles[row] if row < len(roles) else None
        if role:
            ids.append(base["Role"] + ROLES.index(role))
    return np.array(ids, np.int32)


def _bar_events(
    vocabulary: Vocabulary,
    bars: Ints,
    fill: Sequence[int],
    left: npt.ArrayLike | None,
    signatures: Ints,
    tempos: Ints,
) -> Ints:
    base = vocabulary.base
    remaining = np.full(len(bars), MAX_LEFT) if left is None else np.asarray(left)[bars]
    return side_by_side(
        _WIDTH,
        np.where(bars == fill[0], base["Fill"], -1) if len(fill) else np.full(len(bars), -1),
        base["Bar"] + bars % MAX_BARS,
        np.where(remaining < MAX_LEFT, base["Left"] + remaining, -1),
        np.where(signatures[bars] != signatures[0], base["TimeSig"] + signatures[bars], -1),
        np.where(tempos[bars] != tempos[0], base["Tempo"] + tempos[bars], -1),
    )


def _chord_events(vocabulary: Vocabulary, chords: Events, key: Key) -> Ints:
    position = vocabulary.base["Position"] + chords["position"]
    return side_by_side(_WIDTH, position, *chord_columns(vocabulary, chords, transposition(key)))


def _note_events(vocabulary: Vocabulary, notes: Events, grid: Grid) -> Ints:
    base = vocabulary.base
    velocity = velocity_bins(notes["velocity"], velocity_bin_count(vocabulary))
    new_cell = changes(notes["bar"]) | changes(notes["part"])
    new_onset = new_cell | changes(notes["position"])
    is_drum = np.array([part.is_drum for part in grid.parts] or [False])[notes["part"]]
    pitch = notes["pitch"] + PITCH_OFFSET + transposition(grid.key)
    return side_by_side(
        _WIDTH,
        np.where(new_onset, base["Position"] + notes["position"], -1),
        np.where(new_cell | changes(velocity), base["Velocity"] + velocity, -1),
        np.where(is_drum, base["Drum"] + notes["pitch"], base["Pitch"] + pitch),
        np.where(is_drum, -1, base["Duration"] + nearest(notes["duration"], DURATIONS)),
    )


def decode_cells(vocabulary: Vocabulary, ids: Ids) -> Grid:
    """Return the grid that ids say; the ids must keep the grammar."""
    read = Reader(vocabulary, ids)
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
    offset = PITCH_OFFSET + transposition(key)
    notes["pitch"] = read.value[places] - np.where(pitched, offset, 0)
    notes["duration"] = read.durations(places + 1, pitched)
    notes["velocity"] = read.velocities(read.running("Velocity", places))
    notes = notes[np.lexsort([notes[k] for k in ("pitch", "position", "part", "bar")])]

    places, root, quality, bass = read.chords(transposition(key))
    chords = np.empty(len(places), CELL_CHORD)
    chords["bar"], chords["position"] = bar_of(places), read.running("Position", places)
    chords["root"], chords["quality"], chords["bass"] = root, quality, bass
    chords = chords[np.lexsort([chords["position"], chords["bar"]])]
    changed = changes(chords["root"]) | changes(chords["quality"]) | changes(chords["bass"])
    bars = _decode_bars(read, bar_of, len(order))
    return Grid(key, parts, bars, notes, chords[changed])


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
