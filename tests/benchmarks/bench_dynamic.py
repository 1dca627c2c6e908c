"""A scene read by the network of scales, wholly and in part, beside the plain pyramid without wavelets."""

from functools import partial

import tensorflow as tf

from common.data import load_mnist
from wavelet_based_dnn.refinement import classify
from wavelet_based_dnn.rivals import FULL_FILTERS, NARROW_FILTERS, NARROWEST_FILTERS, build_plain_pyramid
from wavelet_based_dnn.scale_network import build_scale_network
from wavelet_based_dnn.scenes import draw_scenes

BATCHES = (1, 32)
CANVASES = (112, 224)
BUDGETS = (0.1, 0.2)
PYRAMIDS = {
    "plain pyramid": FULL_FILTERS,
    "narrow plain pyramid": NARROW_FILTERS,
    "narrowest plain pyramid": NARROWEST_FILTERS,
}
TARGETS = {"narrow plain pyramid": 2.0}  # which is as accurate as ours with a tenth of the tiles of 224 x 224


def cases():
    """Yield ``(task, implementations, targets, factors)``; ours computes a tenth of the tiles."""
    for side in CANVASES:
        for batch in BATCHES:
            shares = {
                f"{budget:.0%} of the tiles": partial(_sparse, budget, side, batch) for budget in BUDGETS
            }
            first, *others = shares
            implementations = {
                "ours": shares[first],
                **{name: shares[name] for name in others},
                "all tiles": partial(_dense, build_scale_network, side, batch),
                **{
                    name: partial(_dense, partial(build_plain_pyramid, filters), side, batch)
                    for name, filters in PYRAMIDS.items()
                },
            }
            task = f"our classifier of any size, a tenth of the tiles, {side} x {side}, batches of {batch}"
            targets = TARGETS if side == CANVASES[-1] else None
            yield task, implementations, targets, dict.fromkeys(implementations, 1 / batch)


def _images(side, batch):
    test = load_mnist().test
    return draw_scenes(test.as_float(), test.labels, batch, (side, side), seed=0).images


def _sparse(budget, side, batch):
    network, images = build_scale_network(), _images(side, batch)
    return lambda: classify(network, images, budget=budget).logits[-1]


def _dense(build, side, batch):
    network, images = tf.function(build()), tf.constant(_images(side, batch))
    return lambda: network(images)[-1].numpy()
