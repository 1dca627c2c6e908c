"""What is measured on how many photographs, for the notebooks and for the command line.

``python -m adversarial_attack.plans development`` measures what the constants are chosen from,
``... test`` the results, and ``... sizes`` the smallest changes that score the forecasts. Repeat an
interrupted command and it continues.
"""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

import sys

import pandas as pd

from adversarial_attack.calibration import scored
from adversarial_attack.examples import CONFIG
from adversarial_attack.experiments import (
    BUDGETS,
    CHOSEN,
    DEVELOPMENT,
    JPEG,
    MOVED,
    ONE_NETWORK_JUDGES,
    REFERENCES,
    STRICTER,
    TEST,
    fooling,
    one_network,
    photographs,
    reference,
    seen_from,
    smallest_size,
    within,
)
from adversarial_attack.filter_set import KINDS
from adversarial_attack.forecast import PREDICTIONS
from adversarial_attack.named_attacks import PARTS
from common.experiments import sweeps
from common.statistics import grouped

METHODS = (
    "low-pass attack",
    "expectation over filters, PGD",
    "expectation over filters, PGD with shrinking steps",
    "expectation over filters, PGD with even windows",
    "expectation over filters, PGD on the capped margin",
    "expectation over filters, DDN",
)
TESTED = (METHODS[0], *METHODS[2:])  # of the first two PGD, the better one on development photographs
WAYS = ("depthwise", "squeezenet", "three depthwise")  # attacked networks of the transfer attack
DISTANCES = (30, 45, 67, 80, 100, 134)  # pixels a degree
SIZES = {"JPEG 90": "transfer", "16/255": "16/255"}  # at which transfer is measured, and their key in `TEST`


def development():
    """Return the sweeps of development photographs by name, for `common.experiments.sweeps`."""
    plans = {
        ("budgets", method, budget): _fooling("development", DEVELOPMENT["budgets"], method, budget=budget)
        for method in METHODS
        for budget in BUDGETS
    }
    plans |= {
        ("budgets", way, budget): _fooling(
            "development", DEVELOPMENT["budgets"], "transfer attack", attacked=way, budget=budget
        )
        for way in WAYS
        for budget in BUDGETS
    }
    plans |= {("parts", part): _fooling("development", DEVELOPMENT["parts"], part) for part in PARTS}
    return plans | {("sizes", demand): plan for demand, plan in sizes("development").items()}


def survival():
    """Return the sweeps of test photographs that notebook 2 shows, by name."""
    plans = {
        "all kinds": _test("all kinds", "low-pass attack"),
        "low-pass noise": _test("noise", "low-pass noise"),
        JPEG: _test("moved", JPEG),
        MOVED: _test("moved", MOVED),
        ("low-pass attack", "JPEG 95"): _test("JPEG 95", "low-pass attack", tier="JPEG 95"),
        ("low-pass noise", "JPEG 95"): _test("JPEG 95", "low-pass noise", tier="JPEG 95"),
        "shipped": (fooling, {**CONFIG, "photograph": list(range(20))}),
    }
    plans |= {("without", kind): _test("left out", "low-pass attack", without=kind) for kind in KINDS}
    plans |= {method: _test("methods", method) for method in TESTED[1:]}
    return plans


def transfer():
    """Return the sweeps of test photographs that notebook 3 shows, by attacked networks and size."""
    plans = {
        (way, tier): _test(purpose, "transfer attack", attacked=way, tier=tier)
        for way in WAYS
        for tier, purpose in SIZES.items()
    }
    plans |= {("low-pass attack", way): _test("transfer", "low-pass attack", attacked=way) for way in WAYS}
    return plans | {
        ("low-pass noise", "JPEG 90"): _test("noise", "low-pass noise"),
        ("low-pass noise", "16/255"): _test("16/255", "low-pass noise", tier="16/255"),
    }


def references():
    """Return the sweeps of JPEG compression and white noise, by name."""
    chosen = list(photographs("test")[: TEST["all kinds"]])
    return {
        change: (reference, {"split": "test", "photograph": chosen, "change": change, "seed": 0})
        for change in REFERENCES
    }


def distances():
    """Return the sweeps of the attacked photographs that ship: seen from near and far, and made smaller."""
    shipped = {"photograph": list(range(20)), "seed": 0}
    return {
        "distances": (seen_from, {**shipped, "pixels_per_degree": list(DISTANCES)}),
        "stricter": (within, {**shipped, "limit": list(STRICTER)}),
    }


def sizes(split="test"):
    """Return the sweeps of the smallest changes, by demand.

    Of each demand, on the first photographs whose forecast can be scored (`calibration.scored`). Photographs
    scored for the most demands come first, so that demands are compared on the same photographs. All that
    follows from the clean photographs alone.
    """
    predictions = pd.read_csv(PREDICTIONS)
    chosen = scored(predictions[predictions["split"] == split])
    demands = grouped(chosen, "photograph")["demand"].transform("size")
    chosen = chosen.loc[demands.sort_values(ascending=False, kind="stable").index]
    number = (TEST if split == "test" else DEVELOPMENT)["forecast"]
    return {
        demand: (smallest_size, {
            "split": split, "photograph": of_demand["photograph"].to_list()[:number], "demand": demand,
            "seed": 0,
        })
        for demand, of_demand in grouped(chosen, "demand")
    }  # fmt: skip


def one_by_one(epsilons=(1, 4)):
    """Return the sweeps of notebook 1, by attacked network (or white noise) and epsilon in 1 / 255."""
    return {
        (name, epsilon): (
            one_network,
            {"attacked": name, "epsilon": epsilon, "photograph": list(range(20)), "seed": 0},
        )
        for name in (*ONE_NETWORK_JUDGES, "white noise")
        for epsilon in epsilons
    }


def _test(purpose, method, **settings):
    return _fooling("test", TEST[purpose], method, budget=CHOSEN.get(method, 1.0), **settings)


def _fooling(split, number, method, **settings):
    chosen = list(photographs(split)[:number])
    return fooling, {"split": split, "photograph": chosen, "method": method, **settings, "seed": 0}


PLANS = {
    "development": development,
    "test": lambda: {
        (part.__name__, name): plan
        for part in (survival, transfer, references, one_by_one, distances)
        for name, plan in part().items()
    },
    "sizes": sizes,
}

if __name__ == "__main__":
    for chosen_plan in sys.argv[1:]:
        sweeps(PLANS[chosen_plan]())
