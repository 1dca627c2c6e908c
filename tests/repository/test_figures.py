"""A figure's text changes with any number that a reader could see, and with nothing else."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import Affine2D

from common import plotting
from common.notebooks import drawn_alike
from common.statistics import Interval, mean_interval
from gan import figures as gan_figures
from tests.adversarial_attack import test_figures as attack_figures
from wavelet_based_dnn import figures as wavelet_figures

PLANTED = 4  # changes of each kind of drawing in each figure


def bands(rng, points=5):
    return {name: mean_interval(rng.uniform(1, 2, (4, points))) for name in ("LeNet-5", "dense")}


def points(rng):
    return {name: Interval(*np.sort(rng.uniform(1, 2, 3))[[1, 0, 2]]) for name in "ab"}


FIGURES = {
    "image_grid": lambda rng: plotting.image_grid(rng.random((6, 9, 8, 3)), columns=3),
    "grey image_grid": lambda rng: plotting.image_grid(rng.random((6, 28, 28, 1)), list("abcdef")),
    "curves": lambda rng: plotting.curves(range(5), bands(rng), "x", "y"),
    "panels": lambda rng: plotting.panels(range(1, 6), {"a": bands(rng), "b": bands(rng)}, logx=True),
    "dots": lambda rng: plotting.dots({n: rng.random(9) for n in "ab"}, points(rng), "x"),
    "heat_map": lambda rng: plotting.heat_map(
        rng.random((3, 2)), np.full((3, 2), "n"), "abc", "xy", "", "", "", 0.5
    ),
    **{f"attack {name}": draw for name, draw in attack_figures.FIGURES.items()},
    "histogram": lambda rng: gan_figures.histogram({"real": np.sort(rng.random(256))}),
    "critics": lambda rng: gan_figures.critics([10, 100], {"a": {"d = 2": rng.uniform(0.1, 0.7, (3, 2))}}),
    "strips": lambda rng: gan_figures.strips({n: rng.random((3, 9, 9, 1)) for n in "ab"}, "xyz"),
    "manifold": lambda rng: gan_figures.manifold(rng.random((9, 9, 9, 1)), 3),
    "maps": lambda rng: gan_figures.maps({"slope": rng.random((9, 9))}, rng.integers(0, 10, (9, 9))),
    "wavelet_pyramid": lambda rng: wavelet_figures.wavelet_pyramid(
        [rng.random((8, 8)), rng.normal(size=(3, 8, 8))]
    ),
    "against_sides": lambda rng: wavelet_figures.against_sides(
        {"a": [28, 56, 112]}, {"a": {n: mean_interval(rng.uniform(80, 99, (3, 3))) for n in "bc"}}, "x", "y"
    ),
    "accuracy_and_cost": lambda rng: wavelet_figures.accuracy_and_cost(
        {"a": {"b": ([3, 9], mean_interval(rng.uniform(80, 99, (3, 2)))),
               "c": ([5], mean_interval(rng.uniform(80, 99, (3, 1))))}}, "cost", [3, 10], "y",
    ),
    "where_it_looked": lambda rng: wavelet_figures.where_it_looked(
        rng.random((2, 16, 24, 1)), rng.integers(1, 9, (2, 4)),
        [rng.random((2, 1, 1)) < 2, rng.random((2, 2, 3)) < 0.5], [24, 8],
        [["1", "2"], ["3", "4"]],
    ),
}  # fmt: skip


def drawn(figure):
    """Return the lines, areas and images of a figure."""
    areas = [many for axis in figure.axes for many in axis.collections if len(many.get_paths())]
    others = [artist for axis in figure.axes for artist in (*axis.lines, *axis.patches, *axis.images)]
    kinds = {"lines": Line2D, "areas": (PolyCollection, LineCollection, Patch), "images": AxesImage}
    sorted_ = {name: [a for a in (*areas, *others) if isinstance(a, kind)] for name, kind in kinds.items()}
    return {name: artists for name, artists in sorted_.items() if artists}


def moved(artist, points, step, rng):
    """Return points of which one is moved on the page, by a share of the axis to the right or upwards."""
    start, end = artist.axes.transAxes.transform([[0, 0], rng.permutation([step, 0])])
    places = artist.get_transform().transform(points)
    places[rng.integers(len(places))] += end - start
    return artist.get_transform().inverted().transform(places)


def plant(artist, rng, size=0.005):
    """Move one number of an artist by a share `size` of its axis, one of the greys by forty times as much."""
    step = size * rng.choice([-1, 1])
    if isinstance(artist, AxesImage):
        values = np.array(artist.get_array(), float)
        place = tuple(rng.integers(values.shape))
        low, high = (artist.norm.vmin, artist.norm.vmax) if values.ndim == 2 else (0, 1)
        towards_grey = 1 if values[place] < (low + high) / 2 else -1
        values[place] = np.clip(values[place], low, high) + 40 * size * (high - low) * towards_grey
        artist.set_data(values)
    elif isinstance(artist, Line2D):
        artist.set_data(*moved(artist, artist.get_xydata(), step, rng).T)
    elif isinstance(artist, Patch):
        artist.set_transform(artist.get_transform() + Affine2D().translate(1000 * step, 0))
    else:
        path = artist.get_paths()[rng.integers(len(artist.get_paths()))]
        path.vertices[:] = moved(artist, path.vertices, step, rng)


@pytest.mark.parametrize("name", FIGURES)
def test_the_text_of_a_figure_changes_with_every_visible_number(name):
    rng, caught = np.random.default_rng(0), []
    figure = FIGURES[name](np.random.default_rng(1))
    for artists in drawn(figure).values():
        for _ in range(PLANTED):
            before = repr(figure)
            plant(artists[rng.integers(len(artists))], rng)
            caught.append(not drawn_alike(repr(figure), before))
    print(f"{name}: {sum(caught)} of {len(caught)} planted changes caught")
    assert all(caught)


@pytest.mark.parametrize("name", FIGURES)
def test_the_text_of_a_figure_holds_for_other_last_bits_and_after_drawing(name):
    before = FIGURES[name](np.random.default_rng(1))
    text = repr(before)
    before.canvas.draw()
    assert repr(before) == text
    noise = np.random.default_rng(2)
    figure = FIGURES[name](np.random.default_rng(1))
    for line in drawn(figure).get("lines", []):
        line.set_data(*(line.get_xydata() * (1 + 1e-6 * noise.normal(size=line.get_xydata().shape))).T)
    for image in drawn(figure).get("images", []):
        values = np.asarray(image.get_array(), float)
        image.set_data(values * (1 + 1e-6 * noise.normal(size=values.shape)))
    assert drawn_alike(repr(figure), text)


def test_words_and_colours_count():
    figures = [
        plotting.dots({"a": [1, 2]}, {"a": Interval(1.5, 1, 2)}, "x"),
        plotting.dots({"a": [1, 2]}, {"a": Interval(1.5, 1, 2)}, "other x"),
        plotting.dots({"b": [1, 2]}, {"b": Interval(1.5, 1, 2)}, "x"),
    ]
    red = plotting.dots({"a": [1, 2]}, {"a": Interval(1.5, 1, 2)}, "x")
    red.axes[0].lines[1].set_color("red")
    assert len({repr(figure) for figure in [*figures, red]}) == 4
