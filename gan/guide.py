"""The peer: the DCGAN of Keras's guide "Customizing what happens in fit() with TensorFlow", for MNIST.

https://keras.io/guides/custom_train_step_in_tensorflow: a generator of 69.9 million multiplications an image,
a discriminator of 3.7, normal points of 128 numbers, binary cross-entropies with noisy labels, two Adams.
There it is trained on training and test images together; here on training images alone.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from common.validation import as_unit_images, check_seed
from gan.evaluation import images_of

LATENT_SIZE, BATCH_SIZE, LEARNING_RATE = 128, 64, 3e-4


def build_guide_generator():
    """Return the guide's generator, from normal points ``(n, 128)`` to images ``(n, 28, 28, 1)``."""
    return keras.Sequential(
        [
            keras.Input((LATENT_SIZE,)),
            layers.Dense(7 * 7 * LATENT_SIZE),
            layers.LeakyReLU(0.2),
            layers.Reshape((7, 7, LATENT_SIZE)),
            layers.Conv2DTranspose(128, 4, 2, "same"),
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(128, 4, 2, "same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(1, 7, padding="same", activation="sigmoid"),
        ]
    )


def build_guide_discriminator():
    """Return the guide's discriminator, from images to one logit, positive for generated."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 3, 2, "same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(128, 3, 2, "same"),
            layers.LeakyReLU(0.2),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1),
        ]
    )


def train_guide(images, count, *, seed):
    """Train the guide's networks on `count` images, in random order, and return the generator.

    Parameters
    ----------
    images : array, shape (n, 28, 28, 1)
        Float, in [0, 1].
    count : int
        Images to train on, each as often as needed; the rest that fills no batch of 64 is left out.
    seed : int
        Of the initial weights, the order, the points and the noise of the labels.
    """
    check_seed(seed)
    images = as_unit_images(images).astype("float32", copy=False)
    keras.utils.set_random_seed(seed)
    generator, discriminator = build_guide_generator(), build_guide_discriminator()
    step, rng = guide_step(generator, discriminator), np.random.default_rng(seed)
    epochs = [rng.permutation(len(images)) for _ in range(-(-count // len(images)))]
    order = np.concatenate(epochs)[: count // BATCH_SIZE * BATCH_SIZE].reshape(-1, BATCH_SIZE)
    for number, chosen in enumerate(order):
        step(images[chosen], tf.constant(len(order) * seed + number))
    return generator


def guide_samples(generator, count, seed):
    """Return uint8 images ``(count, 28, 28, 1)`` of normal points."""
    return images_of(generator, np.random.default_rng(seed).normal(size=(count, LATENT_SIZE)))


def guide_step(generator, discriminator):
    """Return the guide's training step, a function of (real images, seed) that returns both losses."""
    optimizers = [keras.optimizers.Adam(LEARNING_RATE) for _ in range(2)]
    for optimizer, model in zip(optimizers, (generator, discriminator), strict=True):
        optimizer.build(model.trainable_variables)
    of_generator, of_discriminator = optimizers
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def step(real, seed):
        count = len(real)
        points = tf.random.stateless_normal((2, count, LATENT_SIZE), tf.stack([seed, 0]))
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], 0)
        noise = 0.05 * tf.random.stateless_uniform(tf.shape(labels), tf.stack([seed, 1]))
        images = tf.concat([generator(points[0]), real], 0)
        with tf.GradientTape() as tape:
            of_d = cross_entropy(labels + noise, discriminator(images))
        weights = discriminator.trainable_variables
        of_discriminator.apply(tape.gradient(of_d, weights), weights)
        with tf.GradientTape() as tape:
            of_g = cross_entropy(tf.zeros((count, 1)), discriminator(generator(points[1])))
        weights = generator.trainable_variables
        of_generator.apply(tape.gradient(of_g, weights), weights)
        return of_d, of_g

    return step
