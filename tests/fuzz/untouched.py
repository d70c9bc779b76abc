"""Real files edited by chance: what was not asked for stays, to the tick.

    python -m tests.fuzz.untouched FOLDER [--count 500] [--seed 0] [--first 0]

Takes files of a folder in an order drawn from the seed, and edits each with verbs on a model of
random weights. Fails where an event outside the cells asked for has changed, in the score or in the
file that is written of it, where a patch and its revert are not nothing, or where two edits of
cells apart come to different scores. What lies in which cell is judged here by code of its own.
``tests/fuzz/test_untouched.py`` tries out the files of ``tests/data``.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path

import mido
import numpy as np

from composer.api import Composer
from composer.edits.cells import own_bars
from composer.errors import RequestError, TokenError
from composer.model.cpu import CPUDecoder
from composer.score.score import Score
from composer.tokenizers.cells.cells import Cells
from tests.conftest import random_model

MOST_BARS = 24  # of a piece that is written from end to end


def infill(composer, score, rng):
    """Some bars of some parts, the chords among them or not."""
    bars = own_bars(score)
    first = rng.integers(1, bars + 1)
    last = min(bars, first + rng.integers(3))
    columns = [column for column in range(len(score.tracks) + 1) if rng.random() < 0.4] or [1]
    names = [column or "chords" for column in columns[:6] if column <= len(score.tracks)]
    after = composer.infill(score, f"{first}-{last}", names or ["chords"], seed=int(first))
    return after, {(c, bar) for c in columns[:6] for bar in range(first, last + 1)}


def vary(composer, score, rng):
    """A cell or a few, with the feel of those around."""
    amount = float(rng.uniform(0, 4)) / (1 + own_bars(score) * len(score.tracks))
    after = composer.vary(score, min(1, max(0.001, amount)), seed=int(rng.integers(99)), feel=True)
    regions = after.history[-1].regions
    return after, {(r.part, bar) for r in regions for bar in range(r.first, r.last + 1)}


def arrange(composer, score, rng):
    """Two new parts; chords where there are none."""
    after = composer.arrange(score, ["bass", "drums"], seed=int(rng.integers(99)))
    new = {0} if not score.chords else set()
    new |= {len(score.tracks) + 1, len(score.tracks) + 2}
    return after, {(c, bar) for c in new for bar in range(1, own_bars(score) + 1)}


def harmonize(composer, score, rng):
    """New chords and a track of them."""
    after = composer.harmonize(score, seed=int(rng.integers(99)))
    new = (0, len(score.tracks) + 1)
    return after, {(c, bar) for c in new for bar in range(1, own_bars(score) + 1)}


def extend(composer, score, rng):
    """Bars after the end."""
    bars, new = own_bars(score), int(rng.integers(1, 3))
    after = composer.extend(score, new, seed=int(rng.integers(99)))
    columns = range(len(score.tracks) + 1)
    return after, {(c, bar) for c in columns for bar in range(bars + 1, bars + new + 1)}


#: Each takes a composer, a score and a generator, and returns what the verb made and the cells that
#: it was asked for, as pairs of a column (0 for the chords) and a bar from 1.
SHORT_EDITS = (infill, vary, extend)
WHOLE_EDITS = (arrange, harmonize)


class Cell:
    """Which cell an event is in, by the meter of the score's file as mido reads it, in ticks."""

    def __init__(self, score, bars):
        signatures = {0: (4, 4)}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "score.mid")
            score.replace(tracks=(), chords=(), history=()).write(path)
            file = mido.MidiFile(path)
        for track in file.tracks:
            tick = 0
            for message in track:
                tick += message.time
                if message.type == "time_signature":
                    signatures[tick] = message.numerator, message.denominator
        assert file.ticks_per_beat == score.tpq
        changes = sorted(signatures)
        self.starts = []
        for begin, end in zip(changes, [*changes[1:], None], strict=True):
            numerator, denominator = signatures[begin]
            bar = 0
            while len(self.starts) <= bars:
                start = begin + bar * 4 * score.tpq * numerator // denominator
                if end is not None and start >= end:
                    break
                self.starts.append(start)
                bar += 1
        self.early = score.tpq / 24

    def bars(self, tick):
        """Return the bar that a tick lies in, from 1, and the next if it is a little early for it.

        What comes after the last bar belongs to the last.
        """
        bar = max(i for i, start in enumerate(self.starts[:-1]) if start <= tick) + 1
        early = bar < len(self.starts) - 1 and tick >= self.starts[bar] - self.early
        return {bar, bar + 1} if early else {bar}

    def is_outside(self, column, tick, cells):
        """Return whether an event of a column lies in none of some cells."""
        return not {(column, bar) for bar in self.bars(tick)} & cells


def changed(before, after, cells):
    """Return what has changed outside some cells, as lines."""
    wrong = []
    bars = max([own_bars(before), *(bar for _, bar in cells)])
    cell = Cell(before, bars)
    for name in ("tpq", "tempos", "time_signatures", "key_signatures", "markers"):
        if not np.array_equal(getattr(before, name), getattr(after, name)):
            wrong.append(f"{name} differ")
    if len(after.tracks) < len(before.tracks):
        return [*wrong, "tracks are gone"]
    for row, old in enumerate(before.tracks):
        new = after.tracks[row]
        for name in ("name", "program", "is_drum", "lyrics", "controls", "pitch_bends", "pedals"):
            if not np.array_equal(getattr(old, name), getattr(new, name)):
                wrong.append(f"{name} of track {row + 1} differ")
        outside = [
            Counter(
                n for n in map(tuple, t.notes.tolist()) if cell.is_outside(row + 1, n[0], cells)
            )
            for t in (old, new)
        ]
        for verb, notes in (("lost", outside[0] - outside[1]), ("new", outside[1] - outside[0])):
            wrong += [f"{verb} in track {row + 1}, bar {cell.bars(n[0])}: {n}" for n in notes]
    return wrong + changed_chords(before, after, cells, cell)


def changed_chords(before, after, cells, cell):
    """Return what has changed in the chords outside some bars, as lines.

    Behind a bar that was written a chord may be said again that held on from before.
    """
    texts = [
        [text for text in score.chords if cell.is_outside(0, text.tick, cells)]
        for score in (before, after)
    ]
    again = []
    for text in Counter(texts[1]) - Counter(texts[0]):
        near = [i for i, start in enumerate(cell.starts) if abs(start - text.tick) <= cell.early]
        for bar in near:  # counted from 1, the one before
            begin = cell.starts[bar] - cell.early
            held = ["N.C.", *(t for at, t in before.chords if at < begin)]
            if (0, bar) in cells and text.text == held[-1]:
                again.append(text)
    for text in again:
        texts[1].remove(text)
    return [] if texts[0] == texts[1] else [f"chords were {texts[0]}, and are {texts[1]}"]


def written(score):
    """Return a score as it comes back from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "score.mid")
        score.write(path)
        return Score.read(path)


def without_open_pedals(score):
    """Return a score without pedals that are never let go: they last as long as the notes."""
    tracks = []
    for track in score.tracks:
        sustain = track.controls[track.controls["number"] == 64]
        is_open = len(sustain) and sustain["value"][-1] >= 64
        tracks.append(track.replace(pedals=track.pedals[:-1]) if is_open else track)
    return score.replace(tracks=tracks)


def outcome(composer, score, edit, rng):
    """Return an edited score and its cells, and what is wrong with it as lines."""
    after, cells = edit(composer, score, rng)
    wrong = changed(score, after, cells)
    patch = after.history[-1]
    made = score.apply(patch)
    if made != after:
        wrong.append("the patch does not make what the verb made")
    if made.apply(patch.revert()) != score or after.undo() != score:
        wrong.append("applied and reverted it is not what it was")
    again = written(after)
    if written(score) == score:
        held, kept = without_open_pedals(score), without_open_pedals(again)
        wrong += [f"in the file: {line}" for line in changed(held, kept, cells)]
    if not after.certificate().holds:
        wrong.append(str(after.certificate()))
    return after, cells, wrong


def edits_of(score, rng):
    """Return the edits to try out on a score."""
    short = list(SHORT_EDITS)
    if own_bars(score) <= MOST_BARS and len(score.tracks) <= 60:
        short.append(WHOLE_EDITS[rng.integers(len(WHOLE_EDITS))])
    return short


def try_out(composer, score, rng):
    """Return what is wrong after a few edits of a score, and how many were made and refused."""
    made, wrong, counts = [], [], Counter()
    for edit in [*edits_of(score, rng), infill]:
        try:
            after, cells, lines = outcome(composer, score, edit, rng)
        except (RequestError, TokenError) as error:
            counts[f"refused: {str(error)[:40]}"] += 1
            continue
        counts[edit.__name__] += 1
        wrong += [f"{edit.__name__}: {line}" for line in lines]
        made.append((after.history[-1], cells))
    for i, (first, own) in enumerate(made):
        for second, other in made[:i]:
            if own & other:
                continue
            counts["pairs of patches"] += 1
            if score.apply(first).apply(second) != score.apply(second).apply(first):
                wrong.append(f"{first} and {second} do not commute")
    return wrong, counts


def main(arguments=None):
    """Edit as many files as asked for, print what became of them; return whether any failed."""
    parser = argparse.ArgumentParser(description="Check that edits leave all else as it was.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args(arguments)
    files = sorted(options.folder.rglob("*.mid"))
    random.Random(options.seed).shuffle(files)
    tokenizer = Cells()
    composer = Composer(CPUDecoder(*random_model(tokenizer.vocab_size, 1024)), tokenizer)
    counts, failures = Counter(), 0
    for index, path in enumerate(files[options.first : options.first + options.count]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                rng = np.random.default_rng([options.seed, index])
                wrong, found = try_out(composer, Score.read(path), rng)
            except Exception:
                wrong, found = [traceback.format_exc()], Counter()
        counts += found
        if wrong:
            failures += 1
            print(f"{path}:\n  " + "\n  ".join(wrong[:5]), flush=True)
    print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    print(f"{failures} of {min(options.count, len(files))} files failed")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
