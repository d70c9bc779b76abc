"""The class that binds a model to the verbs, and the model that comes with the package."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from composer._calls import called_right, shown
from composer.errors import ModelError
from composer.model.cpu import CPUDecoder
from composer.model.decoder import Decoder
from composer.model.weights import weights_hash
from composer.planning.settings import Settings, verb
from composer.tokenizers.cells.cells import Cells
from composer.verbs.arrange import arrange
from composer.verbs.chords import chords
from composer.verbs.extend import extend
from composer.verbs.harmonize import harmonize
from composer.verbs.infill import infill
from composer.verbs.melody import melody
from composer.verbs.reduce import reduce
from composer.verbs.stream import stream
from composer.verbs.vary import vary

#: The model that comes with the package.
PRETRAINED = Path(__file__).with_name("pretrained")


@called_right("composer.Composer")
class Composer:
    """A model and the verbs it serves.

    Parameters
    ----------
    decoder
        The model.
    tokenizer
        The tokenizer it was trained with.
    progress
        Whether to show a progress bar, where there is a terminal.
    model
        What the model is called where scores say who made them.

    Raises
    ------
    ModelError
        They are not a model and its tokenizer, or the model has another vocabulary.
    """

    def __init__(
        self, decoder: Decoder, tokenizer: Cells, *, progress: bool = False, model: str = ""
    ) -> None:
        if not isinstance(tokenizer, Cells) or not hasattr(decoder, "vocab_size"):
            raise ModelError(
                f"{shown(decoder)} and {shown(tokenizer)} are not a model and its tokenizer; "
                "composer.load('my_model') reads both from a folder"
            )
        if decoder.vocab_size != tokenizer.vocab_size:
            raise ModelError(
                f"the model has {decoder.vocab_size} ids and the tokenizer {tokenizer.vocab_size}; "
                f"take both from one folder"
            )
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.progress = progress
        self.model = model

    @classmethod
    @called_right("composer.Composer.load")
    def load(
        cls,
        folder: str | os.PathLike[str] | None = None,
        *,
        device: str | None = None,
        progress: bool = False,
    ) -> Composer:
        """Return the composer of a folder that ``composer train`` wrote.

        Parameters
        ----------
        folder
            The folder; the model that comes with the package without it.
        device
            Where torch is to decode, such as ``"cuda"``; in compiled code on the CPU without it,
            which is the fastest there. The same seed may give other music on another device.
        progress
            As above.

        Raises
        ------
        ModelError
            The folder is missing, corrupt, or holds another kind of model.
        RequestError
            The device is not there.
        ImportError
            A device is named and torch is not installed.
        """
        if folder is not None and not isinstance(folder, str | os.PathLike):
            raise ModelError(f"{shown(folder)} is not a folder; name one that composer train wrote")
        folder = PRETRAINED if folder is None else Path(folder)
        if not folder.is_dir():
            raise ModelError(f"{folder} is not a folder; name one that composer train wrote")
        tokenizer = Cells.load(folder)
        if device is None:
            decoder: Decoder = CPUDecoder.from_folder(folder)
        else:
            from composer.model.torch import TorchDecoder

            decoder = TorchDecoder.from_folder(folder, device=device)
        name = f"{folder.resolve().name} {weights_hash(folder)}"
        return cls(decoder, tokenizer, progress=progress, model=name)

    melody = verb(melody)
    chords = verb(chords, Settings)
    harmonize = verb(harmonize, Settings)
    arrange = verb(arrange)
    infill = verb(infill)
    extend = verb(extend)
    vary = verb(vary)
    reduce = verb(reduce)
    stream = verb(stream, best_of_n=False)


@lru_cache(maxsize=1)
def _pretrained() -> Composer:
    return Composer.load()


@called_right("composer.load")
def load(folder: str | os.PathLike[str] | None = None, *, device: str | None = None) -> Composer:
    """Return the composer of a model folder; the one that comes with the package without it.

    The parameters and errors are those of ``Composer.load``.
    """
    if folder is None and device is None:
        return _pretrained()
    return Composer.load(folder, device=device)
