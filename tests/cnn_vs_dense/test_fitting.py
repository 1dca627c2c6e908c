import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy.special import log_softmax, rel_entr, softmax

from cnn_vs_dense.fitting import Examples, classification_loss, decisions, fit, fit_images, schedule
from cnn_vs_dense.radon_layers import DetectorFilter

CLASSES = 3


def made_up(count, seed=0, noise=0.5):
    """Return examples of three classes of small sinograms, with soft targets and images."""
    rng = np.random.default_rng([seed, count])
    labels = rng.integers(0, CLASSES, count)
    centres = np.random.default_rng(5).normal(size=(CLASSES, 6, 2, 1))
    inputs = centres[labels] + noise * rng.normal(size=(count, 6, 2, 1))
    images = np.broadcast_to(labels[:, None, None, None] - 1.0, (count, 2, 2, 1))
    soft = 3 * np.eye(CLASSES)[labels]
    return Examples(inputs.astype("float32"), labels, soft.astype("float32"), images.astype("float32"))


def labelled(count, **options):
    return made_up(count, **options)._replace(soft=None, images=None)


def classifier(seed=0):
    initial = keras.initializers.GlorotUniform(seed)
    parts = [DetectorFilter(), layers.Flatten(), layers.Dense(CLASSES, kernel_initializer=initial)]
    return keras.Sequential([keras.Input((6, 2, 1)), *parts])


def with_image(seed=0):
    model = classifier(seed)
    head = keras.Sequential([layers.Dense(4, kernel_initializer=keras.initializers.GlorotUniform(1)),
                             layers.Reshape((2, 2, 1))])  # fmt: skip
    return keras.Model(model.inputs, {"logits": model.output, "image": head(model.layers[1].output)})


def run(model, train, validation=None, *, epochs=4, learning_rate=0.01, seed=0, **options):
    validation = labelled(60, seed=9) if validation is None else validation
    settings = {"epochs": epochs, "learning_rate": learning_rate, "seed": seed}
    return fit(model, lambda epoch: train, validation, **settings, **options)


def test_the_rate_rises_for_a_tenth_of_the_steps_and_falls_to_zero_as_a_cosine():
    rates = np.array([float(schedule(0.3, 50)(step)) for step in range(51)])
    np.testing.assert_allclose(rates[:5], 0.06 + 0.24 * np.arange(5) / 5, rtol=1e-5)
    np.testing.assert_allclose(rates[5:], 0.15 * (1 + np.cos(np.pi * np.arange(46) / 45)), atol=1e-7)
    assert rates.argmax() == 5


def gradient(model, examples):
    with tf.GradientTape() as tape:
        loss = classification_loss(model(examples.inputs), examples.labels)
    found = tape.gradient(loss, model.trainable_variables)
    return [tf.convert_to_tensor(g).numpy().astype("float64") for g in found]


# Filters have weights that occur several times in one product: their gradients have to be added up first.
def test_two_steps_are_those_of_adam_with_a_clipped_gradient():
    examples, oracle, found = labelled(20), classifier(), classifier()
    examples = examples._replace(inputs=100 * examples.inputs)
    first, second = ([np.zeros(w.shape) for w in oracle.get_weights()] for _ in range(2))
    for step in (1, 2):  # both at the highest rate
        gradients = gradient(oracle, examples)
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        assert norm > 10
        weights = oracle.get_weights()
        for n, g in enumerate(g / norm for g in gradients):
            first[n] = 0.9 * first[n] + 0.1 * g
            second[n] = 0.999 * second[n] + 0.001 * g**2
            mean, power = first[n] / (1 - 0.9**step), second[n] / (1 - 0.999**step)
            weights[n] = weights[n] - 0.01 * mean / (np.sqrt(power) + 1e-7)
        oracle.set_weights(weights)
    run(found, examples, examples, epochs=2)
    before, after = classifier().get_weights(), oracle.get_weights()
    for one, other, start in zip(found.get_weights(), after, before, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
        assert np.abs(other - start).max() > 0.01


@pytest.mark.parametrize("teacher", ["one-hot", "random"])
def test_distillation_and_its_gradient_are_those_of_the_paper(teacher):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, CLASSES)), rng.integers(0, CLASSES, 5)
    right = np.eye(CLASSES)[labels]
    soft = 1e3 * right if teacher == "one-hot" else rng.normal(size=(5, CLASSES))
    with tf.GradientTape() as tape:
        z = tf.Variable(logits)
        loss = classification_loss(z, labels, soft)
    divergence = rel_entr(softmax(soft / 2, axis=1), softmax(logits / 2, axis=1)).sum(1)
    cross_entropy = -(right * log_softmax(logits, axis=1)).sum(1)
    assert float(loss) == pytest.approx((cross_entropy / 2 + 4 * divergence / 2).mean(), rel=1e-5)
    hard, distilled = softmax(logits, axis=1) - right, softmax(logits / 2, axis=1) - softmax(soft / 2, axis=1)
    np.testing.assert_allclose(tape.gradient(loss, z), (hard / 2 + 2 * distilled / 2) / 5, atol=1e-6)


def test_a_network_that_agrees_with_its_teacher_learns_from_labels_alone():
    logits, labels = np.random.default_rng(0).normal(size=(5, CLASSES)), np.arange(5) % CLASSES
    loss = classification_loss(logits, labels, logits)
    assert float(loss) == pytest.approx(float(classification_loss(logits, labels)) / 2, rel=1e-6)


def test_the_best_validated_epoch_of_the_last_half_is_kept():
    model, validation = classifier(), labelled(40, seed=3, noise=3)
    history = run(model, labelled(300, noise=3), validation, epochs=7, learning_rate=0.3)
    assert list(history) == ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy", "kept"]
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    scores = history["validation_accuracy"]
    assert scores.isna().tolist() == [True] * 3 + [False] * 4
    assert history["kept"].sum() == 1
    # idxmax takes the earliest of equals.
    assert history.index[history["kept"]] == scores.idxmax()
    right = decisions(model, validation.inputs, validation.labels)
    assert right.dtype == bool
    assert right.mean() == pytest.approx(scores.max(), abs=1e-9)
    assert scores.nunique() > 1


def test_of_equally_good_epochs_the_earliest_is_kept():
    history = run(
        classifier(), labelled(300, noise=0.01), labelled(30, noise=0.01), epochs=6, learning_rate=0.1
    )
    assert history["validation_accuracy"].iloc[3:].tolist() == [1, 1, 1]
    assert history["kept"].tolist() == [False, False, False, True, False, False]


def test_a_training_repeats_bit_by_bit_and_its_order_with_the_seed():
    one, same, other = classifier(), classifier(), classifier()
    for model, seed in ((one, 1), (same, 1), (other, 2)):
        run(model, made_up(200), seed=seed)
    for a, b, c in zip(one.get_weights(), same.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()


def test_every_epoch_asks_once_for_its_examples():
    asked = []

    def examples(epoch):
        asked.append(epoch)
        return labelled(20, seed=epoch)

    fit(classifier(), examples, labelled(20), epochs=3, learning_rate=0.01, seed=0)
    assert asked == [0, 1, 2]


def test_only_with_a_weight_does_the_image_train_anything():
    train, alone = made_up(200), classifier()
    run(alone, train)
    for weight in (0.0, 3.0):
        model = with_image()
        head = model.get_weights()[-2:]
        run(model, train, image_weight=weight)
        moved = np.abs(model.get_weights()[-2] - head[0]).max()
        difference = np.abs(model.layers[1].kernel - alone.layers[0].kernel).max()
        assert (moved > 0, difference > 0) == (weight > 0, weight > 0)


def test_images_are_learned_and_the_epoch_of_the_lowest_error_is_kept():
    model = keras.Sequential(
        [keras.Input((6, 2, 1)), layers.Flatten(), layers.Dense(4), layers.Reshape((2, 2, 1))]
    )
    validation = made_up(100, seed=1)
    history = fit_images(model, lambda epoch: made_up(1000), validation, epochs=8, learning_rate=0.03, seed=0)
    assert list(history) == ["epoch", "loss", "validation_loss", "kept"]
    assert history.index[history["kept"]] == history["validation_loss"].idxmin()
    error = np.square(model(validation.inputs) - validation.images).mean()
    assert error == pytest.approx(history["validation_loss"].min(), rel=1e-4)
    # The best linear map, by least squares.
    inputs = [
        np.c_[made.inputs.reshape(-1, 12), np.ones(len(made.inputs))] for made in (made_up(1000), validation)
    ]
    best, *_ = np.linalg.lstsq(inputs[0], made_up(1000).images.reshape(-1, 4), rcond=None)
    assert error < 1.2 * np.square(inputs[1] @ best - validation.images.reshape(-1, 4)).mean()


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"inputs": np.full((20, 6, 2, 1), np.nan)}, {}, "inputs must be finite"),
        ({"labels": np.eye(CLASSES)}, {}, "20 examples|one integer an image"),
        (
            {"soft": np.zeros((19, CLASSES))},
            {},
            "must be 20 examples in every epoch, but there are .*19 soft",
        ),
        ({"images": None}, {"image_weight": 1.0}, "needs examples with images"),
        ({}, {"image_weight": -1.0}, "image_weight must be at least 0"),
        ({}, {"learning_rate": 0.0}, "learning_rate must be a positive number"),
        ({}, {"epochs": 0}, "epochs must be a whole number"),
        ({"inputs": np.full((20, 6, 2, 1), 1e38, "float32")}, {}, "In epoch 1 loss is"),
    ],
)
def test_what_cannot_be_trained_gets_one_clear_sentence(change, options, message):
    with pytest.raises(ValueError, match=message):
        run(with_image(), made_up(20)._replace(**change), **options)


def test_images_that_are_missing_get_one_clear_sentence():
    with pytest.raises(ValueError, match="needs examples with images"):
        fit_images(classifier(), lambda epoch: labelled(9), made_up(9), epochs=1, learning_rate=0.1, seed=0)
