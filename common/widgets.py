"""Parts of the explorers: a picture, bars of numbers, and a square in which a point is dragged."""

import io
from collections.abc import Sequence

import ipywidgets
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image
from scipy.special import softmax

from common.plotting import check_range

SIDE = 280  # pixels on the screen


def picture(image: ArrayLike, side: int = SIDE) -> bytes:
    """Return an image as the bytes of a PNG, enlarged without smoothing.

    Parameters
    ----------
    image : array, shape (height, width, 1 or 3)
        Float, in [0, 1]; values little beyond are drawn as the nearest end.
    side : int
        Pixels of the longer side.

    Raises
    ------
    ValueError
        Another shape, no pixels, NaN or infinity, values up to 255, or a side below one pixel.
    """
    image = np.asarray(image, float)
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not image.size:
        raise ValueError(f"An image must be (height, width, 1 or 3), but the shape is {image.shape}.")
    check_range(image)
    if side < 1:
        raise ValueError(f"side must be at least 1 pixel, not {side}.")
    stored = np.round(255 * np.clip(image, 0, 1)).astype("uint8")
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

    def __init__(self, names: Sequence[str]) -> None:
        self.bars = [ipywidgets.FloatProgress(max=1, description=name) for name in names]
        self.texts = [ipywidgets.Label() for _ in names]
        super().__init__([ipywidgets.HBox(row) for row in zip(self.bars, self.texts, strict=True)])

    def show(self, values: ArrayLike, texts: Sequence[str]) -> None:
        """Show a number in [0, 1] and a text in every row; raise ValueError for other numbers or too few."""
        values = np.asarray(values, float)
        if values.shape != (len(self.bars),) or len(texts) != len(self.bars):
            raise ValueError(
                f"{len(self.bars)} bars need as many numbers and texts, not {values} and {texts}."
            )
        if not (abs(values - 0.5) < 0.501).all():
            raise ValueError(f"A bar shows a number in [0, 1], not {values}.")
        for bar, label, value, text in zip(self.bars, self.texts, values, texts, strict=True):
            bar.value, label.value = float(value), text

    def show_decisions(self, logits: ArrayLike, class_names: Sequence[str]) -> None:
        """Show the probability and the name of the class that each row's logits choose.

        Parameters
        ----------
        logits : array, shape (bars, classes)
        class_names : sequence of str
            One for each class.

        Raises
        ------
        ValueError
            Another shape, another number of names, or NaN.
        """
        logits = np.asarray(logits, float)
        if logits.shape != (len(self.bars), len(class_names)):
            wanted = f"{len(self.bars)} rows of {len(class_names)} classes"
            raise ValueError(f"logits must be {wanted}, but the shape is {logits.shape}.")
        probabilities = softmax(logits, axis=-1)
        self.show(probabilities.max(-1), [class_names[label] for label in probabilities.argmax(-1)])
