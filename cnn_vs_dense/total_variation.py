"""Reconstruction of CT by the Poisson likelihood of the counts and the total variation of the image.

With N photons sent along each ray, attenuation mu, the Radon transform A of `common.radon` and counts n, the
image x >= 0 minimises

    f(x) = sum (N exp(-mu A x) + n mu A x) + weight mu sqrt(N) sum sqrt(|grad x|^2 + SMOOTHING),

the negative logarithm of the likelihood, up to a constant, plus the smoothed total variation (Rudin, Osher &
Fatemi 1992, Physica D 60, 259-268). The gradient of the likelihood is ``mu A'(n - N exp(-mu A x))``, whose
noise grows as mu sqrt(N): in these units one weight serves every number of photons.

Each iteration minimises a separable quadratic function that lies above f and touches it at the current image
(Erdogan & Fessler 1999, Physics in Medicine and Biology 44, 2835-2851), with Nesterov's momentum.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from keras import ops

from cnn_vs_dense.reconstruction import line_integrals
from common.arguments import check_counts
from common.radon import as_angles, backproject, filtered_backprojection, radon
from common.validation import Tensor

SMOOTHING = 1e-4  # squared pixel values: gradients far below its root, 0.01, count quadratically
BATCH_SIZE = 1000  # images reconstructed at once, to bound the memory


def poisson_tv(
    counts: np.ndarray,
    angles: Sequence[float],
    photons: float,
    attenuation: float,
    weight: float,
    iterations: int = 40,
) -> np.ndarray:
    """Return the images that minimise the `objective`, nearly: after a number of iterations.

    Parameters
    ----------
    counts : array, ``(n, detector, angle, 1)``
        Floating point, at least 0, of a detector as long as the diagonal of the image.
    angles : sequence of float
        In degrees.
    photons : float
        Sent along each ray, above 0.
    attenuation : float
        Per pixel of value 1, above 0.
    weight : float
        Of the total variation, in units of ``attenuation * sqrt(photons)``, at least 0.
    iterations : int
        From filtered backprojection in a Hann window, negative values set to 0.

    Returns
    -------
    numpy.ndarray, ``(n, size, size, 1)``, float32
        At least 0.

    Raises
    ------
    ValueError
        Fewer than 1 iteration, a negative weight, counts below 0, photons or attenuation that are not
        positive numbers, or the errors of `common.radon.radon`.
    """
    check_counts(iterations=iterations)
    if not weight >= 0:
        raise ValueError(f"weight must be at least 0, not {weight!r}.")
    batches = [counts[start : start + BATCH_SIZE] for start in range(0, len(counts), BATCH_SIZE)]
    return np.concatenate([
        _minimised(batch.astype("float32"), as_angles(angles), photons, attenuation, weight, iterations)
        for batch in batches
    ])  # fmt: skip


def objective(
    images: np.ndarray,
    counts: np.ndarray,
    angles: Sequence[float],
    photons: float,
    attenuation: float,
    weight: float,
) -> np.ndarray:
    """Return the function f that `poisson_tv` minimises, for each image, ``(n,)``, float64.

    Parameters
    ----------
    images : array, ``(n, size, size, 1)``
        Floating point.
    counts, angles, photons, attenuation, weight
        As in `poisson_tv`.

    Raises
    ------
    ValueError
        The errors of `common.radon.radon`.
    """
    integrals = attenuation * np.asarray(radon(images.astype("float64"), angles))
    likelihood = (photons * np.exp(-integrals) + counts * integrals).sum(axis=(1, 2, 3))
    down, right = _steps(images.astype("float64"))
    variation = np.sqrt(np.square(down) + np.square(right) + SMOOTHING).sum(axis=(1, 2, 3))
    return likelihood + weight * attenuation * math.sqrt(photons) * variation


def penalised(
    start: Tensor,
    gradient: Callable[[Tensor], Tensor],
    curvature: Tensor,
    weight: float,
    iterations: int,
) -> Tensor:
    """Return the images x >= 0 that minimise a data term plus the smoothed total variation, nearly.

    Parameters
    ----------
    start : tensor, ``(n, height, width, channels)``
        At least 0.
    gradient : callable
        Takes images and returns the gradient of the data term, which is convex.
    curvature : tensor that broadcasts to the images
        Above 0, in each pixel: together the data term's separable quadratic bound.
    weight : float
        Of ``sum sqrt(|grad x|^2 + SMOOTHING)``, at least 0.
    iterations : int

    Returns
    -------
    tensor, as `start`
    """
    images = ahead = start
    momentum = 1.0
    for _ in range(iterations):
        slope, steepness = _smoothed_variation(ahead)
        slope, steepness = gradient(ahead) + weight * slope, curvature + weight * steepness
        following = ops.relu(ahead - slope / steepness)
        next_momentum = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = ops.relu(following + (momentum - 1) / next_momentum * (following - images))
        images, momentum = following, next_momentum
    return images


def _minimised(counts, angles, photons, attenuation, weight, iterations):
    sinogram = line_integrals(counts, photons, attenuation)
    start = ops.relu(filtered_backprojection(sinogram, angles, "hann"))
    gradient = partial(_likelihood_gradient, counts, angles, photons, attenuation)
    # The curvature of the likelihood in an integral is largest, N mu^2, where nothing absorbs.
    everywhere = radon(ops.ones_like(start[:1]), angles)
    curvature = photons * attenuation**2 * backproject(everywhere, angles, start.shape[1])
    scale = attenuation * math.sqrt(photons)
    return np.asarray(penalised(start, gradient, curvature, weight * scale, iterations))


def _likelihood_gradient(counts, angles, photons, attenuation, images):
    """Return the gradient of ``sum (N exp(-mu A x) + n mu A x)`` with respect to the images x."""
    arriving = photons * ops.exp(-attenuation * radon(images, angles))
    return attenuation * backproject(counts - arriving, angles, images.shape[1])


def _smoothed_variation(images):
    """Return gradient and curvature of the smoothed total variation.

    The curvature is that of the function that replaces each root by a parabola above it, which touches it
    at the images, and each squared difference by twice the squares of the changes of both its pixels.
    """
    down, right = _steps(images)
    slopes = 1 / ops.sqrt(ops.square(down) + ops.square(right) + SMOOTHING)
    gradient = _before(slopes * down, 1) + _before(slopes * right, 2) - slopes * (down + right)
    return gradient, 2 * (2 * slopes + _before(slopes, 1) + _before(slopes, 2))


def _steps(images):
    """Return the differences to the next row and to the next column, 0 from the last ones."""
    down = ops.pad(images[:, 1:] - images[:, :-1], [(0, 0), (0, 1), (0, 0), (0, 0)])
    right = ops.pad(images[:, :, 1:] - images[:, :, :-1], [(0, 0), (0, 0), (0, 1), (0, 0)])
    return down, right


def _before(values, axis):
    """Return for each pixel the value of the one before it along an axis, 0 for the first."""
    margins = [(0, 0)] * 4
    margins[axis] = (1, 0)
    kept = values[:, :-1] if axis == 1 else values[:, :, :-1]
    return ops.pad(kept, margins)
