"""Token families that several formats share, and what their values mean."""

from __future__ import annotations

from composer.theory import QUALITIES
from composer.tokenizers.bins import DURATIONS, TEMPO_BPM, TIME_SIGNATURES
from composer.tokenizers.vocabulary import Family

DRUMS = 128  # the Program value that drums have
NO_CHORD = 0  # the Chord value of N.C.; others are 1 + root * len(QUALITIES) + quality


def single(*names: str) -> tuple[Family, ...]:
    """Return families of one token each."""
    return tuple(Family.of(name, [""]) for name in names)


def signature_family() -> Family:
    """Return ``TimeSig``: the time signatures that have a token."""
    return Family.of("TimeSig", [f"{n}/{d}" for n, d in TIME_SIGNATURES])


def tempo_family() -> Family:
    """Return ``Tempo``: the tempo bins, by their beats a minute."""
    return Family.of("Tempo", [round(bpm) for bpm in TEMPO_BPM])


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


def duration_family() -> Family:
    """Return ``Duration``: note lengths in positions."""
    return Family.of("Duration", DURATIONS.tolist())
