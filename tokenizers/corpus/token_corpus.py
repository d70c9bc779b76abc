"""A tokenised corpus as training reads it: pieces, their ids, and a split without leaks."""

from __future__ import annotations

import dataclasses
import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.errors import TrainingError
from composer.tokenizers.columns import Ints
from composer.tokenizers.corpus.shards import REPORT, last_rows, shard_name
from composer.tokenizers.vocabulary import Ids

HELD_OUT_PARTS = 20  # one piece in so many is held out


@dataclasses.dataclass(frozen=True, slots=True)
class CorpusEntry:
    """A file of a corpus that has ids."""

    path: str  # relative to the folder of the files, with forward slashes
    notes: int
    bars: int
    shard: int
    start: int  # place of the first id in the shard
    length: int  # number of ids
    held_out: bool

    @property
    def group(self) -> str:
        """Folder right below the folder of the files, or ""."""
        top, slash, _ = self.path.partition("/")
        return top if slash else ""


@dataclasses.dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Files that are the same music; ``kind`` as in ``composer.tokenizers.corpus.duplicates``."""

    kind: str  # "exact", "transposed" or "near"
    paths: tuple[str, ...]


class TokenCorpus:
    """What ``tokenize_corpus`` wrote; the ids stay on disk until they are asked for.

    Parameters
    ----------
    folder
        The folder it wrote.

    Raises
    ------
    TrainingError
        There is no finished corpus in the folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        try:
            report = json.loads((self.folder / REPORT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise TrainingError(
                f"{self.folder} holds no finished corpus; run tokenize_corpus, which goes on where "
                "it was interrupted"
            ) from None
        self.refused: dict[str, str] = report["refused"]
        self.quarantined: dict[str, str] = report["quarantined"]
        self.duplicates = [
            DuplicateGroup(g["kind"], tuple(g["paths"])) for g in report["duplicates"]
        ]
        first = {path: group.paths[0] for group in self.duplicates for path in group.paths}
        names = ("path", "notes", "bars", "shard", "start", "length")
        self.pieces = [
            CorpusEntry(
                **{name: row[name] for name in names},
                held_out=_is_held_out(first.get(row["path"], row["path"])),
            )
            for row, _ in last_rows(self.folder)
            if "length" in row
        ]
        self._shards: dict[int, npt.NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.pieces)

    def ids(self, index: int) -> Ids:
        """Return the ids of the piece ``pieces[index]``, shape (T,) int32."""
        piece = self.pieces[index]
        if piece.shard not in self._shards:
            path = self.folder / shard_name(piece.shard)
            self._shards[piece.shard] = np.load(path, mmap_mode="r")
        ids = self._shards[piece.shard][piece.start : piece.start + piece.length]
        return np.asarray(ids).astype(np.int32)

    def split(self) -> tuple[Ints, Ints]:
        """Return the indices of the pieces to train on, and of those held out.

        One piece in twenty is held out, by a hash of its path, so that adding files moves no other.
        Pieces of one group of duplicates stay together.
        """
        held_out = np.array([piece.held_out for piece in self.pieces], bool)
        return np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker process maps the files anew; pickled as they are, their ids would be copied.
        return type(self), (self.folder,)

    def __repr__(self) -> str:
        total = sum(piece.length for piece in self.pieces)
        return (
            f"TokenCorpus(pieces={len(self)}, ids={total}, duplicates={len(self.duplicates)} "
            f"groups, refused={len(self.refused)}, quarantined={len(self.quarantined)})"
        )


def _is_held_out(path: str) -> bool:
    return zlib.crc32(path.encode("utf-8", "surrogateescape")) % HELD_OUT_PARTS == 0
