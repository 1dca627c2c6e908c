"""Live figures: each is one HTML file that needs no kernel, no server and no network."""

import base64
import io
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from common.arguments import check_range
from common.files import write_atomically

HERE = Path(__file__).parent
FOLDER = HERE.parent / "build" / "standalone"
LARGEST = 2_000_000  # bytes
GREYS = 16  # the eye hardly sees more, and the file halves


def page(title: str, body: str, script: str, data: Mapping[str, Any], style: str = "") -> str:
    """Return one HTML page that requests nothing; its content policy forbids requests.

    Parameters
    ----------
    title : str
    body : str
        HTML below the title.
    script : str
        JavaScript that runs after ``live_page.js`` and reads the data with ``carried("data")``.
    data : mapping
        JSON.
    style : str
        CSS in addition to ``live_page.html``.
    """
    template = Template((HERE / "live_page.html").read_text(encoding="utf-8"))
    scripts = (HERE / "live_page.js").read_text(encoding="utf-8") + script
    # Without "<", no text in the data can end the script.
    carried = json.dumps(data).replace("<", "\\u003c")
    return template.substitute(title=escape(title), body=body, style=style, data=carried, scripts=scripts)


def few_greys(image: ArrayLike) -> bytes:
    """Return the PNG of an image ``(height, width)`` in [0, 1] with `GREYS` grey values.

    Raises
    ------
    ValueError
        NaN or infinity, or values up to 255.
    """
    check_range(image)
    levels = np.round((GREYS - 1) * np.clip(image, 0, 1)).astype("uint8")
    picture = Image.fromarray(levels, "P")
    picture.putpalette(np.repeat(np.arange(GREYS) * 255 // (GREYS - 1), 3).astype("uint8").tobytes())
    file = io.BytesIO()
    picture.save(file, "png", optimize=True, bits=4)
    return file.getvalue()


def embedded(picture: bytes, kind: str = "png") -> str:
    """Return a picture file as a data URL, with which a page carries the picture itself."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def write(study: str, html: str) -> Path:
    """Write ``build/standalone/<study>.html`` and return its path.

    Raises
    ------
    ValueError
        The page has more than `LARGEST` bytes.
    """
    content = html.encode()
    if len(content) > LARGEST:
        raise ValueError(f"The figure of {study} has {len(content):,} bytes; {LARGEST:,} are allowed.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{study}.html"
    write_atomically(path, content)
    return path
