import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial_attack import filters, limits
from adversarial_attack.attacks import pgd
from adversarial_attack.filter_set import FILTER_SET, HELD_OUT, KNOWN, TO_SIGMA_2, TO_SIGMA_3, UNSEEN
from adversarial_attack.gradients import margin
from common.pretrained import OFFLINE
from common.statistics import bootstrap_interval


@given(wanted=st.floats(0.06, 15), rounds=st.integers(1, 9))
def test_the_smallest_number_that_succeeds_is_bracketed(wanted, rounds):
    found = limits.smallest(lambda number: number >= wanted, 0.05, 16, rounds)
    assert wanted <= found <= wanted * 320 ** (1 / 2**rounds) * (1 + 1e-9)
    assert limits.smallest(lambda number: False, 0.05, 16, rounds) == 16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: limits.smallest(bool, 0, 16), "low and high must be positive and ascending"),
        (lambda: limits.smallest(bool, 16, 0.05), "low and high must be positive and ascending"),
        (lambda: limits.median_cost([-1.0, 1.0, 2.0]), "Costs must be positive"),
        (lambda: limits.median_cost([np.nan, 1.0, 2.0]), "Costs must be positive"),
    ],
)
def test_costs_that_are_none_get_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def linear_classifier(seed):
    """Return a linear classifier of two classes for images of 8 x 10 pixels."""
    model = keras.Sequential([
        keras.Input((8, 10, 3)), keras.layers.Flatten(), keras.layers.Dense(2),
    ])  # fmt: skip
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=(240, 2)), rng.normal(size=2)])
    return model


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_median_cost_is_that_of_the_costs_and_may_be_infinite(seed):
    costs = np.random.default_rng(seed).lognormal(size=11)
    found, expected = limits.median_cost(costs), bootstrap_interval(costs, np.median)
    assert found.mean == pytest.approx(expected.mean)
    assert found == pytest.approx(expected, rel=0.1)
    most = limits.median_cost([*costs[:4], *[np.inf] * 7])
    assert most.mean == most.high == np.inf
    few = limits.median_cost([*costs, np.inf])
    assert np.isfinite(few.mean)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000), sigma=st.floats(0.3, 2))
def test_the_first_order_law_is_exact_for_a_linear_classifier(seed, sigma):
    classifier, blur = linear_classifier(seed), filters.gaussian_blur(8, 10, sigma)
    images = np.random.default_rng(seed).uniform(0.4, 0.6, (3, 8, 10, 3)).astype("float32")
    labels = np.argmax(classifier(blur(images)), axis=1)
    epsilons = limits.first_order_epsilon([classifier], images, labels, blur)
    for i in np.flatnonzero(epsilons < 0.35):
        for factor, wrong in ((0.99, False), (1.01, True)):
            found = pgd(
                [classifier], images[[i]], labels[[i]], factor * epsilons[i], steps=3, loss=margin,
                filters=(blur,), random_start=False,
            )  # fmt: skip
            assert limits.recognised_by([classifier], found, labels[[i]], blur).item() != wrong


@pytest.mark.parametrize("name", limits.DEMANDS)
def test_demands_name_what_there_is(name):
    demand = limits.DEMANDS[name]
    assert set(demand.attacked) | set(demand.judges) <= set(OFFLINE)
    assert set(demand.filters) <= set(FILTER_SET)
    drawn = demand.draw((12, 12), 1, np.random.default_rng(0))
    assert drawn(np.zeros((1, 12, 12, 3), "float32")).shape == (1, 12, 12, 3)


def test_no_filter_is_both_expected_and_held_out():
    assert not set(KNOWN) & set(HELD_OUT)
    assert set(TO_SIGMA_2) < set(TO_SIGMA_3) < set(KNOWN)
    assert set(UNSEEN) <= set(HELD_OUT)


@pytest.mark.parametrize("name", FILTER_SET)
def test_the_filters_of_the_battery_keep_size_and_range(name):
    image = np.random.default_rng(0).random((1, 24, 20, 3)).astype("float32")
    seen = FILTER_SET[name](24, 20)(image)
    assert seen.shape == image.shape
    assert seen.min() > -0.2
    assert seen.max() < 1.2
