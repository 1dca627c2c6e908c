"""Checks of arguments that need no Keras: labels, stored images, logits, counts, shares, seeds."""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike


def as_labels(
    labels: ArrayLike, count: int | None = None, classes: int | None = None, name: str = "labels"
) -> np.ndarray:
    """Return `labels` as an array of integers, shape ``(n,)``.

    Parameters
    ----------
    labels : array
        One class for each image, counted from 0.
    count : int, optional
        Number of images.
    classes : int, optional
        Number of classes.
    name : str
        Name of `labels` in the error message.

    Raises
    ------
    ValueError
        A wrong shape, type or number of labels, or a label outside the classes.
    """
    check_unmasked(labels, name)
    found = np.asarray(labels)
    wanted = f"{name} must be one integer an image, shape ({'n' if count is None else count},)"
    if found.ndim != 1:
        way = "; take [:, 0]" if found.shape[1:] == (1,) else ""
        way = "; of one-hot rows take .argmax(axis=1)" if found.ndim == 2 and not way else way
        raise ValueError(f"{wanted}, not of shape {found.shape}{way}.")
    if not np.issubdtype(found.dtype, np.integer):
        raise ValueError(f"{wanted}, not {found.dtype}; convert them with .astype('int64').")
    if count is not None and len(found) != count:
        raise ValueError(f"{wanted}: there are {count} images and {len(found)} {name}.")
    if found.size and not 0 <= found.min() <= found.max() < (np.inf if classes is None else classes):
        most = "" if classes is None else f" to {classes - 1}"
        raise ValueError(f"{name} must lie in 0{most}, but they reach from {found.min()} to {found.max()}.")
    return found


def as_stored(images: ArrayLike, name: str = "images") -> np.ndarray:
    """Return images as a file holds them, uint8 of four axes, or raise ValueError."""
    check_unmasked(images, name)
    found = np.asarray(images)
    if found.dtype != np.uint8 or found.ndim != 4:
        raise ValueError(
            f"{name} must be uint8 of shape (n, height, width, channels), as a file holds them, not "
            f"{found.dtype} of shape {found.shape}."
        )
    return found


def check_unmasked(values: object, name: str) -> None:
    """Raise ValueError if values of an array are masked, because NumPy drops the mask without a word."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} must not be masked: the mask would be lost; drop or fill what it hides.")


def check_range(image: ArrayLike) -> None:
    """Raise ValueError if an image holds no numbers, NaN, infinity, or values that look like 0 to 255.

    Floats up to 20 pass, because a change shown tenfold stays below; integers are 0 or 1.
    """
    check_unmasked(image, "An image")
    found = np.asarray(image)
    if found.dtype.kind not in "biuf":
        raise ValueError(f"An image must hold numbers, not {found.dtype}.")
    if not np.isfinite(found).all():
        raise ValueError("An image must be finite, but it holds NaN or infinity.")
    if found.max(initial=0) > (1 if found.dtype.kind in "iu" else 20):
        way = "divide by the value that stands for 1, such as 255"
        raise ValueError(f"An image must lie in [0, 1], but its largest value is {found.max():g}; {way}.")


def are_probabilities(values: np.ndarray) -> bool:
    """Whether each row along the last axis holds probabilities, which logits practically never are."""
    values = np.asarray(values, "float64")
    return bool((values >= 0).all()) and np.allclose(values.sum(axis=-1), 1, atol=1e-3)


def check_logits(values: np.ndarray) -> None:
    """Raise ValueError if values ``(..., classes)`` are probabilities, or not finite."""
    if not np.isfinite(values).all():
        raise ValueError("Logits must be finite, but they hold NaN or infinity.")
    if are_probabilities(values):
        raise ValueError("Logits are needed, but these are probabilities; leave the softmax out.")


def check_shares(**shares: float) -> None:
    """Raise ValueError unless each of the named numbers lies in [0, 1]."""
    for name, share in shares.items():
        if not isinstance(share, Real) or isinstance(share, bool) or not 0 <= share <= 1:
            raise ValueError(f"{name} must lie in [0, 1], not be {share!r}; divide percent by 100.")


def check_counts(**counts: int) -> None:
    """Raise ValueError unless each of the named numbers is an integer of at least 1."""
    for name, count in counts.items():
        if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {count!r}.")


def check_seed(seed: object) -> None:
    """Raise ValueError unless a seed is an integer of at least 0; None would make results random."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed must be a whole number of at least 0, not {seed!r}.")
