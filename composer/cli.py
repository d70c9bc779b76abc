"""The command line: a subcommand for each verb, and ``tokenize``, ``train`` and ``demo``."""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from composer._version import __version__
from composer.errors import ComposerError, ComposerWarning

Command = Callable[..., Any]


class _OneLine(click.Group):
    """A group whose commands say errors and warnings in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what the library refuses is an error of use, not of the program."""
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except (ComposerError, OSError) as error:
                raise click.ClickException(str(error)) from None


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, ComposerWarning):
        click.echo(f"Warning: {message}", err=True)


def _all(*options: Command) -> Command:
    """Return a decorator that adds options in the order given."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _out(default: str) -> Command:
    return click.option(
        "--out",
        "-o",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        default=default,
        show_default=True,
        callback=_check_folder,
        help="MIDI file to write; - for standard output.",
    )


def _check_folder(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
    """Say that a folder is missing before the work is done rather than after."""
    if path is not None and str(path) != "-" and not path.absolute().parent.is_dir():
        raise click.ClickException(f"there is no folder {path.parent}; make it first")
    return path


def _number_or_word(_: click.Context, __: click.Parameter, text: str | None) -> float | str | None:
    """Return a number where there is one."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _least_and_most(text: str | None) -> int | tuple[int, int] | None:
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text or "")
    if text is not None and not found:
        raise click.ClickException(f"--notes {text} cannot be read; for example 4 or 2-6")
    if not found:
        return None
    return int(found[1]) if found[2] is None else (int(found[1]), int(found[2]))


def _by_part(option: str, texts: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return parts that stand alone, and what is said of the others, as PART=SAID,SAID."""
    alone: list[str] = []
    said: dict[str, list[str]] = {}
    for text in texts:
        own = alone
        for word in text.split(","):
            part, sign, first = (half.strip() for half in word.rpartition("="))
            if sign and part in said:
                raise click.ClickException(
                    f"{option} names {part} twice; say all of it at once, with commas"
                )
            if sign:
                own = said[part] = []
            own.append(first)
    return alone, said


def _parts_and_pieces(texts: Sequence[str]) -> list[str] | dict[str, list[str] | None] | None:
    """Return parts, or pieces of the kit by part where some are named."""
    alone, said = _by_part("--parts", texts)
    return {**dict.fromkeys(alone), **said} if said else [*filter(None, alone)] if texts else None


def _bars_by_part(texts: Sequence[str]) -> dict[str, list[str]] | None:
    alone, said = _by_part("--cells", texts)
    for part in alone:
        raise click.ClickException(f"--cells {part} cannot be read; for example piano=5-8")
    return said or None


_midi = click.Path(path_type=Path, dir_okay=False)
_key = click.option("--key", help="Home key, such as 'A minor'; judged by chords or notes without.")
_sampling = _all(
    click.option("--seed", type=int, help="The same seed writes the same music."),
    click.option("--temperature", default=0.9, show_default=True, help="0 is safest, 5 wildest."),
    click.option(
        "--top-p", default=0.95, show_default=True, help="Likeliest share to choose from."
    ),
    click.option("-n", "--n", type=int, help="Write so many and keep the best."),
    click.option("--style", help="One the model knows, such as hymn or song."),
    click.option("--guidance", type=float, help="How much what is aimed at weighs; 1 without."),
    click.option(
        "--model",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of a model you trained; the one in the package without.",
    ),
)
_notes = _all(
    click.option("--range", help="Lowest and highest pitch, such as C4-C6."),
    click.option(
        "--polyphony",
        callback=lambda _, __, text: int(text) if text and text.isdigit() else text,
        help="Most notes of a part at once; a word such as thin is only aimed at.",
    ),
    click.option(
        "--notes",
        callback=lambda _, __, text: _least_and_most(text),
        help="Onsets a bar: 4 or 2-6.",
    ),
    *(
        click.option(name, callback=_number_or_word, help=f"{meaning}: a number or a word.")
        for name, meaning in (
            ("--density", "Onsets a beat"),
            ("--register", "Mean pitch"),
            ("--note-length", "In beats"),
            ("--dynamics", "Mean velocity"),
            ("--syncopation", "Share of onsets"),
        )
    ),
    click.option("--influence", type=_midi, help="MIDI file to read such aims off."),
    click.option("--feel", is_flag=True, help="Play what is new as the notes around it."),
)
_new_piece = _all(
    click.option("--meter", help="Time signature; 4/4 without."),
    click.option("--tempo", type=float, help="Quarter notes a minute; 110 without."),
    click.option("--bars", type=int, help="Number of bars."),
)
_chord_part = _all(
    click.option("--part", default="piano", show_default=True, help="Instrument for the chords."),
    click.option("--chords-per-bar", type=int, help="1 to 4; the model decides without."),
)
_form = click.option("--form", help="A letter a section, such as AABA or 'A8 A8 B4 A8'.")
_parts = click.option(
    "--parts",
    multiple=True,
    metavar="PARTS",
    callback=lambda _, __, texts: _parts_and_pieces(texts),
    help="Tracks by name, number or role, with commas; all without. Of drums some pieces of the "
    "kit alone: drums=hi-hat,ride.",
)


@click.group(cls=_OneLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="composer")
def main() -> None:
    """Write music with a machine, as MIDI you can edit.

    \b
    Example: composer melody "Am F C G" --part violin -o tune.mid
             composer arrange tune.mid --instruments piano,bass,drums -o song.mid
    """


@main.command()
@click.argument("chords", required=False)
@_key
@_new_piece
@click.option("--part", default="flute", show_default=True, help="Instrument.")
@_notes
@_form
@_sampling
@_out("melody.mid")
def melody(chords: str | None, model: Path | None, out: Path, **settings: Any) -> None:
    """Write a melody over CHORDS, a lead-sheet text or a file with chords; without invent both.

    \b
    Example: composer melody "| Am F | C G7/B |" --bars 8 --part violin --seed 1
    """
    _save(_composer(model).melody(chords, **settings), out)


@main.command()
@_key
@_new_piece
@_chord_part
@_form
@_sampling
@_out("chords.mid")
def chords(model: Path | None, out: Path, **settings: Any) -> None:
    """Invent a chord progression.

    \b
    Example: composer chords --key "D minor" --bars 8
    """
    _save(_composer(model).chords(**settings), out)


@main.command()
@click.argument("melody", type=_midi)
@_chord_part
@_key
@_sampling
@_out("harmonized.mid")
def harmonize(melody: Path, model: Path | None, out: Path, **settings: Any) -> None:
    """Write chords to the MIDI file MELODY.

    \b
    Example: composer harmonize tune.mid -o harmonized.mid
    """
    _save(_composer(model).harmonize(melody, **settings), out)


@main.command()
@click.argument("score", type=_midi)
@click.option(
    "--instruments",
    default="piano,bass,drums",
    show_default=True,
    help="Of the new parts, with commas.",
)
@click.option("--chords", help="Lead-sheet text, in place of the file's chords.")
@click.option("--keep", help="Tracks that stay, by name, number or role, with commas; all without.")
@_key
@_notes
@_form
@_sampling
@_out("arrangement.mid")
def arrange(
    score: Path,
    instruments: str,
    keep: str | None,
    model: Path | None,
    out: Path,
    **settings: Any,
) -> None:
    """Write parts to the MIDI file SCORE: a melody, with chords or without.

    \b
    Example: composer arrange tune.mid --instruments piano,bass,drums,strings -o song.mid
    """
    _save(_composer(model).arrange(score, instruments, keep=keep, **settings), out)


@main.command()
@click.argument("score", type=_midi)
@click.option("--bars", help="Counted from 1, such as 5-8 or 1-2,7.")
@_parts
@click.option(
    "--cells",
    multiple=True,
    metavar="PART=BARS",
    callback=lambda _, __, texts: _bars_by_part(texts),
    help="In place of both, as often as there are parts: piano=5-8",
)
@_key
@_notes
@_sampling
@_out("infilled.mid")
def infill(
    score: Path,
    bars: str | None,
    parts: list[str] | dict[str, list[str] | None] | None,
    cells: dict[str, list[str]] | None,
    model: Path | None,
    out: Path,
    **settings: Any,
) -> None:
    """Write some bars of the MIDI file SCORE anew; all else stays as it is.

    \b
    Example: composer infill song.mid --bars 5-8 --parts piano -o song2.mid
             composer infill song.mid --bars 5-8 --parts drums=hi-hat,ride
             composer infill song.mid --cells piano=5-8 --cells bass=7
    """
    _save(_composer(model).infill(score, bars, parts, cells=cells, **settings), out)


@main.command()
@click.argument("score", type=_midi)
@click.option("--bars", default=8, show_default=True, help="How many to add.")
@_key
@_notes
@_sampling
@_out("extended.mid")
def extend(score: Path, bars: int, model: Path | None, out: Path, **settings: Any) -> None:
    """Write bars after the end of the MIDI file SCORE.

    \b
    Example: composer extend song.mid --bars 4 -o longer.mid
    """
    _save(_composer(model).extend(score, bars, **settings), out)


@main.command()
@click.argument("score", type=_midi)
@click.option("--amount", default=0.3, show_default=True, help="Share of it, up to 1.")
@click.option("--bars", help="Where, such as 5-8; anywhere without.")
@_parts
@_key
@_notes
@_sampling
@_out("varied.mid")
def vary(
    score: Path,
    amount: float,
    parts: list[str] | dict[str, list[str] | None] | None,
    model: Path | None,
    out: Path,
    **settings: Any,
) -> None:
    """Write a share of the MIDI file SCORE anew, bars here and there.

    \b
    Example: composer vary song.mid --amount 0.3 --parts piano -o other.mid
             composer vary song.mid --amount 0.5 --bars 5-8 --parts drums=hi-hat
    """
    _save(_composer(model).vary(score, amount, parts=parts, **settings), out)


@main.command()
@click.argument("score", type=_midi)
@click.option("--to", default="piano", show_default=True)
@_out("reduced.mid")
def reduce(score: Path, to: str, out: Path) -> None:
    """Reduce the MIDI file SCORE to a piano that two hands can play.

    \b
    Example: composer reduce song.mid -o piano.mid
    """
    _save(_composer(None).reduce(score, to), out)


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["cells", "remi", "remi+"]),
    default="cells",
    show_default=True,
)
@click.option("--ids", is_flag=True, help="Print ids as JSON rather than tokens.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="For a folder: where its corpus goes; run again, it goes on where it was.",
)
@click.option("--workers", default=1, show_default=True, help="For a folder: processes.")
def tokenize(source: Path, format_: str, ids: bool, out: Path | None, workers: int) -> None:
    """Print the MIDI file SOURCE as tokens, or make a corpus of all files in the folder SOURCE.

    \b
    Example: composer tokenize tune.mid --format remi+
             composer tokenize my_midi --out my_tokens --workers 2
    """
    from composer.score.score import Score
    from composer.tokenizers import REMI, Cells, REMIPlus, tokenize_corpus

    tokenizer = {"cells": Cells, "remi": REMI, "remi+": REMIPlus}[format_]()
    if source.is_dir() != (out is not None):
        which = "a folder: name one to write with" if source.is_dir() else "not a folder: leave out"
        raise click.ClickException(f"{source} is {which} --out")
    if out is not None:
        if ids:
            raise click.ClickException("--ids prints one file; leave it out for a folder")
        corpus = tokenize_corpus(source, out, tokenizer=tokenizer, workers=workers)
        click.echo(f"{out}: {corpus}")
        if corpus.refused or corpus.quarantined:
            click.echo(f"  what was left out and why: {out / 'report.json'}")
        return
    encoded = tokenizer.encode(Score.read(source))
    click.echo(json.dumps(encoded.tolist()) if ids else " ".join(tokenizer.ids_to_tokens(encoded)))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default="model",
    show_default=True,
)
@click.option("--steps", default=2000, show_default=True, help="Optimiser steps.")
@click.option("--batch-size", default=4, show_default=True, help="Rows a step.")
@click.option("--layers", default=5, show_default=True)
@click.option("--hidden-size", default=256, show_default=True)
@click.option("--context-length", default=1024, show_default=True, help="Ids the model sees.")
@click.option("--evaluate-every", default=100, show_default=True, help="Steps between checkpoints.")
@click.option("--threads", default=0, show_default=True, help="CPU threads; 0 lets torch choose.")
@click.option("--workers", default=1, show_default=True, help="Processes that prepare the files.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--start",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a model to begin with; 'pretrained' is the one in the package.",
)
def train(folder: Path, out: Path, workers: int, start: Path | None, **settings: Any) -> None:
    """Train a model on the MIDI files in FOLDER; run again, it goes on where it was.

    Needs the extra: pip install "composer-midi[train]"

    \b
    Example: composer train my_midi --out my_model --steps 2000
             composer melody "Am F C G" --model my_model
    """
    from composer.model.model import PRETRAINED

    try:
        from composer.training import TrainingConfig
        from composer.training import train as run
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f'{error.name} is not installed; run: pip install "composer-midi[train]"'
        ) from None
    begun = PRETRAINED if str(start) == "pretrained" else start
    click.echo(run(folder, out, TrainingConfig(**settings), start=begun, workers=workers))


@main.command()
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default="demo",
    show_default=True,
)
@click.option("--seed", default=12, show_default=True)
def demo(out: Path, seed: int) -> None:
    """Write a melody, a progression for it and an arrangement of both.

    \b
    Example: composer demo
    """
    out.mkdir(parents=True, exist_ok=True)
    composer = _composer(None)
    tune = composer.melody("| C | Am | F | G7 |", bars=8, part="flute", seed=seed)
    harmonised = composer.harmonize(tune, seed=seed)
    song = composer.arrange(
        harmonised, ["piano", "bass", "drums", "strings"], keep=["Flute"], seed=seed
    )
    for name, score in (("melody", tune), ("chords", harmonised), ("arrangement", song)):
        _save(score, out / f"{name}.mid")
    click.echo("Open them in any DAW or notation program.")


def _composer(model: Path | None) -> Any:
    from composer.api import Composer

    return Composer.load(model, progress=True)


def _save(score: Any, out: Path) -> None:
    is_stream = str(out) == "-"
    if is_stream:
        from composer.midi import midi_bytes

        sys.stdout.buffer.write(midi_bytes(score))
    else:
        score.write(out)
    click.echo(f"{out}: {score}", err=is_stream)
    if score.chords:
        shown = " ".join(chord.text for chord in score.chords[:16])
        more = " ..." if len(score.chords) > 16 else ""
        click.echo(f"  chords: {shown}{more}", err=is_stream)
