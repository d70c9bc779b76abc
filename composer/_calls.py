"""Calls that do not fit what is called, refused in words that say what would be right.

Python calls a wrong keyword "unexpected" and stops there. Here the message has the nearest that
there is, and where all are described.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from composer.errors import RequestError

Called = TypeVar("Called", bound=Callable[..., Any])

_FEW = 8  # so many names are said in a message, more only in the documentation
_LONGEST = 60  # characters of a value in a message
_NEAR = 0.7  # of 1: "sede" is near "seed", and "bars" is not near "parts"
_LEAST = 3  # letters that one name begins another with
_OWNERS = ("self", "cls", "_cls")
_COLLECTED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

#: What other programs call some of our keywords.
_ELSEWHERE = {
    "instrument": ("part", "instruments", "parts"),
    "instruments": ("part", "parts"),
    "part": ("instruments", "parts"),
    "parts": ("instruments",),
    "track": ("part", "parts"),
    "tracks": ("part", "parts"),
    "bpm": ("tempo", "tempos"),
    "time_signature": ("meter", "time_signatures"),
    "scale": ("key",),
    "velocity": ("dynamics",),
}


def called_right(path: str) -> Callable[[Called], Called]:
    """Return a decorator: a call that does not fit a function or a class is a ``RequestError``.

    Parameters
    ----------
    path
        Where a user finds it, such as ``"composer.Score.apply"``; messages name it so.
    """

    def checked(thing: Called) -> Called:
        if inspect.isclass(thing):
            maker = "__new__" if issubclass(thing, tuple) else "__init__"
            setattr(thing, maker, _checked(vars(thing)[maker], path))
            return thing
        return cast(Called, _checked(thing, path))

    return checked


def _checked(function: Callable[..., Any], path: str) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @wraps(function)
    def called(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except TypeError:
            wrong = misfit(path, signature, arguments, keywords)
            if not wrong:
                raise
        raise RequestError(wrong)

    return called


def misfit(
    path: str, signature: inspect.Signature, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> str:
    """Return why a call does not fit a signature; nothing where it does.

    Parameters
    ----------
    path
        As for ``called_right``.
    signature
        What is taken.
    arguments, keywords
        What is given, the object or class among them if it is a method that is called.

    Examples
    --------
    >>> def add(score, bars=4, *, seed=None): ...
    >>> misfit("music.add", inspect.signature(add), (), {"bar": 3})
    "add() knows no 'bar', did you mean 'bars'? It takes score, bars, seed"
    >>> misfit("music.add", inspect.signature(add), (1, 2, 3), {})
    'add() takes score and bars without a name, and 3 needs one: seed='
    >>> misfit("music.add", inspect.signature(add), (), {})
    'add() lacks score; write add(score, ...)'
    """
    taken = [*signature.parameters.values()]
    if taken and taken[0].name in _OWNERS:
        taken, arguments = taken[1:], arguments[1:]
    called = f"{path.rpartition('.')[2]}()"
    kinds = {parameter.kind for parameter in taken}
    taken = [parameter for parameter in taken if parameter.kind not in _COLLECTED]
    known = [parameter.name for parameter in taken]
    for name in keywords:
        if name not in known and inspect.Parameter.VAR_KEYWORD not in kinds:
            return f"{called} {unknown_keyword(name, known, path)}"
    placed = [p.name for p in taken if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    if len(arguments) > len(placed) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        return f"{called} {_too_many(placed, known, arguments[len(placed)], path)}"
    for name, value in zip(placed, arguments, strict=False):
        if name in keywords:
            both = f"{shown(value)} and {shown(keywords[name])}"
            return f"{called} is given {name} twice, {both}; leave one out"
    needed = [p.name for p in taken if p.default is inspect.Parameter.empty]
    lacking = [n for n in needed if n not in keywords and n not in placed[: len(arguments)]]
    if not lacking:
        return ""
    rest = ["..."] if len(needed) < len(known) or kinds & {*_COLLECTED} else []
    write = f"{called[:-1]}{', '.join([*needed, *rest])})"
    return f"{called} lacks {_joined(lacking, 'and')}; write {write}"


def unknown_keyword(name: str, known: Sequence[str], path: str) -> str:
    """Return what is wrong with a keyword that something does not know.

    Parameters
    ----------
    name, known
        The keyword, and those that there are.
    path
        As for ``called_right``.

    Examples
    --------
    >>> unknown_keyword("sede", ["score", "seed"], "composer.infill")
    "knows no 'sede', did you mean 'seed'? It takes score, seed"
    """
    meant = [other for other in _ELSEWHERE.get(name, ()) if other in known]
    alike = difflib.get_close_matches(name, known, n=3, cutoff=_NEAR)
    begun = [other for other in known if _begins(name, other)]  # "temp", "minimum"
    near = [*dict.fromkeys([*meant, *alike, *begun])][:3]
    hint = f", did you mean {_joined([*map(repr, near)], 'or')}?" if near else ";"
    if len(known) <= _FEW:
        return f"knows no {name!r}{hint} {'It' if near else 'it'} takes {', '.join(known)}"
    return f"knows no {name!r}{hint} help({path}) has all that it takes"


def _begins(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= _LEAST and long.startswith(short)


def _too_many(placed: Sequence[str], known: Sequence[str], extra: object, path: str) -> str:
    """Return what is wrong with a value that stands behind those that need no name."""
    names = [f"{name}=" for name in known if name not in placed]
    only = _joined(placed, "and") or "nothing"
    if not names:
        return f"takes {only}, and {shown(extra)} is given as well; leave it out"
    if len(names) > _FEW:
        names = [*names[: _FEW // 2], f"another that help({path}) has"]
    return f"takes {only} without a name, and {shown(extra)} needs one: {_joined(names, 'or')}"


def shown(value: object) -> str:
    """Return a value as messages show it, cut where it is long.

    >>> shown([0] * 100)
    '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,...'
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _joined(words: Sequence[str], last: str) -> str:
    """Return words with commas, and a word before the last of them."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
