"""Whether it would pay to draft the next ids from the piece itself and verify them in one pass.

    python -m benchmarks.drafts FOLDER [--pieces N]

FOLDER holds MIDI files of melodies, which are arranged for piano, bass and drums. Wherever the last
few ids were said before in a sequence, what followed them then is the draft. It is right as far as
it is what was sampled, which is what a verifying sampler would have sampled too. What a pass over
so many ids costs is measured in the same run, and with it what drafting would save.
"""

from __future__ import annotations

import argparse
import copy
import time
import warnings
from pathlib import Path

import numpy as np

from composer import Composer, Score, load

SUFFIXES = (8, 6, 4, 3)  # ids that have to be the same, the most first


class Listener:
    """A grammar that writes down what is said."""

    def __init__(self, grammar):
        self.grammar = grammar
        self.sequences = []

    def __getattr__(self, name):
        return getattr(self.grammar, name)

    def start(self):
        self.sequences.append([])
        return self.grammar.start()

    def advance(self, cursor, index):
        self.grammar.advance(cursor, index)
        self.sequences[-1].append(index)


def draft(said: list[int], most: int) -> list[int]:
    """Return what followed when the last ids were said before."""
    for length in SUFFIXES:
        suffix = said[-length:]
        for end in range(len(said) - 1, length - 1, -1):
            if said[end - length : end] == suffix:
                return said[end : end + most]
    return []


def passes(sequence: list[int], begin: int, most: int) -> list[tuple[int, int]]:
    """Return for each pass how many ids were drafted, and how many of them were right."""
    found, at = [], begin
    while at < len(sequence):
        drafted = draft(sequence[:at], most)
        pairs = zip(drafted, sequence[at:], strict=False)
        right = next((i for i, (a, b) in enumerate(pairs) if a != b), len(drafted))
        right = min(right, len(sequence) - at)
        found.append((len(drafted), right))
        at += right + 1
    return found


def pass_seconds(decoder, ids: int, repeats: int = 30) -> float:
    """Return the least time of a pass over some ids, behind 500 others."""
    decoder.reset()
    decoder.prefill(np.arange(500) % decoder.vocab_size)
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        decoder.verify([300] * ids)
        best = min(best, time.perf_counter() - begin)
        decoder.truncate(500)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pieces", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    model = load().model
    listener = Listener(model.tokenizer.grammar)
    tokenizer = copy.copy(model.tokenizer)
    tokenizer.grammar = listener
    paths = sorted(arguments.folder.rglob("*.mid"))
    for path in paths[:: max(1, len(paths) // arguments.pieces)][: arguments.pieces]:
        Composer(model.decoder, tokenizer).arrange(Score.read(path), seed=1)
    fill = tokenizer.vocabulary.base["Fill"]
    sequences = [said for said in listener.sequences if fill in said]

    single = pass_seconds(model.decoder, 1)
    print(f"{'drafted at most':>16}{'right':>8}{'ids a pass':>12}{'pass costs':>12}{'speed':>8}")
    for most in (1, 2, 3, 4, 8):
        rows = [row for said in sequences for row in passes(said, said.index(fill) + 1, most)]
        drafted, right = map(sum, zip(*rows, strict=True))
        costs = {n: pass_seconds(model.decoder, n + 1) / single for n in {n for n, _ in rows}}
        cost = sum(costs[n] for n, _ in rows) / len(rows)
        gain = (right / len(rows) + 1) / cost
        print(
            f"{most:16}{right / max(1, drafted):8.0%}{right / len(rows) + 1:12.2f}{cost:12.2f}"
            f"{gain:8.2f}"
        )
    print("\nspeed: ids a pass over what a pass costs; below 1, drafting is slower than not")


if __name__ == "__main__":
    main()
