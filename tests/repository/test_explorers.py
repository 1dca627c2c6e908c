"""The explorers: what they show is what the networks say."""

import importlib
import io
import re

import ipywidgets
import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from adversarial_attack.examples import load_examples
from common import notebooks
from common.data import load_dataset, load_imagenet_samples
from common.pretrained import OFFLINE, load_classifier
from common.widgets import Bars, picture
from gan.dragging import Square
from gan.models import load_generator
from wavelet_based_dnn.models import load_dynamic_classifier


def parts(widget, kind, description=None):
    """Return the widgets of a kind inside a widget, in order."""
    found = [part for child in getattr(widget, "children", ()) for part in parts(child, kind, description)]
    fits = isinstance(widget, kind) and description in (None, getattr(widget, "description", None))
    return [widget] * fits + found


def explorer(study, **options):
    return importlib.import_module(f"{study}.explorer").explorer(**options)


def shown(widget):
    """Return the values and the texts of the bars."""
    (bars,) = parts(widget, Bars)
    return [bar.value for bar in bars.bars], [text.value for text in bars.texts]


def pixels(widget):
    """Return the last of the pictures, which the networks see."""
    return parts(widget, ipywidgets.Image)[-1].value


def verdicts(logits, class_names, label):
    """Return what `Bars` says of logits (networks, classes), how sure, and whether it is the label."""
    chosen, values = np.argmax(logits, axis=-1), softmax(logits, axis=-1).max(-1)
    words = ["right" if number == label else "wrong" for number in chosen]
    return [f"{class_names[n]} ({v:.0%}), {word}" for n, v, word in zip(chosen, values, words, strict=True)]


def test_a_picture_keeps_values_and_proportions():
    image = np.random.default_rng(0).integers(0, 256, (7, 14, 3)) / 255
    drawn = np.asarray(Image.open(io.BytesIO(picture(image, 28))))
    assert drawn.shape == (14, 28, 3)
    np.testing.assert_array_equal(drawn[::2, ::2], np.round(255 * image))


def test_the_point_of_the_square_is_the_digit_drawn():
    widget = explorer("gan")
    (square,) = parts(widget, Square)
    square.x, square.y = 0.3, -0.6
    expected = np.asarray(load_generator(2)(np.array([[0.3, -0.6]], "float32")))[0]
    assert pixels(widget) == picture(expected)
    assert sum(shown(widget)[0]) == pytest.approx(1, abs=1e-5)


def test_the_bars_are_what_the_heads_say_at_that_size():
    widget = explorer("wavelet_based_dnn", dataset="fashion_mnist")
    for name, value in {"test image": 3, "height, pixels": 28, "width, pixels": 28}.items():
        parts(widget, ipywidgets.IntSlider, name)[0].value = value
    test = load_dataset("fashion_mnist").test
    logits = np.concatenate(load_dynamic_classifier("fashion_mnist")(test[[3]].as_float()))
    assert shown(widget)[1] == verdicts(logits, test.class_names, test.labels[3])
    before = pixels(widget)
    parts(widget, ipywidgets.IntSlider, "height, pixels")[0].value = 9
    assert pixels(widget) != before


def test_blocks_of_one_pixel_leave_the_image_and_larger_ones_change_it():
    widget = explorer("cnn_vs_dense", epochs=1)
    test = load_dataset("mnist").test
    assert pixels(widget) != picture(test[[0]].as_float()[0])
    parts(widget, ipywidgets.SelectionSlider)[0].value = 1
    assert pixels(widget) == picture(test[[0]].as_float()[0])
    assert all(re.fullmatch(r"7 \(\d+%\), right", text) for text in shown(widget)[1])


def test_the_strength_scales_the_attack_and_nothing_else_changes():
    widget = explorer("adversarial_attack")
    samples = load_imagenet_samples()
    number, strength = (parts(widget, ipywidgets.IntSlider)[i] for i in (0, 1))
    parts(widget, ipywidgets.FloatSlider)[0].value = 0
    number.value = 0
    for value, images in ((0, samples.as_float()[:1]), (100, load_examples()[:1])):
        strength.value = value
        logits = np.concatenate([load_classifier(name)(images) for name in OFFLINE])
        assert shown(widget)[1] == verdicts(logits, samples.class_names, samples.labels[0])
    before = shown(widget)[0]
    strength.value = 200  # the difference, ten times as large, is shown clipped
    parts(widget, ipywidgets.FloatSlider)[0].value = 2
    assert shown(widget)[0] != before


@pytest.mark.parametrize("path", notebooks.explorers(), ids=lambda path: path.parent.name)
def test_the_committed_notebook_shows_the_explorer_without_a_kernel(path):
    notebook = notebooks.read(path)
    (cell,) = notebooks.code_cells(notebook)
    # The tests above call the same function, so the notebook needs no kernel here.
    assert cell.source == f"from {path.parent.name}.explorer import explorer\n\nexplorer()"
    assert cell.execution_count == 1
    (output,) = cell.outputs
    saved = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert output.data[notebooks.WIDGET]["model_id"] in saved
    assert path.stat().st_size < 1.5 * 2**20
