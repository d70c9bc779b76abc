"""``arrange``: new parts to a melody and its chords."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from composer.errors import RequestError
from composer.harmony.lead_sheet import chord_texts
from composer.harmony.sources import ChordsLike
from composer.model.model import Model
from composer.planning.blank import outline_of
from composer.planning.roles import given_rules, part_rules, role_of, tune_middle, under
from composer.planning.settings import NoteSettings, ScoreLike
from composer.planning.write import SAMPLING, WorkingScore, new_track, write
from composer.score.instruments import parse_instruments
from composer.score.names import listed
from composer.score.parts import track_rows
from composer.score.score import Score
from composer.verbs.harmonize import HARMONIC

if TYPE_CHECKING:
    from typing_extensions import Unpack


#: Where parts come near to real ones in onsets that two of them share, 36% and 40% there, in
#: syncopation, 8% and 8%, and in bars that come again in 16, 23% where quartets and orchestras have
#: 14% and games 46%; 29% of notes repeat and 7% double others, more than the 15% and 2% of real
#: parts, but less of either made chords fall apart (``benchmarks/examples.py``).
ARRANGED = dataclasses.replace(
    SAMPLING, repeat_notes=0.3, repeat_bars=15, double_notes=0.1, share_onsets=0.1
)

#: The same where chords are written along with the parts: those are as in ``harmonize``.
HARMONISED = ARRANGED.with_chords_of(HARMONIC)


def arrange(
    model: Model,
    score: ScoreLike,
    instruments: str | int | Sequence[str | int] = ("piano", "bass", "drums"),
    *,
    chords: ChordsLike | None = None,
    keep: str | int | Sequence[str | int] | None = None,
    form: str | None = None,
    **settings: Unpack[NoteSettings],
) -> Score:
    """Write parts to a melody and its chords.

    Parameters
    ----------
    score
        A score or the path of one: a melody, or a piece that wants more parts.
    instruments
        Names, or numbers of General MIDI programs: each is a new track after those of the score.
        Here as in all lists of names, a text with commas does as well.
    chords
        Lead-sheet text, or any chords as in ``melody``, in place of the score's chords; a text
        begins behind a pickup. Keys that it names are for its numerals alone: the notes keep to the
        score's key signatures. A score without chords is harmonised along with the parts.
    keep
        Tracks that stay, by number (from 1), name, instrument or role; all without it.
    form
        As in ``melody``, for the new parts; the sections have the score's bars between them.
    **settings
        See ``composer.planning.settings.NoteSettings``. Bars are repeated more readily than the
        model would, notes less, notes of other parts are seldom doubled, and their onsets seldom
        shared, unless ``sampling`` is given. Accompaniments keep to what lies under the middle of
        the tune, where no ``range`` is.

    Returns
    -------
    Score
        The tracks kept, untouched, and the new ones, which end together with the tune.

    Raises
    ------
    SymbolError
        A key, chord or instrument that cannot be read.
    RequestError
        Values that do not fit together, or constraints that nothing can meet.

    Examples
    --------
    >>> import composer
    >>> song = composer.arrange(composer.melody("C G Am F", seed=1), ["piano", "bass"], seed=1)
    >>> [track.name for track in song.tracks]
    ['Flute', 'Piano', 'Bass']
    """
    named = listed(instruments)
    if not named:
        raise RequestError("instruments is empty; name some, such as ['piano', 'bass']")
    players = parse_instruments(named)
    sheet = WorkingScore.of(score, settings.get("key"))
    given = sheet.score
    if keep is not None:
        rows = track_rows(given, keep)
        given = given.replace(tracks=tuple(given.tracks[row] for row in sorted(rows)))
    if chords is not None:
        given = given.replace(chords=chord_texts(chords, sheet.key, given, sheet.bars))
    grid = model.tokenizer.grid(given, sheet.key)
    theirs = given_rules(grid)
    top = tune_middle(grid, theirs)
    rules = (*theirs, *(under(part_rules(player, role_of(player)), top) for player in players))
    first = 1 + len(given.tracks)
    whole = given.replace(tracks=(*given.tracks, *map(new_track, named, players)))
    sheet = dataclasses.replace(sheet, score=whole)
    # Chords that are written with the parts are chosen so that the parts can keep what they must.
    columns = [*([] if given.chords else [0]), *range(first, first + len(named))]
    outline = outline_of(form, sheet.bars)
    usual = ARRANGED if given.chords else HARMONISED
    return write(model, sheet, sheet.cells(columns), rules, settings, usual=usual, outline=outline)
