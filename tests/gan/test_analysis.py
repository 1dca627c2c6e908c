import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.statistics import mean_interval
from gan import analysis

BUDGETS = [1_000, 2_000, 4_000]


def test_sizes_are_in_order_and_seeds_make_the_interval():
    table = pd.DataFrame({"latent_size": [8, 2, 8, 2], "frechet": [3.0, 10.0, 5.0, 14.0]})
    found = analysis.by_size(table, "frechet")
    np.testing.assert_allclose(found.mean, [12, 4])
    assert found.low[0] == pytest.approx(mean_interval([10.0, 14.0]).low)


@given(level=st.floats(0.31, 0.69))
def test_a_critic_sees_through_where_its_line_crosses_the_level(level):
    found = analysis.budget_to_see(BUDGETS, [0.7, 0.5, 0.3], level)
    assert np.interp(np.log(found), np.log(BUDGETS), [0.7, 0.5, 0.3]) == pytest.approx(level)


def test_a_critic_may_see_at_once_or_never():
    assert analysis.budget_to_see(BUDGETS, [0.6, 0.5, 0.4]) == 1_000
    assert analysis.budget_to_see(BUDGETS, [0.69, 0.69, 0.66]) == np.inf


@pytest.mark.parametrize(
    "given", [([0.7, 0.5, 0.3], BUDGETS), (BUDGETS, [0.7, 0.5]), (BUDGETS, [0.7, np.nan, 0.5])]
)
def test_budgets_and_readings_that_do_not_fit_are_refused(given):
    with pytest.raises(ValueError, match="Increasing budgets need a finite reading each"):
        analysis.budget_to_see(*given)


def test_the_option_with_the_least_mean_is_chosen():
    table = pd.DataFrame(
        {"option": ["a", "a", "b", "b"], "learning_rate": 0.1, "frechet": [1.0, 9.0, 3.0, 4.0]}
    )
    assert analysis.chosen_options(table) == {"option": "b", "learning_rate": 0.1, "frechet": 3.5}
