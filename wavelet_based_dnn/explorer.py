"""Change the size of an image and see what the classifier at each level says: ``explore.ipynb``."""

import ipywidgets
import tensorflow as tf

from common.data import load_dataset
from common.widgets import LABELLED, Bars, Picture, arranged
from wavelet_based_dnn.models import CANVAS, SMALLEST, load_dynamic_classifier
from wavelet_based_dnn.resampling import resample
from wavelet_based_dnn.variants import SIZES

START = {"mnist": (233, 20), "fashion_mnist": (21, 20)}  # test image, side: the levels disagree
LEVELS = ("level 0 (4 x 4)", "level 1 (8 x 8)", "level 2 (16 x 16)", "level 3 (32 x 32)")


def explorer(dataset: str = "mnist") -> ipywidgets.VBox:
    """Return the explorer of the committed dynamic classifier.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"

    Raises
    ------
    ValueError
        There is no such data set.
    """
    test, network = load_dataset(dataset).test, load_dynamic_classifier(dataset)
    # The network begins with this resampling; done before, one compiled function serves all sizes.
    levels = tf.function(network)
    first, side = START[dataset]
    number = ipywidgets.IntSlider(first, 0, len(test.images) - 1, description="test image", **LABELLED)
    height, width = (
        ipywidgets.IntSlider(side, SMALLEST, max(SIZES), description=f"{name}, pixels", **LABELLED)
        for name in ("height", "width")
    )
    before, after = Picture("The test image, 28 x 28"), Picture("Resized: what the network sees")
    truth, bars = ipywidgets.Label(), Bars(LEVELS)

    def answer(_):
        chosen = test[[number.value]]
        image, label = chosen.as_float(), chosen.labels[0]
        resized = resample(tf.constant(image), height.value, width.value)
        before.show(image[0])
        after.show(resized[0])
        truth.value = f"Label: {test.class_names[label]}"
        logits = levels(resample(resized, CANVAS, CANVAS))
        bars.show_decisions([each[0] for each in logits], test.class_names, label)

    for slider in (number, height, width):
        slider.observe(answer, "value")
    answer(None)
    return arranged([before, after], [number, height, width, truth], bars)
