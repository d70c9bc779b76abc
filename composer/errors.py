"""The exceptions of the library, one tree.

    ComposerError
    ├── MidiError        a file that is not MIDI, is cut short or cannot be written
    ├── ScoreError       a value that no score can hold
    ├── SymbolError      a key, chord, progression, meter or instrument name that cannot be read
    ├── TokenError       ids that no tokenizer of this configuration writes
    ├── RequestError     a request that names what is not there or cannot be met
    ├── GuaranteeError   music that would break what was promised: a fault of the library
    ├── ModelError       a model folder that is missing, corrupt or of another kind
    └── TrainingError    a corpus or a run that cannot be used

Every message is one sentence that gives the value, the range and the remedy. All are
``ValueError`` too, so that callers who do not know this tree still catch what they expect.
"""


class ComposerError(ValueError):
    """Base of every error this library raises on purpose."""


class MidiError(ComposerError):
    """A MIDI file cannot be read or written."""


class ScoreError(ComposerError):
    """A value that no score can hold."""


class SymbolError(ComposerError):
    """A key, chord, progression, meter or instrument name that cannot be read."""


class TokenError(ComposerError):
    """A sequence of ids that the grammar does not allow."""


class RequestError(ComposerError):
    """A request that names what is not there, or that nothing can meet."""


class GuaranteeError(ComposerError):
    """Music that does not keep what was asked for, found before it was returned."""


class ModelError(ComposerError):
    """A model folder that is missing, corrupt, or of another kind."""


class TrainingError(ComposerError):
    """A corpus or a training run that cannot be used."""


class ComposerWarning(UserWarning):
    """Something in the input could not be kept; the message says what."""
