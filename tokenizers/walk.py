"""A grammar's table over whole sequences, compiled."""

from __future__ import annotations

from composer._jit import compiled
from composer.tokenizers.columns import BRANCHES, Families, Ints


@compiled
def walk(family: Families, table: Ints, state: int, branch_family: int, branches: Ints) -> int:
    """Return the state that a sequence ends in, -1 where a family may not come next.

    Parameters
    ----------
    family
        Of each id, shape (T,).
    table
        The next state of each state and family; -1 for none, ``BRANCHES`` where a branch decides.
    state
        The one to begin in.
    branch_family, branches
        The family that decides, and the state that each of its ids leads to then.
    """
    branch = 0
    for what in family:
        state = table[state, what]
        if state == BRANCHES:
            state = branches[branch]
        if what == branch_family:
            branch += 1
        if state < 0:
            return -1
    return state
