"""The figures of this study."""

import numpy as np
from matplotlib.figure import Figure

from common.plotting import curves
from common.statistics import Interval


def accuracy_against_examples(examples: np.ndarray, accuracy: Interval) -> Figure:
    """Draw the test accuracy in per cent against the number of training images, with its interval."""
    return curves(examples, {"nearest mean": accuracy}, "training images", "test accuracy / %", logx=True)
