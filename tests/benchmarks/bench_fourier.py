"""Cases for the benchmark table of `common.fourier`: the same task by SciPy and by NumPy."""

from functools import partial

import numpy as np
import scipy.fft
import scipy.ndimage
import tensorflow as tf

from common import fourier

AXES = (1, 2)
TARGET = 1.0


def cases():
    """Yield ``(task, implementations by name, target)``; the target is SciPy's time over ours, at least."""
    for shape in [(10_000, 28, 28, 1), (16, 512, 512, 3)]:
        size = " x ".join(map(str, shape))
        for task, implementations in (
            (
                "centred fft2, tf.function",
                {"ours": _fft2, "SciPy (2 workers)": _scipy_fft2, "NumPy": _numpy_fft2},
            ),
            (
                "centred ifft2, tf.function",
                {"ours": _ifft2, "SciPy (2 workers)": _scipy_ifft2, "NumPy": _numpy_ifft2},
            ),
            ("Gaussian blur, sigma 2", {"ours": _blur, "SciPy": _scipy_blur}),
        ):
            named = {name: partial(prepare, shape) for name, prepare in implementations.items()}
            yield f"{task}, {size}", named, TARGET


def _images(shape):
    return np.random.default_rng(0).random(shape, dtype="float32")


def _spectrum(shape):
    return np.fft.fftshift(np.fft.fft2(_images(shape), axes=AXES, norm="ortho"), axes=AXES).astype(
        "complex64"
    )


def _fft2(shape):
    x, transform = tf.constant(_images(shape)), tf.function(fourier.fft2)
    return lambda: transform(x).real[0, 0, 0, 0].numpy()


def _scipy_fft2(shape):
    x = _images(shape)
    return lambda: scipy.fft.fftshift(scipy.fft.fft2(x, axes=AXES, norm="ortho", workers=2), axes=AXES)


def _numpy_fft2(shape):
    x = _images(shape)
    return lambda: np.fft.fftshift(np.fft.fft2(x, axes=AXES, norm="ortho"), axes=AXES)


def _ifft2(shape):
    k, transform = fourier.fft2(_images(shape)), tf.function(fourier.ifft2)
    return lambda: transform(k).real[0, 0, 0, 0].numpy()


def _scipy_ifft2(shape):
    k = _spectrum(shape)
    return lambda: scipy.fft.ifft2(scipy.fft.ifftshift(k, axes=AXES), axes=AXES, norm="ortho", workers=2)


def _numpy_ifft2(shape):
    k = _spectrum(shape)
    return lambda: np.fft.ifft2(np.fft.ifftshift(k, axes=AXES), axes=AXES, norm="ortho")


def _blur(shape):
    x = tf.constant(_images(shape))
    return lambda: fourier.gaussian_blur(x, 2.0)[0, 0, 0, 0].numpy()


def _scipy_blur(shape):
    x = _images(shape)
    return lambda: scipy.ndimage.gaussian_filter(x, (0, 2.0, 2.0, 0), mode="reflect", truncate=4)
