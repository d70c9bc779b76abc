"""How fast one checkout is beside another: for a change that should cost nothing.

    python -m benchmarks.compare OLD NEW [--midi FOLDER] [--rounds 5]

OLD and NEW are folders with a checkout each. Every piece of work runs in a new process of one
checkout, then of the other, in turns; a figure is the least time of the rounds. Where other
programs run, look at the ratio alone: below 1, the new one is faster.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

#: Each prints the least seconds of some repetitions; ``FILES`` are MIDI files.
WORKS = {
    "import composer.tokenizers": "import composer.tokenizers",
    "read": "[composer.Score.read(file) for file in FILES]",
    "encode, REMI+": "[remi.encode(score) for score in SCORES]",
    "encode, cells": "[cells.encode(score) for score in SCORES]",
    "decode, REMI+": "[remi.decode(row) for row in IDS]",
    "melody, 8 bars": "composer.melody('Am F C G', bars=8, seed=1)",
    "arrangement, 8 bars, 4 parts": "composer.arrange(TUNE, BAND, seed=1)",
    "the same, constraints in cells": "composer.arrange(TUNE, BAND, polyphony=3, seed=1)",
    "the same, constraints on lines": "composer.arrange(TUNE, BAND, where=LINES, seed=1)",
    "infill, 2 bars": "composer.infill(SONG, '3-4', seed=1)",
}
_SETUP = """
import sys, time, warnings
warnings.simplefilter("ignore")
begin = time.perf_counter()
import composer.tokenizers
imported = time.perf_counter() - begin
import composer
work = sys.argv[1]
FILES = sys.argv[2:] if "FILES" in work or "SCORES" in work or "IDS" in work else []
if "SCORES" in work or "IDS" in work:
    SCORES = [composer.Score.read(file) for file in FILES]
    remi, cells = composer.tokenizers.REMIPlus(), composer.tokenizers.Cells()
if "IDS" in work:
    IDS = [remi.encode(score) for score in SCORES]
if "TUNE" in work or "SONG" in work:
    BAND = ["piano", "bass", "drums", "strings"]
    TUNE = composer.melody("Am F C G", bars=8, seed=1)
    LINES = [composer.MaxLeap(9, parts="bass"), composer.NoParallels(parts=["flute", "bass"])]
if "SONG" in work:
    SONG = composer.arrange(TUNE, BAND, seed=1)
if work.startswith("import"):
    print(imported)
    raise SystemExit
run = compile(work, "work", "eval")
eval(run)
best = float("inf")
for _ in range(5):
    begin = time.perf_counter()
    eval(run)
    best = min(best, time.perf_counter() - begin)
print(best)
"""


def seconds_of(work: str, checkout: Path, files: list[Path]) -> float:
    """Return the least seconds of a piece of work in a new process of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _SETUP, work, *map(str, files)]
    done = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{checkout}: {work}\n{done.stderr}")
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--midi", type=Path, help="folder of MIDI files; the tunes of the package")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    folder = options.midi or options.new / "composer" / "examples"
    files = [path.resolve() for path in sorted(folder.rglob("*.mid"))[:200]]
    checkouts = options.old.resolve(), options.new.resolve()
    print("| work | old, ms | new, ms | new / old |\n| --- | ---: | ---: | ---: |")
    for name, work in WORKS.items():
        found: list[list[float]] = [[], []]
        for _ in range(options.rounds):
            for own, checkout in zip(found, checkouts, strict=True):
                own.append(seconds_of(work, checkout, files))
        old, new = map(min, found)
        print(f"| {name} | {1000 * old:.1f} | {1000 * new:.1f} | {new / old:.2f} |", flush=True)


if __name__ == "__main__":
    main()
