"""What the tables of this study's experiments say, side by side."""

import numpy as np
import pandas as pd
from scipy import stats

from cnn_vs_dense.methods import methods_for
from cnn_vs_dense.neighbours import neighbours_kept
from cnn_vs_dense.representations import DOSES, REPRESENTATIONS
from common.statistics import grouped, mcnemar, mean_interval

IMAGE_SHAPE = (28, 28)


def chosen_normalisations(scores):
    """Return for each representation the normalisation that serves the networks best.

    Parameters
    ----------
    scores : pandas.DataFrame
        The table of `accuracy` on the validation images, with the same data sets, networks and learning rates
        for every representation and normalisation.

    Returns
    -------
    dict from representation to normalisation
        The one with the highest mean, over data sets and networks, of the accuracy at its best learning rate.
    """
    keys = ["representation", "normalisation"]
    by_rate = grouped(scores, [*keys, "dataset", "architecture", "learning_rate"])["accuracy"].mean()
    at_best_rate = grouped(by_rate, [*keys, "dataset", "architecture"]).max()
    means = grouped(at_best_rate, keys).mean()
    return dict(grouped(means, "representation").idxmax().tolist())


def by_dose(table):
    """Return the rows of each kind of scrambling in `DOSES`, raw and fully scrambled pixels in both kinds.

    Two columns are added to the table of `tuned`: kind, and kept, the share of neighbouring pixels that stay
    neighbours (see `neighbours_kept`), averaged over the seeds of the table.
    """
    kept = {
        name: np.mean([neighbours_kept(permutation(name, seed), IMAGE_SHAPE) for seed in set(table["seed"])])
        for name in set(table["representation"])
    }
    table = table.assign(kept=[kept[name] for name in table["representation"]])
    kinds = {kind: table[table["representation"].isin(names)] for kind, names in DOSES.items()}
    return pd.concat([rows.assign(kind=kind) for kind, rows in kinds.items()], ignore_index=True)


def permutation(representation, seed):
    """Return the permutation of the pixels that a kind of scrambling makes, as `Scrambler.permutation`."""
    indices = np.arange(np.prod(IMAGE_SHAPE)).reshape(1, *IMAGE_SHAPE, 1)
    return REPRESENTATIONS[representation](indices, seed).ravel()


def loss_by_scrambling(table):
    """Return the mean of raw minus scrambled test accuracy over the seeds, in points, with its interval.

    The table of `tuned` restricted to one network and one data set.
    """
    by_seed = table.pivot(index="seed", columns="representation", values="accuracy")
    return mean_interval(100 * (by_seed["raw"] - by_seed["scrambled"]))


def lenet5_minus(other, table):
    """Return the gap in test accuracy between LeNet-5 and another network, in points, for every run of both.

    Parameters
    ----------
    other : key of `models.ARCHITECTURES`
    table : pandas.DataFrame
        As `tuned` returns it, with both networks.

    Returns
    -------
    pandas.DataFrame
        Columns dataset, representation, examples, seed and gap.
    """
    index = ["dataset", "representation", "examples", "seed"]
    accuracies = 100 * table.pivot(index=index, columns="architecture", values="accuracy")
    return (accuracies["lenet5"] - accuracies[other]).rename("gap").reset_index()


def worth_of_arrangement(arranged, moved):
    """Return what LeNet-5 loses when the places of a representation are permuted, for every run.

    Parameters
    ----------
    arranged, moved : pandas.DataFrame
        Tables of `tuned` with the same data sets and seeds: of some representations, and of the same ones
        followed by ", scrambled".

    Returns
    -------
    pandas.DataFrame
        Columns dataset, representation, seed and gap, the difference in test accuracy in points.
    """
    run = ["dataset", "representation", "seed"]
    moved = moved.assign(representation=moved["representation"].str.removesuffix(", scrambled"))
    both = arranged.merge(moved, on=run, suffixes=("", "_moved"), validate="one_to_one")
    return both[run].assign(gap=100 * (both["accuracy"] - both["accuracy_moved"]))


def gap_closed(recovered, bounds):
    """Return the share of LeNet-5's loss by scrambling that unscrambling regains, for every run.

    ``(unscrambled - scrambled) / (raw - scrambled)`` of the test accuracies with one seed.

    Parameters
    ----------
    recovered : pandas.DataFrame
        The table of `accuracy_unscrambled`.
    bounds : pandas.DataFrame
        That of `accuracy` on raw and on scrambled pixels, with as many examples.

    Returns
    -------
    pandas.DataFrame
        `recovered` with one more column, closed: 0 for nothing regained, 1 for everything.
    """
    run = ["dataset", "examples", "seed"]
    bound = bounds.pivot(index=run, columns="representation", values="accuracy")
    table = recovered.merge(bound, left_on=run, right_index=True, validate="many_to_one")
    if len(table) < len(recovered):
        raise ValueError("bounds lacks runs with the data set, examples and seed of some recovered ones.")
    closed = (table["accuracy"] - table["scrambled"]) / (table["raw"] - table["scrambled"])
    return recovered.assign(closed=closed)


RECONSTRUCTIONS = ("reconstruction", "learned reconstruction")


def direct_minus_reconstruction(table, reconstructions=RECONSTRUCTIONS):
    """Compare the best direct method with the best one that reconstructs first, in every condition.

    Best is which has the highest mean accuracy on the validation images after training, so the test images
    do not choose.

    Parameters
    ----------
    table : pandas.DataFrame
        The test results of `experiments.accuracy_measured`, with the same seeds for every method.
    reconstructions : sequence of str
        Which kinds of `methods.Method` count as reconstructing first.

    Returns
    -------
    pandas.DataFrame
        One row for each dataset, sampling and noise: direct and reconstruction, the best methods;
        mean, low, high: direct minus reconstruction in test accuracy, in points, over the seeds, with the
        95 % interval; p: the largest over the seeds of McNemar's p-values, 1 if the seeds disagree on which
        is better; q: p adjusted for the number of rows (Benjamini & Hochberg 1995); significant: whether
        q < 0.01 and the interval excludes 0.
    """
    rows = []
    for (dataset, sampling, noise), cell in grouped(table, ["dataset", "sampling", "noise"]):
        kinds = cell["arm"].map({name: method.kind for name, method in methods_for(sampling).items()})
        direct = best_by_validation(cell[kinds == "direct"])
        first = best_by_validation(cell[kinds.isin(reconstructions)])
        gaps = 100 * (direct["accuracy"] - first["accuracy"])
        pairs = zip(direct["right"], first["right"].loc[direct.index], strict=True)
        rows.append({
            "dataset": dataset, "sampling": sampling, "noise": noise,
            "direct": direct["arm"].iloc[0], "reconstruction": first["arm"].iloc[0],
            **mean_interval(gaps)._asdict(),
            "p": max(mcnemar(*pair) for pair in pairs) if abs(np.sign(gaps).sum()) == len(gaps) else 1.0,
        })  # fmt: skip
    cells = pd.DataFrame(rows).assign(q=lambda found: stats.false_discovery_control(found["p"]))
    return cells.assign(significant=(cells["q"] < 0.01) & (cells["low"] * cells["high"] > 0))


def best_by_validation(table):
    """Return the rows, by seed, of the method whose mean validation accuracy after training is highest."""
    final = table["epoch_validation_accuracy"].str[-1]
    best = grouped(final, table["arm"]).mean().idxmax()
    return table[table["arm"] == best].set_index("seed")
