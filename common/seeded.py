"""Layers whose initial weights a seed decides, each by a seed of its own, whatever was built before."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from common.validation import check_seed

MOST = 64  # layers of a network
HE = keras.initializers.HeNormal


def initial_seeds(seed: int | Sequence[int]) -> Iterator[int]:
    """Return an iterator over the seeds of a network's layers, at most 64, which are those of `seed`.

    Raises
    ------
    ValueError
        The seed is None, negative or no integer.
    """
    for part in seed if isinstance(seed, list | tuple) else [seed]:
        check_seed(part)
    return iter(np.random.SeedSequence(seed).generate_state(MOST).tolist())


def seeded(
    layer: Callable[..., keras.Layer],
    seeds: Iterator[int],
    *arguments: Any,
    initializer: Callable[[int], keras.Initializer] = keras.initializers.GlorotUniform,
    **options: Any,
) -> keras.Layer:
    """Return a layer of Keras whose kernel the next of `seeds` decides.

    Parameters
    ----------
    layer : class of a layer with a kernel, such as `keras.layers.Dense`
    seeds : iterator of int
        From `initial_seeds`.
    *arguments, **options
        Of the layer.
    initializer : class of a random initializer
        By default that of Glorot & Bengio 2010, the default of Keras; `HE` is that of He et al. 2015.
    """
    return layer(*arguments, kernel_initializer=initializer(next(seeds)), **options)
