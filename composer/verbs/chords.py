"""``chords``: a progression out of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from composer.errors import RequestError
from composer.instruments import Instrument, parse_instrument
from composer.lead_sheet import chart
from composer.score import Score, Track
from composer.settings import Settings
from composer.theory import parse_chord
from composer.voicing import block_chords
from composer.writing import Sheet, write

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from composer.compose import Composer


def chords(
    self: Composer,
    *,
    meter: str = "4/4",
    tempo: float = 110,
    bars: int | None = None,
    part: str | None = "piano",
    **settings: Unpack[Settings],
) -> Score:
    """Invent a chord progression, all of it in the key; ``harmonize`` writes one to a melody.

    Parameters
    ----------
    meter
        Time signature.
    tempo
        Quarter notes a minute, 20 to 320.
    bars
        Number of bars; 8 without it.
    part
        Instrument that plays the chords as block chords in a track "Chords"; None for chord
        symbols alone.
    **settings
        See ``composer.settings.Settings``.

    Returns
    -------
    Score
        The chord symbols, and the track.

    Raises
    ------
    SymbolError
        A key, meter or instrument that cannot be read.
    RequestError
        A value out of its range, or drums as the part.

    Examples
    --------
    >>> import composer
    >>> composer.chords(key="D minor", bars=4, seed=3).bars
    4
    """
    player = chord_player(part)
    sheet = Sheet(*chart(None, key=settings.get("key"), meter=meter, tempo=tempo, bars=bars))
    return played(write(self, sheet, sheet.cells([0]), (), settings), player, sheet.bars)


def chord_player(part: str | None) -> Instrument | None:
    """Return the instrument that is to play chords; None for no one.

    Raises
    ------
    RequestError
        It is the drums.
    """
    player = None if part is None else parse_instrument(part)
    if player and player.is_drum:
        raise RequestError(f"part {part!r} plays no chords; name another instrument, or None")
    return player


def played(score: Score, player: Instrument | None, bars: int) -> Score:
    """Return a score with a track "Chords" in which its chord symbols are played."""
    if player is None:
        return score
    parsed = [(tick, parse_chord(text)) for tick, text in score.chords]
    notes = block_chords(parsed, int(score.meter.bar_start(bars)))
    track = Track("Chords", player.program, notes=notes)
    return score.replace(tracks=(*score.tracks, track))
