"""The search for chords in notes, compiled; ``composer.harmony.inference`` says what it means.

Conventions
-----------
A *segment* is a beat or a bar, in which the chord stays the same: ``S`` of them. ``C`` is how many
chords there are to choose from.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from composer._jit import compiled, inner
from composer.score.events import Events

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@inner
def _beat(numerator: int, denominator: int, tpq: int) -> int:
    """Return the ticks of a beat: a quarter, in compound meters a dotted one."""
    if numerator % 3 == 0 and denominator >= 8:
        return max(12 * tpq // denominator, 1)
    return tpq


@compiled
def beat_edges(
    starts: Ints, ticks: Ints, numerators: Ints, denominators: Ints, tpq: int
) -> tuple[Ints, Ints]:
    """Return where beats begin, and the end of the last; and the place of each in its bar.

    Parameters
    ----------
    starts
        Where bars begin, and the end of the last, in ticks.
    ticks, numerators, denominators
        The time signatures that hold, the first at tick 0.
    tpq
        Ticks a quarter.

    Returns
    -------
    edges, level
        Shape (S + 1,) and (S,): 0 for the first beat, 1 for the middle of a bar, 2 for others.
    """
    bars, last = len(starts) - 1, len(ticks) - 1
    beats, lengths = np.empty(bars, np.int64), np.empty(bars, np.int64)
    signature = 0
    for bar in range(bars):
        while signature < last and ticks[signature + 1] <= starts[bar]:
            signature += 1
        lengths[bar] = _beat(numerators[signature], denominators[signature], tpq)
        beats[bar] = -((starts[bar] - starts[bar + 1]) // lengths[bar])
    edges, level = np.empty(beats.sum() + 1, np.int64), np.full(beats.sum(), 2)
    at = 0
    for bar in range(bars):
        for beat in range(beats[bar]):
            edges[at] = starts[bar] + beat * lengths[bar]
            if beat == 0:
                level[at] = 0
            elif 2 * beat == beats[bar]:
                level[at] = 1
            at += 1
    edges[at] = starts[bars]
    return edges, level


@compiled
def listen(notes: Events, edges: Ints, heard: Floats, lowest: Ints) -> None:
    """Add up what sounds in each segment.

    Parameters
    ----------
    notes
        Dtype ``NOTE``; in order of onset, or track behind track in such order.
    edges
        Where the segments begin, and the last one's end, in ticks: shape (S + 1,).
    heard
        Shape (S, 12): gets the ticks that each pitch class sounds.
    lowest
        Shape (S,): gets the lowest pitch, if it is lower than what stands there.
    """
    last = len(edges) - 2
    segment = 0
    for i in range(len(notes)):
        onset, length, pitch = notes[i].onset, max(notes[i].duration, 1), notes[i].pitch
        offset = onset + length
        if onset < edges[segment]:
            segment = 0  # another track
        while segment < last and edges[segment + 1] <= onset:
            segment += 1
        at = segment
        while at == segment or (at <= last and edges[at] < offset):
            begin, end = edges[at], edges[at + 1]
            ticks = min(offset, end) - max(onset, begin)
            # Players are a little early and let go a little late: slivers are not meant for it.
            if 8 * ticks >= end - begin or 2 * ticks >= length:
                heard[at, pitch % 12] += max(ticks, 1)
                lowest[at] = min(lowest[at], pitch)
            at += 1


@inner
def _rate(shares: Floats, bass: int, sound: Floats, says: Floats, fit: Floats) -> None:
    """Add to ``fit`` how well each chord fits what sounds in a segment."""
    for pitch_class in range(12):
        share = shares[pitch_class]
        if share > 0:
            for chord in range(len(fit)):
                fit[chord] += share * sound[pitch_class, chord]
    if bass >= 0:
        for chord in range(len(fit)):
            fit[chord] += says[bass, chord]


@compiled
def best_path(
    heard: Floats,
    power: float,
    basses: Ints,
    prices: Floats,
    prior: Floats,
    sound: Floats,
    says: Floats,
    stays: Bools,
    path: Ints,
) -> None:
    """Find the chords with the best sum of fits less the prices of changes (Viterbi search).

    Parameters
    ----------
    heard
        How long each pitch class sounds, shape (S, 12); each segment has one that does.
    power
        What that is raised to, before each segment's twelve are divided by their sum.
    basses
        Pitch class of the bass or -1, shape (S,).
    prices
        Of changing the chord at the begin of a segment, shape (S,).
    prior
        What is said for each chord without listening, shape (C,).
    sound, says
        What each pitch class says for each chord, as a sound and as a bass: shape (12, C).
    stays
        Shape (S, C): gets whether each chord is best reached from itself.
    path
        Shape (S,): gets the chords.
    """
    count, chords = stays.shape
    total, fit = np.zeros(chords), np.empty(chords)
    shares = np.empty(12)
    best = 0
    for segment in range(count):
        whole = 0.0
        for pitch_class in range(12):
            ticks = heard[segment, pitch_class]
            shares[pitch_class] = ticks**power if ticks > 0 else 0.0
            whole += shares[pitch_class]
        for pitch_class in range(12):
            shares[pitch_class] /= whole
        for chord in range(chords):
            fit[chord] = prior[chord]
        _rate(shares, basses[segment], sound, says, fit)
        path[segment] = best
        changed = total[best] - prices[segment]
        for chord in range(chords):
            stays[segment, chord] = total[chord] >= changed
            total[chord] = max(total[chord], changed) + fit[chord]
        for chord in range(chords):
            if total[chord] > total[best]:
                best = chord
    for segment in range(count - 1, -1, -1):
        # Where a change is best, it comes from the chord that was best then.
        before = best if stays[segment, best] else path[segment]
        path[segment] = best
        best = before


@compiled
def runs(path: Ints, lengths: Ints, basses: Ints, share: float, begins: Ints, chosen: Ints) -> int:
    """Find the runs of one chord, and the bass of each.

    Parameters
    ----------
    path, lengths, basses
        Chord, ticks, and pitch class of the bass or -1, of each segment: shape (S,).
    share
        For how much of a run a bass has to be it.
    begins, chosen
        Shape (S,): get the first segment of each run, and its bass or -1.

    Returns
    -------
    int
        How many runs there are.
    """
    count = 0
    weights = np.zeros(13, np.int64)  # how long each pitch class is the bass; the first: none
    for segment in range(len(path)):
        if segment == 0 or path[segment] != path[segment - 1]:
            begins[count] = segment
            weights[:] = 0
            count += 1
        weights[basses[segment] + 1] += lengths[segment]
        most = np.argmax(weights)
        is_clear = weights[most] >= share * weights.sum()
        chosen[count - 1] = most - 1 if is_clear else -1
    return count
