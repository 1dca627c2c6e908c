import numpy as np
import pytest

from common.data import load_mnist
from common.multiplications import multiplications
from gan import guide


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(guide, "BATCH_SIZE", 4)


def test_the_guide_s_networks_take_as_many_multiplications_as_the_guide_s():
    [generator] = multiplications(guide.build_guide_generator(), (1, guide.LATENT_SIZE))
    [discriminator] = multiplications(guide.build_guide_discriminator(), (1, 28, 28, 1))
    assert [round(count / 1e6, 1) for count in (generator, discriminator)] == [69.9, 3.7]


def test_a_step_of_the_guide_trains_both_networks():
    generator, discriminator = guide.build_guide_generator(), guide.build_guide_discriminator()
    before = [[weight.numpy() for weight in model.weights] for model in (generator, discriminator)]
    step = guide.guide_step(generator, discriminator)
    losses = step(load_mnist().train[: guide.BATCH_SIZE].as_float(), 0)
    np.testing.assert_allclose(losses, np.log(2), atol=0.2)
    for model, weights in zip((generator, discriminator), before, strict=True):
        for weight, old in zip(model.weights, weights, strict=True):
            assert not np.array_equal(weight, old)


def test_the_guide_s_training_repeats():
    images = load_mnist().train[:6].as_float()
    one, other = (guide.guide_samples(guide.train_guide(images, 9, seed=3), 5, 0) for _ in range(2))
    assert one.shape == (5, 28, 28, 1)
    np.testing.assert_array_equal(one, other)
