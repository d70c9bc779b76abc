"""Notes that stay, or that must be there: what is written goes around them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from numbers import Real
from typing import Any, ClassVar, NamedTuple

import numpy as np

from composer._calls import called_right
from composer.constraints.base import Cell, Constraint, PitchMask
from composer.errors import RequestError
from composer.score.beats import Beats, beat_position, listed_beats
from composer.score.grid import RESOLUTION
from composer.score.instruments import parse_piece
from composer.score.names import is_whole, listed_pieces
from composer.score.score import Score
from composer.theory.pitches import parse_pitch


class PinnedNote(NamedTuple):
    """A note that must be there: its bar and beat, and what is said of it; 0 for what is not."""

    bar: int  # from 1
    beat: float | Fraction  # from 1
    pitch: int | str
    length: float | Fraction = 0  # quarters
    velocity: int = 0

    @property
    def position(self) -> int:
        """Position in its bar."""
        return beat_position(self.beat)

    @property
    def midi(self) -> int:
        """MIDI pitch."""
        return parse_pitch(self.pitch) if isinstance(self.pitch, str) else self.pitch

    @property
    def duration(self) -> int:
        """Length in positions; 0 for any."""
        return round(float(self.length) * RESOLUTION)

    def __repr__(self) -> str:
        said = list(self[:3])
        said += [self.length] if self.length or self.velocity else []
        return f"({', '.join(map(repr, said + [self.velocity] * bool(self.velocity)))})"


@called_right("composer.Locked")
@dataclasses.dataclass(frozen=True, eq=False)
class Locked(Constraint):
    """These notes stay, and the cells they stand in are written around them.

    What stays is as it was to the tick: onset, length, velocity. The other constraints of a cell
    hold for all of its notes, those that stay among them.

    Parameters
    ----------
    notes
        Which notes. Without it, those of the score that the verb is given. A score: its notes, in
        the same bars; one of several tracks serves each part with the track of its name. Or rows of
        (bar, beat, pitch), as for ``Rhythm`` and with names of pitches such as ``"C4"``: the note
        that the verb's score begins there stays, and where it begins none, one is written. A row
        may go on with a length in quarters, then a velocity: it is written so.
    beats
        Of these notes those that begin on these beats, to the nearest position; all without it.
    pieces
        Of drums those on these pieces of the kit, such as ``"kick, snare"``, as ``DrumPieces`` has
        them. They play what they played and no more: no other hit of theirs is written.
    but
        In its place, the pieces that are written anew; all others stay.
    parts, bars
        See ``Constraint``.

    Raises
    ------
    RequestError
        A row that is not a note; no piece, pieces beside rows, or both ``pieces`` and ``but``.
    SymbolError
        The name of a pitch or of a piece that cannot be read.

    Examples
    --------
    >>> import composer
    >>> where = composer.Locked([(1, 1, "A5"), (4, 3, "G5", 2)])
    >>> tune = composer.melody("Am F C G", where=where, range="C4-A5", seed=1)
    >>> composer.check(tune, where)
    []
    """

    by_bar: ClassVar[bool] = True
    keeps_notes: ClassVar[bool] = True

    notes: Score | Iterable[tuple[object, ...]] | None = None
    beats: Beats | None = None
    pieces: str | Sequence[str] | None = None
    but: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("pieces", "but"):
            named = getattr(self, name)
            if named is not None:
                object.__setattr__(self, name, listed_pieces(named))
        if self.pieces is not None and self.but is not None:
            raise RequestError(
                f"Locked takes pieces that stay or those that do not, and pieces {self.pieces!r} "
                f"and but {self.but!r} are given; leave one out"
            )
        if self.notes is not None and not isinstance(self.notes, Score):
            is_one = isinstance(self.notes, str) or not isinstance(self.notes, Iterable)
            rows: Iterable[Any] = [self.notes] if is_one else self.notes
            object.__setattr__(self, "notes", tuple(map(_pinned_note, rows)))
        if self.beats is not None:
            object.__setattr__(self, "beats", listed_beats(self.beats))
        if self.sounds is not None and self.pinned:
            raise RequestError(
                f"{self} names notes and pieces of the kit; leave one out, notes have a pitch"
            )

    @property
    def for_drums(self) -> bool:
        """Whether it is about drums alone, as pieces of the kit are."""
        return self.sounds is not None

    def pitches(self, cell: Cell) -> PitchMask | None:
        """Return all pitches, but those of pieces that stay alone where they were hit."""
        if self.sounds is None:
            return None
        wanted, sounds = self.positions, sorted(self.sounds)
        mask = np.ones((cell.positions, 128), bool)
        for position in range(cell.positions):
            if wanted is None or position in wanted:
                mask[position, sounds] = False
        for position, pitch in cell.locked:
            mask[position, pitch] = True
        return mask

    @property
    def sounds(self) -> frozenset[int] | None:
        """The pitches of the pieces that stay; None where nothing is said of pieces."""
        named = self.but if self.pieces is None else self.pieces
        if named is None:
            return None
        sounds = frozenset(pitch for piece in named for pitch in parse_piece(piece))
        return sounds if self.but is None else frozenset(range(128)) - sounds

    @property
    def pinned(self) -> tuple[PinnedNote, ...]:
        """The notes named by bar, beat and pitch."""
        if self.notes is None or isinstance(self.notes, Score):
            return ()
        wanted = self.positions
        pinned = tuple(pin for pin in self.notes if isinstance(pin, PinnedNote))
        return tuple(pin for pin in pinned if wanted is None or pin.position in wanted)

    @property
    def positions(self) -> tuple[int, ...] | None:
        """Positions of the beats; None for all."""
        return None if self.beats is None else tuple(beat_position(beat) for beat in self.beats)

    def __str__(self) -> str:
        notes = "a score" if isinstance(self.notes, Score) else list(self.pinned or ())
        said = [f"notes={notes}"] if self.notes is not None else []
        said += [] if self.beats is None else [f"beats={list(self.beats)}"]
        said += [] if self.pieces is None else [f"pieces={list(self.pieces)}"]
        said += [] if self.but is None else [f"but={list(self.but)}"]
        return f"Locked({', '.join(said)})"


def _pinned_note(row: tuple[object, ...]) -> PinnedNote:
    try:
        pin = PinnedNote(*row)  # type: ignore[arg-type]
        is_note = is_whole(pin.bar) and 1 <= pin.bar < 2**31 and pin.position >= 0
        is_note = is_note and is_whole(pin.midi) and 0 <= pin.midi <= 127
        is_note = is_note and isinstance(pin.length, Real) and not isinstance(pin.length, bool)
        is_note = is_note and math.isfinite(pin.length)
        length = float(pin.length) * RESOLUTION if is_note else 0
        is_note = is_note and abs(length - round(length)) < 0.05 and length >= 0
        is_note = is_note and is_whole(pin.velocity) and 0 <= pin.velocity <= 127
    except TypeError:
        is_note = False
    if not is_note:
        raise RequestError(
            f"{row!r} is not a note; write (bar, beat, pitch), then a length in quarters and a "
            "velocity of 1 to 127 if you like, such as (5, 1, 'C4', 2)"
        )
    return pin
