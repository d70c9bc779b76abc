"""``stream``: bars for as long as one asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from composer.best_of.candidates import seed_of
from composer.errors import RequestError
from composer.harmony.sources import ChordsLike
from composer.model.model import Model
from composer.planning.controls import ControlTargets, with_reach
from composer.planning.habits import asked_of, with_ranges
from composer.planning.roles import part_rules, role_of
from composer.planning.settings import NoteSettings
from composer.planning.write import new_track, sampling_of
from composer.score.instruments import parse_instruments
from composer.score.names import listed
from composer.score.score import Score
from composer.verbs._bar_stream import Stream

if TYPE_CHECKING:
    from typing_extensions import Unpack


def stream(
    model: Model,
    chords: ChordsLike | None = None,
    *,
    meter: str | None = None,
    tempo: float | None = None,
    melody: str | int | None = "flute",
    instruments: str | int | Sequence[str | int] = (),
    **settings: Unpack[NoteSettings],
) -> Stream:
    """Write bars for as long as one asks for them, each while the one before is heard.

    Parameters
    ----------
    chords
        As in ``melody``, played over and over; the model invents chords without it.
    meter, tempo
        As in ``melody``.
    melody
        Instrument of the melody; None for no melody.
    instruments
        Those of the other parts: names, or numbers of General MIDI programs.
    **settings
        See ``composer.planning.settings.NoteSettings``.

    Returns
    -------
    Stream
        Scores of one bar each, without an end; its ``change`` says how the next are to be.

    Raises
    ------
    SymbolError
        A key, chord, meter or instrument that cannot be read.
    RequestError
        There is no part to write, a value is out of its range, or constraints that no bar can keep.

    Examples
    --------
    >>> import composer
    >>> from itertools import islice
    >>> bars = composer.stream("Am F C G", instruments=["piano", "bass"], seed=1)
    >>> [[track.name for track in bar.tracks] for bar in islice(bars, 2)]
    [['Flute', 'Piano', 'Bass'], ['Flute', 'Piano', 'Bass']]
    """
    names = [*([] if melody is None else [melody]), *listed(instruments)]
    if not names:
        raise RequestError("there is no part to write; name a melody or instruments")
    if settings.get("feel"):
        raise RequestError("feel is that of the notes around, and there are none; leave it out")
    players = parse_instruments(names)
    roles = [
        "melody" if i == 0 and melody is not None else role_of(p) for i, p in enumerate(players)
    ]
    tracks = [new_track(name, player) for name, player in zip(names, players, strict=True)]
    rules = [part_rules(player, role) for player, role in zip(players, roles, strict=True)]
    score, cells = Score(tracks=tuple(tracks)), np.ones((1, 1 + len(tracks)), bool)
    aims = ControlTargets.of(settings, roles, model.tokenizer, score, cells)
    rules = [*with_reach(rules, aims.controls, score, cells)]
    return Stream(
        model,
        tracks,
        with_ranges(rules, settings, score, cells),
        sampling_of(settings, aims=aims),
        seed_of(settings.get("seed")),
        where=asked_of(settings, score, cells),
        aims=aims,
        chords=chords,
        key=settings.get("key"),
        meter=meter,
        tempo=tempo,
    )
