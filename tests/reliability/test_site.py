"""The site: whole, readable on a phone and in the dark, searchable, and silent towards other machines."""

import ast
import functools
import http.server
import json
import re
import runpy
import shutil
import subprocess
import sys
import threading
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag, urlparse

import pytest

from common.notebooks import ROOT, paths

pytest.importorskip("sphinx_book_theme")
bs4 = pytest.importorskip("bs4")
tables = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "tables.py")))

DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium")
needs_browser = pytest.mark.skipif(not (DRIVER and BROWSER), reason="needs chromium and chromium-driver")
LOADED = {"img": "src", "script": "src", "iframe": "src", "link": "href", "source": "src"}
# A word of each study that no other text has.
WORDS = {
    "adversarial_attack": "EfficientNet",
    "cnn_vs_dense": "unscrambling",
    "gan": "manifold",
    "wavelet_based_dnn": "Haar",
}


STATE = """return {
    theme: document.documentElement.dataset.theme,
    wider: Math.max(0, document.documentElement.scrollWidth - window.innerWidth),
    missing: [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src),
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site with warnings as errors; return its folder.

    The live figures, which need TensorFlow, are tested by themselves; what is there already is taken along.
    """
    folder = tmp_path_factory.mktemp("site")
    options = [
        "-c",
        "docs",
        "-d",
        folder / "doctrees",
        "-D",
        "write_live_figures=0",
        "-q",
        "-W",
        "--keep-going",
    ]
    command = [sys.executable, "-m", "sphinx", *map(str, options), ".", str(folder / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (built.returncode, built.stderr) == (0, "")
    return folder / "site"


@pytest.fixture(scope="module")
def parsed(site):
    """Return every page of the site from its path."""
    pages = sorted(site.glob("**/*.html"))
    pages = [page for page in pages if "_static" not in page.parts]
    return {page: bs4.BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser") for page in pages}


@pytest.mark.parametrize("name", tables.PAGES)
def test_the_tables_are_those_of_the_evidence(name):
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert tables.filled(page) == page, "`make notebooks` writes them anew."


def test_every_preprint_that_a_text_names_is_in_the_bibliography():
    bibliography = (ROOT / "docs/references.bib").read_text(encoding="utf-8")
    texts = [*ROOT.glob("[!.]*/*.py"), *ROOT.glob("common/*/*.py"), *paths()]
    named = {text: re.findall(r"arXiv:(\d{4}\.\d{5})", text.read_text(encoding="utf-8")) for text in texts}
    missing = {name: [i for i in found if f"{{{i}}}" not in bibliography] for name, found in named.items()}
    assert sum(map(len, named.values())) > 40
    assert not any(missing.values()), missing


def names_defined(*modules):
    nodes = [node for path in modules for node in ast.parse(path.read_text(encoding="utf-8")).body]
    return {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name[0] != "_"}


def test_every_public_function_and_class_of_common_is_documented(parsed):
    shown = {tag["id"] for soup in parsed.values() for tag in soup.select("dt.sig[id]")}
    for path in (ROOT / "common").glob("[!_]*.py"):
        assert {f"common.{path.stem}.{name}" for name in names_defined(path)} <= shown
    for init in (ROOT / "common").glob("*/__init__.py"):
        package = init.parent.name
        inside = {name.rpartition(".")[2] for name in shown if name.startswith(f"common.{package}.")}
        exported = re.findall(r"__all__ = (\[.*?\])", init.read_text(encoding="utf-8"), re.DOTALL)
        names = {name for found in exported for name in ast.literal_eval(found)}
        assert names & names_defined(*init.parent.glob("*.py")) <= inside


def test_every_notebook_has_a_page_with_its_pictures_and_folded_code(parsed, site):
    for path in paths():
        page = parsed[site / path.relative_to(ROOT).with_suffix(".html")]
        shown = json.loads(path.read_text(encoding="utf-8"))["cells"]
        pictures = sum("image/png" in o.get("data", {}) for c in shown for o in c.get("outputs", []))
        assert len(page.select("div.cell_output img")) == pictures
        assert not page.select("div.cell_input:not(details div.cell_input)")


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(parsed, site):
    places = {page: {tag["id"] for tag in soup.find_all(id=True)} for page, soup in parsed.items()}
    for page, soup in parsed.items():
        for tag in soup.find_all([*LOADED, "a"]):
            link = tag.get(LOADED.get(tag.name, "href"))
            if not link or (tag.name == "link" and tag.get("rel") in (["search"], ["canonical"])):
                continue
            address, anchor = urldefrag(link)
            if urlparse(address).scheme:
                assert tag.name == "a" or address.startswith("data:"), (page, link)
                continue
            target = (page.parent / unquote(urlparse(address).path)).resolve() if address else page
            assert target.is_file(), (page, link)
            assert not anchor or unquote(anchor) in places.get(target, {unquote(anchor)}), (page, link)


def test_every_picture_has_a_text(parsed):
    missing = {page.name: img for page, soup in parsed.items() for img in soup.find_all("img", alt=False)}
    empty = {page.name: img for page, soup in parsed.items() for img in soup.find_all("img", alt="")}
    assert missing | empty == {}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    switches = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run",
                "disable-background-networking", "disable-component-update", "disable-sync",
                f"user-data-dir={tmp_path_factory.mktemp('browser')}")  # fmt: skip
    for switch in switches:
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as driver:
        yield driver


@pytest.fixture(scope="module")
def served(site):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def requests(browser):
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    sent = (m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent")
    return [url for url in sent if not url.startswith(("data:", "blob:", "chrome:", "about:"))]


@needs_browser
@pytest.mark.parametrize(("width", "theme"), [(1400, "light"), (400, "dark")])
def test_pages_are_whole_at_every_width_and_in_both_themes(browser, served, parsed, site, width, theme):
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    # What is too wide shows on a phone; a wide screen needs one page of each kind.
    wide = [page for page in parsed if page.name.startswith("01") or page.parent == site / "docs"]
    for page in wide if width == 1400 else set(parsed) - {site / "index.html"}:
        browser.get(served + str(page.relative_to(site)))
        state = browser.execute_script(STATE)
        assert (state["wider"], state["missing"]) == (0, []), page.name
        assert state["theme"] in (theme, None), page.name  # a live figure has no button for it
    assert [url for url in requests(browser) if not url.startswith(served)] == []
    severe = [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    assert [message for message in severe if "favicon" not in message] == []


@needs_browser
@pytest.mark.parametrize("study", WORDS)
def test_search_finds_a_word_of_each_study(browser, served, study):
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(f"{served}search.html?q={WORDS[study]}")
    found = "return [...document.querySelectorAll('ul.search li a')].map(a => a.href)"
    WebDriverWait(browser, 20).until(lambda b: any(f"/{study}/" in url for url in b.execute_script(found)))
