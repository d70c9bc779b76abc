"""The tunes of the package are lead sheets: a melody, a meter, a key and chords to the end."""

import pytest

from composer import example, example_names
from composer.errors import RequestError
from composer.theory.chords import parse_chord


@pytest.mark.parametrize("name", example_names())
def test_a_tune_is_a_lead_sheet(name):
    tune = example(name)
    (melody,) = tune.tracks
    notes = melody.notes
    assert len(notes) > 20
    assert (notes["onset"][1:] >= (notes["onset"] + notes["duration"])[:-1]).all()
    assert len(tune.key_signatures) == len(tune.tempos) == 1
    assert len(tune.time_signatures) >= 1
    assert all(parse_chord(text) for _, text in tune.chords)
    assert tune.chords[0].tick < tune.meter.bar_start(2)


@pytest.mark.parametrize("name", ["Scarborough Fair", " scarborough_fair ", "SCARBOROUGH FAIR"])
def test_spaces_and_capitals_do_not_matter(name):
    assert example(name) == example("scarborough_fair")


@pytest.mark.parametrize("name", ["../examples/shenandoah", "shenandoah.mid", "Shenandoa"])
def test_an_unknown_tune_is_refused_with_the_nearest(name):
    with pytest.raises(RequestError, match=r"did you mean 'shenandoah'\?$"):
        example(name)


@pytest.mark.parametrize("name", ["yesterday", ""])
def test_where_no_tune_is_near_it_says_where_they_are_listed(name):
    with pytest.raises(RequestError, match=r"example_names\(\) has those there are"):
        example(name)
