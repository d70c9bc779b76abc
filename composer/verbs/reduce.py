"""``reduce``: many parts as a piano."""

from __future__ import annotations

from typing import TYPE_CHECKING

from composer.errors import RequestError
from composer.score import Score
from composer.writing.reduction import piano_reduction
from composer.writing.settings import ScoreLike, read

if TYPE_CHECKING:
    from composer.compose import Composer


def reduce(self: Composer, score: ScoreLike, to: str = "piano") -> Score:
    """Reduce many parts to a piano that two hands can play.

    Nothing is made up: every note is one of the score's, some of them shortened. The melody and the
    bass stay; of the notes between them each hand plays what it reaches, a tenth and five notes at
    most. ``composer.writing.reduction`` says how it chooses.

    Parameters
    ----------
    score
        A score or the path of one.
    to
        ``"piano"``, which is all there is by now.

    Returns
    -------
    Score
        Two tracks, "Right hand" and "Left hand"; tempos, signatures, markers and chords as they
        were.

    Raises
    ------
    RequestError
        The score has no notes but drums, or it is to be something else than a piano.

    Examples
    --------
    >>> import composer
    >>> song = composer.arrange(composer.melody("C G Am F", seed=1), "strings, bass", seed=1)
    >>> [track.name for track in composer.reduce(song).tracks]
    ['Right hand', 'Left hand']
    """
    if to != "piano":
        raise RequestError(f"a score cannot be reduced to {to!r}; give to='piano'")
    return piano_reduction(read(score))
