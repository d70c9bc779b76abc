"""Run benchmarks and keep what they print, with the commit and the machine.

    python -m benchmarks.run [NAME...] [--midi FOLDER] [--quick]

Each NAME is one of the scripts of this folder; without one, all that need no GPU are run. What they
print goes to the terminal and to ``benchmarks/results/<date>.md``, or ``<date>-quick.md``: with
``--quick`` little is measured, to see that a script works rather than how fast anything is. FOLDER
holds the MIDI files that those read which need some; the tunes of the package without it.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import cpu, versions

ROOT = Path(__file__).parents[1]
TUNES = ROOT / "composer" / "examples"


class Script(NamedTuple):
    """How a script is called."""

    reads_midi: bool
    quick: str  # options with which it takes seconds


SCRIPTS = {
    "tokenizing": Script(True, "--repeats 1"),
    "report": Script(True, "--files 20"),
    "learned": Script(True, "--files 20 --sizes 2048"),
    "corpus": Script(True, "--files 50 --repeats 1 --sizes 50"),
    "harmony": Script(True, ""),
    "decoding": Script(False, "--repetitions 1 --contexts 256 --threads 1"),
    "drafts": Script(True, "--pieces 1"),
    "controls": Script(False, "--seeds 1"),
    "gpu": Script(False, "--batches 1,8 --contexts 256 --repetitions 1 --threads 1"),
}
LIBRARIES = "numpy numba symusic miditok torch transformers ctranslate2".split()


def output_of(name: str, folder: Path, *, is_quick: bool) -> str:
    """Return what a script prints, which is printed here as well."""
    script = SCRIPTS[name]
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    command += [str(folder)] if script.reads_midi else []
    command += script.quick.split() if is_quick else []
    lines = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"benchmarks.{name} failed with exit code {process.returncode}")
    return "".join(lines)


def commit() -> str:
    """Return the commit that is measured, and whether files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCRIPTS))
    parser.add_argument("--midi", type=Path, default=TUNES, help="folder of MIDI files")
    parser.add_argument("--quick", action="store_true", help="see that they work, in seconds")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in SCRIPTS]
    if unknown:
        parser.error(f"{unknown[0]!r} is not a script; name some of {', '.join(SCRIPTS)}")
    names = options.names or [name for name in SCRIPTS if name != "gpu"]
    folder = options.midi.resolve()
    date = datetime.date.today().isoformat()
    parts = [
        f"# {date}\n",
        f"Commit {commit()}; {cpu()}, {os.cpu_count()} cores; {versions(*LIBRARIES)}.\n",
        f"MIDI files: {folder.name}.\n",
    ]
    for name in names:
        print(f"\n== {name}", flush=True)
        parts.append(f"## {name}\n\n```\n{output_of(name, folder, is_quick=options.quick)}```\n")
    target = ROOT / "benchmarks" / "results" / f"{date}{'-quick' if options.quick else ''}.md"
    target.write_text("\n".join(parts), encoding="utf-8")
    print(f"\n{target}")


if __name__ == "__main__":
    main()
