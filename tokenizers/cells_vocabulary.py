"""The token families of the ``cells`` format."""

from __future__ import annotations

from composer.theory import QUALITIES, Key
from composer.tokenizers.bins import DURATIONS, MAX_POSITIONS, TEMPO_BPM, TIME_SIGNATURES
from composer.tokenizers.vocabulary import Family, Vocabulary

MAX_PARTS = 64
CHORDS = MAX_PARTS  # the Part value that the chords have
MAX_BARS = 64  # bars are numbered modulo this
MAX_LEFT = 8  # bars counted down at the end of a piece
PITCH_OFFSET = 6  # Pitch values begin this far below MIDI pitch 0: room for any home key
DRUMS = 128  # the Program value that drums have
NO_CHORD = 0  # the Chord value of N.C.; others are 1 + root * len(QUALITIES) + quality
ROLES = ("melody", "bass", "accompaniment")

#: Home keys in the order of their ids: twelve major, twelve minor, by tonic.
KEYS = tuple(Key(tonic, mode) for mode in ("major", "minor") for tonic in range(12))
_HOME_TONIC = {"major": 0, "minor": 9}


def transposition(key: Key) -> int:
    """Return the semitones, -5 to 6, that bring a key to C major or A minor.

    >>> transposition(Key.parse("D")), transposition(Key.parse("F# minor"))
    (-2, 3)
    """
    return (_HOME_TONIC[key.mode] - key.tonic + 5) % 12 - 5


def cells_vocabulary(velocity_bins: int) -> Vocabulary:
    """Return the vocabulary of ``cells``."""
    qualities = [quality.name or "maj" for quality in QUALITIES]
    return Vocabulary(
        (
            *(Family.of(name, [""]) for name in ("PAD", "BOS", "Fill", "EOS")),
            Family.of("Key", [f"{key.tonic}{key.mode[:3]}" for key in KEYS]),
            Family.of("TimeSig", [f"{n}/{d}" for n, d in TIME_SIGNATURES]),
            Family.of("Tempo", [round(bpm) for bpm in TEMPO_BPM]),
            Family.of("Part", [*range(MAX_PARTS), "chords"]),
            Family.of("Program", [*range(DRUMS), "drums"]),
            Family.of("Role", ROLES),
            Family.of("Bar", range(MAX_BARS)),
            Family.of("Left", range(MAX_LEFT)),
            Family.of("Position", range(MAX_POSITIONS)),
            Family.of("Chord", ["N.C.", *(f"{r}:{q}" for r in range(12) for q in qualities)]),
            Family.of("Bass", range(12)),
            Family.of("Velocity", range(velocity_bins)),
            Family.of("Pitch", range(-PITCH_OFFSET, 128 + PITCH_OFFSET)),
            Family.of("Drum", range(128)),
            Family.of("Duration", DURATIONS.tolist()),
        )
    )
