"""Every network that a study builds can be saved, and loads again with the same outputs."""

import importlib
import inspect

import keras
import numpy as np
import pytest

from adversarial_attack.networks import ARCHITECTURES as SMALL
from cnn_vs_dense.models import ARCHITECTURES
from gan.models import load_generator
from tests.repository.test_layout import MODULES, ROOT, STUDIES

DIGIT, POINT = (28, 28, 1), (2,)
# For each function of a study that builds a network: the arguments to try, and the shape of an input.
BUILDERS = {
    "adversarial_attack.networks.build": [((name, 0), DIGIT) for name in SMALL],
    # Two complex channels; or one, with the cosine and the sine of its phase.
    "cnn_vs_dense.models.build": [((name, (28, 28, 4), 10), (28, 28, 4)) for name in ARCHITECTURES],
    "cnn_vs_dense.models.build_with_image": [
        ((name, DIGIT, 10, DIGIT), DIGIT) for name in ("joint_unet", "wrapped")
    ],
    "gan.guide.build_guide_discriminator": [((), DIGIT)],
    "gan.guide.build_guide_generator": [((), (128,))],
    "gan.models.build_classifier": [((), DIGIT)],
    "gan.models.build_critic": [((), DIGIT)],
    "gan.models.build_dense_critic": [((3,), (3,))],
    "gan.models.build_discriminator": [((), DIGIT), ((0, True), DIGIT)],
    "gan.models.build_encoder": [((2,), DIGIT)],
    "gan.models.build_generator": [((2,), POINT), ((2, 0, True), POINT)],
    "wavelet_based_dnn.boxed.build_boxed_network": [((), DIGIT)],
    "wavelet_based_dnn.rivals.build_plain_pyramid": [((), DIGIT)],
    "wavelet_based_dnn.scale_network.build_scale_network": [
        ((), DIGIT),
        (("average pool", (4,) * 7, 3), DIGIT),
    ],
}
OPTIMIZERS = {"gan.training.build_optimizers", "wavelet_based_dnn.scene_training.build_optimizer"}
BUILT = [
    pytest.param(name, arguments, shape, id=f"{name} {arguments}")
    for name, cases in BUILDERS.items()
    for arguments, shape in cases
]


def imported(name):
    module, function = name.rsplit(".", 1)
    return getattr(importlib.import_module(module), function)


def test_every_function_that_builds_a_network_is_tried():
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES]
    found = {
        f"{name}.{function}"
        for name in names
        if name.split(".")[0] in STUDIES and not name.endswith("__init__")
        for function, value in inspect.getmembers(importlib.import_module(name), inspect.isfunction)
        if value.__module__ == name and (function == "build" or function.startswith("build_"))
    }
    assert found - OPTIMIZERS == set(BUILDERS)


@pytest.mark.parametrize(("name", "arguments", "shape"), BUILT)
def test_a_saved_network_loads_with_the_same_outputs(tmp_path, name, arguments, shape):
    assert_saved(imported(name)(*arguments), shape, tmp_path)


def test_a_committed_generator_can_be_saved(tmp_path):
    assert_saved(load_generator(2), POINT, tmp_path)


def assert_saved(network, shape, folder):
    inputs = np.random.default_rng(0).random((2, *shape), dtype="float32")
    expected = network(inputs)
    network.save(folder / "network.keras")
    loaded = keras.saving.load_model(folder / "network.keras")
    for one, other in zip(flat(loaded(inputs)), flat(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def flat(outputs):
    return [np.asarray(one) for one in keras.tree.flatten(outputs)]
