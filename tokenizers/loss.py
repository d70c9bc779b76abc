"""What a format cannot keep of a score, in numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from composer.errors import SymbolError
from composer.grid import RESOLUTION
from composer.score import Score, Track
from composer.theory import parse_chord
from composer.tokenizers.bins import DURATIONS
from composer.tokenizers.quantize import all_notes, longest, on_grid, to_positions

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class LossReport:
    """How a score differs from its quantised form; beats are quarters.

    Means are over the notes that are kept, of durations and their errors over the pitched ones:
    drum hits have no length in any format.
    """

    notes: int  # of the score
    notes_dropped: int  # the format has no place for them: drums in REMI
    notes_merged: int  # into a longer one of the same part, onset and pitch
    onsets_moved: int
    onset_error_mean: float  # beats
    onset_error_max: float  # beats
    durations_changed: int
    durations_clipped: int  # of these, longer than the longest there is
    duration_error_mean: float  # beats
    velocities_changed: int
    velocity_error_mean: float  # of 127
    time_signatures_changed: int  # of those before the end
    tempos_changed: int  # of those before the end
    tempo_error_max: float  # ratio less 1
    chords_dropped: int
    events_dropped: int  # controllers, bends, pedals, lyrics, markers

    def __str__(self) -> str:
        """Return a few lines that can be read."""
        return "\n".join(
            [
                f"{self.notes} notes: {self.notes_dropped} dropped, {self.notes_merged} merged",
                f"onsets: {self.onsets_moved} moved, by {self.onset_error_mean:.4f} beats on "
                f"average, {self.onset_error_max:.4f} at most",
                f"durations: {self.durations_changed} changed, {self.durations_clipped} of them "
                f"clipped, by {self.duration_error_mean:.4f} beats on average",
                f"velocities: {self.velocities_changed} changed, by "
                f"{self.velocity_error_mean:.1f} on average",
                f"{self.time_signatures_changed} time signatures and {self.tempos_changed} tempos "
                f"changed, tempos by {self.tempo_error_max:.1%} at most",
                f"{self.chords_dropped} chords and {self.events_dropped} other events dropped",
            ]
        )


def measure_loss(
    score: Score, quantized: Score, rows: Sequence[int], bins: int, *, chords: bool
) -> LossReport:
    """Return what was lost between a score and its quantised form.

    Parameters
    ----------
    score, quantized
        The two.
    rows
        A number for each track, the same for tracks that share one part; -1 where it is dropped.
    bins
        Number of velocity bins.
    chords
        Whether chords are said.
    """
    every, row = all_notes(score, rows)
    _, hit = all_notes(score, [track.is_drum for track in score.tracks])
    kept = row >= 0
    notes, row, is_drum = every[kept], row[kept], hit[kept] > 0
    grid = on_grid(notes, score.tpq, bins, is_drum)
    place = row * (grid["onset"].max(initial=0) + 1) + grid["onset"]
    onset = np.abs(grid["onset"] / RESOLUTION - notes["onset"] / score.tpq)
    exact = notes["duration"][~is_drum] / score.tpq
    duration = np.abs(grid["duration"][~is_drum] / RESOLUTION - exact)
    velocity = np.abs(grid["velocity"] - notes["velocity"])
    tempo = _tempo_errors(score, quantized)
    return LossReport(
        notes=len(every),
        notes_dropped=len(every) - len(notes),
        notes_merged=len(notes) - len(longest(grid, place * 128 + grid["pitch"])),
        onsets_moved=int((grid["onset"] * score.tpq != notes["onset"] * RESOLUTION).sum()),
        onset_error_mean=_mean(onset),
        onset_error_max=float(onset.max(initial=0)),
        durations_changed=int((duration > 1e-9).sum()),
        durations_clipped=int((exact * RESOLUTION > DURATIONS[-1]).sum()),
        duration_error_mean=_mean(duration),
        velocities_changed=int((velocity > 0).sum()),
        velocity_error_mean=_mean(velocity),
        time_signatures_changed=_signatures_changed(score, quantized),
        tempos_changed=int((tempo > 0).sum()),
        tempo_error_max=float(tempo.max(initial=0)),
        chords_dropped=sum(not (chords and _readable(text)) for _, text in score.chords),
        events_dropped=len(score.markers) + sum(map(_other_events, score.tracks)),
    )


def _mean(errors: Floats) -> float:
    return float(errors.mean()) if len(errors) else 0.0


def _other_events(track: Track) -> int:
    names = ("controls", "pitch_bends", "pedals", "lyrics")
    return sum(len(getattr(track, name)) for name in names)


def _readable(text: str) -> bool:
    try:
        parse_chord(text)
    except SymbolError:
        return False
    return True


def _signatures_changed(score: Score, quantized: Score) -> int:
    """Return how many time signatures do not begin a bar where they stood, or became another."""
    given = score.meter.time_signatures
    given = given[(given["tick"] == 0) | (given["tick"] < score.end)]
    positions = to_positions(given["tick"], score.tpq)
    bar, inside = quantized.meter.bar_and_position(positions)
    found = quantized.meter.signature_at(bar)
    same = (inside == 0) & (positions * score.tpq == given["tick"] * RESOLUTION)
    for name in ("numerator", "denominator"):
        same &= found[name] == given[name]
    return int((~same).sum())


def _tempo_errors(score: Score, quantized: Score) -> Floats:
    """Return by which ratio, less 1, each tempo differs from what holds at its place."""
    ticks, given = score.meter.tempo_changes
    inside = (ticks == 0) | (ticks < score.end)
    ticks, given = to_positions(ticks[inside], score.tpq), given[inside]
    said_at, said = quantized.meter.tempo_changes
    found = said[np.searchsorted(said_at, ticks, side="right") - 1]
    return np.asarray(np.maximum(found / given, given / found) - 1)
