"""The class that binds a model to the verbs, and the model that comes with the package."""

from __future__ import annotations

import os
from functools import lru_cache

from composer._calls import called_right
from composer.model.decoder import Decoder
from composer.model.model import Model
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


@called_right("composer.Composer")
class Composer:
    """A model and the verbs it serves, which may be called in several threads at once.

    Parameters
    ----------
    decoder, tokenizer
        The model, and the tokenizer that it was trained with.
    name
        What the model is called where scores say who made them.
    progress
        Whether to show a progress bar, where there is a terminal.

    Raises
    ------
    ModelError
        They are not a model and its tokenizer, or the model has another vocabulary.
    """

    def __init__(
        self, decoder: Decoder, tokenizer: Cells, *, name: str = "", progress: bool = False
    ) -> None:
        self.model = Model(decoder, tokenizer, name=name, progress=progress)

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
        new = object.__new__(cls)
        new.model = Model.load(folder, device=device, progress=progress)
        return new

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
def load(
    folder: str | os.PathLike[str] | None = None,
    *,
    device: str | None = None,
    progress: bool = False,
) -> Composer:
    """Return the composer of a model folder; the one that comes with the package without it.

    The parameters and errors are those of ``Composer.load``.
    """
    if folder is None and device is None and not progress:
        return _pretrained()
    return Composer.load(folder, device=device, progress=progress)
