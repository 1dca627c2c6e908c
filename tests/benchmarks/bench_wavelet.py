"""Benchmark cases of `common.wavelet` against PyWavelets and ptwt."""

from importlib.util import find_spec

import numpy as np
import pywt
import tensorflow as tf

from common.wavelet import wavedec2

COMPILERS = {"tf.function": tf.function, "XLA": tf.function(jit_compile=True)}


def cases():
    """Yield ``(task, {name: callable}, target)``; `target` is the ratio to reach against each peer."""
    random = np.random.default_rng(0)
    small = random.random((10_000, 28, 28, 1), "float32")
    large = random.random((16, 512, 512, 3), "float32")
    yield _case("Haar, 1 level, 10,000 x 28 x 28", small, "haar", 1, "tf.function", 7.0)
    yield _case("db2, 2 levels, 10,000 x 28 x 28", small, "db2", 2, "tf.function", 4.0)
    yield _case("bior4.4, 3 levels, 16 x 512 x 512 x 3", large, "bior4.4", 3, "XLA", 4.0)


def _case(task, images, wavelet, level, how, target):
    x, ours = tf.constant(images), COMPILERS[how](lambda x: wavedec2(x, wavelet, level))
    return f"{task}, {how}", {"ours": lambda: ours(x), **_peers(images, wavelet, level)}, target


def _peers(images, wavelet, level):
    # The layout each peer is fastest with: images as contiguous matrices.
    matrices = np.ascontiguousarray(np.moveaxis(images, -1, 1))
    peers = {"PyWavelets": lambda: pywt.wavedec2(matrices, wavelet, level=level)}
    if find_spec("ptwt"):
        import ptwt
        import torch

        tensor = torch.from_numpy(matrices.reshape(-1, *matrices.shape[2:]))
        peers["ptwt"] = lambda: ptwt.wavedec2(tensor, wavelet, mode="symmetric", level=level)
    return peers
