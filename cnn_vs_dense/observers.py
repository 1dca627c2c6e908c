"""How well anyone could decide whether a blob is present, and how well someone does.

The ideal observer ranks measurements by the likelihood ratio, blob present against absent (Barrett & Myers
2004, "Foundations of Image Science", Wiley, chapter 13). If background b and blob s come from finite
libraries, all equally probable, the ratio of a measurement y is

    mean over b and s of p(y | b + s), divided by the mean over b of p(y | b).

Its logarithm splits into a term of y and b, one of y and s, and one of b and s, each a matrix product.
The Hotelling observer knows of the backgrounds only the mean and the covariance of the measurement.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import logsumexp, ndtri
from scipy.stats import rankdata

from common.arguments import as_labels

CHUNK = 8  # measurements at once: with 2,000 backgrounds and 100 blobs, 13 MB


def poisson_log_ratio(
    counts: np.ndarray, backgrounds: np.ndarray, blobs: np.ndarray, photons: float, attenuation: float
) -> np.ndarray:
    """Return the logarithm of the likelihood ratio of photon counts.

    Parameters
    ----------
    counts : array, ``(n, rays)``
    backgrounds : array, ``(b, rays)``
        Integrals of the backgrounds along the rays.
    blobs : array, ``(s, rays)``
        Integrals of the blobs at their full contrast.
    photons : float
        Sent along each ray, above 0.
    attenuation : float
        Per pixel of value 1, above 0.

    Returns
    -------
    numpy.ndarray, ``(n,)``, float64

    Raises
    ------
    ValueError
        Arrays that do not fit together or are not finite, or photons or attenuation not above 0.
    """
    _check(counts, backgrounds, blobs)
    if not (photons > 0 and attenuation > 0):
        raise ValueError(f"photons and attenuation must be above 0, not {photons!r} and {attenuation!r}.")
    counts, behind, passed = (np.asarray(part, "float64") for part in (counts, backgrounds, blobs))
    arriving, passed = photons * np.exp(-attenuation * behind), np.exp(-attenuation * passed)
    absent = counts @ (-attenuation * behind).T - arriving.sum(axis=1)
    return _log_ratio(absent, counts @ np.log(passed).T, arriving @ (1 - passed).T)


def gaussian_log_ratio(
    measured: np.ndarray, backgrounds: np.ndarray, blobs: np.ndarray, deviation: float
) -> np.ndarray:
    """Return the logarithm of the likelihood ratio of measurements with white Gaussian noise.

    Parameters
    ----------
    measured : array, ``(n, values)``, real or complex
    backgrounds, blobs : arrays, ``(b, values)`` and ``(s, values)``
        Their measurements without noise; the blobs at their full contrast.
    deviation : float
        Standard deviation of the noise of a value, above 0; of a complex value, so its real and its imaginary
        part each have ``deviation / sqrt(2)``, as in `scanners.MRI`.

    Returns
    -------
    numpy.ndarray, ``(n,)``, float64

    Raises
    ------
    ValueError
        Arrays that do not fit together or are not finite, or a deviation that is not above 0.
    """
    _check(measured, backgrounds, blobs)
    if not deviation > 0:
        raise ValueError(f"deviation must be above 0, not {deviation!r}.")
    parts = measured, backgrounds, blobs
    dtype = np.result_type(*parts, "float64")
    variance = deviation**2 / (2 if dtype.kind == "c" else 1)
    measured, backgrounds, blobs = (as_real(part.astype(dtype)) for part in parts)
    absent = (measured @ backgrounds.T - np.square(backgrounds).sum(axis=1) / 2) / variance
    together = (backgrounds @ blobs.T + np.square(blobs).sum(axis=1) / 2) / variance
    return _log_ratio(absent, measured @ blobs.T / variance, -together)


def hotelling_log_ratio(
    measured: np.ndarray, mean: np.ndarray, covariance: np.ndarray, signals: np.ndarray
) -> np.ndarray:
    """Return the logarithm of the likelihood ratio as if measurements were normally distributed.

    The blob is one of several, all equally probable, and changes the mean but not the covariance. For a
    single one this is the Hotelling observer, the best linear observer (Barrett & Myers 2004, section 13.2).

    Parameters
    ----------
    measured : array, ``(n, values)``, real
        Of complex values `as_real` returns real ones.
    mean : array, ``(values,)``
        Of measurements without a blob.
    covariance : array, ``(values, values)``
        Of measurements without a blob, noise included.
    signals : array, ``(s, values)``
        By how much each blob changes the mean.

    Returns
    -------
    numpy.ndarray, ``(n,)``, float64

    Raises
    ------
    ValueError
        Arrays that do not fit together, complex or not finite, or a covariance that is not positive definite.
    """
    _check(measured, mean[None], covariance, signals)
    if any(map(np.iscomplexobj, (measured, mean, covariance, signals))):
        raise ValueError("The Hotelling observer takes real numbers; use as_real.")
    try:
        templates = cho_solve(cho_factor(covariance), signals.T)
    except LinAlgError as error:
        raise ValueError("The covariance must be positive definite; leave out what never varies.") from error
    exponents = (measured - mean) @ templates - (signals.T * templates).sum(axis=0) / 2
    return logsumexp(exponents.astype("float64"), axis=1) - np.log(len(signals))


def as_real(values: np.ndarray) -> np.ndarray:
    """Return values ``(n, values)``; of complex ones the real parts followed by the imaginary parts."""
    return np.concatenate([values.real, values.imag], axis=1) if np.iscomplexobj(values) else values


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the area under the receiver operating characteristic.

    Parameters
    ----------
    scores : array, ``(n,)``
        Higher where a blob seems more probable.
    labels : array of int, ``(n,)``
        1 where a blob is present, else 0; both must occur.

    Returns
    -------
    float
        The probability that a measurement with a blob has a higher score than one without; a tie counts
        half (Hanley & McNeil 1982, Radiology 143, 29-36).

    Raises
    ------
    ValueError
        Scores that are NaN, or other labels.
    """
    labels = as_labels(labels, len(scores), 2)
    present = int(labels.sum())
    if not 0 < present < len(labels):
        raise ValueError("labels must hold both 0 and 1.")
    if np.isnan(scores).any():
        raise ValueError("scores must not be NaN.")
    surplus = rankdata(scores)[labels == 1].sum() - present * (present + 1) / 2
    return float(surplus / (present * (len(labels) - present)))


def detectability(auc: float) -> float:
    """Return d', the distance in standard deviations of two normal distributions with this `auc`.

    ``sqrt(2)`` times the normal quantile of `auc`, but 0 for an `auc` below 0.5; infinite for 1. Raises
    ValueError for an `auc` outside [0, 1].
    """
    if not 0 <= auc <= 1:
        raise ValueError(f"auc must lie in [0, 1], not be {auc!r}.")
    return max(0.0, float(np.sqrt(2) * ndtri(auc)))


def efficiency(auc: float, ideal: float) -> float:
    """Return the statistical efficiency of an observer, ``(d' / d' of the ideal observer)^2``.

    The share of the information that it uses (Tanner & Birdsall 1958, Journal of the Acoustical Society of
    America 30, 922-928). Takes the two areas under the curve. Raises ValueError unless `ideal` lies strictly
    between 0.5 and 1: else nothing can be detected, or the images are too few to say how well.
    """
    if not 0.5 < ideal < 1:
        raise ValueError(f"ideal must lie between 0.5 and 1, not be {ideal!r}, to compare with it.")
    return (detectability(auc) / detectability(ideal)) ** 2


def _log_ratio(absent, by_blob, together):
    """Return the logarithm of the ratio from the terms of its exponents.

    Without a blob the exponent is ``absent``, ``(n, b)``; with one, ``absent[:, :, None] + by_blob[:, None] +
    together``, where `by_blob` is ``(n, s)`` and `together` ``(b, s)``.
    """
    found = np.empty(len(absent))
    for start in range(0, len(absent), CHUNK):
        rows = slice(start, start + CHUNK)
        exponents = absent[rows, :, None] + by_blob[rows, None, :]
        exponents += together
        found[rows] = _log_sum(exponents.reshape(len(exponents), -1)) - _log_sum(absent[rows].copy())
    return found - np.log(by_blob.shape[1])


def _log_sum(exponents):
    """Return the logarithm of the sum of exponentials of each row; the rows are overwritten."""
    peak = exponents.max(axis=1)
    exponents -= peak[:, None]
    return peak + np.log(np.exp(exponents, out=exponents).sum(axis=1))


def _check(*arrays):
    if len({array.shape[1:] for array in arrays}) > 1 or any(array.ndim != 2 for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"Arrays must be (number, values), all with the same values, not {shapes}.")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("Measurements must be finite.")
