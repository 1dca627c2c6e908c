"""What is measured, how often and in which order, for the notebooks and for the command line.

``python -m gan.plans committed tables tuning trainings`` measures these plans one after the other; without a
name it lists them. Each is complete and of use by itself, and the most valuable come first. Repeat an
interrupted command and it continues.
"""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

import math
import sys

from common.experiments import sweeps
from common.names import look_up
from gan.analysis import chosen_options
from gan.experiments import best_of_many, generative, principal, projected, table, tuned
from gan.models import LATENT_SIZES, OCTAVES

SIZES = (2, 4, 8, 16)  # of the comparison of methods
SEEDS = (0, 1, 2)
MORE_SIZES, MORE_SEEDS = (1, 3, 32), (3, 4)
EPOCHS = {"adversarial": 8, "variational": 16, "mixture": 16}
# Six runs for each method and size, of half the length, with a seed that no result has.
GRIDS = {
    "adversarial": {"option": ["R3GAN", "weak penalty"], "learning_rate": [1.75e-4, 3.5e-4, 5e-4]},
    "variational": {"option": [0.1, 0.3, 1.0], "learning_rate": [1e-3, 3e-3]},
    "mixture": {"option": [10, 30, 100], "learning_rate": [1e-3, 3e-3]},
}
TUNED_SIZES = (2, 16)  # a size between takes the choice of the nearest, by its logarithm
TUNING_SEED = 10
WIDE = {"R3GAN": "wide", "weak penalty": "wide, weak penalty"}
FOLDS = (0, 6)  # octaves; all others have `OCTAVES`
# Sizes and draws of the tables, by source.
TABLES = {"validation": ((250, 500, 1_000, 2_000, 3_000), 10), "training": ((5_000, 10_000), 3)}


def committed():
    """Return the sweeps of projections onto the committed generators, with their controls, by name."""
    sizes = {"dataset": "mnist", "latent_size": list(LATENT_SIZES)}
    return {
        "test": (projected, {**sizes, "digits": "test"}),
        "mirrored": (projected, {**sizes, "digits": "mirrored", "one_in": 2}),
        "own samples": (projected, {**sizes, "digits": "own samples", "one_in": 5}),
        "doubled": (projected, {**sizes, "digits": "test", "one_in": 5, "search": "doubled"}),
        **{
            ("components", digits): (principal, {
                "dataset": "mnist", "latent_size": [1, 2, 3, 4, 8, 16, 32], "digits": digits,
            })
            for digits in ("test", "mirrored")
        },
    }  # fmt: skip


def tables():
    """Return the sweeps of tables of real digits, by their source, and of all 5,000 unseen digits."""
    on = {"dataset": "mnist"}
    return {
        **{
            source: (table, {**on, "source": source, "size": list(sizes), "seed": range(draws)})
            for source, (sizes, draws) in TABLES.items()
        },
        "floor": (table, {**on, "source": "validation", "size": 5_000, "seed": 0}),
    }


def tuning():
    """Return the sweeps of the tuning, by method and latent size."""
    return {(method, size): (tuned, tuning_grid(method, size)) for method in GRIDS for size in TUNED_SIZES}


def tuning_grid(method, latent_size):
    """Return the grid of `experiments.tuned` for a method and a size that is tuned."""
    return {
        "dataset": "mnist", "latent_size": latent_size, "method": method, **GRIDS[method],
        "epochs": EPOCHS[method] // 2, "octaves": OCTAVES, "seed": TUNING_SEED,
    }  # fmt: skip


def nearest_tuned(latent_size):
    """Return the size whose tuning decides for a latent size.

    >>> [nearest_tuned(size) for size in (1, 2, 3, 4, 8, 16, 32)]
    [2, 2, 2, 2, 16, 16, 16]
    """
    return min(TUNED_SIZES, key=lambda size: abs(math.log(size / latent_size)))


def runs(method, latent_size, seeds, dataset="mnist", octaves=OCTAVES, **changes):
    """Plan the tuning that decides for a method and a size, and its trainings.

    Parameters
    ----------
    method : key of `GRIDS`
    latent_size : int
    seeds : sequence of int
    dataset : "mnist" or "fashion_mnist"
        The tuning is always on MNIST.
    octaves : int
        Others than `OCTAVES` have their own learning rate, with the option that was chosen for `OCTAVES`.
    **changes
        To the arguments of `experiments.generative`: option is a dict from the chosen one to another.

    Returns
    -------
    plan of pandas.DataFrame
        For `common.experiments.sweeps`: the table of `experiments.generative`.
    """
    best = yield from choice(method, latent_size, octaves)
    option = changes.pop("option", {}).get(best["option"], best["option"])
    grid = {"option": option, "learning_rate": best["learning_rate"], "epochs": EPOCHS[method]} | changes
    (found,) = yield [(generative, {
        "dataset": dataset, "latent_size": latent_size, "method": method, **grid, "octaves": octaves,
        "seed": list(seeds),
    })]  # fmt: skip
    return found


def choice(method, latent_size, octaves):
    """Plan the tuning that decides for a method and a size; its result is that of `chosen_options`."""
    grid = tuning_grid(method, nearest_tuned(latent_size))
    (rates,) = yield [(tuned, grid)]
    best = chosen_options(rates)
    if octaves != OCTAVES:
        (rates,) = yield [(tuned, grid | {"option": best["option"], "octaves": octaves})]
        best = chosen_options(rates)
    return best


def trainings():
    """Return the plans of the comparison of methods, by method and latent size.

    The GAN has three seeds. Its rivals have them at the ends, where results are claimed, and two between.
    """
    return {
        (method, size): runs(
            method, size, SEEDS if method == "adversarial" or size in TUNED_SIZES else SEEDS[:2]
        )
        for size in SIZES
        for method in GRIDS
    }


def more_sizes():
    """Return the plans of an adversarial training of each further latent size, by size."""
    return {size: runs("adversarial", size, SEEDS[:1]) for size in MORE_SIZES}


def more_seeds():
    """Return the plans of further adversarial trainings of the smallest and the largest of `SIZES`."""
    return {size: runs("adversarial", size, MORE_SEEDS) for size in (SIZES[0], SIZES[-1])}


def folding():
    """Return the plans of trainings with other octaves, tuned for them, by octaves and latent size."""
    return {(n, size): runs("adversarial", size, SEEDS[:1], octaves=n) for n in FOLDS for size in (1, 2)}


def recipe():
    """Return the plans that ask whether the recipe limits the GAN of 16 numbers, by change.

    Twice the filters in the discriminator's first layer, or twice the epochs.
    """
    changes = {"wide": {"option": WIDE}, "long": {"epochs": 2 * EPOCHS["adversarial"]}}
    return {name: runs("adversarial", SIZES[-1], SEEDS[:1], **change) for name, change in changes.items()}


def fashion():
    """Return the plans and sweeps of Fashion-MNIST, by name."""
    on = {"dataset": "fashion_mnist"}
    return {
        "real": (best_of_many, {**on, "latent_size": None}),
        **{size: runs("adversarial", size, SEEDS[:1], **on) for size in (2, 16)},
        **{
            ("components", digits): (principal, {**on, "latent_size": [2, 16], "digits": digits})
            for digits in ("test", "mirrored")
        },
        "floor": (table, {**on, "size": 5_000, "seed": 0}),
    }


PLANS = {
    plan.__name__: plan
    for plan in (committed, tables, tuning, trainings, more_sizes, more_seeds, folding, recipe, fashion)
}

if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(f"Name plans to measure: {', '.join(PLANS)}.")
    for name in sys.argv[1:]:
        sweeps(look_up("plan", name, PLANS)())
