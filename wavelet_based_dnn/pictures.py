"""The pictures of the first notebook: photographs in one size, and what an attack added to images."""

from pathlib import Path

import numpy as np

from common.data import PHOTOGRAPHS, load_imagenet_samples, load_photograph, load_pictures

SIZE = 256
LEFT_OUT = ("horse", "moon")  # a silhouette, and a photograph enlarged twofold, in blocks like Haar's
ATTACKED = Path(__file__).parent / "attacked"  # by an earlier version of adversarial_attack


def load_grey_photographs():
    """Return the middle of scikit-image's photographs that are large enough, in grey.

    `LEFT_OUT` are not among them.

    Returns
    -------
    names : list of str
    images : array of float32, shape (n, 256, 256, 1)
        In [0, 1]; colours are averaged.
    """
    found = {name: load_photograph(name).as_float() for name in PHOTOGRAPHS if name not in LEFT_OUT}
    large = {name: image for name, image in found.items() if min(image.shape[1:3]) >= SIZE}
    grey = [_middle(image).mean(axis=-1, keepdims=True) for image in large.values()]
    return list(large), np.concatenate(grey)


def load_perturbations():
    """Return what a low-pass attack added to the 20 ImageNet samples.

    It kept the strict tier of visibility, in an earlier version of the study on attacks.

    Returns
    -------
    clean, added : arrays of float32, shape (20, 224, 224, 3)
        The images in [0, 1], and the attacked ones, from their files, minus these.

    Raises
    ------
    FileNotFoundError
        A file of `attacked/` is missing.
    """
    clean = load_imagenet_samples().as_float()
    attacked = load_pictures([ATTACKED / f"{number:02}.png" for number in range(len(clean))])
    return clean, attacked.as_float() - clean


def _middle(images):
    top, left = ((size - SIZE) // 2 for size in images.shape[1:3])
    return images[:, top : top + SIZE, left : left + SIZE]
