"""Turns the table of records into the numbers that the notebook reports."""

import numpy as np
import pandas as pd

from common.statistics import Interval, mean_interval


def accuracy_by_examples(table: pd.DataFrame) -> tuple[np.ndarray, Interval]:
    """Return the numbers of examples and the accuracy for each in per cent, mean and interval over seeds."""
    runs = 100 * table.pivot(index="seed", columns="examples", values="accuracy")
    return runs.columns.to_numpy(), mean_interval(runs.to_numpy())
