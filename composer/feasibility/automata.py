"""Scores that must not be copied, as automata that a line is read by."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from composer.constraints.base import Line, Runs
from composer.feasibility.line_kernels import SuffixAutomata

_PITCHES = 128
_APART = (-1, -1)  # what no line does


def automata(wanted: Sequence[tuple[Runs, np.ndarray]], times: int) -> SuffixAutomata:
    """Return the automata of some runs that must not be repeated.

    Parameters
    ----------
    wanted
        Each with the times at which a run must not end, shape (times,).
    times
        Of the piece.
    """
    made = [_automaton(runs, times) for runs, _ in wanted]
    keys, gaps, symbols, goto, links, lengths = zip(*made, strict=True) if made else ((),) * 6
    none = np.zeros((0, times), bool)
    return SuffixAutomata(
        _padded(keys, 1),
        _padded(gaps, 1),
        _padded(symbols, 2),
        _padded(goto, 2),
        _padded(links, 1),
        _padded(lengths, 1),
        np.array([runs.notes for runs, _ in wanted], np.int64),
        np.stack([matters for _, matters in wanted]) if wanted else none,
    )


def _padded(arrays: Sequence[np.ndarray], dimensions: int) -> np.ndarray:
    """Return arrays one behind the other, filled up with -1."""
    shapes = [array.shape for array in arrays]
    size = np.max(shapes, axis=0) if shapes else (0,) * dimensions
    whole = np.full((len(arrays), *size), -1, np.int32)
    for row, array in zip(whole, arrays, strict=True):
        row[tuple(slice(n) for n in array.shape)] = array
    return whole


def _automaton(runs: Runs, times: int) -> tuple[np.ndarray, ...]:
    """Return the keys, gaps, symbols, transitions, links and lengths of a score."""
    lines = [_steps(line, runs) for line in runs.lines]
    steps = sorted({step for line in lines for step, _ in line})
    distances = sorted({gap for line in lines for _, gap in line if gap <= times})
    pairs = sorted({pair for line in lines for pair in line if pair[1] <= times})
    number = {pair: i for i, pair in enumerate(pairs)}
    apart = len(pairs)  # between two lines, and no step of any other
    text = [number.get(pair, apart) for line in lines for pair in (*line, _APART)]
    goto, links, lengths = _suffix_automaton(text, apart + 1)

    pitch = np.arange(_PITCHES)
    code = pitch[None] - pitch[:, None] if runs.transposed else _both(pitch)
    keys = _numbered(code.ravel(), steps)
    gaps = np.zeros(times + 1, np.int32)
    if runs.rhythm:
        gaps = _numbered(np.arange(times + 1), distances)
    symbols = np.full((len(steps) + 1, len(distances) + 1), -1, np.int32)
    for (step, gap), symbol in number.items():
        symbols[steps.index(step), distances.index(gap)] = symbol
    return keys, gaps, symbols, goto, links, lengths


def _both(pitch: np.ndarray) -> np.ndarray:
    return np.asarray(pitch[:, None] * _PITCHES + pitch[None])


def _numbered(values: np.ndarray, known: Sequence[int]) -> np.ndarray:
    """Return the place of each value among those known, -1 where it is none."""
    found = np.full(len(values), -1, np.int32)
    for i, value in enumerate(known):
        found[values == value] = i
    return found


def _steps(line: Line, runs: Runs) -> list[tuple[int, int]]:
    """Return the steps of a line: what they do, and after how long."""
    steps = []
    for (began, pitch), (begins, to) in itertools.pairwise(line):
        step = to - pitch if runs.transposed else pitch * _PITCHES + to
        steps.append((step, begins - began if runs.rhythm else 0))
    return steps


def _suffix_automaton(
    text: Sequence[int], symbols: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the transitions, suffix links and lengths of the states for all parts of a text.

    References
    ----------
    Blumer et al., The smallest automaton recognizing the subwords of a text, 1985.
    """
    goto: list[dict[int, int]] = [{}]
    links, lengths = [-1], [0]
    last = 0
    for symbol in text:
        new = len(goto)
        goto.append({})
        links.append(0)
        lengths.append(lengths[last] + 1)
        at = last
        while at >= 0 and symbol not in goto[at]:
            goto[at][symbol] = new
            at = links[at]
        if at >= 0:
            onto = goto[at][symbol]
            if lengths[at] + 1 == lengths[onto]:
                links[new] = onto
            else:
                clone = len(goto)
                goto.append(dict(goto[onto]))
                links.append(links[onto])
                lengths.append(lengths[at] + 1)
                while at >= 0 and goto[at].get(symbol) == onto:
                    goto[at][symbol] = clone
                    at = links[at]
                links[onto] = links[new] = clone
        last = new
    table = np.full((len(goto), symbols), -1, np.int32)
    for state, row in enumerate(goto):
        table[state, list(row)] = list(row.values())
    return table, np.array(links, np.int32), np.array(lengths, np.int32)
