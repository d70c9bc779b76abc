import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.tokenizers.bins import (
    BAR_LENGTHS,
    DURATIONS,
    MAX_POSITIONS,
    RESOLUTION,
    TEMPO_BPM,
    TEMPOS,
    TIME_SIGNATURES,
    Bins,
    bin_velocities,
    nearest,
    velocity_bins,
)

BINS = Bins(velocities=16)
VELOCITIES = np.arange(1, 128)


@pytest.mark.parametrize("bins", [*range(1, 65), 127])
def test_every_velocity_is_within_half_a_step(bins):
    index = velocity_bins(VELOCITIES, bins)
    assert index.min() == 0
    assert index.max() == bins - 1
    # A step is 128 / bins; the middle of a bin is rounded down to a whole velocity.
    error = VELOCITIES - bin_velocities(bins)[index]
    assert (-64 / bins <= error).all()
    assert (error < 64 / bins + 1).all()
    assert (np.diff(index) >= 0).all()


@pytest.mark.parametrize("bins", [*range(1, 65), 127])
def test_a_binned_velocity_is_a_velocity_and_stays_in_its_bin(bins):
    middle = bin_velocities(bins)
    assert middle.min() >= 1
    assert middle.max() <= 127
    assert velocity_bins(middle, bins).tolist() == list(range(bins))


def test_every_duration_is_within_half_a_step():
    lengths = np.arange(1, DURATIONS[-1] + 1)
    error = np.abs(lengths - DURATIONS[nearest(lengths, DURATIONS)])
    above = np.searchsorted(DURATIONS, lengths)
    step = DURATIONS[above] - DURATIONS[np.maximum(above - 1, 0)]
    assert (2 * error <= step).all()
    assert error[:24].max() == 0


def test_durations_out_of_range_take_the_nearest_end():
    ends = nearest([0, -5, 10_000], DURATIONS)
    assert DURATIONS[ends].tolist() == [1, 1, DURATIONS[-1]]


@given(bpm=st.floats(20, 320))
def test_every_tempo_is_within_half_a_step(bpm):
    near = TEMPO_BPM[BINS.tempo_bin([60e6 / bpm])[0]]
    assert abs(np.log2(bpm / near)) <= 1 / 24 + 1e-6  # twelve steps to a doubling


def test_tempos_out_of_range_take_the_nearest_end():
    assert TEMPOS[BINS.tempo_bin([1, 2**24 - 1])].tolist() == [TEMPOS[-1], TEMPOS[0]]


@given(values=st.lists(st.integers(-2, 14)), table=st.sets(st.integers(0, 12), min_size=1))
def test_nearest_is_nearest_and_ties_go_down(values, table):
    entries = sorted(table)
    best = [min(range(len(entries)), key=lambda i: (abs(entries[i] - v), i)) for v in values]
    assert nearest(values, np.array(entries)).tolist() == best


@pytest.mark.parametrize("table", [DURATIONS, TEMPOS[::-1]])
def test_tables_rise_and_hold_their_own_entries(table):
    assert (np.diff(table) > 0).all()
    assert nearest(table, table).tolist() == list(range(len(table)))


def test_tempos_hold_their_own_entries():
    assert BINS.tempo_bin(TEMPOS).tolist() == list(range(len(TEMPOS)))


def test_bars_are_whole_positions_and_fit():
    for (numerator, denominator), length in zip(TIME_SIGNATURES, BAR_LENGTHS, strict=True):
        assert numerator * 4 * RESOLUTION == length * denominator
        assert 0 < length <= MAX_POSITIONS
