"""A few traditional tunes that come with the package, as lead sheets."""

from __future__ import annotations

import difflib
from pathlib import Path

from composer._calls import called_right, shown
from composer.errors import RequestError
from composer.score.score import Score

FOLDER = Path(__file__).with_name("examples")


@called_right("composer.example_names")
def example_names() -> list[str]:
    """Return the names of the tunes.

    Examples
    --------
    >>> example_names()[:2]
    ['coventry_carol', 'drunken_sailor']
    """
    return sorted(path.stem for path in FOLDER.glob("*.mid"))


@called_right("composer.example")
def example(name: str) -> Score:
    """Return a traditional tune: a melody with chord symbols.

    The tunes are in the public domain; ``composer/examples/SOURCE.txt`` says where the files come
    from and under which licence.

    Parameters
    ----------
    name
        One of ``example_names()``; spaces and capitals do not matter.

    Raises
    ------
    RequestError
        There is no such tune; the message has the nearest.

    Examples
    --------
    >>> tune = example("Scarborough Fair")
    >>> tune.bars, tune.chords[0].text
    (48, 'Dm')
    """
    if not isinstance(name, str):
        raise RequestError(f"example {shown(name)} is not a name; give one of example_names()")
    stem = name.strip().lower().replace(" ", "_")
    if stem not in example_names():
        near = difflib.get_close_matches(stem, example_names(), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "example_names() has those there are"
        raise RequestError(f"there is no example {name!r}; {hint}")
    return Score.read(FOLDER / f"{stem}.mid")
