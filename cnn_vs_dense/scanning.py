"""What two scanners measure of images: where, and how disturbed.

A tomograph measures sinograms ``(n, detector, angle, 1)`` at a tuple of angles; a magnetic resonance scanner
measures k-space ``(n, height, width, 1)``, complex, in some of its columns; the others are zero.
`measurement` simulates both.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cnn_vs_dense import measurement
from cnn_vs_dense.representations import ANGLES
from common.fourier import Spectrum, undersample

TOMOGRAPHY = {
    **{f"{number} angles": ANGLES[:: len(ANGLES) // number] for number in (4, 8, 16, 32)},
    **{f"wedge of {width} degrees": tuple(a for a in ANGLES if a < width) for width in (60, 120)},
}
RESONANCE = {f"acceleration {factor}": factor for factor in (1, 2, 4, 8, 16)}
CENTRE = 0.32  # share of the columns, divided by the acceleration, as in fastMRI (arXiv:1811.08839)


@dataclass(frozen=True)
class Noise:
    """What disturbs a measurement.

    Attributes
    ----------
    relative : float
        Standard deviation of white noise, relative to that of the undisturbed measurements.
    photons : int, optional
        How many each ray of a tomograph sends through the object; by default as many as make no noise.
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
    """Return what a scanner measures of images.

    Parameters
    ----------
    images : array, ``(n, size, size, 1)``
        Values of at least 0.
    sampling : key of `TOMOGRAPHY` or of `RESONANCE`
    noise : key of `NOISES`
    seed, session : int
        Both decide the noise and the phases; `seed` alone the columns of k-space.

    Returns
    -------
    Scan

    Raises
    ------
    ValueError
        `sampling` or `noise` is unknown, or the scanner does not have such noise.
    """
    for name, known in ((sampling, TOMOGRAPHY | RESONANCE), (noise, NOISES)):
        if name not in known:
            raise ValueError(f"There is no {name!r}; there are {', '.join(known)}.")
    if sampling in TOMOGRAPHY:
        return _tomograph(images, TOMOGRAPHY[sampling], NOISES[noise], [seed, session])
    values = _k_space(images, NOISES[noise], [seed, session])
    factor = RESONANCE[sampling]
    measured, columns = undersample(Spectrum(values.real, values.imag), factor, CENTRE / factor, seed)
    return Scan(np.asarray(measured.real) + 1j * np.asarray(measured.imaginary), columns)


def _tomograph(images, angles, noise, seed):
    if noise.phase:
        raise ValueError("A tomograph knows no phase; choose another noise.")
    values = measurement.projections(images, angles)
    deviation = noise.relative * values.std()
    if noise.photons is not None:
        values = measurement.photon_noise(values, noise.photons, seed)
    return Scan(measurement.gaussian_noise(values, deviation, seed), angles)


def _k_space(images, noise, seed):
    if noise.photons is not None:
        raise ValueError("Magnetic resonance knows no photons; choose another noise.")
    if noise.phase:
        images = measurement.with_phase(images, [*seed, 1])
    values = measurement.k_space(images)
    # Half of the power lies in the real parts, half in the imaginary ones.
    return measurement.gaussian_noise(values, noise.relative * values.std() / np.sqrt(2), seed)
