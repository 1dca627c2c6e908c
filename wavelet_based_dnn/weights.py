"""Writes the committed weights: ``python -m wavelet_based_dnn.weights``; interrupted, it continues."""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

from pathlib import Path

import joblib
import keras

from common.data import load_dataset
from common.weights import are_whole, save_weights
from wavelet_based_dnn.experiments import EPOCHS, RATES
from wavelet_based_dnn.models import weight_file
from wavelet_based_dnn.training import TRAINING_IMAGES, Schedule, train
from wavelet_based_dnn.variants import DYNAMIC

CHECKPOINTS = Path(__file__).parent.parent / "build" / "wavelet_based_dnn"
DATASETS = ("mnist", "fashion_mnist")


def write(dataset):
    """Train the dynamic classifier of a data set, seed 0, and write its weights."""
    # Keras numbers the layers of a session, and their names are saved.
    keras.utils.clear_session()
    variant, images = DYNAMIC["dynamic, haar"], load_dataset(dataset).train[:TRAINING_IMAGES]
    model, schedule = variant.build(seed=0), Schedule(EPOCHS, RATES["dynamic, haar"])
    train(
        model, images.as_float(), images.labels, variant.sizes, schedule, seed=0,
        checkpoint=CHECKPOINTS / f"{dataset}.npz",
    )  # fmt: skip
    save_weights(model, weight_file(dataset))


def main():
    """Train what is missing, one network a core."""
    missing = [dataset for dataset in DATASETS if not are_whole(weight_file(dataset))]
    with environment.applied(MPLBACKEND="Agg"):
        joblib.Parallel(n_jobs=-1)(joblib.delayed(write)(dataset) for dataset in missing)


if __name__ == "__main__":
    main()
