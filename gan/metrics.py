"""Distances between sets of real and of generated examples: arrays in, numbers out.

Real and generated examples are float arrays ``(n, features)``; n may differ. Everything is exact, and where
all pairs are needed it is computed in chunks.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

CHUNK = 256  # MiB
KERNEL_CHUNK = 1_000  # rows


class Overlap(NamedTuple):
    """How two sets cover each other; floats, all 1 for equal sets.

    Attributes
    ----------
    precision : float
        Share of the generated examples inside the union of the real neighbourhoods.
    recall : float
        Share of the real examples inside the union of the generated neighbourhoods.
    density : float
        Mean number of real neighbourhoods around a generated example, over `neighbours`; may exceed 1.
    coverage : float
        Share of the real examples with a generated one in their neighbourhood.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def frechet_distance(real, generated):
    """Return the Frechet distance between Gaussians with the means and covariances of two sets.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``: Heusel et al. 2017 (arXiv:1706.08500, equation 6). The
    trace of the root is that of ``(C1^(1/2) C2 C1^(1/2))^(1/2)``, whose eigenvalues are real.

    Parameters
    ----------
    real, generated : array, shape (n, features)
        At least 2 examples each.

    Raises
    ------
    ValueError
        Other shapes, or numbers that are not finite.
    """
    real, generated = _pair(real, generated, at_least=2)
    means = real.mean(axis=0), generated.mean(axis=0)
    one, other = np.atleast_2d(np.cov(real, rowvar=False)), np.atleast_2d(np.cov(generated, rowvar=False))
    values, vectors = np.linalg.eigh(one)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    common = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)).sum()
    distance = np.sum((means[0] - means[1]) ** 2) + np.trace(one) + np.trace(other) - 2 * common
    return float(max(distance, 0))


def kernel_distance(real, generated):
    """Return the squared maximum mean discrepancy with the kernel ``(x . y / features + 1)^3``, unbiased.

    The "KID" of Binkowski et al. 2018 (arXiv:1801.01401, section 4), over all pairs instead of blocks; its
    mean over samples of one distribution is 0, so it may be negative.

    Parameters
    ----------
    real, generated : array, shape (n, features)
        At least 2 examples each.
    """
    real, generated = _pair(real, generated, at_least=2)
    within = sum(
        (_kernel_sum(x, x) - np.sum(_kernel(np.sum(x * x, axis=1), x.shape[1]))) / (len(x) * (len(x) - 1))
        for x in (real, generated)
    )
    return float(within - 2 * _kernel_sum(real, generated) / (len(real) * len(generated)))


def overlap(real, generated, neighbours=5):
    """Return precision, recall, density and coverage.

    The neighbourhood of an example is the ball whose radius is the distance to its `neighbours`-th nearest
    one in its own set: Kynkaanniemi et al. 2019 (arXiv:1904.06991, equation 1) and Naeem et al. 2020
    (arXiv:2002.09797, equations 5 and 6).

    Parameters
    ----------
    real, generated : array, shape (n, features)
        More than `neighbours` examples each.
    neighbours : int

    Returns
    -------
    Overlap
    """
    real, generated = _pair(real, generated, at_least=neighbours + 1)
    real_radii, generated_radii = (_neighbour_distances(x, neighbours)[:, -1] for x in (real, generated))
    around, inside, covered = [], [], np.full(len(real), np.inf)
    for block in pairwise_distances_chunked(generated, real, working_memory=CHUNK):
        rows = slice(sum(map(len, around)), sum(map(len, around)) + len(block))
        around.append(np.sum(block < real_radii, axis=1))
        inside.append(np.any(block < generated_radii[rows, None], axis=0))
        covered = np.minimum(covered, block.min(axis=0))
    around = np.concatenate(around)
    return Overlap(
        precision=float(np.mean(around > 0)),
        recall=float(np.mean(np.any(inside, axis=0))),
        density=float(np.mean(around) / neighbours),
        coverage=float(np.mean(covered < real_radii)),
    )


def histogram_divergence(labels, reference, classes):
    """Return the Kullback-Leibler divergence of the classes of `labels` from those of `reference`, in nats.

    Parameters
    ----------
    labels, reference : array of int, shape (n,)
        In 0 to classes - 1. Classes missing among `labels` add nothing; missing in `reference` alone, the
        divergence is infinite.
    classes : int
    """
    shares = [np.bincount(x, minlength=classes) / len(x) for x in (labels, reference)]
    return float(rel_entr(*shares).sum())


def bridge_share(probabilities, threshold=0.9):
    """Return the share of examples whose most probable class has a probability below `threshold`.

    A continuous generator must lead from one class to another (Tanielian et al. 2020, arXiv:2006.02596).

    Parameters
    ----------
    probabilities : array, shape (n, classes)
    """
    return float(np.mean(np.max(probabilities, axis=1) < threshold))


def nearest(queries, references):
    """Return the Euclidean distance of every query from its nearest reference, and that reference's index.

    Parameters
    ----------
    queries, references : array, shape (n, features)

    Returns
    -------
    distances : array, shape (queries,)
    indices : array of int, shape (queries,)
    """
    references, queries = _pair(references, queries, at_least=1)
    distances, indices = (
        NearestNeighbors(n_neighbors=1, algorithm="brute").fit(references).kneighbors(queries)
    )
    return distances[:, 0], indices[:, 0]


def copying_ratio(generated, train, test):
    """Return how near generated examples are to training examples, over how near they are to test examples.

    The means over the generated examples of the distances from the nearest; 1 without copying, 0 if every one
    is a copy of an example in `train`.

    Parameters
    ----------
    generated, train, test : array, shape (n, features)
        `train` and `test` of equal length, because the nearest of more is nearer.

    Raises
    ------
    ValueError
        Their lengths differ.
    """
    if len(train) != len(test):
        raise ValueError(f"train and test must have equal lengths, not {len(train)} and {len(test)}.")
    return float(nearest(generated, train)[0].mean() / nearest(generated, test)[0].mean())


def intrinsic_dimension(points, neighbours=20):
    """Return the maximum likelihood estimate of the intrinsic dimension.

    Levina & Bickel 2004 ("Maximum likelihood estimation of intrinsic dimension", equation 8), the inverses of
    the local estimates averaged as MacKay & Ghahramani 2005 advise.

    Parameters
    ----------
    points : array, shape (n, features)
        Duplicates count once; more than `neighbours` must remain.
    """
    distances = _neighbour_distances(_distinct(points, neighbours + 1), neighbours)
    inverse = np.mean(np.log(distances[:, -1:] / distances[:, :-1]), axis=1)
    return float(1 / inverse.mean())


def two_nearest_dimension(points, discarded=0.1):
    """Return the TwoNN estimate of the intrinsic dimension.

    Facco et al. 2017 (doi:10.1038/s41598-017-11873-y): the slope, through the origin, of ``-log(1 - F)`` over
    ``log(r2 / r1)``, the ratio of the distances of the second and the first neighbour, F its distribution.

    Parameters
    ----------
    points : array, shape (n, features)
        Duplicates count once; more than 2 must remain.
    discarded : float
        Share of the largest ratios that is left out.
    """
    distances = _neighbour_distances(_distinct(points, 3), 2)
    ratios = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    kept = int(len(ratios) * (1 - discarded))
    distribution = np.arange(1, kept + 1) / len(ratios)
    x, y = ratios[:kept], -np.log1p(-distribution)
    return float(np.sum(x * y) / np.sum(x * x))


def _pair(one, other, at_least):
    """Return two sets in double precision, or raise."""
    one, other = np.asarray(one, float), np.asarray(other, float)
    if (
        one.ndim != 2
        or other.ndim != 2
        or one.shape[1] != other.shape[1]
        or min(map(len, (one, other))) < at_least
    ):
        raise ValueError(
            f"Two arrays (n, features) with equal features and n of at least {at_least} are needed, "
            f"not {one.shape} and {other.shape}."
        )
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ValueError("The examples must be finite numbers.")
    return one, other


def _distinct(points, at_least):
    points, _ = _pair(points, points, at_least=1)
    points = np.unique(points, axis=0)
    if len(points) < at_least:
        raise ValueError(f"At least {at_least} different points are needed, not {len(points)}.")
    return points


def _neighbour_distances(points, neighbours):
    """Return the distances of every point from its nearest other ones, ascending, shape (n, neighbours)."""
    # A set without queries leaves each point itself out.
    return NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(points).kneighbors()[0]


def _kernel(products, features):
    return (products / features + 1) ** 3


def _kernel_sum(one, other):
    chunks = np.array_split(one, -(-len(one) // KERNEL_CHUNK))
    return sum(_kernel(chunk @ other.T, one.shape[1]).sum() for chunk in chunks)
