"""How a melody is told of a contrast: to take longer or shorter notes than before.

Of AABA tunes in lead sheets 51% of the bars of B have the rhythm of a bar of A, and the notes are
0.22 octaves of length apart (61 tunes). Without a word to the model it was 76% and 0.18 (40 seeds);
a level of note length makes it 59% and 0.28. Density was tried as well: two levels make it 68% and
a third of a note a beat, which is more than twice as far apart as the sections of lead sheets are,
where they were as near as those; the register is apart by itself, as far as in lead sheets.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from composer.controls.kinds import KINDS, NAMES
from composer.controls.measures import measure_parts
from composer.form.outline import Outline
from composer.request.request import Request
from composer.score.grid import Grid
from composer.tokenizers.cells.levels import UNSAID, Levels

_DENSITY, _LENGTH = NAMES.index("density"), NAMES.index("note_length")


def contrasting(request: Request, outline: Outline, grid: Grid, first: int) -> Request:
    """Return a request whose melodies are asked for other notes in a section that contrasts.

    They are a level away from what was played before the section, on the side with more levels.
    Cells stay as they are of which density or note length is asked already.

    Parameters
    ----------
    request
        What is being written.
    outline
        Its outline.
    grid
        What is given and written so far.
    first
        The bar that the section begins with.
    """
    begins = [*np.flatnonzero(outline.begins).tolist(), len(grid.bars)]
    section = slice(first, next(bar for bar in begins if bar > first))
    levels = request.levels or Levels.none(len(grid.bars), len(grid.parts))
    cells, values = levels.cells.copy(), KINDS[_LENGTH].levels
    before = np.zeros(cells.shape[:2], bool)
    before[:first] = True
    played = measure_parts(grid, before)[:, _LENGTH]
    for row, rules in enumerate(request.parts):
        if rules.role != "melody" or np.isnan(played[row]):
            continue
        level = float(np.interp(played[row], values, np.arange(len(values))))
        is_low = level < (len(values) - 1) / 2
        free = (cells[section, row][:, [_DENSITY, _LENGTH]] == UNSAID).all(1)
        wanted = cells[section, row, _LENGTH]
        wanted[free & request.written[section, row + 1]] = round(level + (1 if is_low else -1))
    return dataclasses.replace(request, levels=dataclasses.replace(levels, cells=cells))
