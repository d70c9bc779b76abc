"""Scores written as streams of music21, their notes spelled by key and chord."""

from __future__ import annotations

import bisect
from fractions import Fraction
from typing import Any

from composer.errors import SymbolError
from composer.interop._tables import check_score
from composer.interop.musicxml_symbols import named
from composer.score.score import Score, Track
from composer.theory.chord_names import suffix_tones
from composer.theory.chords import parse_chord, split_symbol
from composer.theory.musicxml_chords import music21_chord


def to_music21(score: Score) -> Any:
    """Return a score as a ``music21.stream.Score``, one part a track, not yet cut into measures.

    ``to_music21(score).write("musicxml")`` writes notation; quantise first where the onsets are
    played rather than written, as notation has no sign for 7/480 of a quarter.
    """
    from music21 import instrument, key, metadata, meter, stream, tempo

    check_score(score, "to_music21")
    spelling = _Spelling(score)

    other = stream.Score()
    other.metadata = metadata.Metadata()
    if score.title:
        other.metadata.title = score.title
    for number, track in enumerate(score.tracks or (Track(),)):
        part = stream.Part()
        part.partName = track.name
        sound = instrument.instrumentFromMidiProgram(track.program)
        if track.is_drum:
            sound = instrument.UnpitchedPercussion()
            sound.midiProgram, sound.midiChannel = track.program, 9
        sound.partName = track.name
        sound.transposition = None  # the notes are written as they sound
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
        _insert_notes(part, track, score.tpq, spelling)
        other.insert(0, part)
    return other


def _insert_notes(part: Any, track: Track, tpq: int, spelling: _Spelling) -> None:
    """Put the notes of a track into a music21 part, with its lyrics under them."""
    from music21 import chord, note

    lyrics = dict(track.lyrics)
    together: dict[tuple[int, int], list[Any]] = {}
    for onset, duration, pitch, velocity in track.notes.tolist():
        name = pitch if track.is_drum else spelling.name(onset, pitch)
        one = note.Note(name, quarterLength=Fraction(duration, tpq))
        one.volume.velocity = velocity
        together.setdefault((onset, duration), []).append(one)
    for (onset, duration), group in together.items():
        event = group[0]
        if len(group) > 1:
            event = chord.Chord(group, quarterLength=Fraction(duration, tpq))
        if onset in lyrics:
            event.addLyric(lyrics.pop(onset))
        part.insert(Fraction(onset, tpq), event)


# Fifths from a chord's root to its tones by semitones.
_TONES = {0: 0, 1: -5, 2: 2, 3: -3, 4: 4, 5: -1, 6: -6, 7: 1, 8: -4, 9: 3, 10: -2, 11: 5}
_NATURALS = dict(zip("FCGDAEB", range(-1, 6), strict=True))
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class _Spelling:
    """Names of pitches: those of the chord that sounds, and the others by the key."""

    def __init__(self, score: Score) -> None:
        self.keys = [(-1, 0, 0), *score.key_signatures.tolist()]
        self.chords = [
            (-1, dict[int, int]()),
            *((t, _chord_fifths(text)) for t, text in score.chords),
        ]
        self.key_ticks = [row[0] for row in self.keys]
        self.chord_ticks = [row[0] for row in self.chords]

    def name(self, tick: int, pitch: int) -> str:
        """Return music21's name of a pitch, with its octave."""
        _, sharps, minor = self.keys[bisect.bisect_right(self.key_ticks, tick) - 1]
        tones = self.chords[bisect.bisect_right(self.chord_ticks, tick) - 1][1]
        # From the lowered sixth to the raised first in major, to the leading note in minor.
        lowest = sharps - 3 if minor else sharps - 4
        fifths = tones.get(pitch % 12, lowest + (7 * pitch - lowest) % 12)
        name = named(fifths)
        alter = name.count("#") - name[1:].count("b")
        octave = (pitch - _SEMITONES[name[0]] - alter) // 12 - 1
        return f"{name[0]}{name[1:].replace('b', '-')}{octave}"


def _chord_fifths(text: str) -> dict[int, int]:
    """Return the fifths of a chord's tones by their pitch classes; none of one that is not read."""
    try:
        if parse_chord(text) is None:
            return {}
    except SymbolError:
        return {}
    root, suffix, bass = split_symbol(text)
    tones = suffix_tones(suffix) or frozenset()
    other = dict(_TONES)
    if {3, 4} <= tones:
        other[3] = 9  # a raised ninth
    if 7 in tones:
        other[6] = 6  # a raised eleventh beside the fifth
    elif 4 in tones:
        other[8] = 8  # a raised fifth
    if {3, 6, 9} <= tones and 10 not in tones:
        other[9] = -9  # a diminished seventh
    first = _fifths(root)
    found = {7 * (first + other[tone]) % 12: first + other[tone] for tone in tones}
    if bass:
        found[7 * _fifths(bass) % 12] = _fifths(bass)
    return found


def _fifths(name: str) -> int:
    signs = {"#": 7, "♯": 7, "x": 14, "b": -7, "♭": -7}
    return _NATURALS[name[0]] + sum(signs.get(sign, 0) for sign in name[1:])
