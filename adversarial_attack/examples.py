"""The 20 ImageNet images as the low-pass attack leaves them at the strict tier: files to look at.

``python -m adversarial_attack.examples`` makes those that are missing from ``examples/``, in the way of the
records of `experiments.fooling` whose configuration is `CONFIG`.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from adversarial_attack.experiments import IMAGES, attacked
from adversarial_attack.filters import as_stored

FOLDER = Path(__file__).parent / "examples"
CONFIG = {
    "arm": "low-pass attack",
    "sources": "all four",
    "epsilon": 16,
    "tier": "strict",
    "shift": 0,
    "steps": 60,
    "seed": 0,
}


def load_examples():
    """Return the attacked images, float32 ``(20, 224, 224, 3)`` in [0, 1], in the order of the samples.

    Raises
    ------
    FileNotFoundError
        An image is missing.
    """
    images = []
    for number in range(IMAGES):
        path = _path(number)
        if not path.exists():
            raise FileNotFoundError(f"{path.name} is missing from {FOLDER.name}; restore it with git.")
        images.append(np.asarray(Image.open(path)))
    return np.divide(images, 255, dtype="float32")


def write_missing():
    """Attack the images whose files are missing and write these."""
    FOLDER.mkdir(exist_ok=True)
    for number in tqdm([number for number in range(IMAGES) if not _path(number).exists()]):
        Image.fromarray(as_stored(attacked(**CONFIG, image=number))[0]).save(_path(number))


def _path(number):
    return FOLDER / f"{number:02}.png"


if __name__ == "__main__":
    write_missing()
