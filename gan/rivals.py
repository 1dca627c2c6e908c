"""What a GAN has to beat: autoencoders with the same decoder, whose codes lie in the same cube.

Both squash their codes by the distribution function of a normal number, so that the decoder's waves get
inputs of the range for which they are made. A variational autoencoder whose codes are standard normal then
decodes uniform points, exactly as the GAN's generator does. Their weights are averaged as the GAN's are.
"""

from functools import partial

import numpy as np
import tensorflow as tf

from common.validation import as_unit_images
from gan.generative_model import GenerativeModel, of_uniform_points
from gan.minimising import BestEpoch, minimise
from gan.mixture import fitted_mixture, mixture_samples
from gan.models import OCTAVES, build_encoder, build_generator
from gan.vae import BATCH_SIZE, PIXELS, bernoulli

ENCODED = 1_000  # images at once
MIXED = 20_000  # images whose codes a mixture is fitted to


def train_variational(images, latent_size, *, beta, seed, octaves=OCTAVES, **options):
    """Train a variational autoencoder: cross-entropy plus beta times the divergence from the normal prior.

    Higgins et al. 2017 ("beta-VAE"), with less weight than 1 for sharper images.

    Parameters
    ----------
    images : array, shape (n, 28, 28, 1)
        Float, in [0, 1].
    latent_size : int
    beta : float
    seed : int
        Of the initial weights, the order and the noise.
    octaves : int
        Of the decoder (`models.build_generator`).
    **options
        learning_rate, epochs, validate and validate_every, as in `training.train_gan`, but `validate` takes a
        `GenerativeModel`.

    Returns
    -------
    GenerativeModel
        Of the best epoch, or of the last without `validate`.
    history : pandas.DataFrame
        Columns epoch, loss and, of the validated epochs, distance.
    """
    encoder, decoder = networks = _networks(latent_size, octaves, seed)
    averaged = _networks(latent_size, octaves, seed)

    def loss(step, batch):
        mean, log_variance = tf.split(encoder(batch, training=True), 2, axis=1)
        # One exponential serves both terms: with two, the gradient had not the same bits on every run.
        scale = tf.exp(log_variance / 2)
        noise = tf.random.stateless_normal(tf.shape(mean), tf.stack([seed, step]))
        decoded = decoder(squashed(mean + scale * noise), training=True)
        divergence = tf.reduce_sum(mean**2 + scale**2 - log_variance - 1, axis=1) / 2
        return bernoulli(batch, decoded) + beta * tf.reduce_mean(divergence)

    model = of_uniform_points(averaged[1], latent_size, partial(encoded, averaged[0]))
    return _trained(loss, networks, averaged, lambda: model, images, seed=seed, **options)


def train_mixture(images, latent_size, *, components, seed, octaves=OCTAVES, **options):
    """Train an autoencoder by the mean square error, and fit a mixture of Gaussians to its codes.

    "Ex-post density estimation": Ghosh et al. 2020 (arXiv:1903.12436, section 4). The mixture is one of the
    codes before they are squashed, so that its samples lie in the cube.

    Parameters
    ----------
    components : int
        Of the mixture, each with a full covariance.
    images, latent_size, seed, octaves, **options
        As in `train_variational`.

    Returns
    -------
    As `train_variational`.
    """
    images = as_unit_images(images)
    encoder, decoder = networks = _networks(latent_size, octaves, seed)
    averaged = _networks(latent_size, octaves, seed)

    def loss(step, batch):
        codes = tf.split(encoder(batch, training=True), 2, axis=1)[0]  # the other half is for a variance
        return PIXELS * tf.reduce_mean((decoder(squashed(codes), training=True) - batch) ** 2)

    def present():
        mixture = fitted_mixture(codes_of(averaged[0], images[:MIXED]), components, seed)

        def points(count, seed):
            return np.asarray(squashed(mixture_samples(mixture, count, seed)))

        return GenerativeModel(averaged[1], points, partial(encoded, averaged[0]))

    return _trained(loss, networks, averaged, present, images, seed=seed, **options)


def squashed(codes):
    """Return numbers that are uniform on [-1, 1] if `codes` are standard normal, as `vae.normal` inverts."""
    return tf.math.erf(tf.cast(codes, tf.float32) / 2**0.5)


def codes_of(encoder, images):
    """Return the means ``(n, latent_size)`` that an encoder (`models.build_encoder`) gives images."""
    batches = (images[start : start + ENCODED] for start in range(0, len(images), ENCODED))
    both = np.concatenate([np.asarray(encoder(tf.constant(batch, tf.float32))) for batch in batches])
    return both[:, : both.shape[1] // 2]


def encoded(encoder, images):
    """Return the points of the cube at the codes of images."""
    return np.asarray(squashed(codes_of(encoder, images)))


def _networks(latent_size, octaves, seed):
    """Return an encoder and a decoder, the latter with the initial weights of the GAN's generator."""
    return [build_encoder(latent_size, [seed, 1]), build_generator(latent_size, [seed, 0], octaves=octaves)]


def _trained(
    loss, networks, averaged, present, images, *, seed, learning_rate, epochs, validate=None, validate_every=1
):
    """Return the model of the best epoch and the history; `present` makes a model of the averaged weights."""
    best = BestEpoch(averaged, lambda: validate(present()), epochs, validate_every) if validate else None
    history = minimise(
        loss, networks, [as_unit_images(images)], epochs=epochs, learning_rate=learning_rate,
        batch_size=BATCH_SIZE, seed=seed, after_epoch=best, averaged=averaged,
    )  # fmt: skip
    if best is not None:
        best.restore()
    return present(), history
