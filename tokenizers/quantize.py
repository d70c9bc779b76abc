"""Put a score on the grid: the one lossy step, shared by every format.

Onsets move to the nearest tick of the format's grid (``Bins``) and time signatures to bars that
the tables of ``bins`` can say. Rules: a signature that arrives inside a bar cuts that bar to the
nearest sixteenth, or eighth where more than eight quarters are left of it; one that has no token
becomes the one of the nearest length; a bar of more than twelve quarters is halved until it fits.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from composer.errors import ComposerWarning, SymbolError, TokenError
from composer.harmony.inference import infer_key
from composer.score.events import MAX_TICK, NOTE, TEMPO, TIME_SIGNATURE, Events, Text, joined
from composer.score.grid import RESOLUTION, chord_values
from composer.score.score import Score, Track
from composer.theory.chords import NO_CHORD, Chord, parse_chord
from composer.theory.keys import Key
from composer.tokenizers.bins import (
    BAR_LENGTHS,
    DRUM_LENGTH,
    MAX_POSITIONS,
    TIME_SIGNATURES,
    Bins,
    edges,
)
from composer.tokenizers.columns import Bools, Ints, changes

#: A chord at a tick; the other columns are those of ``composer.score.grid.CELL_CHORD``.
CHORD = np.dtype([("tick", "i8"), ("root", "i4"), ("quality", "i4"), ("bass", "i4")])

#: Most bars of a piece. A broken tick or ``tpq`` makes millions, which no memory holds.
MAX_PIECE_BARS = 100_000

_LONG_REST = 8  # quarters of a cut bar; longer ones have a signature in eighths only
_SIGNATURE_INDEX = {signature: index for index, signature in enumerate(TIME_SIGNATURES)}


def home_key(score: Score) -> Key:
    """Return the key of the first key signature, or the one the notes suggest.

    It has its usual spelling: ids say which tonic, not whether it is called F# or Gb.
    """
    if len(score.key_signatures):
        _, sharps, minor = score.key_signatures[0].tolist()
        key = Key.from_signature(sharps, bool(minor))
        return Key(key.tonic, key.mode)
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
    # Late, as loading the compiler takes longer than all else that a tokenizer imports.
    from composer.tokenizers.grid_notes import put_on_grid

    grid = joined([notes], NOTE)
    put_on_grid(
        grid["onset"],
        grid["duration"],
        grid["velocity"],
        is_drum,
        tpq,
        bins.tpq,
        bins.lengths,
        DRUM_LENGTH * bins.steps,
        bins.velocity_table,
    )
    return grid


def longest(grid: Events, key: Ints) -> Ints:
    """Return the rows in order of ``key``, of several with one key the longest, then loudest."""
    from composer.tokenizers.grid_notes import longest_of_each

    rows = np.empty(len(grid), np.int64)
    order = np.argsort(key, kind="stable")
    return rows[: longest_of_each(order, key, grid["duration"], grid["velocity"], rows)]


def all_events(
    tracks: Sequence[Track], rows: Sequence[int], name: str = "notes", dtype: np.dtype[Any] = NOTE
) -> tuple[Events, Ints]:
    """Return one table of all tracks, track by track, and the row that stands for each's."""
    tables = [getattr(track, name) for track in tracks]
    row = np.repeat(np.array(rows, np.int64), [len(table) for table in tables])
    return joined(tables, dtype), row


def bar_starts(signatures: Events, bins: Bins, end: int = 0, *, bars: int | None = None) -> Ints:
    """Return where each bar of a quantised piece begins, and the end of the last.

    Parameters
    ----------
    signatures
        What ``quantize_signatures`` returned.
    bins
        The grid.
    end
        Tick that the bars are to reach; there is one at least.
    bars
        How many there are to be, in place of ``end``.

    Raises
    ------
    TokenError
        There are more than ``MAX_PIECE_BARS``, or more ticks than a score can hold.
    """
    lengths, counts, left = [], [], bars
    for (tick, numerator, denominator), until in zip(
        signatures.tolist(), [*signatures["tick"][1:].tolist(), None], strict=True
    ):
        length = 4 * bins.tpq * numerator // denominator
        count = max(1, -((tick - end) // length)) if left is None else left
        whole = count if until is None else min(count, (until - tick) // length)
        lengths.append(length)
        counts.append(whole)
        if whole == count:
            break
        left = None if left is None else left - whole
    total = sum(counts)
    if total > MAX_PIECE_BARS:
        raise TokenError(
            f"the score has {total} bars, over the limit of {MAX_PIECE_BARS}; cut it, or look for "
            "a note far behind the others or a tpq that is too low"
        )
    starts = np.zeros(total + 1, np.int64)
    np.cumsum(np.repeat(lengths, counts), out=starts[1:])
    if starts[-1] > MAX_TICK:
        raise TokenError(
            f"at {bins.tpq} ticks a quarter the score ends behind tick {MAX_TICK}; cut it, or "
            "lower resolution or microtiming"
        )
    return starts


def quantize_tempos(score: Score, bins: Bins, *, on_bars: Ints | None = None) -> Events:
    """Return tempos of a quantised score; changes only, the last of several at one place.

    Every change moves to the nearest position, or, where ``on_bars`` says when bars begin, to the
    nearest of these.
    """
    tempos = score.meter.tempos
    ticks = bins.to_positions(tempos["tick"], score.tpq) * bins.steps
    if on_bars is not None:
        ticks = on_bars[np.searchsorted(edges(on_bars), ticks, side="right")]
    index = bins.tempo_bin(tempos["mspq"])
    if len(ticks) > 1:
        last = np.append(ticks[1:] > ticks[:-1], True)
        ticks, index = ticks[last], index[last]
        changed = changes(index)
        ticks, index = ticks[changed], index[changed]
    moved = np.empty(len(ticks), TEMPO)
    moved["tick"], moved["mspq"] = ticks, bins.tempos[index]
    moved["tick"][:1] = 0
    return moved


def quantize_chords(score: Score, bins: Bins) -> Events:
    """Return chords of a quantised score, dtype ``CHORD``; changes only, the last at one position.

    Warns
    -----
    ComposerWarning
        A symbol cannot be read and was left out.
    """
    rows, unreadable = [], []
    for tick, text in score.chords:
        try:
            chord = parse_chord(text)
        except SymbolError:
            unreadable.append(text)
        else:
            rows.append((tick, *chord_values(chord)))
    if unreadable:
        warnings.warn(
            f"chord symbols that cannot be read were left out: {', '.join(unreadable[:5])}",
            ComposerWarning,
            stacklevel=2,
        )
    if not rows:
        return np.empty(0, CHORD)
    chords = np.array(rows, CHORD)
    chords["tick"] = bins.to_positions(chords["tick"], score.tpq) * bins.steps
    return changed_chords(chords[np.append(chords["tick"][1:] > chords["tick"][:-1], True)])


def changed_chords(chords: Events) -> Events:
    """Return chords without those that say the one before again."""
    changed = changes(chords["root"]) | changes(chords["quality"]) | changes(chords["bass"])
    return np.asarray(chords[changed])


def chord_texts(chords: Events, key: Key | None) -> tuple[Text, ...]:
    """Return chords, dtype ``CHORD``, as symbols spelled for a key."""
    sharps = None if key is None else key.sharps
    return tuple(
        Text(tick, _symbol(root, quality, bass, key, sharps))
        for tick, root, quality, bass in chords.tolist()
    )


@lru_cache(maxsize=4096)
def _symbol(root: int, quality: int, bass: int, key: Key | None, _: int | None) -> str:
    # Equal keys may be spelled differently, so their sharps belong to what is remembered.
    if root < 0:
        return NO_CHORD
    return Chord(root, quality, bass if bass >= 0 else None).symbol(key)
