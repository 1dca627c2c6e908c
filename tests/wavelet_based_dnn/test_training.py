import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from common import checkpoints
from common.checkpoints import described
from common.data import load_dataset
from common.seeded import HE
from wavelet_based_dnn.evaluation import accuracies_on_8x8_digits, early_exit, predictions, right_answers
from wavelet_based_dnn.models import build_cnn, build_dynamic_classifier
from wavelet_based_dnn.training import Schedule, losses, train
from wavelet_based_dnn.variants import SIZES, VARIANTS

SCHEDULE = Schedule(epochs=2, learning_rate=5e-3, batch_size=64)


def few(count=1_024):
    images = load_dataset("mnist").train[:count]
    return images.as_float(), images.labels


def random_logits(seed, heads, n=6):
    rng = np.random.default_rng(seed)
    return [tf.constant(rng.normal(size=(n, 10)), tf.float32) for _ in range(heads)], rng.integers(10, size=n)


@given(st.integers(0, 2**31), st.floats(0, 1))
def test_losses_are_the_cross_entropies_of_keras(seed, distillation):
    logits, labels = random_logits(seed, heads=3)
    finest, total = losses(logits, labels, distillation)
    of_labels = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    of_shares = keras.losses.CategoricalCrossentropy(from_logits=True)
    assert float(finest) == pytest.approx(float(of_labels(labels, logits[-1])), rel=1e-5)
    taught = softmax(logits[-1].numpy(), -1)
    others = [
        (1 - distillation) * of_labels(labels, head) + distillation * of_shares(taught, head)
        for head in logits[:-1]
    ]
    assert float(total) == pytest.approx(float(finest) + float(np.mean(others)), rel=1e-4)


def test_the_finest_head_does_not_feel_what_it_teaches():
    logits, labels = random_logits(0, heads=3)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        finest, total = losses(logits, labels, distillation=0.7)
    np.testing.assert_array_equal(tape.gradient(total, logits[-1]), tape.gradient(finest, logits[-1]))
    assert np.abs(tape.gradient(total, logits[0])).max() > 0


def test_one_head_learns_from_labels_alone():
    logits, labels = random_logits(0, heads=1)
    finest, total = losses(logits, labels, distillation=0.7)
    assert float(finest) == float(total)


@pytest.mark.parametrize(("arm", "count"), [("dynamic, haar", 1), ("resized, many", 2)])
def test_a_few_steps_learn_at_every_size_of_the_training(arm, count):
    images, labels = few(768)
    model, sizes = VARIANTS[arm].build(seed=0), VARIANTS[arm].sizes[:count]
    history = train(model, images, labels, sizes, SCHEDULE._replace(batch_size=16), seed=0)
    assert list(history["epoch"]) == [1, 2]
    assert history["loss"].iloc[1] < 0.6 * history["loss"].iloc[0]
    for size in sizes:
        assert right_answers(model, images[:500], labels[:500], size, size)[-1].mean() > 0.75


def test_the_largest_size_teaches_the_others(eagerly):
    images, labels = few(256)
    found = []
    for taught in (False, True):
        model = tiny()
        schedule = SCHEDULE._replace(largest_teaches=taught, epochs=1)
        found.append(float(train(model, images, labels, (8, 16), schedule, seed=0)["loss"].iloc[0]))
    assert found[0] != found[1]


def test_an_interrupted_training_continues_with_the_same_bits(tmp_path, monkeypatch):
    images, labels = few(256)
    run = {"images": images, "labels": labels, "sizes": (8,), "schedule": SCHEDULE, "seed": 3}
    whole = tiny()
    expected = train(whole, **run)

    class Killed(Exception):
        pass

    def kill_after_one(path, *rest):
        save(path, *rest)
        raise Killed

    save = checkpoints._save
    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "_save", kill_after_one)
        with pytest.raises(Killed):
            train(tiny(), **run, checkpoint=tmp_path / "run.npz")
    resumed = tiny()
    history = train(resumed, **run, checkpoint=tmp_path / "run.npz")
    assert history.equals(expected)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    others = {"images": images[::-1].copy()}, {"labels": 9 - labels}, {"sizes": (12,)}, {"seed": 4}
    for change, name in zip(others, ("data", "data", "sizes", "seed"), strict=True):
        with pytest.raises(ValueError, match=f"run.npz belongs to another run, with other {name};"):
            train(tiny(), **run | change, checkpoint=tmp_path / "run.npz")


def test_a_description_tells_one_wavelet_from_another():
    of = {name: described(build_dynamic_classifier(name)) for name in ("haar", "db2", "zeroed details")}
    assert len(set(of.values())) == 3
    assert described(build_dynamic_classifier()) == of["haar"]


def tiny():
    """Return a classifier of images of any size with all the state that there can be."""
    images = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(4, 3, kernel_initializer=HE(0))(images)
    x = keras.layers.Dropout(0.1, seed=0)(keras.layers.BatchNormalization()(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(images, [keras.layers.Dense(10, kernel_initializer=HE(seed))(x) for seed in (1, 2)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.full((9, 8, 8, 1), 99.0)}, r"images must lie in \[0, 1\], .*; divide them by 255"),
        ({"images": np.full((9, 8, 8, 1), np.nan)}, "images must be finite"),
        ({"labels": np.eye(10)[:9]}, "of one-hot rows take"),
        ({"labels": np.full(9, 10)}, "labels must lie in 0 to 9"),
        ({"seed": None}, "seed must be a whole number"),
        ({"sizes": 28}, "sizes must be a list of at least one size, not 28"),
        ({"sizes": (0,)}, "size must be a whole number of at least 1"),
        ({"schedule": SCHEDULE._replace(distillation=50)}, r"distillation must lie in \[0, 1\]"),
        ({"schedule": SCHEDULE._replace(learning_rate=-1)}, "learning_rate must be a positive number"),
        ({"schedule": SCHEDULE._replace(batch_size=0)}, "batch_size must be a whole number"),
    ],
)
def test_what_cannot_be_trained_on_gets_one_clear_sentence(change, message):
    run = {"images": np.zeros((9, 8, 8, 1)), "labels": np.zeros(9, int), "seed": 0}
    with pytest.raises(ValueError, match=message):
        train(None, **run | {"sizes": (8,), "schedule": SCHEDULE} | change)


def test_labels_of_another_shape_have_no_right_answers():
    images, labels = few(4)
    for wrong in (labels[:, None], labels[:3], np.eye(10)[labels]):
        with pytest.raises(ValueError, match="labels must be one integer an image"):
            right_answers(None, images, wrong, 8, 8)


def test_too_few_images_are_refused():
    images, labels = few(32)
    with pytest.raises(ValueError, match="A batch needs 64 images, but there are 32"):
        train(build_cnn(8), images, labels, (8,), SCHEDULE, seed=0)
    with pytest.raises(ValueError, match="there are 32 images and 31 labels"):
        train(build_cnn(8), images, labels[1:], (8,), SCHEDULE._replace(batch_size=8), seed=0)


def test_predictions_do_not_depend_on_the_batches():
    model, (images, _) = build_dynamic_classifier(), few(30)
    whole = predictions(model, images, 9, 12, batch_size=30)
    assert whole.shape == (4, 30, 10)
    np.testing.assert_allclose(predictions(model, images, 9, 12, batch_size=8), whole, atol=1e-5)


def test_digits_of_8_pixels_are_taken_as_they_are_and_framed():
    shapes = []

    def model(images):
        shapes.append(images.shape[1:])
        return [tf.one_hot(tf.zeros(len(images), "int32"), 10)]

    zeros = 178 / 1_797
    assert accuracies_on_8x8_digits(model) == pytest.approx([zeros, zeros])
    assert set(shapes) == {(8, 8, 1), (12, 12, 1)}


@given(st.integers(0, 2**31), st.integers(1, 4), st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_early_exit_is_the_loop_over_heads(seed, heads, thresholds):
    logits, labels = random_logits(seed, heads)
    logits, macs = np.stack([3 * head.numpy() for head in logits]), np.arange(1, heads + 1) * 100
    accuracy, mean_macs = early_exit(logits, labels, macs, thresholds)
    for number, threshold in enumerate(thresholds):
        right, cost = [], []
        for image, label in enumerate(labels):
            for head in range(heads):
                probabilities = softmax(logits[head, image])
                if probabilities.max() >= threshold or head == heads - 1:
                    right.append(probabilities.argmax() == label)
                    cost.append(macs[head])
                    break
        assert accuracy[number] == pytest.approx(np.mean(right))
        assert mean_macs[number] == pytest.approx(np.mean(cost))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": softmax(np.ones((2, 3, 10)), -1)}, "these are probabilities"),
        ({"logits": np.full((2, 3, 10), np.nan)}, "must be finite"),
        ({"thresholds": [90]}, r"threshold must lie in \[0, 1\], not be 90; divide percent by 100"),
        ({"macs": [1]}, "with 1 levels"),
    ],
)
def test_exits_that_would_be_wrong_are_refused(change, message):
    run = {"logits": np.ones((2, 3, 10)), "labels": np.zeros(3, int), "macs": [1, 2], "thresholds": [0.5]}
    with pytest.raises(ValueError, match=message):
        early_exit(**run | change)


@pytest.mark.parametrize("wrong", [{"images": np.full((2, 8, 8, 1), 255.0)}, {"height": 0}, {"width": 8.0}])
def test_images_and_sizes_without_predictions_are_refused(wrong):
    with pytest.raises(ValueError, match=r"divide by the value|must be a whole number"):
        predictions(None, **{"images": np.zeros((2, 8, 8, 1)), "height": 8, "width": 8} | wrong)


def test_sizes_are_those_of_the_study():
    assert SIZES == (8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 32, 36, 40, 48, 56)
