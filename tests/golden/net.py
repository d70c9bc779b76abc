"""Whether the library still does, to the bit, what it did: music, ids and refusals as hashes.

    python -m tests.golden.net [--seeds 40] [--only music ids refusals] [--files FOLDER] [--write]

Compares with ``hashes.json`` beside this file and prints what differs; ``--write`` keeps what comes
out in its place. Floats may round otherwise on another kind of processor, so hashes of music hold
on the kind that made them: a net to lay before a change of structure, and to hold while it lasts.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import composer
from composer import (
    Cadence,
    ChordTones,
    Controls,
    DrumPieces,
    Locked,
    MaxLeap,
    MaxPolyphony,
    NoParallels,
    OnsetCount,
    PitchRange,
    Playable,
    RequestError,
    Rhythm,
    Score,
)
from composer.tokenizers import REMI, Cells, REMIPlus
from tests.golden.refusals import REFUSED

HASHES = Path(__file__).with_name("hashes.json")
CHARTS = ("Am F C G", "| Dm7 G7 | Cmaj7 | % | F#m7b5 B7 | Em |", "C G Am F", "| Bb Eb | F7 Bb |")
KINDS = ("plain", "cells", "lines", "controls", "form", "locks")
VERBS = (
    "melody chords harmonize arrange infill extend vary reduce stream".split()
)  # each under each kind of request that it takes
FORMATS = {
    "remi": REMI,
    "remi+": REMIPlus,
    "performed": lambda: REMIPlus(
        dataclasses.replace(REMIPlus().config, microtiming=8, pedals=True)
    ),
    "cells": Cells,
}


def hashed(*parts: bytes | str) -> str:
    """Return a short hash of some parts."""
    whole = b"\n".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.sha256(whole).hexdigest()[:16]


def midi_bytes(score: Score) -> bytes:
    """Return the file that a score is written to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mid"
        score.write(path)
        return path.read_bytes()


def music(score: Score) -> str:
    """Return the hash of a score's MIDI bytes and of what its history says."""
    said = [
        f"{p.author.name} {p.author.verb} {p.author.seed} {p.author.key}" for p in score.history
    ]
    regions = [" ".join(map(str, patch.regions)) for patch in score.history]
    return hashed(midi_bytes(score), *said, *regions)


def settings(kind: str, parts: list[str]) -> dict[str, Any]:
    """Return the settings of a kind of request for some parts of a band."""
    lead = [part for part in parts if part != "drums"]
    if kind == "cells":
        where = [
            PitchRange("C2-C6", parts=lead),
            OnsetCount(min=1, max=6),
            MaxPolyphony(3, parts=lead),
        ]
        where += [DrumPieces("kick, snare, hi-hat", parts="drums")] if "drums" in parts else []
        return {"where": [*where, Rhythm(required=[1], parts=lead[:1])]}
    if kind == "lines":
        where = [MaxLeap(9, parts=lead[-1:]), ChordTones(passing=True, parts=lead[-1:])]
        where += [NoParallels(parts=lead[:2])] if len(lead) > 1 else []
        where += [Playable(parts=["piano"])] if "piano" in parts else []
        return {"where": where}
    if kind == "controls":
        return {
            "density": "sparse",
            "register": "C4",
            "controls": [Controls(dynamics="f", parts="piano")],
        }
    return {}


def requests(verb: str, kind: str, seed: int) -> Callable[[], list[Score]] | None:
    """Return a call of a verb under a kind of request; None where it takes no such."""
    chart = CHARTS[seed % len(CHARTS)]
    tune = composer.example(TUNES[seed % len(TUNES)])
    band = ["piano", "bass", "drums"]
    more = settings(kind, band[:2] if verb == "infill" else band)
    if verb == "melody":
        more = settings(kind, ["flute"])
        if kind == "controls":
            more["controls"] = Controls(dynamics="f", bars="2-3")
        if kind == "form":
            more = {"form": ("AABA", "ABA'", "A4 B4 A4")[seed % 3]}
        elif kind == "locks":
            more = {"where": [Locked([(2, 1, "A4", 1)]), Cadence(degree=1, beat=1)]}
        return lambda: [
            composer.melody(chart, seed=seed, bars=None if kind == "form" else 4, **more)
        ]
    if verb == "chords":
        plain = {
            "plain": {"bars": 8},
            "form": {"form": "AABA"},
            "cells": {"bars": 4, "chords_per_bar": 2},
        }
        key = ("C", "D minor", "Gb", "F#")[seed % 4]
        return (
            (lambda: [composer.chords(key=key, seed=seed, **plain[kind])])
            if kind in plain
            else None
        )
    if verb == "harmonize":
        return (lambda: [composer.harmonize(tune, seed=seed)]) if kind == "plain" else None
    if verb == "reduce":
        song = composer.arrange(composer.melody(chart, seed=seed), band, seed=seed)
        return (lambda: [composer.reduce(song)]) if kind == "plain" else None
    if verb == "stream":
        kinds = {"plain": {}, "controls": {"density": "sparse"}, "cells": {"notes": (1, 6)}}
        if kind not in kinds:
            return None
        return lambda: [
            *islice(composer.stream(chart, instruments=band, seed=seed, **kinds[kind]), 3)
        ]
    lead = composer.melody(chart, seed=seed)
    if verb == "arrange":
        source = tune if seed % 5 == 0 and kind == "plain" else lead
        if kind == "form":
            source = composer.melody(chart, form="ABA", seed=seed)
        if kind == "locks":
            more = {
                "where": [
                    Locked([(1, 1, "C3", 1)], parts="bass"),
                    Rhythm(required=[1, 3], parts="drums"),
                ]
            }
        return lambda: [composer.arrange(source, band, seed=seed, **more)]
    song = composer.arrange(lead, band, seed=seed)
    if kind == "form":
        return None
    if verb == "infill":
        if kind == "locks":
            return lambda: [composer.infill(song, "2", {"drums": "hi-hat"}, seed=seed, feel=True)]
        return lambda: [composer.infill(song, "2-3", ["piano", "bass"], seed=seed, **more)]
    if verb == "vary":
        more = more if kind != "locks" else {"bars": "2-4", "parts": {"drums": "hi-hat"}}
        return lambda: [composer.vary(song, 0.5, seed=seed, **more)]
    return (lambda: [composer.extend(song, bars=2, seed=seed, **more)]) if kind != "locks" else None


def all_music(seeds: int) -> Iterator[tuple[str, str]]:
    """Yield what each verb writes under each kind of request, a seed at a time."""
    for seed in range(seeds):
        for verb in VERBS:
            for kind in KINDS:
                call = requests(verb, kind, seed)
                if call is None:
                    continue
                try:
                    made = [music(score) for score in call()]
                except RequestError as error:
                    made = [f"refused: {error}"]
                yield f"{verb} {kind} {seed}", " ".join(made)


def all_ids(folder: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the ids of some files, and what they decode to, in each format."""
    files = [Path(name) for name in TUNES]
    if folder is not None:
        files = sorted(folder.rglob("*.mid"))
        files = random.Random(0).sample(files, min(50, len(files)))
    for file in files:
        score = Score.read(file) if folder else composer.example(str(file))
        for name, tokenizer in FORMATS.items():
            made = tokenizer()
            ids = made.encode(score)
            yield f"{name} {file.name}", hashed(ids.tobytes(), midi_bytes(made.decode(ids)))


def all_refusals() -> Iterator[tuple[str, str]]:
    """Yield what is said to each request that cannot be met."""
    for code in REFUSED:
        try:
            eval(
                code, {"composer": composer, **{n: getattr(composer, n) for n in composer.__all__}}
            )
        except composer.ComposerError as error:
            yield code, f"{type(error).__name__}: {error}"
        else:
            yield code, "was taken"


def main() -> None:
    """Compare, or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--only", nargs="*", default=["music", "ids", "refusals"])
    parser.add_argument("--files", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    kept = json.loads(HASHES.read_text()) if HASHES.exists() else {}
    made = {
        "music": lambda: all_music(given.seeds),
        "ids": lambda: [*all_ids(None), *(all_ids(given.files) if given.files else [])],
        "refusals": all_refusals,
    }
    differing = compared = 0
    for name in given.only:
        before, now = kept.setdefault(name, {}), {}
        for what, value in made[name]():
            now[what] = value
            if given.write:
                continue
            compared += 1
            if before.get(what) != value:
                differing += 1
                print(f"{name}: {what}\n  was {before.get(what)}\n  is  {value}", flush=True)
        if given.write:
            kept[name] = {**before, **now} if name != "refusals" else now
    if given.write:
        HASHES.write_text(json.dumps(kept, indent=0, ensure_ascii=False) + "\n")
    else:
        print(f"{compared} compared, {differing} differ")
    sys.exit(bool(differing))


TUNES = composer.example_names()

if __name__ == "__main__":
    main()
