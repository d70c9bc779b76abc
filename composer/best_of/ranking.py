"""How candidates are ranked: by the model, by how much they repeat, and by what was aimed at.

A term says how far a candidate is from what is wanted, the lower the better; their weighted sum
ranks. ``TERMS`` has them all: what else is to count becomes one more of them.

Likelihood a note prefers many even notes, each easy to guess: of eight melodies over the chords of
a lead sheet it takes those with twice as many notes as real ones. It is counted between a note and
a bar therefore, and for less than repetition.

Controls are counted in levels, those that the model knows. Without them the best of eight were
further from what was asked than any, 0.94 levels and 0.84 (150 requests of melodies and pianos);
with this weight they are 0.35 away, the nearest of all eight 0.19, and repeat themselves by 0.63
standard deviations more or less than is usual where it was 0.55.

The slack in constraints does not count. How much probability they take from the model was tried as
one more term, and changed nothing. How often a candidate comes to the edge of what they allow (the
most onsets, the widest leap, either end of the range) was tried on 40 times eight melodies: those
at the edge more often are, if anything, nearer to real ones (correlation -0.16, error 0.06), and at
weights that change the choice it is a worse one, 0.95 standard deviations from real means in place
of 0.93. Music that has few bounds to move in uses all of them.

Of 110 times eight melodies over the chords of lead sheets the best by this sum are nearer to real
melodies than any, in measures that it does not look at (n-grams of rhythm, interval and degree,
leaps, notes of the chord, range, density): 0.83 standard deviations from their means where all are
0.90; 0.84 of four, 0.87 of two. The nearest of eight are 0.54.

How much music repeats was measured on passages of 4, 8 and 16 bars of files in ``datasets.md``:
melodies of 284 lead sheets, basses and drums of game music (drums of drummers who play freely as
well), accompaniments of 245 songs for voice and piano.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.controls.kinds import KINDS, REGISTER
from composer.controls.measures import measure_parts
from composer.generate.writer import Writer
from composer.score.events import Events
from composer.tokenizers.cells.levels import UNSAID
from composer.tokenizers.families import transposition

Ints = npt.NDArray[np.int64]


class Share(NamedTuple):
    """A share in music: its mean, and its standard deviation over pieces."""

    mean: float
    spread: float


class Habits(NamedTuple):
    """How much a part repeats itself, each a share from 0 to 1; nan where there is nothing."""

    notes: float  # onsets with the pitches of the onset before
    bars: float  # bars that are the same as one of the 15 before
    rhythms: float  # bars with the onsets of one of the 15 before


#: Role -> bars of the passage -> what is usual of ``Habits``.
USUAL = {
    "melody": {
        4: (Share(0.16, 0.16), Share(0.04, 0.12), Share(0.29, 0.26)),
        8: (Share(0.16, 0.14), Share(0.08, 0.13), Share(0.46, 0.22)),
        16: (Share(0.15, 0.12), Share(0.19, 0.15), Share(0.64, 0.16)),
    },
    "bass": {
        4: (Share(0.51, 0.34), Share(0.25, 0.32), Share(0.73, 0.33)),
        8: (Share(0.53, 0.31), Share(0.50, 0.27), Share(0.83, 0.21)),
        16: (Share(0.51, 0.29), Share(0.60, 0.19), Share(0.88, 0.14)),
    },
    "accompaniment": {
        4: (Share(0.09, 0.17), Share(0.05, 0.13), Share(0.57, 0.37)),
        8: (Share(0.08, 0.14), Share(0.07, 0.13), Share(0.64, 0.28)),
        16: (Share(0.09, 0.14), Share(0.09, 0.14), Share(0.70, 0.21)),
    },
    None: {  # drums
        4: (Share(0.19, 0.27), Share(0.27, 0.35), Share(0.54, 0.36)),
        8: (Share(0.20, 0.27), Share(0.38, 0.35), Share(0.68, 0.28)),
        16: (Share(0.18, 0.25), Share(0.44, 0.33), Share(0.73, 0.22)),
    },
}
_MEMORY = 15  # bars

#: A power, and the spread among candidates of nats a note times notes a bar to that power.
_UNEVEN, _LIKELIHOOD_SPREAD = 0.25, 0.33


@dataclasses.dataclass(frozen=True)
class Term:
    """One of the things that candidates are ranked by.

    Parameters
    ----------
    name
        What it is called in ``Candidate.terms``.
    weight
        What its value is multiplied by.
    of
        Returns the value of a candidate, the lower the better.
    """

    name: str
    weight: float
    of: Callable[[Writer], float]


def likelihood(writer: Writer) -> float:
    """Return how unlikely the model held what it wrote, the number of notes evened out."""
    written = _written(writer)
    if not written:
        return 0.0
    bars = int(writer.own.any(1).sum())
    nats = -float(writer.log_probability.sum()) / written
    return float(nats * (written / bars) ** _UNEVEN / _LIKELIHOOD_SPREAD)


def repetition(writer: Writer) -> float:
    """Return how far parts that were written repeat themselves more or less than is usual.

    Parts of a piece that has as many bars given as written are held to those.
    """
    grid, request = writer.grid, writer.request
    distances = []
    for row, rules in enumerate(request.parts):
        column = request.written[:, row + 1]
        bars = np.flatnonzero(column)
        if not writer.own[:, row + 1].any() or len(bars) < 2:
            continue
        notes = grid.notes[grid.notes["part"] == row]
        inside = np.isin(notes["bar"], bars)
        usual = _usual(rules.role, len(bars))
        if (~column).sum() >= len(bars):
            given = habits(notes[~inside], np.flatnonzero(~column))
            usual = tuple(
                share if np.isnan(own) else Share(own, share.spread)
                for own, share in zip(given, usual, strict=True)
            )
        found = habits(notes[inside], bars)
        distances += [
            abs(own - share.mean) / share.spread
            for own, share in zip(found, usual, strict=True)
            if not np.isnan(own)
        ]
    return float(np.mean(distances)) if distances else 0.0


def control_error(writer: Writer) -> float:
    """Return how far what was asked of density, register and so on is from what came, in levels.

    The bars of a part that one level is asked of are measured together, as the controls are
    defined; what comes between two levels counts in parts of one. Silence has a density alone. What
    the contrasts of a form ask for counts as well.
    """
    grid, levels = writer.grid, writer.request.levels
    if levels is None:
        return 0.0
    shift = transposition(grid.key)
    errors = []
    for column, kind in enumerate(KINDS):
        asked = np.where(writer.request.written[:, 1:], levels.cells[..., column], UNSAID)
        for level in np.unique(asked[asked != UNSAID]).tolist():
            got = measure_parts(grid, asked == level)[:, column]
            got = got[~np.isnan(got)] + (shift if column == REGISTER else 0)
            reached = np.interp(got, kind.levels, np.arange(len(kind.levels)))
            errors += np.abs(reached - level).tolist()
    return float(np.mean(errors)) if errors else 0.0


#: What candidates are ranked by.
TERMS: tuple[Term, ...] = (
    Term("likelihood", 0.5, likelihood),
    Term("repetition", 3.0, repetition),
    Term("control error", 2.0, control_error),
)


def values_of(writers: Iterable[Writer], terms: Sequence[Term] = TERMS) -> dict[str, float]:
    """Return the value of each term, summed over what wrote one candidate."""
    every = list(writers)
    return {term.name: sum(term.of(writer) for writer in every) for term in terms}


def total(values: Mapping[str, float], terms: Sequence[Term] = TERMS) -> float:
    """Return the weighted sum of the values of terms; the lowest is best."""
    return sum(term.weight * values[term.name] for term in terms)


def habits(notes: Events, bars: Ints) -> Habits:
    """Return how much a part repeats itself in some bars.

    Parameters
    ----------
    notes
        Dtype ``CELL_NOTE``: the part's notes in these bars, in order.
    bars
        The bars, rising, shape (bars,).
    """
    cells: dict[int, list[tuple[int, int]]] = {bar: [] for bar in bars.tolist()}
    onsets: dict[tuple[int, int], list[int]] = {}
    for bar, _, position, pitch, *_ in notes.tolist():
        cells[bar].append((position, pitch))
        onsets.setdefault((bar, position), []).append(pitch)
    pitches = [*onsets.values()]
    again = [a == b for a, b in pairwise(pitches)]
    same_notes, same_rhythm = [], []
    played = [[*cell] for cell in cells.values()]
    for place, cell in enumerate(played):
        if place and cell:
            before = [other for other in played[max(0, place - _MEMORY) : place] if other]
            same_notes.append(cell in before)
            same_rhythm.append(_rhythm(cell) in [_rhythm(other) for other in before])
    return Habits(_share(again), _share(same_notes), _share(same_rhythm))


def _rhythm(cell: Sequence[tuple[int, int]]) -> list[int]:
    return sorted({position for position, _ in cell})


def _share(found: Sequence[bool]) -> float:
    return float(np.mean(found)) if found else float("nan")


def _usual(role: str | None, bars: int) -> tuple[Share, ...]:
    """Return what is usual of a role in a passage of nearly so many bars."""
    lengths = USUAL[role]
    return lengths[min(lengths, key=lambda length: abs(np.log(length / bars)))]


def _written(writer: Writer) -> int:
    """Return how many notes the model wrote, or chords where it wrote no notes."""
    notes, chords = writer.grid.notes, writer.grid.chords
    count = int(writer.own[notes["bar"], notes["part"] + 1].sum())
    return count or int(writer.own[chords["bar"], 0].sum())
