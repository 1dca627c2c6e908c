"""The figures of notebooks 1 and 2 that are not tested with their tables in test_analysis.py."""

import numpy as np
import pandas as pd
import pytest

from cnn_vs_dense import figures
from cnn_vs_dense.analysis import ALIGNED, SHIFTED
from cnn_vs_dense.factorial import BETWEEN, NETWORKS
from tests.common.test_plotting import picture

TITLE = "This is what was found with the networks of this study"


def limits(rng, middle=0.0):
    mean, half = middle + rng.normal(), rng.uniform(0.2, 1)
    return {"mean": mean, "low": mean - half, "high": mean + half}


def runs(rng, **columns):
    """Runs with every combination of the values of these columns."""
    index = pd.MultiIndex.from_product([*columns.values(), range(3)], names=[*columns, "seed"])
    return index.to_frame(index=False).assign(accuracy=rng.uniform(0.9, 1, len(index)))


def scrambled_pixels_table(rng):
    return runs(rng, architecture=["lenet5", "dense"], arrangement=["raw", "scrambled"],
                dataset=["mnist", "fashion_mnist"])  # fmt: skip


def blocks_table(rng):
    networks, ways = ("lenet5", "lenet5_shifted", "lenet5_unpooled"), (ALIGNED, SHIFTED, "scrambled")
    return pd.DataFrame(
        [{"architecture": network, "arrangement": way, **limits(rng)} for network in networks for way in ways]
    )


def regained_tables(rng):
    ratios = pd.DataFrame(
        {"mean": [0.93, 0.9], "low": [0.9, 0.8], "high": [0.96, 1]}, ["fashion_mnist", "mnist"]
    )
    return runs(
        rng, dataset=["mnist", "fashion_mnist"], arrangement=["raw", "unscrambled", "scrambled"]
    ), ratios


def losses_table(rng):
    return pd.DataFrame([
        {"network": network, "columns": columns, "noise": noise, **limits(rng, 3 * number)}
        for number, network in enumerate(NETWORKS.values())
        for columns, noise in ((28, 0.3), (7, 0.3), (4, 0.3), (7, 0.0))
    ])  # fmt: skip


def predictions_table(rng):
    rows = [limits(rng, 3 * number) for number, _ in enumerate(BETWEEN)]
    table = pd.DataFrame(rows).rename(columns={"mean": "loss"})
    return table.assign(
        network=[NETWORKS[pieces] for pieces in BETWEEN], by_profile=rng.random(4), as_before=rng.random(4)
    )


FIGURES = {
    "scrambled_pixels": lambda rng: figures.scrambled_pixels(scrambled_pixels_table(rng), TITLE),
    "blocks": lambda rng: figures.blocks(blocks_table(rng), TITLE),
    "regained": lambda rng: figures.regained(*regained_tables(rng), TITLE),
    "factorial": lambda rng: figures.factorial(losses_table(rng), predictions_table(rng), TITLE),
    "prediction": lambda rng: figures.prediction(predictions_table(rng), TITLE),
}


def written(figure):
    """Return the texts of a figure: those beside what is drawn, labels of axes and ticks, and legends."""
    legends = [*figure.legends, *(axis.get_legend() for axis in figure.axes if axis.get_legend())]
    found = [figure._suptitle, *(text for legend in legends for text in legend.get_texts())]
    for axis in figure.axes:
        found += [*axis.texts, axis.title, axis._left_title, axis.xaxis.label, axis.yaxis.label]
        for side, ends in ((axis.xaxis, axis.get_xlim()), (axis.yaxis, axis.get_ylim())):
            inside = [t for t in side.get_major_ticks() if min(ends) <= t.get_loc() <= max(ends)]
            found += [tick.label1 for tick in inside if tick.label1.get_visible()]
    return [text for text in found if text.get_text()]


def check_texts(figure):
    """Check that no text covers another one or leaves the picture."""
    figure.canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in written(figure)]
    for number, (words, box) in enumerate(boxes):
        assert box.x0 >= -1, words
        assert box.x1 <= figure.bbox.x1 + 1, words
        for others, other in boxes[:number]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            up = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert across < 2 or up < 2, (words, others)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_something_below_its_finding(name, rng):
    figure = FIGURES[name](rng)
    assert picture(figure).std() > 10
    assert figure._suptitle.get_text() == TITLE
    check_texts(figure)


def test_scrambled_pixels_are_points_behind_the_mean_of_lenet5_on_raw_images(rng):
    table = scrambled_pixels_table(rng)
    axis = figures.scrambled_pixels(table, TITLE).axes[0]
    assert axis.get_yticklabels()[3].get_text() == "LeNet-5, scrambled, Fashion-MNIST  (n = 3)"
    rows = table.set_index(["architecture", "arrangement", "dataset"])["accuracy"]
    raw = rows["lenet5", "raw", "fashion_mnist"].mean()
    expected = 100 * (raw - rows["lenet5", "scrambled", "fashion_mnist"])
    np.testing.assert_allclose(axis.lines[3 * 3 + 1].get_xdata(), expected)
    assert axis.lines[1].get_color() != axis.lines[4].get_color()


def test_blocks_of_every_network_are_aligned_and_shifted(rng):
    table = blocks_table(rng)
    axis = figures.blocks(table, TITLE).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["LeNet-5", "LeNet-5, pooling shifted", "LeNet-5 without pooling"]
    for line, way in zip(axis.lines, (ALIGNED, SHIFTED), strict=False):
        np.testing.assert_array_equal(line.get_xdata(), table.loc[table["arrangement"] == way, "mean"])
        np.testing.assert_array_equal(np.rint(line.get_ydata()), range(3))
    ends = [path.vertices[:, 0] for path in axis.collections[1].get_paths()]
    np.testing.assert_allclose(ends, table.loc[table["arrangement"] == SHIFTED, ["low", "high"]])


def test_the_regained_share_stands_beside_the_unscrambled_runs_of_its_data_set(rng):
    axis = figures.regained(*regained_tables(rng), TITLE).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    beside = {text.get_text(): names[text.xy[1]] for text in axis.texts}
    assert beside == {
        "93 % regained [90, 96]": "unscrambled, Fashion-MNIST  (n = 3)",
        "90 % regained [80, 100]": "unscrambled, MNIST  (n = 3)",
    }
    raw = axis.lines[names.index("raw, MNIST  (n = 3)") * 3 + 1].get_xdata()
    assert np.mean(raw) == pytest.approx(0)


def test_the_factorial_shows_every_loss_at_its_acceleration_and_the_predictions_at_the_last(rng):
    losses, predictions = losses_table(rng), predictions_table(rng)
    noisy, clean = figures.factorial(losses, predictions, TITLE).axes
    rows = losses.set_index(["network", "noise"])
    for number, network in enumerate(NETWORKS.values()):
        np.testing.assert_allclose(noisy.lines[number].get_xdata(), [1, 4, 7], rtol=0.1)
        np.testing.assert_array_equal(noisy.lines[number].get_ydata(), rows.loc[(network, 0.3), "mean"])
        np.testing.assert_array_equal(clean.lines[number].get_ydata(), rows.loc[(network, 0.0), "mean"])
    diamonds = [line for line in noisy.lines if line.get_marker() == "D"]
    assert [line.get_ydata()[0] for line in diamonds] == predictions["by_profile"].tolist()
    colors = {line.get_color() for line in diamonds}
    assert colors < {line.get_color() for line in noisy.lines[:6]}
    np.testing.assert_allclose([line.get_xdata()[0] for line in diamonds], 7, rtol=0.1)


def test_predictions_stand_beside_the_measured_losses(rng):
    table = predictions_table(rng)
    axis = figures.prediction(table, TITLE).axes[0]
    for line, column in zip(axis.lines, ("loss", "by_profile", "as_before"), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), table[column])
    assert [label.get_text() for label in axis.get_yticklabels()] == table["network"].tolist()


def test_the_text_of_a_figure_tells_which_colours_it_has(rng):
    colors = [line.get_color() for name in FIGURES for axis in FIGURES[name](rng).axes for line in axis.lines]
    # Colours such as "C0" would depend on the settings of the reader.
    assert all(str(color).startswith("#") or color in ("black", "k") for color in colors)
