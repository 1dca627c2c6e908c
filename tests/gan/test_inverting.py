import numpy as np

from common.pixels import as_bytes
from gan.evaluation import images_of
from gan.features import as_float
from gan.generative_model import of_uniform_points
from gan.inverting import with_encoder
from tests.gan.test_projection import Plane


def test_a_guess_draws_an_own_sample_again(tiny):
    """A plane's points are linear in its images; the middle of the cube is the guess without an encoder."""
    plane = Plane(2, 0)
    model = with_encoder(of_uniform_points(plane, 2), 2, [0, 7], 2_000, epochs=40, learning_rate=1e-2)
    samples = model.sample(200, 1)
    guessed = images_of(plane, model.guesses(as_float(samples))[:, 0])
    middle = as_bytes(np.asarray(plane(np.zeros((1, 2), "float32"))))
    errors = [np.mean((images / 255 - samples / 255) ** 2) for images in (guessed, middle)]
    assert errors[0] < 0.3 * errors[1]


def test_a_model_keeps_its_own_encoder():
    model = of_uniform_points(None, 2, encoder=len)
    assert with_encoder(model, 2, [0, 7]) is model
