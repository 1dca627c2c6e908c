import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from cnn_vs_dense import normalisation
from cnn_vs_dense.normalisation import LEAST_DEVIATION, PIXEL_RANGES, STANDARDISATIONS, network_inputs
from cnn_vs_dense.representations import REPRESENTATIONS
from common.data import load_mnist


@pytest.fixture
def parts():
    data = load_mnist()
    return {"train": data.train[:300], "validation": data.train[-10:], "test": data.test[:30]}


@pytest.mark.parametrize("representation", ["raw", "sinogram", "k-space, real and imaginary"])
@pytest.mark.parametrize(("name", "axes"), STANDARDISATIONS.items())
def test_inputs_are_standardised_by_the_training_set_alone(parts, representation, name, axes):
    inputs = network_inputs(parts, representation, name, seed=0)
    train = inputs["train"][0]
    np.testing.assert_allclose(train.mean(axes), 0, atol=1e-3)
    assert train.std(axes).max() == pytest.approx(1, abs=0.15)
    parts["test"] = parts["test"][:10]
    fewer = network_inputs(parts, representation, name, seed=0)
    np.testing.assert_allclose(fewer["test"][0], inputs["test"][0][:10], atol=1e-5)


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100))
def test_by_position_is_the_scaler_of_scikit_learn_but_for_the_least_deviation(seed, scale):
    rng = np.random.default_rng(seed)
    train, other = (scale * rng.normal(3, [1, 2], (n, 3, 4, 2)) for n in (50, 7))
    scaler = StandardScaler().fit(train.reshape(50, -1))
    expected = scaler.transform(other.reshape(7, -1)) * scaler.scale_
    expected /= scaler.scale_ + LEAST_DEVIATION * train.std()
    found = normalisation.normaliser(train, "standardised by position")(other)
    np.testing.assert_allclose(found.reshape(7, -1), expected)


@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_scaled_is_one_factor_that_makes_the_training_deviation_one(seed):
    train = np.random.default_rng(seed).normal(5, 3, (20, 4, 4, 1)).astype("float32")
    found = normalisation.normalised({"train": train, "test": 2 * train}, "scaled")
    assert found["train"].std() == pytest.approx(1, abs=1e-5)
    assert np.ptp(found["train"] / train) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(found["test"], 2 * found["train"], rtol=1e-6)
    assert found["test"].dtype == "float32"


def test_no_normalisation_changes_nothing():
    images = np.ones((2, 3, 3, 1))
    assert normalisation.normalised({"train": images}, None)["train"] is images


@pytest.mark.parametrize(("name", "axes"), STANDARDISATIONS.items())
def test_many_large_images_are_standardised_precisely(name, axes):
    # Two million positions of about 500: added up one by one, single precision stops counting there.
    images = np.random.default_rng(0).normal(500, [0.1, 3], (40_000, 14, 4, 2)).astype("float32")
    inputs = normalisation.normalised({"train": images}, name)["train"]
    assert inputs.dtype == "float32"
    np.testing.assert_allclose(inputs.mean(axes, "float64"), 0, atol=1e-3)
    spread = inputs.std(axes, dtype="float64")
    np.testing.assert_allclose(spread.min(axis=tuple(range(spread.ndim - 1))), [0.825, 0.993], atol=0.01)


@pytest.mark.parametrize("name", PIXEL_RANGES)
def test_the_range_of_the_pixels_and_a_scrambling_commute(parts, name):
    inputs, labels = network_inputs(parts, "scrambled", name, seed=3)["test"]
    scrambled = REPRESENTATIONS["scrambled"](parts["test"].images, 3)
    np.testing.assert_array_equal(inputs, PIXEL_RANGES[name](scrambled))
    assert labels is parts["test"].labels


@pytest.mark.parametrize(("name", "ends"), [("none", (0, 255)), ("[0, 1]", (0, 1)), ("[-1, 1]", (-1, 1))])
def test_pixel_ranges_have_the_ends_of_their_names(name, ends):
    found = PIXEL_RANGES[name](np.array([0, 255], "uint8"))
    assert (tuple(found), found.dtype) == (ends, "float32")


def test_unknown_names_get_one_clear_sentence(parts):
    with pytest.raises(ValueError, match="no representation 'x'; there are raw, "):
        network_inputs(parts, "x", "none", seed=0)
    with pytest.raises(ValueError, match="no normalisation 'x'; there are none, "):
        network_inputs(parts, "raw", "x", seed=0)
    with pytest.raises(ValueError, match="no normalisation 'x'; there are scaled, "):
        normalisation.normaliser(np.ones((2, 3, 3, 1)), "x")
