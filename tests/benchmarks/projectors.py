"""The parallel-beam projectors of six libraries, brought to the convention of `common.radon`.

That convention is scikit-image's: pixels and detectors are one unit wide, pixel ``(size // 2, size // 2)``
projects onto detector ``length // 2`` of ``length = ceil(sqrt(2) size)``, and at angle 0 the detector runs
along a row of the image. A library that turns images about their geometric centre instead gets one more row,
column or detector of zeros where a size is even, which moves the centre onto that pixel. So nothing is
resampled, and what was added is cut off again; both happen outside of what is timed.
"""

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np


class Projector(NamedTuple):
    """The operators of a library on its own arrays, and the ways from our arrays to those and back.

    Images are ``(batch, size, size)`` and sinograms ``(batch, length, angle)``, float32. Results of the three
    operators are multiplied by `scales`, which undo other units of length and of angle.
    """

    forward: Callable[[Any], Any]
    adjoint: Callable[[Any], Any]
    reconstruct: Callable[[Any], Any]
    to_images: Callable[[np.ndarray], Any]
    to_sinograms: Callable[[np.ndarray], Any]
    from_images: Callable[[Any], np.ndarray]
    from_sinograms: Callable[[Any], np.ndarray]
    scales: tuple[float, float, float] = (1.0, 1.0, 1.0)


def detector_length(size):
    """Return the number of detectors that see all of a square image."""
    return math.ceil(math.sqrt(2) * size)


def placed(x, *sizes):
    """Return `x` with its last axes cut, or filled with zeros, to `sizes`; index n // 2 stays the centre."""
    for axis, size in zip(range(-len(sizes), 0), sizes, strict=True):
        before = size // 2 - x.shape[axis] // 2
        if before < 0 or size < x.shape[axis]:
            x = np.take(x, np.arange(size) - before, axis=axis)
        else:
            margins = [(0, 0)] * x.ndim
            margins[axis] = (before, size - x.shape[axis] - before)
            x = np.pad(x, margins)
    return np.ascontiguousarray(x)


def _odd(n):
    return n // 2 * 2 + 1


def ours(size, batch, angles):
    """`common.radon` on TensorFlow, eager."""
    from keras import ops

    from common.radon import backproject, filtered_backprojection, radon

    def to_tensor(x):
        return ops.convert_to_tensor(x[..., None])

    def to_array(x):
        return ops.convert_to_numpy(x)[..., 0]

    return Projector(
        lambda x: radon(x, angles),
        lambda y: backproject(y, angles, size),
        lambda y: filtered_backprojection(y, angles, size=size),
        *(to_tensor, to_tensor, to_array, to_array),
    )


def scikit_image(size, batch, angles):
    """Return scikit-image's, one image at a time; unfiltered, `iradon` stands in for the adjoint.

    `iradon` multiplies by ``pi / (2 angles)``.
    """
    from skimage.transform import iradon, radon

    def backproject(sinograms, name):
        return [iradon(y, angles, size, filter_name=name, circle=False) for y in sinograms]

    return Projector(
        lambda images: [radon(x, angles, circle=False, preserve_range=True) for x in images],
        lambda sinograms: backproject(sinograms, None),
        lambda sinograms: backproject(sinograms, "ramp"),
        *(np.asarray,) * 4,
        scales=(1.0, 2 * len(angles) / np.pi, 1.0),
    )


def torchskradon(size, batch, angles):
    """Return torchskradon's, in scikit-image's convention; the adjoint is a backward pass alone."""
    import torch
    from torchskradon.functional import skiradon, skradon

    theta, zeros = torch.from_numpy(angles), torch.zeros(batch, 1, size, size, requires_grad=True)

    def forward(x):
        return skradon(x, theta, circle=False, preserve_range=True)

    sinograms = forward(zeros)
    return Projector(
        forward,
        lambda y: torch.autograd.grad(sinograms, zeros, y, retain_graph=True)[0],
        lambda y: skiradon(y, theta, size, circle=False),
        *(_one_channel, _one_channel, _first_channel, _first_channel),
    )


def torchtomo(size, batch, angles):
    """Return torchtomo's; its images are as wide as the detector and span [-1, 1]."""
    import torch
    from torchtomo import ParallelBeam

    length, width = detector_length(size), _odd(detector_length(size))
    pixels = width / 2  # in its unit of length
    beam = ParallelBeam(width, angles=torch.deg2rad(torch.from_numpy(angles)).float(), circle=False)
    return Projector(
        beam.forward,
        beam.adjoint,
        beam.fbp,
        lambda x: _one_channel(placed(x, width, width)),
        lambda y: _one_channel(placed(y, width, len(angles)).swapaxes(1, 2)),
        lambda x: placed(_first_channel(x), size, size),
        lambda y: placed(_first_channel(y).swapaxes(1, 2), length, len(angles)),
        scales=(pixels, pixels, 1 / pixels),
    )


def diffct(size, batch, angles):
    """Return diffct's, the portable implementation in PyTorch; vectors are (column, row)."""
    import torch
    from diffct import Projector as Operator
    from diffct import fbp

    length, side, theta = detector_length(size), _odd(size), torch.deg2rad(torch.from_numpy(angles)).float()
    cos, sin = torch.cos(theta), torch.sin(theta)
    trajectory = torch.stack([sin, cos], 1), torch.zeros(len(theta), 2), torch.stack([cos, -sin], 1)
    operator = Operator(trajectory, (side, side), _odd(length), beam="parallel", backend="torch")
    return Projector(
        operator.project,
        operator.backproject,
        lambda y: torch.stack([fbp(one, trajectory, (side, side), theta, backend="torch") for one in y]),
        lambda x: torch.from_numpy(placed(x, side, side)),
        lambda y: torch.from_numpy(np.ascontiguousarray(placed(y, _odd(length), len(angles)).swapaxes(1, 2))),
        lambda x: placed(x.numpy(), size, size),
        lambda y: placed(y.numpy().swapaxes(1, 2), length, len(angles)),
    )


def astra(size, batch, angles):
    """Return ASTRA's on the CPU, one image at a time, with its linear (Joseph's) kernel."""
    import astra as toolbox

    length, side = detector_length(size), _odd(size)
    rays = toolbox.create_proj_geom("parallel", 1.0, _odd(length), np.deg2rad(angles))
    operator = toolbox.OpTomo(toolbox.create_projector("linear", rays, toolbox.create_vol_geom(side, side)))
    return Projector(
        lambda images: [operator.FP(x) for x in images],
        lambda sinograms: [operator.BP(y) for y in sinograms],
        lambda sinograms: [operator.reconstruct("FBP", y) for y in sinograms],
        lambda x: placed(x, side, side),
        lambda y: np.ascontiguousarray(placed(y, _odd(length), len(angles)).swapaxes(1, 2)),
        lambda x: placed(np.asarray(x), size, size),
        lambda y: placed(np.asarray(y).swapaxes(1, 2), length, len(angles)),
    )


def _one_channel(x):
    import torch

    return torch.from_numpy(np.ascontiguousarray(x[:, None]))


def _first_channel(x):
    return x.detach().numpy()[:, 0]


# Each library's name here, its package, and what makes its projector for a batch of square images of a size
# and angles in degrees.
LIBRARIES = {
    "ours": ("common", ours),
    "scikit-image": ("skimage", scikit_image),
    "torchskradon": ("torchskradon", torchskradon),
    "torchtomo": ("torchtomo", torchtomo),
    "diffct": ("diffct", diffct),
    "ASTRA, linear": ("astra", astra),
}
# Those that cannot be measured on a CPU from their packages, and why.
LEFT_OUT = {
    "torch-radon": "is not on PyPI, and its projectors need an NVIDIA GPU",
    "tomosipo": "is not on PyPI, and it calls ASTRA's three-dimensional projectors, which need an NVIDIA GPU",
    "ODL": "has no projector of its own: on a CPU it calls ASTRA's or scikit-image's",
}


def installed():
    """Return the names of the libraries that are installed."""
    return [name for name, (package, _) in LIBRARIES.items() if find_spec(package)]
