"""The baseline: a variational autoencoder of equal size (Kingma & Welling 2014, arXiv:1312.6114)."""

import tensorflow as tf

from common.names import look_up
from common.validation import as_unit_images
from gan.minimising import minimise
from gan.models import build_encoder, build_generator

BATCH_SIZE = 64
PIXELS = 28 * 28


def train_vae(images, latent_size, *, likelihood, learning_rate, epochs, seed):
    """Train an autoencoder of `images` and return its decoder as a generator of uniform points.

    Parameters
    ----------
    images : array, shape (n, 28, 28, 1)
        Float, in [0, 1].
    latent_size : int
    likelihood : key of `LIKELIHOODS`
    learning_rate : float
        The initial one, of Adam; batches of 64.
    epochs : int
    seed : int
        Of the initial weights, the order and the noise.

    Returns
    -------
    generator : callable
        From points uniform on [-1, 1]^latent_size, ``(n, latent_size)``, to mean images ``(n, 28, 28, 1)``;
        the decoder behind the map that makes uniform numbers normal.
    history : pandas.DataFrame
        Columns epoch and loss, the negative evidence bound in nats an image.
    """
    error, images = look_up("likelihood", likelihood, LIKELIHOODS), as_unit_images(images)
    encoder, decoder = (
        build_encoder(latent_size, seed=[seed, 1]),
        build_generator(latent_size, seed=[seed, 0]),
    )

    def loss(step, batch):
        mean, log_variance = tf.split(encoder(batch, training=True), 2, axis=1)
        # One exponential serves both terms: with two, the gradient had not the same bits on every run.
        scale = tf.exp(log_variance / 2)
        noise = tf.random.stateless_normal(tf.shape(mean), tf.stack([seed, step]))
        decoded = decoder(mean + scale * noise, training=True)
        divergence = tf.reduce_sum(mean**2 + scale**2 - log_variance - 1, axis=1) / 2
        return error(batch, decoded) + tf.reduce_mean(divergence)

    history = minimise(
        loss, [encoder, decoder], [images], epochs=epochs, learning_rate=learning_rate,
        batch_size=BATCH_SIZE, seed=seed,
    )  # fmt: skip
    return lambda points: decoder(normal(points)), history


def normal(points):
    """Return numbers that are standard normal if `points` are uniform on [-1, 1]."""
    edge = 1 - 1e-6
    return 2**0.5 * tf.math.erfinv(tf.clip_by_value(points, -edge, edge))


def bernoulli(images, decoded):
    """Return the mean cross-entropy of an image, its grey values taken as probabilities, in nats."""
    return PIXELS * tf.reduce_mean(tf.keras.losses.binary_crossentropy(images, decoded))


def gaussian(images, decoded):
    """Return the mean negative log-likelihood, up to a constant, with the best variance common to the batch.

    Rybkin et al. 2021 (arXiv:2006.13202, section 3.2, "optimal sigma").
    """
    return PIXELS / 2 * tf.math.log(tf.reduce_mean((images - decoded) ** 2))


LIKELIHOODS = {"Bernoulli": bernoulli, "Gaussian": gaussian}
