"""The three transforms, as functions and as layers."""

from collections.abc import Sequence
from typing import Any

from keras import ops
from numpy.typing import ArrayLike

from common.radon._arguments import (
    as_angles,
    as_bool,
    as_detectors,
    as_filter,
    as_shape,
    as_sinogram,
    as_size,
    check_projections,
    checked_detectors,
    reconstruction_size,
)
from common.radon._geometry import central_square, detector_length, support
from common.radon._loops import interpolation_loops, loop, radon_loops
from common.radon._matrices import (
    as_tensor,
    filter_matrix,
    folded_reconstruction,
    has_small_matrix,
    multiply,
    radon_matrix,
    unfold,
)
from common.transform import TransformLayer, register, transformed
from common.validation import Tensor, as_images, dtype_of


def radon(
    x: ArrayLike | Tensor,
    angles: ArrayLike | None = None,
    circle: bool = False,
    detectors: int | None = None,
    *,
    theta: ArrayLike | None = None,
) -> Tensor:
    """Return the sinogram of images: their sums along parallel rays at each angle.

    The numbers are those of ``skimage.transform.radon(image, angles, circle, preserve_range=True)``.

    Parameters
    ----------
    x : array or tensor, ``(batch, height, width, channels)``
        Floating point, any range; 16-bit values are summed in float32. On TensorFlow every size but
        `channels` may be unknown in a graph. A `keras.KerasTensor` adds the layer `Radon` to the model.
    angles : one-dimensional sequence or array of finite numbers
        In degrees, in any order; not a tensor of a graph. Multiples of pi / 12 up to 2 pi are refused,
        because they are probably radians; so are angles that span pi or 2 pi with more than three decimals.
    circle : bool
        False: rays and detector are as long as the diagonal of the square around the image, so every
        projection holds the whole image. True: the image is cropped to its central square, whose side is
        the length of rays and detector. The image should then be zero outside the inscribed circle, because
        the rays do not reach all of the corners. This is not checked.
    detectors : int, optional
        Length of the detector in pixels, at least 1; by default the length of the rays.
    theta : optional
        Another name of `angles`, as in scikit-image.

    Returns
    -------
    tensor, ``(batch, detector, angle, channels)``
        Sums of pixel values along rays one pixel apart. By default there are
        ``ceil(sqrt(2) * max(height, width))`` detectors, or ``min(height, width)`` with `circle`. The
        rotation centre, pixel ``(height // 2, width // 2)``, projects onto detector ``detectors // 2``.

    Raises
    ------
    ValueError
        Images of a wrong rank or dtype, channels first, or not finite; angles that are empty, radians or not
        finite numbers; a sum above 65,504 of float16 images.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 2.0], [3.0, 4.0]])[None, :, :, None]
    >>> np.asarray(radon(image, [0, 90]))[0, :, :, 0].round(6).tolist()
    [[4.0, 0.0], [6.0, 7.0], [0.0, 3.0]]
    """
    x, angles = as_images(x), as_angles(angles, theta)
    return transformed(Radon, _radon, x, angles, as_bool(circle), as_detectors(detectors))


def backproject(
    sinogram: ArrayLike | Tensor,
    angles: ArrayLike | None = None,
    size: int | Sequence[int] | None = None,
    circle: bool = False,
    detectors: int | None = None,
    *,
    theta: ArrayLike | None = None,
) -> Tensor:
    """Return the adjoint of `radon`, which adds every sinogram value to the pixels along its ray.

    Parameters
    ----------
    sinogram : array or tensor, ``(batch, detector, angle, channels)``
        Floating point. Its detector length is `detectors`, by default the length that `radon` gives for
        images of this `size`.
    angles, circle, detectors, theta
        As in `radon`.
    size : int or pair of int
        Side of square images, or height and width, in pixels.

    Returns
    -------
    tensor, ``(batch, height, width, channels)``
        R* y, so that ``<radon(x), y> = <x, backproject(y)>`` for all x and y; with `circle`, pixels outside
        the central square are zero.

    Raises
    ------
    ValueError
        The errors of `radon`, a size below 1, or a sinogram that does not match the other arguments.

    Examples
    --------
    >>> import numpy as np
    >>> sinogram = np.array([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    >>> np.asarray(backproject(sinogram, angles=[0], size=2))[0, :, :, 0].tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    y, angles = as_sinogram(sinogram), as_angles(angles, theta)
    shape, circle = as_shape(size), as_bool(circle)
    check_projections(y.shape, angles)
    detectors = checked_detectors(y.shape, shape, circle, as_detectors(detectors))
    return transformed(Backprojection, _backproject, y, angles, shape, circle, detectors)


def filtered_backprojection(
    sinogram: ArrayLike | Tensor,
    angles: ArrayLike | None = None,
    filter: str | None = "ramp",
    size: int | None = None,
    circle: bool = False,
    *,
    theta: ArrayLike | None = None,
) -> Tensor:
    """Return images reconstructed from their sinogram by filtered backprojection.

    The numbers are those of ``skimage.transform.iradon(sinogram, angles, size, filter, "linear", circle)``.
    Samples beyond the ends of the detector are 0. If `size` exceeds the default, JAX without
    ``jax_enable_x64`` decides by rounding whether a sample lies on the end or beyond it.

    Parameters
    ----------
    sinogram : array or tensor, ``(batch, detector, angle, channels)``
        Floating point. The number of detectors must be known when a graph is traced; the rotation centre
        projects onto detector ``detectors // 2``.
    angles, theta
        As in `radon`, one for each projection; they should cover 180 degrees evenly.
    filter : "ramp", "shepp-logan", "cosine", "hamming", "hann" or None
        The ramp filter, alone or times a window that damps high frequencies; None applies no filter.
    size : int, optional
        Side of the square images in pixels. By default the detector length with `circle`, otherwise the
        side of the square whose diagonal is the detector.
    circle : bool
        Whether the sinogram was made with ``radon(..., circle=True)``. Pixels outside the inscribed circle
        are then zero.

    Returns
    -------
    tensor, ``(batch, size, size, channels)``

    Raises
    ------
    ValueError
        A sinogram of a wrong rank or dtype, not finite, or with another number of angles than `angles`;
        angles that `radon` refuses; an unknown filter; a size below 1.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((1, 9, 9, 1))
    >>> image[0, 4, 5] = 1
    >>> sinogram = radon(image, range(0, 180, 3))
    >>> reconstruction = np.asarray(filtered_backprojection(sinogram, range(0, 180, 3)))
    >>> int(reconstruction.argmax()) == 9 * 4 + 5
    True
    """
    y, angles = as_sinogram(sinogram), as_angles(angles, theta)
    filter, circle = as_filter(filter), as_bool(circle)
    check_projections(y.shape, angles)
    size = reconstruction_size(y.shape[1], size, circle)
    return transformed(FilteredBackprojection, _reconstruct, y, angles, filter, size, circle)


def _radon(x, angles, circle, detectors):
    if circle:
        top, left, side = central_square(*ops.shape(x)[1:3])
        x = x[:, top : top + side, left : left + side]
    height, width = ops.shape(x)[1:3]
    detectors = detectors or detector_length(height, width, circle)
    if has_small_matrix(x, height, width, detectors, len(angles)):
        matrix = radon_matrix(height, width, detectors, circle, angles, dtype_of(x))
        return multiply(x, as_tensor(matrix), detectors, len(angles))
    return loop(x, *radon_loops(height, width, detectors, circle, angles))


def _backproject(y, angles, shape, circle, detectors):
    height, width = shape
    if circle:
        top, left, side = central_square(height, width)
        margins = [(0, 0), (top, height - side - top), (left, width - side - left), (0, 0)]
        return ops.pad(_adjoint(y, side, side, detectors, circle, angles), margins)
    return _adjoint(y, height, width, detectors, circle, angles)


def _adjoint(y, height, width, detectors, circle, angles):
    if has_small_matrix(y, height, width, detectors, len(angles)):
        matrix = radon_matrix(height, width, detectors, circle, angles, dtype_of(y))
        return multiply(y, ops.transpose(as_tensor(matrix)), height, width)
    project, adjoint = radon_loops(height, width, detectors, circle, angles)
    return loop(y, adjoint, project)


def _reconstruct(y, angles, filter, size, circle):
    detectors, dtype = y.shape[1], dtype_of(y)
    if has_small_matrix(y, size, size, detectors, len(angles)):
        return unfold(y, folded_reconstruction(size, detectors, angles, filter, circle, dtype), size)
    response = filter_matrix(detectors, len(angles), filter, circle).astype(dtype)
    filtered = ops.einsum("kd,bdac->bkac", as_tensor(response), y)
    image = loop(filtered, *interpolation_loops(size, len(response), angles))
    return image * as_tensor(support(size, circle)[:, :, None].astype(dtype))


@register
class Radon(TransformLayer):
    """`radon` as a layer with the same `angles`, `circle` and `detectors`."""

    function = staticmethod(radon)

    def __init__(
        self, angles: ArrayLike, circle: bool = False, detectors: int | None = None, **kwargs: Any
    ) -> None:
        settings = {"angles": as_angles(angles), "circle": as_bool(circle)}
        super().__init__({**settings, "detectors": as_detectors(detectors)}, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of the output; unknown sizes are None."""
        batch, height, width, channels = input_shape
        detectors = self.settings["detectors"]
        if detectors is None and None not in (height, width):
            detectors = detector_length(height, width, self.settings["circle"])
        return batch, detectors, len(self.settings["angles"]), channels


@register
class Backprojection(TransformLayer):
    """`backproject` as a layer with the same `angles`, `size`, `circle` and `detectors`."""

    function, _check = staticmethod(backproject), staticmethod(as_sinogram)

    def __init__(
        self,
        angles: ArrayLike,
        size: int | Sequence[int],
        circle: bool = False,
        detectors: int | None = None,
        **kwargs: Any,
    ) -> None:
        settings = {"angles": as_angles(angles), "size": as_shape(size), "circle": as_bool(circle)}
        super().__init__({**settings, "detectors": as_detectors(detectors)}, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of the output; unknown sizes are None."""
        angles, size, circle, detectors = self.settings.values()
        check_projections(input_shape, angles)
        checked_detectors(input_shape, size, circle, detectors)
        return input_shape[0], *size, input_shape[3]


@register
class FilteredBackprojection(TransformLayer):
    """`filtered_backprojection` as a layer with the same arguments; the detector length must be known."""

    function, _check = staticmethod(filtered_backprojection), staticmethod(as_sinogram)

    def __init__(
        self,
        angles: ArrayLike,
        filter: str | None = "ramp",
        size: int | None = None,
        circle: bool = False,
        **kwargs: Any,
    ) -> None:
        size = None if size is None else as_size(size)
        settings = {"angles": as_angles(angles), "filter": as_filter(filter), "size": size}
        super().__init__({**settings, "circle": as_bool(circle)}, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of the output; unknown sizes are None."""
        check_projections(input_shape, self.settings["angles"])
        size = reconstruction_size(input_shape[1], self.settings["size"], self.settings["circle"])
        return input_shape[0], size, size, input_shape[3]
