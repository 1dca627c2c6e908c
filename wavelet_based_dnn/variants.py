"""The network of scales, its variants and its rivals; all take images of any size."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from wavelet_based_dnn.rivals import (
    COEFFICIENT_FILTERS,
    FULL_FILTERS,
    NARROW_FILTERS,
    NARROWEST_FILTERS,
    CoefficientScales,
    FinestLevel,
    ResizedScales,
    build_plain_pyramid,
)
from wavelet_based_dnn.scale_network import FILTERS, build_scale_network
from wavelet_based_dnn.scene_training import LEVEL_WEIGHTS


class Variant(NamedTuple):
    """A network and how it is trained.

    Attributes
    ----------
    build : callable
        From keyword arguments `classes` and `seed` to an untrained network.
    drop : bool
        As of `scene_training.train_on_scenes`.
    level_weights : tuple of float
        As of `scene_training.Schedule`.
    """

    build: Callable
    drop: bool = True
    level_weights: tuple = LEVEL_WEIGHTS


def _one_scale(classes, seed):
    return FinestLevel("haar", FILTERS, classes, seed)


def _coefficients(classes, seed):
    return CoefficientScales("haar", COEFFICIENT_FILTERS, classes, seed)


def _resized(side, classes, seed):
    return ResizedScales(side, "haar", FILTERS, classes, seed)


def _plain(filters=FULL_FILTERS, *, classes, seed):
    return build_plain_pyramid(filters, seed)


VARIANTS = {
    "Haar": Variant(build_scale_network),
    # The front end differs. Zeroed details leave each level its picture at half the resolution.
    "zeroed details": Variant(partial(build_scale_network, "zeroed details")),
    "coefficients as channels": Variant(_coefficients),
    # What is read differs.
    "finest level alone": Variant(_one_scale),
    "resized to 32": Variant(partial(_resized, 32)),
    # The training differs.
    "all tiles in training": Variant(build_scale_network, drop=False),
    # Three scales in place of four, one loss of the answer, no tiles: the usual way.
    "plain pyramid": Variant(_plain, drop=False, level_weights=()),
    "narrow plain pyramid": Variant(partial(_plain, NARROW_FILTERS), drop=False, level_weights=()),
    "narrowest plain pyramid": Variant(partial(_plain, NARROWEST_FILTERS), drop=False, level_weights=()),
}
