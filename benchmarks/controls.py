"""Asked against got: how near the model comes to each control.

    python -m benchmarks.controls [MODEL] [--seeds 12]

Each control is asked for at levels from low to high, of a melody over chords, of a piano under that
melody, and of drums; the rest is left to the model. What comes out is measured as the controls are
defined (``composer.controls.measures``) and averaged over the seeds. ``rank`` is Spearman's
correlation of asked and got over all pieces, ``off`` the mean distance in levels, and ``chance``
the same where nothing is asked. Guidances are compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

import composer
from composer import Controls
from composer.api import Composer
from composer.controls.kinds import KINDS, NAMES
from composer.controls.measures import measure_parts
from composer.score.score import Score
from composer.tokenizers.cells.levels import UNSAID, level_of

CHORDS = ("Am F C G", "| Dm7 | G7 | C | A7 |", "| Em | C | G | D |", "| F | Bb | C7 | F |")
KEYS = ("A minor", "C", "G", "F")
_ALIKE: dict[str, tuple[float, ...]] = {
    "dynamics": (33, 64, 96, 126),
    "syncopation": (0, 0.1, 0.25, 0.45),
}
#: What each part is asked for.
ASKED: dict[str, dict[str, tuple[float, ...]]] = {
    "melody": {
        "density": (0.5, 1, 2, 3),
        "register": (60, 66, 72, 78, 84),
        "note_length": (0.375, 0.75, 1.5, 3),
        **_ALIKE,
    },
    "piano": {
        "density": (0.25, 0.5, 1, 2, 3),
        "polyphony": (1, 2, 3, 4, 6),
        "register": (42, 48, 54, 60, 66),
        "note_length": (0.375, 0.75, 1.5, 3),
        **_ALIKE,
    },
    "drums": {
        "density": (0.5, 1, 2, 3, 4),
        "polyphony": (1, 1.5, 2),
        **_ALIKE,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", help="folder of a model; the one in the package")
    parser.add_argument("--seeds", type=int, default=12)
    options = parser.parse_args()
    model = composer.load(options.model)
    print("| part | control | asked → got | rank | off | chance |")
    print("| --- | --- | --- | --- | --- | --- |")
    for guidance in (1.0, 1.5, 2.0, 3.0):
        print(f"\nguidance {guidance:g}", flush=True)
        for part, controls in ASKED.items():
            plain = [levels(piece) for piece in pieces(model, part, options.seeds, {})]
            for name, values in controls.items():
                row(model, part, name, values, options.seeds, guidance, plain)


def row(
    model: Composer,
    part: str,
    name: str,
    values: tuple[float, ...],
    seeds: int,
    guidance: float,
    plain: list[Any],
) -> None:
    """Print what one control of one part comes to."""
    column = NAMES.index(name)
    asked, got, off, means, chance = [], [], [], [], []
    for value in values:
        wanted = int(level_of(np.array([value if n == name else np.nan for n in NAMES]))[column])
        settings = {"controls": Controls(**{name: value}), "guidance": guidance}
        found = list(pieces(model, part, seeds, settings))
        measured = np.array([piece[column] for piece in found])
        reached = [levels(piece)[column] for piece in found]
        asked += [value] * len(measured)
        got += measured.tolist()
        off += [abs(level - wanted) for level in reached if level != UNSAID]
        chance += [abs(piece[column] - wanted) for piece in plain if piece[column] != UNSAID]
        means.append(f"{value:g} → {np.nanmean(measured):.2g}")
    kept = ~np.isnan(got)
    rank = spearman(np.array(asked)[kept], np.array(got)[kept])
    print(
        f"| {part} | {name} | {', '.join(means)} | {rank:.2f} | {np.mean(off):.2f} of "
        f"{len(KINDS[column].levels)} | {np.mean(chance):.2f} |",
        flush=True,
    )


def pieces(model: Composer, part: str, seeds: int, settings: dict[str, Any]) -> Iterator[Any]:
    """Yield what a part measures in pieces that differ in seed and chords."""
    for seed in range(seeds):
        chords, key = CHORDS[seed % len(CHORDS)], KEYS[seed % len(KEYS)]
        shared = {"bars": 8, "key": key, "seed": seed}
        if part == "melody":
            yield measured(model, model.melody(chords, part="violin", **shared, **settings))
        else:
            tune = model.melody(chords, **shared)
            yield measured(model, model.arrange(tune, [part], key=key, seed=seed, **settings))


def measured(model: Composer, score: Score) -> Any:
    """Return what the last part of a score measures, shape (kinds,)."""
    grid = model.model.tokenizer.grid(score)
    return measure_parts(grid, np.ones((len(grid.bars), len(grid.parts)), bool))[-1]


def levels(values: Any) -> Any:
    return level_of(values)


def spearman(first: Any, second: Any) -> float:
    """Return the correlation of the ranks of two rows of numbers, ties at their middle."""

    def ranks(values: Any) -> Any:
        _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[which]

    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


if __name__ == "__main__":
    sys.exit(main())
