"""Token families that several formats share, and what their values mean."""

from __future__ import annotations

from composer.theory.chords import QUALITIES
from composer.theory.keys import Key
from composer.tokenizers.bins import DURATIONS, TEMPO_BINS, TIME_SIGNATURES, Ints, tempo_bpm
from composer.tokenizers.vocabulary import Family

DRUMS = 128  # the Program value that drums have
NO_CHORD = 0  # the Chord value of N.C.; others are 1 + chord_index(root, quality)
PITCH_OFFSET = 6  # relative pitches begin this far below MIDI pitch 0: room for any home key

#: Home keys in the order of their ids: twelve major, twelve minor, by tonic.
KEYS = tuple(Key(tonic, mode) for mode in ("major", "minor") for tonic in range(12))
_HOME_TONIC = {"major": 0, "minor": 9}


def transposition(key: Key) -> int:
    """Return the semitones, -5 to 6, that bring a key to C major or A minor.

    >>> transposition(Key.parse("D")), transposition(Key.parse("F# minor"))
    (-2, 3)
    """
    return (_HOME_TONIC[key.mode] - key.tonic + 5) % 12 - 5


def lowest_pitch(key: Key) -> int:
    """Return the value of relative Pitch that is MIDI's pitch 0 in a piece of a key."""
    return PITCH_OFFSET + transposition(key)


def single(*names: str) -> tuple[Family, ...]:
    """Return families of one token each."""
    return tuple(Family.of(name, [""]) for name in names)


def signature_family() -> Family:
    """Return ``TimeSig``: the time signatures that have a token."""
    return Family.of("TimeSig", [f"{n}/{d}" for n, d in TIME_SIGNATURES])


def tempo_family(count: int = TEMPO_BINS) -> Family:
    """Return ``Tempo``: the tempo bins, by their beats a minute."""
    bpm = tempo_bpm(count)
    whole = [round(x) for x in bpm]
    return Family.of("Tempo", whole if len(set(whole)) == count else [f"{x:.1f}" for x in bpm])


def key_family() -> Family:
    """Return ``Key``: the home keys."""
    return Family.of("Key", [f"{key.tonic}{key.mode[:3]}" for key in KEYS])


def relative_pitch_family() -> Family:
    """Return ``Pitch`` as it is in C major or A minor."""
    return Family.of("Pitch", range(-PITCH_OFFSET, 128 + PITCH_OFFSET))


def program_family() -> Family:
    """Return ``Program``: General MIDI's, and drums."""
    return Family.of("Program", [*range(DRUMS), "drums"])


def chord_families() -> tuple[Family, Family]:
    """Return ``Chord``, no chord and every quality on every root, and ``Bass``."""
    qualities = [quality.name or "maj" for quality in QUALITIES]
    return (
        Family.of("Chord", ["N.C.", *(f"{r}:{q}" for r in range(12) for q in qualities)]),
        Family.of("Bass", range(12)),
    )


def duration_family(durations: Ints = DURATIONS) -> Family:
    """Return ``Duration``: note lengths in positions."""
    return Family.of("Duration", durations.tolist())
