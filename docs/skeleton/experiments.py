"""What this study measures."""

import numpy as np
from new_study.models import NearestMean

from common.data import load_dataset
from common.experiments import experiment

EXAMPLES = (10, 100, 1000)


@experiment(version=1, tolerance=0.01)
def accuracy(*, dataset: str = "mnist", examples: int, seed: int) -> dict[str, float]:
    """Train on `examples` images that `seed` draws; return the share of 2,000 test images that are right."""
    data = load_dataset(dataset)
    drawn = np.random.default_rng(seed).choice(len(data.train), examples, replace=False)
    train, test = data.train[drawn], data.test[:2000]
    predicted = NearestMean(train.as_float(), train.labels).predict(test.as_float())
    return {"accuracy": float(np.mean(predicted == test.labels))}
