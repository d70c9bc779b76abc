"""Ticks, bars and seconds agree, for any time signatures and tempos."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import RequestError, Score
from composer.score.meter import bar_range

ticks = st.integers(0, 100_000)
# No bar here is shorter than a tick, as one of 1/64 would be at 12 ticks a quarter.
signatures = st.lists(
    st.tuples(ticks, st.integers(1, 17), st.sampled_from([1, 2, 4, 8, 16, 32, 64])), max_size=6
)
tempos = st.lists(st.tuples(ticks, st.integers(50_000, 2_000_000)), max_size=6)
scores = st.builds(
    Score, tpq=st.sampled_from([24, 25, 96, 480]), time_signatures=signatures, tempos=tempos
)


def law(**strategies):
    """Hold a property for all examples; a busy machine may take its time."""
    return lambda test: settings(deadline=None)(given(**strategies)(test))


def slow_bar_starts(score, end):
    """Return where bars start up to ``end``, one bar after another, in exact fractions."""
    changes = {0: (4, 4)}
    for tick, numerator, denominator in score.time_signatures.tolist():
        changes[tick] = (numerator, denominator)
    changes = sorted(changes.items())
    starts = []
    for number, (begin, (numerator, denominator)) in enumerate(changes):
        until = changes[number + 1][0] if number + 1 < len(changes) else end + 1
        length, at = Fraction(4 * score.tpq * numerator, denominator), Fraction(begin)
        while int(at) < until:
            starts.append(int(at))
            at += length
    return [start for start in starts if start <= end]


@law(score=scores)
def test_bars_start_where_counting_says(score):
    expected = slow_bar_starts(score, 5000)
    assert score.meter.bar_start(np.arange(len(expected))).tolist() == expected


@law(score=scores, tick=ticks)
def test_a_tick_is_its_bars_start_and_its_position(score, tick):
    bar, position = score.meter.bar_and_position(tick)
    assert bar >= 0
    assert 0 <= position < score.meter.bar_length(bar)
    assert score.meter.bar_start(bar) + position == tick


@law(score=scores, bar=st.integers(0, 500))
def test_a_bar_begins_at_position_0_of_itself(score, bar):
    meter = score.meter
    assert [int(x) for x in meter.bar_and_position(meter.bar_start(bar))] == [bar, 0]


@law(score=scores, bar=st.integers(0, 500))
def test_bars_follow_each_other_without_gap(score, bar):
    meter = score.meter
    assert meter.bar_start(bar) + meter.bar_length(bar) == meter.bar_start(bar + 1)
    assert meter.bar_length(bar) >= 1


@law(score=scores, tick=ticks)
def test_bars_until_reach_the_tick_and_no_more(score, tick):
    bars = score.meter.bars_until(tick)
    assert score.meter.bar_start(bars) >= tick
    assert bars == 0 or score.meter.bar_start(bars - 1) < tick


@law(score=scores, tick=st.lists(ticks, min_size=1, max_size=5))
def test_ticks_come_back_from_seconds(score, tick):
    seconds = score.meter.seconds(tick)
    assert score.meter.tick(seconds).tolist() == tick


@law(score=scores, tick=ticks, later=st.integers(1, 1000))
def test_seconds_rise_with_ticks(score, tick, later):
    assert score.meter.seconds(tick + later) > score.meter.seconds(tick)


@law(score=scores, tick=ticks)
def test_seconds_are_the_sum_over_the_tempos(score, tick):
    changes = {0: 500_000, **dict(score.tempos.tolist())}
    edges = [*sorted(at for at in changes if at < tick), tick]
    micros = sum((end - begin) * changes[begin] for begin, end in pairwise(edges))
    expected = float(Fraction(micros, 1_000_000 * score.tpq))
    assert score.meter.seconds(tick) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "tpq", "expected"),
    [
        ([], 480, [0, 1920, 3840]),
        ([(0, 3, 4)], 480, [0, 1440, 2880]),
        ([(0, 6, 8), (1440, 5, 4)], 480, [0, 1440, 3840]),
        ([(1920, 3, 4)], 480, [0, 1920, 3360]),
        # A signature inside a bar cuts that bar short.
        ([(0, 4, 4), (2000, 3, 4)], 480, [0, 1920, 2000, 3440]),
        # Of two signatures at one tick the last holds.
        ([(0, 2, 4), (0, 3, 4)], 480, [0, 1440]),
        # 3/32 at 12 ticks a quarter is four and a half ticks: rounded down, with no error added up.
        ([(0, 3, 32)], 12, [0, 4, 9, 13, 18]),
    ],
)
def test_bar_lines(rows, tpq, expected):
    meter = Score(tpq=tpq, time_signatures=rows).meter
    assert meter.bar_start(np.arange(len(expected))).tolist() == expected
    bars, positions = meter.bar_and_position(expected)
    assert bars.tolist() == list(range(len(expected)))
    assert not positions.any()


def test_of_two_tempos_at_one_tick_the_last_holds():
    score = Score(tpq=480, tempos=[(0, 100), (0, 1_000_000), (480, 100), (480, 2_000_000)])
    assert score.meter.seconds([480, 960]).tolist() == [1.0, 3.0]


def test_before_the_first_tempo_120_bpm_hold():
    assert Score(tpq=480, tempos=[(960, 10)]).meter.seconds(960) == 1.0


def test_signature_at_gives_the_signature_of_each_bar():
    meter = Score(tpq=480, time_signatures=[(1920, 6, 8)]).meter
    rows = meter.signature_at([0, 1, 9])
    assert rows["numerator"].tolist() == [4, 6, 6]
    assert rows["denominator"].tolist() == [4, 8, 8]


def test_scalars_and_arrays_of_any_shape_are_answered_alike():
    meter = Score(time_signatures=[(0, 3, 4)]).meter
    assert meter.bar_start(2).shape == ()
    grid = np.array([[0, 1440], [1441, 2880]])
    bars, positions = meter.bar_and_position(grid)
    assert bars.tolist() == [[0, 1], [1, 2]]
    assert positions.tolist() == [[0, 0], [1, 0]]
    assert meter.seconds(grid).shape == (2, 2)


@pytest.mark.parametrize(
    ("bars", "expected"), [("5-8", (5, 8)), (" 3 ", (3, 3)), ("2 – 4", (2, 4)), ((1, 16), (1, 16))]
)
def test_bar_ranges(bars, expected):
    assert bar_range(bars, 16) == expected


@pytest.mark.parametrize("bars", ["0-3", "4-3", "5-17", "five", "", "-3", (0, 1), (3, 2)])
def test_what_is_no_bar_range_is_refused(bars):
    with pytest.raises(RequestError, match="bars"):
        bar_range(bars, 16)
