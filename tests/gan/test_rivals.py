import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from common.data import load_dataset
from gan import rivals
from gan.minimising import BestEpoch, is_validated
from gan.rivals import train_mixture, train_variational
from gan.vae import normal
from tests.gan.conftest import small_generator

TRAIN = {
    "variational": lambda *given, **options: train_variational(*given, beta=0.5, **options),
    "mixture": lambda *given, **options: train_mixture(*given, components=2, **options),
}


def images(count=256):
    return load_dataset("mnist").train[:count].as_float()


@given(code=st.floats(-4, 4))
def test_squashed_codes_have_the_normal_distribution_function(code):
    point = float(rivals.squashed(np.float32(code)))
    assert (point + 1) / 2 == pytest.approx(stats.norm.cdf(np.float32(code)), abs=1e-6)


@given(point=st.floats(-0.999, 0.999))
def test_squashing_is_the_inverse_of_normal(point):
    assert float(rivals.squashed(normal(np.float32(point)))) == pytest.approx(point, abs=1e-5)


@pytest.mark.parametrize("method", TRAIN)
def test_a_tiny_autoencoder_learns_repeats_and_stays_in_the_cube(tiny, method):
    options = {"learning_rate": 1e-2, "epochs": 3, "seed": 2}
    (model, history), (again, _) = (TRAIN[method](images(), 2, **options) for _ in range(2))
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    points = np.asarray(model.points(50, [2, 7]))
    assert points.shape == (50, 2)
    assert np.abs(points).max() <= 1
    np.testing.assert_array_equal(model.sample(5, 0), again.sample(5, 0))
    guesses = model.guesses(images(20))
    assert guesses.shape == (20, 1, 2)
    assert np.abs(guesses).max() <= 1


def test_a_mixture_follows_the_codes(tiny):
    """Of one component: the mean and the deviation of the codes before they are squashed."""
    model, _ = train_mixture(images(), 2, components=1, learning_rate=1e-2, epochs=2, seed=0)
    codes, drawn = (
        np.asarray(normal(x)) for x in (model.encoder(images()), np.float32(model.points(20_000, 1)))
    )
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.1 * codes.std())
    np.testing.assert_allclose(drawn.std(axis=0), codes.std(axis=0), rtol=0.1)


def test_a_heavy_divergence_tells_nothing_of_the_image(tiny):
    # Without the divergence, codes of a slower training are still where the squashing is flat.
    options = {"learning_rate": 3e-2, "epochs": 60, "seed": 0}
    spreads = [
        np.std(train_variational(images(), 2, beta=beta, **options)[0].encoder(images()), axis=0).max()
        for beta in (0.01, 1_000.0)
    ]
    assert spreads[1] < 0.2 * spreads[0]


@pytest.mark.parametrize("method", TRAIN)
@pytest.mark.parametrize("distances", [[1.0, 3.0], [3.0, 1.0]])
def test_the_best_epoch_is_the_result(tiny, method, distances):
    given, seen = iter(distances), []

    def validate(model):
        seen.append(model.sample(5, 0))
        return next(given)

    options = {"learning_rate": 1e-2, "epochs": 4, "seed": 2, "validate": validate, "validate_every": 2}
    model, history = TRAIN[method](images(), 2, **options)
    assert history["distance"].dropna().to_list() == distances
    np.testing.assert_array_equal(model.sample(5, 0), seen[np.argmin(distances)])


def test_the_best_weights_are_restored():
    model = small_generator(2, [0])
    distances = iter([3.0, 1.0, 2.0])
    best = BestEpoch([model], lambda: next(distances), epochs=3, every=1)
    for epoch in range(3):
        model.set_weights([np.full_like(weight, epoch) for weight in model.get_weights()])
        best(epoch)
    best.restore()
    assert all(np.all(weight == 1) for weight in model.get_weights())


@given(epochs=st.integers(1, 30), every=st.integers(1, 30))
def test_the_last_epoch_is_validated_and_the_others_at_equal_distances(epochs, every):
    validated = [epoch + 1 for epoch in range(epochs) if is_validated(epoch, epochs, every)]
    assert validated[-1] == epochs
    assert set(validated[:-1]) == set(range(every, epochs, every))
