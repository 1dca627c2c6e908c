"""The latent square as one HTML file, drawn by the generator in the browser: ``python -m gan.standalone``."""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

from pathlib import Path
from string import Template

import numpy as np
from scipy.special import softmax

from common.live_page import embedded, few_greys, write
from gan.dragging import START
from gan.manifold import mosaic, square
from gan.models import load_classifier, load_generator
from gan.network_page import packed, page

COLUMNS = 20  # digits a side of the map
SIDE = 64  # points a side at which the classifier reads
SURE = 0.9  # probability

HERE = Path(__file__).parent


def figure():
    """Return the page: its weights are those of the committed generator with two latent numbers."""
    generator = load_generator(2)
    drawn = mosaic(np.asarray(generator(square(COLUMNS))), COLUMNS)
    values = {"map": embedded(few_greys(drawn[..., 0])), "columns": COLUMNS, "side": SIDE}
    data = {
        "generator": packed(generator, more=("Waves",)),
        "readings": readings(np.asarray(load_classifier("mnist")(generator(square(SIDE))))),
        "start": START,
    }
    return page("Two numbers draw a digit", _own("html", values), _own("js"), data, _own("css"))


def readings(logits):
    """Return a character for each row of logits ``(n, 10)``.

    The digit that the classifier reads; where its probability is below `SURE`, a letter from "A" for 0.
    """
    probabilities = softmax(logits, axis=-1)
    first = np.where(probabilities.max(-1) < SURE, ord("A"), ord("0"))
    return "".join(map(chr, first + probabilities.argmax(-1)))


def _own(kind, values=None):
    text = (HERE / f"standalone.{kind}").read_text(encoding="utf-8")
    return text if values is None else Template(text).substitute(values)


if __name__ == "__main__":
    path = write("gan", figure())
    print(f"{path}: {path.stat().st_size:,} bytes")
