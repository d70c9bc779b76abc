"""Put a score on the grid: the one lossy step, shared by every format.

Onsets move to the nearest tick of the format's grid (``Bins``) and time signatures to bars that
the tables of ``bins`` can say. Rules: a signature that arrives inside a bar cuts that bar to the
nearest sixteenth, or eighth where more than eight quarters are left of it; one that has no token
becomes the one of the nearest length; a bar of more than twelve quarters is halved until it fits.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np

from composer.errors import ComposerWarning, SymbolError, TokenError
from composer.grid import RESOLUTION
from composer.harmony import infer_key
from composer.meter import Meter
from composer.score import MAX_TICK, NOTE, TEMPO, TIME_SIGNATURE, Events, Score, Text
from composer.theory import Key, chord_symbol, parse_chord
from composer.tokenizers.bins import (
    BAR_LENGTHS,
    DRUM_LENGTH,
    MAX_POSITIONS,
    TIME_SIGNATURES,
    Bins,
    nearest,
)
from composer.tokenizers.events import Bools, Ints, changes

#: Most bars of a piece. A broken tick or ``tpq`` makes millions, which no memory holds.
MAX_PIECE_BARS = 100_000

_LONG_REST = 8  # quarters of a cut bar; longer ones have a signature in eighths only
_SIGNATURE_INDEX = {signature: index for index, signature in enumerate(TIME_SIGNATURES)}


def home_key(score: Score) -> Key:
    """Return the key of the first key signature, or the one the notes suggest."""
    if len(score.key_signatures):
        _, sharps, minor = score.key_signatures[0].tolist()
        return Key.from_signature(sharps, bool(minor))
    return infer_key(score)


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


def quantize_signatures(score: Score, bins: Bins) -> Events:
    """Return time signatures that all begin on bar lines; changes only, the first at tick 0.

    Their ticks are those of a quantised score, ``bins.tpq`` a quarter.
    """
    given = score.meter.time_signatures
    ticks = bins.to_positions(given["tick"], score.tpq)
    sixteenth, lengths = bins.resolution // 4, bins.bar_lengths
    rows: list[tuple[int, int]] = []  # (position, index into TIME_SIGNATURES)
    for tick, numerator, denominator in zip(
        ticks.tolist(), given["numerator"].tolist(), given["denominator"].tolist(), strict=True
    ):
        index = signature_index(numerator, denominator)
        if rows:
            start, running = rows[-1]
            length = int(lengths[running])
            whole, part = divmod(max(tick - start, 0), length)
            step = sixteenth if part <= _LONG_REST * bins.resolution else 2 * sixteenth
            part = (part + step // 2) // step * step
            tick = start + whole * length
            if 0 < part < length:
                _put_signature(rows, tick, _signature_of_length(part, bins))
            tick += part
        _put_signature(rows, tick, index)
    return np.array(
        [(tick * bins.steps, *TIME_SIGNATURES[index]) for tick, index in rows], TIME_SIGNATURE
    )


def _put_signature(rows: list[tuple[int, int]], tick: int, index: int) -> None:
    """Append a signature in place of those it leaves no bar; nothing if it changes nothing."""
    while rows and rows[-1][0] >= tick:
        rows.pop()
    if not rows or rows[-1][1] != index:
        rows.append((tick, index))


def _signature_of_length(positions: int, bins: Bins) -> int:
    """Return the plainest signature of a length that one has."""
    whole = bins.common_time
    signatures = ((positions * d // whole, d) for d in (4, 8, 16) if not positions * d % whole)
    return next(_SIGNATURE_INDEX[pair] for pair in signatures if pair in _SIGNATURE_INDEX)


def on_grid(notes: Events, tpq: int, bins: Bins, is_drum: Bools) -> Events:
    """Return notes on the grid, row for row.

    Parameters
    ----------
    notes
        Dtype ``NOTE``, in ticks.
    tpq
        Ticks a quarter.
    bins
        The grid.
    is_drum
        Shape (rows,). Drum hits get the length of one position: what a drum's note-off means is up
        to the kit.
    """
    grid = np.empty(len(notes), NOTE)
    onset = bins.to_ticks(notes["onset"], tpq)
    length = bins.to_ticks(notes["onset"] + notes["duration"], tpq) - onset
    positions = bins.durations[nearest(length / bins.steps, bins.durations)]
    grid["onset"] = onset
    grid["duration"] = np.where(is_drum, DRUM_LENGTH, positions) * bins.steps
    grid["pitch"] = notes["pitch"]
    grid["velocity"] = bins.velocity(notes["velocity"])
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
        There are more than ``MAX_PIECE_BARS``, or more ticks than a score can hold.
    """
    bars = max(1, meter.bars_until(end))
    if bars > MAX_PIECE_BARS:
        raise TokenError(
            f"the score has {bars} bars, over the limit of {MAX_PIECE_BARS}; cut it, or look for a "
            "note far behind the others or a tpq that is too low"
        )
    if meter.bar_start(bars) > MAX_TICK:
        raise TokenError(
            f"at {meter.tpq} ticks a quarter the score ends behind tick {MAX_TICK}; cut it, or "
            "lower resolution or microtiming"
        )
    return bars


def bar_starts(meter: Meter, end: int) -> Ints:
    """Return where each bar of a quantised piece begins up to ``end``, and the end of the last.

    Raises
    ------
    TokenError
        As ``bars_until``.
    """
    return meter.bar_start(np.arange(bars_until(meter, end) + 1))


def quantize_tempos(score: Score, bins: Bins, *, on_bars: Events | None = None) -> Events:
    """Return tempos of a quantised score; changes only, the last of several at one place.

    Every change moves to the nearest position, or, of the time signatures ``on_bars``, to the
    nearest bar line.
    """
    ticks, mspq = score.meter.tempo_changes
    positions = bins.to_positions(ticks, score.tpq) * bins.steps
    if on_bars is not None:
        grid = Meter(bins.tpq, on_bars, np.empty(0, TEMPO))
        bar, inside = grid.bar_and_position(positions)
        positions = grid.bar_start(bar + (2 * inside >= grid.bar_length(bar)))
    last = np.append(positions[1:] > positions[:-1], True)
    positions, index = positions[last], bins.tempo_bin(mspq)[last]
    changed = changes(index)
    tempos = np.empty(int(changed.sum()), TEMPO)
    tempos["tick"], tempos["mspq"] = positions[changed], bins.tempos[index[changed]]
    tempos["tick"][:1] = 0
    return tempos


def quantize_chords(score: Score, bins: Bins, key: Key | None) -> tuple[Text, ...]:
    """Return chord symbols of a quantised score in canonical spelling; changes only.

    Warns
    -----
    ComposerWarning
        A symbol cannot be read and was left out.
    """
    if not score.chords:
        return ()
    at: dict[int, str] = {}
    unreadable = []
    ticks = bins.to_positions([tick for tick, _ in score.chords], score.tpq) * bins.steps
    for position, (_, text) in zip(ticks.tolist(), score.chords, strict=True):
        try:
            chord = parse_chord(text)
        except SymbolError:
            unreadable.append(text)
            continue
        at[position] = chord_symbol(chord, key)
    if unreadable:
        warnings.warn(
            f"chord symbols that cannot be read were left out: {', '.join(unreadable[:5])}",
            ComposerWarning,
            stacklevel=2,
        )
    return only_changes(Text(position, at[position]) for position in sorted(at))


def only_changes(chords: Iterable[Text]) -> tuple[Text, ...]:
    """Return chords without those that say the one before again."""
    kept: list[Text] = []
    for chord in chords:
        if not kept or kept[-1].text != chord.text:
            kept.append(chord)
    return tuple(kept)
