"""Operators on large images: compiled loops over the angles, on arrays whose last axis holds the whole batch.

They gather samples; their adjoints scatter samples with the same indices and weights. Memory holds a few
arrays of the size of images and sinograms, however many angles there are, also for gradients.
"""

from collections.abc import Callable

import keras
from keras import ops

from common.radon._geometry import BORDER, Angles, Size, bilinear, linear, rays, shadows
from common.validation import Tensor

Operator = Callable[[Tensor], Tensor]  # on (row, column, batch)


def _compiled(function):
    """Compile for the backend, which fuses the operations on samples into one loop."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


def _gather(values, taps):
    return sum(ops.take(values, index, axis=0) * weight[..., None] for index, weight in taps)


def _scatter(total, taps, values):
    for index, weight in taps:
        updates = ops.reshape(values * weight[..., None], (-1, ops.shape(total)[-1]))
        total = ops.scatter_update(total, ops.reshape(index, (-1, 1)), updates, "add")
    return total


def _with_border(image):
    """Return the image with zeros around it as an array (pixel, batch)."""
    bordered = ops.pad(image, [(BORDER, BORDER), (BORDER, BORDER), (0, 0)])
    return ops.reshape(bordered, (-1, ops.shape(image)[-1]))


@_compiled
def _project(image, lattice):
    height, width = ops.shape(image)[:2]
    pixels = _with_border(image)

    def projection(terms):
        return ops.sum(_gather(pixels, bilinear(terms, height, width, image.dtype)), axis=0)

    return ops.swapaxes(ops.map(projection, lattice), 0, 1)


@_compiled
def _project_adjoint(sinogram, canvas, lattice):
    height, width, batch = ops.shape(canvas)
    angles = ops.swapaxes(sinogram, 0, 1)

    def add_angle(a, pixels):
        taps = bilinear([term[a] for term in lattice], height, width, canvas.dtype)
        return _scatter(pixels, taps, angles[a])

    pixels = ops.fori_loop(0, ops.shape(lattice[0])[0], add_angle, _with_border(canvas))
    bordered = ops.reshape(pixels, (height + 2 * BORDER, width + 2 * BORDER, batch))
    return bordered[BORDER : BORDER + height, BORDER : BORDER + width]


@_compiled
def _interpolate(sinogram, canvas, lattice):
    angles = ops.swapaxes(sinogram, 0, 1)

    def add_angle(a, image):
        taps = linear([term[a] for term in lattice], ops.shape(sinogram)[0], canvas.dtype)
        return image + _gather(angles[a], taps)

    return ops.fori_loop(0, ops.shape(lattice[0])[0], add_angle, canvas)


@_compiled
def _interpolate_adjoint(image, canvas, lattice):
    def projection(terms):
        return _scatter(canvas, linear(terms, ops.shape(canvas)[0], canvas.dtype), image)

    return ops.swapaxes(ops.map(projection, lattice), 0, 1)


def radon_loops(
    height: Size, width: Size, detectors: Size, circle: bool, angles: Angles
) -> tuple[Operator, Operator]:
    """Return the Radon transform of (height, width, batch), and its adjoint."""
    lattice = _as_tensors(rays(height, width, detectors, circle, angles))

    def project(image):
        return _project(image, lattice)

    def adjoint(sinogram):
        canvas = ops.zeros((height, width, ops.shape(sinogram)[-1]), sinogram.dtype)
        return _project_adjoint(sinogram, canvas, lattice)

    return project, adjoint


def interpolation_loops(size: int, detectors: int, angles: Angles) -> tuple[Operator, Operator]:
    """Return the sum over angles of samples of (detector, angle, batch), and its adjoint."""
    lattice = _as_tensors(shadows(size, angles))

    def interpolate(sinogram):
        canvas = ops.zeros((size, size, ops.shape(sinogram)[-1]), sinogram.dtype)
        return _interpolate(sinogram, canvas, lattice)

    def adjoint(image):
        canvas = ops.zeros((detectors, ops.shape(image)[-1]), image.dtype)
        return _interpolate_adjoint(image, canvas, lattice)

    return interpolate, adjoint


def _linear_operator(forward, adjoint):
    """Return `forward` with `adjoint` as its gradient; the gradient of the gradient is `forward` again."""

    @ops.custom_gradient
    def operator(x):
        def gradient(*args, upstream=None):
            return _linear_operator(adjoint, forward)(args[-1] if upstream is None else upstream)

        # Without stop_gradient, TensorFlow would also record the operations inside `forward`.
        return forward(ops.stop_gradient(x)), gradient

    return operator


def loop(x: Tensor, forward: Operator, adjoint: Operator) -> Tensor:
    """Apply a linear operator on (row, column, batch) to images or sinograms."""
    batch, rows, columns, channels = ops.shape(x)
    packed = ops.reshape(ops.transpose(x, (1, 2, 0, 3)), (rows, columns, -1))
    y = _linear_operator(forward, adjoint)(packed)
    y = ops.reshape(y, (*ops.shape(y)[:2], batch, channels))
    return ops.transpose(y, (2, 0, 1, 3))


def _as_tensors(lattice):
    """Return the lattice in float64; JAX makes it float32 unless jax_enable_x64 is set."""
    if keras.backend.backend() == "jax":
        return lattice
    return tuple(ops.convert_to_tensor(term, "float64") for term in lattice)
