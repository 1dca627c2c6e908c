"""The 20 ImageNet photographs that ship, after the low-pass attack: pictures to download, look at and test.

The pictures are PNG files of 8 bits a channel, so saving and reading them again changes nothing. The attack
is `experiments.attack` with the arguments `CONFIG`. ``python -m adversarial_attack.examples`` makes the
pictures that are missing from ``examples/``; that needs the MobileNets, which do not ship.
"""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

import io
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from adversarial_attack.judges import NETWORKS
from common.data import load_pictures
from common.files import write_atomically
from common.pixels import as_bytes
from common.pretrained import OFFLINE

FOLDER = Path(__file__).parent / "examples"
PHOTOGRAPHS = 20  # of `common.data.load_imagenet_samples`
# The networks that need no other data: anyone can ask them about these pictures.
SHIPPED = tuple(name for name, key in NETWORKS.items() if key in OFFLINE)
CONFIG = {
    "dataset": "imagenet_samples",
    "split": "shipped",
    "method": "low-pass attack",
    "attacked": "survival",
    "without": "nothing",
    "tier": "JPEG 90",
    "gradients": 300,
    "budget": 1.0,
    "seed": 0,
}


def load_examples():
    """Return the attacked photographs, float32 ``(20, 224, 224, 3)`` in [0, 1], in the order of the samples.

    Raises
    ------
    FileNotFoundError
        A picture is missing.
    """
    return load_pictures([_path(number) for number in range(PHOTOGRAPHS)]).as_float()


def write_missing():
    """Attack the photographs whose pictures are missing and write these.

    Raises
    ------
    ConnectionError
        A MobileNet is neither on this machine nor can it be downloaded.
    """
    from adversarial_attack.experiments import attack  # reading the pictures needs no attack

    for number in tqdm([number for number in range(PHOTOGRAPHS) if not _path(number).exists()]):
        picture, file = attack(**CONFIG, photograph=number)[0], io.BytesIO()
        Image.fromarray(as_bytes(picture)).save(file, "png")
        write_atomically(_path(number), file.getvalue())


def _path(number):
    return FOLDER / f"{number:02}.png"


if __name__ == "__main__":
    write_missing()
