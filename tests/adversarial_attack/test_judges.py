import numpy as np
import pytest

from adversarial_attack import judges
from adversarial_attack.gradients import predictions
from adversarial_attack.judges import (
    ATTACKED,
    BATCH_SIZE,
    NEEDS,
    NETWORKS,
    differentiable,
    logits,
    recognises,
)
from adversarial_attack.mobilenets import Interpreter
from common import data
from common.data import MOBILENETS, SHA256
from common.pretrained import OFFLINE

KERAS = [name for name, key in NETWORKS.items() if key in OFFLINE]
STORED = [name for name, key in NETWORKS.items() if key in MOBILENETS]


def small_images(count=3):
    return np.random.default_rng(0).random((count, 40, 40, 3), "float32")


def test_the_names_fit_together():
    assert [*KERAS, *STORED] == [*NETWORKS]
    assert [NETWORKS[name] for name in STORED] == [*MOBILENETS]
    for attacked in ATTACKED.values():
        assert {*attacked} < {*NETWORKS}
    assert {*MOBILENETS} < {*NEEDS} < {*SHA256}


@pytest.mark.parametrize("name", KERAS)
def test_a_keras_network_recognises_the_class_that_it_predicts(name):
    images = small_images()
    said = predictions(differentiable(name), images)
    assert recognises(name, images, said).all()
    assert not recognises(name, images, (said + 1) % 1000).any()
    np.testing.assert_allclose(logits(name, images), differentiable(name)(images), rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(
    not all(map(data.is_available, NEEDS)), reason="the MobileNets and photographs do not ship: make data"
)
@pytest.mark.parametrize("name", STORED)
def test_a_stored_network_judges_in_integers_and_is_attacked_as_rebuilt(name):
    photographs = data.load_imagenet_compatible("development")[:6]
    images = photographs.as_float()
    stored = Interpreter(NETWORKS[name])(images)
    np.testing.assert_array_equal(logits(name, images), stored)
    assert recognises(name, images, stored.argmax(axis=1)).all()
    assert not recognises(name, images, stored.argmin(axis=1)).any()
    assert recognises(name, images, predictions(differentiable(name), images)).all()


def test_a_tie_with_the_label_counts_as_recognised(monkeypatch):
    said = np.zeros((4, 1000), "float32")
    said[:, [3, 7]] = 2.5
    monkeypatch.setattr(judges, "_judge", lambda name: lambda images: said[: len(images)])
    assert recognises("MobileNetV1", small_images(4), np.array([3, 7, 0, 999])).tolist() == [
        True, True, False, False,
    ]  # fmt: skip


def test_many_images_are_judged_in_batches_in_their_order(monkeypatch):
    sizes = []
    monkeypatch.setattr(
        judges, "_judge", lambda name: lambda x: sizes.append(len(x)) or x.reshape(len(x), -1)[:, :1000]
    )
    images = small_images(BATCH_SIZE + 1)
    np.testing.assert_array_equal(logits("SqueezeNet", images), images.reshape(len(images), -1)[:, :1000])
    assert sizes == [BATCH_SIZE, 1]


def test_networks_are_built_once():
    assert differentiable("SqueezeNet") is differentiable("SqueezeNet")


@pytest.mark.parametrize("ask", [differentiable, lambda name: logits(name, small_images())])
def test_an_unknown_network_gets_the_list_of_known_ones(ask):
    with pytest.raises(ValueError, match="There is no network 'AlexNet'; there are EfficientNet-Lite0"):
        ask("AlexNet")


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (small_images(), [0, 1], "there are 3 images and 2 labels"),
        (small_images(), [0, 1, 1000], "labels must lie in 0 to 999"),
        (small_images()[0], [0] * 40, "images must have the 4 axes"),
        (small_images() * np.nan, [0, 1, 2], "images must be finite"),
    ],
)
def test_wrong_images_and_labels_get_one_clear_sentence(images, labels, message):
    with pytest.raises(ValueError, match=message):
        recognises("SqueezeNet", images, np.array(labels))


def test_without_its_file_a_stored_network_says_what_still_works(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RESEARCH_DATA", raising=False)
    monkeypatch.setattr(data, "ORIGINS", dict.fromkeys(MOBILENETS, "http://127.0.0.1:1/"))
    monkeypatch.setitem(NETWORKS, "not yet built", "mobilenet_v1_0.75_192")
    for ask in (differentiable, lambda name: logits(name, small_images())):
        with pytest.raises(ConnectionError, match=r"mobilenet_v1_0.75_192 lacks 1 of its files"):
            ask("not yet built")
