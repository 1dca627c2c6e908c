import keras
import numpy as np
import pytest

from gan import models
from gan.models import LATENT_SIZES


@pytest.mark.parametrize("latent_size", LATENT_SIZES)
def test_generators_make_images_of_points(latent_size):
    generator = models.build_generator(latent_size)
    images = generator(np.random.default_rng(0).uniform(-1, 1, (3, latent_size)))
    assert images.shape == (3, 28, 28, 1)
    assert 0 <= keras.ops.min(images) <= keras.ops.max(images) <= 1


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


def test_missing_weights_are_named():
    with pytest.raises(ValueError, match=r"no weights mnist_generator_3; there are .*mnist_classifier"):
        models.load_generator(3)
