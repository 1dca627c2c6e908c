"""Parts of the explorers: labelled controls, a picture with a caption, and bars of numbers."""

import io
from collections.abc import Sequence

import ipywidgets
import numpy as np
import traitlets
from numpy.typing import ArrayLike
from PIL import Image
from scipy.special import softmax

from common.arguments import as_labels, check_logits, check_range
from common.pixels import as_bytes

SIDE = 280  # pixels on the screen
# Arguments of a control that leave room for its description.
LABELLED = {"style": {"description_width": "9rem"}, "layout": {"width": "28rem"}}


def picture(image: ArrayLike, side: int = SIDE) -> bytes:
    """Return an image as the bytes of a PNG, enlarged without smoothing.

    Parameters
    ----------
    image : array, shape (height, width, 1 or 3)
        Float, in [0, 1]; values slightly outside are clipped.
    side : int
        Pixels of the longer side.

    Raises
    ------
    ValueError
        A wrong shape, no pixels, NaN or infinity, values up to 255, or a side below one pixel.
    """
    check_range(image)
    image = np.asarray(image, float)
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not image.size:
        raise ValueError(f"An image must be (height, width, 1 or 3), but the shape is {image.shape}.")
    if side < 1:
        raise ValueError(f"side must be at least 1 pixel, not {side}.")
    stored = as_bytes(image)
    scale = side / max(image.shape[:2])
    size = [max(1, round(scale * pixels)) for pixels in (image.shape[1], image.shape[0])]
    file = io.BytesIO()
    Image.fromarray(stored.squeeze(-1) if image.shape[2] == 1 else stored).resize(
        size, Image.Resampling.NEAREST
    ).save(file, "png")
    return file.getvalue()


class Titled(ipywidgets.Image):
    """An image with a tooltip, which screen readers read aloud.

    ipywidgets 8 cannot show the tooltip of a widget without a description.
    """

    description = traitlets.Unicode("").tag(sync=True)


class Picture(ipywidgets.VBox):
    """An image under its caption, which screen readers also read aloud.

    Parameters
    ----------
    caption : str
    side : int
        Pixels of the longer side.
    """

    def __init__(self, caption: str, side: int = SIDE) -> None:
        self.side = side
        self.image = Titled(format="png", tooltip=caption)
        super().__init__([ipywidgets.Label(caption), self.image], layout={"margin": "0 1rem 0 0"})

    def show(self, image: ArrayLike) -> None:
        """Show an image as `picture` draws it."""
        self.image.value = picture(image, self.side)


class Bars(ipywidgets.VBox):
    """One row for each name: a bar for a number in [0, 1] and a text.

    Parameters
    ----------
    names : sequence of str
    width : str
        Width of the longest name in CSS units.
    """

    def __init__(self, names: Sequence[str], width: str = "9rem") -> None:
        layout = {"style": {"description_width": width}, "layout": {"width": f"calc({width} + 10rem)"}}
        self.bars = [ipywidgets.FloatProgress(max=1, description=name, **layout) for name in names]
        self.texts = [ipywidgets.Label() for _ in names]
        super().__init__([ipywidgets.HBox(row) for row in zip(self.bars, self.texts, strict=True)])

    def show(self, values: ArrayLike, texts: Sequence[str]) -> None:
        """Show a number in [0, 1] and a text in every row; raise ValueError for a wrong number or count."""
        values = np.asarray(values, float)
        if values.shape != (len(self.bars),) or len(texts) != len(self.bars):
            raise ValueError(f"{len(self.bars)} bars need as many numbers and texts, not {len(texts)}.")
        if not (abs(values - 0.5) < 0.501).all():
            raise ValueError(f"A bar shows a number in [0, 1], not {values}.")
        for bar, label, value, text in zip(self.bars, self.texts, values, texts, strict=True):
            bar.value, label.value = float(value), text

    def show_decisions(self, logits: ArrayLike, class_names: Sequence[str], label: int) -> None:
        """Show the class, the probability and the correctness of the decision in each row of logits.

        Parameters
        ----------
        logits : array, shape (bars, classes)
        class_names : sequence of str
        label : int
            The right class.

        Raises
        ------
        ValueError
            Logits of another shape, probabilities or NaN; a label that is no class.
        """
        logits = np.asarray(logits, float)
        if logits.shape != (len(self.bars), len(class_names)):
            wanted = f"{len(self.bars)} rows of {len(class_names)} classes"
            raise ValueError(f"logits must be {wanted}, but the shape is {logits.shape}.")
        check_logits(logits)
        as_labels([label], 1, len(class_names))
        probabilities = softmax(logits, axis=-1)
        chosen, values = probabilities.argmax(-1), probabilities.max(-1)
        verdicts = ["right" if number == label else "wrong" for number in chosen]
        named = zip(chosen, values, verdicts, strict=True)
        self.show(
            values, [f"{class_names[number]} ({100 * value:.0f} %), {said}" for number, value, said in named]
        )
        for bar, verdict in zip(self.bars, verdicts, strict=True):
            bar.bar_style = {"right": "success", "wrong": "danger"}[verdict]


def arranged(
    pictures: Sequence[ipywidgets.Widget], controls: Sequence[ipywidgets.Widget], bars: Bars
) -> ipywidgets.VBox:
    """Return pictures side by side above controls and bars; narrow screens wrap the rows."""
    wrapping = {"flex_flow": "row wrap"}
    below = ipywidgets.HBox([ipywidgets.VBox(controls), bars], layout=wrapping)
    return ipywidgets.VBox([ipywidgets.HBox(pictures, layout=wrapping), below])
