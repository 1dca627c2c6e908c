import datetime
import importlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from common import experiments
from common.experiments import (
    MissingRecordError,
    Store,
    audit,
    configurations,
    cpu,
    decoded,
    experiment,
    key,
    results_mode,
    sweep,
    write_atomically,
)

STUDY = """
import os, time
import numpy as np
from pathlib import Path
from common.experiments import experiment

@experiment(version={version}, tolerance=0.01)
def square(*, x=3, dataset="mnist", seed):
    with open(Path(__file__).parent / "started.txt", "a") as log:
        log.write(f"{{x}} {{seed}}\\n")
    time.sleep({seconds})
    return {{"square": x * x + seed, "powers": [x, x**2, x**3], "even": np.arange(9) % x == 0}}
"""

# With more threads a matrix product has other bits.
POOLS = """
import numpy
from threadpoolctl import threadpool_info
from common.experiments import experiment

@experiment(version=1, tolerance=0)
def pools(*, seed):
    return {"threads": [pool["num_threads"] for pool in threadpool_info()]}
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study in a temporary folder whose experiment notes every start."""
    monkeypatch.setenv("RESULTS", "compute")
    return make_study(tmp_path, monkeypatch, "study_" + tmp_path.name.replace("-", "_"))


def make_study(folder, monkeypatch, name, version=1, seconds=0.0):
    package = folder / name
    package.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    (package / "experiments.py").write_text(STUDY.format(version=version, seconds=seconds))
    monkeypatch.syspath_prepend(str(folder))
    for module in [m for m in sys.modules if m.startswith(name)]:
        del sys.modules[module]
    return __import__(f"{name}.experiments", fromlist=["square"]).square


def started(function):
    log = Store.of(function).path.parent.parent / "started.txt"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_sweep_is_a_tidy_table_in_the_order_of_the_grid(study):
    table = sweep(study, x=[2, 5], seed=range(2))
    assert table[["x", "seed", "square"]].to_numpy().tolist() == [
        [2, 0, 4],
        [2, 1, 5],
        [5, 0, 25],
        [5, 1, 26],
    ]
    assert table["powers"][3] == [5, 25, 125]
    np.testing.assert_array_equal(table["even"][3], np.arange(9) % 5 == 0)
    assert table["dataset"].unique() == ["mnist"]


@given(seed=st.integers(0, 1000), count=st.integers(0, 50))
def test_decisions_are_stored_as_bits_and_come_back(seed, count):
    decisions = np.random.default_rng(seed).random(count) < 0.5
    stored = json.loads(json.dumps(experiments._as_result(lambda: None, {"right": decisions})))
    assert len(stored["right"]) < 12 + count
    np.testing.assert_array_equal(decoded(stored)["right"], decisions)


@pytest.mark.parametrize("value", ["abc", np.ones((2, 2)), None, 1j])
def test_results_that_cannot_be_stored_get_one_clear_sentence(value):
    with pytest.raises(ValueError, match=r"must return numbers.*; a is not"):
        experiments._as_result(lambda: None, {"a": value})


def test_only_missing_combinations_are_measured(study):
    first = sweep(study, x=[1, 2], seed=0)
    again = sweep(study, x=[1, 2, 3], seed=0)
    assert started(study) == 3
    pd.testing.assert_frame_equal(first, again[:2])


def test_records_are_sorted_lines_with_their_circumstances(study):
    sweep(study, x=[9, 1, 5], seed=0)
    lines = Store.of(study).path.read_text().splitlines()
    assert [json.loads(line)["config"]["x"] for line in lines] == [1, 5, 9]
    record = json.loads(lines[0])
    assert record["version"] == 1
    assert record["data_sha256"].startswith("ee068f36")
    circumstances = {"version", "data_sha256", "seconds", "cpu", "libraries", "sha256"}
    assert set(record) == {"config", "result"} | circumstances
    assert record["libraries"]["numpy"]


def test_replay_names_the_missing_record_and_measures_nothing(study, monkeypatch):
    sweep(study, x=1, seed=0)
    monkeypatch.setenv("RESULTS", "replay")
    assert sweep(study, x=1, seed=0)["square"].tolist() == [1]
    with pytest.raises(MissingRecordError, match=r'1 of 2 records of square .*"x": 7'):
        sweep(study, x=[1, 7], seed=0)
    assert started(study) == 1


def test_results_mode_is_checked(monkeypatch):
    monkeypatch.setenv("RESULTS", "maybe")
    with pytest.raises(ValueError, match="'replay' or 'compute', not 'maybe'"):
        results_mode()


def test_a_new_version_is_measured_again_and_never_mixed_in(study, tmp_path, monkeypatch):
    sweep(study, x=[1, 2], seed=0)
    name = study.__module__.split(".")[0]
    newer = make_study(tmp_path, monkeypatch, name, version=2)
    monkeypatch.setenv("RESULTS", "replay")
    with pytest.raises(MissingRecordError, match="2 of 2 records"):
        sweep(newer, x=[1, 2], seed=0)
    monkeypatch.setenv("RESULTS", "compute")
    sweep(newer, x=1, seed=0)
    versions = [record["version"] for record in Store.of(newer).read().values()]
    assert sorted(versions) == [1, 2]


def test_other_data_are_measured_again(study, monkeypatch):
    sweep(study, x=1, seed=0)
    monkeypatch.setitem(experiments.data.SHA256, "mnist", "0" * 64)
    monkeypatch.setenv("RESULTS", "replay")
    with pytest.raises(MissingRecordError):
        sweep(study, x=1, seed=0)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"x": 1}, "needs seed, but it was given x"),
        ({"y": 1, "seed": 0}, "takes x, dataset, seed"),
        ({"x": {1, 2}, "seed": 0}, "not a JSON value"),
        ({"x": float("nan"), "seed": 0}, "not a JSON value"),
    ],
)
def test_bad_grids_get_one_clear_sentence(study, grid, message):
    with pytest.raises(ValueError, match=message):
        sweep(study, **grid)
    assert started(study) == 0


def test_an_experiment_takes_keywords_and_a_seed():
    with pytest.raises(ValueError, match="keyword-only arguments, one of them `seed`"):
        experiment(version=1, tolerance=0)(lambda x, seed: {})
    with pytest.raises(ValueError, match="keyword-only arguments, one of them `seed`"):
        experiment(version=1, tolerance=0)(lambda *, x: {})


def test_defaults_are_part_of_the_configuration(study):
    assert configurations(study, {"seed": 0}) == [{"x": 3, "dataset": "mnist", "seed": 0}]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A store of a few records, and its content."""
    store = Store(tmp_path_factory.mktemp("stored") / "store.jsonl")
    for x in range(4):
        store.add({"config": {"x": x}, "result": {"y": x / 3, "z": [1e-9 * x, -x]}, "version": 1})
    return store, store.path.read_bytes()


@pytest.mark.fault(
    "file of records with a flipped bit", "one sentence or the same records, and the file stays as it is"
)
@given(bit=st.integers(0, 10**9))
def test_a_flipped_bit_gives_one_clear_sentence_and_is_left_alone(stored, bit):
    store, content = stored
    store.path.write_bytes(content)
    records = store.read()
    damaged = bytearray(content)
    damaged[bit // 8 % len(content)] ^= 1 << bit % 8
    store.path.write_bytes(damaged)
    experiments._parsed.cache_clear()  # a clock may be too coarse to show that the file has changed
    try:
        found = store.read()
    except ValueError as error:
        found = str(error)
    # The same records are left where 1e-09 has become 1E-09.
    assert found == records or re.match(r"Line \d of store.jsonl is not a record as it was stored", found)
    assert store.path.read_bytes() == damaged


@pytest.mark.fault("file of records truncated", "one sentence or whole records, and the file stays as it is")
@given(length=st.integers(0, 10**9))
def test_a_truncated_store_gives_one_clear_sentence_or_whole_records(stored, length):
    store, content = stored
    store.path.write_bytes(content)
    records = store.read()
    kept = content[: length % len(content)]
    store.path.write_bytes(kept)
    experiments._parsed.cache_clear()
    if kept and content[len(kept) - 1 : len(kept) + 1].count(b"\n") == 0:
        with pytest.raises(ValueError, match=r"Line \d of store.jsonl is not a record as it was stored"):
            store.read()
    else:
        assert store.read().items() <= records.items()
    assert store.path.read_bytes() == kept


def test_a_record_edited_by_hand_is_refused(study):
    sweep(study, x=2, seed=0)
    path = Store.of(study).path
    path.write_text(path.read_text().replace('"square": 4', '"square": 5'))
    with pytest.raises(ValueError, match=r"Line 1 of square.jsonl is not a record as it was stored"):
        sweep(study, x=[2, 3], seed=0)
    assert started(study) == 1


def test_a_store_that_changed_is_read_again(tmp_path):
    store = Store(tmp_path / "store.jsonl")
    for x in range(3):
        store.add({"config": {"x": x}, "result": {"y": 1}})
        assert len(store.read()) == x + 1
    store.read().clear()
    assert len(store.read()) == 3
    Store(store.path).add({"config": {"x": 1}, "result": {"y": 2}})
    assert [record["result"]["y"] for record in store.read().values()] == [1, 2, 1]


def test_two_processes_adding_at_once_lose_nothing(tmp_path):
    code = textwrap.dedent("""
        import sys
        from common.experiments import Store
        store, start = Store(sys.argv[1]), int(sys.argv[2])
        for x in range(start, start + 100):
            store.add({"config": {"x": x}, "result": {"y": x}})
    """)
    path = tmp_path / "results" / "store.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", code, path, str(start)]) for start in (0, 50, 100)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert sorted(r["config"]["x"] for r in Store(path).read().values()) == list(range(200))
    assert len(path.read_text().splitlines()) == 200


def test_an_experiment_runs_on_one_thread_of_every_library(tmp_path, monkeypatch):
    monkeypatch.setenv("RESULTS", "compute")
    (tmp_path / "experiments_on_threads.py").write_text(POOLS)
    monkeypatch.syspath_prepend(str(tmp_path))
    function = importlib.import_module("experiments_on_threads").pools
    with joblib.parallel_config(backend="sequential"), threadpool_limits(2):
        threads = sweep(function, seed=0)["threads"].item()
    assert set(threads) == {1}


@pytest.mark.parametrize("attempt", range(3))
def test_a_killed_sweep_continues_and_gives_the_same_table(tmp_path, monkeypatch, attempt):
    monkeypatch.setenv("RESULTS", "compute")
    name = f"killed_{attempt}"
    square = make_study(tmp_path, monkeypatch, name, seconds=0.02)
    code = f"""from {name}.experiments import square
from common.experiments import sweep
sweep(square, x=list(range(40)), seed=0)"""
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    while started(square) == 0 and process.poll() is None:
        time.sleep(0.005)
    time.sleep(random.random() * 0.5)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    stored = len(Store.of(square).read())
    workers = os.cpu_count()
    assert stored >= started(square) - workers, "a finished record was not stored before the next began"
    table = sweep(square, x=list(range(40)), seed=0)
    assert table["square"].tolist() == [x * x for x in range(40)]
    assert started(square) <= 40 + workers, "a stored record was measured again"


def test_a_write_replaces_the_whole_file_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full_disk(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new and longer")
    assert path.read_bytes() == b"old"


def test_remeasuring_finds_identical_and_drifted_records(study, tmp_path):
    sweep(study, x=[1, 2], seed=0)
    store = Store.of(study)
    records = store.read()
    table = audit.remeasure([(study, records, Store(tmp_path / "again.jsonl"))])
    assert table["verdict"].tolist() == ["identical", "identical"]
    assert audit.summary(table).splitlines()[-2].split()[:3] == ["square", "identical", "2"]
    tampered = json.loads(json.dumps(records))
    tampered[key({"x": 2, "dataset": "mnist", "seed": 0})]["result"]["square"] += 1e-9
    work = [(study, tampered, Store(tmp_path / "once_more.jsonl"))]
    assert sorted(audit.remeasure(work)["verdict"]) == ["drifted", "identical"]
    for record in tampered.values():
        record["cpu"] = "another"
    table = audit.compared(work)
    assert sorted(table["verdict"]) == ["identical", "within tolerance"]
    assert audit.summary(table).endswith(f"\non {cpu()}")


def test_scratch_reports_and_clears_the_study_it_was_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RESULTS", "compute")
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    for name in ("one_study", "other_study"):
        sweep(make_study(tmp_path, monkeypatch, name), x=[1, 2], seed=0)
    took = "2 measurements, 0 hours of one core, so about 0 hours on two"
    assert audit.cost("one_study") == f"{took}: {cpu()}."
    unfinished = tmp_path / "build" / "scratch" / "other_study" / "results" / "square.jsonl"
    Store(unfinished).add({"config": {"x": 1}, "result": {"square": 1}})
    assert audit.main(["scratch", "one_study"]) == 0
    assert [path.name for path in unfinished.parents[2].iterdir()] == ["other_study"]
    said = (tmp_path / "build" / "scratch_one_study.txt").read_text()
    assert capsys.readouterr().out == said
    assert said.count(" identical") == 3
    with pytest.raises(
        SystemExit, match="no records of 'no_study'; there are those of one_study, other_study"
    ):
        audit.main(["scratch", "no_study"])
    assert unfinished.exists()


def test_another_kind_of_machine_has_the_stated_tolerance():
    assert audit.verdict(0.005, tolerance=0.01, same_machine=False) == "within tolerance"
    assert audit.verdict(0.02, tolerance=0.01, same_machine=False) == "drifted"
    assert audit.verdict(1e-12, tolerance=0.01, same_machine=True) == "drifted"


@pytest.mark.parametrize(
    ("stored", "measured", "far"),
    [
        ({"a": 1.0}, {"a": 1.0}, 0),
        ({"a": 0.5}, {"a": 0.25}, 0.25),
        ({"a": 100.0}, {"a": 101.0}, 0.01),
        ({"a": [0.0, 1.0]}, {"a": [0.0, 0.75]}, 0.125),
        ({"a": [0.0, 1.0], "b": 0.5}, {"a": [0.0, 0.75], "b": 0.3}, 0.2),
        ({"a": [0.0, 1.0]}, {"a": [0.0]}, float("inf")),
        ({"a": 1.0}, {"b": 1.0}, float("inf")),
        ({"a": [0.0, None]}, {"a": [0.0, 1.0]}, float("inf")),
        ({"a": "4 8A=="}, {"a": "4 cA=="}, 0.25),
        ({"a": "4 8A=="}, {"a": "4 8A=="}, 0),
        ({"a": "4 8A=="}, {"a": "5 8A=="}, float("inf")),
        ({"a": float("nan")}, {"a": 1.0}, float("inf")),
        ({"a": float("nan")}, {"a": float("nan")}, 0),
    ],
)
def test_difference_of_two_results(stored, measured, far):
    assert audit.difference(stored, measured) == pytest.approx(far)


def test_the_sample_changes_with_the_day_and_keeps_to_its_budget():
    records = {str(i): {"seconds": 10} for i in range(100)}
    samples = [set(audit.sample(records, f"2026-01-{day:02}", seconds=35)) for day in range(1, 31)]
    assert {len(chosen) for chosen in samples} == {3}
    assert len(set.union(*samples)) > 40


def test_the_sample_passes_over_what_is_too_dear():
    records = {str(i): {"seconds": 10 * i} for i in range(1, 100)}
    samples = [audit.sample(records, f"2026-01-{day:02}", seconds=35) for day in range(1, 31)]
    assert all(sum(record["seconds"] for record in chosen.values()) <= 35 for chosen in samples)
    assert set.union(*map(set, samples)) == {"1", "2", "3"}
    assert audit.sample(records, "2026-01-01", seconds=1) == {}


def test_stores_of_dear_records_have_their_turn():
    cheap, *dear = ({str(i): {"seconds": first * i} for i in range(1, 4)} for first in (1, 40, 80, 120))
    days = [datetime.date(2026, 1, day) for day in range(1, 4)]
    chosen = [audit.samples([dear[0], cheap, *dear[1:]], day, seconds=35) for day in days]
    assert all(set(rows) == {"1", "2", "3"} for _, rows, *_ in chosen)
    turns = [[list(rows) for rows in (one, *others)] for one, _, *others in chosen]
    assert sorted(turns) == [[[], [], ["1"]], [[], ["1"], []], [["1"], [], []]]


def test_stores_of_records_that_take_minutes_are_left_to_make_scratch():
    stored = [{"1": {"seconds": seconds}} for seconds in (audit.DEAREST + 1, audit.DEAREST)]
    for day in (1, 2):
        assert audit.samples(stored, datetime.date(2026, 1, day), seconds=5) == [{}, stored[1]]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["cpu family\t: 25", "model\t\t: 1", "model name\t: AMD EPYC", "stepping\t: 1"],
            "AMD EPYC (family 25, model 1, stepping 1)",
        ),
        (
            ["cpu family\t: 25", "model\t\t: 17", "model name\t: AMD EPYC", "stepping\t: 1"],
            "AMD EPYC (family 25, model 17, stepping 1)",
        ),
        (["model name\t: ARMv7 Processor rev 4"], "ARMv7 Processor rev 4"),
        (["CPU implementer\t: 0x41"], ""),
    ],
)
def test_generations_of_a_processor_with_one_name_are_kinds_of_their_own(lines, expected):
    first = ["processor\t: 0", *lines]
    second = ["processor\t: 1", "model name\t: another"]
    assert experiments.processor("\n".join([*first, "", *second])) == expected
