"""Streams of music21 read as scores, as they sound."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

from composer._calls import shown
from composer.errors import ComposerWarning, ScoreError
from composer.interop.percussion import drum_of_position
from composer.interop.written import WrittenNote, WrittenPart, score_of
from composer.score.events import Note
from composer.score.score import Score
from composer.theory.musicxml_chords import chord_text


def from_music21(other: Any, tpq: int = 480) -> Score:
    """Return a music21 stream as a score, its parts as tracks; repeats are not played out.

    Parameters
    ----------
    other
        A ``music21.stream.Score``, or any other stream, which is then one part.
    tpq
        Ticks per quarter; 480 is exact down to 1/32 and triplets of them.

    Raises
    ------
    ScoreError
        It is not a stream, or is a collection of scores.
    """
    from music21 import stream

    if not isinstance(other, stream.Stream):
        raise ScoreError(
            f"from_music21 was given {shown(other)}; give a music21 stream, for example "
            "music21.converter.parse('song.musicxml')"
        )
    if isinstance(other, stream.Opus):
        raise ScoreError(
            f"the stream is a collection of {len(other.scores)} scores; give one of them, for "
            "example opus.scores[0]"
        )
    streams = [other, *other.recurse(streamsOnly=True)]
    if any(one.atSoundingPitch is False for one in streams):
        other = other.toSoundingPitch()
    found = list(other.parts) if isinstance(other, stream.Score) else []
    parts = [_part(part, Fraction(part.getOffsetInHierarchy(other))) for part in found]
    title = (other.metadata.title if other.metadata else None) or ""
    if not parts:
        return score_of([_part(other, Fraction(0))], tpq).replace(title=title)
    alone = WrittenPart()  # what stands in the score itself
    for event in other:
        if not isinstance(event, stream.Stream):
            _event(event, Fraction(event.offset), alone)
    for name in ("keys", "meters", "tempos", "chords"):
        getattr(parts[0], name).extend(getattr(alone, name))
    return score_of(parts, tpq).replace(title=title)


def _part(part: Any, start: Fraction) -> WrittenPart:
    """Return a stream of music21 as a part that begins at a quarter of the piece."""
    from music21 import stream

    written = WrittenPart(getattr(part, "partName", None) or "")
    flat = part.flatten()
    sounds = list(flat["Instrument"])
    own = part.getInstrument(returnDefault=False)
    sounds += [] if own is None else [own]
    programs = [sound.midiProgram for sound in sounds if sound.midiProgram is not None]
    written.program = programs[0] if programs else 0
    drums = any(_is_kit(sound) for sound in sounds)
    for event in flat:
        _event(event, start + Fraction(event.offset), written, drums)
    written.is_drum = drums or (bool(written.notes) and all(note.is_drum for note in written.notes))
    measures = list(part.getElementsByClass(stream.Measure))
    starts = [start + Fraction(measure.offset) for measure in measures]
    for number, measure in enumerate(measures):
        length = Fraction(measure.highestTime) or Fraction(measure.barDuration.quarterLength)
        if number + 1 < len(starts):
            length = starts[number + 1] - starts[number]
        written.measures.append((starts[number], length))
    return written


def _is_kit(sound: Any) -> bool:
    from music21 import instrument

    is_kit = isinstance(sound, instrument.UnpitchedPercussion)
    return bool(is_kit or sound.midiChannel == 9)


def _event(event: Any, at: Fraction, written: WrittenPart, drums: bool = False) -> None:
    """Put an event of music21 where it belongs in a part."""
    from music21 import harmony, key, meter, note, tempo

    if isinstance(event, harmony.Harmony):
        try:
            written.chords.append((at, chord_text(event)))
        except RecursionError:  # music21 has no root for a numeral of a MusicXML file
            warnings.warn(
                "a chord that music21 has no root of is left out; read_musicxml reads those of "
                "MusicXML files",
                ComposerWarning,
                stacklevel=2,
            )
    elif isinstance(event, note.GeneralNote):
        _notes(event, at, written, drums)
    elif isinstance(event, meter.TimeSignature):
        written.meters.append((at, event.numerator, event.denominator))
    elif isinstance(event, key.KeySignature):
        _key(event, at, written)
    elif isinstance(event, tempo.TempoIndication):
        mark = event.getSoundingMetronomeMark()
        bpm = None if mark is None else mark.getQuarterBPM()
        if bpm:
            written.tempos.append((at, bpm))


def _key(event: Any, at: Fraction, written: WrittenPart) -> None:
    if event.sharps is None:
        warnings.warn(
            "a key signature of single accidentals is left out: a score holds those of the circle "
            "of fifths",
            ComposerWarning,
            stacklevel=2,
        )
        return
    sharps = (event.sharps + 7) % 12 - 7 if abs(event.sharps) > 7 else event.sharps
    minor = getattr(event, "mode", None) in ("minor", "aeolian")
    written.keys.append((at, sharps, int(minor)))


def _notes(event: Any, at: Fraction, written: WrittenPart, drums: bool) -> None:
    """Put the notes of one of music21's into a part; rests, cues and grace notes have none."""
    from music21 import chord, note, percussion

    if event.isRest or event.duration.isGrace or not event.quarterLength:
        return
    if event.hasStyleInformation and event.style.noteSize == "cue":
        return
    is_group = isinstance(event, (chord.Chord, percussion.PercussionChord))
    for member in event.notes if is_group else [event]:
        velocity = member.volume.velocity or event.volume.velocity
        tie = member.tie or event.tie
        pitch, is_drum = _pitch(member)
        written.notes.append(
            WrittenNote(
                at,
                at + Fraction(event.quarterLength),
                pitch,
                velocity or Note._field_defaults["velocity"],
                tie_start=tie is not None and tie.type in ("start", "continue"),
                tie_stop=tie is not None and tie.type in ("stop", "continue"),
                is_drum=is_drum or drums,
            )
        )
    verses = [lyric for lyric in event.lyrics if lyric.text]
    if verses and isinstance(event, note.NotRest):
        first = min(verses, key=lambda lyric: lyric.number)
        if first.number == 1 or not written.lyrics:
            written.lyrics.append((at, first.text))


def _pitch(member: Any) -> tuple[int, bool]:
    """Return how a note sounds, and whether it is a drum."""
    from music21 import note

    if isinstance(member, note.Note):
        return member.pitch.midi, False
    sound = member.storedInstrument
    number = getattr(sound, "percMapPitch", None)
    if number is not None:
        return number, True
    name = getattr(sound, "instrumentName", None) or ""
    place = member.displayStep, member.displayOctave, member.notehead
    return drum_of_position(name, *place), True
