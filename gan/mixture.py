"""A mixture of Gaussians: fitted by scikit-learn, sampled with seeds of our own."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

ROUNDS = 20  # of expectation maximisation
LEAST_VARIANCE = 1e-4


class Mixture(NamedTuple):
    """A mixture of Gaussians.

    Attributes
    ----------
    weights : array, shape (components,)
        They add up to 1.
    means : array, shape (components, features)
    roots : array, shape (components, features, features)
        Lower triangles whose products with their transposes are the covariances.
    """

    weights: np.ndarray
    means: np.ndarray
    roots: np.ndarray


def fitted_mixture(codes, components, seed):
    """Return a `Mixture` with full covariances, fitted to codes by expectation maximisation.

    It stops after `ROUNDS`; more would follow single codes rather than their distribution.

    Parameters
    ----------
    codes : array, shape (n, features)
    components : int
        At most n.
    seed : int
        Of the first means ("k-means++", Arthur & Vassilvitskii 2007).
    """
    model = GaussianMixture(
        components, max_iter=ROUNDS, init_params="k-means++", reg_covar=LEAST_VARIANCE, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of rounds is chosen
        model.fit(np.asarray(codes, float))
    return Mixture(model.weights_, model.means_, np.linalg.cholesky(model.covariances_))


def mixture_samples(mixture, count, seed):
    """Return samples ``(count, features)`` of a `Mixture`."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(mixture.weights), count, p=mixture.weights / mixture.weights.sum())
    noise = rng.standard_normal((count, mixture.means.shape[1]))
    return mixture.means[chosen] + np.einsum("nij,nj->ni", mixture.roots[chosen], noise)
