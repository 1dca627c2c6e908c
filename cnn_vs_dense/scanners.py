"""What a scanner is, and what it records of images.

A CT scanner counts photons, a sinogram ``(n, detector, angle, 1)`` of counts; an MRI scanner records k-space
``(n, height, width, 1)``, complex and zero in the columns that it does not measure. `measurement` simulates
both. A scanner may differ from what everyone believes of it: its angles, its detector or its attenuation may
be off, or its phase may vary more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cnn_vs_dense import measurement
from common.arguments import check_counts, check_range, check_seed

CENTRE_SHARE = 0.32  # of the measured columns, as in fastMRI (Zbontar et al. 2018, arXiv:1811.08839)
# The last number of a random generator's seed. It is never 0: NumPy pads seeds with zeros.
NOISE, PHASE, COLUMNS, SIGNS = 1, 2, 3, 4


@dataclass(frozen=True)
class CT:
    """A CT scanner with parallel rays.

    Attributes
    ----------
    angles : int
        Number of projections, at equal distances over 180 degrees.
    photons : float
        Sent along each ray, above 0.
    attenuation : float
        Per pixel of value 1, above 0.
    angle_error : float
        How far each projection is off, in degrees, to a side that chance decides.
    shift : float
        How far the centre of rotation is off: the displacement of the detector in pixels, as in
        `measurement.projections`.
    circle : bool
        Whether the detector is only as long as the side of the image, because the object lies in the
        inscribed circle; otherwise it is as long as the diagonal.

    Raises
    ------
    ValueError
        The number of angles is no integer of at least 1. `scan` refuses other numbers that make no sense.
    """

    angles: int
    photons: float
    attenuation: float = 0.1
    angle_error: float = 0.0
    shift: float = 0.0
    circle: bool = False

    def __post_init__(self) -> None:
        check_counts(angles=self.angles)

    @property
    def degrees(self) -> tuple[float, ...]:
        """The angles that everyone believes, in degrees."""
        return tuple(k * 180 / self.angles for k in range(self.angles))


@dataclass(frozen=True)
class MRI:
    """An MRI scanner that measures some columns of k-space.

    Attributes
    ----------
    columns : int
        How many it measures.
    deviation : float
        Standard deviation of the noise, in the units of k-space: of a complex value, so the real and the
        imaginary part each have ``deviation / sqrt(2)``.
    order : int
        Of the polynomial that is the phase of an image, as in `measurement.smooth_phase`.
    strength : float
        Of the phase, in radians.
    fixed_phase : bool
        Whether all images have one phase, always the same, instead of a random phase each.
    """

    columns: int
    deviation: float = 0.0
    order: int = 2
    strength: float = 1.0
    fixed_phase: bool = False


class Scan(NamedTuple):
    """What a scanner recorded.

    Attributes
    ----------
    values : numpy.ndarray
        Counts ``(n, detector, angle, 1)``, float32, or k-space ``(n, height, width, 1)``, complex64.
    scanner : CT or MRI
        The true one.
    columns : numpy.ndarray, optional
        Of MRI: which columns were measured, bool ``(width,)``.
    phase : numpy.ndarray, optional
        Of MRI: the phase of each image, ``(n, height, width, 1)`` float32, in radians.
    """

    values: np.ndarray
    scanner: CT | MRI
    columns: np.ndarray | None = None
    phase: np.ndarray | None = None


def scan(images: np.ndarray, scanner: CT | MRI, seed: Sequence[int]) -> Scan:
    """Return what a scanner records of images.

    Parameters
    ----------
    images : array, ``(n, size, size, 1)``
        Floating point, at least 0.
    scanner : CT or MRI
    seed : sequence of int
        All of it decides noise and phases. The first number alone decides which columns MRI measures, and
        to which side each angle of CT is off.

    Returns
    -------
    Scan

    Raises
    ------
    ValueError
        Other images; a seed that is no sequence of integers of at least 0; a scanner without photons or
        attenuation, with negative noise or phase, or with more columns than k-space.
    """
    clean, noise = noiseless(images, scanner, seed), [*seed, NOISE]
    if isinstance(scanner, CT):
        counts = measurement.photon_counts(clean, scanner.photons, scanner.attenuation, noise)
        return Scan(counts, scanner)
    columns = measured_columns(images.shape[2], scanner.columns, seed[0])
    # Half of the noise's power lies in the real parts, half in the imaginary ones.
    noisy = measurement.gaussian_noise(clean, scanner.deviation / np.sqrt(2), noise)
    phase = _phase(images, scanner, seed).astype("float32")
    return Scan(noisy * columns[:, None], scanner, columns, phase)


def noiseless(images: np.ndarray, scanner: CT | MRI, seed: Sequence[int]) -> np.ndarray:
    """Return what `scan` with the same arguments, which it checks, would record without noise.

    Returns
    -------
    numpy.ndarray
        Of CT the integrals along the rays, ``(n, detector, angle, 1)``, in pixel values times pixels; of
        MRI the measured k-space, ``(n, height, width, 1)``, complex.
    """
    _check(images, seed)
    if isinstance(scanner, MRI):
        columns = measured_columns(images.shape[2], scanner.columns, seed[0])
        waves = np.exp(1j * _phase(images, scanner, seed)).astype("complex64")
        return measurement.k_space(images * waves) * columns[:, None]
    signs = np.random.default_rng([seed[0], SIGNS]).choice([-1, 1], scanner.angles)
    angles = np.array(scanner.degrees) + scanner.angle_error * signs
    sinograms = measurement.projections(images, angles.tolist(), scanner.shift)
    if not scanner.circle:
        return sinograms
    detectors, size = sinograms.shape[1], images.shape[1]
    start = detectors // 2 - size // 2
    return sinograms[:, start : start + size]


def measured_columns(width: int, number: int, seed: int) -> np.ndarray:
    """Return which columns of k-space are measured: 32 % of them in the centre, the others at random.

    Parameters
    ----------
    width, number : int
        Number of all and of the measured columns.
    seed : int

    Returns
    -------
    numpy.ndarray, ``(width,)``, bool
        Exactly `number` are true. Independent draws, as in fastMRI, would vary the number so much that
        accelerations overlap.

    Raises
    ------
    ValueError
        Fewer than 1 column, or more than there are.
    """
    check_counts(width=width, number=number)
    check_seed(seed)
    if number > width:
        raise ValueError(f"k-space has {width} columns, so {number} cannot be measured.")
    columns = np.zeros(width, bool)
    centre = max(1, round(CENTRE_SHARE * number))
    start = (width - centre + 1) // 2
    columns[start : start + centre] = True
    others = np.random.default_rng([seed, number, COLUMNS]).permutation(np.flatnonzero(~columns))
    columns[others[: number - centre]] = True
    return columns


def k_space_deviation(images: np.ndarray) -> float:
    """Return the standard deviation of the complex k-space of images ``(n, size, size, 1)``."""
    return float(measurement.k_space(images).astype("complex128").std())


def _phase(images, scanner, seed):
    """Return the phases of images, float64 ``(n, size, size, 1)``."""
    count, size = images.shape[:2]
    if scanner.fixed_phase:
        phase = measurement.smooth_phase(1, size, 0, scanner.order, scanner.strength)
        return np.broadcast_to(phase, images.shape)
    return measurement.smooth_phase(count, size, [*seed, PHASE], scanner.order, scanner.strength)


def _check(images, seed):
    if not isinstance(seed, Sequence) or not seed:
        raise ValueError(f"seed must be a sequence of at least one number, not {seed!r}.")
    for part in seed:
        check_seed(part)
    if images.ndim != 4 or images.shape[3] != 1:
        raise ValueError(f"images must be (n, size, size, 1), not {images.shape}.")
    check_range(images)
    if images.min(initial=0) < 0:
        raise ValueError(f"images must be at least 0, but the least value is {images.min():g}.")
