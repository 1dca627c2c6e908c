"""An image in training, a sampled one, a whole training: our pair of networks beside Keras's guide."""

from functools import partial

import numpy as np
import tensorflow as tf

from common.data import load_mnist
from common.experiments import sweep
from gan import guide
from gan.experiments import adversarial, keras_guide
from gan.models import build_discriminator, build_generator
from gan.training import RECIPES, TRAINING_IMAGES, adversarial_epoch, build_optimizers

LATENT_SIZE = 16
TRAINED, SAMPLED = 960, 1_000  # images in a call
GUIDE_IMAGES = 165_000  # of the guide's longest stored run


def cases():
    """Yield ``(task, implementations by name, target, factors)``."""
    training = {"ours": _train, "Keras guide": _train_guide}
    yield "GAN training, per image", training, 10.0, dict.fromkeys(training, 1 / TRAINED)
    needed = {name: count / TRAINED for name, count in _images_to_the_distance_of_the_guide().items()}
    yield "GAN training, until as near to digits as the guide", training, 20.0, needed
    sampling = {
        "ours": partial(_sample, build_generator(LATENT_SIZE)),
        "Keras guide": partial(_sample, guide.build_guide_generator()),
    }
    yield "GAN sampling, per image", sampling, 10.0, dict.fromkeys(sampling, 1 / SAMPLED)


def _images_to_the_distance_of_the_guide():
    """Return how many images bring each pair of networks to the Fréchet distance that the guide's reaches.

    From the stored records; ours is counted after a whole epoch, when it is nearer already.
    """
    guides = sweep(keras_guide, images=GUIDE_IMAGES, seed=0)["frechet"]
    ours = sweep(adversarial, latent_size=LATENT_SIZE, epochs=1, critic_budget=30_000, seed=range(3))[
        "frechet"
    ]
    assert ours.max() < guides.min()
    return {"ours": TRAINING_IMAGES, "Keras guide": GUIDE_IMAGES}


def _images():
    return tf.constant(load_mnist().train[:TRAINED].as_float())


def _train():
    recipe, images = RECIPES["R3GAN"], _images()
    averaged, generator = (build_generator(LATENT_SIZE) for _ in range(2))
    discriminator = build_discriminator()
    optimizers = build_optimizers(generator, discriminator, recipe, steps=10_000)
    run_epoch = adversarial_epoch(averaged, generator, discriminator, optimizers, recipe, seed=0)
    order = np.arange(TRAINED, dtype="int32").reshape(-1, recipe.batch_size)
    return lambda: run_epoch(images, order, 10_000)


def _train_guide():
    images = tf.split(_images(), TRAINED // guide.BATCH_SIZE)
    step = guide.guide_step(guide.build_guide_generator(), guide.build_guide_discriminator())
    return lambda: [step(batch, seed) for seed, batch in enumerate(images)]


def _sample(generator):
    points = tf.zeros((SAMPLED, generator.input_shape[-1]))
    sample = tf.function(generator)
    return lambda: sample(points)
