import numpy as np
import pytest

from adversarial_attack import examples
from adversarial_attack.experiments import IMAGES, fooling, size_and_visibility
from adversarial_attack.visibility import Visibility, excess
from common.data import load_imagenet_samples
from common.experiments import sweep


def test_the_examples_are_the_images_that_the_records_measured(monkeypatch):
    monkeypatch.setenv("RESULTS", "replay")
    records = sweep(fooling, **examples.CONFIG, image=range(IMAGES))
    pairs = zip(load_imagenet_samples().as_float(), examples.load_examples(), strict=True)
    for (_, record), (image, changed) in zip(records.iterrows(), pairs, strict=True):
        measured = size_and_visibility(image, changed)
        stored = {name: record[f"strict_{name}"] for name in measured}
        assert measured == pytest.approx(stored, abs=2e-3)
        assert excess(Visibility(*(measured[name] for name in Visibility._fields)), "strict") <= 1


def test_a_missing_example_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(examples, "FOLDER", tmp_path / "examples")
    with pytest.raises(FileNotFoundError, match=r"00\.png is missing from examples"):
        examples.load_examples()


def test_missing_examples_are_made_again_and_only_these(monkeypatch, tmp_path):
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    monkeypatch.setattr(examples, "IMAGES", 2)
    monkeypatch.setattr(
        examples, "CONFIG", examples.CONFIG | {"arm": "white noise", "sources": "squeezenet", "epsilon": 4}
    )
    (tmp_path / "00.png").write_bytes(b"untouched")
    examples.write_missing()
    assert (tmp_path / "00.png").read_bytes() == b"untouched"
    monkeypatch.setattr(examples, "_path", lambda number: tmp_path / "01.png")
    found, clean = examples.load_examples()[0], load_imagenet_samples()[[1]].as_float()[0]
    assert 0 < np.abs(found - clean).max() <= 2 / 255
