"""Benchmark cases of `common.wavelet` against PyWavelets and ptwt."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pywt
import tensorflow as tf

from common.wavelet import wavedec2

COMPILERS = {"tf.function": tf.function, "XLA": tf.function(jit_compile=True)}
SMALL, LARGE = (10_000, 28, 28, 1), (16, 512, 512, 3)


def cases():
    """Yield ``(task, implementations by name, target)``; `target` is the ratio to reach against each peer."""
    yield _case("Haar, 1 level, 10,000 x 28 x 28", SMALL, "haar", 1, "tf.function", 7.0)
    yield _case("db2, 2 levels, 10,000 x 28 x 28", SMALL, "db2", 2, "tf.function", 4.0)
    yield _case("bior4.4, 3 levels, 16 x 512 x 512 x 3", LARGE, "bior4.4", 3, "XLA", 4.0)


def _case(task, shape, wavelet, level, how, target):
    peers = {"PyWavelets": _pywavelets} | ({"ptwt": _ptwt} if find_spec("ptwt") else {})
    implementations = {name: partial(prepare, shape, wavelet, level) for name, prepare in peers.items()}
    return f"{task}, {how}", {"ours": partial(_ours, shape, wavelet, level, how), **implementations}, target


def _images(shape):
    return np.random.default_rng(0).random(shape, "float32")


def _matrices(shape):
    """Return the layout that the peers are fastest with: images as contiguous matrices."""
    return np.ascontiguousarray(np.moveaxis(_images(shape), -1, 1))


def _ours(shape, wavelet, level, how):
    x, transform = tf.constant(_images(shape)), COMPILERS[how](lambda x: wavedec2(x, wavelet, level))
    return lambda: transform(x)


def _pywavelets(shape, wavelet, level):
    matrices = _matrices(shape)
    return lambda: pywt.wavedec2(matrices, wavelet, level=level)


def _ptwt(shape, wavelet, level):
    import ptwt
    import torch

    tensor = torch.from_numpy(_matrices(shape).reshape(-1, *shape[1:3]))
    return lambda: ptwt.wavedec2(tensor, wavelet, mode="symmetric", level=level)
