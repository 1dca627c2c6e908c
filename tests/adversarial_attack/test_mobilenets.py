import numpy as np
import pytest

from adversarial_attack.mobilenets import Interpreter, rebuilt
from common import data
from common.data import MOBILENETS


@pytest.mark.skipif(
    not all(map(data.is_available, MOBILENETS)), reason="the MobileNets do not ship: make data"
)
@pytest.mark.parametrize("name", MOBILENETS)
def test_a_rebuilt_network_decides_like_the_stored_one(name):
    photographs = data.load_imagenet_compatible("development")[:30]
    original = Interpreter(name)(photographs.as_float())
    ours = np.asarray(rebuilt(name)(photographs.as_float()))
    assert original.shape == ours.shape == (30, 1000)
    said = np.argmax(ours, axis=1)
    # Integers tie now and then.
    assert np.sum(original[np.arange(30), said] == original.max(axis=1)) >= 29
    assert np.mean(np.argmax(original, axis=1) == photographs.labels) > 0.74


def test_without_the_files_one_sentence_says_what_still_works(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RESEARCH_DATA", raising=False)
    monkeypatch.setattr(data, "ORIGINS", dict.fromkeys(MOBILENETS, "http://127.0.0.1:1/"))
    for load in (rebuilt, Interpreter):
        with pytest.raises(ConnectionError, match=r"mobilenet_v1_0.75_192 lacks 1 of its files"):
            load("mobilenet_v1_0.75_192")
