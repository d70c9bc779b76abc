"""A learned vocabulary: byte pair encoding over the ids of another format.

What often stands side by side becomes one id: a note, a chord, a bar of drums. Where merges end is
a choice, as the pieces of a sequence between two boundaries are merged each for itself:

=========  ======================  =============================================================
boundary   a piece is              which keeps
=========  ======================  =============================================================
``bar``    a bar                   bars apart: they can be cut out, moved and counted
``part``   a bar of one part       in ``cells`` also cells apart: one can be written anew, and no
                                   id mixes instruments; in REMI and REMI+ the same as ``bar``
``onset``  what begins at a time   onsets apart too: no id reaches across time
=========  ======================  =============================================================

Wider pieces give shorter sequences, though not by much: in 60 files that were not trained on, a
vocabulary of 8,192 says a note of REMI+ in 1.69 ids by bars and 1.73 by onsets, of cells in 1.37 by
bars, 1.38 by parts and 1.44 by onsets (``benchmarks/learned.py``). ``part``, the default, costs
next to nothing and keeps what infilling rewrites apart. PAD, BOS, Fill and EOS never merge, for a
model is told them by number.

Where this differs from Fradet et al. and their library, MidiTok, which merges whole sequences, bars
or beats: a piece may be a part's bar or an onset, never more than a bar, and a merge stands for
1,024 base ids at most.

References
----------
Fradet et al. 2023, *Byte Pair Encoding for Symbolic Music*.
"""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from composer.errors import ComposerWarning, TokenError
from composer.score.score import Score
from composer.tokenizers.base import Tokenizer, from_table
from composer.tokenizers.bpe.merges import FIRST_CHARACTER, LONGEST, Merges, to_text
from composer.tokenizers.grammar import Mask, Violation
from composer.tokenizers.loss import LossReport
from composer.tokenizers.table import describe_ids
from composer.tokenizers.vocabulary import Family, Ids, Vocabulary

#: Families that begin a piece, by the name of the boundary; a format has them or has them not.
BOUNDARIES: dict[str, tuple[str, ...]] = {
    "bar": ("Bar",),
    "part": ("Bar", "Part"),
    "onset": ("Bar", "Part", "Position"),
}
_ALONE = ("PAD", "BOS", "Fill", "EOS")
_NOTES = ("Pitch", "Drum")


@dataclasses.dataclass(frozen=True)
class Compression:
    """How much shorter merges make sequences."""

    sequences: int
    notes: int
    base_ids: int  # of all sequences
    ids: int  # of all sequences, merged

    @property
    def base_ids_per_note(self) -> float:
        """Base ids a note; nan without notes."""
        return self.base_ids / self.notes if self.notes else float("nan")

    @property
    def ids_per_note(self) -> float:
        """Ids a note once merged; nan without notes."""
        return self.ids / self.notes if self.notes else float("nan")

    def __str__(self) -> str:
        """Return a line that can be read."""
        sequences = max(self.sequences, 1)
        return (
            f"{self.base_ids_per_note:.2f} -> {self.ids_per_note:.2f} ids a note, sequences of "
            f"{self.base_ids / sequences:.0f} -> {self.ids / sequences:.0f} ids on average"
        )


class BPE(Tokenizer):
    """Tokenizer of another format's ids, those that often stand together merged into one.

    Base ids keep their numbers, merged ones follow, and decoding is exact. ``grammar`` and
    ``config`` are the base's. Training and encoding need the package ``tokenizers`` of Hugging
    Face, the extra ``bpe``; decoding, describing and loading do not.

    Parameters
    ----------
    base
        The format whose ids are merged.
    pairs
        The merges in the order they were learned, as ``train`` finds them.
    boundary
        What merges do not reach across: ``"bar"``, ``"part"`` or ``"onset"``.

    Raises
    ------
    TokenError
        The base is a ``BPE`` itself, the boundary is unknown, or a pair makes no sense.

    Examples
    --------
    >>> from composer import Score, Track
    >>> from composer.tokenizers import REMI
    >>> flute = Track(program=73, notes=[(240 * i, 240, 60 + i % 2, 90) for i in range(32)])
    >>> tune = Score(tpq=480, tracks=(flute,))
    >>> bpe = BPE.train(REMI(), [tune], vocab_size=590)
    >>> len(REMI().encode(tune)), len(bpe.encode(tune))
    (135, 35)
    >>> bpe.decode(bpe.encode(tune)) == REMI().quantize(tune)
    True
    """

    format = "bpe"

    def __init__(
        self,
        base: Tokenizer,
        pairs: Iterable[tuple[int, int]] = (),
        boundary: str = "part",
    ) -> None:
        if isinstance(base, BPE):
            raise TokenError("the base of a BPE is a BPE; learn a larger one over its own base")
        if boundary not in BOUNDARIES:
            raise TokenError(f"boundary {boundary!r} is not one of {', '.join(BOUNDARIES)}")
        self.base, self.bins = base, base.bins
        self.config = base.config
        self.grammar = base.grammar
        self.boundary = boundary
        self.merges = Merges(base.vocab_size, tuple((left, right) for left, right in pairs))
        self.vocabulary = _merged_vocabulary(base.vocabulary, self.merges)
        self._begins = _family_mask(base.vocabulary, BOUNDARIES[boundary])
        self._alone = _family_mask(base.vocabulary, _ALONE)

    @classmethod
    def train(
        cls,
        base: Tokenizer,
        sources: Iterable[Any],
        vocab_size: int = 4096,
        *,
        boundary: str = "part",
        fewest: int = 2,
    ) -> BPE:
        """Return a tokenizer learned from a corpus; the same corpus gives the same one.

        Parameters
        ----------
        base
            The format whose ids are merged.
        sources
            What ``encode`` takes, such as scores and paths, or arrays or lists of the base's ids.
        vocab_size
            Number of ids, those of the base among them.
        boundary
            What merges do not reach across, as above.
        fewest
            How often a pair must occur to be merged.

        Warns
        -----
        ComposerWarning
            The corpus has fewer pairs that occur as often.

        Raises
        ------
        TokenError
            ``vocab_size`` leaves no room for merges, or a source is not a piece.
        ImportError
            ``tokenizers`` is not installed.
        """
        untrained = cls(base, boundary=boundary)
        if vocab_size <= base.vocab_size:
            raise TokenError(
                f"vocab_size {vocab_size} leaves no room for merges behind the "
                f"{base.vocab_size} ids of {base.format}; ask for more"
            )
        hugging_face = _hugging_face()
        trainer = hugging_face.trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=fewest,
            max_token_length=LONGEST,
            initial_alphabet=[chr(FIRST_CHARACTER + i) for i in range(base.vocab_size)],
            show_progress=False,
        )
        model = hugging_face.Tokenizer(hugging_face.models.BPE())
        corpus = (list(untrained._pieces(ids)) for ids in untrained._base_ids(sources))
        model.train_from_iterator(corpus, trainer)
        pairs = json.loads(model.to_str())["model"]["merges"]
        merges = Merges.from_texts(base.vocab_size, pairs)
        if merges.size < vocab_size:
            warnings.warn(
                f"the corpus gives {merges.size} ids, not {vocab_size}: no other pair occurs "
                f"{fewest} times",
                ComposerWarning,
                stacklevel=2,
            )
        return cls(base, merges.pairs, boundary)

    def merge(self, ids: npt.ArrayLike) -> Ids:
        """Return base ids with all merges made, shape (T,) int32.

        Raises
        ------
        TokenError
            An id is not one of the base's.
        ImportError
            ``tokenizers`` is not installed.
        """
        tokenize = self._model.tokenize  # remembers pieces: bars repeat
        pieces = self._pieces(self.base.vocabulary.check(ids))
        return np.array([token.id for piece in pieces for token in tokenize(piece)], np.int32)

    def expand(self, ids: npt.ArrayLike) -> Ids:
        """Return the base ids that ids stand for, shape (T,) int32.

        Raises
        ------
        TokenError
            An id is not one of the vocabulary.
        """
        return self.merges.expand(self.vocabulary.check(ids))

    def quantize(self, score: Score) -> Score:
        """Return the score as the base can say it."""
        return self.base.quantize(score)

    def _encode(self, score: Score) -> Ids:
        return self.merge(self.base.encode(score))

    def _rows(self, score: Score) -> Sequence[int]:
        return self.base._rows(score)

    def loss(self, source: Any) -> LossReport:
        """Return what the base does not keep of ``source``; merging loses nothing."""
        return self.base.loss(source)

    def decode(self, ids: npt.ArrayLike) -> Score:
        """Return the score that ids say, at ``bins.tpq`` ticks a quarter.

        Raises
        ------
        TokenError
            The ids break the base's grammar; the message gives the place.
        """
        expanded = self.expand(ids)
        try:
            return self.base.decode(expanded)
        except TokenError:
            for breach in self.validate(ids):  # the place in these ids, not in the base's
                raise TokenError(breach.message) from None
            raise

    def _violations(self, ids: Ids) -> Iterator[Violation]:
        owners = self.merges.owners(ids)
        for breach in self.grammar.violations(self.merges.expand(ids)):
            place = int(owners[breach.place]) if breach.place < len(owners) else len(ids)
            yield Violation(
                place, f"{breach.message} (base ids counted; place {place} of those given)"
            )

    def describe(self, ids: npt.ArrayLike) -> str:
        """Return a table of what ids stand for: a line for each base id, as the base's table.

        The place stands in the first line of each id.

        Raises
        ------
        TokenError
            An id is not one of the vocabulary; whether they keep the grammar does not matter.
        """
        checked = self.vocabulary.check(ids)
        places = self.merges.owners(checked).tolist()
        return describe_ids(self.base.vocabulary, self.merges.expand(checked), places)

    def compression(self, sources: Iterable[Any]) -> Compression:
        """Return how long sequences are before and after merging.

        Parameters
        ----------
        sources
            As for ``train``; what was trained on looks shorter than other music does.
        """
        is_note = _family_mask(self.base.vocabulary, _NOTES)
        sequences = notes = before = after = 0
        for ids in self._base_ids(sources):
            sequences += 1
            notes += int(is_note[ids].sum())
            before += len(ids)
            after += len(self.merge(ids))
        return Compression(sequences, notes, before, after)

    def count_bars(self, ids: Ids) -> int:
        """Return how many bars ``ids``, all of them in the vocabulary, say."""
        return self.base.count_bars(self.merges.expand(ids))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.base, self.merges.pairs, self.boundary)

    def to_table(self) -> dict[str, Any]:
        """Return what ``save`` writes, its version apart."""
        return {
            "format": self.format,
            "base": self.base.to_table(),
            "boundary": self.boundary,
            "merges": self.merges.pairs,
        }

    @classmethod
    def _from_table(cls, table: Mapping[str, Any], path: Path) -> BPE:
        return cls(from_table(table["base"], path), table["merges"], table["boundary"])

    @cached_property
    def _model(self) -> Any:
        texts = self.merges.texts
        return _hugging_face().models.BPE(
            vocab={text: index for index, text in enumerate(texts)},
            merges=[(texts[left], texts[right]) for left, right in self.merges.pairs],
        )

    def _pieces(self, ids: Ids) -> Iterator[str]:
        """Yield what stands between boundaries, as text."""
        begins = self._begins[ids] | self._alone[ids]
        begins[1:] |= self._alone[ids[:-1]]
        begins[:1] = True
        text = to_text(ids)
        edges = [*np.flatnonzero(begins).tolist(), len(ids)]
        return (text[start:end] for start, end in pairwise(edges))

    def _base_ids(self, sources: Iterable[Any]) -> Iterator[Ids]:
        """Yield the base's ids of each source of a corpus."""
        if isinstance(sources, (str, bytes, PathLike, Score)):
            raise TokenError(
                f"a corpus is an iterable of scores, MIDI files or arrays of ids, not one "
                f"{type(sources).__name__}; give a list"
            )
        for source in sources:
            if isinstance(source, (np.ndarray, list, tuple)):
                yield self.base.vocabulary.check(source)
            else:
                yield self.base.encode(source)


def _hugging_face() -> Any:
    """Return Hugging Face's ``tokenizers``.

    Raises
    ------
    ImportError
        It is not installed.
    """
    try:
        import tokenizers
    except ImportError as error:
        raise ImportError(
            "a learned vocabulary needs tokenizers, which is not installed; "
            "install it with: pip install 'composer-midi[bpe]'"
        ) from error
    return tokenizers


def _merged_vocabulary(base: Vocabulary, merges: Merges) -> Vocabulary:
    """Return the base's families, and one of the merged ids, named after what they stand for."""
    tokens = np.array(base.tokens, object)
    labels = tuple(
        "+".join(tokens[merges.flat[start : start + length]])
        for start, length in zip(
            merges.starts[base.size :].tolist(), merges.lengths[base.size :].tolist(), strict=True
        )
    )
    return Vocabulary((*base.families, Family("Merged", labels)))


def _family_mask(vocabulary: Vocabulary, families: Sequence[str]) -> Mask:
    """Return which ids belong to families, those that the vocabulary has; shape (size,)."""
    names = [family.name for family in vocabulary.families]
    indexes = [names.index(name) for name in families if name in names]
    return np.isin(vocabulary.family_of, indexes)
