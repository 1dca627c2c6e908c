"""Volumes of anatomy, and views of them: discs cut out of a slice at random.

The head CT comes with InVesalius (GPL-2), the average MRI of 152 brains with nilearn (Fonov et al. 2011,
NeuroImage 54, 313-327); neither ships, see `common.data.read_anatomy`. A disc cut out of a head is a
specimen, not a head: nothing absorbs outside it. The noise of the head CT itself is part of the "anatomy";
the MRI is an average of magnitude images, smoother than any one brain.
"""

import gzip
import io
import struct
import tarfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.ndimage import map_coordinates, zoom
from scipy.signal import fftconvolve

from common.arguments import check_counts, check_seed
from common.data import read_anatomy

WATER = 0.0193  # attenuation at 70 keV, per mm
CT_SHAPE, CT_PIXEL, CT_SLICE = (108, 256, 256), 0.95703125, 1.5  # from main.plist; mm
LEAST_TISSUE = 0.95  # share of a disc
# First slice and the one after the last, 20 mm apart, 13 slices of 1.5 mm or 20 of 1 mm; between two slabs
# lie at least 10 mm.
SLABS: dict[str, tuple[tuple[int, int], ...]] = {
    "head_ct": ((30, 43), (50, 63), (70, 83)),
    "mni152": ((50, 70), (80, 100), (110, 130)),
}


class Volume(NamedTuple):
    """A volume of anatomy with pixels of 1 mm.

    Attributes
    ----------
    values : numpy.ndarray, ``(slice, row, column)``, float32
        At least 0.
    slice_mm : float
        Distance of two slices.
    air : float
        Higher values are tissue.
    """

    values: np.ndarray
    slice_mm: float
    air: float = 0.0


def head_ct() -> Volume:
    """Return the attenuation of a head, per mm, from the feet upwards.

    Hounsfield units above -500 are tissue. Raises FileNotFoundError or ValueError as `read_anatomy`.
    """
    with tarfile.open(fileobj=io.BytesIO(read_anatomy("head_ct")), mode="r:gz") as archive:
        member = next(one for one in archive.getmembers() if one.name.endswith("/matrix.dat"))
        stored = np.frombuffer(archive.extractfile(member).read(), "<i2").reshape(CT_SHAPE)
    attenuation = np.maximum(WATER * (1 + stored.astype("float32") / 1000), 0)
    scale = (1, CT_PIXEL, CT_PIXEL)
    resampled = zoom(attenuation, scale, order=1, mode="nearest", grid_mode=True)
    return Volume(resampled, CT_SLICE, WATER / 2)


def mni152() -> Volume:
    """Return the average T1-weighted MRI of 152 brains without their skulls, in [0, 1], from below upwards.

    Raises FileNotFoundError or ValueError as `read_anatomy`.
    """
    content = gzip.decompress(read_anatomy("mni152"))
    # The header of NIfTI-1: sizes along right, front and top at byte 40, the place of the data at byte 108.
    columns, rows, slices = struct.unpack_from("<3h", content, 42)
    (start,) = struct.unpack_from("<f", content, 108)
    stored = np.frombuffer(content, "u1", slices * rows * columns, int(start))
    return Volume(stored.reshape(slices, rows, columns).astype("float32") / 255, 1.0, 0.1)


VOLUMES: dict[str, Callable[[], Volume]] = {"head_ct": head_ct, "mni152": mni152}


def views(volume: Volume, slab: tuple[int, int], count: int, size: int, seed: int) -> np.ndarray:
    """Return discs cut out of the slices of a slab, each turned by a random angle.

    Slice and centre are drawn from all places at which at least 95 % of the disc is tissue.

    Parameters
    ----------
    volume : Volume
    slab : pair of int
        The first slice and the one after the last.
    count, size : int
        Number of views, and their side in pixels of 1 mm, at least 4.
    seed : int

    Returns
    -------
    numpy.ndarray, ``(count, size, size, 1)``, float32
        Interpolated linearly. The centre of the disc is pixel ``size // 2``, its diameter ``size - 2``,
        62 mm for 64 pixels; outside it, views are 0.

    Raises
    ------
    ValueError
        There is no such place, the slab lies outside the volume, or a number is too low.
    """
    check_counts(count=count)
    check_seed(seed)
    if size < 4:
        raise ValueError(f"size must be at least 4, not {size!r}.")
    places = _places(volume, slab, (size - 2) / 2)
    rng = np.random.default_rng(seed)
    chosen, turns = places[rng.integers(len(places), size=count)], rng.uniform(0, 2 * np.pi, count)
    row, column = np.indices((size, size)) - size // 2
    inside = row**2 + column**2 <= ((size - 2) / 2) ** 2
    row, column = row[inside], column[inside]
    found = np.zeros((count, size, size, 1), "float32")
    for view, (number, *centre), turn in zip(found, chosen, turns, strict=True):
        sin, cos = np.sin(turn), np.cos(turn)
        turned = np.stack([cos * row - sin * column, sin * row + cos * column])
        points = turned + np.array(centre)[:, None]
        view[inside, 0] = map_coordinates(volume.values[number], points, order=1, output="float32")
    return found


def _places(volume, slab, radius):
    """Return slice, row and column of the centres of all discs with enough tissue, ``(places, 3)``."""
    first, end = slab
    if not 0 <= first < end <= len(volume.values):
        raise ValueError(f"A slab must lie in slices 0 to {len(volume.values)}, not be {slab!r}.")
    reach = np.arange(-int(radius), int(radius) + 1)
    disc = (reach[:, None] ** 2 + reach**2 <= radius**2).astype("float32")
    tissue = (volume.values[first:end] > volume.air).astype("float32")
    share = fftconvolve(tissue, disc[None], mode="same", axes=(1, 2)) / disc.sum()
    places = np.argwhere(share > LEAST_TISSUE - 1e-4)
    if not len(places):
        raise ValueError(f"No disc of radius {radius:g} in the slab {slab!r} holds 95 % tissue.")
    return places + np.array([first, 0, 0])
