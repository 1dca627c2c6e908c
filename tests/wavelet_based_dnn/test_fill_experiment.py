import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from common.data import Dataset, load_dataset
from wavelet_based_dnn import experiments, scene_evaluation, scene_training, trainings
from wavelet_based_dnn.fill_evaluation import both, read_fills, true_fills
from wavelet_based_dnn.fills import NATIVE, draw_fills, joint_labels
from wavelet_based_dnn.rivals import HalvedScales, halved_images
from wavelet_based_dnn.scale_network import ScaleNetwork
from wavelet_based_dnn.scenes import draw_scenes


@pytest.fixture
def few(monkeypatch, eagerly, tmp_path):
    """Few images, fills, scenes and steps, kept nowhere."""
    data = load_dataset("fashion_mnist")
    for module in (experiments, trainings):
        monkeypatch.setattr(module, "load_dataset", lambda name: Dataset(data.train[:60], data.test[:20]))
        monkeypatch.setattr(module, "TRAINING_IMAGES", 40)
        monkeypatch.setattr(module, "FILL_CANVASES", ((28, 28),))
    counts = {"VALIDATION_FILLS": 9, "TEST_FILLS": 9, "VALIDATION_SCENES": 10, "TEST_SCENES": 20}
    for name, count in counts.items():
        monkeypatch.setattr(experiments, name, count)
    monkeypatch.setattr(scene_evaluation, "BATCH", 10)
    monkeypatch.setattr(trainings, "FILLS", 9)
    monkeypatch.setattr(trainings, "TRAININGS", tmp_path / "none")
    monkeypatch.setattr(scene_training, "STEPS_A_ROW", 1)
    monkeypatch.setattr(scene_training, "BATCH_SIZE", 2)


@pytest.mark.parametrize("halved", [False, True])
def test_both_labels_are_measured_at_every_level_and_at_half_the_size(few, halved):
    found = experiments.fills(variant="Haar", halved=halved, steps=2, seed=0)
    labels = [f"{view}{label}" for view in ("", "halved_") for label in ("silhouette", "orientation")]
    named = {f"{name}_{label}" for name in ("right", "levels") for label in labels}
    assert set(found) == {"loss", "validation", *named}
    assert found["loss"].shape == found["validation"].shape == (2,)
    for label in labels:
        right, levels = found[f"right_{label}"], found[f"levels_{label}"]
        assert right.dtype == bool
        assert right.shape == (20,)
        assert levels.shape == (4,)
        assert levels[-1] == right.mean()


@given(st.integers(0, 2**31), st.integers(1, 4), st.integers(2, 6))
def test_each_answer_has_the_largest_sum_of_probabilities(seed, levels, silhouettes):
    logits = np.random.default_rng(seed).normal(0, 3, (levels, 5, silhouettes, 4))
    probabilities = softmax(logits, axis=(2, 3))
    silhouette, orientation = both(logits.reshape(levels, 5, -1))
    np.testing.assert_array_equal(silhouette, probabilities.sum(3).argmax(2))
    np.testing.assert_array_equal(orientation, probabilities.sum(2).argmax(2))


@settings(max_examples=5)
@given(st.integers(0, 2**31))
def test_a_scene_keeps_both_labels_of_its_fill(seed):
    images = np.ones((8, 28, 28, 1), "float32")
    fills = draw_fills(images, np.arange(8), 6, seed=seed)
    scenes = draw_scenes(
        fills.images, joint_labels(fills), 9, (28, 28), seed=seed, clutter=NATIVE._replace(patches=0, noise=0)
    )
    for image, silhouette, orientation in zip(scenes.images, *true_fills([scenes]), strict=True):
        (place,) = np.flatnonzero(np.all(np.isclose(fills.images, image, atol=1e-6), axis=(1, 2, 3)))
        assert (silhouette, orientation) == (fills.labels[place], fills.orientations[place])


@settings(max_examples=3)
@given(st.integers(0, 2**31), st.integers(4, 9), st.integers(4, 9))
def test_a_network_that_halves_first_is_blind_to_zero_means_of_blocks(seed, rows, columns):
    rng = np.random.default_rng(seed)
    images, details = rng.random((2, 2, 2 * rows, 2 * columns, 1), dtype="float32")
    details -= tf.repeat(tf.repeat(halved_images(details), 2, 1), 2, 2).numpy()
    network = HalvedScales("haar", (4,) * 7, 40, seed % 100)
    whole = ScaleNetwork(**network.arguments)
    halves = images.reshape(2, rows, 2, columns, 2, 1).mean(axis=(2, 4))
    for one, other, third in zip(network(images), network(images + details), whole(halves), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
        np.testing.assert_allclose(one, third, atol=1e-4)


@pytest.mark.parametrize("view", [tf.identity, halved_images])
def test_scenes_are_read_in_batches_as_a_view_shows_them(view, eagerly):
    images = np.random.default_rng(0).random((4, 28, 28, 1), dtype="float32")
    network = ScaleNetwork("haar", (4,) * 7, 40, 0)
    scenes = draw_scenes(images, np.arange(4), 5, (28, 28), seed=0, clutter=NATIVE)
    batches = [type(scenes)(*(part[rows] for part in scenes)) for rows in (slice(3), slice(3, 5))]
    expected = both(np.stack(network(view(scenes.images))))
    np.testing.assert_array_equal(read_fills(network, batches, view), expected)
