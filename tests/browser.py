"""A headless Chromium for tests."""

import contextlib
import shutil

from selenium import webdriver

DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium")
HAS_BROWSER = bool(DRIVER and BROWSER)
SWITCHES = (
    "headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run",
    "disable-background-networking", "disable-component-update", "disable-sync",
)  # fmt: skip


@contextlib.contextmanager
def chromium(folder):
    """Start Chromium with its files in a folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for switch in (*SWITCHES, f"user-data-dir={folder}"):
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as driver:
        yield driver


def resize(driver, width, height, scheme="light"):
    """Show the page at a size in CSS pixels, in a light or dark colour scheme."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def logged(driver):
    """Return what the console says since the last call."""
    return [entry["message"] for entry in driver.get_log("browser")]
