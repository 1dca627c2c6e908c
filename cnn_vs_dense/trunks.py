"""The trunks of the classifiers: all layers before the dense ones, by what they know of the measurement.

A trunk is a function of the input shape and of seeds. It returns its layers and the widths of the hidden
dense layers that follow. Trunks for sinograms take ``(detectors, angles, channels)``. A detector of 48 or
more positions is the diameter of the disk that holds the object; a shorter one is the diagonal of a square
image (`circle` of `common.radon`). Trunks for k-space take ``(height, width, 2)``, real and imaginary part,
or 4 channels: also the cosine and the sine of a known phase.
"""

from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import layers

from cnn_vs_dense.fourier_layers import Demodulate, Magnitude, SeparableTransform
from cnn_vs_dense.layers import AngleAttention, glorot_convolution, glorot_convolution_1d, glorot_dense
from cnn_vs_dense.radon_layers import DetectorDenoiser, DetectorFilter, WrapAngles
from common.names import look_up
from common.radon import FilteredBackprojection

Shape = tuple[int, int, int]
Layers = tuple[list[keras.Layer], list[int | None]]
Trunk = Callable[[Shape, Iterator[int]], Layers]

SMALL, LARGE = 20, 48  # pixels a side: LeNet-5 pools less below the first, more from the second
FEW = 8  # angles: fewer are not pooled
AFFORDABLE = None  # in place of a width: as many units as the budget allows


# Images


def lenet5(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """LeNet-5 in its modern form: rectifiers, maximum pooling, every map of C3 sees all of S2.

    The sizes are those of LeCun, Bottou, Bengio, Haffner 1998, figure 2.
    61,706 parameters for 28 x 28 x 1 images and 10 classes, where the first hidden layer has 120 units.
    Images smaller than 20 pixels are not pooled the first time: from 14 x 14 as from 28 x 28 pixels the last
    maps are 5 x 5. From 48 pixels on, both poolings are larger: from 64 x 64 pixels the last maps are 4 x 4.
    """
    side = min(input_shape[:2])
    first, second = (4, 3) if side >= LARGE else (2, 2)
    return _lenet5([layers.MaxPooling2D(first)] if side >= SMALL else [], layers.MaxPooling2D(second), seeds)


def lenet5_shifted(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """LeNet-5 whose first pooling windows lie one pixel further up and left.

    The image gets a border for it. The features there are rectified, so zeros never are the largest: windows
    on the border hold fewer pixels.
    61,706 parameters for 28 x 28 x 1 images and 10 classes.
    """
    return _lenet5([layers.ZeroPadding2D(1), layers.MaxPooling2D(2)], layers.MaxPooling2D(2), seeds)


def _lenet5(first: list[keras.Layer], second: keras.Layer, seeds: Iterator[int]) -> Layers:
    """Return the two convolutions of LeNet-5, each with its pooling."""
    one, two = glorot_convolution(6, seeds), glorot_convolution(16, seeds, padding="valid")
    return [one, *first, two, second], [AFFORDABLE, 84]


def lenet5_unpooled(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """LeNet-5 without any maximum: no pooling, the second convolution dilated by 2, then means over 4 x 4.

    Both convolutions see as far as in LeNet-5. (With maxima over 2 x 2 in between and every fourth position
    sampled, it would be LeNet-5.)
    61,706 parameters for 28 x 28 x 1 images and 10 classes.
    """
    trunk = [
        glorot_convolution(6, seeds),
        glorot_convolution(16, seeds, padding="valid", dilation=2),
        layers.AveragePooling2D(4),
    ]
    return trunk, [AFFORDABLE, 84]


# Sinograms, the transform to be discovered


def angle_attention(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """One transformer block whose tokens are the projections, then about 200 features in all."""
    detectors, angles, channels = input_shape
    trunk = [
        layers.Permute((2, 1, 3)),
        layers.Reshape((angles, detectors * channels)),
        glorot_dense(32, seeds, activation=None),
        AngleAttention(64, 4, [next(seeds) for _ in range(6)]),
        glorot_dense(max(1, 200 // angles), seeds),
    ]
    return trunk, [AFFORDABLE, 84]


def lenet5_sinogram(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """LeNet-5 on the sinogram as an image, pooled to 5 detectors x 4 angles; few angles are pooled later."""
    detectors, angles, _ = input_shape
    along, across = 2, 2 if angles >= FEW else 1
    trunk = [
        glorot_convolution(6, seeds),
        layers.MaxPooling2D((along, across)),
        glorot_convolution(16, seeds),
        layers.MaxPooling2D((_window(detectors // along, 5), _window(angles // across, 4))),
    ]
    return trunk, [AFFORDABLE, 84]


# Sinograms, the geometry known


def detector_channels(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Convolutions along the detector, pooled to 10 positions; the angles are the channels, in no order."""
    detectors, angles, channels = input_shape
    trunk = [
        layers.Reshape((detectors, angles * channels)),
        glorot_convolution_1d(16, seeds),
        layers.MaxPooling1D(2),
        glorot_convolution_1d(32, seeds),
        layers.MaxPooling1D(_window(detectors // 2, 10)),
    ]
    return trunk, [AFFORDABLE, 84]


def shared_detector(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Convolutions along the detector with weights shared by all angles, then one across wrapped angles.

    The sinogram is continued first, because feature maps have no such symmetry (see `wrapped`).
    """
    detectors, angles, _ = input_shape
    positions = (detectors - 1 + detectors % 2) // 4
    trunk = [
        WrapAngles(1),
        glorot_convolution(6, seeds, (5, 1)),
        layers.MaxPooling2D((2, 1)),
        glorot_convolution(8, seeds, (5, 1)),
        layers.MaxPooling2D((2, 1)),
        *_across(16, seeds),
        layers.MaxPooling2D((_window(positions, 4), _window(angles, 4))),
    ]
    return trunk, [AFFORDABLE, 84]


def wrapped(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """LeNet-5 for sinograms over 180 degrees: what its convolutions see continues where the angles end.

    The sinogram is continued far enough for both convolutions (`WrapAngles`), because feature maps have no
    such symmetry: a turn by 180 degrees mirrors the detector, and the kernels with it.
    """
    detectors, angles, _ = input_shape
    positions = (detectors - 1 + detectors % 2) // 2
    trunk = [
        WrapAngles(2),
        *_across(6, seeds),
        layers.MaxPooling2D((2, 1)),
        *_across(16, seeds),
        layers.MaxPooling2D((_window(positions, 5), _window(angles, 4))),
    ]
    return trunk, [AFFORDABLE, 84]


def _across(filters: int, seeds: Iterator[int]) -> list[keras.Layer]:
    """Return a convolution of 5 detectors and 3 angles that keeps the detectors and spends 2 angles."""
    return [layers.ZeroPadding2D((2, 0)), glorot_convolution(filters, seeds, (5, 3), padding="valid")]


def _window(positions: int, kept: int) -> int:
    """Return the size of the pooling windows that leave `kept` positions, or slightly more."""
    return max(1, positions // kept)


# Sinograms, the operator inside


def learned_filter(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Filtered backprojection with a trained filter, at first Hann, then LeNet-5.

    The backprojection is known and stays, as in Maier et al. 2019, "Learning with known operators reduces
    maximum error bounds", Nature Machine Intelligence 1.
    """
    return _backprojected(input_shape, seeds, lambda: [DetectorFilter("hann")])


def learned_filters(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Like `learned_filter`, with a filter for each angle."""
    return _backprojected(input_shape, seeds, lambda: [DetectorFilter("hann", by_angle=True)])


def denoised_filter(input_shape: Shape, seeds: Iterator[int]) -> Layers:
    """Like `learned_filter`, behind two convolutions along the detector that correct the sinogram."""
    return _backprojected(
        input_shape, seeds, lambda: [DetectorDenoiser(8, next(seeds)), DetectorFilter("hann")]
    )


def _backprojected(
    input_shape: Shape, seeds: Iterator[int], before: Callable[[], list[keras.Layer]]
) -> Layers:
    """Return LeNet-5, which takes its seeds first, on a backprojection of what `before` returns."""
    detectors, angles, _ = input_shape
    degrees = np.arange(angles) * 180 / angles
    # An even detector ends one position before the other end of the disk.
    border = [layers.ZeroPadding2D(((0, 1 - detectors % 2), (0, 0)))] if detectors >= LARGE else []
    size = detectors if border else None
    backprojection = FilteredBackprojection(degrees, filter=None, size=size, circle=bool(border))
    images = backprojection.compute_output_shape((None, *input_shape))
    trunk, widths = lenet5(images[1:], seeds)
    return [*border, *before(), backprojection, *trunk], widths


# K-space


def transform(start: str, modulus: bool = False, known: bool = False) -> Trunk:
    """Return a trunk: a trained transform of the rows and columns of k-space, then LeNet-5.

    Parameters
    ----------
    start : "random" or "inverse Fourier"
        The initial transform; both are unitary.
    modulus : bool
        Whether LeNet-5 sees the magnitude of the result instead of its real and imaginary part.
    known : bool
        Whether the cosine and the sine of the phase are further channels of the input, with which the result
        is demodulated.

    Returns
    -------
    Trunk
        The convolutions of LeNet-5 start alike in all of these for equal seeds.

    Raises
    ------
    ValueError
        Another start.
    """
    look_up("start", start, ("random", "inverse Fourier"))

    def trunk(input_shape: Shape, seeds: Iterator[int]) -> Layers:
        network, widths = lenet5(input_shape, seeds)
        drawn = [next(seeds), next(seeds)]
        learned = SeparableTransform(drawn if start == "random" else None, passed=2 * known)
        demodulated = [Demodulate()] if known else []
        magnitude = [Magnitude()] if modulus else []
        return [learned, *demodulated, *magnitude, *network], widths

    return trunk


SINOGRAM_TRUNKS: dict[str, Trunk] = {
    "angle_attention": angle_attention,
    "lenet5_sinogram": lenet5_sinogram,
    "detector_channels": detector_channels,
    "shared_detector": shared_detector,
    "wrapped": wrapped,
    "learned_filter": learned_filter,
    "learned_filters": learned_filters,
    "denoised_filter": denoised_filter,
}
K_SPACE_TRUNKS: dict[str, Trunk] = {
    "random_start": transform("random"),
    "random_start_modulus": transform("random", modulus=True),
    "random_start_known_phase": transform("random", known=True),
    "inverse_fourier_start": transform("inverse Fourier"),
    "inverse_fourier_start_modulus": transform("inverse Fourier", modulus=True),
    "inverse_fourier_start_known_phase": transform("inverse Fourier", known=True),
}
