"""What every tokenizer has: settings, a vocabulary, a grammar, and a file that keeps them."""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from composer.errors import ModelError
from composer.score import Score
from composer.tokenizers.grammar import Grammar
from composer.tokenizers.vocabulary import Ids, Vocabulary

#: What a model folder calls the tokenizer it was trained with.
FILE_NAME = "composer.json"

AnyTokenizer = TypeVar("AnyTokenizer", bound="Tokenizer")


class Tokenizer(ABC):
    """A format of sequences; ``decode(encode(quantize(score))) == quantize(score)``.

    Parameters
    ----------
    config
        Settings of the format; its defaults without it.
    """

    #: Name of the format in ``composer.json``.
    format: ClassVar[str]
    _config_class: ClassVar[type[Any]]

    config: Any
    vocabulary: Vocabulary
    grammar: Grammar

    @abstractmethod
    def __init__(self, config: Any = None) -> None: ...

    @abstractmethod
    def quantize(self, score: Score) -> Score:
        """Return the score as this format can say it."""

    @abstractmethod
    def encode(self, score: Score) -> Ids:
        """Return the ids of a whole score, shape (T,) int32."""

    @abstractmethod
    def decode(self, ids: npt.ArrayLike) -> Score:
        """Return the score that ids say, at twelve ticks a quarter."""

    @property
    def vocab_size(self) -> int:
        """Number of ids."""
        return self.vocabulary.size

    def tokens(self, ids: npt.ArrayLike) -> list[str]:
        """Return the token of each id."""
        return [self.vocabulary.token(int(i)) for i in np.asarray(ids)]

    def save(self, folder: Path) -> None:
        """Write the settings and the vocabulary to ``composer.json`` in a model's folder."""
        table = {
            "format": self.format,
            "config": dataclasses.asdict(self.config),
            "vocabulary": json.loads(self.vocabulary.to_json()),
        }
        (folder / FILE_NAME).write_text(json.dumps(table))

    @classmethod
    def load(cls: type[AnyTokenizer], folder: Path) -> AnyTokenizer:
        """Return the tokenizer that ``save`` wrote.

        Raises
        ------
        ModelError
            The file is missing or unreadable, or says another format or vocabulary.
        """
        path = folder / FILE_NAME
        try:
            table = json.loads(path.read_text())
            written = table["format"]
            if written == cls.format:
                tokenizer = cls(cls._config_class(**table["config"]))
                vocabulary = Vocabulary.from_json(json.dumps(table["vocabulary"]))
        except FileNotFoundError:
            raise ModelError(
                f"{folder} has no {FILE_NAME}; name a folder composer train wrote"
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} is not a tokenizer file of this library: {error}") from None
        if written != cls.format:
            raise ModelError(f"{path} holds the format {written!r}, not {cls.format!r}")
        if vocabulary != tokenizer.vocabulary:
            raise ModelError(
                f"{path} holds another vocabulary than this version's {cls.format}; train again"
            )
        return tokenizer
