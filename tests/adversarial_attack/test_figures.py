import numpy as np
import pytest

from adversarial_attack import figures
from common.statistics import Interval
from tests.common.test_plotting import picture


def test_crosses_show_every_point_with_both_intervals(rng):
    x, y = (
        {name: Interval(*np.sort(rng.uniform(1, 2, 3))[[1, 0, 2]]) for name in ("PGD", "noise")}
        for _ in range(2)
    )
    figure = figures.crosses(x, y, "visibility", "images fooled / %")
    across, up, point = figure.axes[0].lines[3:]
    np.testing.assert_array_equal(across.get_xydata(), [(v, y["noise"].mean) for v in x["noise"][1:]])
    np.testing.assert_array_equal(up.get_xydata(), [(x["noise"].mean, v) for v in y["noise"][1:]])
    np.testing.assert_array_equal(point.get_xydata(), [(x["noise"].mean, y["noise"].mean)])
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["PGD", "noise"]
    assert picture(figure).std() > 10


def test_agreement_draws_all_pairs_and_the_line_of_equals(rng):
    groups = {name: tuple(rng.uniform(0.1, 10, (2, 5))) for name in "ab"}
    lines = figures.agreement(groups, "predicted", "measured").axes[0].lines
    np.testing.assert_array_equal(lines[1].get_xydata().T, groups["b"])
    everything = np.concatenate([np.concatenate(pair) for pair in groups.values()])
    ends = [everything.min(), everything.max()]
    np.testing.assert_array_equal(lines[2].get_xydata().T, [ends, ends])


def test_agreement_draws_numbers_read_as_text():
    lines = figures.agreement({"a": (np.array(["0.5"]), [2])}, "", "").axes[0].lines
    np.testing.assert_array_equal(lines[-1].get_xydata(), [[0.5, 0.5], [2, 2]])


def test_an_interval_of_arrays_has_no_place_in_crosses():
    arrays, floats = {"a": Interval(*np.ones((3, 2)))}, {"a": Interval(1.0, 0.5, 1.5)}
    for x, y in ((arrays, floats), (floats, arrays)):
        with pytest.raises(ValueError, match=r"an interval must have 0 axes .* \(2,\)"):
            figures.crosses(x, y, "", "")
