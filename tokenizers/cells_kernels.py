"""The loop that writes the ``cells`` format, compiled; ``cells_codec`` makes its columns."""

from __future__ import annotations

from composer.compiled import compiled, inner
from composer.tokenizers.events import Bools, Ints
from composer.tokenizers.vocabulary import Ids


@inner
def _put(ids: Ids, at: int, token: int) -> int:
    """Write an id, unless it is -1, and return where the next one goes."""
    if token < 0:
        return at
    ids[at] = token
    return at + 1


@compiled
def write_bars(
    bars: Ints,
    headings: Ints,
    part_ids: Ints,
    late: Bools,
    blank: bool,
    chord_starts: Ints,
    chords: Ints,
    note_starts: Ints,
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
    chord_starts, chords
        Where each bar's chords begin, shape (bars of the grid + 1,), and the ids of each.
    note_starts, part, position, pitch, velocity, duration
        The same for notes, by bar, part, position and pitch.
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
