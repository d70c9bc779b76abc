"""A few traditional tunes that come with the package, as lead sheets."""

from __future__ import annotations

from pathlib import Path

from composer.errors import RequestError
from composer.score import Score

FOLDER = Path(__file__).with_name("examples")


def example_names() -> list[str]:
    """Return the names of the tunes.

    Examples
    --------
    >>> example_names()[:2]
    ['coventry_carol', 'drunken_sailor']
    """
    return sorted(path.stem for path in FOLDER.glob("*.mid"))


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
        There is no such tune; the message lists those there are.

    Examples
    --------
    >>> tune = example("Scarborough Fair")
    >>> tune.bars, tune.chords[0].text
    (48, 'Dm')
    """
    stem = name.strip().lower().replace(" ", "_")
    if stem not in example_names():
        raise RequestError(f"there is no example {name!r}; there are {', '.join(example_names())}")
    return Score.read(FOLDER / f"{stem}.mid")
