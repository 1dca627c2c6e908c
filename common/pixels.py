"""Images as the 8-bit values of a file."""

import numpy as np
from numpy.typing import ArrayLike

from common.arguments import check_range


def as_bytes(images: ArrayLike) -> np.ndarray:
    """Return images in [0, 1], of any shape, rounded to 256 levels, uint8; values outside are clipped.

    Raises
    ------
    ValueError
        NaN or infinity, no floats, or values that look like 0 to 255.

    Examples
    --------
    >>> as_bytes([0.0, 0.5, 1.0])
    array([  0, 128, 255], dtype=uint8)
    """
    found = np.asarray(images)
    if not np.issubdtype(found.dtype, np.floating) or not np.isfinite(found).all():
        raise ValueError(f"Images must be finite floats in [0, 1], not {found.dtype} or NaN.")
    check_range(images)
    return np.round(255 * np.clip(found, 0, 1)).astype("uint8")
