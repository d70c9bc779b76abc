"""Run benchmarks and keep what they print, with the commit and the machine.

    python -m benchmarks.run NAME... [--midi FOLDER]

Each NAME is one of the scripts of this folder; ``all`` stands for those that need no GPU. What they
print goes to the terminal and to ``benchmarks/results/<date>.md``. FOLDER holds the MIDI files that
those read which need some.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.machine import cpu, versions

ROOT = Path(__file__).parents[1]
#: Script -> whether it reads a folder of MIDI files.
SCRIPTS = {
    "tokenizing": True,
    "report": True,
    "learned": True,
    "corpus": True,
    "harmony": True,
    "decoding": False,
    "drafts": True,
    "controls": False,
    "gpu": False,
}
LIBRARIES = "numpy numba symusic miditok torch transformers ctranslate2".split()


def output_of(name: str, folder: Path | None) -> str:
    """Return what a script prints, which is printed here as well."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    command += [str(folder)] if SCRIPTS[name] else []
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
    parser.add_argument("names", nargs="+", choices=[*SCRIPTS, "all"], metavar="NAME")
    parser.add_argument("--midi", type=Path, help="folder of MIDI files")
    options = parser.parse_args()
    names = [name for name in SCRIPTS if name != "gpu"] if "all" in options.names else options.names
    lacking = [name for name in names if SCRIPTS[name] and options.midi is None]
    if lacking:
        parser.error(f"{', '.join(lacking)} read MIDI files; name a folder with --midi")
    date = datetime.date.today().isoformat()
    parts = [
        f"# {date}\n",
        f"Commit {commit()}; {cpu()}, {os.cpu_count()} cores; {versions(*LIBRARIES)}.\n",
    ]
    for name in names:
        print(f"\n== {name}", flush=True)
        parts.append(f"## {name}\n\n```\n{output_of(name, options.midi)}```\n")
    target = ROOT / "benchmarks" / "results" / f"{date}.md"
    target.write_text("\n".join(parts), encoding="utf-8")
    print(f"\n{target}")


if __name__ == "__main__":
    main()
