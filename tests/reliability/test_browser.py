"""The explorers in JupyterLab in a real headless browser."""

import os
import subprocess
import sys
import time

import nbformat
import pytest
from jupyter_server.serverapp import list_running_servers
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from common.notebooks import ROOT, code_cells, read
from tests.browser import HAS_BROWSER, chromium, resize

pytestmark = pytest.mark.skipif(not HAS_BROWSER, reason="needs chromium and chromium-driver")
PATIENCE = 180  # seconds, for a kernel that imports TensorFlow on a busy machine
CELL = ".jp-Notebook .jp-CodeCell"
KERNEL = "return window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status"
WIDGETS = ".jp-OutputArea-output .jupyter-widgets"
STUDIES = ["gan", "wavelet_based_dnn"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        resize(driver, 1400, 3000)  # so that JupyterLab shows all cells
        yield driver


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab on the cells of two explorers without outputs; return its address without a path.

    They share a kernel, which imports TensorFlow once. The other explorers are of the same widgets;
    tests/repository/test_explorers.py moves theirs in Python.
    """
    folder = tmp_path_factory.mktemp("lab")
    written = [read(ROOT / study / "explore.ipynb") for study in STUDIES]
    cells = [nbformat.v4.new_code_cell(code_cells(notebook)[0].source) for notebook in written]
    kernel = {"kernelspec": written[0].metadata["kernelspec"]}  # or JupyterLab would ask for one
    (folder / "lab").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "lab" / "explore.ipynb")
    folders = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("RUNTIME", "CONFIG", "DATA")}
    environment = os.environ | folders | {"PYTHONPATH": str(ROOT)}
    options = ["--no-browser", "--allow-root", "--expose-app-in-browser", "--IdentityProvider.token="]
    # A kernel whose page was closed is ended, for its memory.
    options += [f"--MappingKernelManager.cull_{name}=5" for name in ("idle_timeout", "interval")]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        *options,
        "--port=0",
        f"--ServerApp.root_dir={folder / 'lab'}",
    ]
    silent = {"stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment, **silent)
    deadline = time.monotonic() + PATIENCE
    try:
        while not (servers := list(list_running_servers(folders["JUPYTER_RUNTIME_DIR"]))):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield servers[0]["url"]
    finally:
        process.kill()
        process.wait()


def wait(browser, condition):
    return WebDriverWait(browser, PATIENCE, poll_frequency=0.2).until(condition)


@pytest.fixture(scope="module")
def shown(browser, lab):
    """Run the notebook; return a function from a study and a selector to what is found in its output."""
    browser.get(f"{lab}lab/tree/explore.ipynb?reset")
    wait(browser, lambda b: len(b.find_elements(By.CSS_SELECTOR, CELL)) == len(STUDIES))
    wait(browser, lambda b: b.execute_script(KERNEL) == "idle")
    browser.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def find(study, selector):
        cell = browser.find_elements(By.CSS_SELECTOR, CELL)[STUDIES.index(study)]
        return wait(cell, lambda c: c.find_element(By.CSS_SELECTOR, f"{WIDGETS} {selector}"))

    return find


def test_a_dragged_point_changes_the_digit(browser, shown):
    canvas = shown("gan", "canvas")
    picture = shown("gan", "img")
    before = picture.get_attribute("src")
    drag = ActionChains(browser).move_to_element(canvas).click_and_hold()
    drag.move_by_offset(60, 40).move_by_offset(30, -90).release().perform()
    wait(browser, lambda _: picture.get_attribute("src") != before)


def test_a_moved_slider_changes_the_picture(browser, shown):
    picture = shown("wavelet_based_dnn", "img")
    before = picture.get_attribute("src")
    shown("wavelet_based_dnn", ".noUi-handle").send_keys(Keys.ARROW_RIGHT)
    wait(browser, lambda _: picture.get_attribute("src") != before)
