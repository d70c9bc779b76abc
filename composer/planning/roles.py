"""From an instrument to how its part is written: role, range, how many notes at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from composer.constraints.base import PitchRule
from composer.constraints.cell import Mask
from composer.constraints.pitches import BassNotes, ChordTones, InScale, PitchRange
from composer.request.request import PartRules
from composer.score.events import Events
from composer.score.grid import Grid
from composer.score.instruments import BASSES, Instrument, parse_instrument
from composer.score.parts import PartProfile, judged_roles, plays_singly
from composer.theory.pitches import RangeLike, parse_range

#: Programs that play one note at a time: basses, solo strings, brass and winds, whistles.
MONOPHONIC = frozenset(
    {*range(32, 44), *range(56, 61), *range(64, 80), 22, 80, 81, 84, 87, 109, 110, 111}
)
#: Where each role is written, as far as the instrument reaches: a voice's register for a melody,
#: the bass staff, and between the two the accompaniment.
REGISTERS = {"melody": (57, 84), "bass": (28, 55), "accompaniment": (40, 79)}
_LEAST_WIDTH = 12  # a register cut narrower than an octave is given up for the instrument's range

#: Notes an accompaniment that can play chords strikes together, on strong beats at least.
LEAST_VOICES, MOST_VOICES = 3, 4


def role_of(instrument: Instrument) -> str | None:
    """Return the role an instrument has in an arrangement; None for drums."""
    if instrument.is_drum:
        return None
    is_bass = instrument.program in BASSES or instrument == parse_instrument("bass voice")
    return "bass" if is_bass else "accompaniment"


def part_rules(
    instrument: Instrument,
    role: str | None,
    *,
    given_range: RangeLike | None = None,
    in_key: bool = True,
) -> PartRules:
    """Return the rules of a part.

    Parameters
    ----------
    instrument
        Who plays it.
    role
        ``"melody"``, ``"bass"``, ``"accompaniment"``, or None for drums.
    given_range
        Range to keep to; without it the role's register as far as the instrument reaches.
    in_key
        Whether notes keep to the key, as the chords alter it, and to the chords on strong beats.
    """
    if instrument.is_drum or role is None:
        return PartRules(None, (PitchRange(35, 81),), most_notes=5)
    low, high = parse_range(given_range) if given_range else register(instrument, role)
    rules: list[PitchRule] = [PitchRange(low, high)]
    if in_key:
        rules += [InScale(), ChordTones()]
    if role == "bass":
        rules.append(BassNotes())
    monophonic = role in ("melody", "bass") or plays_one_note(instrument)
    return PartRules(
        role,
        tuple(rules),
        monophonic=monophonic,
        ends_with_chord=in_key,
        allows_suspensions=role == "melody",
        most_notes=MOST_VOICES,
        least_notes=1 if monophonic else LEAST_VOICES,
    )


def plays_one_note(instrument: Instrument) -> bool:
    """Return whether an instrument plays one note at a time, as singers do."""
    return instrument.voice is not None or instrument.program in MONOPHONIC


def register(instrument: Instrument, role: str) -> tuple[int, int]:
    """Return where an instrument is written in a role.

    Examples
    --------
    >>> flute, cello = Instrument("Flute", 73), Instrument("Cello", 42)
    >>> register(flute, "melody"), register(cello, "melody"), register(cello, "accompaniment")
    ((60, 84), (57, 76), (40, 76))
    """
    low, high = instrument.reach
    role_low, role_high = REGISTERS[role]
    inner = max(low, role_low), min(high, role_high)
    return inner if inner[1] - inner[0] >= _LEAST_WIDTH else (low, high)


def tune_middle(grid: Grid, rules: Sequence[PartRules]) -> int:
    """Return the middle pitch of the melody of a piece; 127 where it has none."""
    rows = [row for row, part in enumerate(rules) if part.role == "melody"]
    pitches = grid.notes["pitch"][np.isin(grid.notes["part"], rows)]
    return int(np.median(pitches)) if len(pitches) else 127


def under(rules: PartRules, top: int) -> PartRules:
    """Return the rules of an accompaniment so that it seldom lies above a pitch.

    It keeps an octave at least. Other parts stay as they are.
    """
    own = rules.range
    if rules.role != "accompaniment" or not own or own.high <= top:
        return rules
    return rules.within(own.low, min(own.high, max(top, own.low + _LEAST_WIDTH)))


def part_roles(grid: Grid) -> list[str | None]:
    """Return the role of each part, judged by its notes; None for drums and silent parts."""
    lines = {}
    for row, part in enumerate(grid.parts):
        notes = grid.notes[grid.notes["part"] == row]
        if len(notes) and not part.is_drum:
            lines[row] = PartProfile(float(notes["pitch"].mean()), _plays_singly(notes))
    roles = judged_roles(lines)
    return [roles.get(row) for row, _ in enumerate(grid.parts)]


def given_rules(grid: Grid, cells: Mask | None = None) -> tuple[PartRules, ...]:
    """Return rules for the parts a piece has: their own register, and one note at a time if so.

    Parameters
    ----------
    grid
        The piece.
    cells
        Shape (bars, 1 + parts), those to go by: a part that begins notes in each of its own is to
        do so in each that is written.
    """
    found = []
    asked = np.zeros((len(grid.bars), 1 + len(grid.parts)), bool) if cells is None else cells
    for row, (part, role) in enumerate(zip(grid.parts, part_roles(grid), strict=True)):
        player = Instrument(part.name, part.program, part.is_drum)
        notes = grid.notes[grid.notes["part"] == row]
        if role is None:
            found.append(part_rules(player, role_of(player)))
            continue
        low, high = int(notes["pitch"].min()), int(notes["pitch"].max())
        bars = np.flatnonzero(asked[:, row + 1])
        widen = max(0, _LEAST_WIDTH - (high - low) + 1) // 2
        rules = part_rules(player, role, given_range=(max(0, low - widen), min(127, high + widen)))
        found.append(
            dataclasses.replace(
                rules,
                monophonic=_plays_singly(notes),
                least_notes=1,
                least_onsets=int(len(bars) > 0 and np.isin(bars, notes["bar"]).all()),
            )
        )
    return tuple(found)


def _plays_singly(notes: Events) -> bool:
    onsets = np.unique(notes["bar"].astype(np.int64) * 4096 + notes["position"])
    return plays_singly(len(notes), len(onsets))
