from itertools import product

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from adversarial_attack import forecast, judges
from adversarial_attack.calibration import RANKED, SCORED, calibration, joined
from adversarial_attack.coordinates import perceptual
from adversarial_attack.filter_set import FILTER_SET
from adversarial_attack.forecast import DEMANDS, Demand

SIZE = 6
DEMAND = Demand(("one", "other"), ("blur 2",))
SMALLER = (Demand(("one",), ("blur 2",)), Demand(("other",), ("blur 2",)))
LARGER = Demand(("one", "other"), ("none", "blur 2"))


def linear_network(rng, scale=1.0, classes=3):
    """Return a linear classifier of small images."""
    dense = keras.layers.Dense(classes)
    network = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), dense])
    # Smooth weights, so that a blur leaves something.
    weights = np.repeat(rng.normal(size=(1, SIZE, 3, classes)), SIZE, axis=0)
    dense.set_weights([scale * weights.reshape(-1, classes), scale * rng.normal(size=classes)])
    return network


def problem(seed, wanted=(True, True), scale=1.0):
    """Return an image, its label, and two networks that recognise it behind the blur or not, as wanted."""
    rng = np.random.default_rng(seed)
    image = rng.uniform(0.2, 0.8, (SIZE, SIZE, 3)).astype("float32")
    networks, seen = {}, FILTER_SET["blur 2"](SIZE, SIZE)(image[np.newaxis])
    for name, right in zip(DEMAND.networks, wanted, strict=True):
        network = linear_network(rng, scale)
        said = int(np.argmax(network(seen)))
        dense = network.layers[-1]
        kernel, bias = dense.get_weights()
        order = np.roll(np.arange(3), -said if right else -said - 1)  # class 0 is said, or is not
        dense.set_weights([kernel[:, order], bias[order]])
        networks[name] = network
    return image, 0, networks


def changed_margins(image, network):
    """Return a matrix and a vector: margins over classes 1 and 2 behind the blur, affine in coordinates.

    Column by column, from what the network says of each unit vector.
    """
    change_by, blur = perceptual(image[np.newaxis]), FILTER_SET["blur 2"](SIZE, SIZE)
    units = np.eye(image.size, dtype="float32").reshape(-1, *image.shape)
    kernel, bias = (weights.astype("float64") for weights in network.layers[-1].get_weights())

    def margins(logits):
        return logits[:, :1] - logits[:, 1:]

    moved = blur(change_by(units)).reshape(len(units), -1).astype("float64") @ kernel
    return margins(moved).T, margins(blur(image[np.newaxis]).reshape(1, -1) @ kernel + bias)[0]


def oracle(image, networks):
    """Return the predicted size by sequential quadratic programming, the least over the classes."""
    affine = [changed_margins(image, network) for network in networks.values()]
    found = []
    for classes in product((0, 1), repeat=len(affine)):
        slopes = np.array([matrix[k] for (matrix, _), k in zip(affine, classes, strict=True)])
        margins = np.array([constants[k] for (_, constants), k in zip(affine, classes, strict=True)])
        norms = np.linalg.norm(slopes, axis=1)
        slopes, distances = slopes / norms[:, np.newaxis], margins / norms
        unit = distances.max()
        solution = optimize.minimize(
            lambda d: d @ d, -distances @ slopes / unit, jac=lambda d: 2 * d, method="SLSQP",
            constraints={
                "type": "ineq",
                "fun": lambda d, slopes=slopes, least=distances / unit: -least - slopes @ d,
                "jac": lambda d, slopes=slopes: -slopes,
            },
        )  # fmt: skip
        assert solution.success
        found.append(unit * np.sqrt(solution.fun) / SIZE)
    return min(found)


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_for_two_linear_networks_the_size_is_the_one_of_a_general_solver(seed):
    image, label, networks = problem(seed)
    found = forecast.predict(image, label, DEMAND, networks)
    assert found.recognised
    assert found.predicted == pytest.approx(oracle(image, networks), rel=1e-3)


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_larger_demand_never_costs_less(seed):
    image, label, networks = problem(seed)
    linear = forecast.linearised(image, label, [*SMALLER, DEMAND, LARGER], networks)
    *parts, both, all_four = (linear.forecast(demand) for demand in (*SMALLER, DEMAND, LARGER))
    assert all_four.predicted >= both.predicted * (1 - 1e-6)
    assert both.predicted >= max(part.predicted for part in parts) * (1 - 1e-6)
    assert both.margin == max(part.margin for part in parts)
    assert both.dearest == pytest.approx(max(part.predicted for part in parts))
    assert both == forecast.predict(image, label, DEMAND, networks)


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100))
def test_the_scale_of_the_logits_changes_nothing(seed, scale):
    found = []
    for factor in (1.0, scale):
        image, label, networks = problem(seed, scale=factor)
        found.append(forecast.predict(image, label, DEMAND, networks))
    assert found[1] == pytest.approx(found[0], rel=1e-3)


@pytest.mark.parametrize("seed", range(2))
def test_a_pair_that_is_wrong_already_costs_nothing(seed):
    image, label, networks = problem(seed, wanted=(True, False))
    one, other, both = (forecast.predict(image, label, demand, networks) for demand in (*SMALLER, DEMAND))
    assert other[:4] == (False, 0, 0, 0)
    assert other.margin < 0
    assert not both.recognised
    assert both[1:] == pytest.approx(one[1:])
    seen = np.stack([image, image])
    said = forecast.demanded(DEMAND, networks, seen, [label, label])
    assert said.tolist() == [[True, True], [False, False]]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), pairs=st.integers(1, 4), dimensions=st.integers(2, 6))
def test_no_choice_of_classes_is_shorter(seed, pairs, dimensions):
    rng = np.random.default_rng(seed)
    gradients = rng.normal(size=(pairs, 3, dimensions)) * rng.lognormal(size=(pairs, 3, 1))
    margins = rng.lognormal(size=(pairs, 3))
    flat = gradients.reshape(-1, dimensions)
    length, weights = forecast.shortest(margins, flat @ flat.T)
    change = weights.ravel() @ flat
    if np.isfinite(length):
        assert np.linalg.norm(change) == pytest.approx(length, rel=1e-5)
        assert ((gradients @ change - margins).max(axis=1) >= -1e-4 * length).all()
    singly = []
    for classes in product(range(3), repeat=pairs):
        rows = gradients[range(pairs), classes]
        singly.append(forecast.shortest(margins[range(pairs), classes][:, np.newaxis], rows @ rows.T)[0])
    assert length == pytest.approx(min(singly), rel=1e-5)


def test_without_a_gradient_no_change_is_long_enough():
    assert forecast.shortest([[1.0, 2.0]], np.zeros((2, 2)))[0] == np.inf
    opposed = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert forecast.shortest([[1.0], [1.0]], opposed)[0] == np.inf
    assert forecast.shortest([[1.0], [2.0]], abs(opposed))[0] == pytest.approx(2)


@pytest.mark.parametrize("name", DEMANDS)
def test_demands_name_what_there_is(name):
    demand = DEMANDS[name]
    assert set(demand.networks) <= set(judges.NETWORKS)
    assert set(demand.filters) <= set(FILTER_SET)
    assert len(demand.pairs) == len(demand.networks) * len(demand.filters)


def tables(seed, n=30, unmet=3):
    """Return forecasts and records in which the measured size is twice the predicted one, with noise."""
    rng = np.random.default_rng(seed)
    keys = pd.DataFrame({"split": "test", "photograph": range(n), "demand": "SqueezeNet"})
    predicted = rng.lognormal(size=n)
    dearest, margin = predicted * rng.lognormal(sigma=0.5, size=n), rng.random(n)
    sizes = {"predicted": predicted, "rms": 2 * SCORED, "dearest": dearest}
    predictions = keys.assign(recognised=True, **sizes, margin=margin)
    measured = 2 * predicted * rng.lognormal(0, 0.2, n)
    met = np.argsort(np.argsort(measured)) < n - unmet
    records = keys.assign(recognised=True, measured=np.where(met, measured, 0), met=met, rms=1.0)
    return predictions, records, measured


@pytest.mark.parametrize("seed", range(2))
def test_calibration_is_spearman_and_the_median_ratio_whether_met_or_not(seed):
    predictions, records, measured = tables(seed)
    found = calibration(joined(predictions, records)).loc["SqueezeNet"]
    measured = np.where(records["met"], measured, measured.max())
    for column, forecasts in RANKED.items():
        assert found[column].mean == pytest.approx(
            stats.spearmanr(predictions[forecasts], measured).statistic
        )
        assert found[column].low < found[column].mean < found[column].high
    assert found["lead"].mean == pytest.approx(found["forecast"].mean - found["margin"].mean)
    assert found["ratio"].low < 2 < found["ratio"].high
    over_pair = np.where(records["met"], measured, np.inf) / predictions["dearest"]
    assert found["pair_ratio"].mean == pytest.approx(1 / np.median(1 / over_pair))
    assert (found["n"], found["unmet"]) == (30, 3)


def test_only_recognised_photographs_of_a_visible_change_are_scored():
    predictions, records, _ = tables(0)
    predictions.loc[:3, "rms"] = 0.9 * SCORED
    records.loc[10:14, "recognised"] = False
    assert calibration(joined(predictions, records)).loc["SqueezeNet", "n"] == 21
    predictions["rms"] = 0.0
    few = calibration(joined(predictions, records)).loc["SqueezeNet"]
    assert few["n"] == 0
    assert np.isnan(few["forecast"]).all()
