import functools

import numpy as np
import pytest
from scipy import stats

from common.experiments import sweep
from gan import evaluation, experiments, models, training, weights
from gan.features import class_features
from gan.metrics import bridge_share, frechet_distance
from tests.reliability.test_faults import ONLY_FAULTS

FEW = 500


@pytest.fixture
def few(monkeypatch, tmp_path):
    """Few images and epochs, and folders of their own."""
    monkeypatch.setattr(weights, "TRAINING_IMAGES", 128)
    monkeypatch.setattr(weights, "CLASSIFIER_EPOCHS", 1)
    monkeypatch.setattr(weights, "to_validation", lambda generator, **_: float(len(generator.weights)))
    monkeypatch.setattr(weights, "CHECKPOINTS", tmp_path / "build")
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "weights")


def test_the_written_generator_is_the_trained_one(few, monkeypatch):
    asked = []

    def train_gan(images, latent_size, *, seed, checkpoint, validate):
        trained = models.build_generator(latent_size, seed=7)
        asked.append((len(images), seed, checkpoint.name, validate(trained), trained))
        return training.Trained(trained, None, None, None)

    monkeypatch.setattr(weights, "train_gan", train_gan)
    weights.write("mnist", 2)
    [(*given, trained)] = asked
    assert given == [128, 0, "mnist_generator_2.npz", len(trained.weights)]
    for found, weight in zip(models.load_generator(2).get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)


def test_the_written_classifier_holds_no_optimizer(few):
    weights.write("fashion_mnist")
    classifier = models.load_classifier("fashion_mnist")
    file = models.WEIGHTS / "fashion_mnist_classifier.weights.h5"
    assert file.stat().st_size < 1.1 * 4 * classifier.count_params()


@functools.cache
def real_features(dataset):
    return class_features(evaluation.real_images(dataset).test, dataset)[0]


def record_of(dataset, size):
    return sweep(experiments.adversarial, dataset=dataset, latent_size=size, seed=0)


@pytest.mark.parametrize(("dataset", "size"), weights.GENERATORS)
def test_few_samples_of_a_committed_generator_agree_with_its_record(monkeypatch, dataset, size):
    monkeypatch.setenv("RESULTS", "replay")
    record = record_of(dataset, size)
    images = evaluation.samples(models.load_generator(size, dataset), size, FEW, seed=2)
    probabilities = class_features(images, dataset)[1]
    assert len(np.unique(probabilities.argmax(axis=1))) == record["classes"].item()
    unsure = round(FEW * bridge_share(probabilities, evaluation.CONFIDENT))
    assert stats.binomtest(unsure, FEW, record["bridges"].item()).pvalue > 0.01


@ONLY_FAULTS
@pytest.mark.fault("committed generator measured again", "the distance of its record")
@pytest.mark.parametrize(("dataset", "size"), weights.GENERATORS)
def test_a_committed_generator_is_the_one_that_was_measured(monkeypatch, dataset, size):
    monkeypatch.setenv("RESULTS", "replay")
    record = record_of(dataset, size)
    images = evaluation.samples(models.load_generator(size, dataset), size, evaluation.SAMPLES, seed=2)
    found = frechet_distance(real_features(dataset), class_features(images, dataset)[0])
    assert found == pytest.approx(record["frechet"].item(), rel=1e-3)
