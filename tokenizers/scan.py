"""Whether a whole sequence keeps a grammar, told without walking it id by id in Python.

``Grammar.check`` asks this first and walks only what is refused, to name the place. The answer is
the walk's: up to the first breach every column below is what the cursor would hold there, so that
the breach is seen; where there is none, nothing is. The tests hold both to this.

Families go through the table in one compiled loop; what order asks of their values comes after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from composer.theory.chords import chord_at
from composer.tokenizers.columns import BRANCHES, Bools, Ints, Reader
from composer.tokenizers.families import NO_CHORD
from composer.tokenizers.vocabulary import Ids, Vocabulary


class Branch(NamedTuple):
    """What decides between the states that a table's ``"@name"`` stands for."""

    family: str
    states: tuple[str, ...]
    #: Index into ``states`` for each place of the family; any number where the table has no branch.
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
        states = [*table]
        self._start, self._end = states.index("start"), states.index("end")
        self._branch_family = (
            vocabulary.index(branch.family) if branch.family in vocabulary.base else -1
        )
        # A format may lack a branch's state, and then never comes to it.
        self._branches = np.array([states.index(s) if s in table else -1 for s in branch.states])
        self._table = np.full((len(states), len(vocabulary.families)), -1)
        for state, row in table.items():
            for family, after in row.items():
                number = BRANCHES if after.startswith("@") else states.index(after)
                self._table[states.index(state), vocabulary.index(family)] = number

    def accepts(self, ids: Ids) -> bool:
        """Return whether ids, all of them in the vocabulary, keep the grammar from start to end."""
        # Late, as loading the compiler takes longer than all else that a tokenizer imports.
        from composer.tokenizers.walk import walk

        read = Reader(self._vocabulary, ids)
        branches = self._branches[self._branch.choose(read)]
        last = walk(read.family, self._table, self._start, self._branch_family, branches)
        return last == self._end and self._ordered(read)


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
    root, _ = chord_at(chord - 1)
    return not np.any((chord == NO_CHORD) | (read.value[places] == root))


def is_family(read: Reader, name: str, places: Ints) -> Bools:
    """Return which places are tokens of a family that the vocabulary has."""
    return np.asarray(read.family[places] == read.vocabulary.index(name))
