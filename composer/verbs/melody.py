"""``melody``: a tune over chords, or with chords of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from composer.chord_sources import ChordsLike
from composer.decoding.sampling import Sampling
from composer.instruments import parse_instrument
from composer.lead_sheet import chart
from composer.roles import part_rules
from composer.score import Score
from composer.settings import NoteSettings
from composer.writing import Sheet, new_track, write

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from composer.compose import Composer

#: Where melodies repeat a note as often as lead sheets do: 19% of steps, and 18% there.
MELODIC = Sampling(0.9, 0.95, repeat_notes=0.5)


def melody(
    self: Composer,
    chords: ChordsLike | None = None,
    *,
    meter: str | None = None,
    tempo: float | None = None,
    bars: int | None = None,
    part: str = "flute",
    **settings: Unpack[NoteSettings],
) -> Score:
    """Write a melody over chords; without chords it invents both.

    Parameters
    ----------
    chords
        Lead-sheet text: ``"Am F C G7/B"``, a chord a bar, or ``"| Am F | C G |"``; or bars,
        ``(bar, beat, symbol)``, a score or a file with chords: see ``composer.chord_sources``.
    meter
        Time signature; that of a score of chords without it, else 4/4.
    tempo
        Quarter notes a minute, 20 to 320; that of a score of chords without it, else 110.
    bars
        Number of bars; the chords' without it, else 8. More bars than chords repeat them.
    part
        Instrument: a General MIDI name, a short name, or a program number.
    **settings
        See ``composer.settings.NoteSettings``. Without ``sampling`` notes are repeated half as
        readily as the model would.

    Returns
    -------
    Score
        One track, and the chords as chord symbols.

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
    """
    player = parse_instrument(part)
    blank, home, count = chart(chords, key=settings.get("key"), meter=meter, tempo=tempo, bars=bars)
    sheet = Sheet(blank.replace(tracks=(new_track(part),)), home, count)
    rules = part_rules(player, "melody")
    cells = sheet.cells([1] if chords is not None else [0, 1])
    return write(self, sheet, cells, (rules,), settings, usual=MELODIC)
