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
from adversarial_attack.filters import gaussian_blur
from common import notebooks
from common.data import load_dataset, load_imagenet_samples
from common.pretrained import OFFLINE, load_classifier
from common.widgets import Bars, picture
from gan.dragging import Square
from gan.models import load_generator
from wavelet_based_dnn.models import load_dynamic_classifier
from wavelet_based_dnn.resampling import resample


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
    """Return the PNGs of the pictures."""
    return [image.value for image in parts(widget, ipywidgets.Image)]


def set_to(widget, **values):
    """Move the sliders whose descriptions begin with these words."""
    for slider in parts(widget, ipywidgets.widgets.widget_description.DescriptionWidget):
        name = slider.description.split(" ")[0].strip(",")
        slider.value = values.get(name, getattr(slider, "value", None))


def said(logits, class_names, label):
    """Return what the bars have to say of rows of logits."""
    chosen, sure = np.argmax(logits, -1), np.max(softmax(np.asarray(logits), -1), -1)
    words = {True: "right", False: "wrong"}
    return [
        f"{class_names[number]} ({100 * value:.0f} %), {words[bool(number == label)]}"
        for number, value in zip(chosen, sure, strict=True)
    ]


def test_a_picture_keeps_values_and_proportions():
    image = np.random.default_rng(0).integers(0, 256, (7, 14, 3)) / 255
    drawn = np.asarray(Image.open(io.BytesIO(picture(image, 28))))
    assert drawn.shape == (14, 28, 3)
    np.testing.assert_array_equal(drawn[::2, ::2], np.round(255 * image))


def test_the_point_of_the_square_is_the_digit_drawn():
    widget = explorer("gan")
    assert max(shown(widget)[0]) < 0.9  # it starts between two digits
    (square,) = parts(widget, Square)
    square.x, square.y = 0.3, -0.6
    expected = np.asarray(load_generator(2)(np.array([[0.3, -0.6]], "float32")))[0]
    assert pixels(widget) == [picture(expected)]
    assert sum(shown(widget)[0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_the_bars_are_what_the_levels_say_at_that_size(dataset):
    widget = explorer("wavelet_based_dnn", dataset=dataset)
    verdicts = [text.rpartition(" ")[2] for text in shown(widget)[1]]
    assert verdicts == ["wrong", "wrong", "right", "right"]  # where it starts
    set_to(widget, test=3, height=9, width=31)
    chosen = load_dataset(dataset).test[[3]]
    resized = resample(chosen.as_float(), 9, 31)
    logits = [each[0] for each in load_dynamic_classifier(dataset)(resized)]
    assert shown(widget)[1] == said(logits, chosen.class_names, chosen.labels[0])
    assert pixels(widget) == [picture(chosen.as_float()[0]), picture(resized[0])]


def test_blocks_of_one_pixel_leave_the_image_and_larger_ones_change_it():
    widget = explorer("cnn_vs_dense")
    assert [text.rpartition(" ")[2] for text in shown(widget)[1]] == ["wrong", "wrong"]  # where it starts
    before, scrambled = pixels(widget)
    assert before != scrambled
    set_to(widget, block=1)
    assert pixels(widget) == [before, before]
    assert [text.rpartition(" ")[2] for text in shown(widget)[1]] == ["right", "right"]


def test_strength_scales_the_attack_and_the_blur_is_in_all_pictures():
    widget = explorer("adversarial_attack")
    assert [text.rpartition(" ")[2] for text in shown(widget)[1]] == ["wrong"] * 4  # where it starts
    samples = load_imagenet_samples()
    clean, attacked = samples.as_float()[:1], load_examples()[:1]
    set_to(widget, photograph=0, blur=0)
    for strength, images in ((0, clean), (100, attacked)):
        set_to(widget, attack=strength)
        logits = [load_classifier(name)(images)[0] for name in OFFLINE]
        assert shown(widget)[1] == said(logits, samples.class_names, samples.labels[0])
        difference = picture(0.5 + 10 * (images - clean)[0], 224)
        assert pixels(widget) == [picture(clean[0], 224), picture(images[0], 224), difference]
    set_to(widget, blur=2)
    assert pixels(widget)[0] == picture(gaussian_blur(224, 224, 2)(clean)[0], 224)


@pytest.mark.parametrize(
    ("study", "options", "said"),
    [
        (
            "cnn_vs_dense",
            {"dataset": "cifar"},
            "There is no data set 'cifar'; there are mnist, fashion_mnist.",
        ),
        ("wavelet_based_dnn", {"dataset": 1}, "There is no data set 1; there are mnist, fashion_mnist."),
        ("cnn_vs_dense", {"epochs": 0}, "epochs must be a whole number of at least 1, not 0."),
        ("cnn_vs_dense", {"epochs": "2"}, "epochs must be a whole number of at least 1, not '2'."),
    ],
)
def test_a_wrong_argument_ends_in_one_sentence(study, options, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        explorer(study, **options)


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
    assert path.stat().st_size < 500_000
    source, text = re.search(r'<img src="(.*?)" .*alt="(.*?)">', notebook.cells[0].source).groups()
    assert (path.parent / source).exists()
    assert text.endswith(".")
