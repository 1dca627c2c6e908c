import inspect

import pandas as pd
import pytest

from common.experiments import configurations
from gan import plans
from gan.experiments import generative, reconstructed, tuned
from gan.models import OCTAVES


def grids(plan, least):
    """Yield all sweeps of a plan; `least` gives the distance of a configuration."""
    answer = None
    while True:
        try:
            asked = plan.send(answer)
        except StopIteration:
            return
        yield from asked
        answer = [made_up(*pair, least) for pair in asked]


def made_up(function, grid, least):
    configs = configurations(function, grid)
    return pd.DataFrame(configs).assign(least=[least(config) for config in configs])


def growing(config):
    """Prefer the largest of everything."""
    return -float(config["option"]) - float(config["learning_rate"])


def by_size(config):
    """Prefer the smallest rate for 2 numbers, the largest for 16 and, between, the larger of two."""
    return config["learning_rate"] * (1 if config["latent_size"] == 2 else -1)


def every_sweep(name, least=growing):
    for work in plans.PLANS[name]().values():
        yield from grids(work, least) if inspect.isgenerator(work) else [work]


@pytest.mark.parametrize("name", plans.PLANS)
def test_every_plan_asks_for_possible_measurements(name):
    assert all(configurations(function, grid) for function, grid in every_sweep(name))


def test_generative_methods_have_equally_many_tuning_runs_and_a_seed_of_their_own():
    counts = {
        method: len(configurations(tuned, plans.tuning_grid(method, 2)))
        for method in ("adversarial", "variational", "mixture")
    }
    assert set(counts.values()) == {4}
    used = {seed for seeds in (*plans.SEEDS.values(), plans.OTHER_SEEDS) for seed in seeds}
    assert not used & {plans.TUNING_SEED, *plans.RECIPE_SEEDS}


@pytest.mark.parametrize("method", plans.GRIDS)
def test_every_method_tries_one_step_beyond_an_edge(method):
    _, *further = grids(plans.tuned_choice(method, 16), growing)
    names = [name for name, values in plans.GRIDS[method].items() if len(values) > 1]
    assert len(further) == len(names)
    for (function, grid), name in zip(further, names, strict=True):
        assert function is tuned
        inner, edge = plans.GRIDS[method][name][-2:]
        assert grid[name] / edge == pytest.approx(edge / inner, rel=0.01)


def test_a_best_number_within_the_grid_needs_no_step_beyond():
    assert plans.beyond([1, 2, 4], 2) is None
    assert plans.beyond([1.0, 2.0, 4.0], 1.0) == 0.5


@pytest.mark.parametrize("size", [4, 8])
def test_a_size_between_tries_both_choices_on_validation_images(size):
    asked = list(grids(plans.runs("adversarial", size, [0, 1]), by_size))
    tried = [grid for function, grid in asked if function is tuned and grid["latent_size"] == size]
    (function, grid) = asked[-1]
    assert function is generative
    assert (grid["latent_size"], grid["seed"]) == (size, [0, 1])
    smallest, largest = (trial["learning_rate"] for trial in tried)
    assert smallest < 2.5e-4 < 5e-4 < largest
    assert grid["learning_rate"] == largest  # which `by_size` prefers
    assert grid["epochs"] == 2 * tried[0]["epochs"]


def test_the_reference_is_chosen_by_its_reconstructions():
    *tunings, (function, grid) = grids(plans.runs("reconstruction", 2, [0]), growing)
    assert function is reconstructed
    assert {asked["method"] for _, asked in tunings} == {"reconstruction"}
    assert "method" not in grid


def test_other_octaves_have_a_learning_rate_of_their_own():
    *_, (_, rates), (_, grid) = grids(plans.runs("adversarial", 2, [0], octaves=6), growing)
    assert rates["octaves"] == grid["octaves"] == 6 != OCTAVES
    assert rates["learning_rate"] == plans.GRIDS["adversarial"]["learning_rate"]
    assert rates["option"] == grid["option"]


def test_the_recipe_is_judged_on_validation_images_alone():
    assert {function for function, _ in every_sweep("recipe")} == {tuned}
    judged = [grid for _, grid in every_sweep("recipe") if grid["seed"] == plans.RECIPE_SEEDS]
    assert [(grid["method"], grid["epochs"]) for grid in judged] == [
        ("adversarial", 8), ("wide adversarial", 8), ("adversarial", 16)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["trainings", "reference", "mixtures"])
def test_trainings_use_what_the_tuning_measured(name):
    measured = [config for sweep in every_sweep("tuning") for config in configurations(*sweep)]
    asked = [config for f, g in every_sweep(name) if f is tuned for config in configurations(f, g)]
    assert all(config in measured for config in asked)


@pytest.mark.parametrize("name", ["trainings", "reference", "mixtures"])
def test_what_is_claimed_has_an_interval(name):
    trained = [grid for f, grid in every_sweep(name) if f is not tuned]
    assert min(len(grid["seed"]) for grid in trained) >= 3
