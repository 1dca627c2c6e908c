"""A generative model, whichever way it was trained: a decoder, and how it draws what it decodes."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gan.evaluation import images_of


class GenerativeModel(NamedTuple):
    """What the measurements need of a generator; its latent points lie in the cube [-1, 1]^latent_size.

    Attributes
    ----------
    decoder : callable
        From points ``(n, latent_size)`` to images ``(n, 28, 28, 1)`` in [0, 1]; differentiable.
    points : callable
        From (count, seed) to the points that the model samples, ``(count, latent_size)``.
    encoder : callable, optional
        From images ``(n, 28, 28, 1)`` in [0, 1] to a guess at their points.
    """

    decoder: Callable[..., Any]
    points: Callable[..., Any]
    encoder: Callable[..., Any] | None = None

    def sample(self, count, seed):
        """Return `count` uint8 images."""
        return images_of(self.decoder, self.points(count, seed))

    def guesses(self, images):
        """Return the encoder's points ``(n, 1, latent_size)`` of images in [0, 1]; None without one."""
        return None if self.encoder is None else np.asarray(self.encoder(images), "float32")[:, None]


def of_uniform_points(decoder, latent_size, encoder=None):
    """Return the `GenerativeModel` whose points are uniform on the cube."""
    return GenerativeModel(decoder, partial(uniform_points, latent_size), encoder)


def uniform_points(latent_size, count, seed):
    """Return points ``(count, latent_size)`` uniform on the cube, the same as in `evaluation.samples`."""
    return np.random.default_rng(seed).uniform(-1, 1, (count, latent_size))
