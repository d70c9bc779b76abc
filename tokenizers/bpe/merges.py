"""Merges: pairs of ids that become one id, and the sequences those stand for.

Merged ids come after the base ids, which keep their numbers. Undoing merges is a look-up in one
flat table of base ids; nothing is looked up for a single id. To a BPE library a sequence of ids is
text, one character an id.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np
import numpy.typing as npt

from composer.errors import TokenError
from composer.tokenizers.vocabulary import Ids

#: Character of id 0: in the planes for private use there are no surrogates, blanks or marks, and
#: no two characters that anything takes for one.
FIRST_CHARACTER = 0xF0000

#: Most base ids that one id stands for; a damaged file could ask for 2 to the number of merges.
LONGEST = 1024


def to_text(ids: Ids) -> str:
    """Return base ids as text, one character each."""
    return (ids.astype("<u4") + FIRST_CHARACTER).tobytes().decode("utf-32-le")


def from_text(text: str) -> Ids:
    """Return the base ids that ``to_text`` wrote, shape (T,) int32."""
    return (np.frombuffer(text.encode("utf-32-le"), "<u4") - FIRST_CHARACTER).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class Merges:
    """An ordered list of pairs of ids, each of which becomes one id.

    Parameters
    ----------
    base_size
        Number of base ids.
    pairs
        The merges, the first learned first. A pair becomes the next id that is free, or, where
        other pairs already led to the same base ids, the id of those.

    Raises
    ------
    TokenError
        A pair names an id that is not there yet, or stands for more than 1,024 base ids.

    Examples
    --------
    >>> merges = Merges(3, ((0, 1), (3, 2)))
    >>> merges.size, merges.expand(np.array([4, 0, 3])).tolist()
    (5, [0, 1, 2, 0, 0, 1])
    """

    base_size: int
    pairs: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        _ = self.texts  # a pair that makes no sense is refused here

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Base ids that each id stands for, as text."""
        texts = list(to_text(np.arange(self.base_size, dtype=np.int32)))
        known = set(texts)
        for place, (left, right) in enumerate(self.pairs):
            if not (0 <= left < len(texts) and 0 <= right < len(texts)):
                raise TokenError(
                    f"merge {place} of ids {left} and {right} names an id outside 0 to "
                    f"{len(texts) - 1}"
                )
            text = texts[left] + texts[right]
            if len(text) > LONGEST:
                raise TokenError(
                    f"merge {place} stands for {len(text)} base ids, more than {LONGEST}"
                )
            if text not in known:
                known.add(text)
                texts.append(text)
        return tuple(texts)

    @classmethod
    def from_texts(cls, base_size: int, pairs: list[tuple[str, str]]) -> Merges:
        """Return merges whose pairs are given as text."""
        ids = {text: i for i, text in enumerate(to_text(np.arange(base_size, dtype=np.int32)))}
        numbered = []
        for left, right in pairs:
            numbered.append((ids[left], ids[right]))
            ids.setdefault(left + right, len(ids))
        return cls(base_size, tuple(numbered))

    @property
    def size(self) -> int:
        """Number of ids, base ids among them."""
        return len(self.texts)

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of base ids that each id stands for, shape (size,)."""
        return np.array([len(text) for text in self.texts], np.int64)

    @cached_property
    def flat(self) -> Ids:
        """Base ids of all ids, one behind the other, shape (sum of ``lengths``,)."""
        return from_text("".join(self.texts))

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where in ``flat`` each id begins, shape (size,)."""
        return np.cumsum(self.lengths) - self.lengths

    def expand(self, ids: npt.ArrayLike) -> Ids:
        """Return the base ids that ids stand for, shape (T,) int32."""
        ids = np.asarray(ids, np.int64)
        lengths = self.lengths[ids]
        ends = np.cumsum(lengths)
        places = np.arange(lengths.sum()) + np.repeat(self.starts[ids] - (ends - lengths), lengths)
        expanded: Ids = self.flat[places]
        return expanded

    def owners(self, ids: Ids) -> npt.NDArray[np.int64]:
        """Return, for each of the base ids that ``expand`` returns, the place in ``ids``."""
        return np.repeat(np.arange(len(ids)), self.lengths[ids])
