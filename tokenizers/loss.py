"""What a format cannot keep of a score, in numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from composer.errors import SymbolError
from composer.score import Score
from composer.theory import parse_chord
from composer.tokenizers.bins import Bins
from composer.tokenizers.quantize import all_events, longest, on_grid

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
    key_signatures_dropped: int
    pedals_dropped: int  # or joined to another of the same part
    pitch_bends_dropped: int  # those that change nothing among them
    pitch_bend_error_max: int  # of 8191, of those kept
    events_dropped: int  # controllers, lyrics, markers

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
                f"dropped: {self.chords_dropped} chords, {self.key_signatures_dropped} key "
                f"signatures, {self.pedals_dropped} pedals, {self.pitch_bends_dropped} bends, "
                f"{self.events_dropped} other events",
            ]
        )


def measure_loss(
    score: Score, quantized: Score, rows: Sequence[int], bins: Bins, *, has_chords: bool
) -> LossReport:
    """Return what was lost between a score and its quantised form.

    Parameters
    ----------
    score, quantized
        The two.
    rows
        A number for each track, the same for tracks that share one part; -1 where it is dropped.
    bins
        What the format bins by.
    has_chords
        Whether the format says chords.
    """
    every, row = all_events(score.tracks, rows)
    _, hit = all_events(score.tracks, [track.is_drum for track in score.tracks])
    kept = row >= 0
    notes, row, is_drum = every[kept], row[kept], hit[kept] > 0
    grid = on_grid(notes, score.tpq, bins, is_drum)
    place = row * (grid["onset"].max(initial=0) + 1) + grid["onset"]
    onset = np.abs(grid["onset"] / bins.tpq - notes["onset"] / score.tpq)
    exact = notes["duration"][~is_drum] / score.tpq
    duration = np.abs(grid["duration"][~is_drum] / bins.tpq - exact)
    velocity = np.abs(grid["velocity"] - notes["velocity"])
    tempo = _tempo_errors(score, quantized, bins)
    bends = np.concatenate([track.pitch_bends["value"] for track in score.tracks] or [np.empty(0)])
    bend = np.abs(bins.bend(bins.bend_bin(bends)) - bends) if bins.bends else np.empty(0)
    return LossReport(
        notes=len(every),
        notes_dropped=len(every) - len(notes),
        notes_merged=len(notes) - len(longest(grid, place * 128 + grid["pitch"])),
        onsets_moved=int((grid["onset"] * score.tpq != notes["onset"] * bins.tpq).sum()),
        onset_error_mean=_mean(onset),
        onset_error_max=float(onset.max(initial=0)),
        durations_changed=int((duration > 1e-9).sum()),
        durations_clipped=int((exact * bins.resolution > bins.durations[-1]).sum()),
        duration_error_mean=_mean(duration),
        velocities_changed=int((velocity > 0).sum()),
        velocity_error_mean=_mean(velocity),
        time_signatures_changed=_signatures_changed(score, quantized, bins),
        tempos_changed=int((tempo > 0).sum()),
        tempo_error_max=float(tempo.max(initial=0)),
        chords_dropped=sum(not (has_chords and _readable(text)) for _, text in score.chords),
        key_signatures_dropped=max(0, len(score.key_signatures) - len(quantized.key_signatures)),
        pedals_dropped=_events(score, "pedals") - _events(quantized, "pedals"),
        pitch_bends_dropped=_events(score, "pitch_bends") - _events(quantized, "pitch_bends"),
        pitch_bend_error_max=int(bend.max(initial=0)),
        events_dropped=len(score.markers) + _events(score, "controls") + _events(score, "lyrics"),
    )


def _mean(errors: Floats) -> float:
    return float(errors.mean()) if len(errors) else 0.0


def _events(score: Score, name: str) -> int:
    return sum(len(getattr(track, name)) for track in score.tracks)


def _readable(text: str) -> bool:
    try:
        parse_chord(text)
    except SymbolError:
        return False
    return True


def _signatures_changed(score: Score, quantized: Score, bins: Bins) -> int:
    """Return how many time signatures do not begin a bar where they stood, or became another."""
    given = score.meter.time_signatures
    given = given[(given["tick"] == 0) | (given["tick"] < score.end)]
    ticks = bins.to_positions(given["tick"], score.tpq) * bins.steps
    bar, inside = quantized.meter.bar_and_position(ticks)
    found = quantized.meter.signature_at(bar)
    same = (inside == 0) & (ticks * score.tpq == given["tick"] * bins.tpq)
    for name in ("numerator", "denominator"):
        same &= found[name] == given[name]
    return int((~same).sum())


def _tempo_errors(score: Score, quantized: Score, bins: Bins) -> Floats:
    """Return by which ratio, less 1, each tempo differs from what holds at its place."""
    tempos = score.meter.tempos
    ticks, given = tempos["tick"], tempos["mspq"]
    inside = (ticks == 0) | (ticks < score.end)
    given = given[inside]
    ticks = bins.to_positions(ticks[inside], score.tpq) * bins.steps
    said = quantized.meter.tempos
    found = said["mspq"][np.searchsorted(said["tick"], ticks, side="right") - 1]
    return np.asarray(np.maximum(found / given, given / found) - 1)
