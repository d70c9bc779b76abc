import numpy as np
import pytest

from composer.training.ngrams import ngram_loss


def test_random_ids_cost_the_logarithm_of_their_number():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 16, (200, 256)).astype(np.int32)
    loss = ngram_loss(rows[:150], rows[150:], np.ones(16, bool))
    assert loss.unigram == pytest.approx(np.log(16), abs=0.01)
    assert loss.bigram == pytest.approx(np.log(16), abs=0.02)


def test_a_chain_is_nothing_to_a_bigram_and_all_to_a_unigram():
    chain = np.tile(np.arange(8, dtype=np.int32), (50, 16))
    loss = ngram_loss(chain[:40], chain[40:], np.ones(8, bool))
    assert loss.unigram == pytest.approx(np.log(8), abs=0.01)
    assert loss.bigram < 0.02


def test_what_was_never_seen_costs_much_but_not_infinitely():
    train = np.zeros((10, 64), np.int32)
    loss = ngram_loss(train, np.full((2, 64), 7, np.int32), np.ones(8, bool))
    assert np.isfinite(loss.unigram)
    assert loss.bigram > 3


def test_what_is_given_costs_nothing_and_is_looked_back_at():
    rng = np.random.default_rng(0)
    rows = np.zeros((60, 64), np.int32)
    rows[:, ::2] = rng.integers(0, 4, (60, 32))
    rows[:, 1::2] = 4 + rows[:, ::2]  # each says again what was given before it
    is_learned = np.arange(8) >= 4
    loss = ngram_loss(rows[:50], rows[50:], is_learned)
    assert loss.unigram == pytest.approx(np.log(4), abs=0.05)
    assert loss.bigram < 0.02
