"""The sampling loop: requests in, grids out.

Writers say which ids the model is to hear and are sent what it expects next. Several write at once:
one pass over the weights serves them all, and one that has ended holds nobody up.

Several calls written in one batch: each runs until it has a request, and all wait for its turn.

A call is any function that writes through ``write``, once or more often. Each runs in a thread of
its own, but never two at a time, and what it returns is what it would return alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Generic, NamedTuple, TypeVar

from composer.generate.writer import Writer
from composer.model.decoder import Decoder
from composer.model.model import Model
from composer.request.request import Request
from composer.score.grid import Grid
from composer.tokenizers.cells.cells import Cells

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


Made = TypeVar("Made")


def write(request: Request, model: Model, wrote: Callable[[int], object] = _IGNORE) -> Writer:
    """Return what wrote a request: alone, or in one batch with those of the other calls.

    The parameters and errors are those of ``composer.generate.batch.write_cells``.
    """
    call = _CALL.get(None)
    if call is not None:
        return call.ask(_Asked(request, model, wrote))
    with model.lease() as decoder:
        return write_together([request], decoder, model.tokenizer, wrote)[0]


def call_together(calls: Sequence[Callable[[], Made]]) -> list[tuple[Made, list[Writer]]]:
    """Return what some calls return, and what wrote the requests of each.

    An error of one is raised, and the others end.
    """
    running = [_Call(call) for call in calls]
    try:
        for call in running:
            call.go_on()
        while waiting := [call for call in running if call.asked]:
            for call, writer in zip(waiting, _written(waiting), strict=True):
                call.go_on(writer)
        return [(call.made, call.writers) for call in running]
    finally:
        for call in running:
            call.stop()


class _Asked(NamedTuple):
    """A request, who writes it, and who is told how many bars are done."""

    request: Request
    model: Model
    wrote: Callable[[int], object]


def _written(calls: Sequence[_Call[Made]]) -> list[Writer]:
    """Return what wrote the requests that calls wait for, those of one model in one batch."""
    asked = [call.asked for call in calls if call.asked]
    found: dict[int, Writer] = {}
    for model in {id(one.model): one.model for one in asked}.values():
        places = [place for place, one in enumerate(asked) if one.model is model]
        requests = [asked[place].request for place in places]
        with model.lease() as decoder:
            writers = write_together(requests, decoder, model.tokenizer, asked[places[0]].wrote)
        found.update(zip(places, writers, strict=True))
    return [found[place] for place in range(len(asked))]


class _Stopped(BaseException):
    """Ends a call that nobody waits for any more."""


class _Call(Generic[Made]):
    """A call in a thread of its own, which runs only while ``go_on`` waits for it."""

    made: Made

    def __init__(self, function: Callable[[], Made]) -> None:
        self.asked: _Asked | None = None
        self.writers: list[Writer] = []
        self._function = function
        self._error: BaseException | None = None
        self._stopping = False
        self._turn, self._pause = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def go_on(self, writer: Writer | None = None) -> None:
        """Let it run until it asks for something or ends; raises what it raises."""
        if writer:
            self.writers.append(writer)
        self._turn.release()
        self._pause.acquire()
        if self._error:
            raise self._error

    def ask(self, asked: _Asked) -> Writer:
        """Wait for what writes a request; called by the call itself."""
        self.asked = asked
        self._pause.release()
        self._turn.acquire()
        if self._stopping:
            raise _Stopped
        self.asked = None
        return self.writers[-1]

    def stop(self) -> None:
        """End it, if it has not ended."""
        self._stopping = True
        self._turn.release()
        self._thread.join()

    def _run(self) -> None:
        self._turn.acquire()
        if self._stopping:
            return
        _CALL.set(self)
        try:
            self.made = self._function()
        except _Stopped:
            pass
        except BaseException as error:
            self._error = error
        finally:
            self.asked = None
            self._pause.release()


_CALL: ContextVar[_Call[Any]] = ContextVar("call")
