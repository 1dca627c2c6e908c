"""What a decision costs: multiplications and milliseconds from the measurement to the logits."""

import timeit
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from common.arguments import check_counts
from common.multiplications import multiplications
from common.names import look_up

VIEWS = ("measurement", "filtered backprojection", "matrix", "iterations", "Fourier transform")


def multiplications_before(view: str, rays: int, pixels: int, iterations: int = 1) -> int:
    """Return how many real multiplications make what a network sees of one measurement.

    Filtered backprojection is a matrix of ``rays x pixels`` that is symmetric about the rotation centre, so
    half of the products suffice, which `common.radon` makes use of. Another linear reconstruction is a full
    matrix; one of reduced rank is a matrix from the rays to the rank and one from the rank to the pixels.
    An iteration projects and backprojects: two matrices. A fast Fourier transform of n complex values takes
    ``2 n log2(n)``. Interpolation, logarithms, magnitudes and scaling are not counted.

    Parameters
    ----------
    view : "measurement", "filtered backprojection", "matrix", "iterations" or "Fourier transform"
    rays : int
        Measured values; without effect on the Fourier transform.
    pixels : int
        Of an image; without effect on the measurement itself.
    iterations : int
        Of an iterative reconstruction.

    Raises
    ------
    ValueError
        There is no such view, or a number is no positive integer.
    """
    look_up("view", view, VIEWS)
    check_counts(rays=rays, pixels=pixels, iterations=iterations)
    counts = {
        "measurement": 0,
        "filtered backprojection": rays * pixels // 2,
        "matrix": rays * pixels,
        "iterations": 2 * iterations * rays * pixels,
        "Fourier transform": round(2 * pixels * np.log2(pixels)),
    }
    return counts[view]


def multiplications_of(model: keras.Model, view: str, rays: int, pixels: int, iterations: int = 1) -> int:
    """Return how many multiplications lead from one measurement to the logits.

    Parameters
    ----------
    model : keras.Model
        Sees the `view`. Of a model with several outputs only what the logits need counts.
    view, rays, pixels, iterations
        As in `multiplications_before`.

    Raises
    ------
    ValueError
        As `multiplications_before`, or the model holds operations that cannot be counted.
    """
    before = multiplications_before(view, rays, pixels, iterations)

    def logits(inputs: tf.Tensor) -> tf.Tensor:
        outputs = model(inputs)
        return outputs["logits"] if isinstance(outputs, dict) else outputs

    [network] = multiplications(logits, (1, *model.input_shape[1:]))
    return before + network


def milliseconds(model: keras.Model, see: Callable[[], np.ndarray], repetitions: int = 20) -> float:
    """Return the median time of ``model(see())`` in milliseconds, after a first call that compiles.

    Parameters
    ----------
    model : keras.Model
    see : callable
        Returns a batch of what the network sees, made of a measurement.
    repetitions : int
    """
    network = tf.function(model)

    def decide() -> dict[str, np.ndarray] | np.ndarray:
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), network(see()))

    decide()
    return 1000 * float(np.median(timeit.repeat(decide, number=1, repeat=repetitions)))
