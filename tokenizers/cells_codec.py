"""Grid to ids and back in the ``cells`` format, by arithmetic on columns.

Each bar heading, cell heading, chord and note is an *event*: a row of a matrix with one column for
each token it may say, -1 where it does not. Events are sorted once; what is left of the matrix,
read row by row without the -1, is the sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.errors import TokenError
from composer.grid import BAR, CELL_CHORD, CELL_NOTE, Grid, Part
from composer.score import Events
from composer.theory import QUALITIES, Key
from composer.tokenizers.bins import (
    DURATIONS,
    TEMPOS,
    TIME_SIGNATURES,
    bin_velocities,
    nearest,
    tempo_bins,
    velocity_bins,
)
from composer.tokenizers.cells_vocabulary import (
    CHORDS,
    DRUMS,
    KEYS,
    MAX_BARS,
    MAX_LEFT,
    MAX_PARTS,
    NO_CHORD,
    PITCH_OFFSET,
    ROLES,
    transposition,
)
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
        _columns(np.where(cell_row == 0, CHORDS, cell_row - 1) + base["Part"]),
        _chord_events(vocabulary, chords, grid.key),
        _note_events(vocabulary, notes, grid),
    ]
    bar = np.concatenate([bars, cell_bar, chords["bar"], notes["bar"]])
    row = np.concatenate([bars * 0 - 1, cell_row, chords["bar"] * 0, notes["part"] + 1])
    # Cells to write come after all others of their bar.
    late = filled[bar] & (row >= 0) & written[bar, np.maximum(row, 0)]
    place = np.concatenate([bars * 0, cell_bar * 0, chords["position"] + 1, notes["position"] + 1])
    key = ((order[bar] * 2 + late) * (written.shape[1] + 1) + row + 1) * 4096 + place
    sequence = np.concatenate(events)[np.argsort(key, kind="stable")].ravel()
    header = _header(vocabulary, grid, signatures, tempos, roles)
    return np.concatenate([header, sequence[sequence >= 0], [base["EOS"]]]).astype(np.int32)


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


def _columns(*columns: npt.ArrayLike) -> Ints:
    """Return columns side by side, filled up to the width of an event."""
    matrix = np.full((len(np.asarray(columns[0])), _WIDTH), -1, np.int64)
    for i, column in enumerate(columns):
        matrix[:, i] = column
    return matrix


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
    return _columns(
        np.where(bars == fill[0], base["Fill"], -1) if len(fill) else np.full(len(bars), -1),
        base["Bar"] + bars % MAX_BARS,
        np.where(remaining < MAX_LEFT, base["Left"] + remaining, -1),
        np.where(signatures[bars] != signatures[0], base["TimeSig"] + signatures[bars], -1),
        np.where(tempos[bars] != tempos[0], base["Tempo"] + tempos[bars], -1),
    )


def _chord_events(vocabulary: Vocabulary, chords: Events, key: Key) -> Ints:
    base, shift = vocabulary.base, transposition(key)
    sounding = chords["root"] >= 0
    root = (chords["root"] + shift) % 12
    value = np.where(sounding, 1 + root * len(QUALITIES) + chords["quality"], NO_CHORD)
    bass = np.where(
        sounding & (chords["bass"] >= 0), base["Bass"] + (chords["bass"] + shift) % 12, -1
    )
    return _columns(base["Position"] + chords["position"], base["Chord"] + value, bass)


def _note_events(vocabulary: Vocabulary, notes: Events, grid: Grid) -> Ints:
    base = vocabulary.base
    bins = vocabulary.slices["Velocity"].stop - base["Velocity"]
    velocity = velocity_bins(notes["velocity"], bins)
    new_cell = _changes(notes["bar"]) | _changes(notes["part"])
    new_onset = new_cell | _changes(notes["position"])
    is_drum = np.array([part.is_drum for part in grid.parts] or [False])[notes["part"]]
    pitch = notes["pitch"] + PITCH_OFFSET + transposition(grid.key)
    return _columns(
        np.where(new_onset, base["Position"] + notes["position"], -1),
        np.where(new_cell | _changes(velocity), base["Velocity"] + velocity, -1),
        np.where(is_drum, base["Drum"] + notes["pitch"], base["Pitch"] + pitch),
        np.where(is_drum, -1, base["Duration"] + nearest(notes["duration"], DURATIONS)),
    )


def _changes(column: npt.NDArray[Any]) -> Mask:
    """Return where a column differs from the row before; True in the first row."""
    return np.r_[True, column[1:] != column[:-1]][: len(column)]


def decode_cells(vocabulary: Vocabulary, ids: Ids) -> Grid:
    """Return the grid that ids say; the ids must keep the grammar."""
    names = [family.name for family in vocabulary.families]
    family, value = vocabulary.family_of[ids], vocabulary.value_of[ids].astype(np.int64)
    at = {name: np.flatnonzero(family == i) for i, name in enumerate(names)}

    def running(name: str, places: Ints) -> Ints:
        """Return the value of the last token of a family before each place."""
        return value[at[name][np.searchsorted(at[name], places) - 1]]

    bar_places = at["Bar"]
    header_end = int(bar_places[0]) if len(bar_places) else len(ids)
    key = KEYS[value[at["Key"][0]]]
    programs = value[at["Program"]].tolist()
    parts = tuple(Part("", p % DRUMS, p == DRUMS) for p in programs)

    count = max(1, len(bar_places))
    order = np.arange(count)
    if len(at["Fill"]):
        order[np.argsort(value[bar_places], kind="stable")] = np.arange(count)

    def bar_of(places: Ints) -> Ints:
        return order[np.searchsorted(bar_places, places) - 1]

    signature = np.full(count, value[at["TimeSig"][0]])
    tempo = np.full(count, value[at["Tempo"][0]])
    for name, column in (("TimeSig", signature), ("Tempo", tempo)):
        inside = at[name][at[name] > header_end]
        column[bar_of(inside)] = value[inside]
    bars = np.empty(count, BAR)
    signatures = np.array(TIME_SIGNATURES)[signature]
    bars["numerator"], bars["denominator"] = signatures[:, 0], signatures[:, 1]
    bars["mspq"] = TEMPOS[tempo]

    shift = transposition(key)
    places = np.sort(np.concatenate([at["Pitch"], at["Drum"]]))
    pitched = np.isin(places, at["Pitch"])
    notes = np.empty(len(places), CELL_NOTE)
    notes["bar"], notes["part"] = bar_of(places), running("Part", places)
    notes["position"] = running("Position", places)
    notes["pitch"] = value[places] - np.where(pitched, PITCH_OFFSET + shift, 0)
    notes["duration"] = np.where(
        pitched, DURATIONS[value[np.minimum(places + 1, len(ids) - 1)] % len(DURATIONS)], 1
    )
    bins = vocabulary.slices["Velocity"].stop - vocabulary.base["Velocity"]
    notes["velocity"] = bin_velocities(bins)[running("Velocity", places)]
    notes = notes[np.lexsort([notes[k] for k in ("pitch", "position", "part", "bar")])]

    return Grid(
        key,
        parts,
        bars,
        notes,
        _decode_chords(vocabulary, ids, at["Chord"], bar_of, running, shift),
    )


def _decode_chords(
    vocabulary: Vocabulary, ids: Ids, places: Ints, bar_of: Any, running: Any, shift: int
) -> Events:
    value = vocabulary.value_of[ids]
    chords = np.empty(len(places), CELL_CHORD)
    chords["bar"], chords["position"] = bar_of(places), running("Position", places)
    sounding = value[places] != NO_CHORD
    root, chords["quality"] = np.divmod(np.maximum(value[places] - 1, 0), len(QUALITIES))
    chords["root"] = np.where(sounding, (root - shift) % 12, -1)
    has_bass = vocabulary.family_of[ids[places + 1]] == vocabulary.index("Bass")
    chords["bass"] = np.where(has_bass, (value[places + 1] - shift) % 12, -1)
    chords = chords[np.lexsort([chords["position"], chords["bar"]])]
    changed = np.zeros(len(chords), bool)
    for name in ("root", "quality", "bass"):
        changed |= _changes(chords[name])
    return chords[changed]
