"""What ColorVideoVDP, a metric that had no part in this study, says of the attacked photographs that ship.

It models how people see contrast, colour and masking on a given screen (Mantiuk et al. 2024,
arXiv:2401.11485). No attack was scaled or chosen by it. It needs PyTorch, so it is not installed with this
project: after ``pip install cvvdp==0.5.7``, ``python -m adversarial_attack.outside_metric`` writes its scores
again.
"""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from common.files import write_atomically
from common.pixels import as_bytes

SCORES = Path(__file__).parent / "results" / "colorvideovdp.csv"
DISTANCES = (30, 67, 80, 100)  # pixels a degree
LIMITING = (30, 67)  # at these the smaller attack is within JPEG 90
# Of its "standard_4k": peak and ambient light, contrast, and the share of the ambient light that is reflected
SCREEN = {"Y_peak": 200, "contrast": 1000, "source_colorspace": "sRGB", "E_ambient": 250, "k_refl": 0.005}
ATTACK, SMALLER = "attack", "smaller attack"


def load_scores():
    """Return the scores that are stored, a row for each photograph, change and distance.

    Returns
    -------
    pandas.DataFrame
        photograph: 0 to 19; change: `ATTACK`, a JPEG, noise of 2 / 255, or `SMALLER`, the largest multiple of
        the attack that scores no worse than JPEG 90 at both of `LIMITING`; multiple: of the attack's change,
        1 for others; pixels_per_degree; jod: 10 where no difference can be seen. One unit less means that
        three of four people prefer the original.
    """
    return pd.read_csv(SCORES)


def metrics(distances=DISTANCES):
    """Return for each distance a function of two images ``(height, width, 3)``, uint8, to a score."""
    from pycvvdp import cvvdp, vvdp_display_geometry, vvdp_display_photo_eotf

    screen = vvdp_display_photo_eotf(**SCREEN)

    def scorer(distance):
        geometry = vvdp_display_geometry((3840, 2160), ppd=distance)
        metric = cvvdp(display_photometry=screen, display_geometry=geometry, quiet=True)
        return lambda image, other: float(metric.predict(other, image, dim_order="HWC")[0])

    return {distance: scorer(distance) for distance in distances}


def scored(photograph, image, attacked, others, metrics):
    """Return the rows of a photograph, see `load_scores`.

    Parameters
    ----------
    photograph : int
    image, attacked : array of uint8, ``(height, width, 3)``
    others : dict from str to such an array
        The other changes; one is "JPEG 90".
    metrics : see the function `metrics`
    """
    least = {distance: metrics[distance](image, others["JPEG 90"]) for distance in LIMITING}

    def times(multiple):
        return np.clip(np.round(image + multiple * (attacked.astype(float) - image)), 0, 255).astype("uint8")

    def within(step):
        return all(metrics[distance](image, times(step / 50)) >= least[distance] for distance in LIMITING)

    low, high = 0, 51  # steps of 1 / 50; the score falls as the change grows
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if within(middle) else (low, middle)
    changes = {ATTACK: (1.0, attacked), SMALLER: (low / 50, times(low / 50))}
    changes |= {name: (1.0, other) for name, other in others.items()}
    return [
        {"photograph": photograph, "change": name, "multiple": multiple, "pixels_per_degree": distance,
         "jod": round(metric(image, other), 5)}
        for name, (multiple, other) in changes.items() for distance, metric in metrics.items()
    ]  # fmt: skip


def changes_of(image):
    """Return an image ``(height, width, 3)`` in [0, 1] as it is after other changes, uint8 by name."""
    from adversarial_attack.held_out import as_jpeg  # reading the scores needs no metric

    noise = np.random.default_rng(0).choice([-2, 2], image.shape)
    jpegs = {f"JPEG {quality}": as_bytes(as_jpeg(image, quality)) for quality in (95, 90, 85, 75)}
    return jpegs | {"noise 2": np.clip(as_bytes(image) + noise, 0, 255).astype("uint8")}


def write_scores():
    """Score all attacked photographs that ship and write `SCORES`."""
    from adversarial_attack.examples import load_examples
    from common.data import load_imagenet_samples

    rows, of_distance = [], metrics()
    pairs = zip(load_imagenet_samples().as_float(), load_examples(), strict=True)
    for i, (clean, changed) in enumerate(tqdm(list(pairs))):
        rows += scored(i, as_bytes(clean), as_bytes(changed), changes_of(clean), of_distance)
    content = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    write_atomically(SCORES, content.encode())


if __name__ == "__main__":
    write_scores()
