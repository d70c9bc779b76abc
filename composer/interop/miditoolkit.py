"""Scores from and to ``miditoolkit``, which counts ticks as a score does."""

from __future__ import annotations

from typing import Any

import numpy as np

from composer.errors import ScoreError
from composer.interop._tables import check_other, check_score, note_table, table_rows, with_lyrics
from composer.midi import join_markers, pedals_as_controls
from composer.score.events import Text, microseconds_per_quarter
from composer.score.score import Score, Track
from composer.smf.read import split_markers

#: Names of the keys from seven flats to seven sharps, as mido and miditoolkit write them.
MAJOR_KEYS = "Cb Gb Db Ab Eb Bb F C G D A E B F# C#".split()
MINOR_KEYS = "Abm Ebm Bbm Fm Cm Gm Dm Am Em Bm F#m C#m G#m D#m A#m".split()


def to_miditoolkit(score: Score) -> Any:
    """Return a score as a ``miditoolkit.MidiFile``; chords become markers."""
    import miditoolkit
    from miditoolkit.midi import containers

    check_score(score, "to_miditoolkit")

    other = miditoolkit.MidiFile(ticks_per_beat=score.tpq)
    other.tempo_changes = [
        containers.TempoChange(60e6 / mspq, tick) for tick, mspq in score.tempos.tolist()
    ]
    other.time_signature_changes = [
        containers.TimeSignature(numerator, denominator, tick)
        for tick, numerator, denominator in score.time_signatures.tolist()
    ]
    for tick, sharps, minor in score.key_signatures.tolist():
        name = (MINOR_KEYS if minor else MAJOR_KEYS)[sharps + 7]
        other.key_signature_changes.append(containers.KeySignature(name, tick))
    other.markers = [containers.Marker(text, tick) for tick, text in join_markers(score)]
    for track in map(pedals_as_controls, score.tracks):
        part = containers.Instrument(track.program, track.is_drum, track.name)
        part.notes = [
            containers.Note(velocity, pitch, onset, onset + duration)
            for onset, duration, pitch, velocity in track.notes.tolist()
        ]
        part.control_changes = [
            containers.ControlChange(number, value, tick)
            for tick, number, value in track.controls.tolist()
        ]
        part.pitch_bends = [
            containers.PitchBend(value, tick) for tick, value in track.pitch_bends.tolist()
        ]
        part.pedals = [
            containers.Pedal(tick, tick + duration) for tick, duration in track.pedals.tolist()
        ]
        other.lyrics += [containers.Lyric(text, tick) for tick, text in track.lyrics]
        other.instruments.append(part)
    other.max_tick = score.end
    return other


def from_miditoolkit(other: Any) -> Score:
    """Return a ``miditoolkit.MidiFile`` as a score.

    Raises
    ------
    ScoreError
        A value is outside its range.
    """
    check_other(
        other,
        ("instruments", "tempo_changes"),
        "from_miditoolkit",
        "miditoolkit.MidiFile, for example MidiFile('song.mid')",
    )
    tracks = []
    for part in other.instruments:
        rows = [(note.start, note.end, note.pitch, note.velocity) for note in part.notes]
        columns = np.array(rows, np.int64).reshape(-1, 4).T
        track = Track(
            part.name,
            part.program,
            part.is_drum,
            notes=note_table(*columns),
            controls=table_rows((c.time, c.number, c.value) for c in part.control_changes),
            pitch_bends=table_rows((bend.time, bend.pitch) for bend in part.pitch_bends),
            pedals=table_rows((pedal.start, pedal.end - pedal.start) for pedal in part.pedals),
        )
        tracks.append(track)
    markers, chords = split_markers(Text(marker.time, marker.text) for marker in other.markers)
    return Score(
        tpq=other.ticks_per_beat,
        tracks=with_lyrics(tracks, [Text(lyric.time, lyric.text) for lyric in other.lyrics]),
        tempos=table_rows(
            (change.time, microseconds_per_quarter(change.tempo)) for change in other.tempo_changes
        ),
        time_signatures=table_rows(
            (signature.time, signature.numerator, signature.denominator)
            for signature in other.time_signature_changes
        ),
        key_signatures=table_rows(
            (key.time, *_key_of_name(key.key_name)) for key in other.key_signature_changes
        ),
        markers=markers,
        chords=chords,
    )


def _key_of_name(name: str) -> tuple[int, int]:
    """Return (sharps, minor) of a key as miditoolkit writes it."""
    for minor, names in enumerate((MAJOR_KEYS, MINOR_KEYS)):
        if name in names:
            return names.index(name) - 7, minor
    raise ScoreError(f"key {name!r} is not one of {', '.join(MAJOR_KEYS + MINOR_KEYS)}")
