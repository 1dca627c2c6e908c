"""The projectors of other libraries measure what `common.radon` measures, whatever their conventions."""

import numpy as np
import pytest

from tests.benchmarks.projectors import LIBRARIES, detector_length, installed, placed
from tests.benchmarks.tomography import disc, disc_errors, dot_test

# diffct imports a module of its own that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Importing from 'diffct.differentiable':DeprecationWarning")

EXACT_ADJOINTS = [name for name in installed() if name != "scikit-image"]


@pytest.mark.parametrize("size", [25, 32])
@pytest.mark.parametrize("name", installed())
def test_sinograms_are_those_of_scikit_image(name, size):
    round_trip, difference = disc_errors(name, size)
    assert difference < 0.01
    assert round_trip < 0.05


@pytest.mark.parametrize("name", EXACT_ADJOINTS)
def test_adjoints_are_exact(name, rng):
    images = rng.normal(size=(2, 12, 12)).astype("float32")
    angles = np.arange(0, 180, 20.0)
    sinograms = rng.normal(size=(2, detector_length(12), 9)).astype("float32")
    assert dot_test(LIBRARIES[name][1](12, 2, angles), images, sinograms) < 1e-6


@pytest.mark.parametrize("way", [lambda x: x[:, ::-1], lambda x: x[:, :, ::-1], lambda x: x.swapaxes(1, 2)])
def test_a_mirrored_disc_would_be_noticed(way):
    assert np.linalg.norm(way(disc(32)) - disc(32)) > 0.1 * np.linalg.norm(disc(32))


@pytest.mark.parametrize(("n", "size"), [(4, 7), (4, 5), (5, 8), (7, 4), (5, 4), (8, 5)])
def test_the_centre_stays_the_centre(n, size):
    line = np.arange(n) == n // 2
    np.testing.assert_array_equal(placed(line, size), np.arange(size) == size // 2)
