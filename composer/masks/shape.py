"""What an outline asks of single cells: where notes end, how a section differs, how it closes.

It narrows what is allowed where that leaves something, so that nothing runs dry by it; what demands
hold goes before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from composer.constraints.base import ChordMask, PitchMask, pitches_of
from composer.constraints.pitches import narrow
from composer.form.outline import NONE, Outline
from composer.masks.cell import Close, PitchTimes
from composer.score.beats import strong_positions
from composer.score.grid import Grid, chord_of
from composer.theory.chords import QUALITIES, Chord
from composer.theory.keys import Key

#: How far below the middle of what came before, or above it, a contrasting melody may go.
OVERLAP = 3  # semitones

_TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7)}


class Shape:
    """An outline over the time of a grid.

    Parameters
    ----------
    outline
        What is asked.
    grid
        The bars that it is of.
    chords
        Shape (bars,): where chords are to be written.
    """

    def __init__(self, outline: Outline, grid: Grid, chords: npt.NDArray[np.bool_]) -> None:
        self._outline = outline
        meters = grid.bars[["numerator", "denominator"]].tolist()
        self._strong = [tuple(strong_positions(*meter).tolist()) for meter in meters]
        self._starts = grid.bar_starts
        # What sounded on into a chord would have to be one of its notes.
        chosen = chords & (outline.closes | outline.half_closes)
        begins = self._starts[:-1][outline.begins | outline.closes | chosen]
        #: Where no note may sound on; and where none may that is not a copy.
        self._gates = np.unique([*begins.tolist(), int(self._starts[-1])])
        copies = self._starts[:-1][outline.copied != NONE]
        self._more_gates = np.unique([*self._gates.tolist(), *copies.tolist()])

    def latest_offset(
        self, bar: int, latest_offset: PitchTimes, close: Close | None, copying: bool
    ) -> PitchTimes:
        """Return where notes must have ended, as ``NoteMask`` has it, at gates at the latest.

        Where a cell comes to a close, none but a last note sounds on into the last place for one.
        """
        start = int(self._starts[bar])
        onsets = start + np.arange(len(latest_offset))
        gates = self._gates if copying else self._more_gates
        ends = gates[np.searchsorted(gates, onsets, side="right")]
        if close:
            last = close.positions[-1]
            ends[:last] = np.minimum(ends[:last], start + last)
            ends[[*close.positions]] = self._starts[bar + 1]
        return np.asarray(np.minimum(latest_offset, (ends - start)[:, None]))

    def closes(self, bar: int) -> bool:
        """Return whether the piece comes to its close in a bar."""
        return bool(self._outline.closes[bar])

    def _finals(self, grid: Grid, bar: int, row: int, role: str | None) -> tuple[int, ...]:
        """Return where the last onset of a part is to be in a bar that closes the piece.

        A melody's is on any strong beat; those of other parts come no later than what begins in the
        bar by then in parts with pitches.
        """
        strong = self._strong[bar]
        if role == "melody":
            return strong
        notes = grid.pitched
        begun = notes["position"][(notes["bar"] == bar) & (notes["part"] != row)]
        return (max(at for at in strong if at <= begun.max(initial=0)),)

    def close(
        self,
        grid: Grid,
        bar: int,
        row: int,
        role: str | None,
        pitches: PitchMask,
        required: Sequence[int] = (),
    ) -> Close | None:
        """Return how a cell comes to its close in a bar that closes the piece; None if it has none.

        Where nothing is open on a strong beat, the last onset is the last that is open before it,
        or the first after it. A melody holds it for as long as from the first strong beat of the
        bar to the next at least, other parts to the end.

        Parameters
        ----------
        grid, bar, row, role, pitches
            As for ``pitches``.
        required
            Positions at which an onset has to be, in order, the last one not among them.
        """
        finals = self._finals(grid, bar, row, role)
        if len(required):
            late = tuple(position for position in finals if position >= required[-1])
            finals = late or (int(required[-1]),)
        is_open = np.asarray(pitches.any(1))
        if not is_open[[*finals]].any() and is_open.any():
            before, after = np.flatnonzero(is_open[: finals[-1]]), np.flatnonzero(is_open)
            finals = (int(before[-1] if len(before) else after[0]),)
        finals = tuple(position for position in finals if is_open[position])
        closing = pitches.copy()
        for final in finals:
            chord = _chord_at(grid, bar, final)
            for target in _TARGETS[role](grid.key, chord) if role in _TARGETS else ():
                if narrow(closing[final : final + 1], pitches_of(frozenset({target}))):
                    break
        strong = [*self._strong[bar], int(grid.bar_lengths[bar])]
        least = strong[1] if role == "melody" else None
        return Close(finals, closing, least) if finals else None

    def pitches(
        self, grid: Grid, bar: int, row: int, role: str | None, pitches: PitchMask
    ) -> PitchMask:
        """Return what is left of the pitches of a cell.

        Parameters
        ----------
        grid
            What is given and written so far.
        bar, row, role
            The cell, and what its part is.
        pitches
            Shape (positions, 128).
        """
        if self._outline.contrasts[bar] and role == "melody":
            pitches = pitches.copy()
            narrow(pitches, self._elsewhere(grid, bar, row, pitches))
        return pitches

    def chords(
        self, key: Key, bar: int, chords: Mapping[int, ChordMask]
    ) -> Mapping[int, ChordMask]:
        """Return which chords may begin where in a bar that comes to a close."""
        if self._outline.closes[bar]:
            wanted = _triad(key.tonic, key.mode)
        elif self._outline.half_closes[bar]:
            wanted = _dominants(key)
        else:
            return chords
        narrowed = {position: mask & wanted for position, mask in chords.items()}
        if not narrowed[0].any():
            return chords
        return {0: narrowed[0]}

    def _elsewhere(self, grid: Grid, bar: int, row: int, pitches: PitchMask) -> PitchMask:
        """Return the pitches on the side of what a part played before where there is more room."""
        first = max([0, *np.flatnonzero(self._outline.begins[: bar + 1]).tolist()])
        notes = grid.notes[(grid.notes["part"] == row) & (grid.notes["bar"] < first)]
        open_pitches = np.flatnonzero(pitches.any(0))
        every = np.ones(128, bool)
        if not len(notes) or not len(open_pitches):
            return every
        middle = int(np.median(notes["pitch"]))
        if open_pitches[-1] - middle >= middle - open_pitches[0]:
            return np.arange(128) >= middle - OVERLAP
        return np.arange(128) <= middle + OVERLAP


def _chord_at(grid: Grid, bar: int, position: int) -> Chord | None:
    """Return the chord of a bar that holds at a position."""
    rows = grid.chords[(grid.chords["bar"] == bar) & (grid.chords["position"] <= position)]
    return chord_of(rows[-1]) if len(rows) else None


def _melody_targets(key: Key, chord: Chord | None) -> list[int]:
    if chord is None or key.tonic in chord.pitch_classes:
        return [key.tonic]
    return [chord.root, *sorted(chord.pitch_classes)]


def _bass_targets(key: Key, chord: Chord | None) -> list[int]:
    if chord is None:
        return [key.tonic]
    return [chord.root if chord.bass is None else chord.bass]


#: Role -> the pitch classes that its part may end on, the best first.
_TARGETS = {"melody": _melody_targets, "bass": _bass_targets}


def _triad(root: int, mode: str) -> ChordMask:
    wanted = np.zeros((12, len(QUALITIES)), bool)
    wanted[root] = [tuple(quality.intervals) == _TRIADS[mode] for quality in QUALITIES]
    return wanted


def _dominants(key: Key) -> ChordMask:
    """Return the chords of the fifth degree that have the leading tone."""
    wanted = np.zeros((12, len(QUALITIES)), bool)
    wanted[(key.tonic + 7) % 12] = [4 in quality.intervals for quality in QUALITIES]
    return wanted
