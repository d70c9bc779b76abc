"""What a format cannot keep of a score, in numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.errors import SymbolError
from composer.score.score import Score
from composer.theory.chords import chord_symbol, parse_chord
from composer.tokenizers.bins import Bins
from composer.tokenizers.columns import Bools, Ints
from composer.tokenizers.quantize import all_events, longest, on_grid

Floats = npt.NDArray[np.float64]

_SUSTAIN = 64  # controller number


@dataclasses.dataclass(frozen=True)
class LossReport:
    """How a score differs from what its ids decode to; beats are quarters.

    What it does not name is the same in both. A note that is merged is compared with the one it
    went into. Means are over the notes that are kept, those merged among them; of durations and
    their errors over the pitched ones, as drum hits have no length in any format. Tempos and time
    signatures hold until the next, so that the first of them is one at tick 0, said or not, and of
    several at one tick the last is the one that counts.
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
    tracks_dropped: int  # joined to others of one part, or without anything that the format says
    programs_changed: int  # tracks with notes that are kept; of drums, the kit
    names_dropped: int  # of tracks
    time_signatures_changed: int  # of those before the end: not there any more, or another
    time_signatures_added: int  # where the score has none: bars cut short, and those that moved
    tempos_changed: int  # of those before the end
    tempo_error_max: float  # ratio less 1
    late_dropped: int  # tempos and time signatures behind the end, lost or changed
    chords_dropped: int  # unreadable, without a token, or another holds at their place
    chords_respelled: int  # the same, or the nearest quality there is, written another way
    key_signatures_dropped: int
    key_signatures_changed: int  # kept, and moved to the begin or spelled another way
    key_signatures_added: int  # inferred from the notes
    pedals_dropped: int  # or joined to another of the same part
    pitch_bends_dropped: int  # those that change nothing among them
    pitch_bend_error_max: int  # of 8191, of those kept
    events_moved: int  # tempos, chords, pedals and bends off the grid, where the format says such
    event_shift_max: float  # beats, of these
    events_dropped: int  # lyrics, markers, controllers; the sustain pedal's count as pedals

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
                f"changed, tempos by {self.tempo_error_max:.1%} at most; "
                f"{self.time_signatures_added} time signatures added",
                f"{self.programs_changed} programs and {self.key_signatures_changed} key "
                f"signatures changed, {self.key_signatures_added} added, {self.chords_respelled} "
                "chords spelled another way",
                f"tempos, chords, pedals and bends: {self.events_moved} moved, by "
                f"{self.event_shift_max:.4f} beats at most",
                f"dropped: {self.tracks_dropped} tracks, {self.names_dropped} names, "
                f"{self.chords_dropped} chords, {self.key_signatures_dropped} key signatures, "
                f"{self.pedals_dropped} pedals, {self.pitch_bends_dropped} bends, "
                f"{self.late_dropped} tempos and time signatures behind the end, "
                f"{self.events_dropped} other events",
            ]
        )


def measure_loss(
    score: Score,
    quantized: Score,
    rows: Sequence[int],
    bins: Bins,
    *,
    families: Collection[str],
    tempos_on_bars: bool,
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
    families
        Names of the token families that the format has.
    tempos_on_bars
        Whether tempos change on bar lines only.
    """
    signature_lost, signatures_late = _signatures_lost(score, quantized, bins)
    tempo_at = _tempo_places(score, quantized, bins, tempos_on_bars)
    tempo, tempos_late = _tempo_errors(score, quantized, tempo_at)
    shifts = _shifts(score, rows, bins, families, tempo_at)
    dropped, respelled = _chords(score, quantized, bins)
    named = quantized.key_signatures
    return LossReport(
        **_notes(score, rows, bins),
        tracks_dropped=len(score.tracks) - len(quantized.tracks),
        programs_changed=_programs_changed(score, rows, families),
        names_dropped=sum(bool(track.name) for track in score.tracks),
        time_signatures_changed=int(signature_lost.sum()),
        time_signatures_added=_signatures_added(score, quantized, bins),
        tempos_changed=int((tempo > 0).sum()),
        tempo_error_max=float(tempo.max(initial=0)),
        late_dropped=signatures_late + tempos_late,
        chords_dropped=dropped,
        chords_respelled=respelled,
        key_signatures_dropped=max(0, len(score.key_signatures) - len(named)),
        key_signatures_changed=int(np.any(named != score.key_signatures[: len(named)]))
        if len(score.key_signatures)
        else 0,
        key_signatures_added=max(0, len(named) - len(score.key_signatures)),
        pedals_dropped=_events(score, "pedals") - _events(quantized, "pedals"),
        pitch_bends_dropped=_events(score, "pitch_bends") - _events(quantized, "pitch_bends"),
        pitch_bend_error_max=_bend_error(score, rows, bins),
        events_moved=int((shifts > 0).sum()),
        event_shift_max=float(shifts.max(initial=0)),
        events_dropped=len(score.markers) + _events(score, "lyrics") + _controls(score),
    )


def _notes(score: Score, rows: Sequence[int], bins: Bins) -> dict[str, Any]:
    """Return what the report says of notes: each is compared with the one that stands for it."""
    every, row = all_events(score.tracks, rows)
    _, hit = all_events(score.tracks, [track.is_drum for track in score.tracks])
    kept = row >= 0
    notes, row, is_drum = every[kept], row[kept], hit[kept] > 0
    grid = on_grid(notes, score.tpq, bins, is_drum)
    place = row * (grid["onset"].max(initial=0) + 1) + grid["onset"]
    key = place * 128 + grid["pitch"]
    said = longest(grid, key)
    grid = grid[said[np.searchsorted(key[said], key)]]
    onset = np.abs(grid["onset"] / bins.tpq - notes["onset"] / score.tpq)
    length = notes["duration"][~is_drum]
    given, found = length * bins.tpq, grid["duration"][~is_drum] * score.tpq
    velocity = np.abs(grid["velocity"] - notes["velocity"])
    return {
        "notes": len(every),
        "notes_dropped": len(every) - len(notes),
        "notes_merged": len(notes) - len(said),
        "onsets_moved": int((grid["onset"] * score.tpq != notes["onset"] * bins.tpq).sum()),
        "onset_error_mean": _mean(onset),
        "onset_error_max": float(onset.max(initial=0)),
        "durations_changed": int((found != given).sum()),
        "durations_clipped": int((length * bins.resolution > bins.durations[-1] * score.tpq).sum()),
        "duration_error_mean": _mean(np.abs(found - given) / (score.tpq * bins.tpq)),
        "velocities_changed": int((velocity > 0).sum()),
        "velocity_error_mean": _mean(velocity),
    }


def _mean(errors: Floats) -> float:
    return float(errors.mean()) if len(errors) else 0.0


def _events(score: Score, name: str) -> int:
    return sum(len(getattr(track, name)) for track in score.tracks)


def _controls(score: Score) -> int:
    """Return how many controllers there are, without those that say what the pedals are."""
    return sum(
        len(track.controls)
        - (len(track.pedals) > 0) * int((track.controls["number"] == _SUSTAIN).sum())
        for track in score.tracks
    )


def _programs_changed(score: Score, rows: Sequence[int], families: Collection[str]) -> int:
    pairs = zip(score.tracks, rows, strict=True)
    kept = [track for track, row in pairs if row >= 0 and len(track.notes)]
    says = "Program" in families
    return sum(track.program != 0 and (track.is_drum or not says) for track in kept)


def _pitched(score: Score, rows: Sequence[int], name: str, column: str) -> Ints:
    """Return a column of a table of all tracks that are kept and no drums."""
    pairs = zip(score.tracks, rows, strict=True)
    kept = [track for track, row in pairs if row >= 0 and not track.is_drum]
    columns = [getattr(track, name)[column] for track in kept]
    return np.concatenate([np.empty(0, np.int64), *columns]).astype(np.int64)


def _bend_error(score: Score, rows: Sequence[int], bins: Bins) -> int:
    if not bins.bends:
        return 0
    bends = _pitched(score, rows, "pitch_bends", "value")
    return int(np.abs(bins.bend(bins.bend_bin(bends)) - bends).max(initial=0))


def _shifts(
    score: Score, rows: Sequence[int], bins: Bins, families: Collection[str], tempo_at: Ints
) -> Floats:
    """Return how far what is said is from its own place, in beats."""
    ticks, places = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    if "Tempo" in families:
        given, _ = _tempos(score)
        before_end = _before_end(given, score)
        ticks.append(given[before_end])
        places.append(tempo_at[before_end])
    if "Chord" in families:
        ticks.append(np.array([tick for tick, text in score.chords if _chord(text)], np.int64))
        places.append(bins.to_positions(ticks[-1], score.tpq) * bins.steps)
    if "Pedal" in families:
        down = _pitched(score, rows, "pedals", "tick")
        ticks += [down, down + _pitched(score, rows, "pedals", "duration")]
        places += [bins.to_ticks(ends, score.tpq) for ends in ticks[-2:]]
    if bins.bends:
        ticks.append(_pitched(score, rows, "pitch_bends", "tick"))
        places.append(bins.to_ticks(ticks[-1], score.tpq))
    apart = np.concatenate(places) * score.tpq - np.concatenate(ticks) * bins.tpq
    return np.asarray(np.abs(apart) / (score.tpq * bins.tpq))


def _chords(score: Score, quantized: Score, bins: Bins) -> tuple[int, int]:
    """Return how many chords are dropped, and how many are written another way."""
    ticks = bins.to_positions([tick for tick, _ in score.chords], score.tpq) * bins.steps
    at = np.searchsorted([tick for tick, _ in quantized.chords], ticks, side="right").tolist()
    dropped = respelled = 0
    for (_, text), behind in zip(score.chords, at, strict=True):
        found = quantized.chords[behind - 1].text if behind else ""
        chord = _chord(text)
        if chord is None or chord != _chord(found):
            dropped += 1
        elif found != text:
            respelled += 1
    return dropped, respelled


def _chord(text: str) -> str | None:
    """Return a chord in the one way that the formats know it; None where it cannot be read."""
    try:
        return chord_symbol(parse_chord(text))
    except SymbolError:
        return None


def _before_end(ticks: Ints, score: Score) -> Bools:
    return np.asarray((ticks == 0) | (ticks < score.end))


def _signatures_lost(score: Score, quantized: Score, bins: Bins) -> tuple[Bools, int]:
    """Return which time signatures do not begin a bar where they stood, or became another.

    The second is how many of those behind the end, which the first leaves out.
    """
    given = score.meter.time_signatures
    ticks = bins.to_positions(given["tick"], score.tpq) * bins.steps
    bar, inside = quantized.meter.bar_and_position(ticks)
    found = quantized.meter.signature_at(bar)
    same = (inside == 0) & (ticks * score.tpq == given["tick"] * bins.tpq)
    for name in ("numerator", "denominator"):
        same &= found[name] == given[name]
    before_end = _before_end(given["tick"], score)
    return ~same[before_end], int((~same[~before_end]).sum())


def _signatures_added(score: Score, quantized: Score, bins: Bins) -> int:
    """Return how many time signatures stand where there was none."""
    said = quantized.meter.time_signatures["tick"] * score.tpq
    return int((~np.isin(said, score.meter.time_signatures["tick"] * bins.tpq)).sum())


def _tempos(score: Score) -> tuple[Ints, Ints]:
    """Return the ticks of the tempos that hold, and the microseconds a quarter."""
    tempos = score.meter.tempos
    return tempos["tick"], tempos["mspq"].astype(np.int64)


def _tempo_places(score: Score, quantized: Score, bins: Bins, on_bars: bool) -> Ints:
    """Return where the tempos of a score begin in the quantised one, in its ticks."""
    places = bins.to_positions(_tempos(score)[0], score.tpq) * bins.steps
    if on_bars:
        meter = quantized.meter
        bar, inside = meter.bar_and_position(places)
        places = meter.bar_start(bar + (2 * inside >= meter.bar_length(bar)))
    return places


def _tempo_errors(score: Score, quantized: Score, places: Ints) -> tuple[Floats, int]:
    """Return by which ratio, less 1, each tempo differs from what holds at its place.

    The second is how many differ behind the end, which the first leaves out.
    """
    ticks, given = _tempos(score)
    said_at, said = _tempos(quantized)
    found = said[np.searchsorted(said_at, places, side="right") - 1]
    errors = np.maximum(found / given, given / found) - 1
    before_end = _before_end(ticks, score)
    return np.asarray(errors[before_end]), int((errors[~before_end] > 0).sum())
