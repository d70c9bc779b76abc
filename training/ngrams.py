"""Unigram and bigram models of the same rows: what a trained model has to beat."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from composer.tokenizers.vocabulary import Ids

#: How many observations the unigram counts for in a bigram; the best of these is reported.
PRIORS = (1, 3, 10, 30, 100)


class NgramLoss(NamedTuple):
    """Mean negative log-likelihood a token, in nats, of the tokens of a row after its first."""

    unigram: float
    bigram: float


def ngram_loss(train: Ids, held_out: Ids, is_learned: npt.NDArray[np.bool_]) -> NgramLoss:
    """Return the held-out loss of counts over the training rows.

    Parameters
    ----------
    train, held_out
        Shape (rows, T) each.
    is_learned
        Shape (V,): the ids that count; the others are given, and only looked back at.
    """
    vocab_size = len(is_learned)
    unigram = (np.bincount(train.ravel(), minlength=vocab_size) + 1.0) * is_learned
    unigram /= unigram.sum()
    pairs = np.zeros((vocab_size, vocab_size))
    np.add.at(pairs, (train[:, :-1].ravel(), train[:, 1:].ravel()), 1)
    pairs[:, ~is_learned] = 0
    before, after = held_out[:, :-1].ravel(), held_out[:, 1:].ravel()
    before, after = before[is_learned[after]], after[is_learned[after]]
    seen, contexts = pairs[before, after], pairs.sum(1)[before]
    losses = [
        -np.log((seen + prior * unigram[after]) / (contexts + prior)).mean() for prior in PRIORS
    ]
    return NgramLoss(float(-np.log(unigram[after]).mean()), float(min(losses)))
