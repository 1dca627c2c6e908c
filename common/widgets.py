"""Parts of the explorers: a picture, bars of numbers, and a square in which a point is dragged."""

import io

import ipywidgets
import numpy as np
from PIL import Image
from scipy.special import softmax

from common.pixels import as_bytes

SIDE = 280  # pixels on the screen


def picture(image, side=SIDE):
    """Return an image as the bytes of a PNG, enlarged without smoothing.

    Parameters
    ----------
    image : array, shape (height, width, 1 or 3)
        Float, in [0, 1]; values beyond are drawn as the nearest end.
    side : int
        Pixels of the longer side.

    Raises
    ------
    ValueError
        Another shape, no pixels, or NaN or infinity.
    """
    image = np.asarray(image, float)
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not image.size:
        raise ValueError(f"An image must be (height, width, 1 or 3), but the shape is {image.shape}.")
    if not np.isfinite(image).all():
        raise ValueError("An image must be finite, but it holds NaN or infinity.")
    stored = as_bytes(image)
    scale = side / max(image.shape[:2])
    size = [max(1, round(scale * pixels)) for pixels in (image.shape[1], image.shape[0])]
    file = io.BytesIO()
    Image.fromarray(stored.squeeze(-1) if image.shape[2] == 1 else stored).resize(
        size, Image.Resampling.NEAREST
    ).save(file, "png")
    return file.getvalue()


class Bars(ipywidgets.VBox):
    """A row for each name: a bar for a number in [0, 1] and a text.

    Parameters
    ----------
    names : sequence of str
    """

    def __init__(self, names):
        self.bars = [ipywidgets.FloatProgress(max=1, description=name) for name in names]
        self.texts = [ipywidgets.Label() for _ in names]
        super().__init__([ipywidgets.HBox(row) for row in zip(self.bars, self.texts, strict=True)])

    def show(self, values, texts):
        """Show a number and a text in every row."""
        for bar, label, value, text in zip(self.bars, self.texts, values, texts, strict=True):
            bar.value, label.value = float(value), text

    def show_decisions(self, logits, class_names):
        """Show the probability and the name of the class that each row's logits ``(classes,)`` choose."""
        probabilities = softmax(logits, axis=-1)
        self.show(probabilities.max(-1), [class_names[label] for label in probabilities.argmax(-1)])
