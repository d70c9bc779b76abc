"""Worker processes that survive what one item does to them.

Every item is worked on in a process of its own kind: a fresh interpreter that imports what the job
names and nothing of the program that called, so that it starts fast, stays small, and needs no
``if __name__ == "__main__"``. One that crashes is replaced, and the item tried once more, since
the item before may have left the damage; one that hangs is killed and replaced. Either costs only
the item. Works alike on Linux, macOS and Windows: no fork, no signals but the kill.
"""

from __future__ import annotations

import faulthandler
import json
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import IO, Any

from composer.errors import TrainingError

#: Seconds an interpreter may take to start and to import what the job names.
START_TIMEOUT = 120.0

_POLL = 0.2  # seconds between two looks at the clock
_LENGTH = struct.Struct(">Q")
_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from composer.tokenizers.corpus.workers import serve; serve()"
)
#: Libraries that would start a thread a core, in each worker.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Lost(Exception):
    """Why there is no result for an item: its process crashed or hung."""


def run_job(
    job: Callable[[str], Any], items: Sequence[str], *, workers: int, timeout: float
) -> Generator[tuple[int, Any], None, None]:
    """Yield the index of each item and ``job(item)``, in the order in which they are done.

    Parameters
    ----------
    job
        What to do; it is pickled, so what it names must be importable.
    items
        What to do it with.
    workers
        Processes.
    timeout
        Seconds an item may take.

    Yields
    ------
    tuple
        Index and result; in place of the result a ``Lost`` where the process crashed twice or hung.

    Raises
    ------
    TrainingError
        A worker cannot import what the job names.
    """
    pickled = as_message(job)
    todo = iter(enumerate(items))
    results = _Results(4 * workers)
    crew = [_Worker(pickled, todo, results, timeout) for _ in range(min(workers, len(items)))]
    try:
        for worker in crew:
            worker.start()
        done, looked = 0, time.monotonic()
        while done < len(items):
            result = results.get()
            if result is not None:
                done += 1
                yield result
            if time.monotonic() - looked > _POLL:
                looked = time.monotonic()
                for worker in crew:
                    worker.kill_if_late()
    finally:
        for worker in crew:
            worker.close()


class _Results:
    """What workers are done with and the caller has not taken yet, a few at most."""

    def __init__(self, most: int) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._room = threading.Semaphore(most)

    def put(self, index: int | None, result: Any) -> bool:
        """Add a result, or with None for an index an error; False where there is no room yet."""
        if not self._room.acquire(timeout=_POLL):
            return False
        self._queue.put((index, result))
        return True

    def get(self) -> tuple[int, Any] | None:
        """Return the next result, or None where none comes soon; raise what a worker raised."""
        try:
            index, result = self._queue.get(timeout=_POLL)
        except queue.Empty:
            return None
        self._room.release()
        if index is None:
            raise result
        return index, result


class _Worker(threading.Thread):
    """A process and the thread that talks to it."""

    _one_at_a_time = threading.Lock()  # an iterator may not be asked by two threads at once

    def __init__(
        self,
        job: bytes,
        todo: Iterator[tuple[int, str]],
        results: _Results,
        timeout: float,
    ) -> None:
        super().__init__(daemon=True)
        self._job, self._todo, self._results, self._timeout = job, todo, results, timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline: float | None = None
        self._late = self._closing = False
        self._clock = threading.Lock()

    def run(self) -> None:
        try:
            while not self._closing:
                with self._one_at_a_time:
                    index, item = next(self._todo, (None, ""))
                if index is None:
                    return
                self._put(index, self._result(item))
        except BaseException as error:  # handed on to the thread that waits
            self._put(None, error)
        finally:
            self._end()

    def kill_if_late(self) -> None:
        """End the process if its item has taken too long; called by the thread that waits."""
        with self._clock:
            late = self._deadline is not None and time.monotonic() > self._deadline
            if late and self._process is not None:
                self._late = True
                self._process.kill()

    def close(self) -> None:
        """End the process and the thread, whatever they are at."""
        self._closing = True
        process = self._process
        if process is not None:
            process.kill()
        self.join()

    def _put(self, index: int | None, result: Any) -> None:
        while not self._closing:
            if self._results.put(index, result):
                return

    def _result(self, item: str) -> Any:
        for _ in range(2):
            process = self._process or self._begin()
            content = pickle.dumps((item, self._timeout))
            reply, late = self._ask(process, content, self._timeout)
            if reply is not None:
                return pickle.loads(reply)
            code = self._end()
            if late or self._closing:
                break
        return Lost(f"took over {self._timeout:g} seconds" if late else f"crashed: {_ending(code)}")

    def _begin(self) -> subprocess.Popen[bytes]:
        """Start a process and wait until it has imported what it needs."""
        process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps([str(path) for path in sys.path])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
        )
        self._process = process
        reply, _ = self._ask(process, self._job, START_TIMEOUT)
        if reply is None and not self._closing:
            code = self._end()
            raise TrainingError(f"a worker process did not start: {_ending(code)}")
        if reply:
            raise TrainingError(_cannot_import(reply.decode()))
        return process

    def _ask(
        self, process: subprocess.Popen[bytes], content: bytes, timeout: float
    ) -> tuple[bytes | None, bool]:
        """Return what a process answers, None if it ended; and whether it was ended as too late."""
        assert process.stdin is not None
        assert process.stdout is not None
        if self._closing:
            return None, False
        with self._clock:
            self._late, self._deadline = False, time.monotonic() + timeout
        try:
            send(process.stdin, content)
            reply = receive(process.stdout)
        except OSError:  # nobody reads any more
            reply = None
        with self._clock:
            self._deadline, late = None, self._late
        if late and reply is not None:  # it answered at the last moment, and was killed
            self._end()
        return reply, late

    def _end(self) -> int:
        """End the process and return its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        try:
            process.stdin.close()
        except OSError:  # nobody reads any more
            pass
        try:  # without input it ends by itself; what crashed keeps its own status
            return process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _ending(code: int) -> str:
    """Return an exit status in words."""
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended with status {code}"


def _cannot_import(reason: object) -> str:
    return (
        f"worker processes cannot use what they are given ({reason}); define the preparation and "
        "the tokenizer at the top of a module that can be imported, not in the main script"
    )


def as_message(thing: object) -> bytes:
    """Return an object pickled for workers: functions and classes by the names they go by.

    Raises
    ------
    TrainingError
        It, or something in it, has no such name.
    """
    try:
        return pickle.dumps(thing)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TrainingError(_cannot_import(error)) from None


def serve() -> None:
    """Do a job on what the standard input says, until it ends; what a worker process runs.

    The first message is the job, answered by nothing or by what is wrong with it; each other is an
    item and its timeout, answered by the pickled result.
    """
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not come between the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers itself
    warnings.simplefilter("ignore")  # there is nobody to read them
    silence = open(os.devnull, "w")
    content = receive(inbox)
    if content is None:
        return
    try:
        job = pickle.loads(content)
    except Exception as error:
        send(outbox, f"{type(error).__name__}: {error}".encode())
        return
    send(outbox, b"")
    while (content := receive(inbox)) is not None:
        item, timeout = pickle.loads(content)
        # Should the parent be gone when an item hangs, nobody else would end this process.
        faulthandler.dump_traceback_later(2 * timeout, exit=True, file=silence)
        result = job(item)
        faulthandler.cancel_dump_traceback_later()
        try:
            send(outbox, pickle.dumps(result))
        except OSError:  # the parent is gone
            return


def send(stream: IO[bytes], content: bytes) -> None:
    """Write one message."""
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Return the next message, None where the stream has ended."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    return content if len(content) == length else None
