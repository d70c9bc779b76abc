"""Constraints on lines: what must hold from one note to the next, over bar lines too.

Conventions
-----------
The *line* of a part is the highest note of each of its onsets, from the first to the last, given
notes and written ones. What is said of steps in a line holds where the later note lies in a cell
that the constraint names, and is written or the first given one after a bar that is written; rests
between the two do not matter. Drums have no line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from composer._calls import called_right, shown
from composer.constraints.base import Cell, Constraint, Line, Onsets, Runs, pitches_of
from composer.errors import RequestError
from composer.score.beats import beat_position
from composer.score.grid import RESOLUTION
from composer.score.names import Bars, Parts, is_whole
from composer.score.score import Score, Track
from composer.theory.keys import Key

_MOST_REPEATED = 1000  # notes


@dataclasses.dataclass(frozen=True, kw_only=True)
class LineConstraint(Constraint):
    """What must hold of the steps of lines; parameters and errors are those of ``Constraint``."""

    pitched: ClassVar[bool] = True

    @property
    def is_linear(self) -> bool:
        """Whether it is about the steps of lines."""
        return True


@called_right("composer.MaxLeap")
@dataclasses.dataclass(frozen=True)
class MaxLeap(LineConstraint):
    """At most so many semitones from each note of a part's line to the next.

    Of notes that begin together the highest counts; where a note is given before or after what is
    written, the leap from it or to it counts as well.

    Parameters
    ----------
    semitones
        0 or more: 12 for an octave.
    parts, bars
        See ``Constraint``; a leap belongs to the bar that it arrives in.

    Raises
    ------
    RequestError
        Less than 0, or no whole number.
    """

    semitones: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_whole(self.semitones) or self.semitones < 0:
            raise RequestError(f"{self} is not a leap; give semitones from 0 on, 12 for an octave")

    @property
    def leap(self) -> int:
        """The semitones."""
        return self.semitones


@called_right("composer.MaxRepeatedNotes")
@dataclasses.dataclass(frozen=True)
class MaxRepeatedNotes(LineConstraint):
    """At most so many notes of one pitch in a row in a part's line.

    Of notes that begin together the highest counts; given notes before what is written count too.

    Parameters
    ----------
    notes
        1 or more: 1 for no pitch twice in a row.
    parts, bars
        See ``Constraint``; a run belongs to the bar that its last note lies in.

    Raises
    ------
    RequestError
        Less than 1, or no whole number.
    """

    notes: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_whole(self.notes) or not 1 <= self.notes <= _MOST_REPEATED:
            raise RequestError(f"{self} leaves no line; give notes from 1 to {_MOST_REPEATED}")

    @property
    def runs(self) -> Runs:
        """A line that stays on its pitch for one note more."""
        return Runs((tuple((at, 60) for at in range(self.notes + 1)),), self.notes)


@called_right("composer.NoParallels")
@dataclasses.dataclass(frozen=True)
class NoParallels(LineConstraint):
    """No parallel fifths, octaves or unisons between the lines of two parts.

    Where a note of both lines begins at once, and both move there in one direction from the notes
    of their lines before, the interval must not be a fifth after a fifth, nor an octave or unison
    after one of these; octaves between the two notes of an interval do not matter.

    Parameters
    ----------
    parts
        Two, such as ``("melody", "bass")``.
    bars
        See ``Constraint``; parallels belong to the bar that they arrive in.

    Raises
    ------
    RequestError
        Other than two parts.
    """

    is_between_parts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.parts is None or not isinstance(self.parts, tuple) or len(self.parts) != 2:
            raise RequestError(
                "NoParallels is about two parts; name them, such as parts=('flute', 'bass')"
            )


@called_right("composer.Cadence")
@dataclasses.dataclass(frozen=True)
class Cadence(Constraint):
    """A last onset on a beat and on a degree of the key there, in the last of the bars named.

    All notes of that onset are on the degree, or on one of several; none of the part begins after
    it in the bar. It may sound on.

    Parameters
    ----------
    degree
        1 to 7, or several: ``[1, 3, 5]`` for a part that plays chords. The scale of minor is the
        natural one.
    beat
        Counted from 1, in quarters.
    parts
        See ``Constraint``.
    bars
        The last of them is meant; the last bar of all without it.

    Raises
    ------
    RequestError
        No degree from 1 to 7, or a beat that is not on the grid.

    Examples
    --------
    >>> sorted(Cadence(degree=[1, 3, 5]).pitch_classes(Key.parse("A minor")))
    [0, 4, 9]
    """

    degree: int | Sequence[int] = 1
    beat: float = 1

    pitched: ClassVar[bool] = True
    is_last: ClassVar[bool] = True
    by_bar: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        degrees = tuple(self.degree) if isinstance(self.degree, Sequence) else (self.degree,)
        if not degrees or not all(is_whole(d) and 1 <= d <= 7 for d in degrees):
            raise RequestError(f"degree {self.degree!r} is not one of 1 to 7; 1 is the tonic")
        object.__setattr__(self, "degree", degrees[0] if len(degrees) == 1 else degrees)
        beat_position(self.beat)

    def onsets(self, cell: Cell) -> Onsets:
        """Return that a note of the degrees begins on the beat, and none after it."""
        last = beat_position(self.beat)
        is_open = np.ones((cell.positions, 128), bool)
        is_open[last : last + 1] = pitches_of(self.pitch_classes(cell.key))
        is_open[last + 1 :] = False
        return Onsets(required=(last,), open=is_open)

    def pitch_classes(self, key: Key) -> frozenset[int]:
        """Return the pitch classes of the degrees in a key."""
        scale = sorted(key.scale, key=lambda note: (note - key.tonic) % 12)
        degrees = self.degree if isinstance(self.degree, Sequence) else (self.degree,)
        return frozenset(scale[degree - 1] for degree in degrees)


@called_right("composer.NoQuote")
@dataclasses.dataclass(frozen=True, init=False)
class NoQuote(LineConstraint):
    """No more than so many notes in a row that follow each other as in a given score.

    The line of each part is held against the line of each track of the score: a run of notes is
    copied if it takes the same steps up and down. A tune that was moved to another key is a copy,
    and so is one in another rhythm, unless it is said otherwise.

    Parameters
    ----------
    score
        Where nothing is to be copied from.
    notes
        The longest run that may be, at least 2.
    transposed
        Whether a run moved up or down is a copy.
    rhythm
        Whether only a run is a copy whose notes begin at the same distances from each other too.
    parts, bars
        See ``Constraint``; a run belongs to the bar that its last note lies in.

    Raises
    ------
    RequestError
        No score, or less than 2 notes.

    Examples
    --------
    >>> import composer
    >>> tune = composer.example("scarborough fair")
    >>> str(NoQuote(tune, notes=6))
    'NoQuote(notes=6)'
    """

    notes: int = 8
    transposed: bool = True
    rhythm: bool = False
    #: The lines of the score.
    lines: tuple[Line, ...] = dataclasses.field(default=(), repr=False)
    score: Score = dataclasses.field(default_factory=Score, compare=False, repr=False)

    def __init__(
        self,
        score: Score,
        notes: int = 8,
        *,
        transposed: bool = True,
        rhythm: bool = False,
        parts: Parts = None,
        bars: Bars = None,
    ) -> None:
        if not isinstance(score, Score):
            raise RequestError(f"NoQuote is about a score, not {shown(score)}; read one first")
        if not is_whole(notes) or notes < 2:
            raise RequestError(f"NoQuote(notes={notes!r}) leaves no line; give 2 or more")
        lines = tuple(filter(None, (line_of(track, score.tpq) for track in score.tracks)))
        values = (notes, bool(transposed), bool(rhythm), lines, score, parts, bars)
        names = ("notes", "transposed", "rhythm", "lines", "score", "parts", "bars")
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)
        self.__post_init__()

    @property
    def runs(self) -> Runs:
        """The lines of the score."""
        return Runs(self.lines, self.notes, self.transposed, self.rhythm)


def line_of(track: Track, tpq: int) -> Line:
    """Return the line of a track, in positions; none of drums."""
    highest: dict[int, int] = {}
    if not track.is_drum:
        for onset, pitch in zip(
            track.notes["onset"].tolist(), track.notes["pitch"].tolist(), strict=True
        ):
            position = (2 * RESOLUTION * onset + tpq) // (2 * tpq)
            highest[position] = max(pitch, highest.get(position, 0))
    return tuple(sorted(highest.items()))
