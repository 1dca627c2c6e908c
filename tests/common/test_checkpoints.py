import re
import shutil

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.checkpoints import described, digest, resumable
from tests.common.test_training import assert_same_weights, digest_of, digits, fit


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A checkpoint of a finished training, a copy of it, and the digest of the training."""
    checkpoint = tmp_path_factory.mktemp("finished") / "checkpoint.npz"
    whole = digest_of(*fit(checkpoint=checkpoint))
    return checkpoint, shutil.copy(checkpoint, checkpoint.with_name("copy.npz")), whole


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


def changed_image():
    images, labels = digits()
    return images + np.eye(8, dtype="float32")[..., None] / 100 * (np.arange(300) == 7)[
        :, None, None, None
    ], labels


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ({"seed": 1}, "seed"),
        ({"optimizer": keras.optimizers.Adam(0.02)}, "optimizer"),
        ({"train": changed_image()}, "data"),
        ({"train": (digits()[0], digits()[1][::-1].copy())}, "data"),
        ({"activation": "relu"}, "model"),
        ({"validation": digits(), "seed": 3}, "validation data, seed"),
        ({"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)}, "loss"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(finished, change, other):
    checkpoint, copy, _ = finished
    shutil.copy(copy, checkpoint)
    with pytest.raises(
        ValueError, match=f"checkpoint.npz belongs to another run, with other {other}; delete"
    ):
        fit(**change, checkpoint=checkpoint)
    assert checkpoint.read_bytes() == copy.read_bytes()


def test_a_checkpoint_of_more_epochs_or_other_shapes_is_refused_and_changes_nothing(tmp_path):
    checkpoint = tmp_path / "checkpoint.npz"

    def resume(variables, epochs):
        return resumable(lambda epoch: {"epoch": epoch}, variables, epochs, {}, checkpoint)

    resume([keras.Variable(np.ones(3)), keras.Variable(np.ones(2))], 3)
    saved = checkpoint.read_bytes()
    refused = [((3, 2), 2, "further than epoch 2"), ((3, 4), 3, "another run, with other weights")]
    for shapes, epochs, message in refused:
        variables = [keras.Variable(np.zeros(shape)) for shape in shapes]
        with pytest.raises(ValueError, match=message):
            resume(variables, epochs)
        assert not any(np.any(variable.numpy()) for variable in variables)
    assert checkpoint.read_bytes() == saved


def test_an_epoch_that_measures_nan_is_refused_and_not_stored(tmp_path):
    def measure(epoch):
        return {"epoch": epoch + 1, "distance": 1.0 if epoch == 0 else np.nan}

    with pytest.raises(
        ValueError, match="Epoch 2 has distance nan: the training diverged, or its validation"
    ):
        resumable(measure, [], 3, {}, tmp_path / "run.npz")
    assert len(resumable(measure, [], 1, {}, tmp_path / "run.npz")) == 1


@given(seed=st.integers(0, 99), shape=st.lists(st.integers(0, 3), max_size=3).map(tuple))
def test_a_digest_changes_with_every_value_type_and_shape(seed, shape):
    array = np.random.default_rng(seed).random(shape)
    assert digest(array) == digest(array.copy(order="F"))
    others = [array.astype("float32"), array[None], array + 1] if array.size else [array[None]]
    assert len({digest(other) for other in (array, *others)}) == 1 + len(others)


def test_a_description_knows_no_numbers_of_a_session():
    def build(units, shared):
        inputs = keras.Input((4,))
        layer = keras.layers.Dense(units)
        hidden = layer(inputs)
        return keras.Model(inputs, keras.layers.Add()([hidden, layer(hidden) if shared else hidden]))

    one, same, wider, wired = build(4, True), build(4, True), build(5, False), build(4, False)
    assert one.name != same.name
    assert described(one) == described(same)
    assert len({described(model) for model in (one, wider, wired)}) == 3


@pytest.mark.fault("checkpoint truncated", "one sentence, and the file stays as it is")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_checkpoint_gives_one_clear_sentence(finished, share):
    _, copy, _ = finished
    saved = copy.read_bytes()
    assert_damaged(finished, saved[: int(share * len(saved))])


@pytest.mark.fault("checkpoint with a flipped bit", "one sentence, or the same training")
@given(bit=st.integers(0, 10**9))
def test_a_flipped_bit_in_a_checkpoint_is_found_or_changes_nothing(finished, bit):
    checkpoint, copy, whole = finished
    damaged = bytearray(copy.read_bytes())
    damaged[bit // 8 % len(damaged)] ^= 1 << bit % 8
    checkpoint.write_bytes(damaged)
    try:
        found = digest_of(*fit(checkpoint=checkpoint))
    except ValueError as error:
        found = str(error)
    if found != whole:
        assert re.match(r"checkpoint.npz (is not a whole checkpoint|belongs to another run)", found)
        assert checkpoint.read_bytes() == damaged


def test_a_damaged_header_of_an_array_is_found(finished):
    about, name, arrays = finished[1].read_bytes().partition(b"0.npy")
    assert_damaged(finished, about + name + arrays.replace(b" \n", b"(\n", 1))


@pytest.mark.parametrize(("field", "bit"), [(8, 0), (10, 2)])
def test_a_flag_or_method_that_no_archive_has_is_found(finished, field, bit):
    damaged = bytearray(finished[1].read_bytes())
    damaged[damaged.index(b"PK\x01\x02") + field] ^= 1 << bit  # encrypted, or compressed in another way
    assert_damaged(finished, damaged)


def assert_damaged(finished, content):
    checkpoint, *_ = finished
    checkpoint.write_bytes(content)
    with pytest.raises(ValueError, match=r"checkpoint.npz is not a whole checkpoint"):
        fit(checkpoint=checkpoint)
    assert checkpoint.read_bytes() == content


def test_a_folder_is_no_checkpoint_to_delete(tmp_path):
    with pytest.raises(ValueError, match=r"is a folder; a checkpoint is a file, such as"):
        fit(checkpoint=tmp_path)
