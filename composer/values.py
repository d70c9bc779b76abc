"""What scores and tracks have in common as values: equality, checks, and changed copies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import numpy as np

from composer.calls import unknown_keyword
from composer.errors import RequestError

Own = TypeVar("Own", bound="Value")


class Value:
    """A frozen dataclass that compares by content, arrays too, and checks what it is given."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            if not field.compare:
                continue
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            same = np.array_equal(mine, theirs) if isinstance(mine, np.ndarray) else mine == theirs
            if not same:
                return False
        return True

    __hash__ = None  # type: ignore[assignment]

    # What each field goes through: it returns the value that is kept, or raises ScoreError.
    _CHECKS: ClassVar[dict[str, Callable[[Any], Any]]]
    _BLANK: ClassVar[dict[str, Any]]  # the fields where nothing is said

    def __post_init__(self) -> None:
        vars(self).update((name, check(vars(self)[name])) for name, check in self._CHECKS.items())

    @classmethod
    def trusted(cls: type[Own], **fields: Any) -> Own:
        """Return one of fields that are valid, sorted and read-only already: nothing is checked."""
        new = object.__new__(cls)
        vars(new).update(cls._BLANK, **fields)
        return new

    def replace(self: Own, **changes: Any) -> Own:
        """Return a copy with the fields named changed.

        Raises
        ------
        RequestError
            There is no such field.
        ScoreError
            A value that it cannot have.
        """
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        for name in changes:
            if name not in names:
                own = f"composer.{type(self).__name__}"
                raise RequestError(f"replace() {unknown_keyword(name, names, own)}")
        # The others have been checked, and cannot have changed since.
        fields = {name: vars(self)[name] for name in names}
        for name, value in changes.items():
            fields[name] = self._CHECKS[name](value) if name in self._CHECKS else value
        return self.trusted(**fields)
