"""Settings of all tests and of nbval: quiet TensorFlow, no display, notebooks from the stored results."""

import os

import matplotlib
from hypothesis import HealthCheck, settings

from common.notebooks import ENVIRONMENT

# For the kernels that nbval starts and for subprocesses; it must be set before TensorFlow is imported.
os.environ.update(ENVIRONMENT)
matplotlib.use("Agg")
os.environ.setdefault("JAX_ENABLE_X64", "1")

settings.register_profile(
    "default", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("default")


def pytest_collectstart(collector):
    """Keep nbval from comparing stderr, which it captures otherwise than the writer of the notebooks."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)
