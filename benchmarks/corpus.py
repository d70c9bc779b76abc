"""How fast a corpus is tokenised, how much memory that takes, and which duplicates there are.

    python -m benchmarks.corpus FOLDER [--files N] [--repeats N] [--sizes N ...] [--groups]

FOLDER holds MIDI files. Speed: N of them, linked into a folder of their own, by one worker and by
two in turn, the least wall time of the repeats each; where other programs run, look at the ratio.
Memory: the highest resident size of the calling process and of any of two workers (from /proc, so
on Linux only) at each of the sizes; a size over the number of files links them again under other
names, which the duplicates show. Duplicates: of the files as they are.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from composer.tokenizers import tokenize_corpus
from composer.tokenizers.corpus.build import midi_files

_CALL = (
    "import sys; from composer.tokenizers import tokenize_corpus; "
    "print(tokenize_corpus(*sys.argv[1:3], workers=int(sys.argv[3]), progress=False))"
)


def linked(paths: list[Path], folder: Path, count: int) -> Path:
    """Return a new folder with ``count`` links to files, going round where they are fewer."""
    for i in range(count):
        place = folder / f"{i // 1000:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i:06}.mid").symlink_to(paths[i % len(paths)].resolve())
    return folder


def peak_mib(process: int | str) -> float:
    """Return the highest resident size of a process so far; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(x.split()[1]) / 1024 for x in lines if x.startswith("VmHWM")), 0.0)


def children(process: int) -> list[int]:
    """Return the processes that any thread of a process started."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Call(NamedTuple):
    seconds: float
    cpu_seconds: float  # of all processes
    caller_mib: float
    worker_mib: float


def call(folder: Path, out: Path, workers: int) -> Call:
    """Tokenise a folder in a process of its own, and watch it."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", _CALL, str(folder.resolve()), str(out.resolve()), str(workers)]
    begin, cpu = time.perf_counter(), cpu_of_children()
    caller = worker = 0.0
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            caller = max(caller, peak_mib(process.pid))
            worker = max([worker, *map(peak_mib, children(process.pid))])
            time.sleep(0.1)
        seconds = time.perf_counter() - begin
        if process.returncode:
            raise SystemExit("the call failed, see above")
    return Call(seconds, cpu_of_children() - cpu, caller, worker)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 8000])
    parser.add_argument("--groups", action="store_true", help="print each group of duplicates")
    arguments = parser.parse_args()
    paths = [arguments.folder / name for name in midi_files(arguments.folder)]
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        many = linked(paths, place / "many", arguments.files)
        calls: dict[int, list[Call]] = {1: [], 2: []}
        for repeat in range(arguments.repeats):
            for workers in calls:
                calls[workers].append(call(many, place / f"{repeat} {workers}", workers))
        print(f"{arguments.files} files, whole call; {os.cpu_count()} cores")
        seconds = {workers: min(c.seconds for c in them) for workers, them in calls.items()}
        for workers, them in calls.items():
            print(
                f"  {workers} worker(s): {arguments.files / seconds[workers]:8.1f} files/s, "
                f"{min(c.cpu_seconds for c in them):.1f} s of CPU"
            )
        print(f"  two against one: {seconds[1] / seconds[2]:.2f} times as fast")

        print("highest resident size, two workers")
        for size in arguments.sizes:
            seen = call(linked(paths, place / f"size {size}", size), place / f"out {size}", 2)
            print(
                f"  {size:7} files: worker {seen.worker_mib:6.1f} MiB, "
                f"caller {seen.caller_mib:6.1f} MiB; {size / seen.seconds:.1f} files/s"
            )

        corpus = tokenize_corpus(arguments.folder, place / "all", workers=2)
        kinds = Counter(group.kind for group in corpus.duplicates)
        copies = sum(len(group.paths) - 1 for group in corpus.duplicates)
        print(f"{corpus}\n  {copies} files are copies of others; groups: {dict(kinds)}")
        for group in corpus.duplicates if arguments.groups else ():
            print(f"  {group.kind}", *group.paths, sep="\n      ")


if __name__ == "__main__":
    main()
