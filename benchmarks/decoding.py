"""How fast ids are decoded on a CPU, beside transformers, CTranslate2 and what memory allows.

    python -m benchmarks.decoding [--repetitions N] [--contexts 512,2048] [--threads 1,2]

Two models: the one in the package, its positions extended, and one of 14 million parameters and
random weights. Every figure is the best of some repetitions, and those of all decoders are made in
turns, since other work on the machine slows some of them down. A figure of context 512 is that of
the ids up to it, after a prompt of the others whose time is not counted. "Sampled" is with a mask
of ids that does not change, temperature and top-p. Peers that are not installed are named and left
out.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # what memory allows is one core's

import numpy as np
from safetensors.numpy import load_file, save_file

import composer
from benchmarks.decoding_peers import (
    TEMPERATURE,
    TOP_P,
    ctranslate2_generate,
    transformers_generate,
)
from composer.constraints.base import Constraint
from composer.generate.writer import TokenStream
from composer.masks.cell import CellMask
from composer.masks.demanded import BoundedNoteMask
from composer.masks.factory import CellRules
from composer.masks.line import LineNoteMask
from composer.model.cpu import CPUDecoder
from composer.model.model import PRETRAINED
from composer.model.weights import LlamaShape
from composer.request.sampling import Chooser, Sampling

NEW = 128  # ids decoded for a figure
TOGETHER = 8
PROMPT = ", its prompt"  # and one id; what a peer takes for these is taken off
LONGEST = 2048
#: As the shipped model, but wider and deeper.
LARGE = {
    "hidden_size": 384,
    "intermediate_size": 1120,
    "num_attention_heads": 12,
    "num_key_value_heads": 6,
    "num_hidden_layers": 8,
    "max_position_embeddings": LONGEST,
    "use_cache": True,  # by transformers
}

Figures = dict[str, float]


def shipped_model(folder: Path) -> Path:
    """Copy the model of the package, for longer contexts than it was trained for."""
    config = json.loads((PRETRAINED / "config.json").read_text())
    weights = load_file(PRETRAINED / "model.safetensors")
    return _save(folder, {**config, "max_position_embeddings": LONGEST, "use_cache": True}, weights)


def large_model(folder: Path) -> Path:
    """Make a model of random weights."""
    config = {**json.loads((PRETRAINED / "config.json").read_text()), **LARGE, "dtype": "float32"}
    shape = LlamaShape(
        config["vocab_size"],
        config["hidden_size"],
        config["intermediate_size"],
        config["num_hidden_layers"],
        config["num_attention_heads"],
        config["num_key_value_heads"],
        config["head_dim"],
        config["rms_norm_eps"],
        10000.0,
        LONGEST,
        config["tie_word_embeddings"],
    )
    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(0, 0.02, size).astype(np.float32) if len(size) == 2 else np.ones(size, "f")
        for name, size in shape.tensor_shapes()
    }
    return _save(folder, config, weights)


def _save(folder: Path, config: dict[str, object], weights: dict[str, np.ndarray]) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


class Ours:
    """What is measured of a decoder, in seconds for ``NEW`` ids a sequence."""

    def __init__(self, decoder: CPUDecoder, prompt: np.ndarray, allowed: np.ndarray) -> None:
        self.decoder, self.prompt, self.allowed = decoder, prompt, allowed
        decoder.reset()
        decoder.prefill(prompt)
        self.forks = [decoder.fork() for _ in range(TOGETHER)]
        self.rng = np.random.default_rng(0)
        self.ids = self.rng.integers(4, decoder.vocab_size, NEW).tolist()

    def steps(self) -> float:
        self.decoder.truncate(len(self.prompt))
        begin = time.perf_counter()
        for i in self.ids:
            self.decoder.step(i)
        return time.perf_counter() - begin

    def sampled(self) -> float:
        self.decoder.truncate(len(self.prompt) - 1)
        logits = self.decoder.step(int(self.prompt[-1]))
        chooser = Chooser(Sampling(TEMPERATURE, TOP_P))
        begin = time.perf_counter()
        for _ in range(NEW):
            logits = self.decoder.step(chooser.choose(logits, self.allowed, self.rng).id)
        return time.perf_counter() - begin

    def together(self) -> float:
        for fork in self.forks:
            fork.truncate(len(self.prompt))
        begin = time.perf_counter()
        for i in self.ids:
            CPUDecoder.step_together(self.forks, [(i,)] * TOGETHER)
        return time.perf_counter() - begin

    def verified(self) -> float:
        self.decoder.truncate(len(self.prompt))
        begin = time.perf_counter()
        for at in range(0, NEW, 8):
            self.decoder.verify(self.ids[at : at + 8])
        return time.perf_counter() - begin

    def prefill(self) -> float:
        """Return seconds for ``NEW`` ids of a prompt, as those of the whole prompt."""
        self.decoder.reset()
        begin = time.perf_counter()
        self.decoder.prefill(self.prompt)
        return (time.perf_counter() - begin) * NEW / len(self.prompt)


def memory_speed(size: int) -> float:
    """Return seconds to read so many bytes once, over and over, as floats that are summed up."""
    floats = np.ones(size // 4, np.float32)
    begin = time.perf_counter()
    for _ in range(NEW):
        floats @ floats
    return time.perf_counter() - begin


def bytes_read(decoder: CPUDecoder, context: int) -> int:
    """Return what one step reads: all weights but the other embeddings, and the cache so far."""
    return decoder.weight_bytes + decoder.cache_bytes * context // decoder.context_length


def peers(folder: Path, allowed: np.ndarray, threads: list[int]) -> dict[str, Callable]:
    """Return the peers that are installed, at each number of threads; names the others."""
    found = {}
    for name in ("transformers", "ctranslate2"):
        missing = [m for m in (name, "torch") if importlib.util.find_spec(m) is None]
        if missing:
            print(f"{name} is left out: {' and '.join(missing)} cannot be imported")
            continue
        for count in threads:
            make = (
                transformers_generate(folder, allowed, count)
                if name == "transformers"
                else ctranslate2_generate(folder, count)
            )
            found[f"{name} {'float32' if name == 'transformers' else 'int8'}, {count} thr."] = make
    return found


def measure(folder: Path, context: int, threads: list[int], repetitions: int) -> tuple:
    """Return the best seconds for ``NEW`` ids of each decoder, and the two of ours."""
    decoders = {
        precision: CPUDecoder.from_folder(folder, precision=precision)
        for precision in ("int8", "float32")
    }
    size = decoders["int8"].vocab_size
    rng = np.random.default_rng(1)
    prompt, allowed = rng.integers(4, size, context - NEW), rng.random(size) < 0.5
    ours = {name: Ours(decoder, prompt, allowed) for name, decoder in decoders.items()}
    todo: dict[str, Callable[[], float]] = {}
    for name, one in ours.items():
        todo[f"{name}, logits only"] = one.steps
        todo[f"{name}, sampled"] = one.sampled
        todo[f"{name}, {TOGETHER} at once"] = one.together
        todo[f"{name}, drafts of 8 verified"] = one.verified
        todo[f"{name}, prefill"] = one.prefill
        todo[f"{name}, memory"] = lambda d=one.decoder: memory_speed(bytes_read(d, context))
    prompts = {"": prompt[None], f", {TOGETHER} at once": np.repeat(prompt[None], TOGETHER, 0)}
    for name, generate in peers(folder, allowed, threads).items():
        for how, rows in prompts.items():
            todo[f"{name}{how}"] = lambda g=generate, p=rows: g(p, NEW + 1)
            todo[f"{name}{how}{PROMPT}"] = lambda g=generate, p=rows: g(p, 1)
    best: Figures = {}
    for _ in range(repetitions):
        for name, run in todo.items():
            best[name] = min(best.get(name, np.inf), run())
    for name in [name for name in best if name.endswith(PROMPT)]:
        best[name.removesuffix(PROMPT)] -= best.pop(name)
    return best, decoders


def report(title: str, context: int, best: Figures, decoders: dict[str, CPUDecoder]) -> None:
    """Print one table."""
    print(f"\n{title}, context {context}\n{'':38} tokens/s")
    speed = {
        name: NEW * (TOGETHER if "at once" in name else 1) / seconds
        for name, seconds in best.items()
        if "memory" not in name
    }
    for name, value in speed.items():
        print(f"{name:38} {value:8,.0f}")
    one, many = speed["int8, sampled"], speed[f"int8, {TOGETHER} at once"]
    for peer, target in (("transformers", 10), ("ctranslate2", 2)):
        alone = [v for n, v in speed.items() if n.startswith(peer) and "at once" not in n]
        if alone:
            print(f"against {peer}: {one / max(alone):.1f} times (wanted {target})")
    steps = speed["int8, logits only"]
    print(f"{TOGETHER} at once against one: {many / steps:.1f} times (wanted 3)")
    print(f"prefill against steps: {speed['int8, prefill'] / steps:.1f} times")
    for name, decoder in decoders.items():
        read, limit = bytes_read(decoder, context), NEW / best[f"{name}, memory"]
        print(
            f"{name}: weights {decoder.weight_bytes / 1e6:.1f} MB, "
            f"cache {decoder.cache_bytes * context / decoder.context_length / 1e6:.1f} MB; "
            f"memory at {read * limit / 1e9:.0f} GB/s would allow {limit:,.0f} tokens/s, "
            f"of which {speed[f'{name}, logits only'] / limit:.0%}"
        )


def verbs(repetitions: int) -> Figures:
    """Return the seconds that a user waits for music, warm."""
    tune = composer.melody("Am F C G", bars=8, seed=1)

    def arrangement(seed: int) -> None:
        composer.arrange(tune, ["piano", "bass", "strings", "drums"], seed=seed)

    todo = {
        "8 bars of melody": lambda seed: composer.melody("Am F C G", bars=8, seed=seed),
        "8 bars of 4 parts": arrangement,
        "first bar of a stream, melody": lambda seed: next(composer.stream("Am F", seed=seed)),
        "first bar of a stream, 4 parts": lambda seed: next(
            composer.stream("Am F", instruments=["piano", "bass", "drums"], seed=seed)
        ),
    }
    best: Figures = {}
    for seed in range(repetitions):
        for name, run in todo.items():
            begin = time.perf_counter()
            run(seed)
            best[name] = min(best.get(name, np.inf), time.perf_counter() - begin)
    return best


def constraints(tune: composer.Score) -> dict[str, list[Constraint]]:
    """Return constraints on an arrangement, by what they are about."""
    cells = [
        composer.InScale(parts=["piano", "bass"]),
        composer.OnsetCount(min=2, max=8, bars="1-7"),
        composer.Rhythm(required=[1, 3], parts=["bass"]),
        composer.MaxPolyphony(4),
    ]
    lines = [
        composer.MaxLeap(7, parts=["piano", "bass"]),
        composer.Cadence([1, 3, 5], 3, parts=["piano", "bass"]),
        composer.NoParallels(parts=("flute", "bass")),
        composer.NoQuote(tune, 6, parts=["piano", "bass"]),
    ]
    return {"none": [], "in cells": cells, "on lines": lines, "all": [*cells, *lines]}


def mask_share(repetitions: int, where: list[Constraint]) -> float:
    """Return which share of an arrangement's time goes into masks and sampling, the least."""
    tune = composer.melody("Am F C G", bars=8, seed=1)
    spent = 0.0

    def timed(function: Callable) -> Callable:
        def call(*arguments: object, **options: object) -> object:
            nonlocal spent
            begin = time.perf_counter()
            result = function(*arguments, **options)
            spent += time.perf_counter() - begin
            return result

        return call

    parts = [
        *((CellMask, "allowed"), (BoundedNoteMask, "allowed"), (CellMask, "accept")),
        *((LineNoteMask, "allows"), (CellRules, "mask"), (CellRules, "check")),
        *((Chooser, "choose"), (TokenStream, "append")),
    ]
    kept = [getattr(owner, name) for owner, name in parts]
    for (owner, name), function in zip(parts, kept, strict=True):
        setattr(owner, name, timed(function))
    shares = []
    for seed in range(repetitions):
        spent, begin = 0.0, time.perf_counter()
        composer.arrange(tune, ["piano", "bass", "drums"], where=where, seed=seed)
        shares.append(spent / (time.perf_counter() - begin))
    for (owner, name), function in zip(parts, kept, strict=True):
        setattr(owner, name, function)
    return min(shares)


def losses() -> Figures:
    """Return the loss a token on the tunes of the package, arranged, in each precision."""
    cells, found = composer.load().model.tokenizer, {}
    tunes = [composer.arrange(composer.example(n), seed=1) for n in composer.example_names()]
    rows = [cells.encode(tune)[:1024] for tune in tunes]
    for precision in ("int8", "float32"):
        decoder, total = CPUDecoder.from_folder(PRETRAINED, precision=precision), 0.0
        for row in rows:
            decoder.reset()
            logits = decoder.verify(row[:-1]).astype(np.float64)
            logits -= logits.max(1, keepdims=True)
            chances = logits - np.log(np.exp(logits).sum(1, keepdims=True))
            total -= chances[np.arange(len(row) - 1), row[1:]].sum()
        found[precision] = total / sum(len(row) - 1 for row in rows)
    return found


def new_process(code: str, repetitions: int) -> float:
    """Return the seconds of a new process, compiled code on disk, less those of an empty one."""

    def run(code: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
        return time.perf_counter() - begin

    times = [(run("pass"), run(code)) for _ in range(repetitions)]
    return min(t for _, t in times) - min(t for t, _ in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--contexts", default="512,2048")
    parser.add_argument("--threads", default="1,2", help="of the peers")
    options = parser.parse_args()
    threads = [int(count) for count in options.threads.split(",")]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as temporary:
        models = {
            "Shipped model, 4.0M": shipped_model(Path(temporary, "shipped")),
            "Random weights, 14.3M": large_model(Path(temporary, "large")),
        }
        for title, folder in models.items():
            for context in map(int, options.contexts.split(",")):
                best, decoders = measure(folder, context, threads, options.repetitions)
                report(title, context, best, decoders)
    print("\nSeconds that a user waits")
    waits = verbs(options.repetitions)
    waits["import composer, new process"] = new_process("import composer", options.repetitions)
    first = "import composer; composer.melody('C', bars=1, seed=1)"
    waits["import and a bar, new process"] = new_process(first, options.repetitions)
    for name, seconds in waits.items():
        print(f"{name:38} {seconds:.3f}")
    loss = losses()
    print(
        f"\nloss a token: int8 {loss['int8']:.4f}, float32 {loss['float32']:.4f}, "
        f"{loss['int8'] / loss['float32'] - 1:+.2%} (wanted within 0.5%)"
    )
    print("\nmasks and sampling, of an arrangement's time (wanted under 15%)")
    for name, where in constraints(composer.melody("Am F C G", bars=8, seed=1)).items():
        print(f"constraints {name:26} {mask_share(options.repetitions, where):.0%}")


if __name__ == "__main__":
    main()
