"""Layers with seeded initial weights; each layer has its own seed, whatever was built before."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from common.validation import check_seed

MOST = 64  # layers of a network
HE = keras.initializers.HeNormal


def initial_seeds(seed: int | Sequence[int]) -> Iterator[int]:
    """Return an iterator over at most 64 seeds of a network's layers, derived from `seed`.

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
    """Return a Keras layer whose initial kernel is drawn with the next of `seeds`.

    Parameters
    ----------
    layer : class of a layer with a kernel, such as `keras.layers.Dense`
    seeds : iterator of int
        From `initial_seeds`.
    *arguments, **options
        Arguments of the layer.
    initializer : class of a random initializer
        By default Glorot & Bengio 2010, as in Keras; `HE` is He et al. 2015.
    """
    return layer(*arguments, kernel_initializer=initializer(next(seeds)), **options)
