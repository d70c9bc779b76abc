"""``harmonize``: chords for a melody."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from composer.model.model import Model
from composer.planning.roles import given_rules
from composer.planning.settings import ScoreLike, Settings
from composer.planning.write import WorkingScore
from composer.request.sampling import Sampling
from composer.score.score import Score
from composer.verbs.chords import harmonized

if TYPE_CHECKING:
    from typing_extensions import Unpack


#: Where pieces begin and end on the tonic as often as lead sheets do or more, and triads and
#: inversions are as frequent as in lead sheets of folk tunes: 80% and 7%, as there
#: (``benchmarks/examples.py``). Styles know best how many sevenths they have.
HARMONIC = Sampling(0.6, 0.95, repeat_chords=0.3, tonic_ends=10, sevenths=0.35, inversions=5)
STYLED = dataclasses.replace(HARMONIC, sevenths=1)


def harmonize(
    model: Model,
    melody: ScoreLike,
    *,
    chords_per_bar: int | None = None,
    part: str | None = "piano",
    **settings: Unpack[Settings],
) -> Score:
    """Write chords to a melody, or to any piece.

    Every chord holds the melody note it begins with, and lies in the key unless that note does
    not.

    Parameters
    ----------
    melody
        A score or the path of one.
    chords_per_bar
        1 to 4, each on a beat of its own as far as a bar has so many; the model decides without it.
    part
        Instrument that plays the chords as block chords in a track "Chords"; None for chord
        symbols alone.
    **settings
        See ``composer.planning.settings.Settings``. The temperature is 0.6, chords go on for
        another bar less readily than the model would have it, the first and the last bar have the
        tonic chord more readily, inversions lead from bass to bass more often, and without a
        ``style`` there are fewer sevenths, unless ``sampling`` is given.

    Returns
    -------
    Score
        What was given, with chord symbols (in place of its own, if it had any) and the track.

    Raises
    ------
    SymbolError
        A key or an instrument that cannot be read.
    RequestError
        A score without notes, a value out of its range, or drums as the part.

    Examples
    --------
    >>> import composer
    >>> harmonised = composer.harmonize(composer.example("scarborough fair"), seed=1)
    >>> [track.name for track in harmonised.tracks][-1]
    'Chords'
    """
    sheet = WorkingScore.of(melody, settings.get("key"))
    sheet = dataclasses.replace(sheet, score=sheet.score.replace(chords=()))
    rules = given_rules(model.tokenizer.grid(sheet.score, sheet.key))
    usual = STYLED if settings.get("style") else HARMONIC
    return harmonized(model, sheet, rules, settings, chords_per_bar, part, usual=usual)
