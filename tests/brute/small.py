"""Small requests of each kind, whose refusals are confirmed by brute force."""

import numpy as np

from tests.brute import (
    asked,
    small_cells,
    small_chords,
    small_free_chords,
    small_harmony,
    small_lines,
    small_lines_beside,
)

KINDS = {
    "cells": small_cells,
    "chords": small_chords,
    "lines": small_lines,
    "lines beside": small_lines_beside,
    "lines over free chords": small_free_chords,
    "lines in harmony": small_harmony,
}


def refused(kind, request, where, text):
    """Return what became of a request that is refused, and what is wrong with that or nothing."""
    if KINDS[kind].is_possible(request, where) and not is_silent(request, where):
        return "wrongly refused", text
    return "refused", ""


def is_silent(request, where):
    """Return whether a cell is left no pitch at all, though it is not asked to have no notes."""
    given = asked.given_notes(request)
    known = [constraint for constraint in where if not constraint.by_chord or not is_free(request)]
    for bar, column in np.argwhere(request.written).tolist():
        if column:
            _, silent, _, _, most = asked.cell_room(given, known, bar, column - 1)
            if silent and most:
                return True
    return False


def is_free(request):
    """Return whether chords are to be written."""
    return request.written[:, 0].any()
