import numpy as np
import pandas as pd

from common.statistics import Interval
from gan import figures
from gan.manifold import mosaic


def heights(axis):
    """The y values of all horizontal lines."""
    return [line.get_ydata()[0] for line in axis.lines if len(set(line.get_ydata())) == 1]


def test_critics_are_drawn_with_the_line_of_chance():
    readings = {"pixels": {"d = 2": [[0.6, 0.2], [0.5, 0.1]]}, "features": {"d = 2": [[0.7, 0.4]] * 2}}
    figure = figures.critics([100, 1_000], readings)
    for axis, expected in zip(figure.axes, ([0.55, 0.15], [0.7, 0.4]), strict=True):
        np.testing.assert_allclose(axis.lines[0].get_ydata(), expected)
        assert np.log(2) in heights(axis)
        assert axis.get_xscale() == "log"
    assert [axis.get_title(loc="left") for axis in figure.axes] == list(readings)


def test_losses_have_a_panel_for_each_player():
    run = {
        "epoch_discriminator_loss": [0.5, 0.6], "epoch_generator_loss": [0.9, 0.8], "epoch_distance": [9, 5],
    }  # fmt: skip
    figure = figures.losses({"R3GAN": pd.DataFrame([run, run])})
    discriminator, generator = figure.axes
    np.testing.assert_allclose(discriminator.lines[0].get_ydata(), [0.5, 0.6])
    np.testing.assert_allclose(generator.lines[0].get_ydata(), [0.9, 0.8])
    assert all(np.log(2) in heights(axis) for axis in figure.axes)


def test_metrics_against_size_have_the_line_of_real_images():
    band = Interval(np.array([9.0, 3.0]), np.array([8.0, 2.0]), np.array([10.0, 4.0]))
    figure = figures.against_size(
        [2, 16], {"frechet": {"GAN": band}, "bridges": {"GAN": band}}, {"frechet": 1.0}
    )
    assert 1.0 in heights(figure.axes[0])
    assert not heights(figure.axes[1])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["2", "16"]


def test_the_manifold_is_drawn_whole():
    images = np.random.default_rng(0).random((9, 4, 4, 1))
    (axis,) = figures.manifold(images, 3).axes
    np.testing.assert_array_equal(axis.images[0].get_array(), mosaic(images, 3)[..., 0])
    assert axis.images[0].get_extent() == [-1, 1, -1, 1]


def test_maps_begin_with_the_classes():
    labels = np.arange(9).reshape(3, 3)
    figure = figures.maps({"confidence": np.ones((3, 3)), "slope": np.eye(3)}, labels)
    drawn = figure.axes[:3]
    assert [axis.get_title(loc="left") for axis in drawn] == ["class", "confidence", "slope"]
    np.testing.assert_array_equal(drawn[0].images[0].get_array(), labels)


def test_the_histogram_has_its_inverse_beside_it():
    distribution = np.linspace(0, 1, 256)
    left, right = figures.histogram({"real": distribution}).axes
    assert left.lines[0].get_ydata().sum() == 1
    assert right.lines[0].get_xdata()[-1] == 1
    assert right.lines[0].get_ydata()[-1] == 255


def test_strips_hold_the_images_row_by_row():
    rows = {name: np.random.default_rng(seed).random((3, 4, 5, 1)) for seed, name in enumerate("ab")}
    (axis,) = figures.strips(rows, ["x", "y", "z"]).axes
    drawn = axis.images[0].get_array()
    np.testing.assert_array_equal(drawn[5:9, 6:11], rows["b"][1, ..., 0])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["x", "y", "z"]


def test_the_best_of_n_is_drawn_beside_real_digits():
    bits, real_bits = np.arange(7, 12), np.arange(7, 10)
    curve = np.exp(-0.1 * bits)
    errors = {"d = 1": curve[None], "d = 2": np.stack([1.5 * curve, 2.5 * curve])}
    figure = figures.best_of(bits, errors, real_bits, curve[:3], {"d = 2": 8.5})
    (axis,) = figure.axes
    real, one, _, two, *runs, mark = axis.lines
    np.testing.assert_allclose(real.get_xydata(), np.stack([real_bits, curve[:3]], axis=1))
    np.testing.assert_allclose(one.get_ydata(), curve)
    np.testing.assert_allclose(two.get_ydata(), 2 * curve)
    np.testing.assert_allclose([run.get_ydata() for run in runs], errors["d = 2"])
    np.testing.assert_allclose(mark.get_xydata(), [[8.5, 2 * np.exp(-0.85)]])
    assert {line.get_color() for line in (two, *runs, mark)} == {two.get_color()}
    assert axis.get_yscale() == "log"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["8\n256", "10\n1,024"]
    assert sorted(text.get_text() for text in axis.texts) == ["d = 1", "d = 2", "real digits"]


def test_names_of_lines_that_end_together_are_apart():
    curve = np.exp(-0.1 * np.arange(7, 12))
    errors = {f"d = {d}": (1 + d / 1e4) * curve[None] for d in range(5)}
    (axis,) = figures.best_of(range(7, 12), errors, range(7, 12), curve, {}).axes
    heights = sorted(axis.transData.transform(text.xy)[1] for text in axis.texts)
    assert min(np.diff(heights)) > 9  # points of the font, at 72 and more to the inch
