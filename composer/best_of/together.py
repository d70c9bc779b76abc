"""Several calls written in one batch: each runs until it has a request, and all wait for its turn.

A call is any function that writes through ``write``, once or more often. Each runs in a thread of
its own, but never two at a time, and what it returns is what it would return alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from composer.decoding.decoder import Decoder
from composer.decoding.request import Request
from composer.decoding.sampler import write_together
from composer.decoding.writer import Writer
from composer.tokenizers.cells import Cells

Made = TypeVar("Made")

_IGNORE: Callable[[int], object] = lambda bars: None  # noqa: E731


def write(
    request: Request,
    decoder: Decoder,
    tokenizer: Cells,
    wrote: Callable[[int], object] = _IGNORE,
) -> Writer:
    """Return what wrote a request: alone, or in one batch with those of the other calls.

    The parameters and errors are those of ``composer.decoding.sampler.write_cells``.
    """
    call = _CALL.get(None)
    if call is None:
        return write_together([request], decoder, tokenizer, wrote)[0]
    return call.ask(_Asked(request, decoder, tokenizer, wrote))


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


class _Asked:
    """A request and who writes it."""

    def __init__(
        self,
        request: Request,
        decoder: Decoder,
        tokenizer: Cells,
        wrote: Callable[[int], object],
    ) -> None:
        self.request = request
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.wrote = wrote


def _written(calls: Sequence[_Call[Made]]) -> list[Writer]:
    """Return what wrote the requests that calls wait for, those of one model in one batch."""
    asked = [call.asked for call in calls if call.asked]
    found: dict[int, Writer] = {}
    for model in dict.fromkeys(id(one.decoder) for one in asked):
        places = [place for place, one in enumerate(asked) if id(one.decoder) == model]
        first = asked[places[0]]
        requests = [asked[place].request for place in places]
        writers = write_together(requests, first.decoder, first.tokenizer, first.wrote)
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
