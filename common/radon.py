"""The parallel-beam Radon transform, its exact adjoint, and filtered backprojection.

The discretisation is that of ``skimage.transform.radon`` and ``iradon`` (Kak & Slaney, "Principles of
Computerized Tomographic Imaging", IEEE Press 1988, chapter 3). With the origin in the rotation centre, the
projection at angle a sums bilinear samples of the image f along the ray at detector position t,

    R f(t, a) = sum_s f(row = s cos a - t sin a, column = s sin a + t cos a),

and filtered backprojection sums linear samples of the filtered projections g over the A angles,

    f(row, column) = pi / (2 A) sum_a g(t = column cos a - row sin a, a).

Every operator here is linear. While its dense matrix stays below `MATRIX_BYTES`, it is built once and applied
as one matrix product. Beyond that, a compiled loop over the angles gathers samples, or scatters them for the
adjoint with the same indices and weights. The loop keeps a few arrays of the size of images and sinograms,
however many angles there are, and so does its gradient, which is the adjoint operator.

A `lattice` holds sampling coordinates as pairs of arrays ``(angle, position)``: at row i and column j of the
sampling grid, a coordinate is the sum of the first array at i and the second at j.
"""

import math
from functools import lru_cache
from numbers import Integral, Real

import keras
import numpy as np
from keras import ops

from common.validation import as_floating, as_images

MATRIX_BYTES = 128 * 2**20

_BORDER = 2  # zeros around an image: where samples outside it, and all their neighbours, are read
_WINDOWS = {
    None: None,
    "ramp": np.ones,
    "shepp-logan": lambda n: np.sinc(np.fft.fftfreq(n)),
    "cosine": lambda n: np.cos(np.pi * np.fft.fftfreq(n)),
    "hamming": lambda n: np.fft.fftshift(np.hamming(n)),
    "hann": lambda n: np.fft.fftshift(np.hanning(n)),
}


def radon(x, angles, circle=False):
    """Return the sinogram of images: their sums along parallel rays at each angle.

    Parameters
    ----------
    x : tensor, ``(batch, height, width, channels)``
        Floating point, any values. On TensorFlow every size but `channels` may be unknown in a graph.
    angles : non-empty list of finite numbers
        In degrees, any values in any order; static, not a tensor.
    circle : bool
        False: rays and detector are as long as the diagonal of the square around the image, so every
        projection holds the whole image. True: the image is cropped to its central square, whose side is
        the length of rays and detector. The image should then be zero outside the inscribed circle: what
        lies in the corners of the square is summed only as far as the rays reach. This is not checked.

    Returns
    -------
    tensor, ``(batch, detector, angle, channels)``
        Sums of pixel values along rays one pixel apart. There are ``ceil(sqrt(2) * max(height, width))``
        detectors, or ``min(height, width)`` with `circle`. The rotation centre, the pixel
        ``(height // 2, width // 2)``, projects onto detector ``detectors // 2``.

    Raises
    ------
    ValueError
        Images of a wrong rank or dtype, or not finite; angles that are empty or not finite numbers.

    Notes
    -----
    Same numbers as ``skimage.transform.radon(image, angles, circle, preserve_range=True)``.
    """
    if isinstance(x, keras.KerasTensor):
        return Radon(angles, circle, dtype=x.dtype)(x)
    x, angles = as_images(x), _as_angles(angles)
    if _as_bool(circle):
        top, left, side = _central_square(*ops.shape(x)[1:3])
        x = x[:, top : top + side, left : left + side]
    height, width = ops.shape(x)[1:3]
    detectors = _detectors(height, width, circle)
    if _has_small_matrix(x, height, width, detectors, len(angles)):
        matrix = _radon_matrix(height, width, detectors, angles, _working_dtype(x))
        return _multiply(x, _as_tensor(matrix), detectors, len(angles))
    return _loop(x, *_radon_loops(height, width, detectors, angles))


def backproject(sinogram, angles, size, circle=False):
    """Return the adjoint of `radon`: every sinogram value smeared along its ray, with the same weights.

    Parameters
    ----------
    sinogram : tensor, ``(batch, detector, angle, channels)``
        Floating point. The number of detectors is the one that `radon` gives for images of this `size`.
    angles, circle
        As in `radon`.
    size : int or pair of int
        Side of the square images, or their height and width, in pixels.

    Returns
    -------
    tensor, ``(batch, height, width, channels)``
        R* y, so that ``<radon(x), y> = <x, backproject(y)>`` for all x and y; with `circle`, pixels outside
        the central square are zero.

    Raises
    ------
    ValueError
        As in `radon`, a size below 1, or a sinogram that does not match `angles`, `size` and `circle`.
    """
    if isinstance(sinogram, keras.KerasTensor):
        return Backprojection(angles, size, circle, dtype=sinogram.dtype)(sinogram)
    angles, (height, width), circle = _as_angles(angles), _as_shape(size), _as_bool(circle)
    detectors = _detectors(height, width, circle)
    y = _as_sinogram(sinogram, angles, detectors)
    if circle:
        top, left, side = _central_square(height, width)
        margins = [(0, 0), (top, height - side - top), (left, width - side - left), (0, 0)]
        return ops.pad(_adjoint(y, side, side, detectors, angles), margins)
    return _adjoint(y, height, width, detectors, angles)


def filtered_backprojection(sinogram, angles, filter="ramp", size=None, circle=False):
    """Return the images that a sinogram comes from, reconstructed by filtered backprojection.

    Parameters
    ----------
    sinogram : tensor, ``(batch, detector, angle, channels)``
        Floating point. The number of detectors must be known when a graph is traced; the rotation centre
        projects onto detector ``detectors // 2``.
    angles : non-empty list of finite numbers
        In degrees, one per projection; they should cover 180 degrees evenly.
    filter : "ramp", "shepp-logan", "cosine", "hamming", "hann" or None
        The ramp filter, alone or times a window that damps high frequencies; None leaves the sinogram as is.
    size : int, optional
        Side of the square images in pixels. By default the detector length with `circle`, otherwise the
        side of the square whose diagonal the detector is.
    circle : bool
        Whether the sinogram comes from ``radon(..., circle=True)``. Pixels outside the inscribed circle are
        then zero.

    Returns
    -------
    tensor, ``(batch, size, size, channels)``

    Raises
    ------
    ValueError
        A sinogram of a wrong rank or dtype, not finite, or with another number of angles than `angles`;
        bad angles; an unknown filter; a size below 1.

    Notes
    -----
    Same numbers as ``skimage.transform.iradon(sinogram, angles, size, filter, "linear", circle)``. Samples
    beyond the ends of the detector are 0. On JAX without ``jax_enable_x64``, rounding decides whether a
    sample lies on the end or beyond it, should `size` exceed the default.
    """
    if isinstance(sinogram, keras.KerasTensor):
        return FilteredBackprojection(angles, filter, size, circle, dtype=sinogram.dtype)(sinogram)
    angles, filter, circle = _as_angles(angles), _as_filter(filter), _as_bool(circle)
    y = _as_sinogram(sinogram, angles)
    detectors, dtype = y.shape[1], _working_dtype(y)
    size = _reconstruction_size(detectors, size, circle)
    if _has_small_matrix(y, size, size, detectors, len(angles)):
        matrix = _reconstruction_matrix(size, detectors, angles, filter, circle, dtype)
        return _multiply(y, _as_tensor(matrix), size, size)
    response = _filter_matrix(detectors, len(angles), filter, circle).astype(dtype)
    filtered = ops.einsum("kd,bdac->bkac", _as_tensor(response), y)
    image = _loop(filtered, *_interpolation_loops(size, len(response), angles))
    return ops.cast(image * ops.cast(_support(size, circle)[:, :, None], image.dtype), y.dtype)


def _adjoint(y, height, width, detectors, angles):
    if _has_small_matrix(y, height, width, detectors, len(angles)):
        matrix = _radon_matrix(height, width, detectors, angles, _working_dtype(y))
        return _multiply(y, ops.transpose(_as_tensor(matrix)), height, width)
    project, adjoint = _radon_loops(height, width, detectors, angles)
    return _loop(y, adjoint, project)


# Sampling: what each sample reads, with which weights. `xp` is NumPy for a matrix, keras.ops in a loop.


def _rays(height, width, detectors, angles):
    """Return the lattice of the image rows and columns at ray sample i of detector j."""
    xp = np if _static(height, width) else ops
    cos, sin = _cos_sin(angles)
    grid = xp.array(xp.arange(detectors) - detectors // 2, "float64")
    row, column = xp.array(height // 2, "float64"), xp.array(width // 2, "float64")
    return row + cos * grid, -sin * grid, column + sin * grid, cos * grid


def _shadows(size, angles):
    """Return the lattice of the positions, from the detector's centre, onto which pixel (i, j) projects."""
    cos, sin = _cos_sin(angles)
    grid = np.arange(size) - size // 2
    return -sin * grid, cos * grid


def _cos_sin(angles):
    radians = np.deg2rad(angles)[:, None]
    return np.cos(radians), np.sin(radians)


def _coordinate(rows, columns, low, high, dtype, xp):
    """Return a coordinate on the sampling grid, clipped to [low, high] and counted from `low`.

    It comes as an integer and a fraction in the given dtype, with a mask of what was inside.
    """
    position = rows[..., :, None] + columns[..., None, :]
    high = xp.array(high, position.dtype)
    inside = (position >= low) & (position <= high)
    # Truncation is floor here; ops.floor computes float64 in float32 on JAX and PyTorch (Keras 3.15).
    position = xp.clip(position, low, high) - low
    whole = xp.array(position, "int32")
    return whole, xp.array(position - xp.array(whole, position.dtype), dtype), inside


def _bilinear(lattice, height, width, dtype, xp=ops):
    """Return four pairs (index into the flat image with its border, weight)."""
    row, down, _ = _coordinate(*lattice[:2], -_BORDER, height, dtype, xp)
    column, right, _ = _coordinate(*lattice[2:], -_BORDER, width, dtype, xp)
    stride = width + 2 * _BORDER
    index = row * stride + column
    return [
        (index, (1 - down) * (1 - right)),
        (index + 1, (1 - down) * right),
        (index + stride, down * (1 - right)),
        (index + stride + 1, down * right),
    ]


def _linear(lattice, detectors, dtype, xp=ops):
    """Return two pairs (index into a projection, weight); the weights are 0 beyond its ends."""
    first, last = -(detectors // 2), detectors - 1 - detectors // 2
    index, right, inside = _coordinate(*lattice, first, last, dtype, xp)
    inside = xp.array(inside, dtype)
    return [(index, inside * (1 - right)), (xp.minimum(index + 1, detectors - 1), inside * right)]


# Small images: a dense matrix from flat input to flat output.


def _has_small_matrix(x, height, width, detectors, angles):
    itemsize = np.dtype(_working_dtype(x)).itemsize
    return _static(height, width) and height * width * detectors * angles * itemsize <= MATRIX_BYTES


def _dense(taps, shape, outputs, dtype):
    """Return the matrix (input, output) that adds weight * input to the output of each tap's position."""
    matrix = np.zeros(shape, dtype)
    for index, weight in taps:
        np.add.at(matrix, (index, outputs), weight)
    return matrix


@lru_cache(maxsize=4)
def _radon_matrix(height, width, detectors, angles, dtype):
    """Return the matrix from (row, column) to (detector, angle)."""
    lattice = _rays(height, width, detectors, angles)
    rows, columns = height + 2 * _BORDER, width + 2 * _BORDER
    outputs = np.arange(detectors) * len(angles) + np.arange(len(angles))[:, None, None]
    shape = (rows * columns, detectors * len(angles))
    matrix = _dense(_bilinear(lattice, height, width, dtype, np), shape, outputs, dtype)
    inside = np.s_[_BORDER : _BORDER + height, _BORDER : _BORDER + width]
    return matrix.reshape(rows, columns, -1)[inside].reshape(height * width, -1)


@lru_cache(maxsize=4)
def _reconstruction_matrix(size, detectors, angles, filter, circle, dtype):
    """Return the matrix from (detector, angle) to (row, column)."""
    response = _filter_matrix(detectors, len(angles), filter, circle)
    lattice = _shadows(size, angles)
    pixels = np.arange(size * size).reshape(size, size)
    matrix = np.zeros((detectors, len(angles), size * size), dtype)
    for a in range(len(angles)):
        taps = _linear([term[a] for term in lattice], len(response), dtype, np)
        matrix[:, a] = response.T @ _dense(taps, (len(response), size * size), pixels, "float64")
    return (matrix * _support(size, circle).ravel()).reshape(-1, size * size)


def _multiply(x, matrix, rows, columns):
    """Apply a matrix to the two middle axes of a batch; `rows` and `columns` are the new ones."""
    channels = x.shape[-1]
    flat = ops.reshape(ops.transpose(ops.cast(x, matrix.dtype), (0, 3, 1, 2)), (-1, matrix.shape[0]))
    # The operator, because ops.matmul computes float64 in float32 on PyTorch (Keras 3.15).
    y = ops.reshape(flat @ matrix, (-1, channels, rows, columns))
    return ops.cast(ops.transpose(y, (0, 2, 3, 1)), x.dtype)


# Large images: loops over the angles, on arrays whose last axis holds all images of the batch.


def _compiled(function):
    """Compile for the backend: one fused loop over the samples instead of an array for each operation."""
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
    """Return the image as (pixel, batch) with zeros around it."""
    bordered = ops.pad(image, [(_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0)])
    return ops.reshape(bordered, (-1, ops.shape(image)[-1]))


@_compiled
def _project(image, lattice):
    height, width = ops.shape(image)[:2]
    pixels = _with_border(image)

    def projection(terms):
        return ops.sum(_gather(pixels, _bilinear(terms, height, width, image.dtype)), axis=0)

    return ops.swapaxes(ops.map(projection, lattice), 0, 1)


@_compiled
def _project_adjoint(sinogram, canvas, lattice):
    height, width, batch = ops.shape(canvas)
    angles = ops.swapaxes(sinogram, 0, 1)

    def add_angle(a, pixels):
        taps = _bilinear([term[a] for term in lattice], height, width, canvas.dtype)
        return _scatter(pixels, taps, angles[a])

    pixels = ops.fori_loop(0, ops.shape(lattice[0])[0], add_angle, _with_border(canvas))
    bordered = ops.reshape(pixels, (height + 2 * _BORDER, width + 2 * _BORDER, batch))
    return bordered[_BORDER : _BORDER + height, _BORDER : _BORDER + width]


@_compiled
def _interpolate(sinogram, canvas, lattice):
    angles = ops.swapaxes(sinogram, 0, 1)

    def add_angle(a, image):
        taps = _linear([term[a] for term in lattice], ops.shape(sinogram)[0], canvas.dtype)
        return image + _gather(angles[a], taps)

    return ops.fori_loop(0, ops.shape(lattice[0])[0], add_angle, canvas)


@_compiled
def _interpolate_adjoint(image, canvas, lattice):
    def projection(terms):
        return _scatter(canvas, _linear(terms, ops.shape(canvas)[0], canvas.dtype), image)

    return ops.swapaxes(ops.map(projection, lattice), 0, 1)


def _radon_loops(height, width, detectors, angles):
    """Return the Radon transform of (height, width, batch), and its adjoint."""
    lattice = _as_tensors(_rays(height, width, detectors, angles))

    def project(image):
        return _project(image, lattice)

    def adjoint(sinogram):
        canvas = ops.zeros((height, width, ops.shape(sinogram)[-1]), sinogram.dtype)
        return _project_adjoint(sinogram, canvas, lattice)

    return project, adjoint


def _interpolation_loops(size, detectors, angles):
    """Return the sum over angles of samples of (detector, angle, batch), and its adjoint."""
    lattice = _as_tensors(_shadows(size, angles))

    def interpolate(sinogram):
        canvas = ops.zeros((size, size, ops.shape(sinogram)[-1]), sinogram.dtype)
        return _interpolate(sinogram, canvas, lattice)

    def adjoint(image):
        canvas = ops.zeros((detectors, ops.shape(image)[-1]), image.dtype)
        return _interpolate_adjoint(image, canvas, lattice)

    return interpolate, adjoint


def _linear_operator(forward, adjoint):
    """Return `forward` with `adjoint` as its gradient, whose own gradient is `forward` again."""

    @ops.custom_gradient
    def operator(x):
        def gradient(*args, upstream=None):
            return _linear_operator(adjoint, forward)(args[-1] if upstream is None else upstream)

        # TensorFlow would otherwise record what is inside `forward` too.
        return forward(ops.stop_gradient(x)), gradient

    return operator


def _loop(x, forward, adjoint):
    """Apply a linear operator on (row, column, batch) to images or sinograms."""
    batch, rows, columns, channels = ops.shape(x)
    packed = ops.cast(ops.transpose(x, (1, 2, 0, 3)), _working_dtype(x))
    y = _linear_operator(forward, adjoint)(ops.reshape(packed, (rows, columns, -1)))
    y = ops.reshape(y, (*ops.shape(y)[:2], batch, channels))
    return ops.cast(ops.transpose(y, (2, 0, 1, 3)), x.dtype)


# Geometry and filters


def _static(*sizes):
    """Whether sizes are known: integers, not tensors of a graph."""
    return all(isinstance(n, int) for n in sizes)


def _central_square(height, width):
    """Return first row, first column and side of the central square."""
    side = min(height, width) if _static(height, width) else ops.minimum(height, width)
    return (height - side + 1) // 2, (width - side + 1) // 2, side


def _detectors(height, width, circle):
    if _static(height, width):
        return min(height, width) if circle else math.ceil(math.sqrt(2) * max(height, width))
    if circle:
        return ops.minimum(height, width)
    return ops.cast(ops.ceil(math.sqrt(2) * ops.cast(ops.maximum(height, width), "float64")), "int32")


def _support(size, circle):
    """Return which pixels of a reconstruction are kept, as zeros and ones."""
    grid = np.arange(size) - size // 2
    disc = grid**2 + grid[:, None] ** 2 <= (size // 2) ** 2
    return disc | (not circle)


@lru_cache(maxsize=16)
def _filter_matrix(detectors, angles, filter, circle):
    """Return the convolution with the filter, scaled by pi / (2 A), as a matrix applied to a projection.

    With `circle` it also pads projections to the diagonal. The ramp is the transform of its sampled impulse
    response, Kak & Slaney eq. (61), which keeps the mean of the image; None is the unit impulse.
    """
    rows = math.ceil(math.sqrt(2) * detectors) if circle else detectors
    period = max(64, 2 ** math.ceil(math.log2(2 * rows)))
    n = np.fft.fftfreq(period, 1 / period)
    impulse = np.where(n == 0, 1.0, 0.0)
    if filter is not None:
        odd = np.where(n % 2 == 1, n, np.inf)
        ramp = np.fft.fft(impulse / 2 - 2 / (np.pi * odd) ** 2).real
        impulse = np.fft.ifft(ramp * _WINDOWS[filter](period)).real
    lag = np.arange(rows)[:, None] - np.arange(detectors) - (rows // 2 - detectors // 2)
    return impulse[lag] * np.pi / (2 * angles)


# Arguments


def _as_tensor(array):
    """Return a NumPy array as a tensor of its own dtype; some backends would make it float32."""
    return ops.convert_to_tensor(array, str(array.dtype))


def _as_tensors(lattice):
    """Return the lattice in float64; JAX makes it float32 unless jax_enable_x64 is set."""
    if keras.backend.backend() == "jax":
        return lattice
    return tuple(ops.convert_to_tensor(term, "float64") for term in lattice)


def _working_dtype(x):
    return "float64" if keras.backend.standardize_dtype(x.dtype) == "float64" else "float32"


def _as_angles(angles):
    """Return the angles as a tuple of floats."""
    listed = [] if ops.is_tensor(angles) or np.ndim(angles) != 1 else list(angles)
    if not listed or not all(isinstance(a, Real) and math.isfinite(a) for a in listed):
        raise ValueError(f"angles must be a non-empty list of finite numbers in degrees, but got {angles!r}.")
    return tuple(float(a) for a in listed)


def _as_bool(circle):
    if not isinstance(circle, bool):
        raise ValueError(f"circle must be True or False, but got {circle!r}.")
    return circle


def _as_filter(filter):
    if filter not in _WINDOWS:
        accepted = ", ".join(map(repr, _WINDOWS))
        raise ValueError(f"filter must be one of {accepted}, but got {filter!r}.")
    return filter


def _as_shape(size):
    """Return (height, width) of an int or a pair of ints."""
    shape = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(shape) != 2 or not all(isinstance(n, Integral) and n >= 1 for n in shape):
        raise ValueError(f"size must be an integer of at least 1 or a pair of them, but got {size!r}.")
    return tuple(int(n) for n in shape)


def _as_size(size):
    if not isinstance(size, Integral) or size < 1:
        raise ValueError(f"size must be an integer of at least 1, but got {size!r}.")
    return int(size)


def _reconstruction_size(detectors, size, circle):
    if size is not None:
        return _as_size(size)
    if detectors is None:
        raise ValueError("filtered_backprojection needs to know the number of detectors when it is traced.")
    return _as_size(detectors if circle else math.floor(detectors / math.sqrt(2)))


def _as_sinogram(sinogram, angles, detectors=None):
    y = as_floating(sinogram, 4, "sinogram", "(batch, detector, angle, channels)")
    _check_sinogram(y.shape, angles, detectors)
    return y


def _check_sinogram(shape, angles, detectors=None):
    if shape[2] not in (None, len(angles)):
        raise ValueError(f"the sinogram has {shape[2]} projections, but {len(angles)} angles were given.")
    if None not in (shape[1], detectors) and shape[1] != detectors:
        raise ValueError(f"the sinogram has {shape[1]} detectors, but images of this size have {detectors}.")


class _Projector(keras.layers.Layer):
    """Settings shared by the layers below."""

    def __init__(self, angles, circle=False, **kwargs):
        super().__init__(**kwargs)
        self.angles, self.circle = _as_angles(angles), _as_bool(circle)

    def get_config(self):
        """Return the arguments of the constructor."""
        return {**super().get_config(), "angles": list(self.angles), "circle": self.circle}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class Radon(_Projector):
    """`radon` as a layer; takes the same `angles` and `circle`."""

    def call(self, inputs):
        """Return the sinogram of images."""
        return radon(inputs, self.angles, self.circle)

    def compute_output_shape(self, input_shape):
        """Return the shape of the output; unknown sizes are None."""
        batch, height, width, channels = input_shape
        known = height is not None and width is not None
        detectors = _detectors(height, width, self.circle) if known else None
        return batch, detectors, len(self.angles), channels


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class Backprojection(_Projector):
    """`backproject` as a layer; takes the same `angles`, `size` and `circle`."""

    def __init__(self, angles, size, circle=False, **kwargs):
        super().__init__(angles, circle, **kwargs)
        self.size = _as_shape(size)

    def call(self, inputs):
        """Return the images of a sinogram."""
        return backproject(inputs, self.angles, self.size, self.circle)

    def compute_output_shape(self, input_shape):
        """Return the shape of the output; unknown sizes are None."""
        _check_sinogram(input_shape, self.angles, _detectors(*self.size, self.circle))
        return input_shape[0], *self.size, input_shape[3]

    def get_config(self):
        """Return the arguments of the constructor."""
        return {**super().get_config(), "size": list(self.size)}


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class FilteredBackprojection(_Projector):
    """`filtered_backprojection` as a layer; takes the same arguments. The detector length must be known."""

    def __init__(self, angles, filter="ramp", size=None, circle=False, **kwargs):
        super().__init__(angles, circle, **kwargs)
        self.filter = _as_filter(filter)
        self.size = None if size is None else _as_size(size)

    def call(self, inputs):
        """Return the images of a sinogram."""
        return filtered_backprojection(inputs, self.angles, self.filter, self.size, self.circle)

    def compute_output_shape(self, input_shape):
        """Return the shape of the output; unknown sizes are None."""
        _check_sinogram(input_shape, self.angles)
        size = _reconstruction_size(input_shape[1], self.size, self.circle)
        return input_shape[0], size, size, input_shape[3]

    def get_config(self):
        """Return the arguments of the constructor."""
        return {**super().get_config(), "filter": self.filter, "size": self.size}
