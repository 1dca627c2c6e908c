"""The examples in docstrings do what they show."""

import doctest
import importlib
import re

import pytest

from common.checkout import ROOT
from tests.repository.test_layout import MODULES

WITH_EXAMPLES = [path for path in MODULES if re.search(r"^ *>>> ", path.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_show_what_happens(path):
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    failed, tried = doctest.testmod(module)
    assert (tried > 0, failed) == (True, 0)
