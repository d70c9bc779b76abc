"""Functions that numba compiles when they are first called, and where it may not keep them.

numba's cache asks whether the file of the function that Python calls has changed, never that of
those that it calls in turn: compiled functions that call each other stand in one file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def inner(function: Function) -> Function:
    """Return a function compiled, for compiled functions to call."""
    return cast(Function, njit(nogil=True)(function))


def compiled(function: Function) -> Function:
    """Return a function compiled, and kept on disk where numba finds a folder that it may use."""
    try:
        fast = njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return inner(function)

    @wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            return fast(*arguments)
        except OSError:  # the disk is full: numba has compiled it, and could not keep it
            return fast(*arguments)

    return cast(Function, call)
