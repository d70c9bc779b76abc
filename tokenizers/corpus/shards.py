"""The files of a corpus, written so that a kill at any moment leaves each piece whole or absent.

    corpus.json       what the corpus is made with; written first
    index.jsonl       a line for each file: what became of it, where its ids are; only appended to
    ids-00000.npy ... ids of one piece after the other, in shards; only appended to
    sketches.npy      a row for each piece that has ids, in the order of the index, to compare them
    report.json       written last: the groups of duplicates, and what was left out; a corpus that
                      has none is unfinished

Ids and sketches are on disk before the line that says so is. What lies behind the last whole line,
or behind what it says, is what a kill left: it is cut off before the next line is written. Of two
lines about one file the later holds; the ids of the earlier stay where they are, unused.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from composer import _files as files
from composer.errors import ComposerWarning, TrainingError

SETTINGS, INDEX, SKETCHES, REPORT = "corpus.json", "index.jsonl", "sketches.npy", "report.json"

#: Ids after which a new shard is begun.
SHARD_IDS = 2**26

#: Seconds between two commits: what a kill can cost.
COMMIT_SECONDS = 1.0

#: Room for the header of an .npy file, so that it can be written again when the file has grown.
_HEADER = 128


def shard_name(number: int) -> str:
    """Return the name of a shard."""
    return f"ids-{number:05}.npy"


def write_whole(path: Path, content: Any) -> None:
    """Write JSON to a file that is there whole or not at all."""
    files.write_whole(path, json.dumps(content, indent=1).encode(), TrainingError, sync=True)


def lock(folder: Path) -> BinaryIO:
    """Return an open file that keeps others from writing to a folder, until it is closed.

    Raises
    ------
    TrainingError
        Another process writes there.

    Warns
    -----
    ComposerWarning
        The file system knows no locks.
    """
    file = (folder / ".lock").open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.close()
        raise TrainingError(
            f"another process writes to {folder}; wait for it or name another folder"
        ) from None
    except OSError as error:
        warnings.warn(
            f"{folder} cannot be locked ({error}); see that nothing else writes there",
            ComposerWarning,
            stacklevel=2,
        )
    return file


def read_index(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the rows of an index, and the number of bytes up to the end of its last whole line."""
    rows: list[dict[str, Any]] = []
    size = 0
    if path.is_file():
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    rows.append(json.loads(line.decode()))
                except ValueError:  # a machine that lost its power may leave more than half a line
                    break
                size += len(line)
    return rows, size


def last_rows(folder: Path) -> list[tuple[dict[str, Any], int]]:
    """Return the row that holds of each file, and which sketch is its own; sorted by path."""
    last: dict[str, tuple[dict[str, Any], int]] = {}
    sketches = 0
    for row in read_index(folder / INDEX)[0]:
        last[row["path"]] = row, sketches
        sketches += "length" in row
    return [last[path] for path in sorted(last) if "gone" not in last[path][0]]


class ShardWriter:
    """Appends pieces to a corpus.

    Parameters
    ----------
    folder
        Where; it is left as its index says before anything is written.
    dtype
        Type of the ids.
    sketch_length
        Number of 32-bit words in a sketch.

    Raises
    ------
    TrainingError
        The index names ids that are not there.
    """

    def __init__(self, folder: Path, dtype: npt.DTypeLike, sketch_length: int) -> None:
        self._folder, self._dtype = folder, np.dtype(dtype)
        self._sketch_length = sketch_length
        rows, size = read_index(folder / INDEX)
        pieces = [row for row in rows if "length" in row]
        ends = {row["shard"]: row["start"] + row["length"] for row in pieces}
        self._shard = max(ends, default=0)
        self._end = ends.get(self._shard, 0)
        self._sketch_count = len(pieces)
        with contextlib.ExitStack() as opened:
            self._index = opened.enter_context(_cut(folder / INDEX, size))
            size = _HEADER + 4 * sketch_length * len(pieces)
            self._sketches = opened.enter_context(_cut(folder / SKETCHES, size))
            self._ids = self._open_shard()
            opened.pop_all()
        for path in folder.glob("ids-*.npy"):
            if path.name > shard_name(
                self._shard
            ):  # a kill left it before its first piece was done
                path.unlink()
        self._lines: list[str] = []
        self._committed = time.monotonic()

    def add(
        self,
        row: dict[str, Any],
        ids: bytes | None = None,
        hashes: npt.NDArray[np.uint32] | None = None,
    ) -> None:
        """Append what became of a file, and of a piece its ids and its sketch."""
        if ids is not None and hashes is not None:
            length = len(ids) // self._dtype.itemsize
            if self._end and self._end + length > SHARD_IDS:
                self._next_shard()
            row = {**row, "shard": self._shard, "start": self._end, "length": length}
            self._ids.write(ids)
            self._sketches.write(hashes.astype("<u4").tobytes())
            self._end += length
            self._sketch_count += 1
        self._lines.append(json.dumps(row) + "\n")
        if time.monotonic() - self._committed > COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        """See that all that was appended is on disk, the index last."""
        if self._lines:
            for file in (self._ids, self._sketches):
                _sync(file)
            self._index.write("".join(self._lines).encode())
            _sync(self._index)
            self._lines = []
        self._committed = time.monotonic()

    def finish(self) -> None:
        """Commit, and write into the head of each file how long it has become."""
        self.commit()
        self._close_shard()
        _write_head(self._sketches, "<u4", (self._sketch_count, self._sketch_length))
        _sync(self._sketches)

    def close(self) -> None:
        """Close the files; what was not committed is lost."""
        for file in (self._ids, self._sketches, self._index):
            file.close()

    def _open_shard(self) -> BinaryIO:
        path = self._folder / shard_name(self._shard)
        return _cut(path, _HEADER + self._end * self._dtype.itemsize)

    def _close_shard(self) -> None:
        _write_head(self._ids, self._dtype.str, (self._end,))
        _sync(self._ids)
        self._ids.close()

    def _next_shard(self) -> None:
        self.commit()
        self._close_shard()
        self._shard, self._end = self._shard + 1, 0
        self._ids = self._open_shard()


def _cut(path: Path, size: int) -> BinaryIO:
    """Return a file cut to ``size`` bytes, open at its end; a new one gets room for its head."""
    path.touch()
    file = path.open("r+b")
    if size > max(file.seek(0, os.SEEK_END), _HEADER):
        file.close()
        raise TrainingError(
            f"{path} is shorter than the index beside it says; delete {path.parent} and begin again"
        )
    file.truncate(size)
    file.seek(size)
    return file


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _write_head(file: BinaryIO, dtype: str, shape: tuple[int, ...]) -> None:
    """Write the head of an .npy file (format 1.0), always of the same length."""
    text = repr({"descr": dtype, "fortran_order": False, "shape": shape})
    head = b"\x93NUMPY\x01\x00" + (_HEADER - 10).to_bytes(2, "little")
    file.seek(0)
    file.write(head + text.ljust(_HEADER - 11).encode() + b"\n")
