import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from common import plotting
from common.statistics import Interval, mean_interval


def picture(figure):
    """The figure as an array of grey values, to see that something was drawn."""
    assert isinstance(figure, Figure)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return np.asarray(Image.open(file).convert("L"))


def bands(rng, points=5, names=("LeNet-5", "dense")):
    return {name: mean_interval(rng.random((4, points))) for name in names}


@pytest.mark.parametrize("channels", [1, 3])
def test_image_grid_shows_every_image_and_title(rng, channels):
    images = rng.random((7, 8, 9, channels))
    figure = plotting.image_grid(images, titles=[str(i) for i in range(7)], columns=4)
    assert len(figure.axes) == 8
    shown = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    np.testing.assert_array_equal(np.stack(shown).reshape(images.shape), images)
    assert [axis.get_title() for axis in figure.axes[:7]] == [str(i) for i in range(7)]
    assert picture(figure).std() > 10


def test_image_grid_takes_images_of_different_sizes(rng):
    images = [rng.random((8, 9, 1)), rng.random((5, 20, 3))]
    figure = plotting.image_grid(images)
    for axis, image in zip(figure.axes, images, strict=True):
        np.testing.assert_array_equal(axis.images[0].get_array().reshape(image.shape), image)


def test_image_grid_refuses_what_is_not_a_batch_of_images(rng):
    with pytest.raises(ValueError, match=r"arrays \(height, width, 1 or 3\), but there are \(8,\)"):
        plotting.image_grid(rng.random((8, 8)))
    with pytest.raises(ValueError, match="but there are none at all"):
        plotting.image_grid([])


def test_curves_draw_mean_band_and_direct_labels(rng):
    drawn = bands(rng)
    figure = plotting.curves(np.arange(5), drawn, "epoch", "accuracy")
    axis = figure.axes[0]
    for line, band in zip(axis.lines, drawn.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), band.mean)
    assert len(axis.collections) == 2
    assert {text.get_text() for text in axis.texts} == set(drawn)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("epoch", "accuracy")
    assert picture(figure).std() > 10


def test_labels_of_equal_curves_do_not_overlap():
    same = Interval(np.ones(3), np.zeros(3), np.full(3, 2.0))
    figure = plotting.curves(np.arange(3), {"one": same, "two": same, "three": same}, "x", "y")
    heights = sorted(text.xy[1] for text in figure.axes[0].texts)
    assert np.diff(heights).min() > 0.1


def test_panels_draw_a_training_history_for_each_quantity(rng):
    figure = plotting.panels(np.arange(5), {"loss": bands(rng), "accuracy": bands(rng)})
    assert [axis.get_ylabel() for axis in figure.axes] == ["loss", "accuracy"]
    assert picture(figure).std() > 10


def test_panels_of_one_quantity_have_titles_and_lines_their_own_points(rng):
    drawn = bands(rng)
    x = {name: np.arange(1, 6) + i for i, name in enumerate(drawn)}
    groups = {"MNIST": drawn, "digits": drawn}
    figure = plotting.panels(dict.fromkeys(groups, x), groups, "size", "accuracy / %", logx=True, columns=1)
    assert figure.get_figheight() > figure.get_figwidth()
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["MNIST", "digits"]
    assert {axis.get_ylabel() for axis in figure.axes} == {"accuracy / %"}
    for line, points in zip(figure.axes[1].lines, x.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), points)


def test_panels_that_do_not_fill_the_last_row_leave_it_empty(rng):
    figure = plotting.panels(np.arange(5), dict.fromkeys("abc", bands(rng)), columns=2)
    assert [axis.get_visible() for axis in figure.axes] == [True, True, True, False]


def test_dots_show_every_run_and_its_interval(rng):
    samples = {"raw": rng.random(5), "scrambled": rng.random(10)}
    intervals = {name: mean_interval(values) for name, values in samples.items()}
    figure = plotting.dots(samples, intervals, "accuracy / %")
    axis = figure.axes[0]
    np.testing.assert_array_equal(axis.lines[4].get_xdata(), samples["scrambled"])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["raw  (n = 5)", "scrambled  (n = 10)"]
    assert picture(figure).std() > 10


def test_dots_of_one_kind_share_a_colour(rng):
    samples = {name: rng.random(3) for name in "abc"}
    intervals = {name: mean_interval(values) for name, values in samples.items()}
    lines = plotting.dots(samples, intervals, "accuracy", ["raw", "scrambled", "raw"]).axes[0].lines
    first, second, third = (lines[i].get_color() for i in (1, 4, 7))
    assert first == third != second


def test_dots_of_many_kinds_use_the_colours_again(rng):
    samples = {name: rng.random(3) for name in "abcdefghi"}
    intervals = {name: mean_interval(values) for name, values in samples.items()}
    assert len(plotting.dots(samples, intervals, "accuracy", list(samples)).axes[0].lines) == 27


def test_an_interval_of_arrays_has_no_place_in_dots():
    arrays = {"a": Interval(*np.ones((3, 2)))}
    with pytest.raises(ValueError, match=r"an interval must have 0 axes .* \(2,\)"):
        plotting.dots({"a": [1, 2]}, arrays, "")


@pytest.mark.parametrize("center", [None, 0.0])
def test_heat_map_writes_every_value_and_its_note(rng, center):
    values, notes = rng.normal(size=(2, 3)), np.array([["n = 1", "n = 2", "n = 3"], ["a", "b", "c"]])
    names = ["x", "y", "a name of many words"]
    figure = plotting.heat_map(values, notes, ["a", "b"], names, "rows", "columns", "gain", center)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == [f"{v:.3g}\n{n}" for v, n in zip(values.ravel(), notes.ravel(), strict=True)]
    assert figure.axes[0].get_xticklabels()[2].get_text() == "a name of\nmany words"
    assert picture(figure).std() > 10


def test_a_figure_is_shown_once_and_leaves_nothing_behind(rng):
    import matplotlib.pyplot as plt

    before = plt.rcParams["font.size"], plt.get_fignums()
    plotting.image_grid(rng.random((1, 4, 4, 1)))
    assert (plt.rcParams["font.size"], plt.get_fignums()) == before
