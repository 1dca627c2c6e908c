import functools

import keras
import numpy as np
import pytest
from PIL import Image

from common import pretrained
from common.data import load_imagenet_samples
from common.pretrained import OFFLINE, load_classifier


@pytest.fixture(scope="module")
def samples():
    return load_imagenet_samples(512)


@pytest.mark.parametrize(("name", "right"), list(zip(OFFLINE, (17, 19, 18, 12), strict=True)))
def test_as_many_samples_are_recognised_as_by_the_original(name, right, samples):
    # Counted with the weights in the original frameworks, on pictures resampled by bicubic splines.
    pictures = [
        Image.fromarray(image).resize((224, 224), Image.Resampling.BICUBIC) for image in samples.images
    ]
    logits = load_classifier(name)(np.stack(pictures).astype("float32") / 255)
    assert np.sum(np.argmax(logits, axis=1) == samples.labels) == right


@pytest.mark.parametrize("name", ["efficientnet_lite0", "squeezenet"])
def test_images_of_any_size_become_logits_each_on_its_own(name, samples):
    classifier = load_classifier(name)
    for height, width in ((64, 64), (75, 130)):
        images = samples[:3].as_float()[:, :height, :width]
        logits = classifier(images).numpy()
        assert logits.shape == (3, 1000)
        assert np.abs(logits.sum(axis=1) - 1).min() > 1
        alone = classifier(images[1:2])
        np.testing.assert_allclose(alone[0], logits[1], atol=1e-3)
    assert not classifier.trainable_variables


def test_networks_of_keras_keep_their_decisions_and_take_other_sizes(samples):
    module = keras.applications.mobilenet_v2
    build = functools.partial(keras.applications.MobileNetV2, alpha=0.35)
    full = build(weights=None)
    model = pretrained._of_any_size(full, build, module.preprocess_input)
    images = samples[:2].as_float()[:, :224, :224]
    expected = full(module.preprocess_input(255 * images))
    logits = model(images)
    np.testing.assert_allclose(keras.ops.softmax(logits), expected, atol=1e-6)
    assert model(images[:, :96, :64]).shape == (2, 1000)


def test_without_a_network_the_offline_classifiers_are_named(monkeypatch):
    def unreachable(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications.resnet, "ResNet50", unreachable)
    with pytest.raises(
        ConnectionError, match=r"without a network there are efficientnet_lite0, .*squeezenet"
    ):
        load_classifier("resnet50")


@pytest.mark.parametrize("name", ["vgg", ["squeezenet"], None, 3])
def test_an_unknown_classifier_gets_one_clear_sentence(name):
    with pytest.raises(ValueError, match=r"There is no classifier .*; there are efficientnet_lite0, "):
        load_classifier(name)


@pytest.mark.fault("installed weights altered or missing", "one sentence")
def test_altered_or_missing_weights_get_one_clear_sentence(monkeypatch):
    package = pretrained._PACKAGES["squeezenet"]
    pretrained._loaded.cache_clear()
    monkeypatch.setitem(pretrained._PACKAGES, "squeezenet", package._replace(sha256="0" * 64))
    with pytest.raises(ValueError, match="The weights of squeezenet are truncated or altered: reinstall ndf"):
        load_classifier("squeezenet")
    monkeypatch.setitem(pretrained._PACKAGES, "squeezenet", package._replace(name="no_such_package"))
    with pytest.raises(FileNotFoundError, match="install the package no_such_package"):
        load_classifier("squeezenet")
