"""Settings of all tests and of nbval: our environment, no display, notebooks from the stored results."""
# ruff: noqa: E402

import os

from common import environment

# Before any library reads its settings; for the kernels that nbval starts and for subprocesses too.
environment.apply(
    RESULTS="replay", JAX_ENABLE_X64="1", KERAS_BACKEND=os.environ.get("TEST_BACKEND", "tensorflow")
)

import matplotlib
import pandas as pd
from hypothesis import HealthCheck, is_hypothesis_test, settings

from common.experiments import cpu, write_atomically
from common.notebooks import BUILD, for_nbval

matplotlib.use("Agg")  # in this process, which draws for no one

settings.register_profile(
    "default", deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("faults", settings.get_profile("default"), max_examples=500)
settings.load_profile("default")


def pytest_collectstart(collector):
    """Keep nbval from comparing stderr, which it captures otherwise than the writer of the notebooks."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)


def pytest_itemcollected(item):
    """Have nbval compare what figures draw, and refuse figures without pictures."""
    if hasattr(item, "compare_outputs"):
        item.compare_outputs = for_nbval(item)


def pytest_collection_modifyitems(items):
    """Give the report of every test of a fault what it tries, how often, and what has to hold."""
    for item in items:
        for mark in item.iter_markers("fault"):
            drawn = settings.default.max_examples if is_hypothesis_test(item.obj) else 1
            item.user_properties.append(("fault", (*mark.args, mark.kwargs.get("times", drawn))))


def pytest_terminal_summary(terminalreporter, config):
    """Print the table of `make faults` and write it to ``build/faults.txt``."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]
    rows = [
        (*value, report.outcome)
        for report in reports
        for name, value in report.user_properties
        if name == "fault"
    ]
    if not rows or config.option.markexpr != "fault":
        return
    table = pd.DataFrame(rows, columns=["tried", "holds", "times", "outcome"])
    table = table.groupby(["tried", "holds", "outcome"], as_index=False, dropna=False)["times"].sum()
    lines = [f"{row.times:>6,} x {row.tried}: {row.holds} ({row.outcome})" for row in table.itertuples()]
    text = "\n".join([*lines, f"on {cpu()}"])
    terminalreporter.write_line(text)
    write_atomically(BUILD / "faults.txt", f"{text}\n".encode())
