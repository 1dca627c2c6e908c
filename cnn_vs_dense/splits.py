"""Which images train, which choose, and which test."""

import numpy as np

from common.data import Dataset, ImageSet

VALIDATION_SIZE = 5_000
MEASURED_ON = ("validation", "test")


def split(data: Dataset, examples: int, seed: int) -> dict[str, ImageSet]:
    """Return the parts of a data set that train, choose and test; no image is in two of them.

    Parameters
    ----------
    data : Dataset
        Of 60,000 training images and 10,000 test images, as MNIST.
    examples : int
        Number of training images, from 1 to 55,000.
    seed : int
        Draws the training images; with all of them it changes nothing.

    Returns
    -------
    dict from str to ImageSet
        "train": `examples` of the training images but the last `VALIDATION_SIZE`, without replacement, in
        their order; "validation": these last ones; "test": the test images.

    Raises
    ------
    ValueError
        A number of examples outside that range.
    """
    first, validation = data.train[:-VALIDATION_SIZE], data.train[-VALIDATION_SIZE:]
    if not 1 <= examples <= len(first):
        raise ValueError(f"examples must lie in 1 to {len(first):,}, not be {examples!r}.")
    chosen = np.random.default_rng(seed).choice(len(first), examples, replace=False)
    return {"train": first[np.sort(chosen)], "validation": validation, "test": data.test}


def check_part(evaluate_on: str) -> None:
    """Raise ValueError unless `evaluate_on` names a part that measures."""
    if evaluate_on not in MEASURED_ON:
        raise ValueError(f"evaluate_on must be 'validation' or 'test', not {evaluate_on!r}.")
