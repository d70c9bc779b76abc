"""What each format costs and keeps, data set by data set: ids a note, loss, files a second.

    python -m benchmarks.report FOLDER [--files N] [--repeats N] [--bpe SIZE] [--train N]

Each folder in FOLDER that has MIDI files somewhere below it is a data set, of which N files are
drawn by their names; FOLDER itself is one where it has none such. All that is lost is what
``Tokenizer.loss`` reports. With ``--bpe`` there is a row more a format: merges learned on
``--train`` files of all data sets, measured on the others; they lose nothing more.

Columns: *ids* a note that is said; *moved* onsets and by how much on average and at most, in ms at
each file's mean tempo; *lengths* changed, and by how much on average; *loud*, velocities' mean
error of 127; *merged* and *dropped* notes, drums of REMI among these; *tempo*, the largest error of
a file's, on average; *meters*, time signatures changed a file; *read*, files a second read and
encoded; *back*, decoded. Speeds are CPU time of one process on one thread, the least of N
repeats; means and shares are over all notes of a data set.
"""

from __future__ import annotations

import argparse
import random
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import cpu, versions
from benchmarks.tokenizing import LIBRARIES
from composer import Score
from composer.errors import ComposerError
from composer.tokenizers import BPE, REMI, Cells, LossReport, RemiConfig, REMIPlus, Tokenizer

#: REMI+ with all that it can say of a performance.
PERFORMED = RemiConfig(
    programs=True,
    time_signatures=True,
    velocity_bins=32,
    tempo_bins=193,
    microtiming=8,
    pedals=True,
    pitch_bends=63,
)
FORMATS: dict[str, Tokenizer] = {
    "REMI": REMI(),
    "REMI+": REMIPlus(),
    "REMI+ performed": REMIPlus(PERFORMED),
    "cells": Cells(),
}
COLUMNS = (
    *("ids", "moved", "ms mean", "ms max", "lengths", "beats mean", "loud", "merged", "dropped"),
    *("tempo", "meters", "read", "back"),
)


class Measured(NamedTuple):
    """One file in one format."""

    report: LossReport
    ids: int
    beat: float  # milliseconds
    read: float  # seconds
    back: float


def least_seconds(work: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """Return what work returns, and the least CPU time it took."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        result = work()
        best = min(best, time.process_time() - begin)
    return result, best


def measure(path: Path, tokenizer: Tokenizer, repeats: int) -> Measured:
    score = Score.read(path)
    beats = score.end / score.tpq
    ids, read = least_seconds(lambda: tokenizer.encode(path), repeats)
    _, back = least_seconds(lambda: tokenizer.decode(ids), repeats)
    beat = 1000 * score.seconds / beats if beats else 500.0
    return Measured(tokenizer.loss(score), len(ids), beat, read, back)


def row(files: list[Measured], is_merged: bool) -> list[str]:
    """Return the cells of a row, in the order of ``COLUMNS``; merges lose nothing of their own."""
    reports = [file.report for file in files]
    notes = sum(report.notes for report in reports)
    dropped = sum(report.notes_dropped for report in reports)
    merged = sum(report.notes_merged for report in reports)
    said, kept = notes - dropped - merged, max(1, notes - dropped)

    def share(name: str, of: int) -> str:
        return f"{sum(getattr(report, name) for report in reports) / max(1, of):.1%}"

    def mean(name: str, unit: Callable[[Measured], float] = lambda _: 1.0) -> float:
        """Return a mean over notes, files weighing what they have of them."""
        weights = [file.report.notes - file.report.notes_dropped for file in files]
        pairs = zip(files, weights, strict=True)
        total = sum(getattr(file.report, name) * unit(file) * weight for file, weight in pairs)
        return float(total / kept)

    speeds = [
        f"{len(files) / sum(file.read for file in files):.0f}",
        f"{len(files) / sum(file.back for file in files):.0f}",
    ]
    ids = f"{sum(file.ids for file in files) / said:.2f}" if said else "-"
    if is_merged:
        return [ids, *["-"] * (len(COLUMNS) - 3), *speeds]
    meters = sum(report.time_signatures_changed for report in reports)
    return [
        ids,
        share("onsets_moved", kept),
        f"{mean('onset_error_mean', lambda file: file.beat):.2f}",
        f"{max(file.report.onset_error_max * file.beat for file in files):.0f}",
        share("durations_changed", kept),
        f"{mean('duration_error_mean'):.3f}",
        f"{mean('velocity_error_mean'):.1f}",
        share("notes_merged", notes),
        share("notes_dropped", notes),
        f"{sum(report.tempo_error_max for report in reports) / len(files):.1%}",
        f"{meters / len(files):.2f}",
        *speeds,
    ]


def drawn(folder: Path, count: int) -> dict[str, list[Path]]:
    """Return so many files of each data set, by its name."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi"))
    sets: dict[str, list[Path]] = {}
    for path in found:
        inner = path.relative_to(folder).parts
        sets.setdefault(inner[0] if len(inner) > 1 else folder.name, []).append(path)
    for paths in sets.values():
        random.Random(0).shuffle(paths)
        del paths[count:]
    return sets


def readable(paths: list[Path], refused: list[str]) -> list[Path]:
    """Return the files that every format takes."""
    kept = []
    for path in paths:
        try:
            score = Score.read(path)
            for tokenizer in FORMATS.values():
                tokenizer.decode(tokenizer.encode(score))
        except ComposerError as error:
            refused.append(str(error))
        else:
            kept.append(path)
    return kept


def show(cells: list[str], widths: list[int]) -> None:
    first, *others = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    print(f"| {first.strip():<{widths[0]}} | {' | '.join(others)} |", flush=True)


def learned(sets: dict[str, list[Path]], size: int, count: int) -> tuple[dict[str, BPE], set[Path]]:
    """Return each format with merges, and what they were learned on."""
    every = [path for paths in sets.values() for path in paths]
    train = random.Random(1).sample(every, min(count, len(every) // 2))
    return {
        f"{name}, BPE {size}": BPE.train(base, train, size) for name, base in FORMATS.items()
    }, set(train)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=10**9, help="of each data set; all without it")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--bpe", type=int, help="number of ids of a learned vocabulary")
    parser.add_argument("--train", type=int, default=400, help="files to learn merges from")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    refused: list[str] = []
    sets = {
        name: kept
        for name, paths in drawn(arguments.folder, arguments.files).items()
        if (kept := readable(paths, refused))
    }
    if not sets:
        parser.error(f"{arguments.folder} holds no MIDI file that can be read")
    formats, trained = dict(FORMATS), set[Path]()
    if arguments.bpe:
        merged, trained = learned(sets, arguments.bpe, arguments.train)
        formats.update(merged)
    total = sum(map(len, sets.values()))
    print(f"{total} files, {len(refused)} refused; {cpu()}, one thread; ", end="")
    print(versions(*LIBRARIES))
    for reason in refused[:5]:
        print(f"refused: {reason}")
    every: dict[str, list[Measured]] = {name: [] for name in formats}
    widths = [max(map(len, formats)), *(max(6, len(column)) for column in COLUMNS)]
    # The last block is the sum of the others.
    for data_set, paths in [*sets.items(), *([("all", [])] if len(sets) > 1 else [])]:
        print(f"\n**{data_set}**, {len(paths) or total} files\n")
        show(["format", *COLUMNS], widths)
        show(["---", *("---:" for _ in COLUMNS)], widths)
        for name, tokenizer in formats.items():
            used = [path for path in paths if not (isinstance(tokenizer, BPE) and path in trained)]
            files = [measure(path, tokenizer, arguments.repeats) for path in used]
            every[name] += files
            files = files if paths else every[name]
            if files:
                show([name, *row(files, isinstance(tokenizer, BPE))], widths)


if __name__ == "__main__":
    main()
