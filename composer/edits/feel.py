"""The feel of the bars around: how loud they are played, and where against the grid.

What is measured, in the part itself near the bars written, or in others where it is silent:

- *swing*: where the second eighth falls in quarters that have two onsets, if it falls alike;
- *push and lay back*: how far from the grid notes begin, in the mean, by their place in a quarter;
- *dynamics*: how loud notes are by their place in the bar, and how far they stray from that. Drums
  are told apart by kit piece.

Means of few notes are drawn towards the mean of all. Nothing is left to chance.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from composer.edits.ticks import Ints, bar_of, first_ticks, positions_of, ticks_of
from composer.score.events import NOTE, Events, joined
from composer.score.grid import RESOLUTION, Grid
from composer.score.score import Score

Floats = npt.NDArray[np.float64]

_NEAR = 8  # bars on each side
_ENOUGH = 16  # notes to go by; fewer near by, and the whole part is looked at
_TRUST = 2  # notes that weigh as much as the mean of all
_STEPS = (3, 4)  # positions: sixteenths, triplets
_SECOND_EIGHTH = (5, 9)  # where it may fall, in positions
_LEAST_BEATS = 4  # from which swing is told
_STEADY = 0.75  # positions: where swing strays more, there is none to take on


@dataclasses.dataclass(frozen=True, eq=False)
class Feel:
    """The feel of some notes.

    Parameters
    ----------
    notes
        Dtype ``NOTE``, one at least.
    grid, tpq
        The piece they are in, and its ticks a quarter.
    is_drum
        Whether pitches are kit pieces.
    """

    notes: Events
    grid: Grid
    tpq: int
    is_drum: bool

    def ticks(self, onsets: Ints, positions: Ints, *, moves: bool) -> Ints:
        """Return when positions of the piece are played.

        Parameters
        ----------
        onsets
            Positions at which the part has onsets.
        positions
            Those asked for.
        moves
            Whether a tick may go to another position of the grid than its own.
        """
        bar, _, place = self._places(positions)
        ticks = ticks_of(positions, self.tpq) + np.rint(self._delays()[place]).astype(np.int64)
        reach = 1 if moves else 0  # and never out of the bar
        first = np.maximum(positions - reach, self.grid.bar_starts[bar])
        end = np.maximum(positions, self.grid.bar_starts[bar + 1] - 1)
        last = np.minimum(positions + reach, end)
        low, high = first_ticks(first, self.tpq), first_ticks(last + 1, self.tpq)
        ticks = np.clip(ticks, low, np.maximum(low, high - 1))
        second = self._second_eighth() if moves else None
        return ticks if second is None else self._swung(ticks, onsets, positions, second)

    def velocities(self, notes: Events) -> Ints:
        """Return the velocities of notes as they are in this feel; louder ones stay louder."""
        mean, written = self._loudness(self.notes, notes), self._loudness(notes, notes)
        strays = (
            self.notes["velocity"] - self._loudness(self.notes, self.notes),
            notes["velocity"] - written,
        )
        spread, own = (float(np.sqrt(np.mean(stray**2))) for stray in strays)
        stray = np.clip(strays[1] * (spread / own if own else 0), -2 * spread, 2 * spread)
        return np.clip(np.rint(mean + stray), 1, 127).astype(np.int64)

    def _places(self, positions: Ints) -> tuple[Ints, Ints, Ints]:
        """Return bar, quarter and place in the quarter of positions."""
        starts = self.grid.bar_starts
        bar = np.clip(np.searchsorted(starts, positions, side="right") - 1, 0, len(starts) - 2)
        inside = positions - starts[bar]
        return bar, inside // RESOLUTION, inside % RESOLUTION

    def _exact(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Return bar, quarter and place of each note, and where in the quarter it really begins."""
        positions = positions_of(self.notes["onset"], self.tpq)
        late = self.notes["onset"] - ticks_of(positions, self.tpq)
        bar, quarter, place = self._places(positions)
        return bar, quarter, place, place + late * RESOLUTION / self.tpq

    def _delays(self) -> Floats:
        """Return how many ticks late notes begin by their place in a quarter, shape (12,).

        Against sixteenths or triplets, whichever they lie nearer to for their width: a note half a
        sixteenth early is not a late one of the position before.
        """
        exact = self._exact()[3]
        late = {step: exact - np.rint(exact / step) * step for step in _STEPS}
        step = min(_STEPS, key=lambda step: float(np.mean(late[step] ** 2)) / step**2)
        place = np.rint(exact / step).astype(np.int64) * step % RESOLUTION
        count = np.bincount(place, minlength=RESOLUTION)
        total = np.bincount(place, late[step], minlength=RESOLUTION)
        delays = (total + _TRUST * late[step].mean()) / (count + _TRUST)
        steps = np.arange(0, RESOLUTION + 1, step)
        between = np.interp(np.arange(RESOLUTION), steps, delays[steps % RESOLUTION])
        return np.asarray(between * self.tpq / RESOLUTION)

    def _second_eighth(self) -> float | None:
        """Return where in a quarter the second eighth falls, in positions; None if anywhere."""
        bar, quarter, place, exact = self._exact()
        beats = [exact[rows] for rows in _second_eighths(bar, quarter, place).values()]
        found = np.array([beat.mean() for beat in beats if np.ptp(beat) <= 1])
        if len(found) < _LEAST_BEATS:
            return None
        middle = float(np.median(found))
        return middle if np.median(np.abs(found - middle)) <= _STEADY else None

    def _swung(self, ticks: Ints, onsets: Ints, positions: Ints, second: float) -> Ints:
        """Return ticks with the quarters of two eighths bent to where the second one falls."""
        onsets = np.unique(onsets)
        beats = _second_eighths(*self._places(onsets))
        places = self._places(onsets)[2]
        bent = {beat: int(places[rows[0]]) for beat, rows in beats.items() if len(rows) == 1}
        ticks = ticks.copy()
        for i, (bar, quarter, place) in enumerate(zip(*self._places(positions), strict=True)):
            start = int(self.grid.bar_starts[bar]) + RESOLUTION * int(quarter)
            own = bent.get((int(bar), int(quarter)))
            if own and place and start + RESOLUTION <= self.grid.bar_starts[bar + 1]:
                exact = np.interp(place, [0, own, RESOLUTION], [0, second, RESOLUTION])
                ticks[i] = round((start + exact) * self.tpq / RESOLUTION)
        return ticks

    def _loudness(self, played: Events, notes: Events) -> Floats:
        """Return how loud notes would be by what is played at such places, in the mean."""
        mean = np.full(len(notes), played["velocity"].mean())
        places = [self._strength(rows) for rows in (played, notes)]
        keys = [[place, 4 * rows["pitch"].astype(np.int64) + place] if self.is_drum else [place]
                for rows, place in zip((played, notes), places, strict=True)]  # fmt: skip
        for theirs, ours in zip(*keys, strict=True):
            size = 1 + int(max(theirs.max(), ours.max(initial=0)))
            count = np.bincount(theirs, minlength=size)[ours]
            total = np.bincount(theirs, played["velocity"], minlength=size)[ours]
            mean = (total + _TRUST * mean) / (count + _TRUST)
        return mean

    def _strength(self, notes: Events) -> Ints:
        """Return where notes are: 0 starts of bars, 1 quarters, 2 second eighths, 3 others."""
        _, quarter, place = self._places(positions_of(notes["onset"], self.tpq))
        first, last = _SECOND_EIGHTH
        inside = np.where((first <= place) & (place <= last), 2, 3)
        return np.where(place == 0, np.where(quarter == 0, 0, 1), inside)


def with_feel(
    notes: Events, row: int, score: Score, grid: Grid, written: npt.NDArray[np.bool_], moves: bool
) -> Events:
    """Return new notes of a part as those around them are played.

    Parameters
    ----------
    notes
        Dtype ``NOTE``, on the grid.
    row
        The part they are of.
    score, grid, written
        As for ``composer.edits.cells.put_back``.
    moves
        Whether notes may go to another position of the grid, though not to another bar.
    """
    around = _around(row, score, grid, written)
    if not len(around) or not len(notes):
        return notes
    feel = Feel(around, grid, score.tpq, score.tracks[row].is_drum)
    onset, offset = (
        positions_of(ticks, score.tpq)
        for ticks in (notes["onset"], notes["onset"] + notes["duration"])
    )
    felt = notes.copy()
    felt["velocity"] = feel.velocities(notes)
    begins = feel.ticks(onset, onset, moves=moves)
    ends = feel.ticks(onset, offset, moves=moves)
    ends = np.minimum(ends, np.maximum(begins + 1, int(ticks_of(grid.bar_starts[-1], score.tpq))))
    felt["onset"] = begins
    felt["duration"] = np.maximum(1, ends - begins)
    return felt


def _second_eighths(bar: Ints, quarter: Ints, place: Ints) -> dict[tuple[int, int], Ints]:
    """Return the notes inside each quarter that has none but second eighths there, by index."""
    beats: dict[tuple[int, int], list[int]] = {}
    for i in np.flatnonzero(place).tolist():
        beats.setdefault((int(bar[i]), int(quarter[i])), []).append(i)
    first, last = _SECOND_EIGHTH
    return {
        beat: np.array(rows)
        for beat, rows in beats.items()
        if all(first <= place[i] <= last for i in rows)
    }


def _around(row: int, score: Score, grid: Grid, written: npt.NDArray[np.bool_]) -> Events:
    """Return the notes whose feel a part takes on, dtype ``NOTE``."""
    bars = np.flatnonzero(written[:, row + 1])
    distance = np.abs(np.arange(len(grid.bars))[:, None] - bars).min(1, initial=len(grid.bars))

    def left(one: int) -> tuple[Events, Ints]:
        notes = score.tracks[one].notes
        own = bar_of(notes["onset"], grid, score.tpq)
        kept = ~written[own, one + 1]
        return notes[kept], distance[own[kept]]

    notes, far = left(row)
    if (far <= _NEAR).sum() >= _ENOUGH:
        return notes[far <= _NEAR]
    if len(notes):
        return notes
    is_drum = score.tracks[row].is_drum
    rows = [one for one in range(len(score.tracks)) if one != row]
    alike = [one for one in rows if score.tracks[one].is_drum == is_drum]
    for choice in (alike, rows):
        found = [notes[far <= _NEAR] for notes, far in map(left, choice)]
        if sum(map(len, found)):
            return joined(found, NOTE)
    return notes
