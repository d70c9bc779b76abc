"""The loop that writes the ``cells`` format, compiled; ``cells_codec`` makes its columns."""

from __future__ import annotations

import numpy as np

from composer._jit import compiled, inner
from composer.tokenizers.columns import Bools, Ints
from composer.tokenizers.vocabulary import Ids


@inner
def _put(ids: Ids, at: int, token: int) -> int:
    """Write an id, unless it is -1, and return where the next one goes."""
    if token < 0:
        return at
    ids[at] = token
    return at + 1


@inner
def _starts(bar: Ints, bars: int) -> Ints:
    """Return where the rows of each bar begin, and their number; shape (bars + 1,)."""
    starts = np.zeros(bars + 1, np.int64)
    for i in range(len(bar)):
        starts[bar[i] + 1] += 1
    for i in range(bars):
        starts[i + 1] += starts[i]
    return starts


@compiled
def write_bars(
    bars: Ints,
    headings: Ints,
    part_ids: Ints,
    late: Bools,
    blank: bool,
    controls: Ints,
    chord_bar: Ints,
    chords: Ints,
    note_bar: Ints,
    part: Ints,
    position: Ints,
    pitch: Ints,
    velocity: Ints,
    duration: Ints,
    position_id: int,
    pitch_ids: Ints,
    velocity_ids: Ints,
    duration_ids: Ints,
    is_drum: Bools,
    ids: Ids,
) -> int:
    """Write the ids of some bars and return how many there are.

    Parameters
    ----------
    bars, headings
        Which bars, in order, and the ids that each begins with, -1 for none: shape (n, 5).
    part_ids
        The Part id of each row of cells, shape (1 + parts,); the chords are row 0.
    late
        Shape (bars of the grid, 1 + parts): cells that come after the others of their bar, and are
        said even if empty.
    blank
        Whether late cells are left empty.
    controls
        Shape (bars of the grid, parts, kinds): the ids that a late cell begins with, -1 for none.
    chord_bar, chords
        The bar of each chord, and its ids; by bar and position.
    note_bar, part, position, pitch, velocity, duration
        Columns of the notes, by bar, part, position and pitch.
    position_id
        Of position 0.
    pitch_ids
        Of pitch 0, for each part.
    velocity_ids, duration_ids
        The id of each velocity and duration; durations beyond take the last.
    is_drum
        Whether each part is, shape (parts,).
    ids
        Gets the ids; long enough.
    """
    at = 0
    chord_starts, note_starts = _starts(chord_bar, len(late)), _starts(note_bar, len(late))
    for which in range(len(bars)):
        bar = bars[which]
        for token in headings[which]:
            at = _put(ids, at, token)
        for is_late in (False, True):
            note = note_starts[bar]
            for row in range(len(part_ids)):
                first = note
                if row:
                    while note < note_starts[bar + 1] and part[note] == row - 1:
                        note += 1
                    is_empty = note == first
                else:
                    is_empty = chord_starts[bar] == chord_starts[bar + 1]
                if late[bar, row] != is_late or (is_empty and not is_late):
                    continue
                at = _put(ids, at, part_ids[row])
                if is_late and row:
                    for token in controls[bar, row - 1]:
                        at = _put(ids, at, token)
                if is_late and blank:
                    continue
                if row == 0:
                    for i in range(chord_starts[bar], chord_starts[bar + 1]):
                        for token in chords[i]:
                            at = _put(ids, at, token)
                    continue
                said = spoken = -1
                for i in range(first, note):
                    if position[i] != said:
                        said = position[i]
                        at = _put(ids, at, position_id + said)
                    if velocity_ids[velocity[i]] != spoken:
                        spoken = velocity_ids[velocity[i]]
                        at = _put(ids, at, spoken)
                    at = _put(ids, at, pitch_ids[row - 1] + pitch[i])
                    if not is_drum[row - 1]:
                        at = _put(ids, at, duration_ids[min(duration[i], len(duration_ids) - 1)])
    return at
