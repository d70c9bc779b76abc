"""One pass of a Llama over some rows, compiled.

Conventions
-----------
A *row* is one new position of one sequence, ``T`` of them a pass; a *run* is the rows of one
sequence. ``D`` is the hidden size, ``H`` the query heads, ``K`` the key-value heads, ``G = H / K``,
``N`` the size of a head, ``I`` the inner size, ``V`` that of the vocabulary, ``C`` the positions
that a cache has room for.

Matrices lie in *panels* of ``WIDTH`` outputs, a panel as (input, output). The inner loop runs over
outputs, so that each of them is summed up in the order of the inputs, whatever the width of the
processor's registers and however many rows are multiplied at once. A row's logits are therefore bit
for bit the same alone, in a block and beside other sequences, whatever they share. For that no
arithmetic is fast but the fused multiply-add.

Inputs are padded with zeros to ``DEPTH``, so that no loop has a remainder. The values of a cache
lie in panels of ``NARROW``, since heads are narrow.

References
----------
.. [1] Touvron et al. 2023, LLaMA: Open and Efficient Foundation Language Models.
.. [2] Su et al. 2021, RoFormer (rotary positions).
.. [3] Ainslie et al. 2023, GQA (grouped-query attention).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from composer._jit import compiled, inner

Floats = npt.NDArray[np.float32]
Weights = npt.NDArray[Any]  # int8 or float32
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

_inner, _compiled = partial(inner, fused=True), partial(compiled, fused=True)

DEPTH, WIDTH, NARROW = 16, 64, 32
SPAN = WIDTH  # positions whose keys lie together
MOST_ROWS = 128  # of a pass; bounds the memory that it takes
TOGETHER = 16  # of a run, and of runs whose scores are computed at once

# Columns between the rows that are computed together: where their addresses differ by a multiple of
# 4,096 bytes, processors take a load from one for a load of what was just stored to the other.
APART = 16

# Columns of a run.
BASE_KEYS, BASE_VALUES, SHARED, KEYS, VALUES, START, COUNT = range(7)

Multiplier = Callable[[Floats, Weights, int, int, Floats, int], None]
Shapes = tuple[tuple[int, int, int, int, int], tuple[int, int, int, int, int]]

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
    """The weights, int8 or float32, in panels; an output is its sum times its scale."""

    embedding: Weights  # (D, V), so here (V / WIDTH, D, WIDTH), and the others alike
    embedding_scale: Floats  # (V,)
    gains: Floats  # (2 layers + 1, D): before attention, before the inner layer, ..., at the end
    qkv: Weights  # (layers, D, (H + 2K) * N)
    qkv_scale: Floats
    out: Weights  # (layers, H * N, D)
    out_scale: Floats
    gate_up: Weights  # (layers, D, 2 * I): I, padded, twice
    gate_up_scale: Floats
    down: Weights  # (layers, I, D)
    down_scale: Floats
    head: Weights  # (D, V); the embedding itself where both are tied
    head_scale: Floats
    cosines: Floats  # (C, N / 2)
    sines: Floats


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing: Any, address: Any) -> Any:
    """Return an address as a pointer to floats."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.float32)(types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def _stack(typing: Any) -> Any:
    """Return memory for four rows of ``WIDTH`` floats, which ends with the function."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        memory = cgutils.alloca_once(builder, ir.ArrayType(ir.FloatType(), 4 * WIDTH))
        return builder.bitcast(memory, context.get_value_type(signature.return_type))

    return types.CPointer(types.float32)(), generate


def _multiplier(lanes: int) -> Multiplier:
    """Return the product of rows and a matrix whose panels are so many outputs wide.

    The sums of a panel stay in registers while the inputs go by. A compiler dares to keep them
    there if they stand on the stack, and their number is known to it.
    """

    @_inner
    def one(x: Floats, w: Weights, begin: int, end: int, y: Floats) -> None:
        sums = carray(_stack(), (lanes,))
        for r in range(lanes):
            sums[r] = y[r] if begin else _ZERO
        for d in range(begin, end, 2):  # a shorter loop body would not be vectorised
            a, b, first, second = x[d], x[d + 1], w[d], w[d + 1]
            for r in range(lanes):
                sums[r] = sums[r] + a * np.float32(first[r]) + b * np.float32(second[r])
        for r in range(lanes):
            y[r] = sums[r]

    @_inner
    def two(x: Floats, w: Weights, begin: int, end: int, i: Floats, j: Floats) -> None:
        sums = carray(_stack(), (2, lanes))
        a, b = x[0], x[1]
        for r in range(lanes):
            sums[0, r] = i[r] if begin else _ZERO
            sums[1, r] = j[r] if begin else _ZERO
        for d in range(begin, end):
            a0, b0, row = a[d], b[d], w[d]
            for r in range(lanes):
                weight = np.float32(row[r])
                sums[0, r] = sums[0, r] + a0 * weight
                sums[1, r] = sums[1, r] + b0 * weight
        for r in range(lanes):
            i[r] = sums[0, r]
            j[r] = sums[1, r]

    @_inner
    def four(x: Floats, w: Weights, begin: int, end: int, y: Floats, at: int) -> None:
        sums = carray(_stack(), (4, lanes))
        a, b, c, e = x[0], x[1], x[2], x[3]
        i, j = y[0, at : at + lanes], y[1, at : at + lanes]
        k, m = y[2, at : at + lanes], y[3, at : at + lanes]
        for r in range(lanes):
            sums[0, r] = i[r] if begin else _ZERO
            sums[1, r] = j[r] if begin else _ZERO
            sums[2, r] = k[r] if begin else _ZERO
            sums[3, r] = m[r] if begin else _ZERO
        for d in range(begin, end):
            a0, b0, c0, e0, row = a[d], b[d], c[d], e[d], w[d]
            for r in range(lanes):
                weight = np.float32(row[r])
                sums[0, r] = sums[0, r] + a0 * weight
                sums[1, r] = sums[1, r] + b0 * weight
                sums[2, r] = sums[2, r] + c0 * weight
                sums[3, r] = sums[3, r] + e0 * weight
        for r in range(lanes):
            i[r] = sums[0, r]
            j[r] = sums[1, r]
            k[r] = sums[2, r]
            m[r] = sums[3, r]

    @_inner
    def multiply(x: Floats, w: Weights, begin: int, end: int, y: Floats, at: int) -> None:
        """Set ``y``, from column ``at`` on, to inputs of ``x`` times ``w`` (panels, inputs, lanes).

        Unless they are the first inputs, add to what stands there, as if it was one call for all.
        """
        rows = len(y)
        fours, twos = rows - rows % 4, rows - rows % 2
        for panel in range(len(w)):
            left = at + panel * lanes
            for t in range(0, fours, 4):
                four(x[t : t + 4], w[panel], begin, end, y[t : t + 4], left)
            if fours < twos:
                i, j = y[fours, left : left + lanes], y[fours + 1, left : left + lanes]
                two(x[fours:twos], w[panel], begin, end, i, j)
            if twos < rows:
                one(x[twos], w[panel], begin, end, y[twos, left : left + lanes])

    return multiply


_multiply, _multiply_narrow = _multiplier(WIDTH), _multiplier(NARROW)


@_inner
def _project(x: Floats, w: Weights, scale: Floats, y: Floats) -> None:
    """Set ``y`` (T, outputs) to what rows (T, inputs) become by a matrix in panels."""
    _multiply(x, w, 0, w.shape[1], y, 0)
    for t in range(len(y)):
        for r in range(len(scale)):
            y[t, r] *= scale[r]


@_inner
def _add(change: Floats, x: Floats) -> None:
    """Add rows to rows, of which ``change`` may be the wider."""
    for t in range(len(x)):
        for d in range(x.shape[1]):
            x[t, d] += change[t, d]


@_inner
def _sum(row: Floats, count: int) -> np.float32:
    """Return the sum of ``row[:count]``, a multiple of ``DEPTH``, as so many sums side by side."""
    lanes = np.zeros(DEPTH, np.float32)
    for i in range(0, count, DEPTH):
        for j in range(DEPTH):
            lanes[j] += row[i + j]
    total: np.float32 = _ZERO
    for j in range(DEPTH):
        total += lanes[j]
    return total


@_inner
def _largest(row: Floats, count: int) -> np.float32:
    """Return the largest of ``row[:count]``."""
    whole = count - count % DEPTH
    lanes = np.full(DEPTH, row[0], np.float32)
    for i in range(0, whole, DEPTH):
        for j in range(DEPTH):
            lanes[j] = lanes[j] if lanes[j] > row[i + j] else row[i + j]
    top: np.float32 = row[0]
    for j in range(DEPTH):
        top = max(top, lanes[j])
    for i in range(whole, count):
        top = max(top, row[i])
    return top


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
def _powers(row: Floats, count: int, bits: Ints) -> None:
    """Raise 2 to the first ``count`` of a row, not above 126, in place.

    A power is that of the nearest whole number, which is written into the exponent in the memory
    ``bits``, times a polynomial that is right to the last bit or two.
    """
    wholes = bits.view(np.float32)
    for i in range(count):
        x = max(row[i], _LOWEST)
        whole = (x + _ROUNDER) - _ROUNDER
        x -= whole
        bits[i] = (np.int32(whole) + 127) << 23
        row[i] = _2[0] + x * (
            _2[1] + x * (_2[2] + x * (_2[3] + x * (_2[4] + x * (_2[5] + x * (_2[6] + x * _2[7])))))
        )
    for i in range(count):
        row[i] *= wholes[i]


@_inner
def _gate(wide: Floats, hidden: Floats, bits: Ints) -> None:
    """Set ``hidden`` (T, I) to silu(gate) * up, of ``wide`` (T, 2 * I)."""
    size = hidden.shape[1]
    for t in range(len(hidden)):
        row, gate, up = hidden[t], wide[t, :size], wide[t, size:]
        for i in range(size):
            row[i] = min(-gate[i] * _LOG2_E, -_LOWEST)
        _powers(row, size, bits)
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
def _shares(row: Floats, count: int, padded: int, bits: Ints) -> np.float32:
    """Make the first ``count`` scores powers, and those up to ``padded`` 0; return their sum."""
    top = _largest(row, count)
    for i in range(count):
        row[i] = (row[i] - top) * _LOG2_E
    _powers(row, count, bits)
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
    bits: Ints,
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
    size, groups = sizes.head_dim, sizes.heads // sizes.kv_heads
    shared, blocks = runs[0, SHARED], runs[0, SHARED] // SPAN
    depth, width = shapes[0][3], shapes[1][2] * NARROW
    base_keys = carray(_pointer(runs[0, BASE_KEYS]), shapes[0])[layer]
    base_values = carray(_pointer(runs[0, BASE_VALUES]), shapes[1])[layer]
    scores = scores[: len(qkv) * groups]
    queries = np.zeros((len(scores), depth), np.float32)
    found = np.empty((len(scores), width + APART), np.float32)
    sums = np.empty(len(scores), np.float32)
    for head in range(sizes.kv_heads):
        column = head * groups * size
        for row in range(len(scores)):
            t, at = row // groups, column + row % groups * size
            for i in range(size):
                queries[row, i] = qkv[t, at + i]
        if shared:
            _multiply(queries, base_keys[head, :blocks], 0, depth, scores, 0)
        begin = 0
        for run in range(len(runs)):
            stop, end = runs[run, START] + runs[run, COUNT], begin + runs[run, COUNT] * groups
            keys = carray(_pointer(runs[run, KEYS]), shapes[0])[layer]
            own = keys[head, blocks : (stop + SPAN - 1) // SPAN]
            _multiply(queries[begin:end], own, 0, depth, scores[begin:end], shared)
            padded = (stop + DEPTH - 1) // DEPTH * DEPTH
            for row in range(begin, end):
                count = runs[run, START] + (row - begin) // groups + 1
                sums[row] = _shares(scores[row], count, padded, bits)
            begin = end
        if shared:
            _multiply_narrow(scores, base_values[head], 0, shared, found, 0)
        begin = 0
        for run in range(len(runs)):
            stop, end = runs[run, START] + runs[run, COUNT], begin + runs[run, COUNT] * groups
            values = carray(_pointer(runs[run, VALUES]), shapes[1])[layer]
            padded = (stop + DEPTH - 1) // DEPTH * DEPTH
            _multiply_narrow(scores[begin:end], values[head], shared, padded, found[begin:end], 0)
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
                values[head, i // NARROW, position, i % NARROW] = qkv[t, value + i]
    # Shares are padded with zeros, and 0 times what stands there has to be 0.
    stop = start + len(qkv)
    for position in range(stop, (stop + DEPTH - 1) // DEPTH * DEPTH):
        for head in range(sizes.kv_heads):
            for i in range(size):
                values[head, i // NARROW, position, i % NARROW] = _ZERO


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
        (layers, K, C / SPAN, N, SPAN) and values (layers, K, N / NARROW, C, NARROW), N and C
        padded.
    wanted
        Which rows' logits to compute.
    logits
        Shape (wanted, V), V padded: gets them.
    """
    layers, depth = len(weights.qkv), weights.gains.shape[1]
    blocks = (len(weights.cosines) + SPAN - 1) // SPAN
    room = blocks * SPAN
    key_size = (sizes.head_dim + DEPTH - 1) // DEPTH * DEPTH
    shapes = (
        (layers, sizes.kv_heads, blocks, key_size, SPAN),
        (layers, sizes.kv_heads, (sizes.head_dim + NARROW - 1) // NARROW, room, NARROW),
    )
    count = len(ids)
    x = np.zeros((count, depth), np.float32)
    normal = np.empty((count, depth), np.float32)
    qkv = np.empty((count, weights.qkv_scale.shape[1] + APART), np.float32)
    mixed = np.zeros((count, weights.out.shape[2]), np.float32)
    wide = np.empty((count, weights.gate_up_scale.shape[1] + APART), np.float32)
    hidden = np.empty((count, weights.gate_up_scale.shape[1] // 2), np.float32)
    change = np.empty((count, weights.down_scale.shape[1] + APART), np.float32)
    groups = sizes.heads // sizes.kv_heads
    scores = np.empty((min(count, TOGETHER) * groups, room + APART), np.float32)
    bits = np.empty(max(room, hidden.shape[1]), np.int32)

    for t in range(count):
        for d in range(depth):
            whole = weights.embedding[ids[t] // WIDTH, d, ids[t] % WIDTH]
            x[t, d] = np.float32(whole) * weights.embedding_scale[ids[t]]
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
        _add(change, x)
        _normalise(x, weights.gains[2 * layer + 1], sizes.hidden, sizes.epsilon, normal)
        _project(normal, weights.gate_up[layer], weights.gate_up_scale[layer], wide)
        _gate(wide, hidden, bits)
        _project(hidden, weights.down[layer], weights.down_scale[layer], change)
        _add(change, x)
    last = np.empty((len(wanted), depth), np.float32)
    for i in range(len(wanted)):
        for d in range(depth):
            last[i, d] = x[wanted[i], d]
    final = np.empty_like(last)
    _normalise(last, weights.gains[2 * layers], sizes.hidden, sizes.epsilon, final)
    _project(final, weights.head, weights.head_scale, logits)
