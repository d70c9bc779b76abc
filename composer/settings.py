"""The keyword settings that all verbs share, said once, and how a verb comes to show them.

A verb takes them as ``**settings: Unpack[Settings]``. ``verb`` gives it a signature and a docstring
with each of them in it, for ``help`` and for the tooltips of notebooks and editors.
"""

from __future__ import annotations

import difflib
import inspect
import os
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypedDict, TypeVar, cast

from composer.controls import Aim, Controls
from composer.decoding.sampling import Sampling
from composer.scopes import Where
from composer.score import Score

Verb = TypeVar("Verb", bound=Callable[..., Any])


class Settings(TypedDict, total=False):
    """What every verb takes besides its own.

    Parameters
    ----------
    key
        Home key, such as ``"A minor"``. Without it that of the score's key signature, or the one
        that its notes or the chords suggest; C major where there is nothing to go by.
    seed
        The same seed gives the same music; a new one is drawn without it.
    temperature, top_p
        How adventurous it is: see ``Sampling``; 0.9 and 0.95 without them.
    sampling
        All the settings of sampling; ``temperature`` and ``top_p`` go before its own.
    where
        Constraints, such as ``[NoteCount(min=2), PitchRange("C4-C6")]``. Each of them holds in
        what is written, whatever the model and the habits of the instrument say.
    density, register, note_length, dynamics, syncopation
        What the parts that are written aim at, in words or numbers such as ``"sparse"`` or 2.5
        onsets a beat: see ``composer.controls``. ``{"piano": "busy"}`` is for that part alone.
    controls
        The same for single parts and bars: ``[Controls(density="busy", bars="5-8")]``.
    style
        One of the styles that the model was trained on, such as ``"hymn"`` or ``"song"``.
    influence
        A score, or the path of one, whose controls are read off, part by part, and aimed at.
    guidance
        How much what is aimed at weighs: see ``Sampling``.
    """

    key: str | None
    seed: int | None
    temperature: float | None
    top_p: float | None
    sampling: Sampling | None
    where: Where
    density: Aim | None
    register: Aim | None
    note_length: Aim | None
    dynamics: Aim | None
    syncopation: Aim | None
    controls: Controls | Sequence[Controls]
    style: str | None
    influence: Score | str | os.PathLike[str] | None
    guidance: float | None


_DEFAULTS: dict[str, Any] = {"where": (), "controls": ()}  # of the others None is


def verb(function: Verb, settings: type = Settings) -> Verb:
    """Return a verb that shows the settings it takes, and says which keyword it does not know.

    Parameters
    ----------
    function
        Takes ``**settings``, and has an entry ``**settings`` among the parameters it documents.
    settings
        The class of its settings.
    """
    own = inspect.signature(function)
    given = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_DEFAULTS.get(name),
            annotation=getattr(kind, "__forward_arg__", kind),
        )
        for name, kind in _annotations(settings).items()
    ]
    *first, _ = own.parameters.values()
    signature = own.replace(parameters=[*first, *given])

    @wraps(function)
    def shown(*arguments: Any, **keywords: Any) -> Any:
        for name in keywords:
            if name not in signature.parameters:
                raise TypeError(f"{function.__name__}() knows no {name!r}; {_nearest(name)}")
        return function(*arguments, **keywords)

    def _nearest(name: str) -> str:
        known = [parameter for parameter in signature.parameters if parameter != "self"]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        return f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}"

    shown.__signature__ = signature  # type: ignore[attr-defined]
    shown.__doc__ = _documented(function.__doc__, settings)
    return cast(Verb, shown)


def _annotations(settings: type) -> dict[str, Any]:
    """Return the names and types of a typed dictionary, those it inherits first."""
    return dict(settings.__annotations__)


def _documented(text: str | None, settings: type) -> str | None:
    """Return a verb's docstring with each setting in the place of ``**settings``."""
    if text is None or settings.__doc__ is None:  # as python -OO has it
        return text
    *_, entries = inspect.cleandoc(settings.__doc__).partition("----------\n")
    return re.sub(
        r"^\*\*settings\n( .*\n)+", lambda _: f"{entries}\n", inspect.cleandoc(text), flags=re.M
    )
