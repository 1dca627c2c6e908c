import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from common.data import load_dataset
from gan import vae
from gan.minimising import minimise


@given(point=st.floats(-0.999, 0.999))
def test_uniform_numbers_become_normal(point):
    found = float(vae.normal(np.float32(point)))
    assert found == pytest.approx(stats.norm.ppf((np.float32(point) + 1) / 2), rel=1e-3, abs=1e-4)


def test_the_edge_of_the_square_stays_finite():
    assert np.isfinite(vae.normal(np.float32([-1, 1]))).all()


@given(seed=st.integers(0, 1000))
def test_the_bernoulli_likelihood_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    bits, decoded = (
        rng.integers(2, size=(3, 28, 28, 1)).astype("float32"),
        rng.uniform(0.1, 0.9, (3, 28, 28, 1)),
    )
    expected = -stats.bernoulli.logpmf(bits, decoded).sum() / 3
    assert float(vae.bernoulli(bits, decoded.astype("float32"))) == pytest.approx(expected, rel=1e-4)


@given(seed=st.integers(0, 1000))
def test_the_gaussian_likelihood_is_that_of_the_best_deviation(seed):
    rng = np.random.default_rng(seed)
    images, decoded = rng.random((2, 2, 28, 28, 1))
    deviations = np.geomspace(0.1, 1, 400)
    likelihoods = [-stats.norm.logpdf(images, decoded, s).sum() / 2 for s in deviations]
    constant = 28 * 28 / 2 * (1 + np.log(2 * np.pi))
    assert float(vae.gaussian(images, decoded)) + constant == pytest.approx(min(likelihoods), rel=1e-3)


@pytest.mark.parametrize("likelihood", list(vae.LIKELIHOODS))
def test_a_tiny_autoencoder_learns_and_repeats(tiny, likelihood):
    images = load_dataset("mnist").train[:256].as_float()
    options = {"likelihood": likelihood, "learning_rate": 1e-3, "epochs": 3, "seed": 2}
    (generator, history), (again, _) = (vae.train_vae(images, 2, **options) for _ in range(2))
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    points = np.random.default_rng(0).uniform(-1, 1, (5, 2)).astype("float32")
    np.testing.assert_array_equal(generator(points), again(points))


def test_minimising_finds_the_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(512, 3)).astype("float32")
    truth = np.float32([[1], [-2], [0.5]])
    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
    history = minimise(
        lambda step, inputs, outputs: tf.reduce_mean((model(inputs) - outputs) ** 2), [model],
        [x, x @ truth], epochs=60, learning_rate=0.03, batch_size=32, seed=0,
    )  # fmt: skip
    np.testing.assert_allclose(model.get_weights()[0], truth, atol=1e-3)
    assert history["loss"].iloc[-1] < 1e-4
