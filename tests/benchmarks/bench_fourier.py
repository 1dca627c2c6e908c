"""Cases for the benchmark table of `common.fourier`: the same task by SciPy and by NumPy."""

import numpy as np
import scipy.fft
import scipy.ndimage
import tensorflow as tf
from keras import ops

from common import fourier

AXES = (1, 2)
TARGET = 1.0


def cases():
    """Yield ``(task, implementations by name, target)``; the target is SciPy's time over ours, at least."""
    for shape in [(10_000, 28, 28, 1), (16, 512, 512, 3)]:
        x = np.random.default_rng(0).random(shape, dtype="float32")
        yield from _transforms(x, " x ".join(map(str, shape)))


def _transforms(x, size):
    tensor, spectrum = ops.convert_to_tensor(x), fourier.fft2(x)
    fft2, ifft2 = tf.function(fourier.fft2), tf.function(fourier.ifft2)
    k = np.fft.fftshift(np.fft.fft2(x, axes=AXES, norm="ortho"), axes=AXES).astype("complex64")
    yield (
        f"centred fft2, {size}, tf.function",
        {
            "ours": lambda: _wait(fft2(tensor)),
            "SciPy (2 workers)": lambda: scipy.fft.fftshift(
                scipy.fft.fft2(x, axes=AXES, norm="ortho", workers=2), axes=AXES
            ),
            "NumPy": lambda: np.fft.fftshift(np.fft.fft2(x, axes=AXES, norm="ortho"), axes=AXES),
        },
        TARGET,
    )
    yield (
        f"centred ifft2, {size}, tf.function",
        {
            "ours": lambda: _wait(ifft2(spectrum)),
            "SciPy (2 workers)": lambda: scipy.fft.ifft2(
                scipy.fft.ifftshift(k, axes=AXES), axes=AXES, norm="ortho", workers=2
            ),
            "NumPy": lambda: np.fft.ifft2(np.fft.ifftshift(k, axes=AXES), axes=AXES, norm="ortho"),
        },
        TARGET,
    )
    yield (
        f"Gaussian blur, sigma 2, {size}",
        {
            "ours": lambda: _wait([fourier.gaussian_blur(tensor, 2.0)]),
            "SciPy": lambda: scipy.ndimage.gaussian_filter(x, (0, 2.0, 2.0, 0), mode="reflect", truncate=4),
        },
        TARGET,
    )


def _wait(tensors):
    return [ops.convert_to_numpy(tensor[:1, :1, :1]) for tensor in tensors]
