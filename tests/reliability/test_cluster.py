"""The same sweep on a Dask cluster: a scheduler and two workers, processes of their own on loopback."""

import importlib
import os
import subprocess
import sys
import threading
import time

import joblib
import pytest

from common.experiments import Store, sweep
from tests.reliability.test_faults import ONLY_FAULTS

STUDY = """
import os
import time
from pathlib import Path

import numpy as np

from common.experiments import experiment


@experiment(version=1, tolerance=0)
def draw(*, size=5, seed):
    with open(Path(__file__).parent / "started.txt", "a") as log:
        log.write(f"{os.getpid()}\\n")
    time.sleep(0.1)
    return {"numbers": np.random.default_rng(seed).normal(size=size)}
"""
PATIENCE = 180  # seconds, on a busy machine
GRID = {"size": [3, 4], "seed": range(8)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder that this process and the workers import from."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RESULTS", "compute")
        patched.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        patched.syspath_prepend(str(folder))
        yield folder


@pytest.fixture(scope="module")
def study(folder):
    """Return a function from a name to the experiment of a new study, which workers can import."""

    def make(name):
        package = folder / name
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "experiments.py").write_text(STUDY)
        importlib.invalidate_caches()
        return importlib.import_module(f"{name}.experiments").draw

    return make


@pytest.fixture(scope="module")
def cluster(folder):
    """Start a scheduler and two workers; return a client and the workers' processes."""
    from distributed import Client  # here, because every worker of pytest imports this file

    address = folder / "scheduler.json"

    def start(program, *options):
        command = [sys.executable, "-m", "distributed.cli.dask_" + program, "--scheduler-file", address]
        return subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL, cwd=folder)

    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    one_thread = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
    workers = [start("worker", *one_thread) for _ in range(2)]
    try:
        with Client(scheduler_file=address, timeout=PATIENCE) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            yield client, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def results(function):
    records = Store.of(function).read().values()
    return [(record["config"], record["result"]) for record in records]


@pytest.fixture(scope="module")
def measured_here(study):
    """Return the results that this machine measures without a cluster."""
    here = study("here")
    sweep(here, **GRID)
    return results(here)


def started(function):
    """Return the process of every measurement that was begun."""
    log = Store.of(function).path.parent.parent / "started.txt"
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_cluster_measures_what_this_machine_measures(study, measured_here, cluster):
    there = study("there")
    with joblib.parallel_config(backend="dask"):
        table = sweep(there, **GRID)
    assert results(there) == measured_here
    assert len(started(there)) == len(table) == 16
    assert set(started(there)) == {worker.pid for worker in cluster[1]}


@ONLY_FAULTS
@pytest.mark.fault("worker of a Dask cluster killed", "the records of this machine")
def test_a_killed_worker_loses_nothing(study, measured_here, cluster):
    """The last test of this cluster, because it leaves one worker."""
    client, workers = cluster
    there = study("after")

    def kill_one():
        while len(started(there)) < 5:
            time.sleep(0.01)
        workers[0].kill()

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    with joblib.parallel_config(backend="dask"):
        sweep(there, **GRID)
    killer.join()
    assert len(client.scheduler_info()["workers"]) == 1
    assert results(there) == measured_here
    assert len(started(there)) >= 16
    assert started(there)[-1] == workers[1].pid
