"""The token families of the ``cells`` format."""

from __future__ import annotations

from collections.abc import Sequence

from composer.tokenizers.bins import MAX_POSITIONS
from composer.tokenizers.cells.levels import control_family
from composer.tokenizers.families import (
    chord_families,
    duration_family,
    key_family,
    program_family,
    relative_pitch_family,
    signature_family,
    single,
    tempo_family,
)
from composer.tokenizers.vocabulary import Family, Vocabulary

MAX_PARTS = 64
CHORDS = MAX_PARTS  # the Part value that the chords have
MAX_BARS = 64  # bars are numbered modulo this
MAX_LEFT = 8  # bars counted down at the end of a piece
MAX_STYLES = 64
ROLES = ("melody", "bass", "accompaniment")


def cells_vocabulary(velocity_bins: int, styles: Sequence[str] = ()) -> Vocabulary:
    """Return the vocabulary of ``cells``.

    What is only told, controls and styles, comes last, and styles after all, so that a model can
    learn more of them and keep what it knows.
    """
    return Vocabulary(
        (
            *single("PAD", "BOS", "Fill", "EOS"),
            key_family(),
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
            relative_pitch_family(),
            Family.of("Drum", range(128)),
            duration_family(),
            control_family(),
            Family.of("Style", styles),
        )
    )
