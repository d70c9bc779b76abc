"""What all verbs take is shown by each, and what none takes is refused by name."""

import inspect

import pytest

from composer.compose import Composer
from composer.settings import Settings

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


def test_a_keyword_that_is_not_known_is_named_with_the_nearest(random_composer):
    with pytest.raises(TypeError, match=r"melody\(\) knows no 'chors'; did you mean 'chords'\?"):
        random_composer.melody(chors="Am")
    with pytest.raises(TypeError, match=r"infill\(\) knows no 'sede'; did you mean 'seed'\?"):
        random_composer.infill("x.mid", "1", sede=3)
    with pytest.raises(
        TypeError, match=r"chords\(\) knows no 'xyz'; it takes meter, .*, where, .*, guidance$"
    ):
        random_composer.chords(xyz=3)


def test_settings_given_alone_go_before_those_of_sampling(random_composer):
    from composer import Sampling

    safe, same = (
        random_composer.melody("C G", seed=seed, sampling=Sampling(2.0), temperature=0)
        for seed in (1, 2)
    )
    assert safe == same  # no chance is left
