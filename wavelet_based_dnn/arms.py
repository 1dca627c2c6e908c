"""The dynamic classifier, its variants and what it is compared with: a network and its sizes in training."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from wavelet_based_dnn.models import build_cnn, build_dynamic_classifier, build_fully_convolutional
from wavelet_based_dnn.pyramids import SPLITS

TRAINED_SIZES = (8, 12, 16, 20, 24, 28, 32)
UNSEEN_SIZES = (10, 14, 18, 22, 26, 36, 40, 48, 56)
SIZES = tuple(sorted(TRAINED_SIZES + UNSEEN_SIZES))
NATIVE = 28  # pixels a side of the images as they are


class Arm(NamedTuple):
    """A way to classify images of a size.

    Attributes
    ----------
    build : callable
        From a keyword argument `seed` to an untrained classifier.
    sizes : tuple of int
        At which it is trained, in pixels a side.
    learning_rate : float
        The best of those tried (`experiments.tuning`) for one epoch on MNIST's validation images.
    largest_teaches : bool
        As of `training.Schedule`.
    """

    build: Callable
    sizes: tuple[int, ...]
    learning_rate: float
    largest_teaches: bool = False


SPECIALISTS = {f"specialist {size}": Arm(partial(build_cnn, size), (size,), 1e-2) for size in SIZES}
# Of any size. The first is the specialist of 28 pixels, which sees other sizes resampled.
BASELINES = {
    "resized, 28": SPECIALISTS[f"specialist {NATIVE}"],
    "resized, many": Arm(partial(build_cnn, NATIVE), TRAINED_SIZES, 1e-2),
    "convolutional, 28": Arm(build_fully_convolutional, (NATIVE,), 1e-2),
    "convolutional, many": Arm(build_fully_convolutional, TRAINED_SIZES, 1e-2),
    "convolutional, layer": Arm(
        partial(build_fully_convolutional, normalisation="layer"), TRAINED_SIZES, 1e-2
    ),
    "wavelet, not resampled": Arm(partial(build_dynamic_classifier, resampled=False), TRAINED_SIZES, 1e-2),
    "switchable": Arm(
        partial(build_fully_convolutional, TRAINED_SIZES), TRAINED_SIZES, 1e-2, largest_teaches=True
    ),
}
DYNAMIC = {
    **{
        f"dynamic, {split}": Arm(partial(build_dynamic_classifier, split), TRAINED_SIZES, 1e-2)
        for split in SPLITS
    },
    "dynamic, no reuse": Arm(partial(build_dynamic_classifier, reuse=False), TRAINED_SIZES, 1e-2),
}
ARMS = SPECIALISTS | BASELINES | DYNAMIC
