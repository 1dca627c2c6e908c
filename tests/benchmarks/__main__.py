"""Prints one table: for each task every implementation's seconds, ratio to ours and peak memory.

Every implementation of every task runs in a process of its own, one after the other: once to warm up, then
several times, of which the fastest counts. The peak is the largest resident memory of that process, followed
by what the imported libraries alone took of it. Give module names (wavelet, radon, fourier, training,
attacks, gan, dynamic, explorers) to run only those.
"""

import argparse
import importlib
import json
import os
import platform
import resource
import subprocess
import sys
import time

from common.environment import environment
from common.experiments import cpu, libraries

MODULES = ("wavelet", "radon", "fourier", "training", "attacks", "gan", "dynamic", "explorers")
MOST_REPEATS, MOST_SECONDS = 20, 5


def load(module):
    """Yield (task, implementations, target, factors) of a module's cases.

    An implementation is a function that prepares its data and returns the function to be timed; a factor
    scales a peer's seconds. The target is a ratio to ours, or a dict of one for each of some peers; without,
    None, there is no verdict.
    """
    for task, implementations, target, *factors in importlib.import_module(
        f"tests.benchmarks.bench_{module}"
    ).cases():
        yield task, implementations, target, dict(*factors)


def measure(module, task, name):
    """Print the seconds (fastest of several) and the peak memory of one implementation as JSON."""
    implementations, factors = next((i, f) for t, i, _, f in load(module) if t == task)
    imported = peak_memory()
    run = implementations[name]()
    seconds = fastest(run, MOST_SECONDS)
    print(
        json.dumps({
            "seconds": seconds * factors.get(name, 1), "peak MB": peak_memory(), "imports MB": imported
        })
    )  # fmt: skip


def fastest(run, most_seconds):
    """Return the seconds of the fastest of several runs after a first, at least two."""
    run()
    seconds, end = [], time.perf_counter() + most_seconds
    while len(seconds) < 2 or (len(seconds) < MOST_REPEATS and time.perf_counter() < end):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def peak_memory():
    """Return the largest resident memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (
        2**20 if platform.system() == "Darwin" else 2**10
    )


def child(*arguments, program="tests.benchmarks"):
    """Run this program or another, on all cores, and return the JSON of its last line."""
    command = [sys.executable, "-m", program, *arguments]
    onednn = "0" if arguments[-1].endswith("oneDNN off") else "1"
    settings = environment(TF_ENABLE_ONEDNN_OPTS=onednn)
    settings = {name: v for name, v in settings.items() if "THREADS" not in name and "DETERMIN" not in name}
    printed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                             env=settings).stdout  # fmt: skip
    return json.loads(printed.splitlines()[-1])


def rows(names, target, results):
    """Yield one line of the table for each implementation of a task, ours first."""
    ours = results["ours"]["seconds"]
    for name in names:
        seconds, peak, imports = results[name].values()
        ratio = seconds / ours
        aim = target.get(name) if isinstance(target, dict) else target if name != "ours" else None
        verdict = "" if aim is None else f"{aim:>6g}x  {'met' if ratio >= aim else 'missed'}"
        yield f"  {name:20}{seconds:>10.4g} s{ratio:>9.2f}x{peak:>7} MB ({imports} MB imports){verdict}"


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("--list", action="store_true", help="print the tasks of one module as JSON")
    parser.add_argument("--remarks", action="store_true", help="print the remarks of one module as JSON")
    parser.add_argument("--measure", nargs=2, metavar=("TASK", "IMPLEMENTATION"))
    arguments = parser.parse_args()
    if arguments.list:
        print(
            json.dumps([(task, list(names), target) for task, names, target, _ in load(*arguments.modules)])
        )
        return
    if arguments.remarks:
        benchmark = importlib.import_module(f"tests.benchmarks.bench_{arguments.modules[0]}")
        print(json.dumps(list(getattr(benchmark, "remarks", tuple)())))
        return
    if arguments.measure:
        measure(*arguments.modules, *arguments.measure)
        return
    print(f"{cpu()}, {os.cpu_count()} cores, {libraries()}")
    print(
        "task, then for each implementation: time, time over ours, peak memory, target for the ratio, verdict"
    )
    for module in arguments.modules:
        for task, names, target in child(module, "--list"):
            results = {name: child(module, "--measure", task, name) for name in names}
            print(task, *rows(names, target, results), sep="\n", flush=True)
        for remark in child(module, "--remarks"):
            print(remark, flush=True)


if __name__ == "__main__":
    main()
