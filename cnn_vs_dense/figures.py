"""The figures of this study; each takes the table of a sweep."""

import numpy as np

from common import plotting
from common.statistics import mean_interval

NAMES = {"lenet5": "LeNet-5", "dense": "dense", "dense_small": "small dense", "mnist": "MNIST",
         "fashion_mnist": "Fashion-MNIST"}  # fmt: skip


def accuracies(table, by=("architecture", "representation")):
    """Draw the test accuracy of every run, one row for each combination of the columns `by`."""
    groups = {_name(key): group["accuracy"] * 100 for key, group in table.groupby(list(by), sort=False)}
    intervals = {name: mean_interval(values) for name, values in groups.items()}
    return plotting.dots(groups, intervals, "test accuracy / %")


def histories(table):
    """Draw loss and validation accuracy over the epochs for each network and representation."""
    groups = list(table.groupby(["architecture", "representation"], sort=False))
    panels = {
        label: {_name(key): mean_interval(scale * np.stack(group[column])) for key, group in groups}
        for label, column, scale in (
            ("training loss (while training)", "epoch_loss", 1),
            ("validation accuracy / %", "epoch_validation_accuracy", 100),
        )
    }
    return plotting.training_histories(np.arange(1, len(table["epoch_loss"].iloc[0]) + 1), panels)


def gaps(table):
    """Draw training minus test accuracy of every run, one row for each number of examples and network."""
    table = table.assign(gap=100 * (table["train_accuracy"] - table["accuracy"]))
    groups = {
        _name(key): group["gap"] for key, group in table.groupby(["examples", "architecture"], sort=False)
    }
    intervals = {name: mean_interval(values) for name, values in groups.items()}
    return plotting.dots(groups, intervals, "training accuracy - test accuracy / points")


def _name(key):
    return ", ".join(
        NAMES.get(part, f"{part:,} images" if isinstance(part, int) else str(part)) for part in key
    )
