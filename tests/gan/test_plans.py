import inspect

import pandas as pd
import pytest

from common.experiments import configurations
from gan import plans
from gan.experiments import generative, tuned
from gan.methods import METHODS
from gan.models import OCTAVES


def grids(plan):
    """Yield all sweeps of a plan; of each table that it receives the last setting is the best."""
    answer = None
    while True:
        try:
            asked = plan.send(answer)
        except StopIteration:
            return
        yield from asked
        answer = [made_up(*pair) for pair in asked]


def made_up(function, grid):
    table = pd.DataFrame(configurations(function, grid))
    return table.assign(frechet=range(len(table), 0, -1))


def every_sweep(name):
    for work in plans.PLANS[name]().values():
        yield from grids(work) if inspect.isgenerator(work) else [work]


@pytest.mark.parametrize("name", plans.PLANS)
def test_every_plan_asks_for_possible_measurements(name):
    assert all(configurations(function, grid) for function, grid in every_sweep(name))


@pytest.mark.parametrize("method", METHODS)
def test_methods_have_equally_many_tuning_runs_at_most_six(method):
    counts = {len(configurations(tuned, plans.tuning_grid(each, 2))) for each in METHODS}
    assert counts == {6}
    assert plans.TUNING_SEED not in {*plans.SEEDS, *plans.MORE_SEEDS}


@pytest.mark.parametrize("method", METHODS)
def test_the_best_setting_of_the_nearest_tuned_size_is_trained(method):
    (_, rates), (function, grid) = grids(plans.runs(method, 8, [0, 1]))
    assert rates["latent_size"] == 16
    assert function is generative
    assert (grid["latent_size"], grid["seed"]) == (8, [0, 1])
    wanted = {name: values[-1] for name, values in plans.GRIDS[method].items()}
    assert {name: grid[name] for name in wanted} == wanted
    assert grid["epochs"] == 2 * rates["epochs"]


def test_other_octaves_have_a_learning_rate_of_their_own():
    first, second, (_, grid) = grids(plans.runs("adversarial", 1, [0], octaves=6))
    assert first[1]["octaves"] == OCTAVES
    assert second[1]["octaves"] == grid["octaves"] == 6
    assert second[1]["option"] == plans.GRIDS["adversarial"]["option"][-1]
    assert second[1]["learning_rate"] == plans.GRIDS["adversarial"]["learning_rate"]


def test_a_wider_discriminator_keeps_the_chosen_penalty():
    asked = [grid for function, grid in every_sweep("recipe") if function is generative]
    assert [grid["option"] for grid in asked] == ["wide, weak penalty", "weak penalty"]
    assert [grid["epochs"] for grid in asked] == [8, 16]


def test_trainings_use_what_the_tuning_measured():
    measured = [configurations(*sweep) for sweep in every_sweep("tuning")]
    asked = [configurations(f, g) for f, g in every_sweep("trainings") if f is tuned]
    assert all(configs in measured for configs in asked)
