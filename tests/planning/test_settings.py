"""What all verbs take is shown by each, and what none takes is refused by name."""

from __future__ import annotations

import inspect
import re

import pytest

import composer
from composer import Author, GuaranteeError, Region, Score, Track
from composer.api import Composer
from composer.edits.patch import recorded
from composer.errors import RequestError
from composer.planning.settings import ScoreLike, Settings, recording

VERBS = ["melody", "chords", "harmonize", "arrange", "infill", "stream"]


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_shows_and_documents_every_setting(name):
    verb = getattr(Composer, name)
    shown = inspect.signature(verb).parameters
    not_taken = {"n"} if name == "stream" else set()  # bars that have been heard are not ranked
    assert set(Settings.__annotations__) - not_taken < set(shown)
    assert not not_taken & set(shown)
    assert not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in shown.values())
    lines = inspect.getdoc(verb).splitlines()
    documented = {word.strip(",") for line in lines if line[:1].strip() for word in line.split()}
    assert set(shown) - {"self"} <= documented
    assert verb.__doc__.count("Parameters\n----------") == 1


@pytest.mark.parametrize(
    ("verb", "wrong", "near"),
    [
        ("melody", "chors", "chords"),
        ("chords", "chord_per_bar", "chords_per_bar"),
        ("harmonize", "seeds", "seed"),
        ("arrange", "part", "instruments"),
        ("infill", "sede", "seed"),
        ("extend", "bar", "bars"),
        ("vary", "ammount", "amount"),
        ("reduce", "tow", "to"),
        ("stream", "melodie", "melody"),
    ],
)
def test_a_keyword_that_is_not_known_is_named_with_the_nearest(verb, wrong, near, random_composer):
    taken = [*inspect.signature(getattr(random_composer, verb)).parameters]
    listed = f"It takes {', '.join(taken)}"
    where = listed if len(taken) < 9 else f"help(composer.{verb}) has all that it takes"
    message = f"{verb}() knows no '{wrong}', did you mean '{near}'? {where}"
    with pytest.raises(RequestError, match=f"^{re.escape(message)}$"):
        getattr(random_composer, verb)(**{wrong: 3})
    with pytest.raises(RequestError, match=f"^{re.escape(message)}$"):
        getattr(composer, verb)(**{wrong: 3})


def test_a_keyword_that_no_setting_is_near_to_says_where_there_are_others(random_composer):
    with pytest.raises(RequestError, match=r"^reduce\(\) knows no 'seed'; it takes score, to$"):
        random_composer.reduce("x.mid", seed=1)
    with pytest.raises(RequestError, match=r"knows no 'xyz'; help\(composer.chords\) has all that"):
        random_composer.chords(xyz=3)


@pytest.mark.parametrize(
    ("verb", "arguments", "keywords", "reason"),
    [
        ("infill", (), {}, r"lacks score; write infill\(score, \.\.\.\)$"),
        (
            "chords",
            (4,),
            {},
            "takes nothing without a name, and 4 needs one: meter=, tempo=",
        ),
        (
            "vary",
            ("x.mid", 0.3, "5-8"),
            {},
            "takes score and amount .*, and '5-8' needs one: ",
        ),
        ("reduce", ("x.mid",), {"score": "x"}, "is given score twice, 'x.mid' and 'x'; leave one"),
        ("reduce", ("x.mid", "piano", 3), {}, "takes score and to, and 3 is given as well; leave"),
    ],
)
def test_a_call_that_does_not_fit_says_what_the_verb_takes(
    verb, arguments, keywords, reason, random_composer
):
    message = rf"^{verb}\(\) {reason}"
    with pytest.raises(RequestError, match=message):
        getattr(random_composer, verb)(*arguments, **keywords)


def test_settings_given_alone_go_before_those_of_sampling(random_composer):
    from composer import Sampling

    safe, same = (
        random_composer.melody("C G", seed=seed, sampling=Sampling(2.0), temperature=0)
        for seed in (1, 2)
    )
    assert safe == same  # no chance is left


def test_what_breaks_its_promise_is_not_returned():
    def meddling(model: object, score: ScoreLike) -> Score:
        """Change a note of bar 2 and say that bar 1 was written."""
        track = score.tracks[0]
        notes = track.notes.copy()
        notes["pitch"][-1] += 1
        after = score.replace(tracks=[track.replace(notes=notes)])
        return recorded(score, after, Author("composer"), [Region(1, "A", 1, 1)])

    notes = [(0, 480, 60, 90), (1920, 480, 62, 90)]
    score = Score(480, [Track("A", notes=notes)])
    with pytest.raises(GuaranteeError, match=r"nothing is returned; .*\n.* 2 notes changed"):
        recording(meddling)(None, score)
