"""Scores from and to ``pretty_midi``, which counts seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from composer.interop._tables import (
    check_other,
    check_score,
    note_table,
    table_rows,
    timed,
    with_lyrics,
)
from composer.midi import join_markers, pedals_as_controls
from composer.score.events import CONTROL, PITCH_BEND, TEMPO, TIME_SIGNATURE, Text
from composer.score.meter import Meter
from composer.score.score import Score, Track
from composer.smf.read import pedals_of, split_markers


def to_pretty_midi(score: Score) -> Any:
    """Return a score as a ``pretty_midi.PrettyMIDI``; pedals become controllers."""
    import pretty_midi

    check_score(score, "to_pretty_midi")

    meter = score.meter
    other = pretty_midi.PrettyMIDI(resolution=score.tpq)
    ticks, mspq = meter.tempos["tick"], meter.tempos["mspq"]
    scales = (mspq / (1e6 * score.tpq)).tolist()
    other._tick_scales = list(zip(ticks.tolist(), scales, strict=True))
    other._update_tick_to_time(max(score.end, int(ticks[-1])) + 1)
    for tick, numerator, denominator in score.time_signatures.tolist():
        time = float(meter.seconds(tick))
        signature = pretty_midi.TimeSignature(numerator, denominator, time)
        other.time_signature_changes.append(signature)
    for tick, sharps, minor in score.key_signatures.tolist():
        tonic = (7 * sharps + 9 * minor) % 12 + 12 * minor
        key = pretty_midi.KeySignature(tonic, float(meter.seconds(tick)))
        other.key_signature_changes.append(key)
    for tick, text in join_markers(score):
        other.text_events.append(pretty_midi.Text(text, float(meter.seconds(tick))))
    for track in map(pedals_as_controls, score.tracks):
        part = pretty_midi.Instrument(track.program, track.is_drum, track.name)
        ends = meter.seconds(track.notes["onset"] + track.notes["duration"]).tolist()
        for ((_, _, pitch, velocity), start), end in zip(
            timed(track.notes, meter), ends, strict=True
        ):
            part.notes.append(pretty_midi.Note(velocity, pitch, start, end))
        for (_, number, value), time in timed(track.controls, meter):
            part.control_changes.append(pretty_midi.ControlChange(number, value, time))
        for (_, value), time in timed(track.pitch_bends, meter):
            part.pitch_bends.append(pretty_midi.PitchBend(value, time))
        for tick, text in track.lyrics:
            other.lyrics.append(pretty_midi.Lyric(text, float(meter.seconds(tick))))
        other.instruments.append(part)
    return other


def from_pretty_midi(other: Any) -> Score:
    """Return a ``pretty_midi.PrettyMIDI`` as a score; its resolution becomes the tpq.

    Raises
    ------
    ScoreError
        A value is outside its range.
    """
    check_other(
        other,
        ("instruments", "get_tempo_changes"),
        "from_pretty_midi",
        "pretty_midi.PrettyMIDI, for example PrettyMIDI('song.mid')",
    )
    times, bpm = other.get_tempo_changes()
    tempos = np.empty(len(times), TEMPO)
    tempos["tick"] = [other.time_to_tick(time) for time in times]
    tempos["mspq"] = np.rint(60e6 / bpm)
    meter = Meter(other.resolution, np.empty(0, TIME_SIGNATURE), tempos)

    def ticks(seconds: Iterable[float]) -> list[int]:
        return [int(tick) for tick in meter.tick(np.array(list(seconds), float))]

    def texts(events: Any) -> list[Text]:
        at = ticks(event.time for event in events)
        return [Text(tick, event.text) for tick, event in zip(at, events, strict=True)]

    tracks = []
    for part in other.instruments:
        rows = [(note.start, note.end, note.pitch, note.velocity) for note in part.notes]
        columns = np.array(rows, float).reshape(-1, 4).T
        bounds = meter.tick(columns[:2])
        controls = np.empty(len(part.control_changes), CONTROL)
        controls["tick"] = ticks(control.time for control in part.control_changes)
        controls["number"] = [control.number for control in part.control_changes]
        controls["value"] = [control.value for control in part.control_changes]
        bends = np.empty(len(part.pitch_bends), PITCH_BEND)
        bends["tick"] = ticks(bend.time for bend in part.pitch_bends)
        bends["value"] = [bend.pitch for bend in part.pitch_bends]
        notes = note_table(bounds[0], bounds[1], columns[2], columns[3])
        track = Track(
            part.name,
            part.program,
            part.is_drum,
            notes=notes,
            controls=controls,
            pitch_bends=bends,
            pedals=pedals_of(controls, notes),
        )
        tracks.append(track)
    keys = [_key_of_number(key.key_number) for key in other.key_signature_changes]
    key_ticks = ticks(key.time for key in other.key_signature_changes)
    signatures = other.time_signature_changes
    signature_ticks = ticks(signature.time for signature in signatures)
    markers, chords = split_markers(texts(other.text_events))
    return Score(
        tpq=other.resolution,
        tracks=with_lyrics(tracks, texts(other.lyrics)),
        tempos=tempos,
        time_signatures=table_rows(
            (tick, signature.numerator, signature.denominator)
            for tick, signature in zip(signature_ticks, signatures, strict=True)
        ),
        key_signatures=table_rows((tick, *key) for tick, key in zip(key_ticks, keys, strict=True)),
        markers=markers,
        chords=chords,
    )


def _key_of_number(number: int) -> tuple[int, int]:
    """Return (sharps, minor) of pretty_midi's key number: 0 to 11 major, 12 to 23 minor."""
    minor = number // 12
    sharps = (number - 9 * minor) * 7 % 12
    return (sharps if sharps <= 6 else sharps - 12), minor
