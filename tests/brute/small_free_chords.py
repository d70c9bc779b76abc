"""Requests for a line and its chords, which rule nothing out: each note is in some chord."""

import dataclasses

from composer import ChordTones
from composer.planning.constraints import post
from tests.brute import small_lines_beside


def request(seed):
    """Return a request for two bars of 1/16 between two others, and its constraints."""
    known, where = small_lines_beside.request(seed)
    free = known.grid.replace(chords=known.grid.chords[:0])
    written = known.written.copy()
    written[1:3, 0] = True
    tones = ChordTones(everywhere=True, bars="2-3")
    posted = post([tones], free.score(), free, written, 4)
    others = [demand for demand in known.posted if not demand.constraint.by_chord]
    where = [*(constraint for constraint in where if not constraint.by_chord), tones]
    return dataclasses.replace(known, grid=free, written=written, posted=(*others, *posted)), where


def is_possible(request, where):
    """Return whether any line at all keeps the constraints; chords may change where one begins."""
    others = [constraint for constraint in where if not constraint.by_chord]
    return small_lines_beside.is_possible(request, others)
