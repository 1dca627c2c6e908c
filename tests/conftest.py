"""Fixtures of all tests."""

import numpy as np
import pytest

from tests.browser import chromium, logged, resize


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def started(tmp_path_factory, html):
    """Start a browser for the standalone page of the module's fixture `html`; yield it and the address."""
    folder = tmp_path_factory.mktemp("figure")
    (folder / "page.html").write_text(html, encoding="utf-8")
    with chromium(folder / "browser") as driver:
        yield driver, (folder / "page.html").as_uri()


@pytest.fixture
def page(started):
    """Load the page anew; after the test, it must have logged nothing and requested nothing."""
    driver, address = started
    resize(driver, 1400, 1000)
    driver.get(address)
    yield driver
    assert not logged(driver)
    requests = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    assert [name for name in driver.execute_script(requests) if not name.startswith("data:")] == []
