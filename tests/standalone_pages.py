"""What the tests of the standalone pages read: data, pictures and contrasts."""

import base64
import io
import json
import re

import numpy as np
from PIL import Image
from selenium.webdriver.common.by import By

READABLE = 4.5  # least contrast of a text, by WCAG 2.2, 1.4.3


def carried(html):
    """Return the data that a page carries."""
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1]
    )


def rgb(address):
    """Return the red, green and blue values, uint8, of a picture in a data URL."""
    content = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def contrasts(page, texts):
    """Return the contrast of each text that a CSS selector finds with the page's background, by WCAG 2.2."""
    body = page.find_element(By.TAG_NAME, "body")
    behind = luminance(body.value_of_css_property("background-color"))
    found = page.find_elements(By.CSS_SELECTOR, texts)
    pairs = [sorted([behind, luminance(text.value_of_css_property("color"))]) for text in found]
    return [(bright + 0.05) / (dark + 0.05) for dark, bright in pairs]


def luminance(colour):
    """Return the relative luminance of a CSS colour, by WCAG 2.2."""
    values = np.array([int(each) for each in re.findall(r"\d+", colour)[:3]]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]
