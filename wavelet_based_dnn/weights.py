"""Writes the committed weights: ``python -m wavelet_based_dnn.weights``; interrupted, it continues."""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

import joblib

from common.weights import are_whole, save_weights
from wavelet_based_dnn.experiments import RATE
from wavelet_based_dnn.models import weight_file
from wavelet_based_dnn.trainings import STEPS, TRAININGS, trained

DATASETS = ("mnist", "fashion_mnist")


def write(dataset):
    """Train the network of scales on scenes of a data set, seed 0, and write its weights."""
    network, _ = trained(dataset, "Haar", RATE, STEPS, seed=0)
    save_weights(network, weight_file(dataset))


def main():
    """Train what is missing, one network a core."""
    TRAININGS.mkdir(parents=True, exist_ok=True)  # so that an interrupted training continues
    missing = [dataset for dataset in DATASETS if not are_whole(weight_file(dataset))]
    with environment.applied(MPLBACKEND="Agg"):
        joblib.Parallel(n_jobs=-1)(joblib.delayed(write)(dataset) for dataset in missing)


if __name__ == "__main__":
    main()
