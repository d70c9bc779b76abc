"""Which tracks of a score a user means: by number, name, instrument or role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from composer.errors import RequestError, SymbolError
from composer.score.instruments import BASSES, parse_instrument, parse_piece
from composer.score.names import Parts, listed
from composer.score.score import Score

#: What a part may do in a piece, as users name it.
ROLES = ("melody", "bass", "accompaniment", "drums")
_MANY = ("accompaniment", "drums")  # roles that several tracks may share
_LOW = 52  # E3: the highest mean pitch of a bass


class PartProfile(NamedTuple):
    """What tells a part's role: its mean pitch, and whether it plays one note at a time."""

    height: float
    single: bool


def judged_roles(lines: Mapping[int, PartProfile]) -> dict[int, str]:
    """Return the roles of parts that sound, by row; drums are left out of it.

    The melody is the highest part that plays one note at a time, or the highest of all where none
    does but the bass; the bass is the lowest part, if it plays one note at a time and lies below E3
    on average.

    Examples
    --------
    >>> judged_roles(
    ...     {
    ...         0: PartProfile(40, True),
    ...         1: PartProfile(60, False),
    ...         2: PartProfile(72, True),
    ...     }
    ... )
    {0: 'bass', 1: 'accompaniment', 2: 'melody'}
    """
    roles = dict.fromkeys(lines, "accompaniment")
    if not lines:
        return {}
    lowest = min(lines, key=lambda row: lines[row].height)
    others = [row for row in lines if row != lowest]
    if others and lines[lowest].height < _LOW and lines[lowest].single:
        roles[lowest] = "bass"
    else:
        others = [*lines]
    roles[max(others, key=lambda row: (lines[row].single, lines[row].height))] = "melody"
    return roles


def plays_singly(notes: int, onsets: int) -> bool:
    """Return whether nearly all of some notes begin alone."""
    return notes < 1.15 * onsets


def track_roles(score: Score) -> list[str]:
    """Return the role of each track; a silent one has that of its instrument.

    Examples
    --------
    >>> import composer
    >>> track_roles(composer.Score(tracks=(composer.Track("Kit", is_drum=True),)))
    ['drums']
    """
    lines = {}
    for row, track in enumerate(score.tracks):
        notes = track.notes
        if len(notes) and not track.is_drum:
            single = plays_singly(len(notes), len(np.unique(notes["onset"])))
            lines[row] = PartProfile(float(notes["pitch"].mean()), single)
    judged = judged_roles(lines)
    return [
        "drums"
        if track.is_drum
        else judged.get(row, "bass" if track.program in BASSES else "accompaniment")
        for row, track in enumerate(score.tracks)
    ]


def track_index(score: Score, name: str | int) -> int:
    """Return the index of the one track that a name means; see ``track_rows``.

    Raises
    ------
    RequestError
        The score has no such track, or several.
    """
    found = _found(score, name)
    if len(found) > 1:
        raise RequestError(f"{_numbered(found)} are both called {name!r}; name them by number")
    return found[0]


def track_rows(score: Score, names: Parts) -> list[int]:
    """Return the indices of the tracks that names mean, each once, in the order named.

    Parameters
    ----------
    score
        The score.
    names
        Each a number from 1, the name of a track, an instrument as ``parse_instrument`` reads it,
        or a role: ``"melody"``, ``"bass"``, ``"accompaniment"``, ``"drums"``. What is found first
        in this order is meant; case does not matter. None for all tracks.

    Raises
    ------
    RequestError
        The score has no such track, or several where one is meant.

    Examples
    --------
    >>> import composer
    >>> song = composer.arrange(composer.example("drunken sailor"), "piano, contrabass", seed=1)
    >>> track_rows(song, ["bass", "piano", 1])
    [2, 1, 0]
    """
    if names is None:
        return [*range(len(score.tracks))]
    rows: list[int] = []
    for name in listed(names):
        many = isinstance(name, str) and name.strip().lower() in _MANY
        rows += _found(score, name) if many else [track_index(score, name)]
    return list(dict.fromkeys(rows))


def _found(score: Score, name: str | int) -> list[int]:
    names = [track.name or f"track {i + 1}" for i, track in enumerate(score.tracks)]
    if isinstance(name, int) or name.strip().isdigit():
        found = [int(name) - 1] if 1 <= int(name) <= len(names) else []
    else:
        wanted = name.strip().lower()
        found = [i for i, own in enumerate(names) if own.strip().lower() == wanted]
        found = found or _played_by(score, name)
        if not found and wanted in ROLES:
            found = [i for i, role in enumerate(track_roles(score)) if role == wanted]
    if not found:
        listing = ", ".join(f"{i + 1} {own!r}" for i, own in enumerate(names)) or "none"
        hint = f", and a drum part for pieces of its kit: {{'drums': {name!r}}}"
        raise RequestError(
            f"the score has no track {name!r}; it has {listing}"
            f"{hint if _is_piece(name) and 'drums' in track_roles(score) else ''}"
        )
    return found


def _is_piece(name: str | int) -> bool:
    try:
        return bool(parse_piece(str(name)))
    except SymbolError:
        return False


def _numbered(rows: Sequence[int]) -> str:
    return f"tracks {' and '.join(str(row + 1) for row in rows)}"


def _played_by(score: Score, name: str) -> list[int]:
    try:
        player = parse_instrument(name)
    except SymbolError:
        return []
    kind = player.is_drum, player.program
    return [
        i for i, t in enumerate(score.tracks) if (t.is_drum, 0 if t.is_drum else t.program) == kind
    ]
