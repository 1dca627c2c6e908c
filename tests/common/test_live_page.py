"""A live figure: its texts and data are escaped, it requests nothing, and it follows the theme around it."""

import io

import numpy as np
import pytest
from PIL import Image

from common import live_page
from tests.browser import HAS_BROWSER, chromium, logged


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    (folder / "page.html").write_text(live_page.page("a < b", "", "", {"text": "</script><b>&"}))
    with chromium(folder / "browser") as driver:
        driver.get((folder / "page.html").as_uri())
        yield driver


@pytest.mark.skipif(not HAS_BROWSER, reason="needs chromium and chromium-driver")
class TestInTheBrowser:
    def test_a_framed_page_has_the_theme_of_the_page_around_it(self, browser):
        script = """const done = arguments[0], frame = document.createElement("iframe");
        frame.srcdoc = document.documentElement.outerHTML;
        frame.onload = () => {
          const scheme = () => getComputedStyle(frame.contentDocument.documentElement).colorScheme;
          const first = scheme();
          document.documentElement.dataset.theme = "dark";
          requestAnimationFrame(() => done([first, scheme()]));
        };
        document.body.append(frame);"""
        assert browser.execute_async_script(script) == ["light dark", "dark"]

    @pytest.mark.parametrize("height", [80, 2000])
    def test_a_framed_page_is_as_high_as_its_content(self, browser, height):
        browser.refresh()
        script = """const [height, done] = arguments, frame = document.createElement("iframe");
        frame.style.border = 0;
        frame.srcdoc = document.documentElement.outerHTML;
        frame.onload = () => {
          const inside = frame.contentDocument, block = inside.createElement("div");
          block.style.height = `${height}px`;
          inside.querySelector("main").replaceChildren(block);
          setTimeout(() => done([frame.clientHeight, inside.documentElement.scrollHeight]), 300);
        };
        document.body.append(frame);"""
        shown, needed = browser.execute_async_script(script, height)
        assert shown == needed
        assert height < shown < height + 50  # the page's padding

    def test_texts_are_escaped_and_nothing_can_be_requested(self, browser):
        assert browser.execute_script('return carried("data").text') == "</script><b>&"
        assert browser.title == "a < b"
        assert not logged(browser)
        fetch = "const done = arguments[0]; fetch('https://example.org').then(() => done(1), () => done(0))"
        assert browser.execute_async_script(fetch) == 0
        assert "Content Security Policy" in "".join(logged(browser))


@pytest.mark.parametrize("shape", [(1, 1), (3, 17), (40, 8)])
def test_few_greys_are_the_nearest(shape):
    image = np.random.default_rng(0).random(shape)
    read = np.asarray(Image.open(io.BytesIO(live_page.few_greys(image))).convert("L")) / 255
    assert read.shape == shape
    assert np.abs(read - image).max() <= 0.5 / (live_page.GREYS - 1) + 1e-9


def test_what_is_no_image_has_no_png():
    with pytest.raises(ValueError, match=r"255"):
        live_page.few_greys(np.full((2, 2), 255))


def test_a_page_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match=r"2,000,001 bytes; 2,000,000 are allowed"):
        live_page.write("none", "x" * (live_page.LARGEST + 1))
    assert not (live_page.FOLDER / "none.html").exists()
