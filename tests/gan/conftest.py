"""Small networks for the tests that are about trainings, not about networks."""

import warnings

import keras
import numpy as np
import pytest

from gan import inverting, rivals, training, vae

DIGIT = (28, 28, 1)


def small(shape, seed, outputs, *last, normalised=False):
    """Return two dense layers, which are compiled in a moment."""
    drawn = {"kernel_initializer": keras.initializers.GlorotUniform(sum(seed))}
    normalisation = [keras.layers.BatchNormalization()] if normalised else []
    hidden = keras.layers.Dense(4, "leaky_relu", **drawn), *normalisation
    layers = keras.layers.Flatten(), *hidden, keras.layers.Dense(outputs, **drawn), *last
    return keras.Sequential([keras.Input(shape), *layers])


def small_generator(latent_size, seed, normalised=False, octaves=3):
    last = keras.layers.Activation("sigmoid"), keras.layers.Reshape(DIGIT)
    return small((latent_size,), seed, 784, *last, normalised=normalised)


def small_discriminator(seed, normalised=False, width=24):
    return small(DIGIT, seed, 1, normalised=normalised)


def small_encoder(latent_size, seed):
    return small(DIGIT, seed, 2 * latent_size)


def called(model, images, *_, **__):
    """Return what ``model.predict`` does, without compiling it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some models take a list of one array
        return keras.tree.map_structure(np.array, model(images))


def make_small(monkeypatch):
    """Give trainings small networks instead of those of the study."""
    for module in (training, vae, rivals):
        monkeypatch.setattr(module, "build_generator", small_generator)
    monkeypatch.setattr(training, "build_discriminator", small_discriminator)
    for module in (inverting, vae, rivals):
        monkeypatch.setattr(module, "build_encoder", small_encoder)


@pytest.fixture
def tiny(monkeypatch):
    make_small(monkeypatch)
