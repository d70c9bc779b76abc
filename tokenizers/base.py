"""What every tokenizer has: settings, a vocabulary, a grammar, and a file that keeps them."""

from __future__ import annotations

import dataclasses
import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, overload

import numpy as np
import numpy.typing as npt

from composer._files import read_whole, write_whole
from composer.errors import ComposerWarning, ModelError, TokenError
from composer.score.score import Score
from composer.tokenizers.bins import Bins
from composer.tokenizers.grammar import Grammar, Violation
from composer.tokenizers.loss import LossReport, measure_loss
from composer.tokenizers.sources import as_score
from composer.tokenizers.table import describe_ids
from composer.tokenizers.vocabulary import Ids, Vocabulary

#: What a model folder calls the tokenizer it was trained with.
FILE_NAME = "composer.json"

#: Version of what that file says and how.
FILE_VERSION = 1
MOST_BYTES = 100_000_000  # of that file

#: Every format by its name; a class enters itself when it is defined.
_FORMATS: dict[str, type[Tokenizer]] = {}

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
    _tempos_on_bars: ClassVar[bool] = False  # else they may change at any position

    config: Any
    bins: Bins
    vocabulary: Vocabulary
    grammar: Grammar

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "format" in cls.__dict__:  # a subclass of a format is not another format
            _FORMATS[cls.format] = cls

    @abstractmethod
    def __init__(self, config: Any = None) -> None: ...

    @abstractmethod
    def quantize(self, score: Score) -> Score:
        """Return the score as this format can say it."""

    @abstractmethod
    def _encode(self, score: Score) -> Ids:
        """Return the ids of a whole score, shape (T,) int32."""

    @overload
    def encode(self, source: Any, *, report: Literal[False] = False) -> Ids: ...

    @overload
    def encode(self, source: Any, *, report: Literal[True]) -> tuple[Ids, LossReport]: ...

    def encode(self, source: Any, *, report: bool = False) -> Ids | tuple[Ids, LossReport]:
        """Return the ids of a whole score, shape (T,) int32.

        Parameters
        ----------
        source
            A score; a path, the bytes or the binary stream of a MIDI file; or an object of
            ``symusic``, ``pretty_midi``, ``miditoolkit`` or ``music21``.
        report
            Whether to return also what the ids do not keep, as ``loss`` does.

        Raises
        ------
        TokenError
            The source is not one of these, or longer or wider than the format can say.
        MidiError
            The file cannot be read.

        Warns
        -----
        ComposerWarning
            Chord symbols cannot be read and are left out, or a file was repaired.
        """
        score = as_score(source)
        ids = self._encode(score)
        return (ids, self.loss(score)) if report else ids

    def __call__(self, source: Any) -> dict[str, list[int]]:
        """Return what models of ``transformers`` take; ``source`` as for ``encode``.

        >>> from composer import Score
        >>> from composer.tokenizers import REMI
        >>> REMI()(Score())["attention_mask"]
        [1, 1, 1, 1, 1]
        """
        ids = self.encode(source).tolist()
        return {"input_ids": ids, "attention_mask": [1] * len(ids)}

    @abstractmethod
    def decode(self, ids: npt.ArrayLike) -> Score:
        """Return the score that ids say, at ``bins.tpq`` ticks a quarter.

        Parameters
        ----------
        ids
            Shape (T,): one whole sequence, from BOS to EOS.

        Raises
        ------
        TokenError
            The ids break the grammar; the message gives the place.
        """

    @property
    def vocab_size(self) -> int:
        """Number of ids."""
        return self.vocabulary.size

    def ids_to_tokens(self, ids: npt.ArrayLike) -> list[str]:
        """Return the token of each id.

        Parameters
        ----------
        ids
            Shape (T,).

        Raises
        ------
        TokenError
            An id is not one of the vocabulary.
        """
        return [self.vocabulary.token(int(i)) for i in np.asarray(ids)]

    def tokens_to_ids(self, tokens: Iterable[str]) -> Ids:
        """Return the id of each token, shape (T,) int32.

        Parameters
        ----------
        tokens
            Texts such as ``Pitch_60``.

        Raises
        ------
        TokenError
            There is no such token.
        """
        return np.array([self.vocabulary.id(token) for token in tokens], np.int32)

    @abstractmethod
    def _rows(self, score: Score) -> Sequence[int]:
        """Return a number for each track, one for all that share a part; -1 where it is dropped."""

    def loss(self, source: Any) -> LossReport:
        """Return what the sequence of a score does not keep of it; ``source`` as for ``encode``.

        >>> from composer import Score, Track
        >>> from composer.tokenizers import REMI
        >>> tune = Track(notes=[(0, 480, 60, 92), (485, 480, 62, 92)])
        >>> report = REMI().loss(Score(480, (tune,)))
        >>> report.onsets_moved, round(report.onset_error_max * 480)
        (1, 5)
        """
        score = as_score(source)
        with warnings.catch_warnings():  # chords that cannot be read are counted in the report
            warnings.simplefilter("ignore", ComposerWarning)
            quantized = self.quantize(score)
        return measure_loss(
            score,
            quantized,
            self._rows(score),
            self.bins,
            families=self.vocabulary.base,
            tempos_on_bars=self._tempos_on_bars,
        )

    def validate(self, ids: npt.ArrayLike, *, canonical: bool = False) -> list[Violation]:
        """Return where ids break the grammar and how; nothing where they can be decoded.

        A value out of order is taken as said and what follows is judged too; behind a family that
        may not come next, or after ids that the vocabulary does not have, nothing is judged.

        The grammar is what a sampler keeps to, id by id, so it does not ask for what depends on
        the music still to come, and a piece may be said in more ways than the one that ``encode``
        has: with bars, tempos, time signatures or parts that no note needs, or with too few bars
        for the last note's end; with a chord or a pitch bend said again, rests said or not, a pedal
        that nobody lifts; in ``cells`` with bars out of order behind ``Fill``, roles and bars left.

        Parameters
        ----------
        ids
            The sequence.
        canonical
            Whether to demand ``encode(decode(ids)) == ids`` too; of ids that keep the grammar, the
            first place is returned where that is not so.

        Raises
        ------
        TokenError
            The ids are not a row of integers; or, if ``canonical``, they say a piece that is too
            long to be encoded.

        Examples
        --------
        >>> from composer.tokenizers import REMI
        >>> remi = REMI()
        >>> remi.validate(remi.tokens_to_ids(["BOS", "EOS"]))[0].place
        1
        >>> two_bars = remi.tokens_to_ids("BOS Bar Position_0 Tempo_120 Bar EOS".split())
        >>> remi.validate(two_bars), remi.validate(two_bars, canonical=True)[0].message
        ([], 'at place 4 encoding says EOS, not Bar')
        """
        array = np.asarray(ids)
        try:
            checked = self.vocabulary.check(array)
        except TokenError as error:
            if array.ndim != 1 or array.dtype.kind not in "iu":
                raise
            outside = (array < 0) | (array >= self.vocab_size)
            return [Violation(int(np.flatnonzero(outside)[0]), str(error))]
        violations = list(self._violations(checked))
        return violations or (self._other_words(checked) if canonical else [])

    def _other_words(self, ids: Ids) -> list[Violation]:
        """Return the first place where encoding what ids say gives other ids, if there is one."""
        said = self._encode(self.decode(ids))
        shorter = min(len(said), len(ids))
        places = np.flatnonzero(said[:shorter] != ids[:shorter])
        if not len(places):  # both have one end, so neither is the beginning of the other
            return []
        place = int(places[0])
        theirs, ours = self.ids_to_tokens([said[place], ids[place]])
        return [Violation(place, f"at place {place} encoding says {theirs}, not {ours}")]

    def _violations(self, ids: Ids) -> Iterator[Violation]:
        """Yield where ids, all of them in the vocabulary, break the grammar."""
        return self.grammar.violations(ids)

    def describe(self, ids: npt.ArrayLike) -> str:
        """Return a table of ids: place, token, and the bar, position and part each stands in.

        Raises
        ------
        TokenError
            An id is not one of the vocabulary; whether they keep the grammar does not matter.

        Examples
        --------
        >>> from composer import Score
        >>> from composer.tokenizers import REMI
        >>> print(REMI().describe(REMI().encode(Score())))
        place  token            bar  position  part
            0  BOS
            1  Bar                0
            2  Position_0         0         0
            3  Tempo_120          0         0
            4  EOS
        """
        return describe_ids(self.vocabulary, self.vocabulary.check(ids))

    def save_pretrained(self, folder: str | PathLike[str]) -> None:
        """Write ``composer.json``, as ``save``; the folder is made where it is missing."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.save(folder)

    @classmethod
    def from_pretrained(cls: type[AnyTokenizer], folder: str | PathLike[str]) -> AnyTokenizer:
        """Return the tokenizer of a model's folder, as ``load``.

        Raises
        ------
        ModelError
            As ``load``.
        """
        return cls.load(folder)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the settings and the vocabulary to ``composer.json`` in a model's folder.

        A file that is there is replaced whole or not at all.

        Raises
        ------
        ModelError
            It cannot be written.
        """
        content = json.dumps({"version": FILE_VERSION, **self.to_table()}).encode()
        write_whole(Path(folder) / FILE_NAME, content, ModelError)

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes make it anew: settings are small, and the rest follows from them.
        return type(self), (self.config,)

    def count_bars(self, ids: Ids) -> int:
        """Return how many bars ``ids``, all of them in the vocabulary, say."""
        bars = self.vocabulary.slices["Bar"]
        return int(((ids >= bars.start) & (ids < bars.stop)).sum())

    def to_table(self) -> dict[str, Any]:
        """Return what ``save`` writes, its version apart."""
        return {
            "format": self.format,
            "config": dataclasses.asdict(self.config),
            "vocabulary": json.loads(self.vocabulary.to_json()),
        }

    @classmethod
    def load(cls: type[AnyTokenizer], folder: str | PathLike[str]) -> AnyTokenizer:
        """Return the tokenizer that ``save`` wrote; ``Tokenizer`` itself takes every format.

        Parameters
        ----------
        folder
            A folder with a ``composer.json``.

        Raises
        ------
        ModelError
            The file is missing or unreadable, or says another version, format or vocabulary.
        """
        path = Path(folder) / FILE_NAME
        try:
            table = json.loads(read_whole(path, ModelError, most=MOST_BYTES))
            version, written = table.get("version"), table["format"]
        except FileNotFoundError:
            raise ModelError(
                f"{folder} has no {FILE_NAME}; name a folder composer train wrote"
            ) from None
        except ModelError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} is not a tokenizer file of this library: {error}") from None
        if version != FILE_VERSION:
            raise ModelError(
                f"{path} is of version {version}, and this library reads version {FILE_VERSION}; "
                "install the composer-midi that wrote it"
            )
        if written != getattr(cls, "format", written):
            raise ModelError(f"{path} holds the format {written!r}, not {cls.format!r}")
        tokenizer: Any = from_table(table, path)
        return tokenizer  # type: ignore[no-any-return]

    @classmethod
    def _from_table(cls, table: Mapping[str, Any], path: Path) -> Tokenizer:
        """Return the tokenizer that ``to_table`` described; ``path`` is for messages."""
        tokenizer = cls(cls._config_class(**table["config"]))
        if Vocabulary.from_json(json.dumps(table["vocabulary"])) != tokenizer.vocabulary:
            raise ModelError(
                f"{path} holds another vocabulary than this version's {cls.format}; train again"
            )
        return tokenizer


def from_table(table: Mapping[str, Any], path: Path) -> Tokenizer:
    """Return the tokenizer, of any format, that its ``to_table`` described.

    Parameters
    ----------
    table
        What ``to_table`` returned, read from a file.
    path
        The file, for messages.

    Raises
    ------
    ModelError
        The table says an unknown format, another vocabulary than the format has, or nonsense.
    """
    try:
        if table["format"] not in _FORMATS:
            raise ModelError(
                f"{path} holds the format {table['format']!r}, none of {', '.join(_FORMATS)}"
            )
        return _FORMATS[table["format"]]._from_table(table, path)
    except ModelError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is not a tokenizer file of this library: {error}") from None


def load(folder: str | PathLike[str]) -> Tokenizer:
    """Return the tokenizer of a model's folder, of whichever format it is.

    Raises
    ------
    ModelError
        As ``Tokenizer.load``.

    Examples
    --------
    >>> import tempfile
    >>> from composer.tokenizers import REMI, load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     REMI().save_pretrained(folder)
    ...     load(folder).format
    'remi'
    """
    return Tokenizer.load(folder)
