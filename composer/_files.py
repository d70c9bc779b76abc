"""Reading and writing of whole files: capped, atomic, and with one sentence for what goes wrong.

What is written is there whole or not at all. A symbolic link is followed, a file that is replaced
keeps its mode and its owner, and what is no regular file (a pipe, a terminal, ``/dev/null``) is
written into and never replaced. What is read is looked at first: no device, no pipe, and no more
bytes than it may have.
"""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from pathlib import Path

from composer.errors import ComposerError

PathLike = str | os.PathLike[str]


def write_whole(
    path: PathLike, content: bytes, error: type[ComposerError], *, sync: bool = False
) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path
        The file.
    content
        All of it.
    error
        What is raised where it cannot be written.
    sync
        Whether to wait until the disk has it.
    """
    try:
        target = Path(os.path.realpath(path))
        kind = _status(target)
        if kind is not None and stat.S_ISDIR(kind.st_mode):
            raise error(f"{path} cannot be written: it is a folder; name a file in it")
        if kind is None and not target.parent.is_dir():
            raise error(f"{path} cannot be written: make the folder {target.parent} first")
        if kind is not None and not stat.S_ISREG(kind.st_mode):
            target.write_bytes(content)  # a pipe or a device stays what it is
        else:
            _replace(target, content, kind, sync)
    except (OSError, ValueError) as cause:
        if isinstance(cause, ComposerError):
            raise
        raise error(f"{path} cannot be written: {_reason(cause)}; choose another path") from cause


def _replace(target: Path, content: bytes, old: os.stat_result | None, sync: bool) -> None:
    draft = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        if old is not None:
            with contextlib.suppress(PermissionError, AttributeError):
                os.chown(draft, old.st_uid, old.st_gid)
            draft.chmod(stat.S_IMODE(old.st_mode))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def read_whole(path: PathLike, error: type[ComposerError], *, most: int) -> bytes:
    """Return the content of a regular file.

    Parameters
    ----------
    path
        The file.
    error
        What is raised where it cannot be read.
    most
        Bytes that it may have.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise error(f"{path} is a folder; name one of the files in it")
        if not stat.S_ISREG(status.st_mode):
            raise error(f"{path} is not a regular file but a pipe or a device; save it to a file")
        with open(path, "rb", buffering=0) as file:
            if status.st_size > most:
                size, limit = (f"{count / 1e6:,.0f} MB" for count in (status.st_size, most))
                raise error(
                    f"{path} has {size}, more than the {limit} that such a file may have; look "
                    "whether it is the right one"
                )
            return file.readall()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as cause:
        if isinstance(cause, ComposerError):
            raise
        raise error(f"{path} cannot be read: {_reason(cause)}; check the path") from cause


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _reason(cause: Exception) -> str:
    return getattr(cause, "strerror", None) or str(cause)
