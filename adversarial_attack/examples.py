"""The 20 ImageNet images after the low-pass attack, scaled to the limit of the strict tier: files to look at.

``python -m adversarial_attack.examples`` makes those that are missing from ``examples/``, in the way of the
kind "strict" of the records of `experiments.fooling` whose configuration is `CONFIG`.
"""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

import io
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from adversarial_attack.experiments import IMAGES, at_strict_tier, attacked
from common.data import load_imagenet_samples, load_pictures
from common.files import write_atomically
from common.pixels import as_bytes

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
    return load_pictures([_path(number) for number in range(IMAGES)]).as_float()


def write_missing():
    """Attack the images whose files are missing and write these."""
    for number in tqdm([number for number in range(IMAGES) if not _path(number).exists()]):
        image = load_imagenet_samples()[[number]].as_float()
        change = attacked(**CONFIG, image=number) - image  # added as `fooling` does, for the same bits
        file = io.BytesIO()
        Image.fromarray(as_bytes(at_strict_tier(image, image + change))[0]).save(file, "png")
        write_atomically(_path(number), file.getvalue())


def _path(number):
    return FOLDER / f"{number:02}.png"


if __name__ == "__main__":
    write_missing()
