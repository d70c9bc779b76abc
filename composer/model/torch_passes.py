"""What several sequences are to hear, cut into passes over the weights and run.

A pass holds one row for each sequence, padded to the longest. Its rows are the slots from the
lowest to the highest, which are read where they lie; where most of those would be padding, the
slots that are asked for are copied together first.

A CUDA graph launches all kernels of a pass at once, which is most of the time of a small model's
pass. Its tensors must have the same sizes every time: sizes are rounded up to powers of two, so
that few graphs do, each recorded when it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from composer.model.decoder import Logits
from composer.model.torch_cache import SPAN, SharedCache
from composer.model.torch_llama import Rows, TorchLlama

MOST_ROWS = 4096  # ids of a pass, padding included
MOST_RECORDED = 8  # ids of a sequence in a pass that is recorded
LEAST_PADDED = 8  # ids to which sequences are padded, however few have as many
SPARSE = 2  # rows to a sequence above which copying its slot is cheaper than the padding

Whole = npt.NDArray[np.int64]


class Heard(NamedTuple):
    """What one sequence is to hear."""

    slot: int
    length: int  # positions that it holds
    ids: Whole  # (T,)


class _Sizes(NamedTuple):
    """What a pass looks like; a recorded one serves every pass that looks the same."""

    batch: int
    ids: int  # of each row, T
    wanted: int
    low: int | None  # the slot of the first row; None where slots are copied together
    span: int


class Passes:
    """Runs passes.

    Parameters
    ----------
    model, cache
        What to run, and what it writes into.
    graphs
        Whether to record passes of few ids.
    """

    def __init__(self, model: TorchLlama, cache: SharedCache, *, graphs: bool) -> None:
        self._model, self._cache, self._graphs = model, cache, graphs
        self._recorded: dict[_Sizes, tuple[torch.Tensor, Callable[[], torch.Tensor]]] = {}
        self._recorded_for = cache.slots
        self._pool = torch.cuda.graph_pool_handle() if graphs else None

    def run(self, sequences: Sequence[Heard], *, every: bool) -> Logits:
        """Write ids into the slots of sequences.

        Returns
        -------
        Logits
            float32 (rows, V), after each id or after the last one of each sequence.
        """
        counts = np.array([len(sequence.ids) for sequence in sequences])
        ends = np.cumsum(counts) if every else np.arange(1, len(sequences) + 1)
        logits = np.empty((ends[-1], self._model.shape.vocab_size), np.float32)
        done = np.zeros_like(counts)
        while (going := np.flatnonzero(done < counts)).size:
            left = counts[going] - done[going]
            # One long row does not pad all others to its length.
            few = max(LEAST_PADDED, 2 * int(np.ceil(left.mean())))
            count = min(int(left.max()), few, max(1, MOST_ROWS // len(going)))
            taken = np.minimum(left, count)
            part = [
                Heard(slot, length + start, ids[start : start + size])
                for (slot, length, ids), start, size in zip(
                    [sequences[i] for i in going.tolist()], done[going], taken, strict=True
                )
            ]
            done[going] += taken
            first = np.cumsum(taken) - taken
            if every:
                picked = np.arange(taken.sum())
                places = np.repeat((ends - counts + done)[going] - taken - first, taken) + picked
            else:
                picked = (first + taken - 1)[done[going] == counts[going]]
                places = going[done[going] == counts[going]]
            logits[places] = self._run_pass(part, taken, picked)
        return logits

    def _run_pass(self, part: Sequence[Heard], counts: Whole, picked: Whole) -> Logits:
        """Run one pass; returns the logits after those ids, of all the part's, that are picked."""
        slots = np.array([sequence.slot for sequence in part])
        lengths = np.array([sequence.length for sequence in part])
        count, span = int(counts.max()), int((lengths + counts).max())
        is_recorded = self._graphs and count <= MOST_RECORDED
        sizes = (self._round_sizes if is_recorded else self._sizes)(slots, count, span, len(picked))
        if sizes.low is None:
            rows = np.arange(len(slots))
            read = np.full(sizes.batch, self._cache.slots)
            read[: len(slots)] = slots
        else:
            rows, read = slots - sizes.low, slots[:0]
        row = np.repeat(rows, counts)
        column = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        whole = np.zeros((3, sizes.batch, sizes.ids), np.int64)  # ids, positions, homes
        whole[2] = self._cache.slots
        whole[0, row, column] = np.concatenate([sequence.ids for sequence in part])
        whole[1, row, column] = np.repeat(lengths, counts) + column
        whole[2, row, column] = np.repeat(slots, counts)
        wanted = np.zeros(sizes.wanted, np.int64)
        wanted[: len(picked)] = (row * sizes.ids + column)[picked]
        # All in one array, which is sent at once.
        inputs = torch.from_numpy(np.concatenate([whole.ravel(), wanted, read]))
        with torch.inference_mode():
            if is_recorded:
                logits = self._replay(sizes, inputs)
            else:
                logits = self._forward(self._cache.tensor, sizes, inputs.to(self._model.device))
            found: Logits = logits[: len(picked)].cpu().numpy()
        return found

    def _sizes(self, slots: Whole, count: int, span: int, wanted: int) -> _Sizes:
        """Return the sizes of a pass that is run once."""
        low, high = int(slots.min()), int(slots.max()) + 1
        span = -(-span // SPAN) * SPAN
        if high - low > SPARSE * len(slots):
            return _Sizes(len(slots), count, wanted, None, span)
        return _Sizes(high - low, count, wanted, low, span)

    def _round_sizes(self, slots: Whole, count: int, span: int, wanted: int) -> _Sizes:
        """Return the sizes of a pass that is recorded."""
        high = int(slots.max()) + 1
        is_sparse = high > SPARSE * len(slots)
        batch, count = _power(len(slots) if is_sparse else high), _power(count)
        wanted = batch if wanted <= batch else batch * count
        span = min(max(_power(span), 2 * SPAN), self._cache.context)
        return _Sizes(batch, count, wanted, None if is_sparse else 0, span)

    def _forward(self, cache: torch.Tensor, sizes: _Sizes, inputs: torch.Tensor) -> torch.Tensor:
        batch, count = sizes.batch, sizes.ids
        read = 0 if sizes.low is not None else batch
        parts = inputs.split([batch * count] * 3 + [sizes.wanted, read])
        ids, positions, homes = (part.view(batch, count) for part in parts[:3])
        rows = Rows(ids, positions, homes, parts[3])
        slots = parts[4] if sizes.low is None else slice(sizes.low, sizes.low + batch)
        return self._model.logits(cache, rows, slots, sizes.span)

    def _replay(self, sizes: _Sizes, inputs: torch.Tensor) -> torch.Tensor:
        if self._recorded_for != self._cache.slots:  # it has grown, and lies elsewhere
            self._recorded.clear()
            self._recorded_for = self._cache.slots
        if sizes not in self._recorded:
            static = inputs.to(self._model.device)
            run = partial(self._forward, self._cache.tensor, sizes, static)
            self._recorded[sizes] = static, record(run, self._model.device, self._pool)
        static, replay = self._recorded[sizes]
        static.copy_(inputs)
        return replay()


def record(
    run: Callable[[], torch.Tensor], device: torch.device, pool: object
) -> Callable[[], torch.Tensor]:
    """Record what runs on a CUDA device.

    Parameters
    ----------
    run
        What to record; it is run twice, and its result must not depend on how often.
    device
        Where it runs.
    pool
        Memory that is shared with other recordings: each replay may overwrite what others returned.

    Returns
    -------
    callable
        What runs it again, and returns the same tensor every time.
    """
    with torch.cuda.device(device):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            run()  # what libraries set up at first use cannot be recorded
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # Other threads may go on using the device meanwhile.
        with torch.cuda.graph(graph, pool, stream, capture_error_mode="thread_local"):
            result = run()

    def replay() -> torch.Tensor:
        graph.replay()
        return result

    return replay


def _power(count: int) -> int:
    """Return the least power of two that is not below a number."""
    return 1 << (count - 1).bit_length()
