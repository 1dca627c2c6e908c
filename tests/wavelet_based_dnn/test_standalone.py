"""The live figure: its numbers are those of `classify`, its pixels those of the scene, and keys reach all."""

import re
from functools import cache

import numpy as np
import pytest
from scipy.special import softmax
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from common.data import load_dataset
from common.live_page import GREYS, LARGEST
from tests.browser import HAS_BROWSER, resize
from tests.standalone_pages import READABLE, carried, contrasts, rgb
from wavelet_based_dnn import standalone
from wavelet_based_dnn.demonstration import scene, veiled
from wavelet_based_dnn.models import count_macs, load_dynamic_classifier
from wavelet_based_dnn.refinement import classify

HALF_A_GREY = 0.5 / (GREYS - 1)


shipped = cache(load_dynamic_classifier)  # so that each network is compiled once


@pytest.fixture(scope="module")
def html():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(standalone, "load_dynamic_classifier", shipped)
        return standalone.figure()


@pytest.fixture(scope="module")
def scenes(html):
    return carried(html)["scenes"]


def drawn(dataset, number, side, canvas):
    test = load_dataset(dataset).test
    return scene(test.as_float(), test.labels, number, side, canvas)


def decoded(shown):
    """Return the grey values, in [0, 1], of a scene's picture."""
    return rgb(shown["image"]).mean(-1) / 255


def test_it_has_every_combination_and_is_not_too_large(html, scenes):
    counts = [len(each) for each in (standalone.DATASETS, standalone.SIDES, standalone.CANVASES)]
    assert len(scenes) == np.prod([*counts, standalone.SCENES])
    assert {len(shown["readings"]) for shown in scenes.values()} == {len(standalone.BUDGETS)}
    assert len(html.encode()) < LARGEST


@pytest.mark.parametrize("dataset", standalone.DATASETS)
@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_are_those_of_the_network(scenes, dataset, seed):
    rng = np.random.default_rng(seed)
    number, budget = int(rng.integers(standalone.SCENES)), int(rng.integers(len(standalone.BUDGETS)))
    side, canvas = (int(rng.choice(each)) for each in (standalone.SIDES, standalone.CANVASES))
    network, expected = shipped(dataset), drawn(dataset, number, side, canvas)
    reading = classify(network, expected.images, budget=standalone.BUDGETS[budget])
    shown = scenes[f"{dataset},{number},{side},{canvas}"]
    said = shown["readings"][budget]
    assert (shown["label"], shown["box"]) == (expected.labels[0], expected.boxes[0].tolist())
    assert np.abs(decoded(shown) - expected.images[0, ..., 0]).max() <= HALF_A_GREY + 1e-6
    assert [[int(bit) for bit in bits] for bits in said["tiles"]] == [
        tiles[0].ravel().astype(int).tolist() for tiles in reading.tiles
    ]
    probabilities = [softmax(logits[0].astype(float)) for logits in reading.logits]
    assert said["answers"] == [int(each.argmax()) for each in probabilities]
    np.testing.assert_allclose(said["sure"], [each.max() for each in probabilities], atol=2e-3)
    computed = [int(tiles.sum()) for tiles in reading.tiles]
    assert said["macs"] == count_macs(network, canvas, canvas, computed)[-1]
    assert shown["all"] == count_macs(network, canvas, canvas)[-1]


def choose(page, **values):
    for name, value in values.items():
        page.find_element(By.CSS_SELECTOR, f"[name={name}][value='{value}']").click()


def pixels(page, name):
    return rgb(page.execute_script("return document.querySelector(arguments[0]).toDataURL()", name)) / 255


def middles(page, name, width):
    """Return the grey values in the middle of each of width x width equal squares of a canvas."""
    values = pixels(page, name)
    at = ((np.arange(width) + 0.5) * len(values) / width).astype(int)
    return values[at[:, None], at].mean(-1)


def grid(bits):
    side = round(len(bits) ** 0.5)
    return np.array([bit == "1" for bit in bits]).reshape(side, side)


@pytest.mark.skipif(not HAS_BROWSER, reason="needs chromium and chromium-driver")
class TestInTheBrowser:
    @pytest.mark.parametrize("canvas", standalone.CANVASES)
    def test_it_draws_the_scene_with_the_veil_and_what_the_levels_read(self, page, scenes, canvas):
        choose(page, dataset="fashion_mnist", number=1, canvas=canvas, budget=0)
        shown = scenes[f"fashion_mnist,1,{standalone.START['side']},{canvas}"]
        image, tiles = decoded(shown), [grid(bits) for bits in shown["readings"][0]["tiles"]]
        expected = veiled(image[..., None], tiles[-1])[..., 0]
        # The frames of the tiles lie on pixels at their edges.
        inner = np.add.outer(*[np.isin(np.arange(canvas) % 32, (0, 31))] * 2) == 0
        inner[-1] = inner[:, -1] = False
        WebDriverWait(page, 10).until(
            lambda page: np.abs(middles(page, "#scene", canvas) - expected)[inner].max() < 0.01
        )
        for level, block in enumerate((8, 4, 2, 1), 1):
            side = -(-canvas // block)
            padded = np.pad(image, (0, side * block - canvas)).reshape(side, block, side, block).mean((1, 3))
            read = tiles[level - 1].repeat(32, 0).repeat(32, 1)[:side, :side]
            small = middles(page, f"#levels li:nth-child({level}) canvas", side)
            np.testing.assert_allclose(small, np.where(read, padded, 0.25 + 0.25 * padded), atol=0.01)

    def test_it_says_what_each_level_answers_and_what_that_costs(self, page, scenes):
        choose(page, budget=2, side=14)
        shown = scenes["mnist,0,14,224"]
        said = shown["readings"][2]
        share = f"{100 * said['macs'] / shown['all']:.0f} %"
        summary = page.find_element(By.ID, "summary")
        WebDriverWait(page, 10).until(lambda _: share in summary.text)
        assert f"{said['macs'] / 1e6:.0f} million" in summary.text
        rows = page.find_elements(By.CSS_SELECTOR, "#levels li")
        for row, answer, bits in zip(rows, said["answers"], said["tiles"], strict=True):
            verdict = "right" if answer == shown["label"] else "wrong"
            assert re.match(rf"{answer} \(\d+ %\), {verdict}\n", row.text)
            assert f"{bits.count('1')} of {len(bits)} tiles" in row.text
        spoken = page.find_element(By.ID, "spoken")
        WebDriverWait(page, 10).until(lambda _: share in spoken.get_attribute("textContent"))

    def test_keys_change_the_budget_and_the_focus_is_seen(self, page):
        first = page.find_element(By.CSS_SELECTOR, "[name=budget]:checked")
        before = page.find_element(By.ID, "summary").text
        first.send_keys(Keys.ARROW_RIGHT)
        active = page.switch_to.active_element
        assert (active.get_attribute("name"), active.is_selected()) == ("budget", True)
        assert active.value_of_css_property("outline-style") == "solid"
        WebDriverWait(page, 10).until(lambda _: page.find_element(By.ID, "summary").text != before)

    def test_a_mark_shows_the_object(self, page):
        def blue(page):
            values = pixels(page, "#scene")
            return (values[..., 2] > values[..., 0] + 0.4).sum()

        assert blue(page) == 0
        page.find_element(By.ID, "mark").send_keys(Keys.SPACE)
        WebDriverWait(page, 10).until(lambda page: blue(page) > 100)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 900])
    def test_it_is_readable_at_every_width_and_in_both_themes(self, page, width, scheme):
        resize(page, width, 800, scheme)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        texts = "#summary, legend, .answer span, .tiles, label"
        assert min(contrasts(page, texts)) >= READABLE
