"""A model as the verbs take it: its weights, its tokenizer, and how it is called."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from composer._calls import shown
from composer.errors import ModelError
from composer.model.cpu import CPUDecoder
from composer.model.decoder import Decoder
from composer.model.weights import weights_hash
from composer.tokenizers.cells.cells import Cells

#: The model that comes with the package.
PRETRAINED = Path(__file__).parents[1] / "pretrained"


class Model:
    """A decoder, its tokenizer, and what it is called where scores say who made them.

    Calls that run at once, in several threads, each lease a decoder of their own, which share the
    weights; when a call ends the next may have it. So what a seed gives does not depend on what
    else runs, and memory grows with the calls at once, not with their number.

    Parameters
    ----------
    decoder, tokenizer
        The model and the tokenizer that it was trained with.
    name
        Name and version, as histories keep it.
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
        self.name = name
        self.progress = progress
        self._lock = threading.Lock()
        self._idle = [decoder.blank()]

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str] | None = None,
        *,
        device: str | None = None,
        progress: bool = False,
    ) -> Model:
        """Return the model of a folder that ``composer train`` wrote.

        The parameters and errors are those of ``composer.Composer.load``.
        """
        if folder is not None and not isinstance(folder, str | os.PathLike):
            raise ModelError(f"{shown(folder)} is not a folder; name one that composer train wrote")
        place = PRETRAINED if folder is None else Path(folder)
        if not place.is_dir():
            raise ModelError(f"{place} is not a folder; name one that composer train wrote")
        tokenizer = Cells.load(place)
        if device is None:
            decoder: Decoder = CPUDecoder.from_folder(place)
        else:
            from composer.model.torch import TorchDecoder

            decoder = TorchDecoder.from_folder(place, device=device)
        name = f"{place.resolve().name} {weights_hash(place)}"
        return cls(decoder, tokenizer, name=name, progress=progress)

    @contextmanager
    def lease(self) -> Iterator[Decoder]:
        """Have a decoder for a while, which nobody else has; it may hold what it held before."""
        with self._lock:
            decoder = self._idle.pop() if self._idle else None
        decoder = decoder or self.decoder.blank()
        try:
            yield decoder
        finally:
            self._idle.append(decoder)

    def __getstate__(self) -> dict[str, Any]:
        # Copies and other processes have locks and decoders of their own.
        return {name: vars(self)[name] for name in ("decoder", "tokenizer", "name", "progress")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock(), _idle=[])
