"""Broken MIDI files by the hundred thousand, each of which gives a score or a ``MidiError``.

    python -m tests.fuzz.mutate [--count 100000] [--seed 0] [--first 0] [--folder FOLDER]

File ``i`` of a seed is the same everywhere for the same FOLDER of MIDI files (``composer/examples``
without it, beside a few made here), so ``--first i --count 1`` repeats it. A child process reads
the files, so that one which kills, blocks or bloats it is counted and the next one tried. Fails
where reading takes over 2 s or the process over 500 MB, where anything but a ``ComposerError`` is
raised, where a score changes by being written and read, and where the ids of a tokenizer are not
those of what they decode to.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from composer.errors import ComposerWarning, MidiError, TokenError
from composer.example_tunes import FOLDER
from composer.midi import read_midi, write_midi
from composer.score.score import Score
from composer.tokenizers import REMI, Cells, REMIPlus, Tokenizer
from tests.fuzz.mutations import made_here, mutated, sources

MAX_READING = 2.0  # seconds
MAX_CHECKING = 60.0  # seconds; the child is taken for blocked after them
MAX_MEMORY = 500  # MB of the whole process


class Outcome(NamedTuple):
    """What became of a file."""

    names: list[str]  # what is counted
    failure: str  # what ought not to be, or ""
    seconds: float  # of reading


def check(content: bytes, tokenizers: list[Tokenizer], folder: Path) -> Outcome:
    """Read a file, write the score, tokenise it, and say what became of it."""
    names, failure, seconds = [], "", 0.0
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ComposerWarning)
            score = read_midi(content)
            seconds = time.perf_counter() - start
            names.append("read")
            check_writing(score, folder / "again.mid")
            for tokenizer in tokenizers:
                try:
                    check_ids(score, tokenizer)
                except TokenError as error:
                    names.append(f"not {tokenizer.format}")
                    failure = failure or no_sentence(error)
    except MidiError as error:
        seconds = seconds or time.perf_counter() - start
        failure = traceback.format_exc() if names else no_sentence(error)
        names.append("refused")
    except Exception:
        failure = traceback.format_exc()
    if seconds > MAX_READING:
        failure = failure or f"reading took {seconds:.2f} s"
    return Outcome(names, failure, seconds)


def check_writing(score: Score, path: Path) -> None:
    write_midi(score, path)
    if read_midi(path) != score:
        raise AssertionError("written and read, it is another score")


def check_ids(score: Score, tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(score)
    try:
        again = tokenizer.encode(tokenizer.decode(ids))
    except TokenError as error:
        raise AssertionError(f"its own ids of {tokenizer.format} are refused") from error
    if ids.tolist() != again.tolist():
        raise AssertionError(f"its ids of {tokenizer.format} are others the second time")


def no_sentence(error: Exception) -> str:
    """Return what is wrong with a message, or nothing."""
    text = str(error)
    return "" if text and "\n" not in text else f"the message is not a sentence: {text!r}"


def memory() -> float:
    """Return the most memory that this process has had, in MB; 0 where nobody knows."""
    # Not getrusage: a child's maximum begins there with its parent's.
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


def work(sender: Connection, folder: Path, seed: int, first: int, last: int) -> None:
    """Check files one after the other; send what became of each, and the memory."""
    files = sources(folder)
    tokenizers = [REMI(), REMIPlus(), Cells()]
    with tempfile.TemporaryDirectory() as scratch:
        check(made_here()[1], tokenizers, Path(scratch))  # compiles
        sender.send(None)
        for index in range(first, last):
            outcome = check(mutated(seed, index, files), tokenizers, Path(scratch))
            sender.send((outcome, memory()))


def run(folder: Path, seed: int, first: int, last: int) -> Iterator[tuple[Outcome, float]]:
    """Yield what became of each file and the memory; start anew behind what ends the process."""
    context = multiprocessing.get_context("spawn")
    while first < last:
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=work, args=(sender, folder, seed, first, last))
        child.start()
        sender.close()
        receiver.recv()  # it is ready
        try:
            while first < last:
                first += 1
                if not receiver.poll(MAX_CHECKING):
                    yield Outcome([], f"no answer after {MAX_CHECKING} s", MAX_CHECKING), 0.0
                    break
                outcome, most = receiver.recv()
                if most > MAX_MEMORY:
                    yield outcome._replace(failure=f"{most:.0f} MB of memory"), most
                    break
                yield outcome, most
        except EOFError:
            child.join()
            yield Outcome([], f"the process ended with code {child.exitcode}", 0.0), 0.0
        finally:
            child.kill()
            child.join()


def main(arguments: list[str] | None = None) -> int:
    """Check as many files as asked for, print what became of them; return whether any failed."""
    parser = argparse.ArgumentParser(description="Check that broken files are read or refused.")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    failures, slowest, largest = 0, (0.0, 0), 0.0
    last = options.first + options.count
    results = run(options.folder, options.seed, options.first, last)
    for index, (outcome, most) in enumerate(results, options.first):
        counts.update(outcome.names)
        slowest, largest = max(slowest, (outcome.seconds, index)), max(largest, most)
        if outcome.failure:
            failures += 1
            print(f"file {index} of seed {options.seed}: {outcome.failure}", flush=True)
        if (index + 1) % 5000 == 0:
            print(f"{index + 1}: {dict(counts)}, {failures} failures", flush=True)
    print(f"{options.count} files: {dict(counts)}, {failures} failures")
    print(f"slowest to read: file {slowest[1]}, {slowest[0]:.2f} s; most memory {largest:.0f} MB")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
