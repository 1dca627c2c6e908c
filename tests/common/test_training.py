import hashlib

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from common import training
from common.data import load_digits_8x8

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def classifier(optimizer, dropout=0.2, seed=0, activation="tanh", loss=LOSS):
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation, kernel_initializer=keras.initializers.GlorotUniform(seed)),
        keras.layers.Dropout(dropout, seed=seed),
        keras.layers.Dense(10, kernel_initializer=keras.initializers.GlorotUniform(seed + 1)),
    ])  # fmt: skip
    model.compile(optimizer, loss)
    return model


def digits(count=300):
    chosen = load_digits_8x8()[:count]
    return chosen.as_float(), chosen.labels


def fit(epochs=3, seed=0, optimizer=None, train=None, activation="tanh", loss=LOSS, **kwargs):
    model = classifier(optimizer or keras.optimizers.Adam(0.01), activation=activation, loss=loss)
    history = training.fit(model, train or digits(), epochs=epochs, seed=seed, batch_size=64, **kwargs)
    return model, history


def assert_same_weights(one, other):
    for x, y in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_training_learns_and_reports_every_epoch():
    model, history = fit(epochs=12, validation=digits())
    assert history.columns.tolist() == ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"]
    assert history["epoch"].tolist() == list(range(1, 13))
    assert history["validation_accuracy"].iloc[-1] > 0.9
    loss, accuracy = training.evaluate(model, *digits())
    assert (loss, accuracy) == tuple(history.iloc[-1][["validation_loss", "validation_accuracy"]])


def test_validation_is_measured_every_few_epochs():
    _, every = fit(epochs=6, validation=digits())
    _, third = fit(epochs=6, validation=digits(), validate_every=3)
    measured = third.dropna()
    assert measured["epoch"].tolist() == [3, 6]
    assert measured.equals(every[every["epoch"] % 3 == 0])


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    one, other, different = fit(seed=1)[0], fit(seed=1)[0], fit(seed=2)[0]
    assert_same_weights(one, other)
    assert any((x != y).any() for x, y in zip(one.get_weights(), different.get_weights(), strict=True))


def test_plain_gradient_descent_agrees_with_numpy():
    # One epoch of SGD on a linear softmax classifier, written out by hand, in the same order of examples.
    images, labels = digits(100)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(),
                              keras.layers.Dense(10, kernel_initializer="zeros")])  # fmt: skip
    model.compile(keras.optimizers.SGD(0.5), LOSS)
    training.fit(model, (images, labels), epochs=1, seed=7, batch_size=30)
    x, weights, bias = images.reshape(100, 64).astype(float), np.zeros((64, 10)), np.zeros(10)
    order = np.random.default_rng([7, 0]).permutation(100)
    for start in range(0, 100, 30):
        chosen = order[start : start + 30]
        logits = x[chosen] @ weights + bias
        probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        error = (probability - np.eye(10)[labels[chosen]]) / len(chosen)
        weights -= 0.5 * x[chosen].T @ error
        bias -= 0.5 * error.sum(axis=0)
    np.testing.assert_allclose(model.get_weights()[0], weights, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], bias, atol=1e-6)


@settings(max_examples=5)
@given(st.integers(1, 400), st.integers(1, 64))
def test_evaluation_does_not_depend_on_the_batch_size(count, batch_size):
    images, labels = digits(count)
    model = classifier("sgd")
    logits = ops.convert_to_numpy(model(images))
    expected = LOSS(labels, logits), np.mean(logits.argmax(1) == labels)
    np.testing.assert_allclose(training.evaluate(model, images, labels, batch_size), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_labels_may_be_of_any_type_of_integers(dtype):
    images, labels = digits()
    found = []
    for same in (labels, labels.astype(dtype)):
        model = classifier(keras.optimizers.SGD(0.1), dropout=0.0)
        training.fit(model, (images, same), (images, same), epochs=1, seed=0)
        found.append(model)
    assert_same_weights(*found)


IMAGES, LABELS = digits()
WRONG = {
    "lengths": ((IMAGES, LABELS[:-1]), r"there are 300 images and 299 labels of"),
    "a column": (
        (IMAGES, LABELS[:, None]),
        r"one integer an image, shape \(300,\), not .* \(300, 1\); take \[:, 0\]",
    ),
    "one-hot": (
        (IMAGES, np.eye(10)[LABELS]),
        r"not of shape \(300, 10\); of one-hot rows take .argmax\(axis=1\)",
    ),
    "floats": ((IMAGES, LABELS.astype(float)), "not float64; convert them"),
    "eleven classes": ((IMAGES, LABELS + 1), "labels of .* must lie in 0 to 9, but they reach from 1 to 10"),
    "unknown": ((IMAGES, LABELS - 1), "must lie in 0 to 9, but they reach from -1 to 8"),
    "no pair": (load_digits_8x8()[:2], r"must be a pair \(images, labels\), not ImageSet"),
    "three": ((IMAGES, LABELS, LABELS), "must be a pair"),
    "masked": ((np.ma.masked_greater(IMAGES, 0.9), LABELS), "must not be masked"),
    "channels first": (
        (np.moveaxis(IMAGES, -1, 1), LABELS),
        r"takes images of the shape \(8, 8, 1\), not \(1, 8, 8\)",
    ),
    "one-axis images": ((LABELS.astype(float), IMAGES), r"images of the shape \(8, 8, 1\), not \(\)"),
    "nothing": ((IMAGES[:0], LABELS[:0]), "holds no images"),
    "NaN": ((IMAGES * np.float32(np.nan), LABELS), "must be finite"),
    "bytes": (((16 * IMAGES).astype("uint8"), LABELS), "must be floating point, not uint8"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_images_and_labels_that_do_not_fit_get_one_clear_sentence(kind):
    data, message = WRONG[kind]
    model = classifier("sgd")
    calls = (
        lambda: training.fit(model, data, epochs=1, seed=0),
        lambda: training.fit(model, digits(), data, epochs=1, seed=0),
        lambda: training.evaluate(model, *data),
    )
    for call in calls[: 3 if isinstance(data, tuple) and len(data) == 2 else 2]:
        with pytest.raises(ValueError, match=message):
            call()


def test_a_schedule_that_is_over_trains_nothing_more():
    model = small(10)
    training.compile_classifier(model, 0.01, steps=5)
    training.fit(model, digits(), epochs=1, seed=0, batch_size=60)
    with pytest.raises(ValueError, match="learning rate is 0 before epoch 1; compile the model anew"):
        training.fit(model, digits(), epochs=1, seed=0, batch_size=60)
    training.compile_classifier(model, -0.1, steps=5)
    with pytest.raises(ValueError, match=r"learning rate is -0\.1 before epoch 1"):
        training.fit(model, digits(), epochs=1, seed=0)


def test_outputs_that_are_nan_have_no_accuracy():
    model = classifier("sgd")
    model.set_weights([np.nan * weight for weight in model.get_weights()])
    with pytest.raises(ValueError, match="The loss is nan, because the outputs of the model are not finite"):
        training.evaluate(model, *digits())


def small(outputs, activation=None):
    return keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(outputs, activation)]
    )


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        (
            small(10),
            "categorical_crossentropy",
            "categorical_crossentropy does not take integer labels; compile w",
        ),
        (
            small(10),
            keras.losses.CategoricalCrossentropy(),
            "CategoricalCrossentropy does not take integer labels",
        ),
        (
            small(1, "sigmoid"),
            keras.losses.binary_crossentropy,
            "binary_crossentropy does not take integer labels",
        ),
        (small(1, "sigmoid"), LOSS, r"must return one output a class, \(n, classes\); two classes need two"),
        (small(10, "softmax"), LOSS, r"returns probabilities; compile with .*\(from_logits=False\)"),
        (
            small(10),
            "sparse_categorical_crossentropy",
            r"returns logits; compile with .*\(from_logits=True\)",
        ),
        (
            small(10),
            None,
            "Compile the model with an optimizer and keras.losses.SparseCategoricalCrossentropy",
        ),
    ],
)
def test_a_loss_that_does_not_fit_integer_labels_is_refused(model, loss, message):
    if loss is not None:
        model.compile("sgd", loss)
    for call in (
        lambda: training.fit(model, digits(), epochs=1, seed=0),
        lambda: training.evaluate(model, *digits()),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_probabilities_with_their_loss_and_a_loss_of_ones_own_are_accepted():
    for loss in (
        "sparse_categorical_crossentropy",
        lambda y, p: keras.losses.sparse_categorical_crossentropy(y, p),
    ):
        model = small(10, "softmax")
        model.compile("sgd", loss)
        history = training.fit(model, digits(), digits(), epochs=2, seed=0)
        assert (history["accuracy"] <= 1).all()
        assert history["validation_loss"].iloc[-1] == pytest.approx(training.evaluate(model, *digits())[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"validate_every": 0}, "validate_every must be a whole number of at least 1, not 0"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"epochs": 1.5}, "epochs must be a whole number of at least 1, not 1.5"),
        ({"seed": None}, "seed must be a whole number of at least 0, not None"),
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
    ],
)
def test_numbers_out_of_their_range_get_one_clear_sentence(change, message):
    with pytest.raises(ValueError, match=message):
        fit(**change)


def test_weights_that_are_nan_and_a_training_that_diverges_are_refused():
    model = classifier("sgd")
    model.layers[-1].bias.assign(np.full(10, np.nan))
    with pytest.raises(ValueError, match="weights of the model hold NaN or infinity before the training"):
        training.fit(model, digits(), epochs=1, seed=0)
    with pytest.raises(ValueError, match=r"Epoch \d has loss (nan|inf).*: the training diverged"):
        training.fit(small_diverging(), digits(), epochs=5, seed=0)


def small_diverging():
    model = keras.Sequential([small(64), keras.layers.Dense(10)])
    model.compile(keras.optimizers.SGD(1e30), LOSS)
    return model


def test_images_of_double_precision_train_as_those_of_single_do():
    images, labels = digits()
    found = []
    for same in (images, images.astype("float64")):
        model = classifier(keras.optimizers.SGD(0.1), dropout=0.0)
        training.fit(model, (same, labels), epochs=1, seed=0)
        found.append(model)
    assert_same_weights(*found)


def digest_of(model, history):
    weights = b"".join(w.tobytes() for w in model.get_weights())
    return hashlib.sha256(weights + history.to_json().encode()).hexdigest()


@pytest.mark.parametrize("count", [40, 128, 500])
def test_an_epoch_is_as_long_as_its_order(count):
    images, labels = digits()
    order = np.random.default_rng(count).integers(len(images), size=count).astype("int32")
    found = []
    for arrays, chosen in (((images, labels), order), ((images[order], labels[order]), np.arange(count))):
        model = classifier(keras.optimizers.SGD(0.1), dropout=0.0)
        model.optimizer.build(model.trainable_variables)
        run_epoch = training.epoch_function(model, batch_size=64)
        losses = run_epoch(*map(ops.convert_to_tensor, arrays), chosen.astype("int32"))
        found.append([*map(float, losses), *model.get_weights()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
