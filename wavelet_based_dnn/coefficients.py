"""What single coefficients of an image are worth: few of them, those of a place, those of a frequency.

Wavelets are orthogonal ones in the mode "periodization", so there are as many coefficients as pixels and
their energy is that of the image (Mallat, A Wavelet Tour of Signal Processing, 3rd ed., sections 7.5, 7.7).
"""

from functools import partial

import numpy as np
import pywt

from common.fourier import Spectrum, fft2, ifft2
from common.names import look_up
from common.wavelet import WAVELETS, wavedec2, waverec2

MODE = "periodization"


def from_largest_wavelets(images, share, wavelet="db2", level=5):
    """Return images from the share of their wavelet coefficients that is largest.

    Parameters
    ----------
    images : array, shape (n, height, width, channels)
        Height and width divisible by ``2**level``.
    share : float
        In (0, 1], of the coefficients of every channel.
    wavelet : str
        Name of an orthogonal wavelet.
    level : int

    Returns
    -------
    array, shape (n, height, width, channels)
        The best approximation of `images` by so many coefficients (Mallat, section 9.2.1), not clipped.

    Raises
    ------
    ValueError
        A size that is not divisible, a share outside (0, 1], or a wavelet that is not orthogonal.
    """
    images = _divisible(images, level)
    _check_orthogonal(wavelet)
    coefficients = wavedec2(images, wavelet, level, MODE)
    kept = _largest(_flat(coefficients), share)
    return np.array(waverec2(_like(coefficients, _flat(coefficients) * kept), wavelet, MODE))


def from_largest_waves(images, share):
    """Return images from the share of their Fourier coefficients that is largest.

    A real image has as many independent real numbers in its spectrum as pixels, two for each pair of opposite
    frequencies, so an equal share is an equal number of numbers.

    Parameters
    ----------
    images, share
        As in `from_largest_wavelets`, of any size.

    Raises
    ------
    ValueError
        A share outside (0, 1].
    """
    spectrum = fft2(np.asarray(images))
    parts = [np.array(part) for part in spectrum]
    magnitudes = np.hypot(*parts)
    kept = _largest(_numbers(magnitudes), share).reshape(magnitudes.shape)
    kept |= _opposite(kept)  # rounding may part a pair
    return np.array(ifft2(Spectrum(*(part * kept for part in parts))).real)


def without_details(images, rows, columns, wavelet="db2", level=3):
    """Return images without the details of one region, at all levels.

    Parameters
    ----------
    images, wavelet, level
        As in `from_largest_wavelets`.
    rows, columns : (int, int)
        Where the region begins and ends, in pixels.

    Raises
    ------
    ValueError
        A size that is not divisible, or a region that is empty or reaches beyond the images.
    """
    images = _divisible(images, level)
    for (first, last), size in zip((rows, columns), images.shape[1:3], strict=True):
        if not 0 <= first < last <= size:
            raise ValueError(f"A region must begin and end within {size} pixels, not at {first} and {last}.")
    approximation, *details = wavedec2(images, wavelet, level, MODE)
    removed = []
    for number, bands in enumerate(details):
        scale = 2 ** (level - number)
        place = tuple(slice(first // scale, -(-last // scale)) for first, last in (rows, columns))
        removed.append(tuple(map(partial(_without, place=place), bands)))
    return np.array(waverec2([approximation, *removed], wavelet, MODE))


def without_high_frequencies(images, count):
    """Return images without the `count` highest frequencies of their Fourier transform, ties included.

    Parameters
    ----------
    images : array, shape (n, height, width, channels)
    count : int
        Of the coefficients of each channel, the most distant ones from the zero frequency; from 1 to all.

    Raises
    ------
    ValueError
        There are not so many coefficients.
    """
    spectrum = fft2(np.asarray(images))
    height, width = spectrum.real.shape[1:3]
    if not 1 <= count <= height * width:
        raise ValueError(f"count must be 1 to {height * width}, not {count}.")
    distances = np.fft.fftshift(np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)))
    kept = (distances < np.sort(distances, axis=None)[-count])[..., None]
    return np.array(ifft2(Spectrum(*(np.array(part) * kept for part in spectrum))).real)


def energy_by_level(images, wavelet="haar", level=5):
    """Return which share of the energy of images lies in the approximation and in every level of details.

    Parameters
    ----------
    images, wavelet, level
        As in `from_largest_wavelets`.

    Returns
    -------
    array, shape (n, level + 1)
        The approximation first, then the details from the coarsest to the finest; every row adds up to 1.

    Raises
    ------
    ValueError
        As `from_largest_wavelets`, or an image without energy.
    """
    _check_orthogonal(wavelet)
    approximation, *details = wavedec2(_divisible(images, level), wavelet, level, MODE)
    energies = [np.sum(np.square(approximation), axis=(1, 2, 3))]
    energies += [sum(np.sum(np.square(band), axis=(1, 2, 3)) for band in bands) for bands in details]
    energies = np.stack(energies, axis=1)
    if not energies.any(axis=1).all():
        raise ValueError("An image of zeros has no energy to be shared.")
    return energies / energies.sum(axis=1, keepdims=True)


def _divisible(images, level):
    images = np.asarray(images)
    if images.ndim != 4 or any(size % 2**level for size in images.shape[1:3]):
        raise ValueError(
            f"Images (n, height, width, channels) with sizes divisible by {2**level} are needed for {level} "
            f"levels, not the shape {images.shape}."
        )
    return images


def _check_orthogonal(wavelet):
    wavelet = wavelet if isinstance(wavelet, pywt.Wavelet) else look_up("wavelet", wavelet, WAVELETS)
    if not pywt.Wavelet(getattr(wavelet, "name", wavelet)).orthogonal:
        raise ValueError(f"The wavelet {wavelet!r} is not orthogonal, so its coefficients share no energy.")


def _largest(values, share):
    """Return where the largest magnitudes along axis 1 of (n, numbers, channels) stand."""
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], not be {share}.")
    count = max(1, round(share * values.shape[1]))
    least = np.partition(np.abs(values), -count, axis=1)[:, -count, None]
    return np.abs(values) >= least


def _opposite(spectrum):
    """Return a centred spectrum (n, height, width, channels), each frequency in the place of its negative."""
    plain = np.fft.ifftshift(spectrum, axes=(1, 2))
    return np.fft.fftshift(np.roll(np.flip(plain, axis=(1, 2)), 1, axis=(1, 2)), axes=(1, 2))


def _flat(coefficients):
    """Return all coefficients as one array (n, numbers, channels)."""
    approximation, *details = coefficients
    bands = [approximation, *(band for bands in details for band in bands)]
    return np.concatenate([_numbers(band) for band in bands], axis=1)


def _numbers(band):
    return np.reshape(band, (len(band), -1, band.shape[-1]))


def _like(coefficients, values):
    """Return the numbers of `_flat` in the form of `coefficients`."""
    approximation, *details = coefficients
    shapes = [tuple(band.shape) for band in (approximation, *(band for bands in details for band in bands))]
    ends = np.cumsum([height * width for _, height, width, _ in shapes])
    bands = [x.reshape(shape) for x, shape in zip(np.split(values, ends[:-1], axis=1), shapes, strict=True)]
    return [bands[0], *(tuple(bands[i : i + 3]) for i in range(1, len(bands), 3))]


def _without(band, place):
    band = np.array(band)
    band[:, *place] = 0
    return band
