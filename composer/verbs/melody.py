"""``melody``: a tune over chords, or with chords of its own."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from composer.harmony.sources import ChordsLike
from composer.model.model import Model
from composer.planning.blank import blank_score, outline_of
from composer.planning.roles import part_rules
from composer.planning.settings import NoteSettings
from composer.planning.write import new_track, write
from composer.request.sampling import Sampling
from composer.score.instruments import parse_instrument
from composer.score.score import Score

if TYPE_CHECKING:
    from typing_extensions import Unpack


#: Where melodies over loops of four chords repeat a note as often as lead sheets do, 18% of steps
#: and 16% there, and 26% of 16 bars come again, as in tunes, 20%, and in lead sheets, 36%
#: (``benchmarks/examples.py``). At 0.75 of ``repeat_notes`` one melody in seven stayed on one note
#: for most of 8 bars, at 0.5 one in fifty does. Without ``extremes`` one in three for the flute
#: stayed right under the highest note of its register, with it one in forty.
MELODIC = Sampling(
    0.9, 0.95, repeat_notes=0.5, repeat_bars=40, extremes=0.8, tonic_ends=3, inversions=0.3
)


def melody(
    model: Model,
    chords: ChordsLike | None = None,
    *,
    meter: str | None = None,
    tempo: float | None = None,
    bars: int | None = None,
    part: str = "flute",
    form: str | None = None,
    **settings: Unpack[NoteSettings],
) -> Score:
    """Write a melody over chords; without chords it invents both.

    Parameters
    ----------
    chords
        Lead-sheet text: ``"Am F C G7/B"``, a chord a bar, or ``"| Am F | C G |"``; or bars,
        ``(bar, beat, symbol)``, a score or a file with chords: see ``composer.harmony.sources``.
    meter
        Time signature; that of a score of chords without it, else 4/4.
    tempo
        Quarter notes a minute, 20 to 320; that of a score of chords without it, else 110.
    bars
        Number of bars; the chords' without it, else 8. More bars than chords repeat them.
    part
        Instrument: a General MIDI name, a short name, or a program number.
    form
        A letter a section, such as ``"AABA"``, ``"ABA'"`` or ``"A8 A8 B4 A8"``: like letters share
        their music, the last one is varied, others contrast, and the end is a full close. See
        ``composer.form.letters``. Without ``bars`` a section has four, or as many as its chords,
        which are given for one section or for all.
    **settings
        See ``composer.planning.settings.NoteSettings``. Without ``sampling`` bars are repeated more
        readily than the model would, and notes less.

    Returns
    -------
    Score
        One track, which ends on a held note, the tonic or the root of a chord without it; the
        chords as chord symbols; with a form, a marker at each section.

    Raises
    ------
    SymbolError
        A key, chord, meter, instrument or range that cannot be read.
    RequestError
        Values that do not fit together, or constraints that nothing can meet.

    Examples
    --------
    >>> import composer
    >>> tune = composer.melody("Am F C G", bars=8, part="violin", seed=1)
    >>> tune.bars, [chord.text for chord in tune.chords][:4]
    (8, ['Am', 'F', 'C', 'G'])
    >>> song = composer.melody("C Am Dm G7", form="AABA", seed=1)
    >>> song.bars, [marker.text for marker in song.markers]
    (16, ['A', 'A', 'B', 'A'])
    """
    player = parse_instrument(part)
    blank, outline = blank_score(
        chords, form, key=settings.get("key"), meter=meter, tempo=tempo, bars=bars
    )
    sheet = dataclasses.replace(blank, score=blank.score.replace(tracks=(new_track(part, player),)))
    if outline is None:
        outline = outline_of(None, sheet.bars)
    rules = part_rules(player, "melody")
    cells = sheet.cells([1] if chords is not None else [0, 1])
    return write(model, sheet, cells, (rules,), settings, usual=MELODIC, outline=outline)
