"""Change the size of an image and see what every head says: ``explore.ipynb``."""

import ipywidgets
import tensorflow as tf

from common.data import load_dataset
from common.widgets import Bars, picture
from wavelet_based_dnn.models import SMALLEST, load_dynamic_classifier
from wavelet_based_dnn.resampling import resample
from wavelet_based_dnn.variants import NATIVE, SIZES

STAGES = ("4 x 4", "+ level 1", "+ level 2", "+ level 3")


def explorer(dataset="mnist"):
    """Return the explorer of the committed dynamic classifier, an `ipywidgets.HBox`.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"

    Raises
    ------
    ValueError
        There is no such data set.
    """
    network, test = load_dynamic_classifier(dataset), load_dataset(dataset).test
    number = ipywidgets.IntSlider(max=len(test.images) - 1, description="test image")
    sides = {"value": NATIVE, "min": SMALLEST, "max": max(SIZES)}
    height, width = (ipywidgets.IntSlider(**sides, description=name) for name in ("height", "width"))
    image, bars = ipywidgets.Image(format="png"), Bars(STAGES)
    truth = ipywidgets.Label()

    def answer(_):
        chosen = test[[number.value]]
        resized = resample(tf.constant(chosen.as_float()), height.value, width.value)
        image.value, truth.value = picture(resized[0]), f"a {test.class_names[chosen.labels[0]]}"
        bars.show_decisions([logits[0] for logits in network(resized)], test.class_names)

    for slider in (number, height, width):
        slider.observe(answer, "value")
    answer(None)
    return ipywidgets.HBox([image, ipywidgets.VBox([number, height, width, truth, bars])])
