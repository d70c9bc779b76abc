"""``chords``: a progression out of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from composer.errors import RequestError
from composer.form.outline import Outline
from composer.harmony.voicing import block_chords
from composer.model.model import Model
from composer.planning.blank import blank_score
from composer.planning.settings import NoteSettings, Settings
from composer.planning.write import WorkingScore, write
from composer.request.request import PartRules
from composer.request.sampling import Sampling
from composer.score.instruments import Instrument, parse_instrument
from composer.score.score import Score, Track
from composer.theory.chords import parse_chord

if TYPE_CHECKING:
    from typing_extensions import Unpack


MOST_CHORDS = 4  # a bar

#: Where progressions begin and end on the tonic 7 times in 10, and a tenth of chords are inverted.
INVENTED = Sampling(0.9, 0.95, tonic_ends=3, inversions=0.3)


def chords(
    model: Model,
    *,
    meter: str | None = None,
    tempo: float | None = None,
    bars: int | None = None,
    chords_per_bar: int | None = None,
    part: str | None = "piano",
    form: str | None = None,
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
    chords_per_bar
        1 to 4, each on a beat of its own as far as a bar has so many; the model decides without it.
    part
        Instrument that plays the chords as block chords in a track "Chords"; None for chord
        symbols alone.
    form
        As in ``melody``: like letters share their chords.
    **settings
        See ``composer.planning.settings.Settings``. The first and the last bar have the tonic chord
        more readily, and inversions are fewer, than the model would have it, unless ``sampling`` is
        given.

    Returns
    -------
    Score
        The chord symbols, and the track; with a form, a marker at each section.

    Raises
    ------
    SymbolError
        A key, meter or instrument that cannot be read.
    RequestError
        A value out of its range, or drums as the part.

    Examples
    --------
    >>> import composer
    >>> progression = composer.chords(key="D minor", bars=4, chords_per_bar=2, seed=3)
    >>> progression.bars, sum(tick % 1920 == 960 for tick, _ in progression.chords)
    (4, 4)
    """
    sheet, outline = blank_score(
        None, form, key=settings.get("key"), meter=meter, tempo=tempo, bars=bars
    )
    return harmonized(model, sheet, (), settings, chords_per_bar, part, outline=outline)


def harmonized(
    model: Model,
    sheet: WorkingScore,
    rules: tuple[PartRules, ...],
    settings: Settings,
    chords_per_bar: int | None,
    part: str | None,
    *,
    usual: Sampling = INVENTED,
    outline: Outline | None = None,
) -> Score:
    """Return a sheet's score with chords in each bar, and a track that plays them.

    Raises
    ------
    SymbolError
        The instrument cannot be read.
    RequestError
        It is the drums, or a bar cannot have so many chords.
    """
    if chords_per_bar not in (None, *range(1, MOST_CHORDS + 1)):
        raise RequestError(
            f"chords_per_bar {chords_per_bar!r} is outside 1 to {MOST_CHORDS}; leave it out to let "
            "the model decide"
        )
    player = _chord_player(part)
    asked = cast(NoteSettings, settings)  # which has nothing that it must
    cells = sheet.cells([0])
    score = write(
        model,
        sheet,
        cells,
        rules,
        asked,
        usual=usual,
        chords_per_bar=chords_per_bar,
        outline=outline,
    )
    return score if player is None else _played(score, player, sheet.bars)


def _chord_player(part: str | None) -> Instrument | None:
    player = None if part is None else parse_instrument(part)
    if player and player.is_drum:
        raise RequestError(f"part {part!r} plays no chords; name another instrument, or None")
    return player


def _played(score: Score, player: Instrument, bars: int) -> Score:
    """Return a score with a track "Chords" in which its chord symbols are played."""
    parsed = [(tick, parse_chord(text)) for tick, text in score.chords]
    notes = block_chords(parsed, int(score.meter.bar_start(bars)))
    track = Track("Chords", player.program, notes=notes)
    return score.replace(tracks=(*score.tracks, track))
