"""The parallel-beam Radon transform, its exact adjoint, and filtered backprojection.

The discretisation is that of ``skimage.transform.radon`` and ``iradon`` (Kak & Slaney, "Principles of
Computerized Tomographic Imaging", IEEE Press 1988, chapter 3). With the origin in the rotation centre, the
projection at angle a sums bilinear samples of the image f along the ray at detector position t,

    R f(t, a) = sum_s f(row = s cos a - t sin a, column = s sin a + t cos a),

and filtered backprojection sums linear samples of the filtered projections g over the A angles,

    f(row, column) = pi / (2 A) sum_a g(t = column cos a - row sin a, a).

Every operator here is linear. If its dense matrix is small, we build the matrix once and apply it as one
product. The matrix of filtered backprojection is folded at the rotation centre, which halves the product. If
the matrix is too large, a compiled loop over the angles gathers and scatters samples.

The package is callable, so ``from common import radon`` and ``from common.radon import radon`` both give the
transform.
"""

import sys
from types import ModuleType
from typing import Any

from common.radon._arguments import as_angles
from common.radon.transforms import (
    Backprojection,
    FilteredBackprojection,
    Radon,
    backproject,
    filtered_backprojection,
    radon,
)

__all__ = [
    "Backprojection",
    "FilteredBackprojection",
    "Radon",
    "as_angles",
    "backproject",
    "filtered_backprojection",
    "radon",
]


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return radon(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
