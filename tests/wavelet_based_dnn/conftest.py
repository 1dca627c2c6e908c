"""Fixtures of the tests of this study."""

import numpy as np
import pytest
import tensorflow as tf

from wavelet_based_dnn.scale_network import build_scale_network


@pytest.fixture
def eagerly():
    """Run training steps as they are: of a few, tracing them takes longer."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def network():
    """Return a `ScaleNetwork` with random biases: with zeros, the border would leave no trace."""
    network, rng = build_scale_network(filters=(4,) * 7, seed=1), np.random.default_rng(1)
    for weight in network.weights:
        if weight.name == "bias":
            weight.assign(rng.normal(0, 0.3, weight.shape))
    return network
