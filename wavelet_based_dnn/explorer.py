"""Change scene, sizes and budget, and see which tiles the network reads and what each level says."""

from functools import partial

import ipywidgets

from common.data import load_dataset
from common.widgets import LABELLED, Bars, Picture, arranged
from wavelet_based_dnn.demonstration import scene, tile_counts, veiled
from wavelet_based_dnn.models import count_macs, load_dynamic_classifier
from wavelet_based_dnn.refinement import classify
from wavelet_based_dnn.scale_network import doubled_sides
from wavelet_based_dnn.scenes import DYNAMIC

SCENES = 1000
CANVASES = 28, 224  # smallest and largest side in pixels
START = 13, 28, 224, 0.1  # scene, object, canvas, budget; of MNIST, only the finest level is right
LEVELS = [f"level {number} ({side}-pixel cells)" for number, (side, _) in enumerate(doubled_sides(4), 1)]


def explorer(dataset: str = "mnist") -> ipywidgets.VBox:
    """Return the explorer of the committed network of scales.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"

    Raises
    ------
    ValueError
        There is no such data set.
    """
    test, network = load_dataset(dataset).test, load_dynamic_classifier(dataset)
    images = test.as_float()
    number, side, canvas, budget = sliders()
    whole, read = Picture("The scene"), Picture("Bright: the tiles read at the finest level")
    truth, cost, bars = ipywidgets.Label(), ipywidgets.Label(), Bars(LEVELS, "13rem")

    def answer(_):
        # The canvas moves along where the object would not fit; this calls `answer` again.
        canvas.min = max(CANVASES[0], side.value)
        drawn = scene(images, test.labels, number.value, side.value, canvas.value)
        reading = classify(network, drawn.images, budget=budget.value)
        whole.show(drawn.images[0])
        read.show(veiled(drawn.images[0], reading.tiles[-1][0]))
        truth.value = f"Label: {test.class_names[drawn.labels[0]]}"
        macs = partial(count_macs, network, canvas.value, canvas.value)
        share = macs(tile_counts(reading))[-1] / macs()[-1]
        cost.value = f"{100 * share:.0f} % of the multiplications of reading everything"
        bars.show_decisions([each[0] for each in reading.logits], test.class_names, drawn.labels[0])

    for slider in (number, side, canvas, budget):
        slider.observe(answer, "value")
    answer(None)
    return arranged([whole, read], [number, side, canvas, budget, truth, cost], bars)


def sliders():
    """Return the sliders of scene, object, canvas and budget."""
    number, side, canvas, budget = START
    return (
        ipywidgets.IntSlider(number, 0, SCENES - 1, description=f"scene (0 to {SCENES - 1})", **LABELLED),
        ipywidgets.IntSlider(side, *DYNAMIC.sizes, description="object, pixels", **LABELLED),
        ipywidgets.IntSlider(canvas, *CANVASES, description="canvas, pixels", **LABELLED),
        ipywidgets.FloatSlider(budget, min=0, max=1, step=0.01, description="budget, fine tiles", **LABELLED),
    )
