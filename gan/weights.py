"""Writes the committed weights: ``python -m gan.weights``; interrupted, it continues where it was."""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

from functools import partial
from pathlib import Path

import joblib
import keras

from common.data import load_dataset
from common.training import compile_classifier, fit
from common.weights import are_whole, save_weights
from gan.experiments import to_validation
from gan.models import LATENT_SIZES, build_classifier, weight_file
from gan.training import TRAINING_IMAGES, train_gan

CLASSIFIER_EPOCHS = 8
CLASSIFIER_RATE = 1e-3
BATCH_SIZE = 128
CHECKPOINTS = Path(__file__).parent.parent / "build" / "gan"
GENERATORS = [("mnist", size) for size in LATENT_SIZES] + [("fashion_mnist", 16)]


def train_classifier(dataset):
    """Return the classifier whose features the metrics use, trained on the first 55,000 images, seed 0."""
    images = load_dataset(dataset).train[:TRAINING_IMAGES]
    classifier = build_classifier()
    compile_classifier(classifier, CLASSIFIER_RATE, CLASSIFIER_EPOCHS * -(-TRAINING_IMAGES // BATCH_SIZE))
    fit(
        classifier, (images.as_float(), images.labels), epochs=CLASSIFIER_EPOCHS, seed=0,
        batch_size=BATCH_SIZE, checkpoint=CHECKPOINTS / f"{dataset}_classifier.npz",
    )  # fmt: skip
    # Without the optimizer, whose state would be saved with the weights.
    plain = build_classifier()
    plain.set_weights(classifier.get_weights())
    return plain


def train_generator(dataset, latent_size):
    """Return the generator of the run with seed 0: the averaged weights of its best epoch."""
    images = load_dataset(dataset).train[:TRAINING_IMAGES].as_float()
    checkpoint = CHECKPOINTS / f"{dataset}_generator_{latent_size}.npz"
    validate = partial(to_validation, latent_size=latent_size, dataset=dataset)
    return train_gan(images, latent_size, seed=0, checkpoint=checkpoint, validate=validate).best


def write(dataset, latent_size=None):
    """Write the weights of a generator or, without a latent size, of the classifier."""
    # Keras numbers the layers of a session, and their names are saved.
    keras.utils.clear_session()
    trained = train_classifier(dataset) if latent_size is None else train_generator(dataset, latent_size)
    save_weights(trained, weight_file(dataset, latent_size))


def main():
    """Train what is missing, one network a core."""
    jobs = [(dataset, None) for dataset in ("mnist", "fashion_mnist")] + GENERATORS
    missing = [job for job in jobs if not are_whole(weight_file(*job))]
    with environment.applied(MPLBACKEND="Agg"):
        joblib.Parallel(n_jobs=-1)(joblib.delayed(write)(*job) for job in missing)


if __name__ == "__main__":
    main()
