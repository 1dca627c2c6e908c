import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import data


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_28x28_data_are_whole(name):
    loaded = data.load_dataset(name)
    for part, count in ((loaded.train, 60000), (loaded.test, 10000)):
        assert part.images.shape == (count, 28, 28, 1)
        assert part.images.dtype == np.uint8
        assert part.labels.dtype == np.int64
        assert set(np.unique(part.labels)) == set(range(10))
        assert len(part.class_names) == 10


def test_mnist_has_the_published_class_counts():
    # Counts of the digits 0 to 9 in the training set, as the database's page and every textbook gives them.
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.load_mnist().train.labels).tolist() == counts


def test_as_float_is_the_stored_value_over_the_maximum():
    digits = data.load_digits_8x8()
    assert digits.as_float().dtype == np.float32
    np.testing.assert_allclose(digits.as_float(), digits.images / 16, rtol=1e-7)
    mnist = data.load_mnist().test[:500]
    assert (mnist.as_float().min(), mnist.as_float().max()) == (0, 1)
    np.testing.assert_array_equal(np.round(mnist.as_float() * 255).astype("uint8"), mnist.images)


def test_subsets_keep_images_and_labels_together():
    test = data.load_mnist().test
    chosen = np.flatnonzero(test.labels == 7)
    np.testing.assert_array_equal(test[chosen].images, test.images[chosen])
    assert set(test[chosen].labels) == {7}
    assert len(test[test.labels == 7]) == len(chosen)


def test_digits_8x8_agree_with_scikit_learn():
    from sklearn.datasets import load_digits

    digits = data.load_digits_8x8()
    np.testing.assert_array_equal(digits.images[..., 0], load_digits().images)
    np.testing.assert_array_equal(digits.labels, load_digits().target)


@pytest.mark.parametrize("size", [64, 224])
def test_imagenet_samples_have_labels_and_names(size):
    samples = data.load_imagenet_samples(size)
    assert samples.images.shape == (20, size, size, 3)
    assert len(samples.class_names) == 1000
    assert samples.class_names[samples.labels[4]] == "strawberry"
    assert samples.images.std() > 30


@pytest.mark.parametrize("name", data.PHOTOGRAPHS)
def test_photographs_load_without_a_network(name, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "socket", refuse)
    photograph = data.load_photograph(name)
    assert photograph.images.dtype == np.uint8
    assert photograph.images.shape[0] == 1
    assert photograph.images.shape[3] in (1, 3)
    assert photograph.as_float().max() <= 1


@pytest.mark.fault("data file truncated or with a flipped bit", "one sentence, and the file stays as it is")
@given(name=st.sampled_from(["mnist", "fashion_mnist"]), place=st.floats(0, 0.999), bit=st.integers(-1, 7))
def test_a_damaged_file_gives_one_clear_sentence(tmp_path_factory, name, place, bit):
    content = bytearray((data.FOLDER / f"{name}.npz").read_bytes())
    place = int(place * len(content))
    if bit < 0:
        content = content[:place]
    else:
        content[place] ^= 1 << bit
    folder = tmp_path_factory.mktemp("data")
    (folder / f"{name}.npz").write_bytes(content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(data, "FOLDER", folder)
        with pytest.raises(ValueError, match=rf"^{name}.npz is truncated or altered: its SHA-256 is"):
            data.load_dataset(name)
    assert (folder / f"{name}.npz").read_bytes() == content
    shutil.rmtree(folder)


def test_a_missing_file_gives_one_clear_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"fashion_mnist.npz is missing"):
        data.load_fashion_mnist()
    shutil.copy(data.Path(data.__file__).parent / "data" / "fashion_mnist.npz", tmp_path)
    assert len(data.load_fashion_mnist().test) == 10000


@pytest.mark.parametrize(
    ("load", "argument", "message"),
    [
        (data.load_dataset, "cifar10", "there are mnist, fashion_mnist"),
        (data.load_photograph, "selfie", "there are astronaut"),
        (data.load_imagenet_samples, 0, "positive number of pixels"),
        (data.load_imagenet_samples, 22.5, "positive number of pixels"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(load, argument, message):
    with pytest.raises(ValueError, match=message):
        load(argument)


def test_images_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        data.load_mnist().test.images[0] = 0


def test_importing_data_does_not_import_tensorflow():
    code = "import sys, common.data; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
