"""Token families with contiguous ids, so that encoding is arithmetic on arrays.

A *token* is symbolic (``Pitch_60``), an *id* is an integer. The id of a family's value is
``base + value``; no dictionary is looked up for a note.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.errors import TokenError

Ids = npt.NDArray[np.int32]


@dataclasses.dataclass(frozen=True)
class Family:
    """A kind of token: its name, and one label for each value.

    A family of one token, such as ``BOS``, has one empty label and lends the token its name.
    """

    name: str
    labels: tuple[str, ...]

    @classmethod
    def of(cls, name: str, labels: Iterable[object]) -> Family:
        """Return the family ``name``, whose labels are the texts of ``labels``."""
        return cls(name, tuple(map(str, labels)))


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """An ordered list of families.

    Examples
    --------
    >>> vocabulary = Vocabulary((Family.of("Special", ["PAD"]), Family.of("Pitch", range(128))))
    >>> vocabulary.size, vocabulary.base["Pitch"]
    (129, 1)
    >>> vocabulary.token(61), vocabulary.id("Pitch_60")
    ('Pitch_60', 61)
    """

    families: tuple[Family, ...]

    @cached_property
    def base(self) -> dict[str, int]:
        """First id of each family."""
        sizes = [len(family.labels) for family in self.families]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).tolist()
        return dict(zip((family.name for family in self.families), starts, strict=True))

    @cached_property
    def size(self) -> int:
        """Number of ids."""
        return sum(len(family.labels) for family in self.families)

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Ids of each family."""
        return {
            f.name: slice(self.base[f.name], self.base[f.name] + len(f.labels))
            for f in self.families
        }

    @cached_property
    def family_of(self) -> npt.NDArray[np.int16]:
        """Index of each id's family, shape (size,)."""
        lengths = [len(family.labels) for family in self.families]
        return np.repeat(np.arange(len(lengths), dtype=np.int16), lengths)

    @cached_property
    def value_of(self) -> npt.NDArray[np.int64]:
        """Value of each id within its family, shape (size,)."""
        return np.concatenate([np.arange(len(f.labels)) for f in self.families])

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Token of each id."""
        return tuple(f"{f.name}_{x}" if x else f.name for f in self.families for x in f.labels)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    def count(self, family: str) -> int:
        """Return how many ids a family has."""
        return len(self.families[self.index(family)].labels)

    def index(self, family: str) -> int:
        """Return the place of a family in the order, as ``family_of`` counts."""
        return [f.name for f in self.families].index(family)

    def id(self, token: str) -> int:
        """Return the id of a ``token``.

        Raises
        ------
        TokenError
            There is no such token.
        """
        try:
            return self._ids[token]
        except KeyError:
            raise TokenError(f"there is no token {token!r} in this vocabulary") from None

    def token(self, index: int) -> str:
        """Return the token of the id ``index``.

        Raises
        ------
        TokenError
            There is no such id.
        """
        if not 0 <= index < self.size:
            raise TokenError(f"id {index} is outside 0 to {self.size - 1}")
        return self.tokens[index]

    def check(self, ids: npt.ArrayLike) -> Ids:
        """Return ``ids`` as an array of shape (T,) int32.

        Raises
        ------
        TokenError
            They are not a row of integers, or one of them is not an id of this vocabulary.
        """
        array = np.asarray(ids)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise TokenError(
                f"ids must be one row of integers, not {array.dtype} of shape {array.shape}"
            )
        outside = np.flatnonzero((array < 0) | (array >= self.size))
        if len(outside):
            place = int(outside[0])
            raise TokenError(f"id {array[place]} at place {place} is outside 0 to {self.size - 1}")
        return array.astype(np.int32)

    def to_json(self) -> str:
        """Return the vocabulary as JSON text, the order of ids being the order of the text."""
        return json.dumps({family.name: list(family.labels) for family in self.families})

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        """Return the vocabulary whose ``text`` ``to_json`` returned."""
        table: dict[str, Any] = json.loads(text)
        return cls(tuple(Family.of(name, labels) for name, labels in table.items()))
