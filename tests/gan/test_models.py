from functools import partial

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.multiplications import multiplications
from gan import models
from gan.models import LATENT_SIZES


@pytest.mark.parametrize("latent_size", LATENT_SIZES)
def test_generators_make_images_of_points(latent_size):
    generator = models.build_generator(latent_size)
    images = generator(np.random.default_rng(0).uniform(-1, 1, (3, latent_size)))
    assert images.shape == (3, 28, 28, 1)
    assert 0 <= keras.ops.min(images) <= keras.ops.max(images) <= 1


def test_waves_have_the_period_of_their_octave_and_none_leave_the_points_alone():
    points = np.random.default_rng(0).uniform(-1, 1, (5, 2)).astype("float32")
    np.testing.assert_array_equal(models.Waves(0)(points), points)
    once, shifted = (np.array(models.Waves(3)(x))[:, 2:] for x in (points, points + 4))
    np.testing.assert_allclose(once, shifted, atol=1e-5)
    assert models.build_generator(2).get_weights()[0].shape == (14, 256)


@pytest.mark.parametrize(
    ("build", "outputs"),
    [
        (models.build_discriminator, 1),
        (models.build_critic, 2),
        (models.build_classifier, 10),
        (lambda seed: models.build_encoder(5, seed), 10),
    ],
)
def test_judges_take_images_one_by_one(build, outputs):
    images = np.random.default_rng(0).random((4, 28, 28, 1), dtype="float32")
    model = build(seed=1)
    together = model(images)
    assert together.shape == (4, outputs)
    alone = keras.ops.concatenate([model(image[None]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("build", [models.build_critic, lambda seed: models.build_generator(2, seed)])
def test_the_seed_decides_the_weights(build):
    one, same, other = (build(seed=seed).get_weights() for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("build", [partial(models.build_generator, 2), models.build_discriminator])
def test_a_normalised_layer_does_not_see_the_scale_of_its_weights(build, normalised):
    rng = np.random.default_rng(0)
    network = build(seed=3, normalised=normalised)
    inputs = rng.uniform(size=(64, *network.input_shape[1:])).astype("float32")
    before = network(inputs, training=True)
    inner = [layer for layer in network.layers if hasattr(layer, "kernel")][1]
    inner.kernel.assign(3 * inner.kernel)
    after = network(inputs, training=True)
    assert np.allclose(before, after, atol=1e-2) == normalised


def test_missing_weights_are_named():
    with pytest.raises(ValueError, match=r"no weights 'mnist_generator_3'; there are .*mnist_classifier"):
        models.load_generator(3)


@given(seed=st.integers(0, 1000), octaves=st.integers(0, 4))
def test_waves_are_those_of_numpy(seed, octaves):
    points = np.random.default_rng(seed).uniform(-1, 1, (3, 2)).astype("float32")
    layer = models.Waves(octaves)
    expected = [points]
    for frequency in 2.0 ** np.arange(octaves) / 4:
        expected += [np.sin(2 * np.pi * frequency * points), np.cos(2 * np.pi * frequency * points)]
    found = layer(points)
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=1e-5)
    assert found.shape == layer.compute_output_shape(points.shape)
    assert models.Waves.from_config(layer.get_config()).octaves == octaves


def test_the_networks_are_as_small_as_they_say():
    counted = [
        *multiplications(models.build_generator(16), (1, 16)),
        *multiplications(models.build_discriminator(), (1, 28, 28, 1)),
    ]
    assert [round(count / 1e6, 1) for count in counted] == [1.7, 2.2]
