"""One pass of a Llama over some rows, compiled.

Conventions
-----------
A *row* is one new position of one sequence, ``T`` of them a pass; a *run* is the rows of one
sequence. ``D`` is the hidden size, ``H`` the query heads, ``K`` the key-value heads, ``G = H / K``,
``N`` the size of a head, ``I`` the inner size, ``V`` that of the vocabulary, ``C`` the positions
that a cache has room for.

Matrices lie as (input, output): the inner loop runs over outputs, so that each of them is summed up
in the order of the inputs, whatever the width of the processor's registers and however many rows
are multiplied at once. A row's logits are therefore bit for bit the same alone, in a block and
beside other sequences, whatever they share. For that no arithmetic is fast but the fused
multiply-add.

Inputs are padded with zeros to ``DEPTH`` and outputs to ``WIDTH``, so that no loop has a remainder.

References
----------
.. [1] Touvron et al. 2023, LLaMA: Open and Efficient Foundation Language Models.
.. [2] Su et al. 2021, RoFormer (rotary positions).
.. [3] Ainslie et al. 2023, GQA (grouped-query attention).
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import carray, types
from numba.extending import intrinsic

from composer.compiled import compiled, inner

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.int8]
Longs = npt.NDArray[np.int64]

_inner, _compiled = partial(inner, fused=True), partial(compiled, fused=True)

DEPTH, WIDTH = 8, 64
SPAN = 128  # positions whose keys lie together
MOST_ROWS = 128  # of a pass; bounds the memory that it takes
TOGETHER = 16  # of a run, and of runs whose scores are computed at once

# Columns between the rows that are computed together: where their addresses differ by a multiple of
# 4,096 bytes, processors take a load from one for a load of what was just stored to the other.
APART = 16

# Columns of a run.
BASE_KEYS, BASE_VALUES, SHARED, KEYS, VALUES, START, COUNT = range(7)

Shapes = tuple[tuple[int, int, int, int, int], tuple[int, int, int, int]]

_ZERO, _ONE = np.float32(0), np.float32(1)
_LOG2_E = np.float32(1.4426950408889634)
_LOWEST = np.float32(-126)  # 2 to this power is the least normal number
_ROUNDER = np.float32(1.5 * 2**23)  # added and taken away again, it leaves a whole number
_2 = tuple(np.float32(np.log(2.0) ** k / np.prod(np.arange(1.0, k + 1))) for k in range(8))


class Sizes(NamedTuple):
    """What the arrays do not tell."""

    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    epsilon: np.float32


class Packed(NamedTuple):
    """The weights, int8 or float32; an output is its sum times its scale."""

    embedding: Floats | Bytes  # (D, V)
    embedding_scale: Floats  # (V,)
    gains: Floats  # (2 layers + 1, D): before attention, before the inner layer, ..., at the end
    qkv: Floats | Bytes  # (layers, D, (H + 2K) * N)
    qkv_scale: Floats
    out: Floats | Bytes  # (layers, H * N, D)
    out_scale: Floats
    gate_up: Floats | Bytes  # (layers, D, 2 * I): I, padded, twice
    gate_up_scale: Floats
    down: Floats | Bytes  # (layers, I, D)
    down_scale: Floats
    head: Floats | Bytes  # (D, V); the embedding itself where both are tied
    head_scale: Floats
    cosines: Floats  # (C, N / 2)
    sines: Floats


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing: Any, address: Any) -> Any:
    """Return an address as a pointer to floats."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.float32)(types.intp), generate


@_inner
def _multiply_one(x: Floats, x_at: int, w: Floats, y: Floats, y_at: int, fresh: bool) -> None:
    """Multiply the first row of ``x``, as ``_multiply`` does all of them."""
    end = y_at + w.shape[1]
    a = x[0, x_at:]
    i = y[0, y_at:end]
    if fresh:
        for r in range(w.shape[1]):
            i[r] = _ZERO
    for d in range(0, len(w), 8):
        a0, a1, a2, a3 = a[d], a[d + 1], a[d + 2], a[d + 3]
        a4, a5, a6, a7 = a[d + 4], a[d + 5], a[d + 6], a[d + 7]
        for r in range(w.shape[1]):
            w0, w1 = np.float32(w[d, r]), np.float32(w[d + 1, r])
            w2, w3 = np.float32(w[d + 2, r]), np.float32(w[d + 3, r])
            w4, w5 = np.float32(w[d + 4, r]), np.float32(w[d + 5, r])
            w6, w7 = np.float32(w[d + 6, r]), np.float32(w[d + 7, r])
            half = i[r] + a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
            i[r] = half + a4 * w4 + a5 * w5 + a6 * w6 + a7 * w7


@_inner
def _multiply_two(x: Floats, x_at: int, w: Floats, y: Floats, y_at: int, fresh: bool) -> None:
    """Multiply two rows, so that each weight is converted once for both."""
    end = y_at + w.shape[1]
    a, b = x[0, x_at:], x[1, x_at:]
    i, j = y[0, y_at:end], y[1, y_at:end]
    if fresh:
        for r in range(w.shape[1]):
            i[r] = _ZERO
            j[r] = _ZERO
    for d in range(0, len(w), 8):
        a0, a1, a2, a3 = a[d], a[d + 1], a[d + 2], a[d + 3]
        a4, a5, a6, a7 = a[d + 4], a[d + 5], a[d + 6], a[d + 7]
        b0, b1, b2, b3 = b[d], b[d + 1], b[d + 2], b[d + 3]
        b4, b5, b6, b7 = b[d + 4], b[d + 5], b[d + 6], b[d + 7]
        for r in range(w.shape[1]):
            w0, w1 = np.float32(w[d, r]), np.float32(w[d + 1, r])
            w2, w3 = np.float32(w[d + 2, r]), np.float32(w[d + 3, r])
            w4, w5 = np.float32(w[d + 4, r]), np.float32(w[d + 5, r])
            w6, w7 = np.float32(w[d + 6, r]), np.float32(w[d + 7, r])
            half = i[r] + a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
            i[r] = half + a4 * w4 + a5 * w5 + a6 * w6 + a7 * w7
            half = j[r] + b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
            j[r] = half + b4 * w4 + b5 * w5 + b6 * w6 + b7 * w7


@_inner
def _multiply_four(x: Floats, x_at: int, w: Floats, y: Floats, y_at: int, fresh: bool) -> None:
    """Multiply four rows."""
    end = y_at + w.shape[1]
    a, b, c, e = x[0, x_at:], x[1, x_at:], x[2, x_at:], x[3, x_at:]
    i, j = y[0, y_at:end], y[1, y_at:end]
    k, m = y[2, y_at:end], y[3, y_at:end]
    if fresh:
        for r in range(w.shape[1]):
            i[r] = _ZERO
            j[r] = _ZERO
            k[r] = _ZERO
            m[r] = _ZERO
    for d in range(0, len(w), 8):
        a0, a1, a2, a3 = a[d], a[d + 1], a[d + 2], a[d + 3]
        a4, a5, a6, a7 = a[d + 4], a[d + 5], a[d + 6], a[d + 7]
        b0, b1, b2, b3 = b[d], b[d + 1], b[d + 2], b[d + 3]
        b4, b5, b6, b7 = b[d + 4], b[d + 5], b[d + 6], b[d + 7]
        c0, c1, c2, c3 = c[d], c[d + 1], c[d + 2], c[d + 3]
        c4, c5, c6, c7 = c[d + 4], c[d + 5], c[d + 6], c[d + 7]
        e0, e1, e2, e3 = e[d], e[d + 1], e[d + 2], e[d + 3]
        e4, e5, e6, e7 = e[d + 4], e[d + 5], e[d + 6], e[d + 7]
        for r in range(w.shape[1]):
            w0, w1 = np.float32(w[d, r]), np.float32(w[d + 1, r])
            w2, w3 = np.float32(w[d + 2, r]), np.float32(w[d + 3, r])
            w4, w5 = np.float32(w[d + 4, r]), np.float32(w[d + 5, r])
            w6, w7 = np.float32(w[d + 6, r]), np.float32(w[d + 7, r])
            half = i[r] + a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
            i[r] = half + a4 * w4 + a5 * w5 + a6 * w6 + a7 * w7
            half = j[r] + b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
            j[r] = half + b4 * w4 + b5 * w5 + b6 * w6 + b7 * w7
            half = k[r] + c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
            k[r] = half + c4 * w4 + c5 * w5 + c6 * w6 + c7 * w7
            half = m[r] + e0 * w0 + e1 * w1 + e2 * w2 + e3 * w3
            m[r] = half + e4 * w4 + e5 * w5 + e6 * w6 + e7 * w7


@_inner
def _multiply(x: Floats, x_at: int, w: Floats, y: Floats, y_at: int, fresh: bool) -> None:
    """Set columns of ``y`` (T, ...), from ``y_at`` on, to columns of ``x`` times ``w``.

    Unless ``fresh``, add to what stands there, in the same order as if it had been one product.
    """
    rows = len(y)
    fours, twos = rows - rows % 4, rows - rows % 2
    for t in range(0, fours, 4):
        _multiply_four(x[t : t + 4], x_at, w, y[t : t + 4], y_at, fresh)
    if fours < twos:
        _multiply_two(x[fours:twos], x_at, w, y[fours:twos], y_at, fresh)
    if twos < rows:
        _multiply_one(x[twos:rows], x_at, w, y[twos:rows], y_at, fresh)


@_inner
def _project(x: Floats, w: Floats, scale: Floats, y: Floats) -> None:
    """Set ``y`` (T, outputs) to what rows (T, inputs) become by a matrix (inputs, outputs)."""
    _multiply(x, 0, w, y, 0, True)
    for t in range(len(y)):
        for r in range(len(scale)):
            y[t, r] *= scale[r]


@_inner
def _sum(row: Floats, count: int) -> np.float32:
    """Return the sum of ``row[:count]``, a multiple of 8, as eight sums side by side."""
    a = b = c = d = e = f = g = h = _ZERO
    for i in range(0, count, 8):
        a += row[i]
        b += row[i + 1]
        c += row[i + 2]
        d += row[i + 3]
        e += row[i + 4]
        f += row[i + 5]
        g += row[i + 6]
        h += row[i + 7]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@_inner
def _largest(row: Floats, count: int) -> np.float32:
    """Return the largest of ``row[:count]``; not one after the other, which takes longer."""
    a = b = c = d = row[0]
    for i in range(0, count - 3, 4):
        a = max(a, row[i])
        b = max(b, row[i + 1])
        c = max(c, row[i + 2])
        d = max(d, row[i + 3])
    for i in range(count - count % 4, count):
        a = max(a, row[i])
    return max(max(a, b), max(c, d))


@_inner
def _normalise(x: Floats, gain: Floats, size: int, epsilon: np.float32, y: Floats) -> None:
    """Set each row of ``y`` to the RMSNorm of a row of ``x``, of which ``size`` are no padding."""
    for t in range(len(y)):
        for d in range(y.shape[1]):
            y[t, d] = x[t, d] * x[t, d]
        mean = _sum(y[t], y.shape[1]) / np.float32(size)
        factor = _ONE / np.sqrt(mean + epsilon)
        for d in range(y.shape[1]):
            y[t, d] = x[t, d] * factor * gain[d]


@_inner
def _powers(row: Floats, count: int, bits: npt.NDArray[np.int32], halves: Floats) -> None:
    """Raise 2 to the first ``count`` of a row, not above 126, in place.

    ``bits`` and ``halves`` are one and the same memory. A power is that of the nearest whole
    number, written into the exponent, times a polynomial that is right to the last bit or two.
    """
    for i in range(count):
        x = max(row[i], _LOWEST)
        whole = (x + _ROUNDER) - _ROUNDER
        x -= whole
        bits[i] = (np.int32(whole) + 127) << 23
        row[i] = _2[0] + x * (
            _2[1] + x * (_2[2] + x * (_2[3] + x * (_2[4] + x * (_2[5] + x * (_2[6] + x * _2[7])))))
        )
    for i in range(count):
        row[i] *= halves[i]


@_inner
def _gate(wide: Floats, hidden: Floats, bits: npt.NDArray[np.int32], halves: Floats) -> None:
    """Set ``hidden`` (T, I) to silu(gate) * up, of ``wide`` (T, 2 * I)."""
    size = hidden.shape[1]
    for t in range(len(hidden)):
        row, gate, up = hidden[t], wide[t, :size], wide[t, size:]
        for i in range(size):
            row[i] = min(-gate[i] * _LOG2_E, -_LOWEST)
        _powers(row, size, bits, halves)
        for i in range(size):
            row[i] = gate[i] / (_ONE + row[i]) * up[i]


@_inner
def _turn(head: Floats, cosine: Floats, sine: Floats) -> None:
    """Turn each pair of a head, its two N / 2 apart, by its position's angle."""
    half = len(cosine)
    for i in range(half):
        a, b = head[i], head[half + i]
        head[i] = a * cosine[i] - b * sine[i]
        head[half + i] = b * cosine[i] + a * sine[i]


@_inner
def _shares(row: Floats, count: int, padded: int, bits: Any, halves: Floats) -> np.float32:
    """Make the first ``count`` scores powers, and those up to ``padded`` 0; return their sum."""
    top = _largest(row, count)
    for i in range(count):
        row[i] = (row[i] - top) * _LOG2_E
    _powers(row, count, bits, halves)
    for i in range(count, padded):
        row[i] = _ZERO
    return _sum(row, padded)


@_inner
def _attend(
    qkv: Floats,
    runs: Longs,
    layer: int,
    shapes: Shapes,
    sizes: Sizes,
    mixed: Floats,
    scores: Floats,
    bits: npt.NDArray[np.int32],
) -> None:
    """Let rows attend to all before them; keys and values are in the caches already.

    Parameters
    ----------
    qkv, mixed
        Shape (T, (H + 2K) * N) and (T, H * N): the rows, ``TOGETHER`` at most, and what they get.
    runs
        Their runs, all of which share the same positions.
    shapes
        Of the keys and of the values.
    scores, bits
        Memory: shape (T * G, C), and one row of that.
    """
    size, groups, halves = sizes.head_dim, sizes.heads // sizes.kv_heads, bits.view(np.float32)
    shared, blocks = runs[0, SHARED], runs[0, SHARED] // SPAN
    base_keys = carray(_pointer(runs[0, BASE_KEYS]), shapes[0])[layer]
    base_values = carray(_pointer(runs[0, BASE_VALUES]), shapes[1])[layer]
    scores = scores[: len(qkv) * groups]
    queries = np.zeros((len(scores), shapes[0][3]), np.float32)
    found = np.zeros((len(scores), size + APART), np.float32)
    sums = np.empty(len(scores), np.float32)
    for head in range(sizes.kv_heads):
        column = head * groups * size
        for row in range(len(scores)):
            t, at = row // groups, column + row % groups * size
            for i in range(size):
                queries[row, i] = qkv[t, at + i]
        for block in range(blocks):
            _multiply(queries, 0, base_keys[head, block], scores, block * SPAN, True)
        begin = 0
        for run in range(len(runs)):
            end = begin + runs[run, COUNT] * groups
            padded = (runs[run, START] + runs[run, COUNT] + DEPTH - 1) // DEPTH * DEPTH
            keys = carray(_pointer(runs[run, KEYS]), shapes[0])[layer]
            for block in range(blocks, (padded + SPAN - 1) // SPAN):
                _multiply(
                    queries[begin:end], 0, keys[head, block], scores[begin:end], block * SPAN, True
                )
            for row in range(begin, end):
                count = runs[run, START] + (row - begin) // groups + 1
                sums[row] = _shares(scores[row], count, padded, bits, halves)
            begin = end
        _multiply(scores, 0, base_values[head, :shared], found, 0, True)
        begin = 0
        for run in range(len(runs)):
            end = begin + runs[run, COUNT] * groups
            padded = (runs[run, START] + runs[run, COUNT] + DEPTH - 1) // DEPTH * DEPTH
            values = carray(_pointer(runs[run, VALUES]), shapes[1])[layer]
            _multiply(
                scores[begin:end], shared, values[head, shared:padded], found[begin:end], 0, False
            )
            begin = end
        for row in range(len(scores)):
            t, at = row // groups, column + row % groups * size
            for i in range(size):
                mixed[t, at + i] = found[row, i] / sums[row]


@_inner
def _remember(
    qkv: Floats, keys: Floats, values: Floats, start: int, sizes: Sizes, weights: Packed
) -> None:
    """Turn the queries and keys of a run, scale its queries, put keys and values in the cache."""
    size = sizes.head_dim
    scale = _ONE / np.sqrt(np.float32(size))
    for t in range(len(qkv)):
        position = start + t
        cosine, sine = weights.cosines[position], weights.sines[position]
        for head in range(sizes.heads + sizes.kv_heads):
            _turn(qkv[t, head * size : (head + 1) * size], cosine, sine)
        for i in range(sizes.heads * size):
            qkv[t, i] *= scale
        for head in range(sizes.kv_heads):
            key = (sizes.heads + head) * size
            value = key + sizes.kv_heads * size
            for i in range(size):
                keys[head, position // SPAN, i, position % SPAN] = qkv[t, key + i]
                values[head, position, i] = qkv[t, value + i]
    # Shares are read in groups of 8, and 0 times what stands there has to be 0.
    stop = start + len(qkv)
    for position in range(stop, (stop + DEPTH - 1) // DEPTH * DEPTH):
        for head in range(sizes.kv_heads):
            for i in range(size):
                values[head, position, i] = _ZERO


@_compiled
def forward(
    weights: Packed, sizes: Sizes, ids: Longs, runs: Longs, wanted: Longs, logits: Floats
) -> None:
    """Append rows to the caches of some sequences, and say what follows them.

    Parameters
    ----------
    weights, sizes
        The model.
    ids
        Shape (T,): run behind run.
    runs
        Shape (runs, 7): addresses of the keys and values that it shares with others, and how many
        positions, a multiple of ``SPAN``; addresses of its own, which hold the positions after
        these; the first row's position, and how many rows, ``TOGETHER`` at most. Keys are float32
        (layers, K, C / SPAN, N, SPAN) and values (layers, K, C, N), with N of the keys padded to
        ``DEPTH`` and C to ``SPAN``.
    wanted
        Which rows' logits to compute.
    logits
        Shape (wanted, V), V padded: gets them.
    """
    layers, hidden_size = len(weights.qkv), weights.down.shape[2]
    depth = weights.gains.shape[1]
    blocks = (len(weights.cosines) + SPAN - 1) // SPAN
    room = blocks * SPAN
    key_size = (sizes.head_dim + DEPTH - 1) // DEPTH * DEPTH
    shapes = (
        (layers, sizes.kv_heads, blocks, key_size, SPAN),
        (layers, sizes.kv_heads, room, sizes.head_dim),
    )
    count = len(ids)
    x = np.zeros((count, depth), np.float32)
    normal = np.empty((count, depth), np.float32)
    qkv = np.empty((count, weights.qkv.shape[2] + APART), np.float32)
    mixed = np.zeros((count, weights.out.shape[1]), np.float32)
    wide = np.empty((count, weights.gate_up.shape[2] + APART), np.float32)
    hidden = np.empty((count, weights.gate_up.shape[2] // 2), np.float32)
    change = np.empty((count, hidden_size + APART), np.float32)
    groups = sizes.heads // sizes.kv_heads
    scores = np.empty((min(count, TOGETHER) * groups, room + APART), np.float32)
    bits = np.empty(max(room, hidden.shape[1]), np.int32)
    halves = bits.view(np.float32)

    for t in range(count):
        for d in range(depth):
            x[t, d] = np.float32(weights.embedding[d, ids[t]]) * weights.embedding_scale[ids[t]]
    for layer in range(layers):
        _normalise(x, weights.gains[2 * layer], sizes.hidden, sizes.epsilon, normal)
        _project(normal, weights.qkv[layer], weights.qkv_scale[layer], qkv)
        row = 0
        for run in range(len(runs)):
            start, stop = runs[run, START], row + runs[run, COUNT]
            keys = carray(_pointer(runs[run, KEYS]), shapes[0])[layer]
            values = carray(_pointer(runs[run, VALUES]), shapes[1])[layer]
            _remember(qkv[row:stop], keys, values, start, sizes, weights)
            row = stop
        row = run = 0
        while run < len(runs):
            end, stop = run + 1, row + runs[run, COUNT]
            while (
                end < len(runs)
                and stop + runs[end, COUNT] <= row + TOGETHER
                and runs[end, BASE_KEYS] == runs[run, BASE_KEYS]
                and runs[end, SHARED] == runs[run, SHARED]
            ):
                stop += runs[end, COUNT]
                end += 1
            _attend(
                qkv[row:stop], runs[run:end], layer, shapes, sizes, mixed[row:stop], scores, bits
            )
            row, run = stop, end
        _project(mixed, weights.out[layer], weights.out_scale[layer], change)
        for t in range(count):
            for d in range(depth):
                x[t, d] += change[t, d]
        _normalise(x, weights.gains[2 * layer + 1], sizes.hidden, sizes.epsilon, normal)
        _project(normal, weights.gate_up[layer], weights.gate_up_scale[layer], wide)
        _gate(wide, hidden, bits, halves)
        _project(hidden, weights.down[layer], weights.down_scale[layer], change)
        for t in range(count):
            for d in range(depth):
                x[t, d] += change[t, d]
    last = np.empty((len(wanted), depth), np.float32)
    for i in range(len(wanted)):
        for d in range(depth):
            last[i, d] = x[wanted[i], d]
    final = np.empty_like(last)
    _normalise(last, weights.gains[2 * layers], sizes.hidden, sizes.epsilon, final)
    _project(final, weights.head, weights.head_scale, logits)
