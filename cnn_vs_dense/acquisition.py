"""Acquisition: what CT and MRI measure of images, where, and how disturbed.

CT measures sinograms ``(n, detector, angle, 1)`` at a tuple of angles; MRI measures k-space
``(n, height, width, 1)``, complex, in some of its columns; the others are zero.
`measurement` simulates both.
"""

from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np

from cnn_vs_dense import measurement
from cnn_vs_dense.representations import ANGLES
from common.arguments import check_counts, check_seed
from common.names import look_up
from common.validation import as_unit_images

CT = {
    **{f"{number} angles": ANGLES[:: len(ANGLES) // number] for number in (4, 8, 16, 32)},
    **{f"wedge of {width} degrees": tuple(a for a in ANGLES if a < width) for width in (60, 120)},
}
MRI = {f"acceleration {factor}": factor for factor in (1, 2, 4, 8, 16)}
CENTRE_FRACTION = 0.32  # of the measured columns, as in fastMRI (Zbontar et al. 2018, arXiv:1811.08839)


@dataclass(frozen=True)
class Noise:
    """What disturbs a measurement.

    Attributes
    ----------
    relative : float
        Standard deviation of white noise, relative to that of the undisturbed measurements.
    photons : int, optional
        How many each ray of CT sends through the object; by default as many as make no noise.
    phase : bool
        Whether every image gets a smooth random phase, as in magnetic resonance.
    """

    relative: float = 0.0
    photons: int | None = None
    phase: bool = False


NOISES = {
    "none": Noise(),
    "1,000 photons": Noise(photons=1000),
    "Gaussian 0.3": Noise(relative=0.3),
    "Gaussian 0.3, phase": Noise(relative=0.3, phase=True),
}


class Scan(NamedTuple):
    """Measurements, and where they were taken: at a tuple of angles, or in which columns (array of bool)."""

    values: np.ndarray
    places: tuple | np.ndarray


def scan(images, sampling, noise, seed, session=0):
    """Return what CT or MRI measures of images.

    Parameters
    ----------
    images : array, ``(n, size, size, 1)``
        Floating point, in [0, 1].
    sampling : key of `CT` or of `MRI`
    noise : key of `NOISES`
        Relative to the standard deviation of these measurements.
    seed, session : int
        Both decide the noise and the phases; `seed` alone the columns of k-space.

    Returns
    -------
    Scan

    Raises
    ------
    ValueError
        `sampling` or `noise` is unknown, or they do not go together; other images; a seed that is not an
        integer of at least 0.
    """
    check_acquisition(sampling, noise)
    check_seed(seed)
    images = as_unit_images(images)
    if sampling in CT:
        return _ct(images, CT[sampling], NOISES[noise], [seed, session, 1])
    values = _k_space(images, NOISES[noise], [seed, session, 1], [seed, session, 2])
    columns = measured_columns(images.shape[2], MRI[sampling], seed)
    return Scan(values * columns[:, None], columns)


def check_acquisition(sampling, noise):
    """Raise ValueError unless there is such a sampling, with such noise."""
    look_up("sampling", sampling, CT | MRI)
    disturbance = look_up("noise", noise, NOISES)
    if sampling in CT and disturbance.phase:
        raise ValueError("CT knows no phase; choose another noise.")
    if sampling in MRI and disturbance.photons is not None:
        raise ValueError("MRI knows no photons; choose another noise.")


def measured_columns(width, acceleration, seed):
    """Return which columns of k-space are measured: the centre, and of the others random ones.

    A boolean array ``(width,)`` with exactly ``round(width / acceleration)`` true, but at least 1: with so
    few columns, independent draws as in `common.fourier.undersample` would make accelerations that overlap.
    Raises ValueError for an acceleration below 1.
    """
    check_counts(width=width)
    check_seed(seed)
    if not isinstance(acceleration, Real) or not 1 <= acceleration < np.inf:
        raise ValueError(f"acceleration must be a number of at least 1, not {acceleration!r}.")
    number = max(1, round(width / acceleration))
    columns = np.zeros(width, bool)
    centre = max(1, round(CENTRE_FRACTION * number))
    start = (width - centre + 1) // 2
    columns[start : start + centre] = True
    others = np.random.default_rng([seed, number, 3]).permutation(np.flatnonzero(~columns))
    columns[others[: number - centre]] = True
    return columns


def _ct(images, angles, noise, seed):
    values = measurement.projections(images, angles)
    deviation = noise.relative * values.std()
    if noise.photons is not None:
        values = measurement.photon_noise(values, noise.photons, seed)
    return Scan(measurement.gaussian_noise(values, deviation, seed), angles)


def _k_space(images, noise, seed, phase_seed):
    if noise.phase:
        images = measurement.with_phase(images, phase_seed)
    values = measurement.k_space(images)
    # Half of the power lies in the real parts, half in the imaginary ones.
    return measurement.gaussian_noise(values, noise.relative * values.std() / np.sqrt(2), seed)
