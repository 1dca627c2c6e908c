"""Noise with the histogram of the images: the first fakes, made by inverting a cumulative distribution."""

import numpy as np

from common.arguments import as_stored, check_counts, check_seed

LEVELS = 256


def cumulative(images, by_position=False):
    """Return the cumulative distribution of pixel values.

    Parameters
    ----------
    images : array of uint8, shape (n, height, width, channels)
    by_position : bool
        One distribution for every position, or one for all.

    Returns
    -------
    array, shape (256,) or (256, height, width, channels)
        At v the share of values up to v; the last is 1.

    Raises
    ------
    ValueError
        The images are not uint8, or there are none.
    """
    images = as_stored(images)
    if not images.size:
        raise ValueError("Without images there is no distribution.")
    flat = images.reshape(len(images), -1) if by_position else images.reshape(-1, 1)
    offsets = LEVELS * np.arange(flat.shape[1])
    counts = np.bincount((flat + offsets).ravel(), minlength=LEVELS * flat.shape[1])
    shares = counts.reshape(flat.shape[1], LEVELS).cumsum(axis=1).T / len(flat)
    return shares.reshape(LEVELS, *images.shape[1:]) if by_position else shares[:, 0]


def noise(distribution, count, shape, seed):
    """Return images whose pixels are independent and distributed as `cumulative` says.

    The value of a uniform number u is the smallest v at which the distribution exceeds u: inverse transform
    sampling (Devroye 1986, "Non-uniform random variate generation", section II.2).

    Parameters
    ----------
    distribution : array, shape (256,) or (256, height, width, channels)
    count : int
    shape : (int, int, int)
        Height, width, channels.
    seed : int

    Returns
    -------
    array of uint8, shape (count, height, width, channels)

    Raises
    ------
    ValueError
        Shares that do not rise to 1, such as a histogram; a count or a seed that is no such integer.
    """
    check_counts(count=count)
    check_seed(seed)
    distribution = np.asarray(distribution)
    if (
        len(distribution) != LEVELS
        or (np.diff(distribution, axis=0) < 0).any()
        or (distribution[-1] != 1).any()
    ):
        raise ValueError(f"distribution must hold {LEVELS} shares that rise to 1, as of cumulative.")
    uniform = np.random.default_rng(seed).random((count, *shape), dtype="float32")
    if distribution.ndim == 1:
        return np.searchsorted(distribution, uniform, side="right").astype("uint8")
    by_position = distribution.reshape(LEVELS, -1).T
    columns = [
        np.searchsorted(one, u, side="right")
        for one, u in zip(by_position, uniform.reshape(count, -1).T, strict=True)
    ]
    return np.stack(columns, axis=1).reshape(count, *shape).astype("uint8")
