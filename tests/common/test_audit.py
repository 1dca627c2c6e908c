"""Measuring again, and what counts as the same conditions."""

import copy

import joblib
import numpy as np
import pytest

from common.experiments import Store, audit, conditions, cpu, key, sweep
from tests.common.test_experiments import make_study


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("RESULTS", "compute")
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    with joblib.parallel_config(backend="sequential"):
        yield make_study(tmp_path, monkeypatch, "one_study")


def test_remeasuring_finds_identical_and_drifted_records(study, tmp_path):
    sweep(study, x=[1, 2], seed=0)
    records = Store.of(study).read()
    table = audit.remeasure([(study, records, Store(tmp_path / "again.jsonl"))])
    assert table["verdict"].tolist() == ["identical", "identical"]
    assert audit.summary(table).splitlines()[-2].split()[:3] == ["square", "identical", "2"]
    tampered = copy.deepcopy(records)
    tampered[key({"x": 2, "dataset": "mnist", "seed": 0})]["result"]["square"] += 1e-9
    work = [(study, tampered, Store(tmp_path / "again.jsonl"))]
    assert sorted(audit.remeasure(work)["verdict"]) == ["drifted", "identical"]
    for name in ("cpu", "libraries", "environment"):
        elsewhere = {k: record | {name: "another"} for k, record in tampered.items()}
        table = audit.compared([(study, elsewhere, work[0][2])])
        assert sorted(table["verdict"]) == ["identical", "within tolerance"]
    before = {k: {n: v for n, v in r.items() if n != "environment"} for k, r in tampered.items()}
    assert sorted(audit.compared([(study, before, work[0][2])])["verdict"]) == [
        "identical",
        "within tolerance",
    ]
    assert audit.summary(table).endswith(f"\non {cpu()}")


def test_scratch_reports_and_clears_the_study_it_was_asked_for(study, tmp_path, monkeypatch, capsys):
    for square in (study, make_study(tmp_path, monkeypatch, "other_study")):
        sweep(square, x=[1, 2], seed=0)
    took = "2 measurements, 0 hours of one core, so about 0 hours on two"
    assert audit.cost("one_study") == f"{took}: {cpu()}."
    unfinished = tmp_path / "build" / "scratch" / "other_study" / "results" / "square.jsonl"
    Store(unfinished).add({"config": {"x": 1}, "result": {"square": 1}})
    capsys.readouterr()
    assert audit.main(["scratch", "one_study"]) == 0
    assert [path.name for path in unfinished.parents[2].iterdir()] == ["other_study"]
    announced, report = capsys.readouterr().out.split("\n", 1)
    assert report == (tmp_path / "build" / "scratch_one_study.txt").read_text()
    assert report.count(" identical") == 3
    assert announced.startswith("Measuring 2 of 2 records (square) takes about 1 second")
    with pytest.raises(
        SystemExit, match="no records of 'no_study'; there are those of one_study, other_study"
    ):
        audit.main(["scratch", "no_study"])
    assert unfinished.exists()


def test_a_sample_says_how_to_draw_it_again(study, capsys):
    sweep(study, x=list(range(1, 20)), seed=0)
    store = Store.of(study)
    for record in store.read().values():
        store.add(record | {"seconds": 1.0})
    capsys.readouterr()
    assert audit.main(["sample", "--seconds", "3"]) == 0
    first, _, *rows = capsys.readouterr().out.splitlines()
    seed = first.removeprefix("A sample of all records; draw it again with --seed ").removesuffix(".")
    assert audit.main(["sample", "--seconds", "3", "--seed", seed]) == 0
    repeated = capsys.readouterr().out.splitlines()[2:]
    drawn = [
        [line.split('"x": ')[1].split("}")[0] for line in lines if '"x"' in line]
        for lines in (rows, repeated)
    ]
    assert len(drawn[0]) == 3
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("seed", range(3))
def test_a_sample_fits_the_seconds_and_passes_over_what_is_too_dear(seed):
    rng = np.random.default_rng(seed)
    stored = [{str(i): {"seconds": s} for i, s in enumerate(rng.uniform(1, 50, 40))} for _ in range(3)]
    chosen = audit.sample(stored, seed, seconds=90)
    assert chosen == audit.sample(stored, seed, seconds=90) != audit.sample(stored, seed + 1, seconds=90)
    left = 90 - sum(record["seconds"] for records in chosen for record in records.values())
    passed_over = [
        r["seconds"] for s, c in zip(stored, chosen, strict=True) for k, r in s.items() if k not in c
    ]
    assert 0 <= left < min(passed_over)
    assert audit.sample(stored, seed, seconds=0.5) == [{}, {}, {}]


def test_other_conditions_have_the_stated_tolerance():
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
        ({"a": [0.0, 1.0]}, {"a": [0.0]}, np.inf),
        ({"a": 1.0}, {"b": 1.0}, np.inf),
        ({"a": [0.0, None]}, {"a": [0.0, 1.0]}, np.inf),
        ({"a": "4 8A=="}, {"a": "4 cA=="}, 0.25),
        ({"a": "4 8A=="}, {"a": "4 8A=="}, 0),
        ({"a": "4 8A=="}, {"a": "5 8A=="}, np.inf),
        ({"a": float("nan")}, {"a": 1.0}, np.inf),
        ({"a": float("nan")}, {"a": float("nan")}, 0),
    ],
)
def test_distance_of_two_results(stored, measured, far):
    assert audit.worst(audit.distances(stored, measured), 0.1) == pytest.approx((far, 0.1))


def test_each_result_may_have_a_tolerance_of_its_own():
    far = {"accuracy": 0.02, "loss": 0.3, "parameters": 0.0}
    assert audit.worst(far, {"accuracy": 0.01, "loss": 0.5}) == (0.02, 0.01)
    assert audit.worst(far, {"accuracy": 0.1, "loss": 0.5}) == (0.3, 0.5)
    assert audit.worst(far | {"parameters": 1e-9}, {"accuracy": 0.1, "loss": 0.5}) == (1e-9, 0.0)
    assert audit.worst({}, {}) == (0, 0)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["cpu family\t: 25", "model\t\t: 17", "model name\t: AMD EPYC", "stepping\t: 1"],
            "AMD EPYC (family 25, model 17, stepping 1)",
        ),
        (["model name\t: ARMv7 Processor rev 4 (v7l)"], "ARMv7 Processor rev 4 (v7l)"),
        (["model name\t: A family 4 processor"], "A family 4 processor"),
        (
            ["CPU implementer\t: 0x41", "CPU part\t: 0xd40"],
            "aarch64 (implementer 0x41, part 0xd40)",
        ),
        (["flags\t: fpu"], ""),
    ],
)
def test_generations_of_a_processor_with_one_name_are_kinds_of_their_own(monkeypatch, lines, expected):
    monkeypatch.setattr(conditions.platform, "machine", lambda: "aarch64")
    text = "\n".join(["processor\t: 0", *lines, "", "processor\t: 1", "model name\t: another"])
    assert conditions.processor(text) == expected
