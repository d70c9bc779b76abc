"""Whether a whole sequence keeps a grammar, told without walking it id by id in Python.

``Grammar.check`` asks this first and walks only what is refused, to name the place. The answer is
the walk's: up to the first breach every column below is what the cursor would hold there, so that
the breach is seen; where there is none, nothing is. The tests hold both to this.

Families go through the table in one loop of C: a state is a list that holds, for each family, the
list that is the next state. Order is arithmetic on columns.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from composer.theory import QUALITIES
from composer.tokenizers.events import Bools, Ints, Reader
from composer.tokenizers.families import NO_CHORD
from composer.tokenizers.vocabulary import Ids, Vocabulary


class Branch(NamedTuple):
    """What decides between the states that a table's ``"@name"`` stands for."""

    family: str
    states: tuple[str, ...]
    #: Index into ``states`` for each place of the family; -1 where the table needs no branch.
    choose: Callable[[Reader], Ints]


class Scan:
    """The check of whole sequences.

    Parameters
    ----------
    vocabulary
        The families.
    table
        State -> family -> next state, as ``Grammar`` has it.
    ordered
        Whether the values of a sequence that goes through the table keep their order.
    branch
        Chooses where the table says ``"@name"``.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        table: Mapping[str, Mapping[str, str]],
        ordered: Callable[[Reader], bool],
        branch: Branch,
    ) -> None:
        self._vocabulary = vocabulary
        self._ordered = ordered
        self._branch = branch
        names = [family.name for family in vocabulary.families]
        self._branched = len(names)  # first of the symbols that choose a branch
        symbols = [(name, "") for name in names]
        symbols += [(branch.family, state) for state in branch.states]
        dead: list[Any] = []
        dead += [dead] * len(symbols)
        lists: dict[str, list[Any]] = {state: [] for state in table}
        for state, row in table.items():
            for family, chosen in symbols:
                after = row.get(family, "")
                after = chosen if after.startswith("@") else after
                lists[state].append(lists.get(after, dead))
        self._start, self._end = lists["start"], lists["end"]

    def accepts(self, ids: Ids) -> bool:
        """Return whether ids, all of them in the vocabulary, keep the grammar from start to end."""
        read = Reader(self._vocabulary, ids)
        symbols = read.family.astype(np.uint8)
        chosen = self._branch.choose(read)
        places = read.at(self._branch.family)[chosen >= 0]
        symbols[places] = self._branched + chosen[chosen >= 0]
        last = reduce(operator.getitem, symbols.tobytes(), self._start)
        return last is self._end and self._ordered(read)


def rises(group: Ints, value: Ints) -> bool:
    """Return whether values rise from row to row where the group stays."""
    return not np.any((group[1:] == group[:-1]) & (value[1:] <= value[:-1]))


def differs(value: Ints) -> bool:
    """Return whether every value is another than the one before."""
    return not np.any(value[1:] == value[:-1])


def basses_are_no_roots(read: Reader) -> bool:
    """Return whether each Bass is another note than the root of the Chord before it."""
    places = read.at("Bass")
    chord = read.value[places - 1]
    root = (chord - 1) // len(QUALITIES)
    return not np.any((chord == NO_CHORD) | (read.value[places] == root))


def is_family(read: Reader, name: str, places: Ints) -> Bools:
    """Return which places are tokens of a family that the vocabulary has."""
    return np.asarray(read.family[places] == read.vocabulary.index(name))
