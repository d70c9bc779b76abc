"""Functions that numba compiles when they are first called, and where it may not keep them.

numba's cache asks whether the file of the function that Python calls has changed, never that of
those that it calls in turn: compiled functions that call each other stand in one file.
"""

from __future__ import annotations

import glob
import logging
import pickle
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import event

Function = TypeVar("Function", bound=Callable[..., Any])


#: What a file of compiled code that is broken raises when it is read.
_CUT_SHORT = (pickle.UnpicklingError, EOFError, AttributeError, IndexError, ModuleNotFoundError)


def _forget(dispatcher: Any) -> None:
    """Delete what is kept on disk of a compiled function, so that it is compiled anew."""
    cache = dispatcher._cache
    folder, stem = Path(cache._cache_path), cache._cache_file._index_name.rpartition(".")[0]
    for file in folder.glob(f"{glob.escape(stem)}.*"):
        file.unlink(missing_ok=True)


class _Announcer(event.Listener):  # type: ignore[misc]
    """Says once that the first run of a machine takes longer than the next."""

    _said = False

    def on_start(self, event: Any) -> None:
        if self._said or not event.data["dispatcher"].py_func.__module__.startswith("composer."):
            return
        self._said = True
        text = "composer compiles its inner loops for this machine, once; it takes some seconds"
        logging.getLogger("composer").info(text)
        if sys.stderr is not None and sys.stderr.isatty():
            print(text, file=sys.stderr)

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Announcer())


def inner(function: Function, *, fused: bool = False) -> Function:
    """Return a function compiled, for compiled functions to call.

    ``fused`` is for arithmetic on many floats: a product may be added without being rounded first,
    and a division by zero gives inf or nan in place of an error.
    """
    # Without what Python would need to call it, which is half as much again to compile.
    options = {**_options(fused), "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(Function, njit(**options)(function))


def compiled(function: Function, *, fused: bool = False) -> Function:
    """Return a function compiled, and kept on disk where numba finds a folder that it may use."""
    try:
        fast = njit(cache=True, **_options(fused))(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return cast(Function, njit(**_options(fused))(function))

    @wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            return fast(*arguments)
        except OSError:  # the disk is full: numba has compiled it, and could not keep it
            return fast(*arguments)
        except _CUT_SHORT:  # what was kept is broken, by a power cut perhaps
            _forget(fast)
            return fast(*arguments)

    return cast(Function, call)


def _options(fused: bool) -> dict[str, Any]:
    return {"nogil": True, **({"fastmath": {"contract"}, "error_model": "numpy"} if fused else {})}
