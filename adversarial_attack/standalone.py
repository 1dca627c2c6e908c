"""Photographs before and after the attack, as one HTML file: ``python -m adversarial_attack.standalone``."""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

import io
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image
from scipy.special import softmax

from adversarial_attack.examples import CONFIG, SHIPPED, load_examples
from adversarial_attack.filters import gaussian_blur
from adversarial_attack.judges import ATTACKED, logits
from common.data import load_imagenet_samples
from common.live_page import embedded, page, write
from common.pixels import as_bytes

PHOTOGRAPHS = 0, 1, 4, 8, 9, 10  # the first ones that the networks in `SHIPPED` all recognise: not chosen
STRENGTHS = range(0, 151, 25)  # per cent of the stored change
SIGMAS = tuple(np.arange(0, 3.5, 0.5).tolist())  # of the blur, pixels
START = {"strength": 100, "sigma": 0.0}  # of the first photograph

HERE = Path(__file__).parent


def figure():
    """Return the page: the pictures, and what the networks that ship say about them, computed beforehand."""
    samples, attacked = load_imagenet_samples(), load_examples()
    shown = [
        photograph(clean, as_bytes(attacked[number]), samples.labels[number])
        for number, clean in zip(PHOTOGRAPHS, samples.images[list(PHOTOGRAPHS)], strict=True)
    ]
    data = {
        "photographs": shown,
        "networks": [[name, name in ATTACKED[CONFIG["attacked"]]] for name in SHIPPED],
        "names": {number: samples.class_names[number] for number in _classes(shown)},
        "strengths": list(STRENGTHS),
        "sigmas": SIGMAS,
    }
    values = {
        "photographs": len(PHOTOGRAPHS),
        "strength": STRENGTHS.index(START["strength"]),
        "strongest": len(STRENGTHS) - 1,
        "sigma": SIGMAS.index(START["sigma"]),
        "largest": len(SIGMAS) - 1,
    }
    body = Template(_own("html")).substitute(values)
    return page("Does the attack survive the blur?", body, _own("js"), data, _own("css"))


def photograph(clean, attacked, label):
    """Return what the page shows of a photograph, as JSON.

    Parameters
    ----------
    clean, attacked : array of uint8, ``(height, width, 3)``
    label : int

    Returns
    -------
    dict
        The label; the pictures "clean", "attacked" and "jpeg", the clean one as a JPEG of quality 90; what
        the networks say about the attacked one at every strength and blur, and about "jpeg" at every blur:
        for each network the class and its probability in per cent. A strength of 0 is the clean picture.
    """
    jpeg = _file(clean, "jpeg", quality=90, subsampling=0)
    saved = np.asarray(Image.open(io.BytesIO(jpeg)))
    strengths = [blended(clean, attacked, strength) for strength in STRENGTHS]
    *said, of_jpeg = answers([*strengths, saved])
    return {
        "label": int(label),
        "clean": embedded(_lossless(clean), "webp"),
        "attacked": embedded(_lossless(attacked), "webp"),
        "jpeg": embedded(jpeg, "jpeg"),
        "said": {"attacked": said, "jpeg": of_jpeg},
    }


def blended(clean, attacked, strength):
    """Return a photograph of uint8 with a percentage of its change, rounded to uint8 as a file holds it."""
    change = attacked.astype(float) - clean
    return np.clip(np.round(clean + change * strength / 100), 0, 255).astype("uint8")


def blurred(pictures, sigma):
    """Return photographs of uint8, ``(n, height, width, 3)``, blurred with sigma in pixels and rounded."""
    if not sigma:
        return pictures
    height, width = pictures.shape[1:3]
    return as_bytes(gaussian_blur(height, width, sigma)(pictures / 255))


def answers(pictures):
    """Return classes and probabilities, a list ``(pictures, blurs, networks, 2)``.

    Parameters
    ----------
    pictures : list of array of uint8, ``(height, width, 3)``
        The networks get them blurred and rounded, as the page draws them.
    """
    seen = np.concatenate([blurred(np.stack(pictures), sigma) for sigma in SIGMAS])
    images = (seen / 255).astype("float32")
    found = [softmax(logits(name, images).astype(float), -1) for name in SHIPPED]
    pairs = [np.stack([each.argmax(-1), (100 * each.max(-1)).round()], -1) for each in found]
    table = np.stack(pairs, 1).reshape(len(SIGMAS), len(pictures), len(SHIPPED), 2)
    return table.astype(int).swapaxes(0, 1).tolist()


def _classes(shown):
    """Return the numbers of all classes that the page names."""
    said = [np.array(one["said"][kind])[..., 0].ravel() for one in shown for kind in ("attacked", "jpeg")]
    return sorted({one["label"] for one in shown} | set(np.concatenate(said).tolist()))


def _lossless(picture):
    return _file(picture, "webp", lossless=True)


def _file(picture, kind, **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return file.getvalue()


def _own(kind):
    return (HERE / f"standalone.{kind}").read_text(encoding="utf-8")


if __name__ == "__main__":
    path = write("adversarial_attack", figure())
    print(f"{path}: {path.stat().st_size:,} bytes")
