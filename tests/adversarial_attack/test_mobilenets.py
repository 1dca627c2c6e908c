import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from adversarial_attack.gradients import gradient, margin
from adversarial_attack.mobilenets import EightBits, Interpreter, rebuilt
from common import data
from common.data import MOBILENETS

with_files = pytest.mark.skipif(
    not all(map(data.is_available, (*MOBILENETS, "imagenet_compatible"))),
    reason="the MobileNets and the photographs do not ship: make data",
)


def development_photographs(count):
    return data.load_imagenet_compatible("development")[:count]


@with_files
@pytest.mark.parametrize("name", MOBILENETS)
def test_a_rebuilt_network_computes_the_integers_of_the_stored_one(name):
    photographs = development_photographs(8)
    noise = np.random.default_rng(0).choice([-4, 4], photographs.images.shape) / 255
    images = np.concatenate([photographs.as_float(), photographs.as_float() + noise]).astype("float32")
    original = Interpreter(name)(images)
    ours = np.asarray(rebuilt(name)(images))
    assert original.shape == ours.shape == (16, 1000)
    scale = np.min(np.diff(np.unique(original)))
    # The stored logits are rounded and clipped; the rebuilt ones are not.
    ours = np.round(np.clip(ours, original.min(), original.max()) / scale)
    assert np.mean(np.abs(ours - np.round(original / scale)) == 0) > 0.99
    assert np.mean(np.argmax(original[:8], axis=1) == photographs.labels) > 0.74


@with_files
@pytest.mark.parametrize("name", MOBILENETS)
def test_without_rounding_it_decides_alike_most_of_the_time(name):
    images = development_photographs(12).as_float()
    original = Interpreter(name)(images)
    said = np.argmax(rebuilt(name, rounded=False)(images), axis=1)
    # Integers tie now and then.
    assert np.sum(original[np.arange(12), said] == original.max(axis=1)) >= 11


@with_files
@pytest.mark.parametrize("rounded", [False, True])
def test_a_small_step_against_the_gradient_lowers_the_margin_of_the_wrong_classes(rounded):
    name = "mobilenet_v2_1.0_224"
    photographs = development_photographs(2)
    network, images = rebuilt(name, rounded), photographs.as_float()
    found = gradient(network, images, photographs.labels, loss=margin)
    assert np.isfinite(found).all()
    stepped = np.clip(images - np.sign(found) / 255, 0, 1)
    before, after = (np.asarray(margin(network(x), photographs.labels)) for x in (images, stepped))
    assert (after < before - 1).all()


@with_files
def test_values_a_little_beyond_the_unit_interval_do_not_wrap_around():
    interpreter, white = Interpreter("mobilenet_v1_0.75_192"), np.ones((1, 12, 12, 3), "float32")
    np.testing.assert_array_equal(interpreter(1.1 * white), interpreter(white))
    np.testing.assert_array_equal(interpreter(-0.1 * white), interpreter(0 * white))


FLOATS = arrays("float32", (2, 3, 3, 2), elements=st.floats(-300, 300, width=32))


@given(x=FLOATS, multiplier=st.sampled_from([1.0, 0.75, [0.5, 2.0]]), zero=st.integers(0, 255))
def test_eight_bits_quantise_as_numpy_does_and_pass_the_gradient_inside_the_range(x, multiplier, zero):
    layer, x = EightBits(multiplier, zero), tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    whole = np.round(x.numpy() * np.float32(multiplier)) + zero
    np.testing.assert_array_equal(y, np.clip(whole, 0, 255) - zero)
    inside = (whole >= 0) & (whole <= 255)
    np.testing.assert_array_equal(tape.gradient(y, x), np.where(inside, np.float32(multiplier), 0))


def test_a_saved_model_with_eight_bits_loads(tmp_path):
    images = keras.Input((None, None, 3))
    model = keras.Model(images, EightBits([0.5, 1.0, 2.0], 128)(EightBits(255.0, 0)(images)))
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).random((1, 4, 4, 3), "float32")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(x), model(x))


def test_without_the_files_one_sentence_says_what_still_works(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RESEARCH_DATA", raising=False)
    monkeypatch.setattr(data, "ORIGINS", dict.fromkeys(MOBILENETS, "http://127.0.0.1:1/"))
    for load in (rebuilt, Interpreter):
        with pytest.raises(ConnectionError, match=r"mobilenet_v1_0.75_192 lacks 1 of its files"):
            load("mobilenet_v1_0.75_192")
