"""Random requests under random constraints on random weights, each of them met or rightly refused.

    python -m tests.brute.obey [--count 10000] [--small 100] [--seed 0] [--first 0]

Request ``i`` of a seed is the same everywhere, so ``--first i --count 1`` repeats it. Fails where
the checker finds a breach, where sampling raises anything, or where a request is refused that
counting, by code of its own, does not find impossible. Of each kind of small requests so many are
tried as well, and their refusals confirmed by brute force.
"""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from collections import Counter
from functools import partial
from itertools import product

from composer.errors import RequestError
from composer.generate.writer import Writer
from composer.model.cpu import CPUDecoder
from composer.tokenizers.cells.cells import Cells
from tests.brute import asked, small
from tests.conftest import random_model

CONTEXTS = (320, 512, 1024)  # ids


def outcome(request, where, decoder, tokenizer, refused):
    """Return what became of a request: a name, and what is wrong or nothing."""
    decoder.reset()
    try:
        writer = Writer(request, decoder, tokenizer)
    except RequestError as error:
        return refused(request, where, str(error))
    try:
        asked.finish(writer)
    except Exception:
        return "raised", traceback.format_exc()
    wrong = [str(breach) for breach in asked.breaches(request, writer.grid, where)]
    before = {*asked.breaches(request, asked.given_notes(request), where, written=False)}
    after = {*asked.breaches(request, writer.grid, where, written=False)}
    added = {(b.constraint, b.part, b.bar) for b in after} - {
        (b.constraint, b.part, b.bar) for b in before
    }
    wrong += [f"new in a given cell: {breach}" for breach in added]
    return ("breach" if wrong else "met"), "; ".join(wrong)


def recounted(request, where, text):
    """Return what became of a request that is refused, and what counting finds wrong with that."""
    if "model's context" in text:
        return "refused: too long", ""
    if text.startswith(("no chords", "no single chord")) or "the rules leave no pitch" in text:
        return "refused: chords", ""
    if "can be planned ahead" in text:
        return "refused: too long", ""
    if text.startswith("no lines of"):
        return f"refused: no lines{' found' * ('were found' in text)}", ""
    if "as far as bar" in text:
        row = int(re.search(r"part (\d+)", text).group(1)) - 1
        locked = request.locked.tolist()
        if not asked.has_line(asked.given_notes(request), where, request.written, row, locked):
            return "refused: no line", ""
        return "wrongly refused", text
    bar, row = map(int, re.search(r"bar (\d+) of part (\d+)", text).groups())
    if request.written[bar - 1, 0] and any(c.by_chord for c in where):
        return "refused: chords", ""
    if asked.is_impossible(request, where, bar - 1, row - 1):
        return "refused", ""
    return "wrongly refused", text


def main(arguments=None):
    """Write as many requests as asked for, print what became of them; return whether any failed."""
    parser = argparse.ArgumentParser(description="Check that constraints hold on random weights.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--small", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args(arguments)
    tokenizer = Cells()
    decoders = [CPUDecoder(*random_model(tokenizer.vocab_size, n)) for n in CONTEXTS]
    counts: Counter[str] = Counter()

    def count(kind, index, asked_for, decoder, refused):
        name, failure = outcome(*asked_for, decoder, tokenizer, refused)
        counts[f"{kind}{name}"] += 1
        if failure:
            print(f"{kind}{index}: {name}: {failure}", flush=True)

    for index in range(options.first, options.first + options.count):
        decoder = decoders[index % len(CONTEXTS)]
        count("", index, asked.random_asked(options.seed * 10**7 + index), decoder, recounted)
    for kind, index in product(small.KINDS, range(options.first, options.first + options.small)):
        tiny = small.KINDS[kind].request(options.seed * 10**7 + index)
        count(f"small {kind}: ", index, tiny, decoders[-1], partial(small.refused, kind))
    print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    return int(any(name.endswith(("breach", "raised", "wrongly refused")) for name in counts))


if __name__ == "__main__":
    sys.exit(main())
