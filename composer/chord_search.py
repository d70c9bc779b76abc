"""The search for chords in notes, compiled; what it means is said in ``composer.harmony``.

Conventions
-----------
A *segment* is a beat or a bar, in which the chord stays the same. A chord is a row of the tables
that ``composer.harmony`` makes: twelve roots to each quality.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.compiled import compiled, inner
from composer.score import Events

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Model(NamedTuple):
    """The numbers that rate chords, for C chords; columns are chords, so that loops run along them."""

    sound: Floats  # (12, C): what each sounding pitch class says for each chord
    bass: Floats  # (12, C): and what the bass says
    prior: Floats  # (C,): what is added to each chord of itself
    tones: npt.NDArray[np.bool_]  # (12, C): whether the pitch class is of the chord
    change: Floats  # (3,): price of a change at the start of a bar, in its middle, elsewhere
    power: float  # of the time that a pitch class sounds
    bass_below: int  # the lowest note is a bass below this pitch
    inversion: float  # share of a chord that its bass must sound


@inner
def _segments(
    starts: Ints, numerators: Ints, denominators: Ints, tpq: int, by_beat: bool
) -> tuple[Ints, Ints]:
    """Return the edges of the segments in ticks, and the place of each one's price of change."""
    count = len(starts) - 1
    beats = np.empty(count, np.int64)
    for bar in range(count):
        beats[bar] = starts[bar + 1] - starts[bar]
        if by_beat:
            compound = numerators[bar] % 3 == 0 and denominators[bar] >= 8
            beats[bar] = max(12 * tpq // denominators[bar] if compound else tpq, 1)
    total = 0
    for bar in range(count):
        total += -(-(starts[bar + 1] - starts[bar]) // beats[bar])
    edges, levels = np.empty(total + 1, np.int64), np.empty(total, np.int64)
    segment = 0
    for bar in range(count):
        inside = -(-(starts[bar + 1] - starts[bar]) // beats[bar])
        for place in range(inside):
            edges[segment] = starts[bar] + place * beats[bar]
            levels[segment] = 0 if place == 0 else 1 if 2 * place == inside else 2
            segment += 1
    edges[total] = starts[count]
    return edges, levels


@inner
def _listen(notes: Events, edges: Ints) -> tuple[Floats, Ints]:
    """Return how many ticks each pitch class sounds in each segment, and its lowest pitch."""
    count = len(edges) - 1
    heard, lowest = np.zeros((count, 12)), np.full(count, 128)
    segment = 0
    for i in range(len(notes)):
        onset, length, pitch = notes[i].onset, max(notes[i].duration, 1), notes[i].pitch
        if onset < edges[segment]:
            segment = 0  # another track
        while segment + 1 < count and edges[segment + 1] <= onset:
            segment += 1
        at = segment
        while at < count and (at == segment or edges[at] < onset + length):
            begin, end = edges[at], edges[at + 1]
            ticks = min(onset + length, end) - max(onset, begin)
            # Players are a little early and let go a little late: slivers are not meant for it.
            if 8 * ticks >= end - begin or 2 * ticks >= length:
                heard[at, pitch % 12] += max(ticks, 1)
                lowest[at] = min(lowest[at], pitch)
            at += 1
    return heard, lowest


@inner
def _rate(heard: Floats, bass: int, model: Model, fit: Floats) -> None:
    """Set ``fit`` (C,) to how well each chord fits what is heard in a segment."""
    shares, total = np.zeros(12), 0.0
    for pitch_class in range(12):
        if heard[pitch_class] > 0:
            shares[pitch_class] = heard[pitch_class] ** model.power
            total += shares[pitch_class]
    for chord in range(len(fit)):
        fit[chord] = model.prior[chord]
    for pitch_class in range(12):
        if shares[pitch_class] > 0:
            share = shares[pitch_class] / total
            for chord in range(len(fit)):
                fit[chord] += share * model.sound[pitch_class, chord]
    if bass >= 0:
        for chord in range(len(fit)):
            fit[chord] += model.bass[bass, chord]


@inner
def _best_path(heard: Floats, basses: Ints, levels: Ints, model: Model) -> Ints:
    """Return the chords of all segments, with the best sum of fits less the price of changes."""
    count, chords = len(levels), len(model.prior)
    fit, total = np.empty(chords), np.zeros(chords)
    stays, bests = np.empty((count, chords), np.bool_), np.empty(count, np.int64)
    for segment in range(count):
        _rate(heard[segment], basses[segment], model, fit)
        best = 0
        for chord in range(chords):
            if total[chord] > total[best]:
                best = chord
        bests[segment] = best
        changed = total[best] - model.change[levels[segment]]
        for chord in range(chords):
            stays[segment, chord] = total[chord] >= changed
            total[chord] = max(total[chord], changed) + fit[chord]
    path = np.empty(count, np.int64)
    path[count - 1] = total.argmax()
    for segment in range(count - 1, 0, -1):
        chord = path[segment]
        path[segment - 1] = chord if stays[segment, chord] else bests[segment]
    return path


@compiled
def find_chords(
    notes: Events,
    starts: Ints,
    meters: tuple[Ints, Ints],
    tpq: int,
    by_beat: bool,
    model: Model,
) -> Ints:
    """Find the chords that notes imply.

    Parameters
    ----------
    notes
        Dtype ``NOTE``, at least one; in order of onset, or track behind track in such order.
    starts
        Where the bars begin, and the last one's end, in ticks: shape (bars + 1,).
    meters
        Numerators and denominators of the bars.
    tpq
        Ticks a quarter note.
    by_beat
        Whether a segment is a beat, else a bar.
    model
        The numbers that rate chords.

    Returns
    -------
    array, shape (found, 3)
        Tick, chord and bass of each chord that differs from the one before; the bass is -1 where it
        is no other tone of the chord than the root.
    """
    edges, levels = _segments(starts, meters[0], meters[1], tpq, by_beat)
    heard, lowest = _listen(notes, edges)
    count = 0  # silent segments are left out
    begins, lengths, basses = np.empty_like(levels), np.empty_like(levels), np.empty_like(levels)
    for segment in range(len(levels)):
        if lowest[segment] < 128:
            begins[count], levels[count] = edges[segment], levels[segment]
            lengths[count] = edges[segment + 1] - edges[segment]
            basses[count] = lowest[segment] % 12 if lowest[segment] < model.bass_below else -1
            heard[count] = heard[segment]
            count += 1
    path = _best_path(heard[:count], basses[:count], levels[:count], model)
    found, row, segment = np.empty((count, 3), np.int64), 0, 0
    while segment < count:
        chord, begin = path[segment], segment
        weights = np.zeros(13, np.int64)  # the last for no bass
        while segment < count and path[segment] == chord:
            weights[basses[segment]] += lengths[segment]
            segment += 1
        bass = weights.argmax()
        enough = weights[bass] >= model.inversion * weights.sum()
        if not (enough and bass < 12 and model.tones[bass, chord]) or bass == chord % 12:
            bass = -1
        found[row, 0], found[row, 1], found[row, 2] = begins[begin], chord, bass
        row += 1
    return found[:row]
