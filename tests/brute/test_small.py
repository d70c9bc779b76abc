"""Small requests are refused if and only if nothing at all would do; see ``small``."""

from functools import partial

import pytest

from tests.brute import obey, small

pytestmark = pytest.mark.slow

COUNTS = {
    "cells": 160,
    "chords": 40,
    "lines": 24,
    "lines beside": 24,
    "lines over free chords": 24,
    "lines in harmony": 18,
}
BATCHES = [(kind, first) for kind, count in COUNTS.items() for first in range(0, count, 8)]


@pytest.mark.parametrize(("kind", "first"), BATCHES)
def test_small_requests_are_refused_if_and_only_if_nothing_would_do(kind, first, decoders, cells):
    for seed in range(first, min(first + 8, COUNTS[kind])):
        tiny = small.KINDS[kind].request(seed)
        refused = partial(small.refused, kind)
        name, failure = obey.outcome(*tiny, decoders[1024], cells, refused)
        assert not failure, (seed, name, failure)


@pytest.mark.parametrize("kind", COUNTS)
def test_some_small_requests_are_refused_and_others_met(kind):
    found = {small.KINDS[kind].is_possible(*small.KINDS[kind].request(seed)) for seed in range(12)}
    assert found == {True, False}
