import numpy as np
import pytest

from gan.evaluation import samples
from gan.generative_model import GenerativeModel, of_uniform_points
from gan.worth import generated, streamed


def decoder(points):
    return np.broadcast_to((points[:, :1, None, None] + 1) / 2, (len(points), 28, 28, 1))


@pytest.mark.parametrize("seed", [0, [3, 1]])
def test_a_model_of_uniform_points_samples_as_its_generator_alone(seed):
    model = of_uniform_points(decoder, 3)
    np.testing.assert_array_equal(model.sample(7, seed), samples(decoder, 3, 7, seed))
    streams = streamed(model.sample, 10, 4), generated(decoder, 3, 10, 4)
    for one, other in zip(*streams, strict=True):
        np.testing.assert_array_equal(one, other)


def test_streams_of_one_seed_are_apart():
    model = of_uniform_points(decoder, 3)
    one, other = (np.concatenate(list(streamed(model.sample, 10, [5, stream]))) for stream in (1, 2))
    assert not np.array_equal(one, other)


def test_an_encoder_guesses_one_point_an_image():
    images = np.random.default_rng(0).random((4, 28, 28, 1))
    model = GenerativeModel(decoder, None, lambda images: images[:, 0, :2, 0])
    guesses = model.guesses(images)
    assert guesses.shape == (4, 1, 2)
    np.testing.assert_allclose(guesses[:, 0], images[:, 0, :2, 0], rtol=1e-6)
    assert of_uniform_points(decoder, 2).guesses(images) is None
