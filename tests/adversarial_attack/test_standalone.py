"""The live figure: its answers are those of the networks, its pixels those of Python, and keys reach all."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import softmax
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from adversarial_attack import standalone
from adversarial_attack.examples import SHIPPED, load_examples
from adversarial_attack.held_out import as_jpeg
from adversarial_attack.judges import NETWORKS, logits
from common.data import load_imagenet_samples
from common.live_page import LARGEST
from common.pixels import as_bytes
from common.pretrained import load_classifier
from tests.browser import HAS_BROWSER, resize
from tests.standalone_pages import READABLE, carried, contrasts, rgb

SHOWN = standalone.PHOTOGRAPHS[:2]
CLEAN, ATTACKED, JPEG = range(3)  # the panels


@pytest.fixture(scope="module")
def html():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(standalone, "PHOTOGRAPHS", SHOWN)
        return standalone.figure()


@pytest.fixture(scope="module")
def data(html):
    return carried(html)


def expected(number, panel, strength, sigma):
    """Return the pixels of a panel, computed from the files without `standalone`, 0 to 255."""
    clean = load_imagenet_samples().images[number].astype(float)
    picture = 255 * as_jpeg(clean / 255, 90) if panel == JPEG else clean
    if panel == ATTACKED:
        picture = clean + (as_bytes(load_examples()[number]) - clean) * strength / 100
    picture = np.round(np.clip(picture, 0, 255))
    return np.round(ndimage.gaussian_filter(picture, (sigma, sigma, 0))) if sigma else picture


def test_the_photographs_are_the_first_that_all_networks_recognise():
    samples = load_imagenet_samples()
    right = [logits(name, samples.as_float()).argmax(-1) == samples.labels for name in SHIPPED]
    assert (
        tuple(np.flatnonzero(np.all(right, axis=0))[: len(standalone.PHOTOGRAPHS)]) == standalone.PHOTOGRAPHS
    )


def test_the_whole_page_is_not_too_large(monkeypatch):
    one = [[[999, 100]] * len(SHIPPED)] * len(standalone.SIGMAS)  # the longest answers
    monkeypatch.setattr(standalone, "answers", lambda pictures: [one] * len(pictures))
    html = standalone.figure()
    assert len(carried(html)["photographs"]) == len(standalone.PHOTOGRAPHS)
    assert len(html.encode()) < 0.9 * LARGEST


def test_it_carries_the_files_exactly(data):
    samples, examples = load_imagenet_samples(), load_examples()
    for number, shown in zip(SHOWN, data["photographs"], strict=True):
        clean = samples.images[number]
        assert data["names"][str(shown["label"])] == samples.class_names[samples.labels[number]]
        np.testing.assert_array_equal(rgb(shown["clean"]), clean)
        np.testing.assert_array_equal(rgb(shown["attacked"]), as_bytes(examples[number]))
        np.testing.assert_array_equal(rgb(shown["jpeg"]), as_bytes(as_jpeg(clean / 255, 90)))


@pytest.mark.parametrize("seed", range(4))
def test_the_answers_are_those_of_the_networks_about_these_pixels(data, seed):
    rng = np.random.default_rng(seed)
    place, strength, sigma = (int(rng.integers(n)) for n in (2, len(data["strengths"]), len(data["sigmas"])))
    said = data["photographs"][place]["said"]
    found = {ATTACKED: said["attacked"][strength][sigma], JPEG: said["jpeg"][sigma]}
    for panel, answers in found.items():
        values = SHOWN[place], panel, data["strengths"][strength], data["sigmas"][sigma]
        image = (expected(*values)[np.newaxis] / 255).astype("float32")
        for name, (number, sure) in zip(SHIPPED, answers, strict=True):
            probabilities = softmax(np.asarray(load_classifier(NETWORKS[name])(image))[0].astype(float))
            # A value at the edge of two bytes may round otherwise, so the best class may change at a tie.
            assert probabilities[number] == pytest.approx(probabilities.max(), abs=0.02)
            assert sure / 100 == pytest.approx(probabilities.max(), abs=0.02)


def choose(page, photograph, strength, sigma):
    """Set the controls, by the places of their values."""
    page.find_element(By.CSS_SELECTOR, f"[name=photograph][value='{photograph}']").click()
    script = (
        "arguments[0].value = arguments[1];"
        "arguments[0].dispatchEvent(new Event('input', {bubbles: true}))"
    )  # fmt: skip
    for name, place in (("strength", strength), ("sigma", sigma)):
        page.execute_script(script, page.find_element(By.ID, name), place)


def drawn(page, panel):
    """Return the pixels of the canvas of a panel."""
    return rgb(page.execute_script(f"return document.querySelectorAll('canvas')[{panel}].toDataURL()"))


@pytest.mark.skipif(not HAS_BROWSER, reason="needs chromium and chromium-driver")
class TestInTheBrowser:
    @pytest.mark.parametrize(
        ("photograph", "strength", "sigma"), [(0, 4, 0), (1, 6, 6), (1, 1, 1), (0, 3, 3)]
    )
    def test_it_draws_the_pixels_that_the_networks_saw(self, page, data, photograph, strength, sigma):
        choose(page, photograph, strength, sigma)
        label = data["names"][str(data["photographs"][photograph]["label"])]
        width = data["sigmas"][sigma]
        state = f"{label}, blurred by {width:g} pixels" if width else f"{label}, not blurred"
        canvas = page.find_element(By.TAG_NAME, "canvas")
        WebDriverWait(page, 10).until(lambda _: canvas.get_attribute("aria-label").endswith(state))
        wanted = [
            expected(SHOWN[photograph], panel, data["strengths"][strength], width) for panel in range(3)
        ]
        WebDriverWait(page, 10).until(
            lambda page: np.abs(drawn(page, ATTACKED) - wanted[ATTACKED]).max() <= 1
        )
        for panel in range(3):
            off = np.abs(drawn(page, panel) - wanted[panel])
            assert off.max() <= 1
            assert (off > 0).mean() < 0.001

    def test_it_says_what_each_network_answers(self, page, data):
        choose(page, 1, 2, 5)
        shown = data["photographs"][1]
        summary = page.find_element(By.ID, "summary")
        label = data["names"][str(shown["label"])]
        WebDriverWait(page, 10).until(lambda _: label in summary.text and "2.5 pixels" in summary.text)
        said = [shown["said"]["attacked"][0][5], shown["said"]["attacked"][2][5], shown["said"]["jpeg"][5]]
        for panel, answers in zip(page.find_elements(By.CLASS_NAME, "panel"), said, strict=True):
            texts = [text.text for text in panel.find_elements(By.CLASS_NAME, "answer")]
            verdicts = ["right" if number == shown["label"] else "wrong" for number, _ in answers]
            assert [text.replace("\xa0", " ") for text in texts] == [
                f"{data['names'][str(number)]} ({sure} %), {verdict}"
                for (number, sure), verdict in zip(answers, verdicts, strict=True)
            ]
        spoken = page.find_element(By.ID, "spoken")
        WebDriverWait(page, 10).until(lambda _: "Attack at 50 %" in spoken.get_attribute("textContent"))

    def test_it_starts_at_the_stored_attack_and_names_what_the_attack_did_not_know(self, page):
        texts = [text.text for text in page.find_elements(By.CSS_SELECTOR, "label output")]
        WebDriverWait(page, 10).until(lambda _: page.find_element(By.ID, "summary").text)
        texts = [text.text for text in page.find_elements(By.CSS_SELECTOR, "label output")]
        assert texts == [f"{standalone.START['strength']} %", f"{standalone.START['sigma']:g} pixels"]
        networks = [text.text for text in page.find_elements(By.CLASS_NAME, "network")]
        unknown = [name for name in networks if name.endswith("(unknown to the attack)")]
        assert unknown == ["EfficientNet-Lite2 (unknown to the attack)"] * 3

    @pytest.mark.parametrize("name", ["strength", "sigma"])
    def test_keys_move_the_sliders_and_the_focus_is_seen(self, page, name):
        WebDriverWait(page, 10).until(lambda _: page.find_element(By.ID, "summary").text)
        slider = page.find_element(By.ID, name)
        before = slider.get_attribute("aria-valuetext")
        slider.send_keys(Keys.ARROW_RIGHT)
        assert slider.value_of_css_property("outline-style") == "solid"
        WebDriverWait(page, 10).until(lambda _: slider.get_attribute("aria-valuetext") != before)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 900])
    def test_it_is_readable_at_every_width_and_in_both_themes(self, page, width, scheme):
        resize(page, width, 800, scheme)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        texts = "#summary, legend, .answer span, .network, label, .faint"
        assert min(contrasts(page, texts)) >= READABLE
