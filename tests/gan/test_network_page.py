"""Networks in a page's JavaScript against Keras, layer by layer."""

import keras
import numpy as np
import pytest
from keras import layers

from gan import network_page
from tests.browser import HAS_BROWSER, chromium

RUN = "return Array.from(network(arguments[0])(arguments[1]))"


def drawn(kind, rng):
    """Return a network of one layer, its shapes, strides, padding, activation and weights drawn."""
    size, strides = tuple(rng.integers(1, 5, 2).tolist()), int(rng.integers(1, 4))
    padding, activation = str(rng.choice(["same", "valid"])), str(rng.choice(network_page.ACTIVATIONS))
    layer = {
        "Dense": lambda: layers.Dense(5, activation),
        "Conv2D": lambda: layers.Conv2D(3, size, strides, padding, activation=activation),
        "Conv2DTranspose": lambda: layers.Conv2DTranspose(3, size, strides, padding, activation=activation),
        "MaxPooling2D": lambda: layers.MaxPooling2D(size, strides, padding),
        "AveragePooling2D": lambda: layers.AveragePooling2D(size, strides, padding),
        "Flatten": layers.Flatten,
        "Reshape": lambda: layers.Reshape((-1, 1)),
    }[kind]()
    shape = (7,) if kind == "Dense" else (*rng.integers(4, 9, 2).tolist(), 2)
    model = keras.Sequential([keras.Input(shape), layer])
    # Half precision holds these exactly.
    model.set_weights([rng.normal(size=w.shape).astype("float16") for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("standalone")
    (folder / "page.html").write_text(network_page.page("Layers", "", "", {}))
    with chromium(folder / "browser") as driver:
        driver.get((folder / "page.html").as_uri())
        yield driver


@pytest.mark.skipif(not HAS_BROWSER, reason="needs chromium and chromium-driver")
class TestInTheBrowser:
    @pytest.mark.parametrize("kind", network_page.KINDS)
    @pytest.mark.parametrize("seed", range(6))
    def test_the_layers_are_those_of_keras(self, browser, kind, seed):
        rng = np.random.default_rng(seed)
        model = drawn(kind, rng)
        inputs = rng.normal(size=model.input_shape[1:]).astype("float32")
        ours = browser.execute_script(RUN, network_page.packed(model), inputs.ravel().tolist())
        np.testing.assert_allclose(ours, np.asarray(model(inputs[None])).ravel(), rtol=1e-4, atol=1e-5)

    def test_half_precision_is_read_bit_by_bit(self, browser):
        every = np.arange(65536, dtype="<u2").view("<f2")
        finite = every[np.isfinite(every)]
        ours = browser.execute_script(
            "return Array.from(halves(arguments[0]))", network_page._text(finite.tobytes())
        )
        np.testing.assert_array_equal(ours, finite)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(2, 2, dilation_rate=2),
        layers.Conv2D(2, 2, groups=2),
        layers.Conv2D(2, 2, use_bias=False),
        layers.Conv2D(2, 2, activation="gelu"),
        layers.Conv2D(2, 2, data_format="channels_first"),
        layers.LayerNormalization(),
    ],
)
def test_what_the_script_has_not_is_refused(layer):
    with pytest.raises(ValueError, match=r"network_page.js has no"):
        network_page.packed(keras.Sequential([keras.Input((8, 8, 2)), layer]))


def test_weights_beyond_half_precision_are_refused():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.set_weights([np.full((1, 1), 1e5), np.zeros(1)])
    with pytest.raises(ValueError, match=r"not finite in half precision"):
        network_page.packed(model)
