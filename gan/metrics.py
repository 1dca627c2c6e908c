"""Distances between sets of real and of generated examples: arrays in, numbers out.

Real and generated examples are finite numbers ``(n, features)``, computed with in double precision; n may
differ. All pairs are compared, in chunks: 10,000 real and 10,000 generated examples of 64 features take less
than 0.8 GB.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import rel_entr
from scipy.stats import norm
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

from common.arguments import (
    are_probabilities,
    as_labels,
    check_counts,
    check_seed,
    check_shares,
    check_unmasked,
)
from common.statistics import Interval, check_confidence

CHUNK = 256  # MiB of distances
KERNEL_CHUNK = 1_000  # rows of the kernel's matrix


class Overlap(NamedTuple):
    """How two sets cover each other: floats, all 1 for equal sets of different examples.

    All are 0 where the examples of a set are the same, because a ball without its surface is then empty.

    Attributes
    ----------
    precision : float
        Share of the generated examples inside the union of the real neighbourhoods.
    recall : float
        Share of the real examples inside the union of the generated neighbourhoods.
    density : float
        Mean number of real neighbourhoods around a generated example, over `neighbours`; may exceed 1
        where generated examples gather.
    coverage : float
        Share of the real examples with a generated one in their neighbourhood.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def frechet_distance(real, generated):
    """Return the Fréchet distance between Gaussians with the means and covariances of two sets.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``: Heusel et al. 2017 (arXiv:1706.08500, equation 6). The
    trace of the root is that of ``(C1^(1/2) C2 C1^(1/2))^(1/2)``, whose eigenvalues are real.

    Parameters
    ----------
    real, generated : array, shape (n, features)
        At least 2 examples each; the covariances are the unbiased ones and may be singular.

    Returns
    -------
    float
        At least 0; a squared distance, so it grows with the square of the features' scale.

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


def frechet_interval(real, generated, confidence=0.95, resamples=200, seed=0):
    """Return the Fréchet distance and its bootstrap interval, over the examples that happened to be drawn.

    The standard error is that over sets drawn again with replacement (Efron 1979), the interval the normal
    one around the distance. It is of the distance between as many examples, which exceeds that of unlimited
    ones; so is every distance to compare it with.

    Parameters
    ----------
    real, generated : array, shape (n, features)
        As in `frechet_distance`.
    confidence : float
        In (0, 1).
    resamples : int
        At least 2.
    seed : int

    Returns
    -------
    common.statistics.Interval of floats

    Raises
    ------
    ValueError
        Other shapes, numbers that are not finite, or a number out of its range.
    """
    real, generated = _pair(real, generated, at_least=2)
    check_confidence(confidence)
    check_seed(seed)
    check_counts(resamples=resamples)
    if resamples < 2:
        raise ValueError(f"resamples must be at least 2, not {resamples}.")
    rng = np.random.default_rng(seed)
    again = [
        frechet_distance(*(x[rng.integers(len(x), size=len(x))] for x in (real, generated)))
        for _ in range(resamples)
    ]
    distance = frechet_distance(real, generated)
    half = norm.ppf((1 + confidence) / 2) * np.std(again, ddof=1)
    return Interval(distance, float(distance - half), float(distance + half))


def kernel_distance(real, generated):
    """Return the squared maximum mean discrepancy with the kernel ``(x . y / features + 1)^3``, unbiased.

    The "KID" of Binkowski et al. 2018 (arXiv:1801.01401, section 4), over all pairs instead of blocks; its
    mean over samples of one distribution is 0, so it may be negative.

    Parameters
    ----------
    real, generated : array, shape (n, features)
        At least 2 examples each.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Other shapes, or numbers that are not finite.
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
    one in its own set, without the surface: Kynkaanniemi et al. 2019 (arXiv:1904.06991) and Naeem et al. 2020
    (arXiv:2002.09797), as in the latter's reference implementation, the package prdc.

    Parameters
    ----------
    real, generated : array, shape (n, features)
        More than `neighbours` examples each.
    neighbours : int
        At least 1.

    Returns
    -------
    Overlap

    Raises
    ------
    ValueError
        Other shapes, numbers that are not finite, or too few examples.
    """
    check_counts(neighbours=neighbours)
    real, generated = _pair(real, generated, at_least=neighbours + 1)
    real_radii, generated_radii = (_radii(x, neighbours) for x in (real, generated))
    around, inside, covered = [], np.zeros(len(real), bool), np.zeros(len(real), bool)
    for rows in gen_batches(len(generated), _rows(real)):
        distances = cdist(generated[rows], real)
        within = distances < real_radii
        around.append(within.sum(axis=1))
        covered |= within.any(axis=0)
        inside |= (distances < generated_radii[rows, None]).any(axis=0)
    around = np.concatenate(around)
    return Overlap(
        precision=float(np.mean(around > 0)),
        recall=float(np.mean(inside)),
        density=float(np.mean(around) / neighbours),
        coverage=float(np.mean(covered)),
    )


def _radii(points, neighbours):
    """Return the distance of every point from its `neighbours`-th nearest other one.

    By differences, as all distances of `overlap`: the radius is the distance of a pair, and rounded otherwise
    than the same pair elsewhere, the pair would lie inside or outside by chance.
    """
    return np.concatenate([
        np.partition(cdist(points[rows], points), neighbours, axis=1)[:, neighbours]
        for rows in gen_batches(len(points), _rows(points))
    ])  # fmt: skip


def _rows(points):
    """Return how many rows of distances from all points fill a chunk."""
    return max(1, int(CHUNK * 2**20 / (8 * len(points))))


def histogram_divergence(labels, reference, classes=10):
    """Return the Kullback-Leibler divergence of the classes of `labels` from those of `reference`, in nats.

    ``KL(p || q)``, p the shares of the classes among `labels`, q those in `reference`: the direction in which
    Lin et al. 2018 (PacGAN, arXiv:1712.04086) judge generators.

    Parameters
    ----------
    labels, reference : array of int, shape (n,)
        In 0 to classes - 1, at least one. Classes missing among `labels` add nothing; missing in `reference`
        alone, the divergence is infinite.
    classes : int

    Returns
    -------
    float
        At least 0.

    Raises
    ------
    ValueError
        Labels that are not such integers, or none.
    """
    check_counts(classes=classes)
    return float(rel_entr(_shares(labels, classes), _shares(reference, classes)).sum())


def bridge_share(probabilities, threshold=0.9):
    """Return the share of examples whose most probable class has a probability below `threshold`.

    A continuous generator must lead from one class to another (Tanielian et al. 2020, arXiv:2006.04596).

    Parameters
    ----------
    probabilities : array, shape (n, classes)
        Each row adds up to 1.
    threshold : float

    Returns
    -------
    float
        In 0 to 1.

    Raises
    ------
    ValueError
        Another shape, no examples, rows that are no probabilities, or a threshold outside [0, 1].
    """
    check_shares(threshold=threshold)
    probabilities = np.asarray(probabilities, float)
    if probabilities.ndim != 2 or 0 in probabilities.shape:
        raise ValueError(f"Probabilities (n, classes) are needed, not the shape {probabilities.shape}.")
    if not are_probabilities(probabilities):
        raise ValueError("Probabilities must not be negative and must add up to 1 in every row.")
    return float(np.mean(probabilities.max(axis=1) < threshold))


def nearest(queries, references):
    """Return the Euclidean distance of every query from its nearest reference, and that reference's index.

    Parameters
    ----------
    queries, references : array, shape (n, features)
        At least 1 each.

    Returns
    -------
    distances : array, shape (queries,)
        0 for a copy.
    indices : array of int, shape (queries,)

    Raises
    ------
    ValueError
        Other shapes, or numbers that are not finite.
    """
    references, queries = _pair(references, queries, at_least=1)
    distances, indices = _neighbours(references, 1, queries)
    return distances[:, 0], indices[:, 0]


def copying_ratio(generated, train, test):
    """Return how near generated examples are to training examples, over how near they are to test examples.

    The ratio of the mean distances of the generated examples from the nearest: 1 without copying, 0 if all of
    them are copies of examples in `train`, and about 1 - s if a share s is. If `train` is a part of all
    training examples, copies of the others do not count: s is then the share times that part.

    Parameters
    ----------
    generated, train, test : array, shape (n, features)
        `train` and `test` of equal length, because the nearest of more is nearer.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Their lengths differ, other shapes, numbers that are not finite, or all generated examples are copies
        of examples in `test`.
    """
    if len(train) != len(test):
        raise ValueError(f"train and test must have equal lengths, not {len(train)} and {len(test)}.")
    from_train, from_test = (np.mean(nearest(generated, x)[0]) for x in (train, test))
    if from_test == 0:
        raise ValueError("All generated examples are copies of test examples: no distance to compare with.")
    return float(from_train / from_test)


def intrinsic_dimension(points, neighbours=20):
    """Return the maximum likelihood estimate of the intrinsic dimension.

    Levina & Bickel 2004 ("Maximum likelihood estimation of intrinsic dimension", equation 8), the inverses of
    the local estimates averaged as MacKay & Ghahramani 2005 advise.

    Parameters
    ----------
    points : array, shape (n, features)
        Duplicates count once; more than `neighbours` must remain.
    neighbours : int
        At least 2.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Another shape, numbers that are not finite, too few points or neighbours, or every point is equally
        far from all its neighbours.
    """
    check_counts(neighbours=neighbours)
    if neighbours < 2:
        raise ValueError(f"At least 2 neighbours are needed, not {neighbours}.")
    distances = _neighbour_distances(_distinct(points, neighbours + 1), neighbours)
    inverse = np.mean(np.log(distances[:, -1:] / distances[:, :-1]), axis=1)
    return _dimension(1, inverse.mean())


def two_nearest_dimension(points, discarded=0.1):
    """Return the TwoNN estimate of the intrinsic dimension.

    Facco et al. 2017 (doi:10.1038/s41598-017-11873-y): the slope, through the origin, of ``-log(1 - F)`` over
    ``log(r2 / r1)``, the ratio of the distances of the second and the first neighbour, F its distribution.

    Parameters
    ----------
    points : array, shape (n, features)
        Duplicates count once; more than 2 must remain.
    discarded : float
        Share of the largest ratios that is left out; of the largest one ``-log(1 - F)`` is infinite.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Another shape, numbers that are not finite, too few points, a share that leaves out all or none, or
        every point is equally far from its two neighbours.
    """
    check_shares(discarded=discarded)
    distances = _neighbour_distances(_distinct(points, 3), 2)
    ratios = np.sort(np.log(distances[:, 1] / distances[:, 0]))
    kept = int(len(ratios) * (1 - discarded))
    if not 1 <= kept < len(ratios):
        raise ValueError(f"discarded must leave out some of {len(ratios)} points, not be {discarded}.")
    distribution = np.arange(1, kept + 1) / len(ratios)
    x, y = ratios[:kept], -np.log1p(-distribution)
    return _dimension(np.sum(x * y), np.sum(x * x))


def _examples(x, at_least):
    """Return an array (n, features) in double precision, or raise."""
    check_unmasked(x, "The examples")
    x = np.asarray(x, float)
    if x.ndim != 2 or x.shape[1] == 0 or len(x) < at_least:
        raise ValueError(
            f"An array (n, features) with n of at least {at_least} is needed, not the shape {x.shape}."
        )
    if not np.isfinite(x).all():
        raise ValueError("The examples must be finite, but they hold NaN or infinity.")
    return x


def _pair(one, other, at_least):
    """Return two arrays of examples with the same features, or raise."""
    stored = {getattr(x, "dtype", None) == np.uint8 for x in (one, other)}
    if len(stored) > 1:
        raise ValueError("One set is uint8 and the other is not; bring both into the same range.")
    one, other = _examples(one, at_least), _examples(other, at_least)
    if one.shape[1] != other.shape[1]:
        raise ValueError(f"Both sets need the same features, not {one.shape[1]} and {other.shape[1]}.")
    return one, other


def _distinct(points, at_least):
    points = np.unique(_examples(points, at_least=1), axis=0)
    if len(points) < at_least:
        raise ValueError(f"At least {at_least} different points are needed, not {len(points)}.")
    return points


def _shares(labels, classes):
    labels = as_labels(labels, None, classes)
    if not labels.size:
        raise ValueError("A share of labels needs at least one label.")
    return np.bincount(labels, minlength=classes) / len(labels)


def _dimension(numerator, denominator):
    if denominator == 0:
        raise ValueError("The neighbours of every point are equally far, so the dimension is not defined.")
    return float(numerator / denominator)


def _neighbour_distances(points, neighbours):
    """Return the distances of every point from its nearest other ones, ascending, shape (n, neighbours)."""
    return np.sort(_neighbours(points, neighbours)[0], axis=1)


def _neighbours(references, count, queries=None):
    """Return distances and indices, shape (queries, count), of the nearest references.

    Without queries they are those of every reference, itself left out.
    """
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(references)
    indices = search.kneighbors(queries, return_distance=False)
    queries = references if queries is None else queries
    # The search subtracts squared norms, which rounds the distance of close examples to 0 or to noise.
    distances = [np.linalg.norm(queries - references[column], axis=1) for column in indices.T]
    return np.stack(distances, axis=1), indices


def _kernel(products, features):
    return (products / features + 1) ** 3


def _kernel_sum(one, other):
    chunks = np.array_split(one, -(-len(one) // KERNEL_CHUNK))
    return sum(_kernel(chunk @ other.T, one.shape[1]).sum() for chunk in chunks)
