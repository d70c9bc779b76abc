"""Write music with a machine, as notes you can edit.

>>> import composer
>>> tune = composer.Score(tracks=(composer.Track("Flute", 73, notes=[(0, 480, 72, 90)]),))
>>> tune.bars
1

Public names are imported when first used, so that ``import composer`` costs little and needs
neither torch nor music21.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module that defines it.
_HOMES = {
    "ComposerError": "composer.errors",
    "ComposerWarning": "composer.errors",
    "MidiError": "composer.errors",
    "ModelError": "composer.errors",
    "RequestError": "composer.errors",
    "ScoreError": "composer.errors",
    "SymbolError": "composer.errors",
    "TokenError": "composer.errors",
    "TrainingError": "composer.errors",
    "Note": "composer.score",
    "Score": "composer.score",
    "Text": "composer.score",
    "Track": "composer.score",
}

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'composer' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:
    from composer.errors import (
        ComposerError,
        ComposerWarning,
        MidiError,
        ModelError,
        RequestError,
        ScoreError,
        SymbolError,
        TokenError,
        TrainingError,
    )
    from composer.score import Note, Score, Text, Track
