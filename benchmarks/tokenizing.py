"""How fast the tokenizers are, beside MidiTok's REMI with the same options.

    python -m benchmarks.tokenizing FOLDER [--repeats N]

FOLDER holds MIDI files. ``miditok`` is optional and named when missing. Every row is CPU time of
one process on one thread, the least of N repeats that take turns with the others; loading counts
as part of encoding. Files that one of the two refuses are timed for neither, and counted. MidiTok
finds chords in the notes, so our row with chords does too (``infer_chords``); both decoders are
given what their own encoder wrote, and ours checks the grammar of it first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import cpu, versions
from composer import Score
from composer.harmony.inference import infer_chords
from composer.tokenizers import Cells, REMIPlus
from composer.tokenizers.bins import TIME_SIGNATURES

LIBRARIES = "numpy", "symusic", "miditok"
#: What MidiTok is asked for: our resolution, bins and time signatures, as near as it has them.
OPTIONS = {
    "pitch_range": (0, 127),
    "drums_pitch_range": (0, 127),
    "beat_res": {(0, 2): 12, (2, 4): 4, (4, 8): 2, (8, 32): 1},
    "num_velocities": 16,
    "use_programs": True,
    "use_tempos": True,
    "num_tempos": 49,
    "tempo_range": (20, 320),
    "log_tempos": True,
    "use_time_signatures": True,
    "time_signature_range": {
        d: [n for n, other in TIME_SIGNATURES if other == d] for d in (2, 4, 8, 16)
    },
    "remove_duplicated_notes": True,
}

Work = Callable[[Any], Any]


def with_inferred_chords(path: Path) -> Score:
    score = Score.read(path)
    return score.replace(chords=infer_chords(score))


def ours() -> dict[str, tuple[Work, Work]]:
    remi, cells = REMIPlus(), Cells()
    return {
        "REMI+": (lambda path: remi.encode(Score.read(path)), remi.decode),
        "REMI+, chords": (lambda path: remi.encode(with_inferred_chords(path)), remi.decode),
        "cells": (lambda path: cells.encode(Score.read(path)), cells.decode),
    }


def peers() -> dict[str, tuple[Work, Work]]:
    try:
        from miditok import REMI, TokenizerConfig
    except ModuleNotFoundError as error:
        if error.name != "miditok":
            raise
        print("miditok is missing: `pip install miditok==3.1.0` to compare with it\n")
        return {}
    plain = REMI(TokenizerConfig(**OPTIONS))
    chords = REMI(TokenizerConfig(**OPTIONS, use_chords=True))
    return {
        "REMI+": (plain.encode, plain.decode),
        "REMI+, chords": (chords.encode, chords.decode),
    }


def usable(paths: list[Path], encoders: list[Work]) -> list[Path]:
    """Return the files that every encoder takes, and say how many are left out."""
    kept, refused = [], []
    for path in paths:
        try:
            for encode in encoders:
                encode(path)
        except Exception as error:  # a peer may fail in any way
            refused.append(f"{path.name}: {type(error).__name__}")
        else:
            kept.append(path)
    if refused:
        print(f"{len(refused)} files left out: {'; '.join(refused[:5])}")
    return kept


def least_seconds(works: dict[Any, Callable[[], object]], repeats: int) -> dict[Any, float]:
    """Return the least CPU time of each piece of work, all of them taking turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, work in works.items():
            begin = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - begin)
    return best


def import_seconds(module: str, repeats: int) -> float:
    code = f"import time; b = time.perf_counter(); import {module}; print(time.perf_counter() - b)"
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(repeats)
    ]
    return min(float(run.stdout) for run in runs)


def row(what: str, mine: float, theirs: float | None, unit: str, times: float) -> None:
    """Print a row; ``times`` is how many times better ours is."""
    peer = f"{theirs:>10.1f}{times:>8.1f} x" if theirs is not None else f"{'-':>10}{'-':>10}"
    print(f"{what:32}{mine:>10.1f}{peer}  {unit}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    mine, theirs = ours(), peers()
    formats = [("ours", mine), ("MidiTok", theirs)]
    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix in (".mid", ".midi"))
    paths = usable(paths, [encode for _, them in formats for encode, _ in them.values()])
    if not paths:
        parser.error(f"{arguments.folder} holds no MIDI file that can be timed")
    notes = sum(len(track.notes) for path in paths for track in Score.read(path).tracks)
    print(f"{len(paths)} files, {notes} notes; {cpu()}, one thread; {versions(*LIBRARIES)}")

    works: dict[Any, Callable[[], object]] = {}
    works["load"] = lambda: [Score.read(path) for path in paths]
    said: dict[Any, list[Any]] = {}
    for who, them in formats:
        for name, (encode, decode) in them.items():
            said[who, name] = sequences = [encode(path) for path in paths]
            works[who, name, "load + encode"] = lambda f=encode: [f(path) for path in paths]
            works[who, name, "decode"] = lambda f=decode, ids=sequences: [f(x) for x in ids]
    seconds = least_seconds(works, arguments.repeats)

    print(f"\n{'':32}{'ours':>10}{'MidiTok':>10}{'ratio':>10}")
    row("load", len(paths) / seconds["load"], None, "files/s", 0)
    for name in mine:
        for what in ("load + encode", "decode"):
            rate = len(paths) / seconds["ours", name, what]
            other = seconds.get(("MidiTok", name, what))
            peer = len(paths) / other if other else None
            row(f"{name}: {what}", rate, peer, "files/s", rate / peer if peer else 0)
    for name in mine:
        ids = sum(map(len, said["ours", name])) / notes
        peer = sum(map(len, said.get(("MidiTok", name), []))) / notes or None
        row(f"{name}: length", ids, peer, "tokens a note", peer / ids if peer else 0)
    first, other = (1000 * import_seconds("composer.tokenizers", 5)), None
    if theirs:
        other = 1000 * import_seconds("miditok", 5)
    row("import", first, other, "ms", other / first if other else 0)
    cells, remi = (seconds["ours", name, "load + encode"] for name in ("cells", "REMI+"))
    print(f"\nload + encode of cells takes {cells / remi:.2f} times as long as of REMI+")


if __name__ == "__main__":
    main()
