"""The dynamic classifier, its variants and what it is compared with: a network and its sizes in training."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from wavelet_based_dnn.models import (
    build_cnn,
    build_dynamic_classifier,
    build_fully_convolutional,
    build_resized_convolutional,
)
from wavelet_based_dnn.pyramids import SPLITS

TRAINED_SIZES = (8, 12, 16, 20, 24, 28, 32)
UNSEEN_SIZES = (10, 14, 18, 22, 26, 36, 40, 48, 56)
SIZES = tuple(sorted(TRAINED_SIZES + UNSEEN_SIZES))
NATIVE = 28  # pixels a side of the images as they are


class Variant(NamedTuple):
    """A way to classify images of a size.

    Attributes
    ----------
    build : callable
        From a keyword argument `seed` to an untrained classifier.
    sizes : tuple of int
        At which it is trained, in pixels a side.
    distillation, largest_teaches
        As of `training.Schedule`.
    """

    build: Callable
    sizes: tuple[int, ...] = TRAINED_SIZES
    distillation: float = 0.5
    largest_teaches: bool = False


# The specialists of a size: a network for it, and the network for 28 pixels that sees it enlarged.
SPECIALISTS = {
    f"specialist {size} at {network}": Variant(partial(build_cnn, network), (size,))
    for size in SIZES
    for network in dict.fromkeys((size, NATIVE))
}
# Of any size. The first is the specialist of 28 pixels, which sees other sizes resampled.
BASELINES = {
    "resized, 28": SPECIALISTS[f"specialist {NATIVE} at {NATIVE}"],
    "resized, many": Variant(partial(build_cnn, NATIVE)),
    "resized, wide": Variant(partial(build_cnn, NATIVE, 1.25)),  # as many multiplications as ours
    "resized, half": Variant(partial(build_cnn, NATIVE, 0.5)),
    "resized, mean": Variant(partial(build_resized_convolutional, NATIVE)),
    "convolutional, 28": Variant(build_fully_convolutional, (NATIVE,)),
    "convolutional, many": Variant(build_fully_convolutional),
    "switchable": Variant(partial(build_fully_convolutional, TRAINED_SIZES), largest_teaches=True),
    "wavelet, not resampled": Variant(partial(build_dynamic_classifier, resampled=False)),
}
DYNAMIC = {
    **{f"dynamic, {split}": Variant(partial(build_dynamic_classifier, split)) for split in SPLITS},
    "dynamic, no reuse": Variant(partial(build_dynamic_classifier, reuse=False)),
    "dynamic, no distillation": Variant(build_dynamic_classifier, distillation=0.0),
}
VARIANTS = SPECIALISTS | BASELINES | DYNAMIC
