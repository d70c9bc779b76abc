import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from composer.errors import ModelError, RequestError
from composer.request.sampling import GROUPS, Chooser, Sampling
from composer.tokenizers import Cells

FLOAT32_MAX = float(np.finfo(np.float32).max)


def choose(logits, allowed, sampling, rng):
    return Chooser(sampling).choose(logits, allowed, rng).id


def probabilities(logits, allowed, sampling):
    """What `choose` should do, the obvious way: ids sorted, cut and normalised one by one."""
    ranked = sorted(np.flatnonzero(allowed), key=lambda id: (-logits[id], id))
    if sampling.top_k:
        kept = ranked[: sampling.top_k]
        ranked = kept + [id for id in ranked[len(kept) :] if logits[id] == logits[kept[-1]]]
    weights = [
        np.exp((float(logits[id]) - logits[ranked[0]]) / sampling.temperature) for id in ranked
    ]
    result, mass = np.zeros(len(logits)), 0.0
    for id, weight in zip(ranked, weights, strict=True):
        if mass >= sampling.top_p * sum(weights):
            break
        mass += weight
        if weight >= sampling.min_p * weights[0]:
            result[id] = weight
    return result / result.sum()


def counts(logits, allowed, sampling, draws, seed=0):
    rng = np.random.default_rng(seed)
    chosen = [choose(logits, allowed, sampling, rng) for _ in range(draws)]
    return np.bincount(chosen, minlength=len(logits))


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=0.5),
        Sampling(temperature=3),
        Sampling(top_k=4),
        Sampling(top_p=0.8),
        Sampling(min_p=0.2),
        Sampling(temperature=1.5, top_p=0.9, top_k=8, min_p=0.1),
    ],
    ids=str,
)
def test_ids_are_drawn_as_often_as_they_are_probable(sampling):
    logits = np.random.default_rng(1).normal(0, 1.5, 20).astype(np.float32)
    allowed = np.arange(20) % 3 != 0
    expected = 6000 * probabilities(logits, allowed, sampling)
    found = counts(logits, allowed, sampling, 6000)
    possible = expected > 0
    assert not found[~possible].any()
    squares = (found - expected)[possible] ** 2 / expected[possible]
    # 40 is past the 99.9th percentile of chi-square for the 12 degrees of freedom at most here.
    assert squares.sum() < 40


@given(
    logits=hnp.arrays(np.float32, 30, elements=st.integers(-6, 6).map(float)),
    allowed=hnp.arrays(bool, 30),
    temperature=st.sampled_from([0.2, 1.0, 5.0]),
    top_p=st.sampled_from([1e-9, 0.3, 0.9, 0.999, 1.0]),
    top_k=st.integers(0, 31),
    min_p=st.sampled_from([0.0, 0.05, 0.31, 1.0]),
)
def test_what_can_be_chosen_is_what_the_obvious_way_keeps(
    logits, allowed, temperature, top_p, top_k, min_p
):
    assume(allowed.any())
    sampling = Sampling(temperature, top_p, top_k, min_p)
    expected = probabilities(logits, allowed, sampling)
    # A share that equals top_p but for rounding may fall on either side.
    shares = np.sort(probabilities(logits, allowed, Sampling(temperature, 1.0, top_k)))[::-1]
    assume(top_p == 1 or np.abs(shares.cumsum() - top_p).min() > 1e-9)
    chosen = counts(logits, allowed, sampling, 20) > 0
    assert (expected[chosen] > 0).all()


class FixedRng:
    """A stand-in whose every draw is one number."""

    def __init__(self, value):
        self.value = value

    def random(self):
        return self.value


@given(
    logits=hnp.arrays(np.float32, 12, elements=st.floats(max_value=FLOAT32_MAX, width=32)),
    allowed=hnp.arrays(bool, 12),
    temperature=st.sampled_from([0.0, 5e-324, 1e-300, 0.01, 1.0, 5.0]),
    top_p=st.sampled_from([1e-300, 0.5, 1 - 2**-53, 1.0]),
    top_k=st.integers(0, 13),
    draw=st.sampled_from([0.0, 0.5, 1 - 2**-53]),
)
def test_whatever_the_logits_only_an_allowed_id_is_chosen(
    logits, allowed, temperature, top_p, top_k, draw
):
    assume(np.isfinite(logits[allowed]).any())
    before = logits.copy(), allowed.copy()
    chosen = choose(logits, allowed, Sampling(temperature, top_p, top_k), FixedRng(draw))
    assert type(chosen) is int
    assert allowed[chosen]
    assert allowed.sum() == 1 or np.isfinite(logits[chosen])
    np.testing.assert_array_equal(logits, before[0])
    np.testing.assert_array_equal(allowed, before[1])


def test_one_seed_gives_one_choice():
    logits = np.zeros(100, np.float32)
    allowed = np.ones(100, bool)
    draws = [choose(logits, allowed, Sampling(), np.random.default_rng(9)) for _ in range(5)]
    assert len(set(draws)) == 1
    assert choose(logits, allowed, Sampling(), np.random.default_rng(10)) != draws[0]


def test_temperature_0_takes_the_likeliest_and_the_lowest_of_equals():
    logits = np.array([9, 1, 5, 5, 2], np.float32)
    allowed = np.array([False, True, True, True, True])
    assert choose(logits, allowed, Sampling(temperature=0), FixedRng(0.5)) == 2


def test_top_k_keeps_those_as_likely_as_the_last():
    logits = np.array([1, 3, 2, 2, 0], np.float32)
    found = counts(logits, np.ones(5, bool), Sampling(5, top_k=2), 200) > 0
    assert found.tolist() == [False, True, True, True, False]


def test_top_p_keeps_the_id_that_reaches_it():
    logits = np.log(np.array([0.5, 0.25, 0.125, 0.125])).astype(np.float32)
    found = counts(logits, np.ones(4, bool), Sampling(top_p=0.6), 200) > 0
    assert found.tolist() == [True, True, False, False]


def test_a_tiny_top_p_leaves_the_likeliest():
    logits = np.arange(50, dtype=np.float32) / 50
    assert counts(logits, np.ones(50, bool), Sampling(top_p=1e-12), 50)[49] == 50


def test_the_lowest_draw_does_not_choose_an_id_of_probability_0():
    logits = np.array([-np.inf, 0, 0], np.float32)
    assert choose(logits, np.ones(3, bool), Sampling(), FixedRng(0.0)) == 1


def test_one_allowed_id_is_returned_without_a_look():
    allowed = np.array([False, True, False])
    assert choose(np.full(3, np.nan, np.float32), allowed, Sampling(), FixedRng(0.5)) == 1


def test_nothing_allowed_is_an_error():
    with pytest.raises(RequestError, match="none of 3 ids is allowed; loosen"):
        choose(np.zeros(3, np.float32), np.zeros(3, bool), Sampling(), np.random.default_rng(0))


def test_a_mask_for_another_vocabulary_is_an_error():
    with pytest.raises(RequestError, match=r"mask of shape \(4,\) does not fit .* shape \(3,\)"):
        choose(np.zeros(3, np.float32), np.ones(4, bool), Sampling(), np.random.default_rng(0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_logits_that_are_not_numbers_are_an_error(value):
    logits = np.array([0, value, 1], np.float32)
    with pytest.raises(ModelError, match=f"largest allowed logit is {value}"):
        choose(logits, np.ones(3, bool), Sampling(), np.random.default_rng(0))
    assert choose(logits, np.array([True, False, True]), Sampling(0), FixedRng(0.5)) == 2


def test_logits_of_minus_infinity_alone_are_an_error():
    with pytest.raises(ModelError, match="largest allowed logit is -inf"):
        choose(np.full(3, -np.inf), np.ones(3, bool), Sampling(), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": -1}, "temperature -1 is outside 0 to 5; take 0 for"),
        ({"temperature": 5.1}, r"temperature 5\.1 is outside 0 to 5"),
        ({"temperature": float("nan")}, "temperature nan is outside"),
        ({"temperature": "hot"}, "temperature 'hot' is outside"),
        ({"top_p": 0}, "top_p 0 is not above 0 and up to 1; take 1"),
        ({"top_p": 1.01}, r"top_p 1\.01 is not above 0"),
        ({"top_p": None}, "top_p None is not"),
        ({"top_k": -1}, "top_k -1 is not a whole number of 0 or more; take 0"),
        ({"top_k": 2.0}, r"top_k 2\.0 is not a whole number"),
        ({"min_p": 1.5}, r"min_p 1\.5 is outside 0 to 1; take 0"),
        ({"repeat_notes": 0}, "repeat_notes 0 is outside 0.01 to 100; take 1"),
        ({"repeat_bars": 1000}, "repeat_bars 1000 is outside 0.01 to 100"),
        ({"rhythm": 0.5}, r"rhythm 0\.5 is no Sampling"),
        ({"pitch": Sampling(repeat_notes=2)}, "pitch Sampling.* is no Sampling of temperature"),
        ({"dynamics": Sampling(rhythm=Sampling(2))}, "dynamics Sampling.* is no Sampling of"),
    ],
)
def test_values_outside_their_range_are_refused(values, message):
    with pytest.raises(RequestError, match=message):
        Sampling(**values)


FAMILIES = Cells().vocabulary


def some_of_each_group():
    """A mask with ids of three groups and of none."""
    allowed = np.zeros(FAMILIES.size, bool)
    for family, values in (("Position", 5), ("Pitch", 6), ("Velocity", 3), ("Part", 2)):
        first = FAMILIES.base[family]
        allowed[first : first + values] = True
    return allowed


def test_groups_are_chosen_by_their_whole_probability_and_then_cut_for_themselves():
    logits = np.random.default_rng(2).normal(0, 1, FAMILIES.size).astype(np.float32)
    allowed = some_of_each_group()
    sampling = Sampling(2, rhythm=Sampling(0.5), pitch=Sampling(1, top_k=2))
    expected = np.zeros(FAMILIES.size)
    own = {name: np.zeros(FAMILIES.size, bool) for name in (*GROUPS, "other")}
    for name, families in GROUPS.items():
        for family in families:
            own[name][FAMILIES.slices[family]] = getattr(sampling, name) is not None
    own["other"] = ~np.any([own[name] for name in GROUPS], axis=0)
    masses = {name: np.exp(logits[allowed & ids]).sum() ** 0.5 for name, ids in own.items()}
    for name, ids in own.items():
        if (allowed & ids).any():
            settings = getattr(sampling, name, None) or sampling
            share = masses[name] / sum(masses.values())
            expected += share * probabilities(logits, allowed & ids, settings)
    chooser, rng = Chooser(sampling, FAMILIES), np.random.default_rng(3)
    draws = [chooser.choose(logits, allowed, rng).id for _ in range(6000)]
    found = np.bincount(draws, minlength=FAMILIES.size)
    assert not found[expected == 0].any()
    expected *= 6000
    assert ((found - expected)[expected > 0] ** 2 / expected[expected > 0]).sum() < 45


def test_a_group_at_temperature_0_takes_its_likeliest():
    logits = np.random.default_rng(2).normal(0, 1, FAMILIES.size).astype(np.float32)
    allowed, rng = some_of_each_group(), np.random.default_rng(3)
    chooser = Chooser(Sampling(1, pitch=Sampling(0)), FAMILIES)
    pitches = {
        chosen
        for chosen in (chooser.choose(logits, allowed, rng).id for _ in range(300))
        if FAMILIES.token(chosen).startswith("Pitch")
    }
    assert len(pitches) == 1
    cold = Chooser(Sampling(0, pitch=Sampling(1)), FAMILIES)
    families = {FAMILIES.family_of[cold.choose(logits, allowed, rng).id] for _ in range(50)}
    assert len(families) == 1


@pytest.mark.parametrize("change", [0.1, 5.0])
def test_changed_ids_are_so_many_times_as_likely(change):
    logits = np.log(np.array([0.5, 0.3, 0.2])).astype(np.float32)
    rng = np.random.default_rng(4)
    chosen = [
        Chooser(Sampling()).choose(logits, np.ones(3, bool), rng, {0: change, 2: change}).id
        for _ in range(6000)
    ]
    expected = np.array([0.5 * change, 0.3, 0.2 * change])
    expected *= 6000 / expected.sum()
    found = np.bincount(chosen, minlength=3)
    assert ((found - expected) ** 2 / expected).sum() < 14  # the 99.9th percentile


def test_log_probabilities_are_of_what_is_allowed_before_any_setting():
    logits = np.log(np.array([0.5, 0.3, 0.2])).astype(np.float32)
    allowed, rng = np.array([True, False, True]), np.random.default_rng(0)
    chooser = Chooser(Sampling(0.1, top_k=1))
    choice = chooser.choose(logits, allowed, rng, {2: 100.0})
    assert choice.id == 2
    assert choice.log_probability == pytest.approx(np.log(0.2 / 0.7), abs=1e-6)
    assert chooser.choose(logits, np.array([True, False, False]), rng) == (0, 0.0)
