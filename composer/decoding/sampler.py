"""The sampling loop: requests in, grids out.

Writers say which ids the model is to hear and are sent what it expects next. Several write at once:
one pass over the weights serves them all, and one that has ended holds nobody up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from composer.decoding.decoder import Decoder
from composer.decoding.request import Request
from composer.decoding.writer import Writer
from composer.grid import Grid
from composer.tokenizers.cells import Cells

_IGNORE: Callable[[int], object] = lambda bars: None  # noqa: E731


def write_cells(
    request: Request,
    decoder: Decoder,
    tokenizer: Cells,
    wrote: Callable[[int], object] = _IGNORE,
) -> Grid:
    """Return the request's grid with the cells asked for written.

    Parameters
    ----------
    request
        What to write.
    decoder, tokenizer
        The model and its tokenizer; the decoder forgets what it held.
    wrote
        Told how many bars are done, whenever some are.

    Returns
    -------
    Grid
        The grid, the chord that holds said at the start of each bar.

    Raises
    ------
    RequestError
        The rules leave a cell no pitch, or one bar is more than the model's context holds.
    """
    return write_together([request], decoder, tokenizer, wrote)[0].grid


def write_together(
    requests: Sequence[Request],
    decoder: Decoder,
    tokenizer: Cells,
    wrote: Callable[[int], object] = _IGNORE,
) -> list[Writer]:
    """Write several requests at once, in much less time than one after the other.

    Each is written as ``write_cells`` would; what they begin with alike is heard once. The
    parameters and errors are those of ``write_cells``.

    Returns
    -------
    list of Writer
        In the order of the requests: the ``grid`` of each, and its ``log_probability``.
    """
    decoder.reset()
    writers = [Writer(requests[0], decoder, tokenizer)]
    if len(requests) > 1:
        # What all begin with is heard before the others fork off.
        opening = writers[0].opening()
        decoder.prefill(opening)
        writers = [
            Writer(request, decoder.fork() if i else decoder, tokenizer, held=opening)
            for i, request in enumerate(requests)
        ]
    finish(writers, wrote)
    return writers


def finish(writers: Sequence[Writer], wrote: Callable[[int], object] = _IGNORE) -> None:
    """Write all that some writers have to do; their decoders are forks of each other."""
    left = sum(len(writer.todo) for writer in writers)
    going = [writer for writer in writers if writer.todo and writer.go_on()]
    while going:
        heard = [listener for writer in going for listener in writer.listeners]
        decoders, pending = zip(*heard, strict=True)
        rows = iter(decoders[0].step_together(decoders, pending))
        going = [w for w in going if w.go_on(*(next(rows) for _ in w.listeners))]
        done = left - sum(len(writer.todo) for writer in writers)
        if done:
            wrote(done)
            left -= done
    if left:
        wrote(left)
