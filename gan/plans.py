"""What is measured, how often and in which order, for the notebooks and for the command line.

``python -m gan.plans real tables tuning trainings reference mixtures`` measures these plans one after the
other; without a name it lists all. Each is complete and of use by itself, and the most valuable come first.
Repeat an interrupted command and it continues. These six take about 7 core hours (core minutes, estimated
from stored records and not yet measured: 6, 14, 96, 175, 84, 30); the others are for later.
"""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

import sys

import pandas as pd

from common.experiments import sweeps
from common.names import look_up
from gan.analysis import chosen_options
from gan.experiments import (
    best_of_blurred,
    generative,
    nearest_digit,
    principal,
    projected,
    reconstructed,
    table,
    tuned,
)
from gan.models import LATENT_SIZES, OCTAVES, weight_digest
from gan.worth import BLURS

SIZES = (2, 4, 8, 16)  # of the comparison of methods
TUNED_SIZES = (2, 16)  # any other size takes the better of their two choices, by a validation of its own
SEEDS = {2: range(5), 4: range(3), 8: range(3), 16: range(5)}  # of the GAN
OTHER_SEEDS = range(3)  # of what it is compared with
MORE_SIZES = (1, 3, 32)
# About 310 core seconds each: a GAN's epoch takes 40, an autoencoder's 22 (`analysis.core_seconds`).
EPOCHS = {"adversarial": 8, "variational": 14, "mixture": 14, "reconstruction": 14}
# Four runs for each generative method and size, of half the length, with a seed that no result has; then one
# step beyond the grid for each number that was best at its edge.
GRIDS = {
    "adversarial": {"option": [0.2, 1.0], "learning_rate": [2.5e-4, 5e-4]},
    "variational": {"option": [0.1, 0.5], "learning_rate": [1e-3, 3e-3]},
    "mixture": {"option": [10, 50], "learning_rate": [1e-3, 3e-3]},
    "reconstruction": {"option": [10], "learning_rate": [1e-3, 3e-3]},  # its mixture only gives starts
}
TUNING_SEED = 10
RECIPE_SEEDS = (11, 12, 13)
FOLDS = (0, 6)  # octaves; all others have `OCTAVES`
# Sizes and draws of the tables, by source.
TABLES = {"validation": ((500, 1_000, 2_000, 3_000), 20), "training": ((5_000,), 3)}


def real():
    """Return the sweeps of real digits, sharp and blurred, of components and the nearest digit, by name."""
    on = {"dataset": "mnist"}
    both = {**on, "digits": ["unseen", "mirrored"]}
    return {
        "best of N": (best_of_blurred, {**on, "blur": [0.0, *BLURS]}),
        "components": (principal, {**both, "latent_size": [1, 2, 3, 4, 8, 16, 32]}),
        "nearest digit": (nearest_digit, both),
    }


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
    """Return the plans of the choices for the next three plans, by method and size."""
    sizes = {"adversarial": SIZES, "reconstruction": SIZES, "mixture": SIZES[-1:]}
    return {(method, size): choice(method, size) for method in sizes for size in sizes[method]}


def trainings():
    """Return the plans of the GAN's trainings, by latent size."""
    return {size: runs("adversarial", size, SEEDS[size]) for size in SIZES}


def reference():
    """Return the plans of the autoencoder that projections are compared with, by latent size."""
    return {size: runs("reconstruction", size, OTHER_SEEDS) for size in SIZES}


def mixtures():
    """Return the plans of the autoencoder of 16 numbers with a mixture, the GAN's rival, by latent size."""
    return {size: runs("mixture", size, OTHER_SEEDS) for size in SIZES[-1:]}


def runs(method, latent_size, seeds, dataset="mnist", octaves=OCTAVES):
    """Plan the choice for a method and a size, and its trainings.

    Parameters
    ----------
    method : key of `GRIDS`
    latent_size : int
    seeds : sequence of int
    dataset : "mnist" or "fashion_mnist"
        The tuning is always on MNIST.
    octaves : int
        Others than `OCTAVES` have their own learning rate, with the option that was chosen for `OCTAVES`.

    Returns
    -------
    plan of pandas.DataFrame
        For `common.experiments.sweeps`: the table of `experiments.generative`, or of
        `experiments.reconstructed` for "reconstruction".
    """
    best = yield from choice(method, latent_size, octaves)
    grid = {
        "dataset": dataset, "latent_size": latent_size, "option": best["option"],
        "learning_rate": best["learning_rate"], "epochs": EPOCHS[method], "octaves": octaves,
        "seed": list(seeds),
    }  # fmt: skip
    asked = (reconstructed, grid) if method == "reconstruction" else (generative, grid | {"method": method})
    (found,) = yield [asked]
    return found


def choice(method, latent_size, octaves=OCTAVES):
    """Plan the tuning that decides for a method and a size; its result is that of `chosen_options`.

    A size that is not among `TUNED_SIZES` tries both of their choices on the validation images.
    """
    winners = []
    for size in [latent_size] if latent_size in TUNED_SIZES else TUNED_SIZES:
        winners.append((yield from tuned_choice(method, size)))
    settings = [{name: best[name] for name in ("option", "learning_rate")} for best in winners]
    best, grid = settings[0], tuning_grid(method, latent_size)
    if settings[-1] != settings[0]:
        rates = yield [(tuned, grid | setting) for setting in settings]
        best = chosen_options(pd.concat(rates), "least")
    if octaves != OCTAVES:
        (rates,) = yield [(tuned, grid | {"option": best["option"], "octaves": octaves})]
        best = chosen_options(rates, "least")
    return best


def tuned_choice(method, latent_size):
    """Plan the grid of a size and one step beyond it for each number that is best at its edge."""
    grid = tuning_grid(method, latent_size)
    (rates,) = yield [(tuned, grid)]
    best = chosen_options(rates, "least")
    kept = {name: best[name] for name in GRIDS[method]}
    steps = {name: beyond(values, best[name]) for name, values in GRIDS[method].items()}
    asked = [(tuned, grid | kept | {name: step}) for name, step in steps.items() if step is not None]
    more = (yield asked) if asked else []
    return chosen_options(pd.concat([rates, *more]), "least")


def beyond(values, chosen):
    """Return the next number of a geometric series if the chosen one is at an end of it, otherwise None.

    Examples
    --------
    >>> beyond([1e-3, 3e-3], 3e-3), beyond([20, 100], 20), beyond([1, 2, 4], 2), beyond([20], 20)
    (0.009, 4, None, None)
    """
    ends = {values[0]: values[:2][::-1], values[-1]: values[-2:]}
    if len(values) < 2 or chosen not in ends:
        return None
    inner, end = ends[chosen]
    return type(end)(float(f"{end * end / inner:.3g}"))


def tuning_grid(method, latent_size):
    """Return the grid of `experiments.tuned` for a method and a size."""
    return {
        "dataset": "mnist", "latent_size": latent_size, "method": method, **GRIDS[method],
        "epochs": EPOCHS[method] // 2, "octaves": OCTAVES, "seed": TUNING_SEED,
    }  # fmt: skip


def committed():
    """Return the sweeps of projections onto the committed generators, with their controls, by name.

    A record belongs to weights by their SHA-256, so weights that change are measured again.
    """
    kinds = {
        "test": {"digits": "unseen", "one_in": 5},
        "mirrored": {"digits": "mirrored", "one_in": 5},
        "own samples": {"digits": "own samples", "one_in": 20},
        "doubled": {"digits": "unseen", "one_in": 20, "search": "doubled"},
    }
    return {(name, size): (projected, {**of_committed(size), **kind})
            for size in LATENT_SIZES for name, kind in kinds.items()}  # fmt: skip


def of_committed(size):
    """Return the arguments of `experiments.projected` that name a committed generator of MNIST."""
    return {"dataset": "mnist", "latent_size": size, "weights": weight_digest("mnist", size)}


def variational():
    """Return the plans of variational autoencoders, a second rival, by latent size."""
    return {size: runs("variational", size, OTHER_SEEDS) for size in SIZES}


def more_mixtures():
    """Return the plans of the autoencoders with a mixture of the other sizes, by latent size."""
    return {size: runs("mixture", size, OTHER_SEEDS) for size in SIZES[:-1]}


def more_sizes():
    """Return the plans of an adversarial training of each further latent size, by size."""
    return {size: runs("adversarial", size, [0]) for size in MORE_SIZES}


def folding():
    """Return the plans of trainings with other octaves, tuned for them, by octaves and latent size."""
    return {(n, size): runs("adversarial", size, OTHER_SEEDS, octaves=n) for n in FOLDS for size in (1, 2)}


def recipe():
    """Return the plans that ask whether the recipe limits the GAN of 16 numbers, by change.

    Twice the filters in the discriminator's first layer, or twice the epochs. Both are judged on the
    validation images alone, so the trainings may follow them.
    """
    epochs = EPOCHS["adversarial"]
    changes = {"as it is": {}, "wide": {"method": "wide adversarial"}, "long": {"epochs": 2 * epochs}}
    return {name: validated({"epochs": epochs, "seed": RECIPE_SEEDS} | x) for name, x in changes.items()}


def validated(changes):
    """Plan the choice for the GAN of 16 numbers and, with changes, its distance from validation images."""
    best = yield from choice("adversarial", SIZES[-1])
    kept = {name: best[name] for name in ("option", "learning_rate")}
    (found,) = yield [(tuned, tuning_grid("adversarial", SIZES[-1]) | kept | changes)]
    return found


def fashion():
    """Return the plans and sweeps of Fashion-MNIST, by name; clothes look like clothes in a mirror."""
    on = {"dataset": "fashion_mnist"}
    return {
        "real": (best_of_blurred, {**on, "blur": [0.0, *BLURS]}),
        **{size: runs("adversarial", size, OTHER_SEEDS, **on) for size in TUNED_SIZES},
        "components": (principal, {**on, "latent_size": list(TUNED_SIZES), "digits": "unseen"}),
        "floor": (table, {**on, "size": 5_000, "seed": 0}),
    }


NOW = real, tables, tuning, trainings, reference, mixtures
LATER = committed, variational, more_mixtures, more_sizes, folding, recipe, fashion
PLANS = {plan.__name__: plan for plan in (*NOW, *LATER)}

if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(f"Name plans to measure: {', '.join(PLANS)}.")
    for name in sys.argv[1:]:
        sweeps(look_up("plan", name, PLANS)())
