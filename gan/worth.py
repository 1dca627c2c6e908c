"""What a generator is worth in bits: the error of the best of N samples, against log2 N.

A sender and a receiver share a generator and a seed, hence a list of N samples. The number of the sample that
is nearest to a digit takes log2 N bits. A perfect generator is as near as N real digits are. A generator that
lacks digits leaves the line of real digits upwards, however it folds its latent space; nothing is optimised.
Blur lowers the line as a whole, so `comparing` looks at how the ratio to real digits grows.

Images are compared as files hold them, in 8 bits, by the mean squared error of their pixels in [0, 1].
"""

from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import gammaln

from common.data import load_dataset
from common.names import look_up
from common.pixels import as_bytes
from common.validation import check_counts
from gan.evaluation import samples
from gan.features import as_float
from gan.models import CLASSES
from gan.training import TRAINING_IMAGES

BLOCK = 128
BATCH = 64 * BLOCK  # samples in memory at once
SIZES = tuple(2**power for power in range(7, 21))
PER_CLASS = 50
DIGITS_SEED = 2008
UNSEEN_SEED = 2009  # of the test digits that no result of the first round has shown
BLURS = (0.4, 0.6, 0.8)  # pixels


def drawn_digits(dataset, split="test", per_class=PER_CLASS, seed=DIGITS_SEED):
    """Return equally many digits of every class, class by class.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    split : "test", "unseen" or "validation"
        Out of the 10,000 test images; of these without the digits of "test", whose errors the first round has
        shown; or out of the 5,000 validation images, for all choices.
    per_class : int
    seed : int
        Of the draw; "unseen" has a seed of its own.

    Returns
    -------
    common.data.ImageSet
        10 * per_class images.
    """
    data = load_dataset(dataset)
    splits = {"test": data.test, "unseen": data.test, "validation": data.train[TRAINING_IMAGES:]}
    images = look_up("split", split, splits)
    chosen = _evenly(images.labels, per_class, seed)
    if split == "unseen":
        chosen = _evenly(images.labels, per_class, UNSEEN_SEED, without=chosen)
    return images[chosen]


def _evenly(labels, per_class, seed, without=()):
    """Return the indices of equally many examples of every class, class by class, without some of them."""
    rng = np.random.default_rng(seed)
    classes = (np.setdiff1d(np.flatnonzero(labels == label), without) for label in range(CLASSES))
    return np.concatenate([np.sort(rng.choice(x, per_class, replace=False)) for x in classes])


def generated(generator, latent_size, count, seed):
    """Yield uint8 batches of `count` samples of uniform points, as `streamed`.

    Parameters
    ----------
    generator : callable
        From points ``(n, latent_size)`` in [-1, 1] to images ``(n, 28, 28, 1)`` in [0, 1].
    latent_size, count, seed : int
    """
    return streamed(partial(samples, generator, latent_size), count, seed)


def streamed(sample, count, seed):
    """Yield uint8 batches of `count` samples altogether; fewer samples are the first of more.

    Parameters
    ----------
    sample : callable
        From (count, seed) to uint8 images.
    count : int
    seed : int or list of int
    """
    for batch, start in enumerate(range(0, count, BATCH)):
        yield sample(min(BATCH, count - start), [*np.atleast_1d(seed).tolist(), batch])


def training_digits(dataset, seed=0, blur=0.0):
    """Yield uint8 batches of the 55,000 training images, `blurred`, in an order that `seed` draws."""
    images = load_dataset(dataset).train.images[:TRAINING_IMAGES]
    order = np.random.default_rng(seed).permutation(len(images))
    for start in range(0, len(order), BATCH):
        yield blurred(images[order[start : start + BATCH]], blur)


def blurred(images, pixels):
    """Return uint8 images blurred by a Gaussian of so many pixels.

    They are the control of this ruler: a mean square error prefers blur, so blurred digits come nearer than
    sharp ones although they show no other digits.

    Parameters
    ----------
    images : array of uint8, shape (n, 28, 28, 1)
    pixels : float
        The standard deviation; 0 changes nothing.
    """
    return as_bytes(gaussian_filter(as_float(images), (0, pixels, pixels, 0)))


def best_of(digits, batches, sizes=SIZES, block=BLOCK):
    """Return the expected error of the best of N samples, for every digit and every N.

    Of one stream of samples only the best of every block is kept. The mean over all choices of N / block
    blocks is then exact (`expected_least`): without bias, and less noisy than disjoint sets of N samples.

    Parameters
    ----------
    digits : array of uint8, shape (n, 28, 28, 1)
    batches : iterable of arrays of uint8, shape (count, 28, 28, 1)
        Samples, `generated` or `training_digits`.
    sizes : sequence of int
        The numbers N: multiples of `block`, at most as many as there are samples in whole blocks.
    block : int
        Samples; 1 keeps the errors of all samples, which takes 4 bytes a digit and sample.

    Returns
    -------
    array, shape (n, sizes)
        Squared error per pixel.

    Raises
    ------
    ValueError
        Sizes that are no multiples of `block`, or too few samples.
    """
    check_counts(block=block)
    odd = [size for size in sizes if size < block or size % block]
    if odd:
        raise ValueError(f"sizes must be multiples of the block of {block} samples, but {odd} are not.")
    return expected_least(block_errors(digits, batches, block), np.array(sizes) // block)


def block_errors(digits, batches, block=BLOCK):
    """Return the error of the best sample of every block, float32 of shape (n, blocks).

    An incomplete block at the end of a batch is left out.

    Parameters
    ----------
    digits, batches, block
        As in `best_of`.
    """
    flat = flattened(digits)
    found = [
        relative_errors(flat, batch).reshape(len(flat), -1, block).min(2) for batch in _whole(batches, block)
    ]
    if not found:
        raise ValueError(f"Every batch has fewer samples than the block of {block}; give larger batches.")
    squares = np.concatenate(found, axis=1) + np.sum(flat * flat, axis=1)[:, None]
    # Rounding puts the error of a copy a little below 0.
    return np.maximum(squares, 0) / flat.shape[1]


def expected_least(values, counts):
    """Return the mean, over all choices of `count` of the values, of the least of them.

    The k-th smallest of n values is the least of C(n - k, count - 1) choices out of C(n, count). The mean is
    the U-statistic of the minimum (Hoeffding 1948): of independent values, it estimates the expected minimum
    without bias and with the least variance.

    Parameters
    ----------
    values : array, shape (rows, n)
    counts : sequence of int
        In 1 to n.

    Returns
    -------
    array, shape (rows, counts)

    Raises
    ------
    ValueError
        A count below 1 or above n.
    """
    n = np.shape(values)[1]
    if min(counts) < 1 or max(counts) > n:
        raise ValueError(f"counts must lie in 1 to the {n} values, but they are {list(map(int, counts))}.")
    return np.sort(values, axis=1) @ np.stack([_rank_weights(n, count) for count in counts], axis=1)


def _rank_weights(n, count):
    """Return, for each rank, the share of the choices of `count` out of n whose least has it; shape (n,)."""
    above = n - np.arange(n + 1.0)  # values that are larger than the k-th
    # gammaln is infinite where fewer than `count` are left, so their share is 0.
    share = np.exp(gammaln(above + 1) - gammaln(above - count + 1) + gammaln(n - count + 1) - gammaln(n + 1))
    return -np.diff(share)


def flattened(images):
    """Return uint8 images as rows of float32 in [0, 1], shape (n, pixels)."""
    return as_float(images).reshape(len(images), -1)


def relative_errors(flat, batch):
    """Return the squared distance of every sample from every digit, less the digit's own square.

    It orders the samples as the distance does. A matrix product and one sum in place make it fast.

    Parameters
    ----------
    flat : array of float32, shape (n, pixels)
        `flattened` digits.
    batch : array of uint8, shape (count, ...)

    Returns
    -------
    array of float32, shape (n, count)
    """
    others = flattened(batch)
    found = flat @ (-2 * others).T
    found += np.sum(others * others, axis=1)
    return found


def _whole(batches, block):
    whole = ((batch, len(batch) // block * block) for batch in batches)
    return (batch[:count] for batch, count in whole if count)
