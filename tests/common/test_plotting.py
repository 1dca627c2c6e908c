import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from common import plotting
from common.statistics import Interval, mean_interval
from common.widgets import Bars
from common.widgets import picture as picture_of

BAND = Interval(*np.ones((3, 2)))


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


@given(
    magnification=st.integers(1, 3),
    shape=st.tuples(st.integers(9, 40), st.integers(9, 40), st.sampled_from([1, 3])),
    title=st.sampled_from(["", "one", "one\ntwo"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=6, deadline=None)
def test_a_magnified_image_is_stored_value_by_value(magnification, shape, title, seed):
    images = np.random.default_rng(seed).integers(0, 256, (3, *shape))
    titles = [title] * 3 if title else None
    figure = plotting.image_grid(images / 255, titles, 2, ["a", "b"], magnification=magnification)
    picture = np.asarray(Image.open(io.BytesIO(figure.png()[0])).convert("RGB"))
    for image in images:
        wanted = np.broadcast_to(image, (*shape[:2], 3)).astype("uint8")
        wanted = wanted.repeat(magnification, axis=0).repeat(magnification, axis=1)
        first = np.ascontiguousarray(wanted[0]).tobytes()
        rows = [line.tobytes().find(first) for line in picture]  # where the first row begins
        places = [(row, column // 3) for row, column in enumerate(rows) if column >= 0]
        height, width = wanted.shape[:2]
        assert any((picture[r : r + height, c : c + width] == wanted).all() for r, c in places)


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


def test_titles_and_row_labels_may_be_arrays_but_not_too_few(rng):
    images = rng.random((4, 5, 5, 1))
    figure = plotting.image_grid(images, np.arange(4).astype(str), 2, np.array(["a", "b"]))
    assert [axis.get_title() for axis in figure.axes] == list("0123")
    with pytest.raises(ValueError, match="titles must be as many as the 4 images, not 3"):
        plotting.image_grid(images, ["a", "b", "c"])
    with pytest.raises(ValueError, match="row_labels must be as many as the 2 rows, not 1"):
        plotting.image_grid(images, columns=2, row_labels=["a"])


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: plotting.image_grid(np.full((1, 3, 3, 1), 255)), r"lie in \[0, 1\].* 255; divide by"),
        (lambda: plotting.image_grid(np.full((1, 3, 3, 1), 9, "uint8")), "its largest value is 9; divide by"),
        (lambda: plotting.image_grid(np.ma.masked_less(np.ones((1, 3, 3, 1)), 2)), "must not be masked"),
        (lambda: plotting.curves(np.ma.masked_less([0, 1], 1), {"a": BAND}, "", ""), "x must not be masked"),
        (lambda: plotting.image_grid(np.full((1, 3, 3, 1), np.nan)), "must be finite"),
        (lambda: plotting.image_grid(np.ones((2, 3, 3, 1)), columns=0), "columns must be at least 1, not 0"),
        (lambda: plotting.image_grid(np.ones((2, 3, 3, 1)), magnification=0), "must be at least 1, not 0"),
        (lambda: plotting.curves([0, 1], {"a": np.ones(2)}, "", ""), "a must be an Interval.*, not ndarray"),
        (lambda: plotting.curves([0, 1, 2], {"a": BAND}, "", ""), "a has 2 points, but x has 3"),
        (lambda: plotting.curves({"b": [0, 1]}, {"a": BAND}, "", ""), "x has no entry 'a'; it has b"),
        (lambda: plotting.curves([0, 1], {"a": BAND}, "", "", logx=True), "x of 0 or less.* logx=False"),
        (lambda: plotting.panels({"b": [0, 1]}, {"a": {"a": BAND}}), "x has no entry 'a'; it has b"),
        (lambda: plotting.dots({"a": [1, np.nan]}, {"a": Interval(1, 0, 2)}, ""), "of a must be finite"),
        (lambda: plotting.dots({"a": [1]}, {"a": Interval(1, 0, 2)}, "", [1, 2]), "kinds must be as many"),
        (lambda: picture_of(np.full((3, 3, 1), 255)), "divide by the value that stands for 1"),
        (lambda: picture_of(np.ones((3, 3, 1)), 0), "side must be at least 1 pixel"),
        (lambda: Bars("ab").show([1], ["x"]), "2 bars need as many numbers and texts, not 1"),
        (lambda: Bars("ab").show([1, 7], "xy"), r"a number in \[0, 1\], not"),
        (lambda: Bars("a").show_decisions([[1, np.nan]], "xy", 0), "Logits must be finite"),
        (lambda: Bars("a").show_decisions([[0.9, 0.1]], "xy", 0), "these are probabilities"),
        (lambda: Bars("a").show_decisions([[1, 2]], "xy", "0"), "one integer an image"),
        (lambda: Bars("a").show_decisions([[1, 2]], "xy", 2), "labels must lie in 0 to 1"),
        (lambda: Bars("a").show_decisions([[1, 2, 3]], "xy", 0), r"1 rows of 2 classes, .* \(1, 3\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_gets_one_clear_sentence(draw, sentence):
    with pytest.raises(ValueError, match=sentence):
        draw()


def test_lines_drawn_before_and_missing_ends_leave_the_names_where_they_belong(rng):
    axis = plotting.curves([0, 1], {"first": BAND}, "", "").axes[0]
    short = Interval(*np.array([[1, 2, np.nan]] * 3))
    plotting.curves([0, 1, 2], {"second": short}, "", "", axis=axis)
    assert [(text.get_text(), text.xy) for text in axis.texts][1] == ("second", (1, 2))


@pytest.mark.parametrize(
    ("shape", "fine", "most"), [(None, 2, 1.5), ((4, 128, 128, 1), 1, 0.05), ((4, 128, 128, 3), 1, 0)]
)
def test_a_diagram_is_stored_twice_as_fine_and_pictures_keep_their_greys_and_colours(rng, shape, fine, most):
    if shape is None:
        figure = plotting.curves(np.arange(5), bands(rng), "x", "y")
    else:
        figure = plotting.image_grid(rng.random(shape))
    png, size = figure.png()
    picture = np.array(Image.open(io.BytesIO(png)).convert("RGB"), int)
    figure.savefig(file := io.BytesIO(), format="png", dpi=fine * figure.dpi, bbox_inches="tight")
    exact = np.array(Image.open(file).convert("RGB"), int)
    assert picture.shape == exact.shape
    np.testing.assert_allclose(picture.shape[1::-1], fine * np.array([size["width"], size["height"]]), atol=1)
    assert np.abs(picture - exact).mean() <= most


def test_the_users_style_reaches_no_figure(rng, tmp_path):
    import matplotlib.pyplot as plt

    draw = lambda: plotting.curves(np.arange(5), bands(np.random.default_rng(0)), "x", "y")  # noqa: E731
    expected = picture(draw())
    with plt.style.context(["dark_background", {"font.size": 20, "savefig.facecolor": "red"}]):
        np.testing.assert_array_equal(picture(draw()), expected)


def test_a_figure_is_shown_once_and_leaves_nothing_behind(rng):
    import matplotlib.pyplot as plt

    before = plt.rcParams["font.size"], plt.get_fignums()
    plotting.image_grid(rng.random((1, 4, 4, 1)))
    assert (plt.rcParams["font.size"], plt.get_fignums()) == before
