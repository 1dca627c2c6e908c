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

from common.notebooks import ROOT, code_cells, explorers, read
from tests.browser import HAS_BROWSER, chromium, resize

pytestmark = pytest.mark.skipif(not HAS_BROWSER, reason="needs chromium and chromium-driver")
PATIENCE = 180  # seconds, for a kernel that imports TensorFlow on a busy machine
KERNEL = "return window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status"
WIDGETS = ".jp-OutputArea-output .jupyter-widgets"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        resize(driver, 1400, 1000)
        yield driver


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab on copies of the explorers without outputs; return its address without a path."""
    folder = tmp_path_factory.mktemp("lab")
    for path in explorers():
        copy, notebook = folder / "lab" / path.relative_to(ROOT), read(path)
        copy.parent.mkdir(parents=True)
        (cell,) = code_cells(notebook)
        cell.outputs = []
        del notebook.metadata["widgets"]
        nbformat.write(notebook, copy)
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


def open_explorer(browser, lab, study):
    browser.get(f"{lab}lab/tree/{study}/explore.ipynb?reset")
    wait(browser, lambda b: b.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell"))
    wait(browser, lambda b: b.execute_script(KERNEL) == "idle")
    browser.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    wait(browser, lambda b: b.find_elements(By.CSS_SELECTOR, f"{WIDGETS} img"))


def picture(browser):
    return browser.find_element(By.CSS_SELECTOR, f"{WIDGETS} img").get_attribute("src")


def test_a_dragged_point_changes_the_digit(browser, lab):
    open_explorer(browser, lab, "gan")
    canvas = wait(browser, lambda b: b.find_element(By.CSS_SELECTOR, f"{WIDGETS} canvas"))
    before = picture(browser)
    drag = ActionChains(browser).move_to_element(canvas).click_and_hold()
    drag.move_by_offset(60, 40).move_by_offset(30, -90).release().perform()
    wait(browser, lambda b: picture(b) != before)


def test_a_moved_slider_changes_the_picture(browser, lab):
    # The other explorers are of the same widgets; tests/repository/test_explorers.py moves theirs in Python.
    open_explorer(browser, lab, "wavelet_based_dnn")
    before = picture(browser)
    slider = browser.find_element(By.CSS_SELECTOR, f"{WIDGETS} .noUi-handle")
    slider.send_keys(Keys.ARROW_RIGHT)
    wait(browser, lambda b: picture(b) != before)
