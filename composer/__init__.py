"""Write music with a machine, as notes you can edit.

>>> import composer
>>> tune = composer.melody("Am F C G", bars=8, part="flute", seed=1)
>>> song = composer.arrange(tune, ["piano", "bass", "drums"], seed=1)
>>> [track.name for track in song.tracks]
['Flute', 'Piano', 'Bass', 'Drums']

Public names are imported when first used, so that ``import composer`` costs little and needs
neither torch nor music21.
"""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any

from composer._version import __version__

# Public name -> module that defines it.
_HOMES = {
    "ComposerError": "composer.errors",
    "ComposerWarning": "composer.errors",
    "GuaranteeError": "composer.errors",
    "MidiError": "composer.errors",
    "ModelError": "composer.errors",
    "RequestError": "composer.errors",
    "ScoreError": "composer.errors",
    "SymbolError": "composer.errors",
    "TokenError": "composer.errors",
    "TrainingError": "composer.errors",
    "Breach": "composer.checking.checker",
    "Certificate": "composer.checking.certificate",
    "check": "composer.checking.checker",
    "Candidate": "composer.best_of.candidates",
    "candidates": "composer.best_of.candidates",
    "Composer": "composer.api",
    "ChordTones": "composer.constraints.pitches",
    "DrumPieces": "composer.constraints.pitches",
    "InScale": "composer.constraints.pitches",
    "Locked": "composer.constraints.locked",
    "PitchRange": "composer.constraints.pitches",
    "Cadence": "composer.constraints.lines",
    "MaxLeap": "composer.constraints.lines",
    "MaxRepeatedNotes": "composer.constraints.lines",
    "NoParallels": "composer.constraints.lines",
    "NoQuote": "composer.constraints.lines",
    "Playable": "composer.constraints.playable",
    "Controls": "composer.controls.controls",
    "MaxPolyphony": "composer.constraints.counts",
    "Monophonic": "composer.constraints.counts",
    "OnsetCount": "composer.constraints.counts",
    "Rhythm": "composer.constraints.counts",
    "example": "composer.example_tunes",
    "example_names": "composer.example_tunes",
    "load": "composer.api",
    "Note": "composer.score.events",
    "Author": "composer.edits.patch",
    "Patch": "composer.edits.patch",
    "Region": "composer.edits.patch",
    "diff": "composer.edits.patch",
    "Sampling": "composer.request.sampling",
    "Score": "composer.score.score",
    "Text": "composer.score.events",
    "Track": "composer.score.score",
    # The verbs of the model that comes with the package.
    "melody": "composer.shipped",
    "chords": "composer.shipped",
    "harmonize": "composer.shipped",
    "arrange": "composer.shipped",
    "infill": "composer.shipped",
    "extend": "composer.shipped",
    "vary": "composer.shipped",
    "reduce": "composer.shipped",
    "stream": "composer.shipped",
}

__all__ = [
    "Author",
    "Breach",
    "Cadence",
    "Candidate",
    "Certificate",
    "ChordTones",
    "Composer",
    "ComposerError",
    "ComposerWarning",
    "Controls",
    "DrumPieces",
    "GuaranteeError",
    "InScale",
    "Locked",
    "MaxLeap",
    "MaxPolyphony",
    "MaxRepeatedNotes",
    "MidiError",
    "ModelError",
    "Monophonic",
    "NoParallels",
    "NoQuote",
    "Note",
    "OnsetCount",
    "Patch",
    "PitchRange",
    "Playable",
    "Region",
    "RequestError",
    "Rhythm",
    "Sampling",
    "Score",
    "ScoreError",
    "SymbolError",
    "Text",
    "TokenError",
    "Track",
    "TrainingError",
    "__version__",
    "arrange",
    "candidates",
    "check",
    "chords",
    "diff",
    "example",
    "example_names",
    "extend",
    "harmonize",
    "infill",
    "load",
    "melody",
    "reduce",
    "stream",
    "vary",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        near = difflib.get_close_matches(name, __all__, n=1, cutoff=0.7)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"module 'composer' has no attribute {name!r}{hint}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:
    from composer.api import Composer, load
    from composer.best_of.candidates import Candidate, candidates
    from composer.checking.certificate import Certificate
    from composer.checking.checker import Breach, check
    from composer.constraints.counts import MaxPolyphony, Monophonic, OnsetCount, Rhythm
    from composer.constraints.lines import Cadence, MaxLeap, MaxRepeatedNotes, NoParallels, NoQuote
    from composer.constraints.locked import Locked
    from composer.constraints.pitches import ChordTones, DrumPieces, InScale, PitchRange
    from composer.constraints.playable import Playable
    from composer.controls.controls import Controls
    from composer.edits.patch import Author, Patch, Region, diff
    from composer.errors import (
        ComposerError,
        ComposerWarning,
        GuaranteeError,
        MidiError,
        ModelError,
        RequestError,
        ScoreError,
        SymbolError,
        TokenError,
        TrainingError,
    )
    from composer.example_tunes import example, example_names
    from composer.request.sampling import Sampling
    from composer.score.events import Note, Text
    from composer.score.score import Score, Track
    from composer.shipped import (
        arrange,
        chords,
        extend,
        harmonize,
        infill,
        melody,
        reduce,
        stream,
        vary,
    )
