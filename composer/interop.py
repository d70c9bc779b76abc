"""Scores from and to the objects of other libraries: symusic, pretty_midi, miditoolkit, music21.

Each library is imported when first needed. Notes, programs, names, tempos, time and key signatures
go both ways everywhere.

Conventions
-----------
- ``pretty_midi`` counts seconds: ticks are found again through the tempos, to the nearest. It has
  no markers, so markers and chords (``chord:`` in front) are its text events.
- ``pretty_midi`` and ``miditoolkit`` have lyrics for the whole piece: coming back they belong to
  the first track. Keys of six flats, seven flats and seven sharps come back from ``pretty_midi``
  as six sharps, five sharps and five flats, as it counts keys by their tonic.
- ``music21`` counts quarters as exact fractions and has no controllers, bends, pedals and markers.
  Notes that begin and end together become one chord; lyrics need a note at their tick. Chord
  symbols come back as they were written, in MusicXML too; those that cannot be read become texts,
  and do not come back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from composer.errors import ScoreError
from composer.midi import from_symusic, join_markers, pedals_as_controls, to_symusic
from composer.score.events import (
    CONTROL,
    NOTE,
    PITCH_BEND,
    TEMPO,
    TIME_SIGNATURE,
    Events,
    Note,
    Text,
    microseconds_per_quarter,
)
from composer.score.meter import Meter
from composer.score.score import Score, Track
from composer.smf.read import pedals_of, split_markers
from composer.theory.music21_chords import chord_text, music21_chord

__all__ = [
    "from_miditoolkit",
    "from_music21",
    "from_pretty_midi",
    "from_symusic",
    "read_musicxml",
    "to_miditoolkit",
    "to_music21",
    "to_pretty_midi",
    "to_symusic",
]

UNPITCHED = 38  # General MIDI's snare, for percussion notes without a pitch

#: Names of the keys from seven flats to seven sharps, as mido and miditoolkit write them.
MAJOR_KEYS = "Cb Gb Db Ab Eb Bb F C G D A E B F# C#".split()
MINOR_KEYS = "Abm Ebm Bbm Fm Cm Gm Dm Am Em Bm F#m C#m G#m D#m A#m".split()


def to_pretty_midi(score: Score) -> Any:
    """Return a score as a ``pretty_midi.PrettyMIDI``; pedals become controllers."""
    import pretty_midi

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
            _timed(track.notes, meter), ends, strict=True
        ):
            part.notes.append(pretty_midi.Note(velocity, pitch, start, end))
        for (_, number, value), time in _timed(track.controls, meter):
            part.control_changes.append(pretty_midi.ControlChange(number, value, time))
        for (_, value), time in _timed(track.pitch_bends, meter):
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
        notes = _notes(bounds[0], bounds[1], columns[2], columns[3])
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
        tracks=_with_lyrics(tracks, texts(other.lyrics)),
        tempos=tempos,
        time_signatures=_rows(
            (tick, signature.numerator, signature.denominator)
            for tick, signature in zip(signature_ticks, signatures, strict=True)
        ),
        key_signatures=_rows((tick, *key) for tick, key in zip(key_ticks, keys, strict=True)),
        markers=markers,
        chords=chords,
    )


def to_miditoolkit(score: Score) -> Any:
    """Return a score as a ``miditoolkit.MidiFile``; chords become markers."""
    import miditoolkit
    from miditoolkit.midi import containers

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
    tracks = []
    for part in other.instruments:
        rows = [(note.start, note.end, note.pitch, note.velocity) for note in part.notes]
        columns = np.array(rows, np.int64).reshape(-1, 4).T
        track = Track(
            part.name,
            part.program,
            part.is_drum,
            notes=_notes(*columns),
            controls=_rows((c.time, c.number, c.value) for c in part.control_changes),
            pitch_bends=_rows((bend.time, bend.pitch) for bend in part.pitch_bends),
            pedals=_rows((pedal.start, pedal.end - pedal.start) for pedal in part.pedals),
        )
        tracks.append(track)
    markers, chords = split_markers(Text(marker.time, marker.text) for marker in other.markers)
    return Score(
        tpq=other.ticks_per_beat,
        tracks=_with_lyrics(tracks, [Text(lyric.time, lyric.text) for lyric in other.lyrics]),
        tempos=_rows(
            (change.time, microseconds_per_quarter(change.tempo)) for change in other.tempo_changes
        ),
        time_signatures=_rows(
            (signature.time, signature.numerator, signature.denominator)
            for signature in other.time_signature_changes
        ),
        key_signatures=_rows(
            (key.time, *_key_of_name(key.key_name)) for key in other.key_signature_changes
        ),
        markers=markers,
        chords=chords,
    )


def to_music21(score: Score) -> Any:
    """Return a score as a ``music21.stream.Score``, one part a track, not yet cut into measures.

    ``to_music21(score).write("musicxml")`` writes notation; quantise first where the onsets are
    played rather than written, as notation has no sign for 7/480 of a quarter.
    """
    from music21 import instrument, key, metadata, meter, stream, tempo

    other = stream.Score()
    other.metadata = metadata.Metadata()
    for number, track in enumerate(score.tracks or (Track(),)):
        part = stream.Part()
        part.partName = track.name
        sound = instrument.instrumentFromMidiProgram(track.program)
        if track.is_drum:
            sound = instrument.UnpitchedPercussion()
            sound.midiProgram, sound.midiChannel = track.program, 9
        sound.partName = track.name
        part.insert(0, sound)
        for tick, numerator, denominator in score.time_signatures.tolist():
            signature = meter.TimeSignature(f"{numerator}/{denominator}")
            part.insert(Fraction(tick, score.tpq), signature)
        for tick, sharps, minor in score.key_signatures.tolist():
            mode = "minor" if minor else "major"
            part.insert(Fraction(tick, score.tpq), key.KeySignature(sharps).asKey(mode))
        if number == 0:
            for tick, mspq in score.tempos.tolist():
                mark = tempo.MetronomeMark(number=60e6 / mspq)
                part.insert(Fraction(tick, score.tpq), mark)
            for tick, text in score.chords:
                part.insert(Fraction(tick, score.tpq), music21_chord(text))
        _insert_notes(part, track, score.tpq)
        other.insert(0, part)
    return other


def from_music21(other: Any, tpq: int = 480) -> Score:
    """Return a music21 stream as a score, its parts as tracks; repeats are not played out.

    Parameters
    ----------
    other
        A ``music21.stream.Score``, or any other stream, which is then one part.
    tpq
        Ticks per quarter; 480 is exact down to 1/32 and triplets of them.
    """
    parts = list(other.parts) if hasattr(other, "parts") else []
    chords: list[Text] = []
    tracks = [_music21_track(part, tpq, chords) for part in parts or [other]]

    def tick(event: Any) -> int:
        return round(Fraction(event.offset) * tpq)

    first = (parts or [other])[0].flatten()
    return Score(
        tpq=tpq,
        tracks=tuple(tracks),
        tempos=_rows(
            (tick(mark), microseconds_per_quarter(mark.getQuarterBPM()))
            for mark in first["MetronomeMark"]
            if mark.getQuarterBPM()
        ),
        time_signatures=_rows(
            (tick(signature), signature.numerator, signature.denominator)
            for signature in first["TimeSignature"]
        ),
        key_signatures=_rows(
            (tick(key), key.sharps, int(getattr(key, "mode", "") == "minor"))
            for key in first["KeySignature"]
        ),
        chords=tuple(chords),
    )


def read_musicxml(path: str | os.PathLike[str]) -> Score:
    """Return a MusicXML file as a score, with its chord symbols; repeats are not played out.

    Parameters
    ----------
    path
        A file that ends in ``.musicxml``, ``.mxl`` or ``.xml``.

    Raises
    ------
    ScoreError
        The file is not there, or music21 cannot read it.
    """
    from music21 import converter

    path = Path(path)
    if not path.is_file():
        raise ScoreError(f"{path} does not exist; check the path")
    try:
        other = converter.parse(path.resolve(), format="musicxml", forceSource=True)
    except Exception as error:  # music21 raises many kinds for files that it cannot read
        raise ScoreError(f"{path} cannot be read as MusicXML: {error}") from error
    return from_music21(other)


def _rows(rows: Iterable[tuple[Any, ...]]) -> Any:
    """Return rows for a score to make a table of."""
    return list(rows)


def _notes(starts: Any, ends: Any, pitches: Any, velocities: Any) -> Events:
    """Return columns as a table of notes."""
    notes = np.empty(len(starts), NOTE)
    notes["onset"], notes["duration"] = starts, np.subtract(ends, starts)
    notes["pitch"], notes["velocity"] = pitches, velocities
    return notes


def _timed(table: Events, meter: Meter) -> Iterable[tuple[Any, float]]:
    """Return the rows of a table with their times in seconds."""
    first = (table.dtype.names or ())[0]  # onset or tick
    return zip(table.tolist(), meter.seconds(table[first]).tolist(), strict=True)


def _with_lyrics(tracks: list[Track], lyrics: list[Text]) -> tuple[Track, ...]:
    """Return tracks, the first one with the lyrics."""
    if lyrics:
        tracks = tracks or [Track()]
        tracks[0] = tracks[0].replace(lyrics=tuple(lyrics))
    return tuple(tracks)


def _key_of_number(number: int) -> tuple[int, int]:
    """Return (sharps, minor) of pretty_midi's key number: 0 to 11 major, 12 to 23 minor."""
    minor = number // 12
    sharps = (number - 9 * minor) * 7 % 12
    return (sharps if sharps <= 6 else sharps - 12), minor


def _key_of_name(name: str) -> tuple[int, int]:
    """Return (sharps, minor) of a key as miditoolkit writes it."""
    for minor, names in enumerate((MAJOR_KEYS, MINOR_KEYS)):
        if name in names:
            return names.index(name) - 7, minor
    raise ScoreError(f"key {name!r} is not one of {', '.join(MAJOR_KEYS + MINOR_KEYS)}")


def _music21_track(part: Any, tpq: int, chords: list[Text]) -> Track:
    """Return a part as a track, and put its chord symbols into ``chords``."""
    from music21 import chord, harmony, note

    rows, lyrics = [], []
    for event in part.stripTies().flatten().notes:
        onset = round(Fraction(event.offset) * tpq)
        if isinstance(event, harmony.Harmony):
            chords.append(Text(onset, chord_text(event)))
            continue
        offset = round(Fraction(event.offset + event.duration.quarterLength) * tpq)
        for member in event.notes if isinstance(event, chord.Chord) else [event]:
            pitch = member.pitch.midi if isinstance(member, note.Note) else UNPITCHED
            velocity = member.volume.velocity or event.volume.velocity
            velocity = velocity or Note._field_defaults["velocity"]
            rows.append((onset, offset - onset, pitch, velocity))
        if event.lyric:
            lyrics.append(Text(onset, event.lyric))
    sound = part.getInstrument(returnDefault=False)
    return Track(
        name=getattr(part, "partName", None) or "",
        program=getattr(sound, "midiProgram", None) or 0,
        is_drum=getattr(sound, "midiChannel", None) == 9,
        notes=_rows(rows),
        lyrics=tuple(lyrics),
    )


def _insert_notes(part: Any, track: Track, tpq: int) -> None:
    """Put the notes of a track into a music21 part, with its lyrics under them."""
    from music21 import chord, note

    lyrics = dict(track.lyrics)
    together: dict[tuple[int, int], list[Any]] = {}
    for onset, duration, pitch, velocity in track.notes.tolist():
        one = note.Note(pitch, quarterLength=Fraction(duration, tpq))
        one.volume.velocity = velocity
        together.setdefault((onset, duration), []).append(one)
    for (onset, duration), group in together.items():
        event = group[0]
        if len(group) > 1:
            event = chord.Chord(group, quarterLength=Fraction(duration, tpq))
        if onset in lyrics:
            event.addLyric(lyrics.pop(onset))
        part.insert(Fraction(onset, tpq), event)
