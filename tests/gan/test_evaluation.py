import keras
import numpy as np
import pytest
from skimage.transform import resize

from common.data import load_dataset
from common.pretrained import load_classifier
from gan import evaluation, features
from gan.training import TRAINING_IMAGES


def digits(count=50):
    return load_dataset("mnist").test.images[:count]


def test_the_classifier_recognises_what_it_has_not_seen():
    held_out = load_dataset("mnist").train[TRAINING_IMAGES:]
    _, probabilities = features.class_features(held_out.images, "mnist")
    assert np.mean(probabilities.argmax(axis=1) == held_out.labels) > 0.99
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_features_lead_to_the_probabilities():
    found, probabilities = features.class_features(digits(), "mnist")
    kernel, bias = features.load_classifier("mnist").layers[-1].get_weights()
    logits = found @ kernel + bias
    np.testing.assert_array_equal(logits.argmax(axis=1), probabilities.argmax(axis=1))
    np.testing.assert_allclose(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1),
                               1 / probabilities.max(axis=1), rtol=1e-4)  # fmt: skip


def test_photographic_features_lead_to_squeezenet_s_logits():
    found = features.imagenet_features(digits(3))
    enlarged = np.stack([resize(image / 255, (56, 56), order=0) for image in digits(3)])
    network = load_classifier("squeezenet")
    last = [layer for layer in network.layers if isinstance(layer, keras.layers.Concatenate)][-1]
    maps = keras.Model(network.inputs, last.output).predict(enlarged.repeat(3, axis=3), verbose=0)
    assert found.shape == (3, 512)
    np.testing.assert_allclose(found, maps.mean(axis=(1, 2)), rtol=1e-3, atol=1e-4)


def test_samples_depend_on_the_seed_alone():
    generator = evaluation_generator()
    one, same, other = (evaluation.samples(generator, 2, 5, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.dtype == np.uint8
    with pytest.raises(ValueError, match="seed must be a whole number"):
        evaluation.samples(generator, 2, 5, None)


def evaluation_generator():
    return lambda points: np.broadcast_to(np.abs(points)[:, :1, None, None], (len(points), 28, 28, 1))


def test_the_three_parts_of_the_images_are_apart():
    parts = evaluation.real_images("mnist")
    assert [len(part) for part in parts] == [55_000, 5_000, 10_000]
    whole = load_dataset("mnist")
    np.testing.assert_array_equal(np.concatenate(parts[:2]), whole.train.images)
    np.testing.assert_array_equal(parts.test, whole.test.images)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_distance_from_real_images_grows_with_noise(seed):
    rng = np.random.default_rng(seed)
    real, other = digits(400)[::2], digits(400)[1::2]
    noisy = np.clip(other + rng.normal(0, 60, other.shape), 0, 255).astype("uint8")
    near, far = (evaluation.frechet_from(real, given, "mnist") for given in (other, noisy))
    assert near < 0.5 * far


@pytest.mark.parametrize("dimension", [1, 3])
def test_dimensions_of_a_plane_and_of_a_generator_that_knows_ten_images(dimension):
    plane = np.random.default_rng(dimension).uniform(size=(1_000, dimension)) @ np.eye(dimension, 6)
    assert evaluation.dimensions(plane) == pytest.approx(
        {"dimension_likelihood": dimension, "dimension_two_nearest": dimension}, rel=0.15
    )
    assert set(evaluation.dimensions(np.repeat(plane[:10], 100, axis=0)).values()) == {0}


@pytest.mark.parametrize("look", [lambda x: features.class_features(x, "mnist"), features.imagenet_features])
def test_images_that_are_no_bytes_have_no_features(look):
    with pytest.raises(ValueError, match=r"images must be uint8 .*, not float64"):
        look(digits(2) / 255)
