import shutil
import subprocess

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import weights
from common.notebooks import ROOT
from common.weights import SUMS, are_whole, load_weights, save_weights

COMMITTED = sorted(ROOT.glob("*/weights"))


def build(seed=0):
    # Keras numbers layers without a name, and the names are saved.
    initializer = keras.initializers.GlorotUniform(seed)
    layers = [keras.Input((3,)), keras.layers.Dense(2, kernel_initializer=initializer, name="dense")]
    return keras.Sequential(layers, name="small")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The path of saved weights and their content."""
    path = tmp_path_factory.mktemp("weights") / "small.weights.h5"
    save_weights(build(), path)
    return path, path.read_bytes()


def test_what_was_saved_comes_back(saved):
    path, content = saved
    path.write_bytes(content)
    for found, weight in zip(load_weights(build(1), path).get_weights(), build().get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)


def test_a_path_may_be_text_and_other_files_get_one_clear_sentence(saved):
    path, content = saved
    path.write_bytes(content)
    assert load_weights(build(1), str(path)).get_weights()[0].tolist() == build().get_weights()[0].tolist()
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")], name="small")
    with pytest.raises(ValueError, match=r"^small.weights.h5 holds the weights of another architecture\.$"):
        load_weights(other, path)
    with pytest.raises(ValueError, match="There are no weights"):
        load_weights(build(), path.parent)


def test_saving_twice_gives_the_same_bytes(saved, tmp_path):
    save_weights(build(), tmp_path / "small.weights.h5")
    save_weights(build(1), tmp_path / "other.weights.h5")
    assert (tmp_path / "small.weights.h5").read_bytes() == saved[1]
    assert len((tmp_path / SUMS).read_text().splitlines()) == 2


@pytest.mark.fault("weights with a flipped bit", "one sentence, and the file stays as it is")
@given(bit=st.integers(0, 10**9))
def test_a_flipped_bit_is_found(saved, bit):
    path, content = saved
    damaged = bytearray(content)
    damaged[bit // 8 % len(content)] ^= 1 << bit % 8
    assert_refused(path, bytes(damaged))


@pytest.mark.fault("weights truncated", "one sentence, and the file stays as it is")
@given(length=st.integers(0, 10**9))
def test_a_truncated_file_is_found(saved, length):
    path, content = saved
    assert_refused(path, content[: length % len(content)])


def assert_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"small.weights.h5 is not the file whose SHA-256 is in SHA256SUMS"):
        load_weights(None, path)
    assert path.read_bytes() == content


def test_unknown_weights_get_one_clear_sentence(saved, tmp_path):
    with pytest.raises(ValueError, match="no weights 'large'; there are small"):
        load_weights(build(), saved[0].with_name("large.weights.h5"))
    with pytest.raises(ValueError, match="no weights 'large'; there are none"):
        load_weights(build(), tmp_path / "large.weights.h5")


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
@pytest.mark.parametrize("folder", COMMITTED, ids=lambda folder: folder.parent.name)
def test_sha256sum_agrees(folder):
    check = ["sha256sum", "-c", SUMS]
    subprocess.run(check, cwd=folder, check=True)
    listed = [line.split()[1] for line in (folder / SUMS).read_text().splitlines()]
    assert listed == sorted(file.name for file in folder.glob("*.h5"))


@pytest.mark.parametrize("failing", [SUMS, "small.weights.h5"])
def test_a_disk_that_is_full_at_any_write_leaves_the_old_weights(tmp_path, monkeypatch, failing):
    path, write = tmp_path / "small.weights.h5", weights.write_atomically
    save_weights(build(), path)
    before, sums = path.read_bytes(), (tmp_path / SUMS).read_bytes()

    def full(file, content):
        if file.name == failing and content != sums:
            raise OSError(f"{file.name} was not written.")
        write(file, content)

    monkeypatch.setattr(weights, "write_atomically", full)
    with pytest.raises(OSError, match="was not written"):
        save_weights(build(1), path)
    assert path.read_bytes() == before
    assert are_whole(path)


def test_weights_of_a_command_killed_between_its_two_writes_are_not_whole(tmp_path, monkeypatch):
    path, write = tmp_path / "small.weights.h5", weights.write_atomically
    save_weights(build(), path)

    class Killed(Exception):
        pass

    def killed(file, content):
        if file == path:
            raise Killed
        write(file, content)

    monkeypatch.setattr(weights, "write_atomically", killed)
    with pytest.raises(Killed):
        save_weights(build(1), path)
    assert not are_whole(path)
    monkeypatch.undo()
    save_weights(build(1), path)
    assert are_whole(path)
