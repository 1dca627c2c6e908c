from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial_attack import filter_set
from adversarial_attack.filter_set import FILTER_SET, KINDS, LEFT_OUT, MIX, low_passes

SHAPE = (12, 14)
IMAGES = np.random.default_rng(0).uniform(0.4, 0.6, (1, *SHAPE, 3)).astype("float32")
MAKERS = {
    "gaussian_blur": "blur",
    "down_and_up": "blur",
    "jpeg": "compression",
    "webp": "compression",
    "median": "smoothing",
    "bilateral": "smoothing",
    "total_variation": "smoothing",
}


def drawn(monkeypatch, without, steps, seed=0):
    """Return what the steps draw, as names of makers with their strengths; the identity is ("none",)."""
    with monkeypatch.context() as patch:
        patch.setattr(filter_set, "IDENTITY", ("none",))
        for name in MAKERS:
            patch.setattr(filter_set, name, lambda *numbers, name=name: (name, *numbers))
        draw = low_passes(without)
        return [draw(SHAPE, step, np.random.default_rng((seed, step))) for step in range(steps)]


def is_light(found):
    return found[0] == "none" or (found[0] == "gaussian_blur" and 0.2 <= found[-1] <= 0.4)


def test_the_mix_and_what_is_left_out_are_the_whole_set():
    assert (*MIX, *LEFT_OUT) == tuple(FILTER_SET)
    assert list(MIX) == ["none", *KINDS["blur"], *KINDS["compression"], *KINDS["smoothing"]]


@pytest.mark.parametrize("name", FILTER_SET)
def test_every_filter_keeps_shape_and_type(name):
    found = FILTER_SET[name](*SHAPE)(IMAGES)
    assert (found.shape, found.dtype) == (IMAGES.shape, IMAGES.dtype)
    assert (np.abs(found - IMAGES).max() > 0.01) == (name != "none")


@pytest.mark.parametrize("seed", range(20))
def test_ten_steps_hold_the_mix(monkeypatch, seed):
    steps = drawn(monkeypatch, "nothing", 60, seed)
    for start in range(0, 60, 10):
        ten = steps[start : start + 10]
        names = Counter(name for name, *_ in ten[1:])
        assert is_light(ten[0])
        assert [names[name] for name in ("gaussian_blur", "down_and_up", "jpeg", "webp")] == [3, 1, 2, 1]
        sigmas = [found[-1] for found in ten[1:] if found[0] == "gaussian_blur"]
        assert [int((sigma - 0.3) / 2 * 3) for sigma in sigmas] == [0, 1, 2]
        assert sum(names[name] for name in ("median", "bilateral", "total_variation")) == 2
    for name, low, high in [("down_and_up", 0.4, 0.7), ("jpeg", 40, 95), ("webp", 50, 95)]:
        assert all(low <= found[-1] <= high for found in steps if found[0] == name)
    assert all(0.05 <= found[1] <= 0.2 for found in steps if found[0] == "bilateral")
    assert all(0.025 <= found[1] <= 0.1 for found in steps if found[0] == "total_variation")


@pytest.mark.parametrize("without", KINDS)
def test_the_steps_of_a_kind_left_out_are_shared_equally(monkeypatch, without):
    # Otherwise a very light blur would count as a blur.
    monkeypatch.setattr(filter_set, "_nothing", lambda *_, **__: ("none",))
    mixed, found = (
        Counter(MAKERS.get(name, "none") for name, *_ in drawn(monkeypatch, kind, 180))
        for kind in ("nothing", without)
    )
    share = mixed.pop(without) / 3
    assert found == {kind: number + share for kind, number in mixed.items()}


def test_without_blurs_there_is_no_light_blur_either(monkeypatch):
    assert all(MAKERS.get(name) != "blur" for name, *_ in drawn(monkeypatch, "blur", 180))


@given(step=st.integers(0, 500), seed=st.integers(0, 1000), without=st.sampled_from(["nothing", *KINDS]))
def test_a_draw_depends_on_step_and_generator_alone(step, seed, without):
    first = low_passes(without)(SHAPE, step, np.random.default_rng(seed))(IMAGES)
    again = low_passes(without)(SHAPE, step, np.random.default_rng(seed))(IMAGES)
    np.testing.assert_array_equal(first, again)


def test_an_unknown_kind_gets_one_clear_sentence():
    with pytest.raises(ValueError, match=r"without must be one of .*, not 'colour'"):
        low_passes("colour")
