"""The explorers: what they show is what the networks say."""

import importlib
import io
import re
from functools import cache

import ipywidgets
import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from adversarial_attack.examples import SHIPPED, load_examples
from adversarial_attack.filters import gaussian_blur
from adversarial_attack.held_out import as_jpeg
from adversarial_attack.judges import ATTACKED, NETWORKS
from common import notebooks
from common.data import load_dataset, load_imagenet_samples
from common.pretrained import load_classifier
from common.widgets import Bars, picture
from gan.dragging import Square
from gan.models import load_generator
from wavelet_based_dnn.models import count_macs, load_dynamic_classifier
from wavelet_based_dnn.refinement import classify
from wavelet_based_dnn.scenes import DYNAMIC, draw_scenes

shipped = cache(load_dynamic_classifier)


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch):
    monkeypatch.setattr("wavelet_based_dnn.explorer.load_dynamic_classifier", shipped)


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
def test_bars_tiles_and_multiplications_are_those_of_the_budget(dataset):
    widget = explorer("wavelet_based_dnn", dataset=dataset)
    set_to(widget, scene=3, object=31, canvas=150, budget=0.3)
    test, network = load_dataset(dataset).test, shipped(dataset)
    clutter = DYNAMIC._replace(sizes=(31, 31))
    scenes = draw_scenes(test.as_float(), test.labels, 1, (150, 150), seed=3, clutter=clutter)
    reading = classify(network, scenes.images, budget=0.3)
    logits = [each[0] for each in reading.logits]
    assert shown(widget)[1] == said(logits, test.class_names, scenes.labels[0])
    tiles = reading.tiles[-1][0]
    assert 4 < tiles.sum() < tiles.size
    read = np.kron(tiles, np.ones((32, 32)))[:150, :150, None] > 0
    dimmed = np.where(read, scenes.images[0], 0.25 + 0.25 * scenes.images[0])
    assert pixels(widget) == [picture(scenes.images[0]), picture(dimmed)]
    computed = count_macs(network, 150, 150, [int(each.sum()) for each in reading.tiles])
    share = computed[-1] / count_macs(network, 150, 150)[-1]
    texts = [label.value for label in parts(widget, ipywidgets.Label)]
    assert f"{100 * share:.0f} % of the multiplications of reading everything" in texts


def test_it_starts_where_only_the_finest_level_is_right():
    *coarser, finest = shown(explorer("wavelet_based_dnn"))[1]
    assert finest.endswith("right")
    assert all(said_before.endswith("wrong") for said_before in coarser)


def test_the_canvas_is_never_smaller_than_the_object():
    widget = explorer("wavelet_based_dnn")
    set_to(widget, object=28, canvas=28, budget=1)
    set_to(widget, object=56, budget=1)
    (canvas,) = parts(widget, ipywidgets.IntSlider, "canvas, pixels")
    assert (canvas.value, canvas.min) == (56, 56)
    assert len(set(pixels(widget))) == 1  # everything is read
    set_to(widget, object=14)
    assert canvas.min == 28


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
    attacked = [name in ATTACKED["survival"] for name in SHIPPED]
    expected = ["wrong" if one else "right" for one in attacked]  # where it starts
    assert [text.rpartition(" ")[2] for text in shown(widget)[1]] == expected
    samples, networks = load_imagenet_samples(), [load_classifier(NETWORKS[name]) for name in SHIPPED]
    clean, attacked, label = samples.as_float()[:1], load_examples()[:1], samples.labels[0]
    saved = as_jpeg(clean[0], 90)
    set_to(widget, photograph=0, blur=0)
    for strength, images in ((0, clean), (100, attacked)):
        set_to(widget, attack=strength)
        assert shown(widget)[1] == said([each(images)[0] for each in networks], samples.class_names, label)
        pictures = clean[0], saved, images[0], 0.5 + 10 * (images - clean)[0]
        assert pixels(widget) == [picture(each, 224) for each in pictures]
    right = [
        sum(int(np.argmax(each(image[None])) == label) for each in networks) for image in (clean[0], saved)
    ]
    texts = [text.value for text in parts(widget, ipywidgets.Label)]
    assert f"{right[0]} of 3 networks recognise the clean picture, {right[1]} its JPEG." in texts
    set_to(widget, blur=2)
    blur = gaussian_blur(224, 224, 2)
    assert pixels(widget)[:2] == [picture(blur(x[None])[0], 224) for x in (clean[0], saved)]


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
