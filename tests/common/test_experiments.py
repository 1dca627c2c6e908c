"""Sweeps and stores. Measurements run in this process, but where a test says otherwise."""

import fcntl
import importlib
import json
import os
import re
import shutil
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

from common import data
from common.experiments import (
    Interrupted,
    MissingRecordError,
    Store,
    audit,
    complete,
    configurations,
    decoded,
    experiment,
    key,
    measurement,
    results_mode,
    store,
    sweep,
    sweeps,
)

STUDY = """
import time
import numpy as np
from pathlib import Path
from common.experiments import experiment

@experiment(version={version}, tolerance=0.01{declared})
def square(*, x=3, dataset="mnist", seed):
    with open(Path(__file__).parent / "started.txt", "a") as log:
        log.write(f"{{x}} {{seed}}\\n")
    time.sleep({seconds})
    return {{"square": x * x + seed, "powers": [x, x**2, x**3], "even": np.arange(9) % x == 0}}

@experiment(version=1, tolerance=0)
def pools(*, seed):
    from threadpoolctl import threadpool_info
    return {{"threads": [pool["num_threads"] for pool in threadpool_info()]}}
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study in a temporary folder whose experiment notes every start."""
    monkeypatch.setenv("RESULTS", "compute")
    with joblib.parallel_config(backend="sequential"):
        yield make_study(tmp_path, monkeypatch, "study_" + tmp_path.name.replace("-", "_"))


def make_study(folder, monkeypatch, name, version=1, seconds=0.0, declared=""):
    package = folder / name
    package.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    code = STUDY.format(version=version, seconds=seconds, declared=declared)
    (package / "experiments.py").write_text(code)
    # Python takes a file of the same size and second for the one that it compiled.
    shutil.rmtree(package / "__pycache__", ignore_errors=True)
    monkeypatch.syspath_prepend(str(folder))
    for module in [m for m in sys.modules if m.startswith(name)]:
        del sys.modules[module]
    return importlib.import_module(f"{name}.experiments").square


def started(function):
    log = Store.of(function).path.parent.parent / "started.txt"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_sweep_is_a_tidy_table_in_the_order_of_the_grid(study):
    table = sweep(study, x=[2, 5], seed=range(2))
    rows = [[2, 0, 4], [2, 1, 5], [5, 0, 25], [5, 1, 26]]
    assert table[["x", "seed", "square"]].to_numpy().tolist() == rows
    assert table["powers"][3] == [5, 25, 125]
    np.testing.assert_array_equal(table["even"][3], np.arange(9) % 5 == 0)
    assert table["dataset"].unique() == ["mnist"]
    again = sweep(study, x=[2, 7, 5], seed=range(2))
    assert started(study) == 6
    pd.testing.assert_frame_equal(again[again["x"] != 7].reset_index(drop=True), table)


@given(seed=st.integers(0, 1000), count=st.integers(0, 50))
def test_decisions_are_stored_as_bits_and_come_back(seed, count):
    decisions = np.random.default_rng(seed).random(count) < 0.5
    stored = json.loads(json.dumps(store.encoded(lambda: None, {"right": decisions})))
    assert len(stored["right"]) < 12 + count
    np.testing.assert_array_equal(decoded(stored)["right"], decisions)


@pytest.mark.parametrize("value", ["abc", np.ones((2, 2)), None, 1j])
def test_results_that_cannot_be_stored_get_one_clear_sentence(value):
    with pytest.raises(ValueError, match=r"must return numbers.*; a is not"):
        store.encoded(lambda: None, {"a": value})
    with pytest.raises(ValueError, match="must return a dict of numbers, not"):
        store.encoded(lambda: None, value)


def test_records_are_sorted_lines_with_their_conditions(study):
    sweep(study, x=[9, 1, 5], seed=0)
    lines = Store.of(study).path.read_text().splitlines()
    assert [json.loads(line)["config"]["x"] for line in lines] == [1, 5, 9]
    record = json.loads(lines[0])
    assert record["version"] == 1
    assert record["data_sha256"] == data.SHA256["mnist"]
    conditions = {"version", "data_sha256", "seconds", "cpu", "libraries", "environment", "sha256"}
    assert set(record) == {"config", "result"} | conditions
    assert record["libraries"]["numpy"] == np.__version__
    assert record["environment"].items() >= {"onednn": True, "threads": 1, "deterministic": True}.items()


def test_replay_names_the_missing_record_and_measures_nothing(study, monkeypatch):
    sweep(study, x=1, seed=0)
    monkeypatch.setenv("RESULTS", "replay")
    assert sweep(study, x=1, seed=0)["square"].tolist() == [1]
    with pytest.raises(MissingRecordError, match=r'1 of 2 records of square .*"x": 7'):
        sweep(study, x=[1, 7], seed=0)
    assert started(study) == 1
    monkeypatch.setenv("RESULTS", "maybe")
    with pytest.raises(ValueError, match="'replay' or 'compute', not 'maybe'"):
        results_mode()


def test_another_version_or_other_data_are_measured_again_and_never_mixed_in(study, tmp_path, monkeypatch):
    sweep(study, x=[1, 2], seed=0)
    newer = make_study(tmp_path, monkeypatch, study.__module__.split(".")[0], version=2)
    sweep(newer, x=1, seed=0)
    assert sorted(record["version"] for record in Store.of(newer).read().values()) == [1, 2]
    monkeypatch.setenv("RESULTS", "replay")
    with pytest.raises(MissingRecordError, match="1 of 2 records"):
        sweep(newer, x=[1, 2], seed=0)
    monkeypatch.setitem(data.SHA256, "mnist", "0" * 64)
    with pytest.raises(MissingRecordError):
        sweep(newer, x=1, seed=0)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"x": 1}, "needs seed, but it was given x"),
        ({"y": 1, "seed": 0}, "takes x, dataset, seed"),
        ({"x": {1, 2}, "seed": 0}, "argument x of square is not a JSON value"),
        ({"x": float("nan"), "seed": 0}, "argument x of square is not a JSON value"),
        ({"x": [1, np.inf], "seed": 0}, "argument x of square is not a JSON value"),
        ({"x": 1, "seed": []}, "argument seed of square is an empty list"),
        ({"x": 1, "seed": [0, 1, 1.0]}, r"argument seed of square holds a value twice: \[0, 1, 1"),
        ({"x": 1, "seed": None}, "seed of square is None, so chance would decide"),
        ({"dataset": "cifar10", "seed": 0}, "no SHA-256 of a data set 'cifar10' .* those of mnist, "),
        ({"dataset": None, "seed": 0}, "no SHA-256 of a data set None"),
        ({"dataset": [["mnist"]], "seed": 0}, r"no SHA-256 of a data set \['mnist'\]"),
    ],
)
def test_bad_grids_get_one_clear_sentence(study, grid, message):
    with pytest.raises(ValueError, match=message):
        sweep(study, **grid)
    assert started(study) == 0


@given(x=st.integers(-(2**40), 2**40), kind=st.sampled_from([int, float, np.int64, np.float64, np.array]))
def test_a_number_is_one_configuration_whatever_holds_it(x, kind):
    assert configurations(anything, {"seed": kind(x)}) == [{"seed": x}]
    assert key({"seed": kind(x)}) == key({"seed": x}) == json.dumps({"seed": x})


@given(x=st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_keeps_its_value(x):
    assert json.loads(key({"x": x}))["x"] == json.loads(key({"x": np.float64(x)}))["x"] == x


@experiment(version=1, tolerance=0)
def anything(*, seed):
    """Return nothing; only its arguments count."""
    return {}


def test_ranges_arrays_and_columns_are_several_values_and_true_is_not_1():
    expected = configurations(anything, {"seed": [0, 1, 2]})
    for several in (range(3), (0, 1, 2), np.arange(3), pd.Series([0, 1, 2]), pd.Index([0, 1, 2])):
        assert configurations(anything, {"seed": several}) == expected
    assert configurations(anything, {"seed": [np.arange(2)]}) == [{"seed": [0, 1]}]
    assert len({key({"x": x}) for x in (True, 1, "1", None, np.True_, np.int8(1), np.str_("1"), 1.0)}) == 4


def test_the_committed_records_are_found_under_the_names_that_they_were_stored_by():
    for path in audit.ROOT.glob("*/results/*.jsonl"):
        for name, record in Store(path).read().items():
            assert name == json.dumps(record["config"], sort_keys=True)


def test_an_experiment_takes_keywords_a_seed_and_registered_data():
    for function in (lambda x, seed: {}, lambda *, x: {}):
        with pytest.raises(ValueError, match="keyword-only arguments, one of them `seed`"):
            experiment(version=1, tolerance=0)(function)
    with pytest.raises(ValueError, match="no SHA-256 of a data set 'photographs of cats'"):
        experiment(version=1, tolerance=0, needs=["photographs of cats"])(lambda *, seed: {})
    for tolerance in (-0.1, "little", {"loss": None}):
        with pytest.raises(ValueError, match="must be a number from 0, not"):
            experiment(version=1, tolerance=tolerance)(lambda *, seed: {})
    with pytest.raises(ValueError, match="started is no experiment; put @experiment"):
        sweep(started, function=1)


def test_defaults_are_part_of_the_configuration(study):
    assert configurations(study, {"seed": 0}) == [{"x": 3, "dataset": "mnist", "seed": 0}]


def calls(monkeypatch):
    """Return the list that gets the number of measurements of each parallel call."""
    counted, measure_all = [], measurement._measure_all
    monkeypatch.setattr(measurement, "_measure_all", lambda *a: counted.append(len(a[0])) or measure_all(*a))
    return counted


def test_several_sweeps_and_plans_are_one_parallel_call_a_round(study, monkeypatch, capsys):
    def best(seed):
        (squares,) = yield [(study, {"x": range(1, 4), "seed": seed})]
        x = squares.loc[squares["square"].idxmax(), "x"]
        table, _ = yield [(study, {"x": 10 * x, "seed": seed}), (study, {"x": 1, "seed": seed})]
        return table["square"].item()

    counted = calls(monkeypatch)
    both = {"x": [1, 5], "seed": 0}
    found = sweeps({"plan": best(0), "other": best(1), "plain": (study, both), "same": (study, both)})
    assert list(found) == ["plan", "other", "plain", "same"]
    assert (found["plan"], found["other"]) == (900, 901)
    assert found["plain"]["square"].tolist() == found["same"]["square"].tolist() == [1, 25]
    assert counted == [7, 2]
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" (square) ")[0] for line in said] == [
        "Measuring 7 of 10 records",
        "Measuring 2 of 4 records",
    ]
    used = best(0)
    sweeps({"": used})
    for wrong in (used, study, [study, both]):
        with pytest.raises(ValueError, match=r"'it' must be \(experiment, grid\) or a plan, which can be"):
            sweeps({"it": wrong})


def test_before_it_measures_it_says_how_many_and_how_long(study, monkeypatch, capsys):
    monkeypatch.setattr(measurement, "_workers", lambda: 2)
    sweep(study, x=1, seed=[0, 1])
    assert "takes an unknown time; an interruption" in capsys.readouterr().out
    for record in Store.of(study).read().values():
        Store.of(study).add(record | {"seconds": 300.0})
    Store.of(study).add(record | {"seconds": 10.0, "config": record["config"] | {"x": 9}})
    sweep(study, x=[1, 9], seed=range(10))
    expected = "Measuring 17 of 20 records (square) takes about 21 minutes on 2 cores; "
    assert capsys.readouterr().out == f"{expected}an interruption keeps all finished records.\n"
    sweep(study, x=[1, 9], seed=range(10))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [([0.1], "1 second"), ([100], "100 seconds"), ([130, None], "2 minutes"), ([10_000] * 5, "7 hours")],
)
def test_a_time_is_said_in_the_unit_that_suits(monkeypatch, seconds, words):
    monkeypatch.setattr(measurement, "_workers", lambda: 2)
    assert measurement._in_words(seconds) == f"about {words} on 2 cores"


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
    damaged = bytearray(stored[1])
    damaged[bit // 8 % len(damaged)] ^= 1 << bit % 8
    records, found = read_damaged(stored, damaged)
    # The same records are left where 1e-09 has become 1E-09.
    assert found == records or re.match(r"Line \d of store.jsonl is not a record as it was stored", found)


@pytest.mark.fault("file of records truncated", "one sentence or whole records, and the file stays as it is")
@given(length=st.integers(0, 10**9))
def test_a_truncated_store_gives_one_clear_sentence_or_whole_records(stored, length):
    content = stored[1]
    kept = content[: length % len(content)]
    records, found = read_damaged(stored, kept)
    if kept and content[len(kept) - 1 : len(kept) + 1].count(b"\n") == 0:
        assert re.match(r"Line \d of store.jsonl is not a record as it was stored", found)
    else:
        assert found.items() <= records.items()


def read_damaged(stored, damaged):
    """Return the records of a store and those, or what is said, after its file was damaged."""
    store_, content = stored
    store_.path.write_bytes(content)
    store._parsed.cache_clear()  # a clock may be too coarse to show that the file has changed
    records = store_.read()
    store_.path.write_bytes(damaged)
    store._parsed.cache_clear()
    try:
        found = store_.read()
    except ValueError as error:
        found = str(error)
    assert store_.path.read_bytes() == damaged
    return records, found


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


def test_processes_adding_at_once_lose_nothing(tmp_path):
    code = textwrap.dedent("""
        import sys
        from common.experiments.store import Store
        store, start = Store(sys.argv[1]), int(sys.argv[2])
        for x in range(start, start + 60):
            store.add({"config": {"x": x}, "result": {"y": x}})
    """)
    path = tmp_path / "results" / "store.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", code, path, str(start)]) for start in (0, 30)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert sorted(r["config"]["x"] for r in Store(path).read().values()) == list(range(90))
    assert len(path.read_text().splitlines()) == 90


def test_a_file_system_without_locks_is_found_before_measuring(study, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(
        OSError, match=r"square.jsonl cannot be written: .* has no file locks; work in a copy"
    ):
        sweep(study, x=1, seed=0)
    assert started(study) == 0


def test_an_experiment_runs_on_one_thread_of_every_library(study):
    function = importlib.import_module(study.__module__).pools
    with threadpool_limits(2):
        assert set(sweep(function, seed=0)["threads"].item()) == {1}


def test_data_that_are_absent_are_missed_only_where_something_is_measured(
    study, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(data.SHA256, "large", "1" * 64)
    monkeypatch.setattr(data, "is_available", lambda name: name != "large", raising=False)
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    square = make_study(tmp_path, monkeypatch, "absent", declared=", needs=['large']")
    with pytest.raises(FileNotFoundError, match=r"2 records are missing, .* on: large; `make data`"):
        sweep(square, x=[1, 2], seed=0)
    monkeypatch.setattr(data, "is_available", lambda name: True, raising=False)
    sweep(square, x=[1, 2], seed=0)
    (record, _) = Store.of(square).read().values()
    assert record["data_sha256"] == {name: data.SHA256[name] for name in ("mnist", "large")}
    monkeypatch.setattr(data, "is_available", lambda name: name != "large", raising=False)
    assert sweep(square, x=[1, 2], seed=0)["square"].tolist() == [1, 4]
    for command in (["sample"], ["scratch", "absent"]):
        capsys.readouterr()
        assert audit.main(command) == 0
        assert "2 records of square are passed over: no large (make data)." in capsys.readouterr().out
    assert started(square) == 2


# A shell starts what runs in its background with interruptions ignored.
INTERRUPTED = """
import signal
from {name}.experiments import square
from common.experiments import Interrupted, sweep
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    sweep(square, x=list(range(1, 401)), seed=0)
except Interrupted as error:
    print(error)
"""


def test_an_interruption_is_one_line_and_loses_nothing(tmp_path, monkeypatch):
    """The workers are processes here, and get the signal too, as from a keyboard or a kernel."""
    monkeypatch.setenv("RESULTS", "compute")
    square = make_study(tmp_path, monkeypatch, "interrupted", seconds=0.05)
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED.format(name="interrupted")], text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while started(square) < 4 and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    said, errors = process.communicate()
    stored = len(Store.of(square).read())
    assert process.returncode == 0, errors
    _, line = said.splitlines()
    done = int(re.fullmatch(r"Interrupted: (\d+) of 400 records are measured and stored; run .*\.", line)[1])
    assert 2 <= done == stored < 400
    assert stored >= started(square) - 2, "a finished record was not stored before the next began"
    assert all(part.startswith("square:") for part in re.split(r"[\r\n]+", errors) if part.strip()), errors
    assert Interrupted("One line.")._render_traceback_() == ["One line."]


def test_a_write_to_a_store_of_another_name_is_what_complete_was_asked_for(study, tmp_path):
    elsewhere = Store(tmp_path / "elsewhere" / "square.jsonl")
    complete([(elsewhere, study, configurations(study, {"x": 4, "seed": 0}))])
    assert [record["result"]["square"] for record in elsewhere.read().values()] == [16]
    assert not Store.of(study).path.exists()
