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

from composer._version import __version__ as __version__

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

__all__ = sorted([*_HOMES, "__version__"])


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


if TYPE_CHECKING:  # for type checkers, to which ``as`` says that a name is public
    from composer.api import Composer as Composer
    from composer.api import load as load
    from composer.best_of.candidates import Candidate as Candidate
    from composer.best_of.candidates import candidates as candidates
    from composer.checking.certificate import Certificate as Certificate
    from composer.checking.checker import Breach as Breach
    from composer.checking.checker import check as check
    from composer.constraints.counts import MaxPolyphony as MaxPolyphony
    from composer.constraints.counts import Monophonic as Monophonic
    from composer.constraints.counts import OnsetCount as OnsetCount
    from composer.constraints.counts import Rhythm as Rhythm
    from composer.constraints.lines import Cadence as Cadence
    from composer.constraints.lines import MaxLeap as MaxLeap
    from composer.constraints.lines import MaxRepeatedNotes as MaxRepeatedNotes
    from composer.constraints.lines import NoParallels as NoParallels
    from composer.constraints.lines import NoQuote as NoQuote
    from composer.constraints.locked import Locked as Locked
    from composer.constraints.pitches import ChordTones as ChordTones
    from composer.constraints.pitches import DrumPieces as DrumPieces
    from composer.constraints.pitches import InScale as InScale
    from composer.constraints.pitches import PitchRange as PitchRange
    from composer.constraints.playable import Playable as Playable
    from composer.controls.controls import Controls as Controls
    from composer.edits.patch import Author as Author
    from composer.edits.patch import Patch as Patch
    from composer.edits.patch import Region as Region
    from composer.edits.patch import diff as diff
    from composer.errors import ComposerError as ComposerError
    from composer.errors import ComposerWarning as ComposerWarning
    from composer.errors import GuaranteeError as GuaranteeError
    from composer.errors import MidiError as MidiError
    from composer.errors import ModelError as ModelError
    from composer.errors import RequestError as RequestError
    from composer.errors import ScoreError as ScoreError
    from composer.errors import SymbolError as SymbolError
    from composer.errors import TokenError as TokenError
    from composer.errors import TrainingError as TrainingError
    from composer.example_tunes import example as example
    from composer.example_tunes import example_names as example_names
    from composer.request.sampling import Sampling as Sampling
    from composer.score.events import Note as Note
    from composer.score.events import Text as Text
    from composer.score.score import Score as Score
    from composer.score.score import Track as Track
    from composer.shipped import arrange as arrange
    from composer.shipped import chords as chords
    from composer.shipped import extend as extend
    from composer.shipped import harmonize as harmonize
    from composer.shipped import infill as infill
    from composer.shipped import melody as melody
    from composer.shipped import reduce as reduce
    from composer.shipped import stream as stream
    from composer.shipped import vary as vary
