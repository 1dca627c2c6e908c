"""Generators that are not adversarial: noise with a histogram, and digits by what is known of them."""

import numpy as np

from common.data import load_dataset
from gan.evaluation import images_of
from gan.histogram import cumulative, noise
from gan.supervised import INPUTS, train_on
from gan.training import TRAINING_IMAGES

SUPERVISED_EPOCHS = 4


def _of_histogram(by_position):
    def make(dataset, seed):
        images = load_dataset(dataset).train.images[:TRAINING_IMAGES]
        distribution = cumulative(images, by_position)
        return lambda count, seed: noise(distribution, count, images.shape[1:], seed)

    return make


def _supervised(known):
    def make(dataset, seed):
        images = load_dataset(dataset).train[:TRAINING_IMAGES]
        inputs = INPUTS[known](images.as_float(), images.labels)
        generator, _ = train_on(inputs, images.as_float(), epochs=SUPERVISED_EPOCHS, seed=seed)

        def sample(count, seed):
            chosen = inputs[np.random.default_rng(seed).integers(len(inputs), size=count)]
            return images_of(generator, chosen)

        return sample

    return make


# From the data set and a seed to a function of (count, seed) that returns uint8 images.
BASELINES = {
    "histogram": _of_histogram(by_position=False),
    "histogram of each pixel": _of_histogram(by_position=True),
    **{known: _supervised(known) for known in INPUTS},
}
