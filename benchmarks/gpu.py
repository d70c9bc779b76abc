"""How fast ids are decoded on a GPU by torch, alone and in batches, beside what memory allows.

    python -m benchmarks.gpu [--device cuda] [--batches 1,32,256] [--contexts 512,2048]

Logits of the model in the package are held to those of the compiled decoder first. Steps are timed
for a model of 14 million parameters and random weights. A figure is the best of some
repetitions, each of some steps of one id for every sequence of the batch, up to the context, from
ids on the host to logits on the host. What a step must read is the weights once and the cache of
each sequence; how fast memory is, a copy says that is made in the same run and counted as read and
written. With ``--device cpu`` the same is measured on a CPU.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from composer.api import Composer
from composer.generate.batch import write_together
from composer.model.cpu import CPUDecoder
from composer.model.model import PRETRAINED
from composer.model.torch import TorchDecoder
from composer.planning.roles import part_rules
from composer.planning.write import SAMPLING
from composer.request.request import Request
from composer.score.instruments import parse_instrument

STEPS = 32
CHECKED = 256  # ids whose logits are held to those of the other decoder
BARS = 8
LONGEST = 2048  # positions


def large_model() -> LlamaForCausalLM:
    """Return a model as the shipped one, but wider, deeper and longer, of random weights."""
    config = LlamaConfig.from_pretrained(
        PRETRAINED,
        hidden_size=384,
        intermediate_size=1120,
        num_attention_heads=12,
        num_key_value_heads=6,
        num_hidden_layers=8,
        head_dim=32,
        max_position_embeddings=LONGEST,
    )
    torch.manual_seed(0)
    return LlamaForCausalLM(config)


def best(run: Callable[[], object], repetitions: int) -> float:
    """Return the least seconds of some runs."""
    seconds = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def memory_speed(device: str, repetitions: int) -> float:
    """Return the bytes a second that a copy reads and writes, far larger than any cache."""
    size = 1 << (32 if device.startswith("cuda") else 28)
    source = torch.ones(size // 2, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)

    def run() -> None:
        target.copy_(source)
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)

    run()
    return size / best(run, 3 * repetitions)


def precisions(device: str) -> list[str]:
    """Return the precisions to decode with on a device."""
    return ["bfloat16", "float32"] if device.startswith("cuda") else ["float32"]


def agreement(decoder: TorchDecoder, expected: np.ndarray, ids: np.ndarray) -> str:
    """Say how near the logits (T, V) after some ids are, one id at a time."""
    decoder.reset()
    found = np.array([decoder.step(int(i)) for i in ids])
    decoder.reset()
    away = np.abs(found - expected).max() / expected.std()
    same = (found.argmax(1) == expected.argmax(1)).mean()
    return f"farthest logit {away:.1e} deviations away, likeliest id the same for {same:.1%}"


def steps(decoder: TorchDecoder, batch: int, context: int, repetitions: int) -> float:
    """Return seconds of a step for a batch whose sequences come to fill a context."""
    rng = np.random.default_rng(1)
    decoder.reset()
    decoder.prefill(rng.integers(4, decoder.vocab_size, context - STEPS))
    forks = [decoder, *(decoder.fork() for _ in range(batch - 1))]
    ids = rng.integers(4, decoder.vocab_size, (STEPS, batch, 1))

    def run() -> None:
        for fork in forks:
            fork.truncate(context - STEPS)
        for row in ids:
            TorchDecoder.step_together(forks, row)

    run()
    return best(run, repetitions) / STEPS


def measure(model: LlamaForCausalLM, options: argparse.Namespace, speed: float) -> None:
    """Print the figures of a model."""
    config = model.config
    layers = config.num_hidden_layers * config.num_key_value_heads * config.head_dim
    for precision in precisions(options.device):
        placed = model.to(options.device, getattr(torch, precision))
        size = placed.dtype.itemsize
        print(precision)
        for context in options.contexts:
            for batch in options.batches:
                # Another decoder for each: memory for many sequences is not kept for one.
                decoder = TorchDecoder(placed, context_length=context)
                seconds = steps(decoder, batch, context, options.repetitions)
                read = size * (model.num_parameters() + batch * 2 * layers * context)
                print(
                    f"  context {context}, batch {batch:3}: {batch / seconds:10,.0f} tokens/s, "
                    f"{1e3 * seconds:7.2f} ms a step; {read / 1e6:8,.1f} MB to read, "
                    f"{read / seconds / speed:6.1%} of what memory allows"
                )
                del decoder


def melodies(options: argparse.Namespace) -> None:
    """Print how long whole melodies take, masks and sampling included."""
    composer = Composer.load()
    tune = composer.melody("Am F C G", bars=BARS, seed=1)
    grid = composer.model.tokenizer.grid(tune)
    written = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool)
    written[:, 1] = True
    rules = (part_rules(parse_instrument("flute"), "melody"),)
    for precision in precisions(options.device):
        decoder = TorchDecoder.from_folder(PRETRAINED, device=options.device, precision=precision)
        for batch in options.batches:
            requests = [Request(grid, written, rules, SAMPLING, seed=i) for i in range(batch)]
            seconds = best(
                lambda d=decoder, r=requests: write_together(r, d, composer.model.tokenizer),
                options.repetitions,
            )
            print(
                f"  {precision}, {batch:3} at once: {seconds:.2f} s, {batch / seconds:.1f} a second"
            )


def sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", type=sizes, default="1,32,256")
    parser.add_argument("--contexts", type=sizes, default=f"512,{LONGEST}")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of a CPU; torch chooses without it")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    on_gpu = options.device.startswith("cuda") and torch.cuda.is_available()
    machine = torch.cuda.get_device_name(options.device) if on_gpu else platform.processor()
    print(f"{machine or platform.machine()}, torch {torch.__version__}")
    decoder = TorchDecoder.from_folder(PRETRAINED, device=options.device, precision="float32")
    ids = np.random.default_rng(0).integers(4, decoder.vocab_size, CHECKED)
    compiled = CPUDecoder.from_folder(PRETRAINED, precision="float32")
    print(agreement(decoder, compiled.verify(ids), ids))
    speed = memory_speed(options.device, options.repetitions)
    print(f"a copy reads and writes {speed / 1e9:,.0f} GB/s")
    print("\nRandom weights, 14.3M")
    measure(large_model(), options, speed)
    print(f"\n{BARS} bars of melody by the shipped model, start to end")
    melodies(options)


if __name__ == "__main__":
    main()
