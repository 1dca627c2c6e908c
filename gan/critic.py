"""How well a fresh critic tells generated images from real ones it has not seen: the ruler of this study.

The best critic's mean cross-entropy is ln 2 minus the Jensen-Shannon divergence of the two distributions
(Goodfellow et al. 2014, arXiv:1406.2661, theorem 1), so every critic that was trained gives an upper bound: 0
if all are told apart, ln 2 = 0.693 if none is.
"""

from itertools import pairwise
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from common.training import epoch_function
from common.validation import as_labels

BUDGETS = (7_500, 15_000, 30_000, 60_000, 120_000, 240_000)  # images seen in training, half of them real
LEARNING_RATE = 1e-3
BATCH_SIZE = 64


class Split(NamedTuple):
    """Examples to train on, to choose by and to judge by: arrays of shape (n, ...), each with its own n."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def budgets_up_to(largest):
    """Return `BUDGETS` up to one of them.

    Raises
    ------
    ValueError
        It is none of them.
    """
    if largest not in BUDGETS:
        raise ValueError(f"The critics' budget must be one of {', '.join(map(str, BUDGETS))}, not {largest}.")
    return BUDGETS[: BUDGETS.index(largest) + 1]


def cross_entropies(critic, real, generated, budgets=BUDGETS, seed=0):
    """Train a critic and return its cross-entropy on examples that it has not seen, for every budget.

    Parameters
    ----------
    critic : keras.Model
        Untrained; from examples to two logits, of generated and of real.
    real, generated : Split
        Float arrays. Training examples are taken in random order, again and again if they are too few.
    budgets : increasing sequence of int
        Numbers of training examples, half of them real.
    seed : int
        Of the order.

    Returns
    -------
    pandas.DataFrame
        One row a budget: budget; cross_entropy (nats) and accuracy on the test examples, of the critic that
        had the lowest cross-entropy on the validation examples up to this budget. Its logits are scaled by
        the factor up to 1 that is best on the validation examples, lest overconfidence be read as chance.
    """
    critic.compile(
        keras.optimizers.Adam(LEARNING_RATE), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    critic.optimizer.build(critic.trainable_variables)
    run_epoch = epoch_function(critic, BATCH_SIZE)
    images, labels = map(tf.constant, _joined(generated.train, real.train))
    order = _mixed_order(len(generated.train), len(real.train), max(budgets), seed)
    rows = []
    for start, stop in pairwise([0, *budgets]):
        run_epoch(images, labels, order[start:stop])
        rows.append({"budget": stop} | _judged(critic, real, generated))
    table = pd.DataFrame(rows)
    best = [int(table["validation"][: i + 1].argmin()) for i in range(len(table))]
    return table[["budget"]].join(table.loc[best, ["cross_entropy", "accuracy"]].reset_index(drop=True))


def _judged(critic, real, generated):
    """Return a critic's cross-entropies on validation and test examples, and its accuracy on the latter."""
    logits, labels = _logits(critic, generated.validation, real.validation)
    chosen = minimize_scalar(
        lambda x: cross_entropy(np.exp(x) * logits, labels), bounds=(-10, 0), method="bounded"
    )
    test_logits, test_labels = _logits(critic, generated.test, real.test)
    return {
        "validation": chosen.fun,
        "cross_entropy": cross_entropy(np.exp(chosen.x) * test_logits, test_labels),
        "accuracy": float(np.mean(test_logits.argmax(axis=1) == test_labels)),
    }


def cross_entropy(logits, labels):
    """Return the mean cross-entropy in nats of logits ``(n, classes)``; all labels weigh the same."""
    labels = as_labels(labels, len(logits), np.shape(logits)[1])
    losses = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    return float(np.mean([losses[labels == label].mean() for label in np.unique(labels)]))


def _joined(generated, real):
    examples = np.concatenate([generated, real])
    return examples, np.repeat([0, 1], [len(generated), len(real)])


def _logits(critic, generated, real):
    examples, labels = _joined(generated, real)
    return critic.predict(examples, 1000, verbose=0).astype(float), labels


def _mixed_order(generated, real, count, seed):
    """Return `count` indices of joined examples, generated and real by turns."""
    rng = np.random.default_rng(seed)
    halves = [
        first + np.concatenate([rng.permutation(n) for _ in range(-(-count // (2 * n)))])[: count // 2]
        for first, n in ((0, generated), (generated, real))
    ]
    return np.stack(halves, axis=1).reshape(-1).astype("int32")
