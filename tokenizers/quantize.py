"""Put a score on the grid: the one lossy step, shared by every format.

Onsets move to the nearest of twelve positions a quarter and time signatures to bars that the
tables of ``bins`` can say. Rules: a signature that arrives inside a bar cuts that bar to the
nearest sixteenth, or eighth where more than eight quarters are left of it; one that has no token
becomes the one of the nearest length; a bar of more than twelve quarters is halved until it fits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from composer.errors import ComposerWarning, TokenError
from composer.grid import RESOLUTION
from composer.meter import Meter
from composer.score import NOTE, TEMPO, TIME_SIGNATURE, Events, Score, Text
from composer.theory import Key, parse_chord
from composer.tokenizers.bins import (
    BAR_LENGTHS,
    DURATIONS,
    MAX_POSITIONS,
    TEMPOS,
    TIME_SIGNATURES,
    bin_velocities,
    nearest,
    tempo_bins,
    velocity_bins,
)
from composer.tokenizers.events import Bools, Ints, changes

#: Most bars of a piece. A broken tick or ``tpq`` makes millions, which no memory holds.
MAX_PIECE_BARS = 100_000

_SIXTEENTH = RESOLUTION // 4
_MOST_SIXTEENTHS = 32 * _SIXTEENTH  # positions; longer bars have a signature in eighths only
_SIGNATURE_INDEX = {signature: index for index, signature in enumerate(TIME_SIGNATURES)}


def to_positions(ticks: Events, tpq: int) -> Events:
    """Return ticks as positions from the start of the piece, rounded half up."""
    return (ticks * (2 * RESOLUTION) + tpq) // (2 * tpq)


def signature_index(numerator: int, denominator: int) -> int:
    """Return the index in ``TIME_SIGNATURES`` of a signature, or of the nearest in length.

    >>> TIME_SIGNATURES[signature_index(3, 4)], TIME_SIGNATURES[signature_index(2, 1)]
    ((3, 4), (8, 4))
    """
    if (numerator, denominator) in _SIGNATURE_INDEX:
        return _SIGNATURE_INDEX[numerator, denominator]
    length = 4 * RESOLUTION * numerator / denominator
    while length > MAX_POSITIONS:
        length /= 2
    near = np.abs(BAR_LENGTHS - length)
    # Of several signatures of one length (4/2, 8/4, 16/8) the one with quarters reads best.
    plainness = np.array([(d != 4) + (d == 16) for _, d in TIME_SIGNATURES])
    return int(np.lexsort([plainness, near])[0])


def quantize_signatures(score: Score) -> Events:
    """Return time signatures in positions that all begin on bar lines; changes only."""
    given = score.meter.time_signatures
    ticks = to_positions(given["tick"], score.tpq)
    rows: list[tuple[int, int]] = []  # (position, index into TIME_SIGNATURES)
    for tick, numerator, denominator in zip(
        ticks.tolist(), given["numerator"].tolist(), given["denominator"].tolist(), strict=True
    ):
        index = signature_index(numerator, denominator)
        if rows:
            start, running = rows[-1]
            length = int(BAR_LENGTHS[running])
            whole, part = divmod(max(tick - start, 0), length)
            step = _SIXTEENTH if part <= _MOST_SIXTEENTHS else 2 * _SIXTEENTH
            part = (part + step // 2) // step * step
            tick = start + whole * length
            if 0 < part < length:
                _put_signature(rows, tick, _signature_of_length(part))
            tick += part
        _put_signature(rows, tick, index)
    return np.array([(tick, *TIME_SIGNATURES[index]) for tick, index in rows], TIME_SIGNATURE)


def _put_signature(rows: list[tuple[int, int]], tick: int, index: int) -> None:
    """Append a signature in place of those it leaves no bar; nothing if it changes nothing."""
    while rows and rows[-1][0] >= tick:
        rows.pop()
    if not rows or rows[-1][1] != index:
        rows.append((tick, index))


def _signature_of_length(positions: int) -> int:
    """Return the plainest signature of a length that one has."""
    whole = 4 * RESOLUTION
    signatures = ((positions * d // whole, d) for d in (4, 8, 16) if not positions * d % whole)
    return next(_SIGNATURE_INDEX[pair] for pair in signatures if pair in _SIGNATURE_INDEX)


def on_grid(notes: Events, tpq: int, bins: int, is_drum: Bools) -> Events:
    """Return notes on the grid, row for row.

    Parameters
    ----------
    notes
        Dtype ``NOTE``, in ticks.
    tpq
        Ticks a quarter.
    bins
        Number of velocity bins.
    is_drum
        Shape (rows,). Drum hits get the length of one position: what a drum's note-off means is up
        to the kit.
    """
    grid = np.empty(len(notes), NOTE)
    onset = to_positions(notes["onset"], tpq)
    offset = to_positions(notes["onset"] + notes["duration"], tpq)
    grid["onset"] = onset
    grid["duration"] = np.where(is_drum, 1, DURATIONS[nearest(offset - onset, DURATIONS)])
    grid["pitch"] = notes["pitch"]
    grid["velocity"] = bin_velocities(bins)[velocity_bins(notes["velocity"], bins)]
    return grid


def longest(grid: Events, key: Ints) -> Ints:
    """Return the rows in order of ``key``, of several with one key the longest, then loudest."""
    order = np.argsort(key, kind="stable")
    kept = changes(key[order])
    if not kept.all():
        order = np.lexsort([-grid["velocity"], -grid["duration"], key])
    return np.asarray(order[kept])


def all_notes(score: Score, rows: Sequence[int]) -> tuple[Events, Ints]:
    """Return the notes of all tracks, dtype ``NOTE``, and the row that stands for each's track."""
    notes = np.concatenate([np.empty(0, NOTE), *(track.notes for track in score.tracks)])
    return notes, np.repeat(np.array(rows, np.int64), [len(t.notes) for t in score.tracks])


def bars_until(meter: Meter, end: int) -> int:
    """Return how many bars of a quantised piece it takes to reach ``end``, at least one.

    Raises
    ------
    TokenError
        There are more than ``MAX_PIECE_BARS``.
    """
    bars = max(1, meter.bars_until(end))
    if bars > MAX_PIECE_BARS:
        raise TokenError(
            f"the score has {bars} bars, over the limit of {MAX_PIECE_BARS}; cut it, or look for a "
            "note far behind the others or a tpq that is too low"
        )
    return bars


def quantize_tempos(score: Score, *, on_bars: bool, signatures: Events) -> Events:
    """Return tempos in positions and bins; changes only, the last of several at one place.

    With ``on_bars`` every change moves to the nearest bar line.
    """
    meter = score.meter
    ticks, mspq = meter.tempo_changes
    positions = to_positions(ticks, score.tpq)
    if on_bars:
        grid = Meter(RESOLUTION, signatures, np.empty(0, TEMPO))
        bar, inside = grid.bar_and_position(positions)
        positions = grid.bar_start(bar + (2 * inside >= grid.bar_length(bar)))
    last = np.append(np.diff(positions) > 0, True)
    positions, index = positions[last], tempo_bins(mspq)[last]
    changed = changes(index)
    tempos = np.empty(int(changed.sum()), TEMPO)
    tempos["tick"], tempos["mspq"] = positions[changed], TEMPOS[index[changed]]
    tempos["tick"][:1] = 0
    return tempos


def quantize_chords(score: Score, key: Key | None) -> tuple[Text, ...]:
    """Return chord symbols in positions and canonical spelling; changes only.

    Warns
    -----
    ComposerWarning
        A symbol cannot be read and was left out.
    """
    import warnings

    from composer.errors import SymbolError

    at: dict[int, str] = {}
    unreadable = []
    ticks = to_positions(np.array([tick for tick, _ in score.chords], np.int64), score.tpq)
    for position, (_, text) in zip(ticks.tolist(), score.chords, strict=True):
        try:
            chord = parse_chord(text)
        except SymbolError:
            unreadable.append(text)
            continue
        at[position] = chord.symbol(key) if chord else "N.C."
    if unreadable:
        warnings.warn(
            f"chord symbols that cannot be read were left out: {', '.join(unreadable[:5])}",
            ComposerWarning,
            stacklevel=2,
        )
    changes: list[Text] = []
    for position in sorted(at):
        if not changes or changes[-1].text != at[position]:
            changes.append(Text(position, at[position]))
    return tuple(changes)
