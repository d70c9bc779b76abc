"""The token families of the ``cells`` format."""

from __future__ import annotations

from composer.theory import Key
from composer.tokenizers.bins import MAX_POSITIONS
from composer.tokenizers.families import (
    DRUMS,
    NO_CHORD,
    chord_families,
    duration_family,
    program_family,
    signature_family,
    single,
    tempo_family,
)
from composer.tokenizers.vocabulary import Family, Vocabulary

__all__ = [
    "CHORDS",
    "DRUMS",
    "KEYS",
    "MAX_BARS",
    "MAX_LEFT",
    "MAX_PARTS",
    "NO_CHORD",
    "PITCH_OFFSET",
    "ROLES",
    "cells_vocabulary",
    "transposition",
]

MAX_PARTS = 64
CHORDS = MAX_PARTS  # the Part value that the chords have
MAX_BARS = 64  # bars are numbered modulo this
MAX_LEFT = 8  # bars counted down at the end of a piece
PITCH_OFFSET = 6  # Pitch values begin this far below MIDI pitch 0: room for any home key
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
    return Vocabulary(
        (
            *single("PAD", "BOS", "Fill", "EOS"),
            Family.of("Key", [f"{key.tonic}{key.mode[:3]}" for key in KEYS]),
            signature_family(),
            tempo_family(),
            Family.of("Part", [*range(MAX_PARTS), "chords"]),
            program_family(),
            Family.of("Role", ROLES),
            Family.of("Bar", range(MAX_BARS)),
            Family.of("Left", range(MAX_LEFT)),
            Family.of("Position", range(MAX_POSITIONS)),
            *chord_families(),
            Family.of("Velocity", range(velocity_bins)),
            Family.of("Pitch", range(-PITCH_OFFSET, 128 + PITCH_OFFSET)),
            Family.of("Drum", range(128)),
            duration_family(),
        )
    )
