from functools import cache, partial

import keras
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from common.data import Dataset, load_dataset
from gan import baselines, evaluation, experiments, inverting, methods, projection
from gan.analysis import best_of_errors
from gan.baselines import BASELINES
from gan.critic import Split
from gan.evaluation import samples
from gan.methods import METHODS
from gan.models import build_dense_critic, load_generator, weight_digest
from gan.worth import blurred, drawn_digits, flattened
from tests.gan.conftest import DIGIT, called, make_small


@pytest.fixture(scope="module", autouse=True)
def few_images():
    """Data sets of 1,000 training and 200 test images, and critics of small budgets."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield from _few_images(monkeypatch)


few_digits = partial(drawn_digits, per_class=10)


def flat_critic(seed):
    return keras.Sequential(
        [keras.Input(DIGIT), keras.layers.Flatten(), build_dense_critic(int(np.prod(DIGIT)), seed)]
    )


def _few_images(monkeypatch):

    def few(name):
        data = load_dataset(name)
        return Dataset(data.train[:1_000], data.test[:200])

    for module in (baselines, evaluation, experiments, methods):
        monkeypatch.setattr(module, "load_dataset", few)
    for name, value in {"SAMPLES": 200, "PIXEL_SAMPLES": 200, "TRAINING_IMAGES": 480}.items():
        for module in (baselines, evaluation, experiments, methods):
            monkeypatch.setattr(module, name, value, raising=False)
    make_small(monkeypatch)
    monkeypatch.setattr(keras.Model, "predict", called)
    monkeypatch.setattr(experiments, "TUNING_SAMPLES", 200)
    monkeypatch.setattr(experiments, "budgets_up_to", lambda largest: (128, 512))
    monkeypatch.setattr(experiments, "FIRST_BUDGETS", (128, 1_024))
    # The convolutional critic is used by `told_apart` and `first_sight`.
    monkeypatch.setattr(evaluation, "build_critic", flat_critic)
    monkeypatch.setattr(methods, "VALIDATION_SAMPLES", 200)
    monkeypatch.setattr(experiments, "FEWER_SAMPLES", 256)
    monkeypatch.setattr(experiments, "FEWER_STARTS", 64)
    monkeypatch.setattr(experiments, "EXTENT_POINTS", 64)
    monkeypatch.setattr(projection, "GRID", 1_024)
    monkeypatch.setattr(experiments, "SCORED_SAMPLES", 200)
    monkeypatch.setattr(experiments, "PROJECTED_ONE_IN", 2)
    monkeypatch.setattr(inverting.with_encoder, "__defaults__", (128,))
    monkeypatch.setattr(projection, "SHORT_STAGES", ((2, 3),))
    monkeypatch.setattr(projection, "STAGES", ((2, 3),))
    monkeypatch.setattr(projection, "GRID_STAGES", ((2, 3),))
    monkeypatch.setattr(experiments, "drawn_digits", few_digits)
    caches = evaluation.seen_test, methods.validation_features, measured_run
    for each in caches:
        each.cache_clear()
    yield
    for each in caches:
        each.cache_clear()


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
    flat, digits = (flattened(images) for images in (drawn, few_digits("mnist").images))
    nearest = cdist(digits, flat, "sqeuclidean").min(axis=1) / flat.shape[1]
    np.testing.assert_allclose(errors[:, 1], nearest, atol=1e-6)
    assert (errors[:, 1] <= errors[:, 0]).all()


OPTIONS = {"adversarial": 1.0, "variational": 0.5, "mixture": 3}


def run_of(method, latent_size=3, seed=0):
    return {
        "latent_size": latent_size, "method": method, "option": OPTIONS[method], "learning_rate": 1e-3,
        "epochs": 2, "seed": seed,
    }  # fmt: skip


@cache
def measured_run(method, latent_size=3):
    return experiments.generative(**run_of(method, latent_size))


@pytest.mark.parametrize("method", OPTIONS)
def test_all_methods_are_measured_alike(method):
    found = measured_run(method)
    assert set(found) - set(experiments.SCATTER) == {"bits"}
    assert len(found["distance"]) == 2
    _, errors = best_of_errors(found)
    assert errors.shape == (100, 2)
    assert (errors[:, 1] <= errors[:, 0]).all()
    lengths = {name: len(found[name]) for name in ("projected_error", "kept", "mirrored_error", "own_error")}
    assert lengths == {"projected_error": 50, "kept": 50, "mirrored_error": 25, "own_error": 25}
    assert len(found["coded_error"]) == projection.MOST_BITS
    assert len(found["doubled_error"]) == 13  # every fourth
    assert 0 <= found["saturated"] <= 1
    assert found["kept"].dtype == bool


def test_the_results_of_every_method_have_the_same_names():
    names = [set(measured_run(method)) for method in OPTIONS]
    assert names[0] == names[1] == names[2]
    assert set(measured_run("adversarial", latent_size=2)) - names[0] == {"extent"}


def test_the_reference_is_projected_as_the_others_and_chosen_by_its_reconstructions():
    run = run_of("mixture", seed=1)
    del run["method"]
    found = experiments.reconstructed(**run)
    others = set(measured_run("mixture")) - {"doubled_error"}  # only with seed 0
    assert set(found) - {"distance"} == {name for name in others if "_error" in name or name == "kept"}
    assert max(found["distance"]) < 0.3  # errors of pixels, no Fréchet distances
    assert found["distance"][1] < found["distance"][0]


def test_any_method_has_a_name():
    assert set(OPTIONS) < set(METHODS)
    with pytest.raises(ValueError, match="no method 'none'"):
        experiments.tuned(**run_of("adversarial") | {"method": "none"})


@pytest.mark.parametrize("method", OPTIONS)
def test_the_tuning_of_any_method_sees_no_test_image(monkeypatch, method):
    real = evaluation.real_images("mnist")
    monkeypatch.setattr(methods, "real_images", lambda name: Split(None, real.validation, None))
    monkeypatch.setattr(evaluation, "seen_test", None)
    found = experiments.tuned(**run_of(method))
    assert found["least"] == min(found["distance"])
    assert len(found["distance"]) == 2


def test_the_tuning_measures_what_the_result_is_chosen_by():
    measured = measured_run("variational")
    assert experiments.tuned(**run_of("variational"))["distance"] == measured["distance"]


def test_runs_share_no_latent_points():
    seeds = [methods.of_uniform_points(None, 3).points(5, [seed, methods.SCORED]) for seed in (0, 1)]
    assert not np.array_equal(*seeds)
    streams = methods.VALIDATION, methods.SCORED, methods.BEST, methods.STARTS, methods.OWN, methods.EXTENT
    assert len({*streams, methods.INVERSE}) == 7


def test_larger_tables_of_real_digits_are_nearer():
    small, large = (experiments.table(size=size, source="training", seed=0) for size in (20, 150))
    for metric in ("frechet", "frechet_photographic"):
        assert large[metric] < small[metric]
    assert large["coverage"] > small["coverage"]
    assert small["recall"] == 0  # ten copies of each
    assert large["bridges"] < 0.1


def test_a_table_of_all_digits_does_not_depend_on_the_seed():
    one, other = (experiments.table(size=480, source="training", seed=seed) for seed in (0, 1))
    assert one == other


def projected(digits, **options):
    return experiments.projected(latent_size=2, weights=weight_digest("mnist", 2), digits=digits, **options)


@pytest.mark.parametrize(
    ("digits", "count"), [("unseen", 50), ("validation", 50), ("mirrored", 25), ("own samples", 50)]
)
def test_digits_of_any_kind_are_projected(digits, count):
    found = projected(digits, one_in=2, seed=1)
    assert len(found["error"]) == len(found["kept"]) == count
    assert found["error"].min() >= 0


def test_a_record_belongs_to_the_weights_it_names():
    with pytest.raises(ValueError, match="have another SHA-256"):
        experiments.projected(latent_size=2, weights=weight_digest("mnist", 4), digits="unseen")


def test_own_samples_are_found_among_the_candidates(monkeypatch):
    """The same grid for both: the finer, the nearer to 0 for samples, but not for digits."""
    errors = {}
    for count in (256, 16_384):
        monkeypatch.setattr(projection, "GRID", count)
        for digits in ("own samples", "unseen"):
            errors[digits, count] = np.mean(projected(digits, one_in=4)["error"])
    gains = {digits: errors[digits, 16_384] / errors[digits, 256] for digits in ("own samples", "unseen")}
    assert gains["own samples"] < 0.5 < gains["unseen"]


def test_more_components_are_nearer_and_keep_more_labels():
    few, many = (experiments.principal(latent_size=size, digits="unseen") for size in (2, 64))
    assert many["error"].mean() < few["error"].mean()
    assert many["kept"].mean() > few["kept"].mean()


def test_the_nearest_digit_is_the_best_of_all():
    found = experiments.nearest_digit(digits="validation")
    digits, train = few_digits("mnist", "validation"), load_dataset("mnist").train[:480]
    distances = cdist(flattened(digits.images), flattened(train.images), "sqeuclidean") / 784
    np.testing.assert_allclose(found["error"], distances.min(axis=1), atol=1e-6)
    same = train.labels[distances.argmin(axis=1)] == digits.labels
    assert np.mean(found["kept"] == same) > 0.95  # the classifier decides


def test_the_best_of_blurred_digits_is_the_nearest_of_them(monkeypatch):
    train = load_dataset("mnist").train.images[:256]
    monkeypatch.setattr(experiments, "training_digits", lambda dataset, seed, blur: [blurred(train, blur)])
    monkeypatch.setattr(experiments, "real_sizes", lambda: (128, 256))
    _, errors = best_of_errors(experiments.best_of_blurred(blur=0.8))
    digits, soft = (flattened(x) for x in (few_digits("mnist", "unseen").images, blurred(train, 0.8)))
    np.testing.assert_allclose(errors[:, 1], cdist(digits, soft, "sqeuclidean").min(axis=1) / 784, atol=1e-6)


def test_an_unknown_kind_of_digits_is_refused():
    with pytest.raises(ValueError, match="no kind of digits 'train'; there are unseen, validation, mirrored"):
        projected("train")
    with pytest.raises(ValueError, match="no kind of digits 'own samples'"):
        experiments.principal(latent_size=2, digits="own samples")
