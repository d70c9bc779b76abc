"""From a folder of MIDI files to ids in memory-mapped shards, in one call.

A file is done or not done: whatever ends the process, the next call goes on with what is left, and
the ids of each file are those of an uninterrupted run. Files whose size or time changed are done
again, those that are gone are left out, and another tokenizer, preparation or version of this
library is refused. A file that cannot be read is *refused*; one that crashes the process, hangs or
meets a fault of this library is *quarantined*. Neither is tried again until it changes.

Pieces that are the same music (see ``composer.tokenizers.corpus.duplicates``) are listed, and all
of them fall on the side of the split that their first one falls on. What pieces are compared by are
the files as they are read, before any preparation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from composer._version import __version__
from composer.errors import ComposerError, TrainingError
from composer.score.score import Score
from composer.tokenizers.base import FILE_NAME, Tokenizer
from composer.tokenizers.cells.cells import Cells
from composer.tokenizers.corpus.duplicates import HASHES, Hashes, find_duplicates, sketch
from composer.tokenizers.corpus.shards import (
    REPORT,
    SETTINGS,
    SKETCHES,
    ShardWriter,
    last_rows,
    lock,
    write_whole,
)
from composer.tokenizers.corpus.token_corpus import TokenCorpus
from composer.tokenizers.corpus.workers import Lost, as_message, run_job

MAX_TIMEOUT = 1_000_000  # seconds
MIDI_SUFFIXES = (".mid", ".midi", ".kar")
Preparation = Callable[[Score], Score]


def tokenize_corpus(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    tokenizer: Tokenizer | None = None,
    workers: int = 1,
    preparation: Preparation | None = None,
    timeout: float = 60.0,
    progress: bool = True,
) -> TokenCorpus:
    """Tokenise every MIDI file below a folder, or go on where that was interrupted.

    Parameters
    ----------
    folder
        MIDI files, in sub-folders or not.
    out
        Folder to write; a new one, or one that this function wrote.
    tokenizer
        Tokenizer; ``Cells()`` without it.
    workers
        Processes. There is one even if it is 1, so that a crash of the parser ends only that.
    preparation
        What is done to each score before it is encoded. A ``ComposerError`` it raises refuses the
        file. Workers import it by its name, so that has to stand at the top of a module.
    timeout
        Seconds a file may take.
    progress
        Whether to show a bar.

    Raises
    ------
    TrainingError
        There is no MIDI file, or none that can be used; ``out`` holds something else, or a corpus
        made with other settings; another process writes there; or workers cannot import what they
        are given.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import composer
    >>> from composer.tokenizers import Cells, tokenize_corpus
    >>> with TemporaryDirectory() as folder:
    ...     composer.example("shenandoah").write(Path(folder, "tune.mid"))
    ...     corpus = tokenize_corpus(folder, Path(folder, "tokens"), progress=False)
    ...     print(len(corpus), Cells().ids_to_tokens(corpus.ids(0))[:2])
    1 ['BOS', 'Key_5maj']
    """
    folder, out = Path(folder), Path(out)
    tokenizer = tokenizer or Cells()
    if workers < 1:
        raise TrainingError(f"workers {workers} must be at least 1")
    if not 0 < timeout <= MAX_TIMEOUT:
        raise TrainingError(f"timeout {timeout} is outside 0 to {MAX_TIMEOUT:,} seconds")
    files = midi_files(folder)
    encoder = _Encoder(str(folder), tokenizer, preparation)
    out.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(lock(out)):
        _claim(out, tokenizer, preparation)
        todo, gone = _plan(folder, files, out)
        if todo or gone or not (out / REPORT).is_file():
            (out / REPORT).unlink(missing_ok=True)
            with contextlib.closing(ShardWriter(out, _dtype(tokenizer), HASHES)) as writer:
                for name in gone:
                    writer.add({"path": name, "gone": True})
                results = run_job(encoder, todo, workers=workers, timeout=timeout)
                _add(writer, folder, todo, _with_bar(results, len(files), len(todo), progress))
                writer.finish()
            _report(out)
    corpus = TokenCorpus(out)
    if not corpus.pieces:
        name, reason = next(iter({**corpus.refused, **corpus.quarantined}.items()))
        raise TrainingError(
            f"none of the {len(files)} files in {folder} can be used; {name}: {reason}"
        )
    return corpus


def _add(
    writer: ShardWriter,
    folder: Path,
    todo: Sequence[str],
    results: Iterable[tuple[int, _Outcome | Lost]],
) -> None:
    """Write what became of each file."""
    for index, result in results:
        if isinstance(result, Lost):
            result = _Outcome({**_stamp(folder / todo[index]), "quarantined": str(result)})
        writer.add({"path": todo[index], **result.row}, result.ids, result.hashes)


def midi_files(folder: Path) -> list[str]:
    """Return the MIDI files below a folder, relative to it with forward slashes, sorted.

    Raises
    ------
    TrainingError
        There is no such folder, or no MIDI file in it.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder} is not a folder; name one that holds MIDI files")
    files: list[str] = []
    for top, _, names in os.walk(folder):  # strings: a hundred thousand paths are not small
        inner = os.path.relpath(top, folder).replace(os.sep, "/")
        before = "" if inner == "." else f"{inner}/"
        files += [before + name for name in names if name.lower().endswith(MIDI_SUFFIXES)]
    if not files:
        raise TrainingError(f"{folder} holds no file that ends in {', '.join(MIDI_SUFFIXES)}")
    return sorted(files)


@dataclasses.dataclass(frozen=True)
class _Outcome:
    """What became of a file: its row in the index and, of a piece, the bytes of its ids."""

    row: dict[str, Any]
    ids: bytes | None = None
    hashes: Hashes | None = None


@dataclasses.dataclass(frozen=True)
class _Encoder:
    """What workers do with a file."""

    folder: str
    tokenizer: Tokenizer
    preparation: Preparation | None

    def __call__(self, name: str) -> _Outcome:
        path = Path(self.folder, name)
        row = _stamp(path)
        try:
            score = Score.read(path)
            row["notes"] = sum(len(track.notes) for track in score.tracks)
            compared = sketch(score)
            ids = self.tokenizer.encode(self.preparation(score) if self.preparation else score)
        except ComposerError as error:
            return _Outcome({**row, "refused": str(error)})
        except Exception as error:  # a fault of ours or of the preparation costs one file, not all
            return _Outcome({**row, "quarantined": f"{type(error).__name__}: {error}"})
        row["bars"] = self.tokenizer.count_bars(ids)
        row["exact"], row["tune"] = compared.exact, compared.tune
        return _Outcome(row, ids.astype(_dtype(self.tokenizer)).tobytes(), compared.hashes)


def _stamp(path: Path) -> dict[str, Any]:
    """Return what tells that a file has changed."""
    try:
        status = path.stat()
    except OSError:
        return {"size": -1, "mtime_ns": -1}
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _dtype(tokenizer: Tokenizer) -> str:
    return "<u2" if tokenizer.vocab_size <= 2**16 else "<u4"


def _claim(out: Path, tokenizer: Tokenizer, preparation: Preparation | None) -> None:
    """Write into a new folder what its corpus is made with, or see that it is made with that.

    Raises
    ------
    TrainingError
        It is made with something else, or is not a corpus.
    """
    # All that ids depend on: the boundary and the order of merges are in no vocabulary.
    vocabulary = hashlib.sha256(json.dumps(tokenizer.to_table()).encode()).hexdigest()
    settings = {
        "version": __version__,
        "format": tokenizer.format,
        # As it comes back from the file, which has lists for tuples.
        "config": json.loads(json.dumps(dataclasses.asdict(tokenizer.config))),
        "vocabulary": vocabulary,
        "preparation": _name(preparation),
    }
    try:
        others = json.loads((out / SETTINGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        ours = {".lock", f"{SETTINGS}.part", FILE_NAME}
        names = sorted(path.name for path in out.iterdir())
        drafts = {name for name in names if name[0] == "." and name.endswith(".tmp")}
        strange = [name for name in names if name not in ours | drafts]
        if strange:
            raise TrainingError(
                f"{out} holds other files, such as {strange[0]}; name a new folder"
            ) from None
        tokenizer.save(out)
        write_whole(out / SETTINGS, settings)
        return
    changed = [name for name in settings if others.get(name) != settings[name]]
    if changed:
        name = changed[0]
        raise TrainingError(
            f"{out} holds a corpus with {name} {others.get(name)}, not {settings[name]}; name "
            "another folder, or delete that one"
        )


def _name(preparation: Preparation | None) -> str:
    """Return what tells one preparation from another, the same in every run."""
    if preparation is None:
        return "none"
    if hasattr(preparation, "__qualname__"):
        return f"{preparation.__module__}.{preparation.__qualname__}"
    digest = hashlib.sha256(as_message(preparation)).hexdigest()[:16]
    return f"{type(preparation).__qualname__} {digest}"


def _plan(folder: Path, files: list[str], out: Path) -> tuple[list[str], list[str]]:
    """Return which files are to be done, and which of those in the corpus are gone."""
    known = {row["path"]: (row["size"], row["mtime_ns"]) for row, _ in last_rows(out)}
    todo = files
    if known:
        todo = [f for f in files if known.get(f) != tuple(_stamp(folder / f).values())]
    return todo, sorted(known.keys() - set(files))


def _with_bar(
    results: Generator[tuple[int, Any], None, None], total: int, count: int, progress: bool
) -> Iterator[tuple[int, Any]]:
    from tqdm.auto import tqdm

    bar = tqdm(
        total=total, initial=total - count, desc="Tokenising", unit="file", disable=not progress
    )
    with bar, contextlib.closing(results):
        for result in results:
            yield result
            bar.update()


def _report(out: Path) -> None:
    """Compare all pieces and write the report, which makes the corpus a finished one."""
    rows = last_rows(out)
    pieces = [(row, number) for row, number in rows if "length" in row]
    sketches = np.load(out / SKETCHES, mmap_mode="r")
    groups = find_duplicates(
        [row["exact"] for row, _ in pieces],
        [row["tune"] for row, _ in pieces],
        np.asarray(sketches[[number for _, number in pieces]]),
    )
    write_whole(
        out / REPORT,
        {
            "files": len(rows),
            "pieces": len(pieces),
            "ids": sum(row["length"] for row, _ in pieces),
            **{
                what: {row["path"]: row[what] for row, _ in rows if what in row}
                for what in ("refused", "quarantined")
            },
            "duplicates": [
                {"kind": group.kind, "paths": [pieces[i][0]["path"] for i in group.members]}
                for group in groups
            ],
        },
    )
