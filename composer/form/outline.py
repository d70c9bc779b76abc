"""How the bars of a piece hang together: where sections begin, what is taken up, how it ends."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from composer.errors import RequestError

#: Stands where a bar takes up no other.
NONE = -1

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class Outline:
    """What each bar of a grid is in the whole; all arrays have shape (bars,).

    Parameters
    ----------
    begins
        Whether a section begins there. No note that is written sounds on into it.
    copied
        The earlier bar whose notes are taken, part by part, wherever what holds for the cell allows
        all of them, cut short where they have to end earlier; or ``NONE``.
    same_chords
        The earlier bar whose chords are taken, likewise.
    varied
        The earlier bar that this one is a variation of, which the model is shown; or ``NONE``.
    contrasts
        Whether it is to be unlike what came before: copies of earlier bars are less likely, and the
        melody moves to where its range has more room, and to longer notes or shorter ones, unless
        their length or the density is asked for. This is so for all bars of a section.
    half_closes
        Whether chords that are written in it are the dominant's.
    closes
        Whether the piece comes to its close in it: chords that are written are the tonic's, parts
        begin their last note on a strong beat and hold it; the bass's is the chord's, the melody's
        the tonic, or the chord's root where the tonic is not a note of the chord.

    Raises
    ------
    RequestError
        The shapes differ, or a bar takes up one that comes no earlier.
    """

    begins: Bools
    copied: Ints
    same_chords: Ints
    varied: Ints
    contrasts: Bools
    half_closes: Bools
    closes: Bools

    def __post_init__(self) -> None:
        shapes = {getattr(self, field.name).shape for field in dataclasses.fields(self)}
        if shapes != {(len(self),)}:
            raise RequestError(
                f"columns of shapes {sorted(shapes)} make no outline; make them alike"
            )
        for taken in (self.copied, self.same_chords, self.varied):
            late = np.flatnonzero(taken >= np.arange(len(self)))
            if len(late):
                raise RequestError(
                    f"bar {late[0] + 1} takes up bar {taken[late[0]] + 1}; name one that is earlier"
                )

    def __len__(self) -> int:
        return len(self.begins)

    @classmethod
    def free(cls, bars: int) -> Outline:
        """Return the outline of bars of which nothing is asked."""
        no, none = np.zeros(bars, bool), np.full(bars, NONE)
        return cls(no, none, none, none, no, no, no)

    @classmethod
    def closing(cls, bars: int) -> Outline:
        """Return the outline of bars of which nothing is asked but that they come to a close."""
        return dataclasses.replace(cls.free(bars), closes=np.arange(bars) == bars - 1)

    def cut(self, pieces: npt.ArrayLike) -> Outline:
        """Return the outline of a grid that has some of the bars in several pieces.

        Parameters
        ----------
        pieces
            Shape (bars,): of how many bars of the grid each is made.
        """
        sizes = np.asarray(pieces, np.int64)
        first = np.cumsum(sizes) - sizes
        bar = np.repeat(np.arange(len(self)), sizes)
        piece = np.arange(len(bar)) - first[bar]
        is_last = piece == sizes[bar] - 1

        def taken(column: Ints) -> Ints:
            source = column[bar]
            alike = (source != NONE) & (sizes[source] == sizes[bar])
            return np.where(alike, first[source] + piece, NONE)

        return Outline(
            self.begins[bar] & (piece == 0),
            taken(self.copied),
            taken(self.same_chords),
            taken(self.varied),
            self.contrasts[bar],
            self.half_closes[bar] & is_last,
            self.closes[bar] & is_last,
        )
