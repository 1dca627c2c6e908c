"""Change the size of an image and see what every head says: ``explore.ipynb``."""

import ipywidgets
import tensorflow as tf
from scipy.special import softmax

from common.data import load_dataset
from common.widgets import Bars, picture
from wavelet_based_dnn.arms import NATIVE
from wavelet_based_dnn.models import SMALLEST, load_dynamic_classifier
from wavelet_based_dnn.resampling import resample

LARGEST = 56
STAGES = ("4 x 4", "+ level 1", "+ level 2", "+ level 3")


def explorer(dataset="mnist"):
    """Return the explorer of the committed dynamic classifier, an `ipywidgets.HBox`."""
    network, test = load_dynamic_classifier(dataset), load_dataset(dataset).test
    number = ipywidgets.IntSlider(max=len(test.images) - 1, description="test image")
    height, width = (
        ipywidgets.IntSlider(NATIVE, min=SMALLEST, max=LARGEST, description=name)
        for name in ("height", "width")
    )
    image, bars = ipywidgets.Image(format="png"), Bars(STAGES)
    truth = ipywidgets.Label()

    def answer(_):
        chosen = test[[number.value]]
        resized = resample(tf.constant(chosen.as_float()), height.value, width.value)
        probabilities = softmax([logits[0] for logits in network(resized)], axis=1)
        image.value, truth.value = picture(resized[0]), f"a {test.class_names[chosen.labels[0]]}"
        said = probabilities.argmax(1)
        bars.show(probabilities.max(1), [test.class_names[label] for label in said])

    for slider in (number, height, width):
        slider.observe(answer, "value")
    answer(None)
    return ipywidgets.HBox([image, ipywidgets.VBox([number, height, width, truth, bars])])
