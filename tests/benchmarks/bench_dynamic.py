"""An image classified, one alone and in a batch: every level of the dynamic classifier beside specialists.

The specialist of a size is the network for 28 pixels, which sees images of the size resampled.
"""

from functools import partial
from itertools import islice

import tensorflow as tf

from common.data import load_mnist
from wavelet_based_dnn.models import LEVELS, build_cnn, build_dynamic_classifier
from wavelet_based_dnn.resampling import resample
from wavelet_based_dnn.variants import NATIVE

BATCHES = (1, 256)
SPECIALISTS = (8, 14, 28)  # pixels a side


def cases():
    """Yield ``(task, implementations, no target, factors)``; ours is the finest level at 28 pixels."""
    for batch in BATCHES:
        levels = {
            f"level {count} of {LEVELS + 1}": partial(_level, count, batch) for count in range(1, LEVELS + 1)
        }
        specialists = {f"specialist of {size}": partial(_specialist, size, batch) for size in SPECIALISTS}
        implementations = {"ours": partial(_level, LEVELS + 1, batch), **levels, **specialists}
        task = f"our classifier of any size, per image, batches of {batch}"
        yield task, implementations, None, dict.fromkeys(implementations, 1 / batch)


def _images(size, batch):
    return resample(load_mnist().test[:batch].as_float(), size, size)


def _level(count, batch):
    model, images = build_dynamic_classifier(), _images(NATIVE, batch)

    @tf.function
    def decide(images):
        return list(islice(model.refined(model.coefficients(images)), count))[-1]

    return lambda: decide(images).numpy()


def _specialist(size, batch):
    model, images = tf.function(build_cnn(NATIVE)), _images(size, batch)
    return lambda: model(images)[-1].numpy()
