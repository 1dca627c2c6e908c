import keras
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from common.data import Dataset, load_dataset
from gan import baselines, evaluation, experiments
from gan.analysis import best_of_errors
from gan.baselines import BASELINES
from gan.critic import Split
from gan.evaluation import samples
from gan.models import build_dense_critic, load_generator
from gan.worth import drawn_digits, flattened
from tests.gan.conftest import DIGIT, called, make_small


@pytest.fixture(scope="module", autouse=True)
def few_images():
    """Data sets of 1,000 training and 200 test images, and critics of small budgets."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield from _few_images(monkeypatch)


def flat_critic(seed):
    return keras.Sequential(
        [keras.Input(DIGIT), keras.layers.Flatten(), build_dense_critic(int(np.prod(DIGIT)), seed)]
    )


def _few_images(monkeypatch):

    def few(name):
        data = load_dataset(name)
        return Dataset(data.train[:1_000], data.test[:200])

    for module in (baselines, evaluation, experiments):
        monkeypatch.setattr(module, "load_dataset", few)
    for name, value in {"SAMPLES": 200, "PIXEL_SAMPLES": 200, "TRAINING_IMAGES": 480}.items():
        for module in (baselines, evaluation, experiments):
            monkeypatch.setattr(module, name, value, raising=False)
    make_small(monkeypatch)
    monkeypatch.setattr(keras.Model, "predict", called)
    monkeypatch.setattr(experiments, "TUNING_SAMPLES", 200)
    monkeypatch.setattr(experiments, "budgets_up_to", lambda largest: (128, 512))
    monkeypatch.setattr(experiments, "FIRST_BUDGETS", (128, 1_024))
    # The convolutional critic is used by `told_apart` and `first_sight`.
    monkeypatch.setattr(evaluation, "build_critic", flat_critic)
    evaluation.seen_test.cache_clear()
    yield
    evaluation.seen_test.cache_clear()


def test_adversarial_and_variational_runs_return_the_same_measurements():
    one = experiments.adversarial(latent_size=3, epochs=1, seed=0)
    other = experiments.autoencoder(
        latent_size=3, likelihood="Gaussian", learning_rate=1e-3, epochs=1, seed=0
    )
    assert set(one) - set(other) == {
        "epoch_discriminator_loss", "epoch_generator_loss", "epoch_distance", "epoch_distance_not_averaged",
    }  # fmt: skip
    assert set(other) - set(one) == {"epoch_loss"}
    assert len(one["pixel_critic"]) == len(one["feature_critic_accuracy"]) == 2
    assert len(one["epoch_distance"]) == 1
    assert one["pixel_critic"].min() < 0.2


def test_real_images_are_near_real_images():
    real, noise = experiments.floor(seed=0), experiments.baseline(kind="histogram", seed=0)
    assert real["frechet"] < 0.1 * noise["frechet"]
    assert real["frechet_photographic"] < 0.1 * noise["frechet_photographic"]
    assert real["coverage"] > 0.9 > noise["coverage"]
    assert real["pixel_critic"].min() > 0.68
    assert noise["pixel_critic"].min() < 0.1
    assert real["class_divergence"] < 0.05
    assert real["classes"] == 10


def test_training_images_count_as_copies():
    train = load_dataset("mnist").train.images[:200]
    assert evaluation.quality(train, "mnist")["copying"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("critic", ["convolutional", "dense"])
def test_noise_is_told_apart_though_the_pixels_are_scrambled(critic):
    found = experiments.told_apart(fakes="histogram", scrambled=True, critic=critic, seed=0)
    assert found["accuracy"].iloc[-1] > 0.75
    assert found["cross_entropy"].iloc[-1] < found["cross_entropy"].iloc[0]


def test_a_critic_of_few_images_sees_through_a_generator_of_few_steps():
    found = experiments.first_sight(latent_size=3, recipe="DCGAN", epochs=1, seed=0)
    assert len(found["accuracy"]) == 2
    assert found["cross_entropy"].iloc[-1] < 0.3


@pytest.mark.parametrize("kind", BASELINES)
def test_baselines_make_bytes_from_a_seed(kind):
    sample = BASELINES[kind]("fashion_mnist", 0)
    images = sample(20, 1)
    assert images.shape == (20, 28, 28, 1)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, sample(20, 1))
    assert not np.array_equal(images, sample(20, 2))


@pytest.mark.parametrize(("method", "option"), [("adversarial", "R3GAN"), ("autoencoder", "Bernoulli")])
def test_tuning_sees_no_test_image(monkeypatch, method, option):
    real = evaluation.real_images("mnist")
    monkeypatch.setattr(experiments, "real_images", lambda name: Split(real.train, real.validation, None))
    found = experiments.tuning(
        latent_size=2, method=method, option=option, learning_rate=1e-3, epochs=1, seed=0
    )
    assert found["frechet"] > 0


def test_the_best_of_all_samples_is_the_nearest(monkeypatch):
    monkeypatch.setattr(experiments, "MOST_SAMPLES", 256)
    found = experiments.best_of_many(latent_size=2, seed=3)
    bits, errors = best_of_errors(found)
    np.testing.assert_array_equal(bits, [7, 8])
    drawn = samples(load_generator(2), 2, 256, [3, 0])
    flat, digits = (flattened(images) for images in (drawn, drawn_digits("mnist").images))
    nearest = cdist(digits, flat, "sqeuclidean").min(axis=1) / flat.shape[1]
    np.testing.assert_allclose(errors[:, 1], nearest, atol=1e-6)
    assert (errors[:, 1] <= errors[:, 0]).all()
