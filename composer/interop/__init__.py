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
  Notes that begin and end together become one chord; lyrics need a note at their tick. Notes are
  spelled by the key and the chord. Chord symbols come back as they were written, in MusicXML too;
  those that cannot be read become texts, and do not come back.
- MusicXML and music21 are read as they sound: transposing instruments, their keys and their chord
  symbols at concert pitch, drums as their General MIDI pitches. Cue notes, which are silent, and
  grace notes, which have no duration, are left out, and of several verses all but the first. A
  measure shorter or longer than its meter gets a time signature of its own length. A signature that
  is not one of the circle of fifths is left out; beyond seven sharps or flats it is respelled.
"""

from __future__ import annotations

from typing import Any

from composer.interop._tables import check_other, check_score
from composer.interop.miditoolkit import from_miditoolkit, to_miditoolkit
from composer.interop.music21_in import from_music21
from composer.interop.music21_out import to_music21
from composer.interop.musicxml import read_musicxml
from composer.interop.pretty_midi import from_pretty_midi, to_pretty_midi
from composer.midi import from_symusic as _from_symusic
from composer.midi import to_symusic as _to_symusic
from composer.score.score import Score

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


def to_symusic(score: Score) -> Any:
    """Return a score as a ``symusic.Score`` in ticks; chords become markers."""
    check_score(score, "to_symusic")
    return _to_symusic(score)


def from_symusic(other: Any) -> Score:
    """Return a ``symusic.Score`` of any unit as a score.

    Raises
    ------
    ScoreError
        It is not one, or a value is outside its range.
    """
    names = ("tracks", "ticks_per_quarter")
    check_other(other, names, "from_symusic", "symusic.Score, for example Score('song.mid')")
    return _from_symusic(other)
