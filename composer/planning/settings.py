"""The keyword settings that all verbs share, said once, and how a verb comes to show them.

A verb takes them as ``**settings: Unpack[Settings]``. ``verb`` gives it a signature and a docstring
with each of them in it, for ``help`` and for the tooltips of notebooks and editors.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypedDict, TypeVar, cast, get_type_hints

from composer._calls import misfit, shown
from composer.best_of.candidates import Candidate, best_of
from composer.checking.certificate import certify
from composer.constraints.base import Constraint, Where, constraints_of
from composer.controls.controls import Aim, Controls
from composer.edits.patch import signed
from composer.edits.realigned import Realigned
from composer.errors import GuaranteeError, RequestError, SymbolError
from composer.model.model import Model
from composer.request.sampling import Sampling
from composer.score.score import Score
from composer.theory.keys import Key
from composer.theory.pitches import RangeLike
from composer.theory.progression import parse_progression

#: A score, or the path of a MIDI file.
ScoreLike = Score | str | os.PathLike[str] | Candidate

#: Onsets a bar: exactly so many, or the least and the most.
Count = int | tuple[int, int]

Arguments = ParamSpec("Arguments")
Made = TypeVar("Made")


class Settings(TypedDict, total=False):
    """What every verb takes besides its own.

    Parameters
    ----------
    key
        Home key, such as ``"A minor"``: the notes written lie in it, as the chords alter it.
        Without it that of the score's key signature, or the one that its notes or the chords
        suggest; C major where there is nothing to go by. Where chords name another key, as in
        ``"C | F G | [key: E] A | B7 E"``, or a score has another key signature, notes and chords
        lie in that one from the next bar line on.
    seed
        The same seed gives the same music; a new one is drawn without it.
    temperature, top_p
        How adventurous it is: see ``Sampling``; 0.9 and 0.95 without them.
    sampling
        All the settings of sampling; ``temperature`` and ``top_p`` go before its own.
    n
        Candidates that are written, in one batch; the best of them is returned, as
        ``composer.best_of.ranking`` has it. ``composer.candidates`` returns them all. 1 without it.
    where
        Constraints, such as ``[OnsetCount(min=2), PitchRange("C4-C6")]``. Each of them holds in
        what is written, whatever the model and the habits of the instrument say.
    style
        One of the styles that the model was trained on, such as ``"hymn"`` or ``"song"``.
    guidance
        How much what is aimed at weighs: see ``Sampling``. 2 without it, which takes twice the time
        of 1.
    """

    key: str | None
    seed: int | None
    temperature: float | None
    top_p: float | None
    sampling: Sampling | None
    n: int | None
    where: Where
    style: str | None
    guidance: float | None


class NoteSettings(Settings, total=False):
    """What every verb takes besides that writes notes: everyday constraints, and controls.

    ``range``, ``polyphony`` and ``notes`` hold in what is written, as ``where`` does, and go before
    the habits of the instrument; the others are aimed at (see ``composer.controls.controls``). A
    single value is for all parts, but the first three not for drums;
    ``{"piano": ..., "drums": ...}`` is for those named.

    Parameters
    ----------
    range
        Lowest and highest pitch, such as ``"C4-C6"`` or ``(60, 84)``, or a range by part. Without
        it a part keeps to the register of its role, or to its own.
    polyphony
        How many notes may sound at once; a word such as ``"thin"`` is only aimed at.
    notes
        Onsets a bar: a number for exactly so many, ``(2, 6)`` for at least 2 and at most 6; or by
        part.
    density, register, note_length, dynamics, syncopation
        What the parts that are written aim at, in words or numbers such as ``"sparse"`` or 2.5
        onsets a beat.
    controls
        Such aims for single parts and bars: ``[Controls(density="busy", bars="5-8")]``.
    influence
        A score, or the path of one, whose controls are read off, part by part, and aimed at.
    feel
        Whether what is written is played as the notes around it are: as loud, as early or late, and
        with their swing. With constraints each note stays at its place, as near as that allows.
    """

    range: RangeLike | dict[str, RangeLike] | None
    polyphony: int | str | dict[str, int | str] | None
    notes: Count | dict[str, Count] | None
    density: Aim | None
    register: Aim | None
    note_length: Aim | None
    dynamics: Aim | None
    syncopation: Aim | None
    controls: Controls | Sequence[Controls]
    influence: ScoreLike | None
    feel: bool


_DEFAULTS: dict[str, Any] = {"where": (), "controls": (), "feel": False}  # of the others None is


def read(score: ScoreLike) -> Score:
    """Return a score, read from its file if it is a path, or that of a candidate.

    Raises
    ------
    RequestError
        It is none of these.
    MidiError
        The path is no MIDI file.
    """
    if isinstance(score, Score):
        return score
    if isinstance(score, Candidate):
        return score.score
    if not isinstance(score, str | os.PathLike):
        raise RequestError(
            f"{shown(score)} is not a score; give a Score or the path of a MIDI file"
        )
    if isinstance(score, str) and not os.path.exists(score) and _are_chords(score):
        raise RequestError(
            f"{score!r} is not a score: it looks like chords; melody({shown(score)}) writes a tune "
            "to them, which is one"
        )
    return Score.read(score)


def _are_chords(text: str) -> bool:
    try:
        parse_progression(text, Key(0))
    except SymbolError:
        return False
    return True


def with_where(settings: NoteSettings, more: Iterable[Constraint]) -> NoteSettings:
    """Return settings with more constraints than a user has named.

    Raises
    ------
    RequestError
        One that the user has named is not a constraint.
    """
    where = [*constraints_of(settings.get("where", ())), *more]
    return cast(NoteSettings, {**settings, "where": where})


def verb(
    function: Callable[Concatenate[Model, Arguments], Made],
    *settings: type,
    best_of_n: bool = True,
) -> Callable[Concatenate[Any, Arguments], Made]:
    """Return the method of whoever has a ``model`` that calls a verb with it.

    It shows the settings that the verb takes, and refuses calls that do not fit them.

    A score that it returns has what it did to the one it was given in its history.

    Parameters
    ----------
    function
        Takes ``**settings`` and has such an entry among the parameters it documents, or takes none.
    settings
        Which it takes: ``Settings`` and ``NoteSettings`` where none are named.
    best_of_n
        Whether it takes ``n``.
    """
    own = inspect.signature(function)
    *first, last = own.parameters.values()
    if last.kind is not inspect.Parameter.VAR_KEYWORD:
        return cast(Callable[Concatenate[Any, Arguments], Made], _method(recording(function), own))
    taken = settings or (Settings, NoteSettings)
    kinds = get_type_hints(taken[-1])
    if not best_of_n:
        del kinds["n"]
    given = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_DEFAULTS.get(name),
            annotation=kind,
        )
        for name, kind in kinds.items()
    ]
    served = recording(function)

    @wraps(function)
    def best(*arguments: Any, n: int | None = None, **keywords: Any) -> Any:
        if n is None:
            return served(*arguments, **keywords)
        seed = keywords.pop("seed", None)
        return best_of(partial(served, *arguments, **keywords), n, seed)[0].score

    shown = _method(best, own.replace(parameters=[*first, *given]))
    shown.__doc__ = _documented(function.__doc__, taken, best_of_n)
    return cast(Callable[Concatenate[Any, Arguments], Made], shown)


def _method(function: Callable[..., Any], signature: inspect.Signature) -> Any:
    """Return a method that shows a verb's signature, and refuses in its own words what misfits."""
    first, *rest = signature.parameters.values()
    owner = first.replace(name="self", annotation=inspect.Parameter.empty)
    signature = signature.replace(parameters=[owner, *rest])

    @wraps(function)
    def shown(self: Any, *arguments: Any, **keywords: Any) -> Any:
        wrong = misfit(f"composer.{function.__name__}", signature, (self, *arguments), keywords)
        if wrong:
            raise RequestError(wrong)
        return function(self.model, *arguments, **keywords)

    shown.__signature__ = signature  # type: ignore[attr-defined]
    annotations = {parameter.name: parameter.annotation for parameter in rest}
    shown.__annotations__ = {**annotations, "return": signature.return_annotation}
    return shown


def recording(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a verb that says in the history of the score it returns what it did.

    Its first argument after the model is what it was given, if it takes a ``ScoreLike``.
    """
    own = inspect.signature(function)
    source = next((name for name, p in own.parameters.items() if p.annotation == "ScoreLike"), "")

    @wraps(function)
    def recorded(*arguments: Any, **keywords: Any) -> Any:
        called, before, realigned = own.bind(*arguments, **keywords), None, None
        if called.arguments.get(source) is not None:
            before = called.arguments[source] = read(called.arguments[source])
            realigned = Realigned.of(before)
            if realigned:
                called.arguments[source] = realigned.score
        after = function(*called.args, **called.kwargs)
        if not isinstance(after, Score):
            return after
        after = realigned.back(after) if realigned else after
        return _certified(signed(before or Score(after.tpq), after, function.__name__))

    return recorded


def _certified(score: Score) -> Score:
    """Return a score that a verb has made, if what was asked for holds in it."""
    certificate = certify(score)
    if not certificate.holds:
        raise GuaranteeError(
            f"what was to hold does not, so that nothing is returned; please report this: "
            f"{certificate}"
        )
    return score


def _documented(text: str | None, settings: tuple[type, ...], best_of_n: bool) -> str | None:
    """Return a verb's docstring with each setting in the place of ``**settings``."""
    described = [one.__doc__ for one in settings]
    if text is None or None in described:  # as python -OO has it
        return text
    entries = [inspect.cleandoc(one or "").partition("----------\n")[2] for one in described]
    if not best_of_n:
        entries = [re.sub(r"^n\n( .*(\n|$))+", "", entry, flags=re.M) for entry in entries]
    return re.sub(
        r"^\*\*settings\n( .*\n)+",
        lambda _: "".join(f"{entry}\n" for entry in entries),
        inspect.cleandoc(text),
        flags=re.M,
    )
