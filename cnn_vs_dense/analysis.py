"""What the tables of this study's experiments say, side by side."""

import numpy as np
import pandas as pd
from scipy import stats

from cnn_vs_dense.answers import answers, side_by_side
from cnn_vs_dense.methods import methods_for
from cnn_vs_dense.neighbours import neighbours_kept
from cnn_vs_dense.pooled import contrast, ratio_of_means
from cnn_vs_dense.representations import DOSES, REPRESENTATIONS
from common.statistics import grouped, mcnemar, mean_interval

IMAGE_SHAPE = (28, 28)
ALIGNED, SHIFTED = "scrambled within 2 x 2", "scrambled within 2 x 2, shifted"
TIE = 0.001  # of the mean validation accuracy: within it, the shorter training is chosen
FAULTS = {
    "accuracy_angles_off": "angles off",
    "accuracy_attenuation": "attenuation off",
    "accuracy_centre": "centre off",
}


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


def chosen_epochs(table: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Return for each data set and arrangement the number of epochs that validation chooses.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each run of one network: columns dataset, arrangement, epochs, seed and
        epoch_validation_accuracy (list, whose last counts).

    Returns
    -------
    dict from (dataset, arrangement) to int
        The fewest epochs whose mean over the seeds is within `TIE` of the best.

    Raises
    ------
    ValueError
        Numbers of epochs of one data set and arrangement with other seeds.
    """
    final = table.assign(final=table["epoch_validation_accuracy"].str[-1])
    chosen = {}
    for key, rows in grouped(final, ["dataset", "arrangement"]):
        by_epochs = rows.pivot(index="seed", columns="epochs", values="final")
        if by_epochs.isna().to_numpy().any():
            raise ValueError(f"The numbers of epochs for {', '.join(key)} have not the same seeds.")
        means = by_epochs.mean()
        chosen[key] = int(means.index[means >= means.max() - TIE].min())
    return chosen


def loss_from_raw(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many points every arrangement of the pixels costs every network.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each run: columns dataset, architecture, arrangement, seed and right; raw among the
        arrangements of each network.

    Returns
    -------
    pandas.DataFrame
        Columns dataset, architecture and arrangement, in the order of the table, without raw; mean, low and
        high: raw minus arranged in points, with the interval of `pooled.crossed_interval`.

    Raises
    ------
    ValueError
        A network without raw pixels, a run that occurs twice, or seeds that differ.
    """
    rows = []
    for (dataset, architecture, arrangement), _ in grouped(table, ["dataset", "architecture", "arrangement"]):
        if arrangement != "raw":
            network = {"dataset": dataset, "architecture": architecture}
            arranged = [answers(table, network | {"arrangement": name}) for name in ("raw", arrangement)]
            right = side_by_side(arranged)
            interval = contrast(right[:, :1], right[:, 1:])
            rows.append({**network, "arrangement": arrangement, **interval._asdict()})
    return pd.DataFrame(rows)


def coincidence(table: pd.DataFrame) -> np.ndarray:
    """Return what it saves LeNet-5 that scrambled blocks and pooling windows coincide.

    Half of: the losses where they do not, minus the losses where they do. What shifting the windows or the
    blocks costs by itself cancels, and so do the accuracies on raw pixels.

    Parameters
    ----------
    table : pandas.DataFrame
        Runs on one data set: columns architecture ("lenet5" and "lenet5_shifted" among them), arrangement
        (`ALIGNED` and `SHIFTED` among them), seed and right.

    Returns
    -------
    array, shape (seeds, images)
        In points, for `pooled.crossed_interval`.

    Raises
    ------
    ValueError
        A network or arrangement that is missing, a run that occurs twice, or seeds that differ.
    """
    right = side_by_side(
        answers(table, {"architecture": network, "arrangement": arrangement})
        for network in ("lenet5", "lenet5_shifted")
        for arrangement in (ALIGNED, SHIFTED)
    )
    # A loss is raw minus scrambled, so accuracies count with the opposite sign.
    return 50 * right.astype(float).swapaxes(1, 2) @ [1.0, -1.0, -1.0, 1.0]


def regained(recovered: pd.DataFrame, bounds: pd.DataFrame) -> pd.DataFrame:
    """Return which share of the loss by scrambling unscrambling regains, on each data set.

    Parameters
    ----------
    recovered : pandas.DataFrame
        A row for each run on recovered layouts: columns dataset, seed and right.
    bounds : pandas.DataFrame
        The same of runs on raw and on scrambled pixels, told apart by the column arrangement.

    Returns
    -------
    pandas.DataFrame
        Indexed by dataset: mean, low and high, the ratio of the means of unscrambled - scrambled and of raw -
        scrambled accuracy with the interval of `pooled.ratio_of_means`; 1 is everything.

    Raises
    ------
    ValueError
        Bounds that are missing, a run that occurs twice, or seeds that differ.
    """
    ratios = {}
    for dataset in recovered["dataset"].unique():
        among = [answers(bounds, {"dataset": dataset, "arrangement": name}) for name in ("raw", "scrambled")]
        right = side_by_side([answers(recovered, {"dataset": dataset}), *among]).astype(float)
        unscrambled, raw, scrambled = right.swapaxes(0, 1)
        ratios[dataset] = ratio_of_means(unscrambled - scrambled, raw - scrambled)
    return pd.DataFrame.from_dict(ratios, orient="index", columns=["mean", "low", "high"])


def lost_elsewhere(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return how many points methods lose on a scanner that differs from the one of their training.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each run of `experiments.tomography`, the same cells for every seed: columns seed, accuracy,
        those of `FAULTS`, and those of `by`.
    by : list of str
        Columns that distinguish the methods, such as kind.

    Returns
    -------
    pandas.DataFrame
        Columns `by` and fault (a value of `FAULTS`), in the order of the table; mean, low and high: accuracy
        on the nominal scanner minus accuracy on the other one in points, averaged over the cells, with
        Student's interval over the seeds.

    Raises
    ------
    ValueError
        Fewer than two seeds.
    """
    rows = []
    for key, runs in grouped(table, by):
        for column, fault in FAULTS.items():
            lost = grouped(100 * (runs["accuracy"] - runs[column]), runs["seed"]).mean()
            interval = mean_interval(lost)._asdict()
            rows.append({**dict(zip(by, key, strict=True)), "fault": fault, **interval})
    return pd.DataFrame(rows)


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
