"""Fixtures of the tests of this study."""

import pytest
import tensorflow as tf


@pytest.fixture
def eagerly():
    """Run training steps as they are: of a few, tracing them takes longer."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
