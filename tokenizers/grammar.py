"""What may follow what: one table a format, read by the sampler's mask, validator and tests.

A grammar is an automaton. Its table says, for each state, which families may come next and which
state each leads to. What order needs beside that is the *cursor*: onsets rise inside a bar and
end where the bar does, pitches rise inside an onset, parts rise inside a bar, velocities are said
when they change. So every sequence is a piece, and order leaves a piece no choice; what a sampler
cannot know in time, such as whether a rest is to come, is left open (see ``Tokenizer.validate``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.errors import TokenError
from composer.theory.chords import chord_at
from composer.tokenizers.families import NO_CHORD
from composer.tokenizers.scan import Scan
from composer.tokenizers.vocabulary import Ids, Vocabulary

Mask = npt.NDArray[np.bool_]

#: State -> family -> next state.
Table = Mapping[str, Mapping[str, str]]


@dataclasses.dataclass(slots=True)
class Cursor:
    """Where a sequence stands: the automaton's state, and what order needs to remember."""

    state: str = "start"
    bar_length: int = 0  # positions
    position: int = -1  # of the running onset, -1 before the first of a cell or bar
    rank: int = -1  # of the last note of the onset, in the order that notes rise by
    velocity: int = -1  # bin that holds, -1 where none was said yet
    signature: int = -1  # TimeSig value of the header
    tempo: int = -1  # Tempo value of the header
    bar: int = -1  # Bar value of the running bar, -1 in the header
    bars_said: int = 0  # bit set of Bar values
    wrapped: bool = False  # whether Bar values began again at 0
    filling: bool = False  # whether Fill was said
    part: int = -1
    parts_said: int = 0  # bit set of the Part values of the running bar
    control: int = -1  # kind of the last control of the running part
    lowest: int = 0  # least Pitch value that is a MIDI pitch; 128 are
    drums: int = 0  # bit set of the parts that are drums
    parts: int = 0  # number of parts declared
    offset: int = -1  # Offset value of the running onset
    pedals: int = 0  # bit set of the programs whose pedal is down
    until: int = 0  # position at which the last note ends that was said

    def copy(self) -> Cursor:
        """Return a cursor that moves on its own."""
        return dataclasses.replace(self)


class Violation(NamedTuple):
    """Where a sequence breaks the grammar, and how."""

    place: int  # index into the ids; their number where the end is missing
    message: str


#: Narrows a family's part of the mask, in place, to the values that order allows.
Narrow = Callable[[Cursor, Mask], None]
#: Moves the cursor over one value of a family.
Move = Callable[[Cursor, int], None]


class _Opened(NamedTuple):
    """What the table opens in a state: ids, and the rules that narrow them."""

    mask: Mask
    rules: list[tuple[slice, Narrow]]


class Grammar:
    """An automaton over the families of a vocabulary.

    Parameters
    ----------
    vocabulary
        The families.
    table
        State -> family -> next state. A next state ``"@name"`` is looked up by ``branches``.
    narrow
        Family -> rule of order for its values.
    move
        Family -> what one of its values does to the cursor.
    branches
        Name -> function of the cursor that returns the next state.
    scan
        The same rules for whole sequences at once; without it each id is walked over.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        table: Table,
        *,
        narrow: Mapping[str, Narrow],
        move: Mapping[str, Move],
        branches: Mapping[str, Callable[[Cursor], str]] | None = None,
        scan: Scan | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.table = table
        self._narrow = narrow
        self._move = move
        self._branches = branches or {}
        self._scan = scan
        self._opened: dict[tuple[str, frozenset[str] | None], _Opened] = {}
        # Lists, as one element of an array is slow to read.
        names = [family.name for family in vocabulary.families]
        self._family_of = [names[index] for index in vocabulary.family_of.tolist()]
        self._value_of: list[int] = vocabulary.value_of.tolist()
        self._all_values = {name: np.ones(vocabulary.count(name), bool) for name in names}

    def start(self) -> Cursor:
        """Return the cursor before the first id."""
        return Cursor()

    def allowed(self, cursor: Cursor, families: frozenset[str] | None = None) -> Mask:
        """Return which ids may come next, shape (V,); a new array each time.

        Parameters
        ----------
        cursor
            Where the sequence stands.
        families
            Names of the families whose ids are looked at; all without it.
        """
        opened = self._opened.get((cursor.state, families))
        if opened is None:
            opened = self._opened[cursor.state, families] = self._open(cursor.state, families)
        mask = opened.mask.copy()
        for where, rule in opened.rules:
            rule(cursor, mask[where])
        return mask

    def _open(self, state: str, families: frozenset[str] | None) -> _Opened:
        mask, rules = np.zeros(self.vocabulary.size, bool), []
        for family in self.table[state]:
            if families is None or family in families:
                where = self.vocabulary.slices[family]
                mask[where] = True
                if family in self._narrow:
                    rules.append((where, self._narrow[family]))
        return _Opened(mask, rules)

    def advance(self, cursor: Cursor, index: int) -> None:
        """Move the cursor over the id ``index``, one that ``allowed`` allows."""
        family = self._family_of[index]
        next_state = self.table[cursor.state][family]
        move = self._move.get(family)
        if move:
            move(cursor, self._value_of[index])
        if next_state.startswith("@"):
            next_state = self._branches[next_state](cursor)
        cursor.state = next_state

    def decode_id(self, index: int) -> tuple[str, int]:
        """Return what an id says.

        Parameters
        ----------
        index
            The id, from 0 to the vocabulary's last.

        Returns
        -------
        family, value
            The family's name, and which of its values it is, counted from 0.
        """
        return self._family_of[index], self._value_of[index]

    def check(self, ids: npt.ArrayLike) -> Ids:
        """Return ids as an array, or raise at the first breach.

        Raises
        ------
        TokenError
            The sequence breaks the grammar, or ends before its end.
        """
        array = self.vocabulary.check(ids)
        if self._scan is None or not self._scan.accepts(array):
            for breach in self.violations(array):
                raise TokenError(breach.message)
        return array

    def violations(self, array: Ids) -> Iterator[Violation]:
        """Walk over ``array``, ids of the vocabulary of shape (T,), and yield the breaches.

        A value out of order is taken as said and the walk goes on; a family that may not come next
        ends it, as nothing behind it has a state to be judged by.
        """
        cursor = self.start()
        for place, index in enumerate(array.tolist()):
            row = self.table[cursor.state]
            if not row:
                message = f"id {index} at place {place} comes after the end of the sequence"
                yield Violation(place, message)
                return
            if not self.allows(cursor, index):
                yield Violation(
                    place,
                    f"{self.vocabulary.token(index)} at place {place} breaks the grammar: after "
                    f"{self._before(array, place)} comes one of {', '.join(row)}, in rising order",
                )
                if self._family_of[index] not in row:
                    return
            self.advance(cursor, index)
        if self.table[cursor.state]:
            yield Violation(len(array), f"the sequence of {len(array)} ids has no end")

    def allows(self, cursor: Cursor, index: int) -> bool:
        """Return ``allowed(cursor)[index]`` without looking at the other families."""
        family = self._family_of[index]
        if family not in self.table[cursor.state]:
            return False
        rule = self._narrow.get(family)
        if not rule:
            return True
        values = self._all_values[family].copy()
        rule(cursor, values)
        return bool(values[self._value_of[index]])

    def _before(self, array: Ids, place: int) -> str:
        return self.vocabulary.token(int(array[place - 1])) if place else "nothing"


def rising_position(cursor: Cursor, values: Mask) -> None:
    """Keep onsets rising inside a bar, and inside its end."""
    values[: cursor.position + 1] = False
    values[cursor.bar_length :] = False


def rising_rank(cursor: Cursor, values: Mask) -> None:
    """Keep the notes of one onset rising."""
    values[: max(0, cursor.rank + 1)] = False


def not_the_root(cursor: Cursor, values: Mask) -> None:
    """Keep the bass another note than the root; no chord has none."""
    if cursor.rank == NO_CHORD:
        values[:] = False
    else:
        values[chord_at(cursor.rank - 1)[0]] = False


def take_position(cursor: Cursor, value: int) -> None:
    """Begin an onset."""
    cursor.position, cursor.rank = value, -1


def take_rank(cursor: Cursor, value: int) -> None:
    """Write a note at the onset."""
    cursor.rank = value
