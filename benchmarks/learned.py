"""How much shorter a learned vocabulary makes sequences, beside MidiTok's BPE.

    python -m benchmarks.learned FOLDER [--files N] [--sizes 2048 8192 32768] [--boundaries part]

FOLDER holds MIDI files, of which N are drawn by their names; four in five of them are trained on,
the others measured. ``miditok`` is optional and named when missing. Every tokenizer counts the
notes that it says itself: REMI leaves out drums. MidiTok is asked for our resolution, bins and
time signatures, merges inside bars, as ours do by default, and is trained on the same files.
Milliseconds are CPU time of loading and encoding, the least of three rounds.
"""

from __future__ import annotations

import argparse
import random
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tokenizing import OPTIONS
from composer.tokenizers import BPE, REMI, Cells, REMIPlus
from composer.tokenizers.bpe.bpe import BOUNDARIES


def peers() -> dict[str, Any]:
    """Return a maker of each of MidiTok's tokenizers, by the name of ours."""
    try:
        from miditok import REMI, TokenizerConfig
    except ModuleNotFoundError as error:
        if error.name != "miditok":
            raise
        print("miditok is missing: `pip install miditok==3.1.0` to compare with it\n")
        return {}
    options = {**OPTIONS, "encode_ids_split": "bar"}
    return {"remi+": lambda: REMI(TokenizerConfig(**options))}


def least_ms(read: Any, paths: list[Path]) -> float:
    """Return the CPU time a file, the least of three rounds."""
    rounds = []
    for _ in range(3):
        begin = time.process_time()
        for path in paths:
            read(path)
        rounds.append(1000 * (time.process_time() - begin) / len(paths))
    return min(rounds)


def show(
    name: str, size: int, counts: tuple[float, ...], seconds: float, plain: float, learned: float
) -> None:
    notes, sequences, before, after = counts
    print(
        f"{name:24}{size:>8}{before / notes:>9.2f}{after / notes:>8.2f}{before / sequences:>10.0f}"
        f"{after / sequences:>8.0f}{before / after:>8.2f} x{seconds:>9.1f}"
        f"{plain:>9.2f}{learned:>8.2f}",
        flush=True,
    )


def ours(
    base: Any, train: list[Path], held_out: list[Path], sizes: list[int], boundaries: list[str]
) -> None:
    corpus, others = ([base.encode(path) for path in paths] for paths in (train, held_out))
    plain = least_ms(base.encode, held_out)
    for boundary in boundaries:
        for size in sizes:
            begin = time.perf_counter()
            bpe = BPE.train(base, corpus, size, boundary=boundary)
            seconds = time.perf_counter() - begin
            report = bpe.compression(others)
            counts = (report.notes, report.sequences, report.base_ids, report.ids)
            learned = least_ms(bpe.encode, held_out)
            show(f"{base.format}, {boundary}", bpe.vocab_size, counts, seconds, plain, learned)
            check = (np.array_equal(bpe.expand(bpe.merge(ids)), ids) for ids in others)
            assert all(check), "a sequence came back changed"


def theirs(name: str, make: Any, train: list[Path], held_out: list[Path], sizes: list[int]) -> None:
    plain = make()
    plain_ms = least_ms(plain.encode, held_out)
    before = [plain.encode(path) for path in held_out]
    pitches = {i for token, i in plain.vocab.items() if token.startswith(("Pitch_", "PitchDrum_"))}
    notes = sum(i in pitches for sequence in before for i in sequence.ids)
    for size in sizes:
        tokenizer = make()
        begin = time.perf_counter()
        tokenizer.train(vocab_size=size, model="BPE", files_paths=train)
        seconds = time.perf_counter() - begin  # of which most goes into reading the files
        after = sum(len(tokenizer.encode(path).ids) for path in held_out)
        counts = (notes, len(held_out), sum(len(sequence.ids) for sequence in before), after)
        learned = least_ms(tokenizer.encode, held_out)
        show(f"{name}, MidiTok", len(tokenizer), counts, seconds, plain_ms, learned)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2048, 8192, 32768])
    parser.add_argument("--boundaries", nargs="+", choices=BOUNDARIES, default=["part"])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    bases, others = (REMI(), REMIPlus(), Cells()), peers()
    readers = [base.encode for base in bases] + [make().encode for make in others.values()]
    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix in (".mid", ".midi"))
    random.Random(0).shuffle(paths)
    kept: list[Path] = []
    refused = 0
    for path in paths:
        if len(kept) == arguments.files:
            break
        try:
            for read in readers:
                read(path)
        except Exception:  # a peer may fail in any way
            refused += 1
        else:
            kept.append(path)
    if len(kept) < 5:
        parser.error(f"{arguments.folder} holds {len(kept)} MIDI files that can be read, not 5")
    cut = len(kept) * 4 // 5
    train, held_out = kept[:cut], kept[cut:]
    print(f"trained on {len(train)} files, measured on {len(held_out)}; {refused} refused\n")
    heads = (("ids a note", 17), ("mean length", 18), ("shorter", 10), ("training", 9))
    above = "".join(f"{head:>{width}}" for head, width in (*heads, ("ms a file", 17)))
    print(f"{'':24}{'ids':>8}{above}")
    below = f"{'before':>9}{'after':>8}{'before':>10}{'after':>8}{'':10}{'s':>9}"
    print(f"{'':32}{below}{'plain':>9}{'merged':>8}")
    for base in bases:
        ours(base, train, held_out, arguments.sizes, arguments.boundaries)
        if base.format in others:
            theirs(base.format, others[base.format], train, held_out, arguments.sizes)


if __name__ == "__main__":
    main()
