import hashlib
import re
import shutil

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from common import training
from common.data import load_digits_8x8

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def classifier(optimizer, dropout=0.2, seed=0):
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="tanh", kernel_initializer=keras.initializers.GlorotUniform(seed)),
        keras.layers.Dropout(dropout, seed=seed),
        keras.layers.Dense(10, kernel_initializer=keras.initializers.GlorotUniform(seed + 1)),
    ])  # fmt: skip
    model.compile(optimizer, LOSS)
    return model


def digits(count=300):
    chosen = load_digits_8x8()[:count]
    return chosen.as_float(), chosen.labels


def fit(epochs=3, seed=0, optimizer=None, dropout=0.2, **kwargs):
    model = classifier(optimizer or keras.optimizers.Adam(0.01), dropout)
    return model, training.fit(model, digits(), epochs=epochs, seed=seed, batch_size=64, **kwargs)


def assert_same_weights(one, other):
    for x, y in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_training_learns_and_reports_every_epoch():
    model, history = fit(epochs=30, validation=digits())
    assert history.columns.tolist() == ["epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"]
    assert history["epoch"].tolist() == list(range(1, 31))
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


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.05, momentum=0.9),
        lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 30)),
    ],
)
def test_an_interrupted_fit_continues_with_the_same_bits(tmp_path, optimizer):
    whole, history = fit(epochs=6, optimizer=optimizer())
    checkpoint = tmp_path / "checkpoint.npz"
    fit(epochs=4, optimizer=optimizer(), checkpoint=checkpoint)
    resumed, resumed_history = fit(epochs=6, optimizer=optimizer(), checkpoint=checkpoint)
    assert_same_weights(whole, resumed)
    assert resumed_history.equals(history)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    checkpoint = tmp_path / "checkpoint.npz"
    fit(seed=0, checkpoint=checkpoint)
    saved = checkpoint.read_bytes()
    for change in ({"seed": 1}, {"optimizer": keras.optimizers.Adam(0.02)}):
        with pytest.raises(ValueError, match="belongs to another run"):
            fit(**change, checkpoint=checkpoint)
    assert checkpoint.read_bytes() == saved


def test_a_checkpoint_of_more_epochs_or_other_shapes_is_refused_and_changes_nothing(tmp_path):
    checkpoint = tmp_path / "checkpoint.npz"

    def resume(variables, epochs):
        return training.resumable(lambda epoch: {"epoch": epoch}, variables, epochs, {}, checkpoint)

    resume([keras.Variable(np.ones(3)), keras.Variable(np.ones(2))], 3)
    saved = checkpoint.read_bytes()
    refused = [((3, 2), 2, "further than epoch 2"), ((3, 4), 3, "belongs to another run")]
    for shapes, epochs, message in refused:
        variables = [keras.Variable(np.zeros(shape)) for shape in shapes]
        with pytest.raises(ValueError, match=message):
            resume(variables, epochs)
        assert not any(np.any(variable.numpy()) for variable in variables)
    assert checkpoint.read_bytes() == saved


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_labels_may_be_of_any_type_of_integers(dtype):
    images, labels = digits()
    found = []
    for same in (labels, labels.astype(dtype)):
        model = classifier(keras.optimizers.SGD(0.1), dropout=0.0)
        training.fit(model, (images, same), (images, same), epochs=1, seed=0)
        found.append(model)
    assert_same_weights(*found)


@pytest.mark.fault("checkpoint truncated", "one sentence, and the file stays as it is")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_checkpoint_gives_one_clear_sentence(tmp_path, share):
    checkpoint = tmp_path / "checkpoint.npz"
    fit(checkpoint=checkpoint)
    saved = checkpoint.read_bytes()
    truncated = saved[: int(share * len(saved))]
    checkpoint.write_bytes(truncated)
    with pytest.raises(ValueError, match=r"checkpoint.npz is not a whole checkpoint"):
        fit(checkpoint=checkpoint)
    assert checkpoint.read_bytes() == truncated


@pytest.mark.fault("checkpoint with a flipped bit", "one sentence, or the same training")
@given(bit=st.integers(0, 10**9))
def test_a_flipped_bit_in_a_checkpoint_is_found_or_changes_nothing(finished, bit):
    checkpoint, copy, whole = finished
    damaged = bytearray(copy.read_bytes())
    damaged[bit // 8 % len(damaged)] ^= 1 << bit % 8
    checkpoint.write_bytes(damaged)
    try:
        found = digest(*fit(checkpoint=checkpoint))
    except ValueError as error:
        found = str(error)
    if found != whole:
        assert re.match(r"checkpoint.npz (is not a whole checkpoint|belongs to another run)", found)
        assert checkpoint.read_bytes() == damaged


def test_a_damaged_header_of_an_array_is_found(finished):
    checkpoint, copy, _ = finished
    about, name, arrays = copy.read_bytes().partition(b"0.npy")
    damaged = about + name + arrays.replace(b" \n", b"(\n", 1)
    checkpoint.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"checkpoint.npz is not a whole checkpoint"):
        fit(checkpoint=checkpoint)
    assert checkpoint.read_bytes() == damaged


@pytest.mark.parametrize(("field", "bit"), [(8, 0), (10, 2)])
def test_a_flag_or_method_that_no_archive_has_is_found(finished, field, bit):
    checkpoint, copy, _ = finished
    damaged = bytearray(copy.read_bytes())
    damaged[damaged.index(b"PK\x01\x02") + field] ^= 1 << bit  # encrypted, or compressed in another way
    checkpoint.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"checkpoint.npz is not a whole checkpoint"):
        fit(checkpoint=checkpoint)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A checkpoint of a finished training, a copy of it, and the digest of the training."""
    checkpoint = tmp_path_factory.mktemp("finished") / "checkpoint.npz"
    whole = digest(*fit(checkpoint=checkpoint))
    return checkpoint, shutil.copy(checkpoint, checkpoint.with_name("copy.npz")), whole


def test_lengths_must_agree():
    images, labels = digits()
    with pytest.raises(ValueError, match="train holds 300 images and 299 labels"):
        training.fit(classifier("sgd"), (images, labels[:-1]), epochs=1, seed=0)


def digest(model, history):
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
