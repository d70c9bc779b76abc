"""The tables of lines and the search through them, against all lines of two short bars."""

from itertools import pairwise, product

import numpy as np
import pytest

from composer.constraints.base import Runs
from composer.feasibility.automata import automata
from composer.feasibility.line_kernels import (
    FOUND,
    NONE,
    NOT_FOUND,
    PASSING,
    Table,
    find_line,
    sweep,
)

TIMES, BAR = 6, 3  # two bars of three positions
PITCHES = (60, 61, 62)


def random_table(rng):
    """Return a table of two written bars, few pitches open."""
    is_open = np.zeros((TIMES, NONE), bool)
    is_open[:, PITCHES] = rng.random((TIMES, 3)) < 0.7
    counts = [
        sum(1 << k for k in range(low, high + 1))
        for low, high in (sorted(rng.integers(0, 4, 2)) for _ in range(2))
    ]
    return Table(
        np.zeros((TIMES, PASSING), np.uint64),
        is_open,
        np.zeros((TIMES, NONE), bool),
        np.full(TIMES, -1, np.int16),
        rng.random(TIMES) < 0.15,
        np.full(TIMES, rng.choice([0, 1, 127]), np.int16),
        np.full((0, TIMES), -1, np.int16),
        np.full((0, TIMES), -1, np.int16),
        np.repeat([0, 1], BAR),
        np.array(counts, np.uint64),
        np.ones(2, bool),
    )


def lines_of(table, most_repeated=None):
    """Return all lines that a table allows: for each time a pitch, or -1."""
    found = []
    for line in product((-1, *PITCHES), repeat=TIMES):
        onsets = [pitch for pitch in line if pitch >= 0]
        leaps = pairwise(onsets)
        in_bars = [sum(p >= 0 for p in line[at : at + BAR]) for at in (0, BAR)]
        repeats = most_repeated and any(
            len({*onsets[i : i + most_repeated + 1]}) == 1
            for i in range(len(onsets) - most_repeated)
        )
        if (
            all(table.open[t, p] for t, p in enumerate(line) if p >= 0)
            and all(line[t] >= 0 for t in np.flatnonzero(table.required))
            and all(abs(a - b) <= table.leap[0] for a, b in leaps)
            and all(int(table.counts[bar]) >> n & 1 for bar, n in enumerate(in_bars))
            and not repeats
        ):
            found.append(line)
    return found


def found_line(table, runs=(), **given):
    """Return what ``find_line`` finds from the beginning, and the line."""
    line = np.full(TIMES, -1, np.int16)
    copied = automata([(one, np.ones(TIMES, bool)) for one in runs], TIMES)
    states, lengths = np.zeros((2, len(runs)), np.int64)
    options = {"most": 63, "must": -1, "variation": 0, **given}
    what = find_line(
        line, table, copied, states, lengths, 0, 0, NONE, -1, 0, options["most"], options["must"],
        np.ones(NONE, bool), options["variation"], 100_000,
    )  # fmt: skip
    return what, tuple(line.tolist())


@pytest.mark.parametrize("seed", range(40))
def test_a_table_counts_the_onsets_of_all_lines(seed):
    table = random_table(np.random.default_rng(seed))
    sweep(table, 0, TIMES)
    lines = lines_of(table)
    expected = {sum(p >= 0 for p in line[:BAR]) for line in lines}
    bits = int(table.completions[0, NONE] & table.counts[0])
    assert {k for k in range(8) if bits >> k & 1} == expected


@pytest.mark.parametrize("seed", range(40))
def test_a_line_is_found_if_and_only_if_there_is_one(seed):
    table = random_table(np.random.default_rng(seed))
    sweep(table, 0, TIMES)
    lines = lines_of(table)
    for variation in range(3):
        what, line = found_line(table, variation=variation)
        assert what == (FOUND if lines else NOT_FOUND)
        assert what == NOT_FOUND or line in lines


@pytest.mark.parametrize("seed", range(40))
def test_a_line_keeps_out_of_runs(seed):
    table = random_table(np.random.default_rng(seed))
    sweep(table, 0, TIMES)
    for most in (1, 2):
        still = Runs((tuple((at, 60) for at in range(most + 1)),), most)
        lines = lines_of(table, most)
        what, line = found_line(table, [still])
        assert what == (FOUND if lines else NOT_FOUND)
        assert what == NOT_FOUND or line in lines


@pytest.mark.parametrize("seed", range(20))
def test_a_line_has_the_onset_that_it_must_and_no_more_than_it_may(seed):
    table = random_table(np.random.default_rng(seed))
    sweep(table, 0, TIMES)
    for must, most in product(range(BAR), range(3)):
        lines = [
            n for n in lines_of(table) if n[must] >= 0 and sum(p >= 0 for p in n[:BAR]) <= most
        ]
        what, line = found_line(table, must=must, most=most)
        assert what == (FOUND if lines else NOT_FOUND)
        assert what == NOT_FOUND or line in lines
