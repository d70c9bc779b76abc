"""Notes onto the grid, compiled; ``composer.tokenizers.quantize`` says what for."""

from __future__ import annotations

from composer._jit import compiled
from composer.score.events import Events
from composer.tokenizers.columns import Bools, Ints


@compiled
def put_on_grid(
    onset: Ints,
    duration: Ints,
    velocity: Ints,
    is_drum: Bools,
    tpq: int,
    grid_tpq: int,
    lengths: Ints,
    hit: int,
    velocities: Ints,
) -> None:
    """Change columns of notes in place; all have shape (notes,).

    Parameters
    ----------
    onset, duration, velocity, is_drum
        The columns, in ticks of ``tpq`` a quarter before and of ``grid_tpq`` after.
    lengths
        What each length in ticks of the grid becomes; those beyond become the last.
    hit
        Length of a drum hit in ticks of the grid.
    velocities
        What each velocity becomes, shape (128,).
    """
    longest = len(lengths) - 1
    # A division of floats takes a third of the time of one of integers, and up to 2**52, which no
    # tick comes near, has the same whole part.
    up, down = 2 * grid_tpq, 2.0 * tpq
    for i in range(len(onset)):
        begin = int((onset[i] * up + tpq) / down)
        end = int(((onset[i] + duration[i]) * up + tpq) / down)
        onset[i] = begin
        duration[i] = hit if is_drum[i] else lengths[min(end - begin, longest)]
        velocity[i] = velocities[velocity[i]]


@compiled
def longest_of_each(order: Ints, key: Ints, duration: Ints, velocity: Ints, chosen: Ints) -> int:
    """Put the rows to keep into ``chosen``, of one key the longest, then loudest, then first.

    ``order`` is the rows by rising key. Returns how many there are.
    """
    count, last = 0, -1
    for row in order:
        if last < 0 or key[row] != key[last]:
            count += 1
        elif duration[row] < duration[last] or (
            duration[row] == duration[last] and velocity[row] <= velocity[last]
        ):
            continue
        chosen[count - 1] = last = row
    return count


@compiled
def place_in_bars(
    onset: Ints, part: Ints, pitch: Ints, starts: Ints, parts: int, bar: Ints, place: Ints
) -> None:
    """Say in which bar each note begins, and where in the order of a grid.

    Parameters
    ----------
    onset, part, pitch
        Columns of the notes, track behind track.
    starts
        Where bars begin, and the end of the last.
    parts
        How many there are.
    bar, place
        Get the answers; a note behind the last bar gets the number of bars.
    """
    now, bars = 0, len(starts) - 1
    for i in range(len(onset)):
        if onset[i] < starts[now]:
            now = 0  # another track
        while now < bars and starts[now + 1] <= onset[i]:
            now += 1
        bar[i] = now
        position = onset[i] - starts[now]
        place[i] = (((now * parts + part[i]) << 12) + position) << 7 | pitch[i]


@compiled
def fill_cells(
    rows: Ints, bar: Ints, part: Ints, starts: Ints, notes: Events, cells: Events
) -> None:
    """Write the notes at ``rows`` into ``cells``, dtype ``CELL_NOTE``."""
    for i, row in enumerate(rows):
        cells[i].bar, cells[i].part = bar[row], part[row]
        cells[i].position = notes[row].onset - starts[bar[row]]
        cells[i].pitch = notes[row].pitch
        cells[i].duration = notes[row].duration
        cells[i].velocity = notes[row].velocity
