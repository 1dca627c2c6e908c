"""An encoder for a generator that was trained without one, so that its projections start from a guess too."""

from functools import partial

import tensorflow as tf

from gan.features import as_float
from gan.minimising import minimise
from gan.models import build_encoder
from gan.rivals import encoded, squashed
from gan.vae import BATCH_SIZE, PIXELS

SAMPLES = 10_000
EPOCHS = 6
LEARNING_RATE = 1e-3


def with_encoder(model, latent_size, seed, count=SAMPLES, **options):
    """Return a `GenerativeModel` with an encoder: its own, or one that is trained on its own samples.

    Parameters
    ----------
    model : GenerativeModel
    latent_size : int
    seed : list of int
        Of the samples, the weights and the order.
    count : int
        Samples to train on.
    **options
        epochs and learning_rate of `train_inverse`.
    """
    if model.encoder is not None:
        return model
    encoder = train_inverse(model.decoder, model.sample(count, seed), latent_size, seed, **options)
    return model._replace(encoder=encoder)


def train_inverse(decoder, images, latent_size, seed, *, epochs=EPOCHS, learning_rate=LEARNING_RATE):
    """Train an encoder whose points the decoder turns into the images again; the decoder stays as it is.

    The loss is the error of the images, as the autoencoder's: where a generator draws an image at several
    points, the error of the points would ask for their mean.

    Parameters
    ----------
    decoder : callable
        As in `GenerativeModel`.
    images : array of uint8, shape (n, 28, 28, 1)
    latent_size : int
    seed : list of int
    epochs : int
    learning_rate : float

    Returns
    -------
    callable
        As `GenerativeModel.encoder`.
    """
    encoder = build_encoder(latent_size, seed)

    def loss(step, batch):
        codes = tf.split(encoder(batch, training=True), 2, axis=1)[0]
        return PIXELS * tf.reduce_mean((decoder(squashed(codes)) - batch) ** 2)

    minimise(
        loss, [encoder], [as_float(images)], epochs=epochs, learning_rate=learning_rate,
        batch_size=BATCH_SIZE, seed=seed[0],
    )  # fmt: skip
    return partial(encoded, encoder)
