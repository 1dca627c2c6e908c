import functools
import hashlib
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

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
    ("call", "message"),
    [
        (lambda: data.load_dataset("cifar10"), "There is no data set 'cifar10'; there are mnist, "),
        (lambda: data.load_dataset(["mnist"]), r"There is no data set \['mnist'\]; there are mnist"),
        (lambda: data.load_photograph("selfie"), "There is no photograph 'selfie'; there are astronaut"),
        (lambda: data.load_imagenet_compatible("train"), "There is no split 'train'; there are development"),
        (lambda: data.read_mobilenet("v3"), "There is no MobileNet 'v3'; there are mobilenet_v1_0.75_192, "),
        (lambda: data.read_anatomy("knee"), "There is no volume of anatomy 'knee'; there are head_ct"),
        (lambda: data.is_available("cifar10"), "There is no data set 'cifar10'; there are mnist, "),
        *[
            (functools.partial(data.load_imagenet_samples, size), "size must be a positive whole number of")
            for size in (0, -3, 22.5, 224.0, "224", True, None, (224, 224))
        ],
        (lambda: data.load_pictures("one.png"), "paths must be a list of at least one file, not 'one.png'"),
        (lambda: data.load_pictures([]), "paths must be a list of at least one file"),
        (lambda: data.ImageSet(np.zeros((2, 8, 8, 1))), "uint8 of shape .*, not float64 of shape"),
        (lambda: data.ImageSet(np.zeros((8, 8), "uint8")), r"not uint8 of shape \(8, 8\)"),
        (lambda: data.ImageSet(PAIR, [0]), r"shape \(2,\): there are 2 images and 1 labels"),
        (lambda: data.ImageSet(PAIR, np.eye(2)), r"not of shape \(2, 2\); of one-hot rows"),
        (lambda: data.ImageSet(PAIR, [0, -1]), "labels must lie in 0, but they reach from -1 to 0"),
        (lambda: data.ImageSet(PAIR, [0, 2], ("a", "b")), "labels must lie in 0 to 1"),
        (lambda: data.ImageSet(PAIR, maximum=16), "must not exceed the maximum, 16, but reach 23"),
        (lambda: data.ImageSet(PAIR, maximum=0), "maximum must be a whole number of at least 1"),
        (lambda: np.asarray(data.ImageSet(PAIR)), r"no array of images; take its .as_float\(\)"),
        (lambda: data.ImageSet(PAIR)[[[0, 1]]], "Images are selected along one axis, not by"),
        (lambda: data.ImageSet(PAIR)[None], "Images are selected along one axis, not by None"),
    ],
)  # fmt: skip
def test_bad_arguments_get_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


PAIR = np.arange(2 * 4 * 3, dtype="uint8").reshape(2, 4, 3, 1)


def test_an_integer_selects_a_set_of_one_image():
    pair = data.ImageSet(PAIR, [3, 5], maximum=24)
    assert [(one.images.tolist(), one.labels.tolist()) for one in pair] == [
        (PAIR[[n]].tolist(), [label]) for n, label in enumerate((3, 5))
    ]
    assert (pair[-1].labels, len(pair[[]]), len(pair[np.array([False, True])])) == ([5], 0, 1)
    assert PAIR.flags.writeable
    for wrong in (2, (0, 1), 0.5, "0", [True]):
        with pytest.raises(IndexError):
            data.ImageSet(PAIR)[wrong]


@pytest.mark.parametrize("size", [1, np.int64(7)])
def test_samples_of_a_size_that_numpy_counted(size):
    assert data.load_imagenet_samples(size).images.shape == (20, size, size, 3)


@given(seed=st.integers(0, 99), shape=st.tuples(st.integers(1, 9), st.integers(1, 9)))
@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("P", 3), ("RGB", 3)])
def test_pictures_have_four_axes_and_the_colours_that_were_saved(
    tmp_path_factory, mode, channels, seed, shape
):
    noise = np.random.default_rng(seed).integers(0, 256, (2, *shape, 3), dtype="uint8")
    folder = tmp_path_factory.mktemp("pictures")
    pictures = [Image.fromarray(values).convert(mode) for values in noise]
    paths = [folder / f"{n}.png" for n in range(2)]
    for picture, path in zip(pictures, paths, strict=True):
        picture.save(path)
    found = data.load_pictures([paths[0], str(paths[1])]).images
    assert found.shape == (2, *shape, channels)
    for picture, array in zip(pictures, found, strict=True):
        # Pixel by pixel, as Pillow gives the colour of one.
        shown = picture.convert("RGB")
        expected = [[shown.getpixel((x, y)) for x in range(shape[1])] for y in range(shape[0])]
        np.testing.assert_array_equal(np.broadcast_to(array, (*shape, 3)), expected)


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ([Image.new("RGBA", (4, 4))], "0.png has pixels of the kind RGBA; 8 bits of grey, RGB or"),
        ([Image.new("I;16", (4, 4))], "0.png has pixels of the kind I;16"),
        ([Image.new("L", (4, 4)), Image.new("RGB", (4, 4))], r"0.png is \(4, 4, 1\), 1.png is \(4, 4, 3\)"),
        ([Image.new("L", (4, 4)), Image.new("L", (5, 4))], r"1.png is \(4, 5, 1\)"),
        ([None], "0.png is not a whole picture"),
    ],
)  # fmt: skip
def test_pictures_that_do_not_fit_get_one_clear_sentence(tmp_path, pictures, message):
    for number, picture in enumerate(pictures):
        path = tmp_path / f"{number}.png"
        path.write_bytes(b"no picture") if picture is None else picture.save(path)
    with pytest.raises(ValueError, match=message):
        data.load_pictures(sorted(tmp_path.iterdir()))


def test_images_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        data.load_mnist().test.images[0] = 0


def test_importing_data_does_not_import_tensorflow():
    code = "import sys, common.data; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# What does not ship: a server on this machine stands for the origin.


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """Serve six photographs, from an empty cache, and return the folder that is served."""
    folder = tmp_path / "origin"
    folder.mkdir()
    listed = []
    for number in (0, 1, 2, 5, 6, 10):
        path = folder / f"{number}.png"
        Image.fromarray(np.full((224, 224, 3), number, "uint8")).save(path)
        listed.append(
            data.Listed(number, 900 + number, "someone", hashlib.sha256(path.read_bytes()).hexdigest())
        )
    handler = functools.partial(_Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setitem(data.ORIGINS, "imagenet_compatible", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setattr(data, "_index", lambda: tuple(listed))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RESEARCH_DATA", raising=False)
    yield folder
    server.shutdown()
    server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.usefixtures("origin")
def test_photographs_are_downloaded_once_and_sorted_into_splits(monkeypatch):
    assert not data.is_available("imagenet_compatible")
    development = data.load_imagenet_compatible("development")
    assert development.images[:, 0, 0, 0].tolist() == [0, 5, 10]
    assert development.labels.tolist() == [900, 905, 910]
    assert [one.number for one in data.list_imagenet_compatible("test")] == [1, 2, 6]
    assert not data.is_available("imagenet_compatible")
    assert data.load_imagenet_compatible("test").images[:, 0, 0, 0].tolist() == [1, 2, 6]
    assert data.is_available("imagenet_compatible")
    monkeypatch.setitem(data.ORIGINS, "imagenet_compatible", "http://127.0.0.1:1/")
    assert len(data.load_imagenet_compatible("test")) == 3


@pytest.mark.parametrize(("damage", "error", "message"), [
    (lambda path: path.write_bytes(b"another"), ValueError, "sent a file of imagenet_compatible that is"),
    (lambda path: path.unlink(), ConnectionError, "imagenet_compatible lacks 3 of its files"),
])  # fmt: skip
def test_a_download_that_fails_keeps_what_is_whole_and_goes_on_later(origin, damage, error, message):
    whole = (origin / "5.png").read_bytes()
    damage(origin / "5.png")
    with pytest.raises(error, match=message):
        data.load_imagenet_compatible("development")
    (origin / "5.png").write_bytes(whole)
    assert len(data.load_imagenet_compatible("development")) == 3


@pytest.mark.usefixtures("origin")
def test_without_a_network_one_sentence_says_what_still_works(monkeypatch):
    monkeypatch.setitem(data.ORIGINS, "imagenet_compatible", "http://127.0.0.1:1/")
    with pytest.raises(
        ConnectionError, match=r"^imagenet_compatible lacks 3 .* `make data` .*RESEARCH_DATA; all stored rec"
    ):
        data.load_imagenet_compatible("test")
    with pytest.raises(SystemExit, match="imagenet_compatible lacks 6 of its files"):
        data.main()


def test_the_named_folder_comes_first_and_its_files_are_checked(origin, tmp_path, monkeypatch):
    folder = tmp_path / "named" / "imagenet_compatible"
    shutil.copytree(origin, folder)
    monkeypatch.setenv("RESEARCH_DATA", str(folder.parent))
    monkeypatch.setitem(data.ORIGINS, "imagenet_compatible", "http://127.0.0.1:1/")
    assert data.is_available("imagenet_compatible")
    assert len(data.load_imagenet_compatible("test")) == 3
    (folder / "1.png").write_bytes(b"another")
    with pytest.raises(ValueError, match=r"1.png is truncated or altered: its SHA-256"):
        data.load_imagenet_compatible("test")
    monkeypatch.setenv("RESEARCH_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"RESEARCH_DATA must name a folder, but .*nowhere' is none"):
        data.is_available("imagenet_compatible")


def test_the_list_of_photographs_holds_both_splits():
    development, test = (data.list_imagenet_compatible(split) for split in ("development", "test"))
    assert (len(development), len(test)) == (200, 600)
    assert not {one.number for one in development} & {one.number for one in test}
    assert {one.label for one in development + test} <= set(range(1000))


@pytest.mark.skipif(
    not os.environ.get("RESEARCH_DATA"), reason="RESEARCH_DATA names no folder with the photographs"
)
def test_the_real_photographs_are_those_of_the_list():
    photographs = data.load_imagenet_compatible("development")
    assert photographs.images.shape == (200, 224, 224, 3)
    assert photographs.class_names[photographs.labels[0]] == "giant panda"


@pytest.fixture
def anatomy(tmp_path, monkeypatch):
    """Return the places for a made volume, in the named folder and in its package; nothing is there yet."""
    monkeypatch.setenv("RESEARCH_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(data.ANATOMY, "head_ct", str(tmp_path / "package" / "head.dat"))
    monkeypatch.setitem(data.SHA256, "head_ct", hashlib.sha256(b"head").hexdigest())
    for folder in ("anatomy", "package"):
        (tmp_path / folder).mkdir()
    return [tmp_path / folder / "head.dat" for folder in ("anatomy", "package")]


@pytest.mark.parametrize("place", [0, 1], ids=["named folder", "package"])
def test_a_volume_of_anatomy_is_read_where_it_lies_and_checked(anatomy, place):
    assert not data.is_available("head_ct")
    with pytest.raises(FileNotFoundError, match=r"install the Debian package .*, or put head.dat in"):
        data.read_anatomy("head_ct")
    anatomy[place].write_bytes(b"head")
    assert data.is_available("head_ct")
    assert data.read_anatomy("head_ct") == b"head"
    anatomy[place].write_bytes(b"another")
    with pytest.raises(ValueError, match=r"head.dat is truncated or altered"):
        data.read_anatomy("head_ct")


@pytest.mark.usefixtures("anatomy")
def test_a_volume_is_found_in_an_installed_package_that_is_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "site" / "nilearn"
    (package / "datasets" / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError")
    file = package.parent / data.ANATOMY["mni152"]
    file.write_bytes(b"brain")
    monkeypatch.setitem(data.SHA256, "mni152", hashlib.sha256(b"brain").hexdigest())
    monkeypatch.syspath_prepend(package.parent)
    assert data.is_available("mni152")
    assert data.read_anatomy("mni152") == b"brain"


@pytest.mark.usefixtures("anatomy")
def test_making_the_data_passes_over_anatomy_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(data, "ORIGINS", {})
    data.main()
    said = "head_ct: not downloaded, because it comes with the Debian package invesalius-examples"
    assert said in capsys.readouterr().out.splitlines()


def test_what_ships_is_available():
    assert all(data.is_available(name) for name in ("mnist", "fashion_mnist", "imagenet_samples"))
