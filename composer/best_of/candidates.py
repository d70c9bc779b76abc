"""Best of n: several candidates written in one batch, and ranked."""

from __future__ import annotations

import dataclasses
import inspect
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from numbers import Integral
from typing import Any, ParamSpec, cast

import numpy as np

from composer._calls import called_right, shown
from composer.best_of.ranking import TERMS, total, values_of
from composer.errors import RequestError
from composer.generate.batch import call_together
from composer.score.score import Score

USUAL_CANDIDATES = 8
MOST_CANDIDATES = 256

Arguments = ParamSpec("Arguments")


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
    """One of several scores that a verb wrote.

    Parameters
    ----------
    score
        What it wrote.
    seed
        With this seed and ``n=1`` the verb writes it again.
    total
        What it is ranked by, the lower the better.
    terms
        What the total is made of, by name, before weights: see ``composer.best_of.ranking``.
    """

    score: Score
    seed: int
    total: float
    terms: Mapping[str, float]

    def __repr__(self) -> str:
        terms = ", ".join(f"{name} {value:.2f}" for name, value in self.terms.items())
        return f"Candidate(seed={self.seed}, total={self.total:.2f}: {terms})"


@called_right("composer.candidates")
def candidates(
    verb: Callable[Arguments, Score], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> list[Candidate]:
    """Return all candidates that a verb writes, the best first; the verb alone returns that one.

    Parameters
    ----------
    verb
        A verb of ``composer``, or any function of yours that takes a ``seed`` and calls them.
    *args, **kwargs
        What the verb is called with. ``n`` says how many candidates; 8 without it. The first has
        the seed that is given, the others have seeds made of it.

    Returns
    -------
    list of Candidate
        Candidates of one total stand in the order in which they were written.

    Raises
    ------
    RequestError
        ``n`` or ``seed`` is out of range, or the verb is not a function that takes a seed and
        returns a score.
    ComposerError
        Whatever the verb raises.

    Examples
    --------
    >>> import composer
    >>> first, *others = composer.candidates(composer.melody, "Am F C G", n=3, seed=1)
    >>> len(others), composer.melody("Am F C G", seed=first.seed) == first.score
    (2, True)
    >>> composer.melody("Am F C G", n=3, seed=1) == first.score
    True
    """
    if not callable(verb):
        raise RequestError(
            f"{shown(verb)} is not a verb; give one and what it is called with, such as "
            "candidates(composer.melody, 'Am F')"
        )
    taken = inspect.signature(verb).parameters.values()
    if not any(p.name == "seed" or p.kind is inspect.Parameter.VAR_KEYWORD for p in taken):
        raise RequestError(
            f"candidates differ by their seed, and {_name(verb)} takes no seed, so that all would "
            "be one; call it alone"
        )
    settings: dict[str, Any] = dict(kwargs)
    n, seed = settings.pop("n", None), settings.pop("seed", None)
    alone = cast(Callable[..., Score], verb)
    return best_of(partial(alone, *args, **settings), USUAL_CANDIDATES if n is None else n, seed)


def best_of(write: Callable[..., Score], n: int, seed: int | None) -> list[Candidate]:
    """Return what a function of a seed writes with several of them, the best first."""
    if not isinstance(n, Integral) or isinstance(n, bool) or not 1 <= n <= MOST_CANDIDATES:
        raise RequestError(f"n {n!r} is not a whole number from 1 to {MOST_CANDIDATES} candidates")
    seeds = seeds_of(seed_of(seed), int(n))
    made = []
    outcomes = call_together([partial(write, seed=own) for own in seeds])
    for own, (score, writers) in zip(seeds, outcomes, strict=True):
        if not isinstance(score, Score):
            kind = type(score).__name__
            raise RequestError(
                f"{_name(getattr(write, 'func', write))} returned a {kind}, which is not ranked; "
                "give a verb that returns a score"
            )
        values = values_of(writers, TERMS)
        made.append(Candidate(score, own, total(values, TERMS), values))
    return sorted(made, key=lambda candidate: candidate.total)


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", "the function"))


def seed_of(seed: int | None) -> int:
    """Return a seed that was given, or a new one.

    Raises
    ------
    RequestError
        It is not a whole number from 0 on.
    """
    if seed is None:
        return secrets.randbelow(2**32)
    if not isinstance(seed, Integral) or isinstance(seed, bool) or seed < 0:
        raise RequestError(
            f"seed {seed!r} is not a whole number from 0 on; leave it out for a new one"
        )
    return int(seed)


def seeds_of(seed: int, n: int) -> list[int]:
    """Return the seeds of n candidates: the one given, and others that hang on it."""
    others = [np.random.SeedSequence([seed, i]).generate_state(1)[0] for i in range(1, n)]
    return [seed, *map(int, others)]
