"""What holds for every transform: symbolic tensors, saved models, 16-bit numbers, mixed precision."""

import keras
import numpy as np
import pytest
from keras import ops

from common import layers
from common.fourier import as_channels, fft2, gaussian_blur, ifft2, low_pass, radial_spectrum
from common.radon import backproject, filtered_backprojection, radon
from common.scramble import Scrambler
from common.transform import PACKAGE, TransformLayer
from common.wavelet import MODES, dwt2, idwt2, wavedec2, waverec2

ANGLES = [0, 30, 135.5]
SCRAMBLER = Scrambler((12, 10), 0)
SHAPE = (2, 12, 10, 3)


def there_and_back(mode):
    return lambda x: waverec2(wavedec2(x, "db2", 1, mode), "db2", mode)


TRANSFORMS = {
    **{f"waverec2, {mode}": there_and_back(mode) for mode in MODES},
    "dwt2": lambda x: dwt2(x, "bior2.2"),
    "idwt2": lambda x: idwt2(dwt2(x), "haar", "reflect"),
    "wavedec2": lambda x: wavedec2(x, "haar", 2),
    "fft2": fft2,
    "fft2 of complex images": lambda x: fft2(fft2(x), "centre"),
    "ifft2": lambda x: ifft2(fft2(x, "centre"), "centre"),
    "log magnitude": lambda x: as_channels(fft2(x), "log_magnitude"),
    "real and imaginary": lambda x: as_channels(fft2(x)),
    "radial_spectrum": radial_spectrum,
    "low_pass": lambda x: low_pass(x, 0.5),
    "gaussian_blur": lambda x: gaussian_blur(x, 1.3),
    "scramble": SCRAMBLER.scramble,
    "unscramble": SCRAMBLER.unscramble,
    "radon": lambda x: radon(x, ANGLES),
    "radon, circle": lambda x: radon(x, ANGLES, circle=True),
    "backproject": lambda x: backproject(radon(x, ANGLES, detectors=9), ANGLES, (12, 10), detectors=9),
    "filtered_backprojection": lambda x: filtered_backprojection(radon(x, ANGLES, detectors=15), ANGLES),
    "a dict and a list": lambda x: {
        "k": fft2(x),
        "others": [low_pass(x, 0.5), dwt2(x), wavedec2(x, level=1)],
    },
}
each_transform = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)


def images(dtype="float32"):
    return ops.cast(np.random.default_rng(0).standard_normal(SHAPE), dtype)


def named_tuples(structure):
    """Return a structure of the types of named tuples; Keras saves other tuples as lists."""
    if isinstance(structure, dict):
        return {name: named_tuples(part) for name, part in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [hasattr(structure, "_fields") and type(structure), *map(named_tuples, structure)]
    return None


def assert_same(actual, expected, tolerance):
    """Compare structures of tensors: their types, shapes, and values relative to the largest."""
    assert named_tuples(actual) == named_tuples(expected)
    ours, theirs = (
        [ops.convert_to_numpy(ops.cast(x, "float32")) for x in keras.tree.flatten(structure)]
        for structure in (actual, expected)
    )
    scale = max(np.abs(x).max() for x in theirs)
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x, y, atol=tolerance * scale)


@pytest.mark.parametrize("size", [(12, 10), (None, None)])
@each_transform
def test_a_symbolic_tensor_becomes_layers_that_survive_saving(transform, size, tmp_path):
    x = images()
    expected = transform(x)
    inputs = keras.Input((*size, 3))
    model = keras.Model(inputs, transform(inputs))
    for known, output in zip(keras.tree.flatten(model.output), keras.tree.flatten(expected), strict=True):
        assert all(a in (None, b) for a, b in zip(known.shape, output.shape, strict=True))
        assert None in size or None not in known.shape[1:]
    model.save(tmp_path / "model.keras")
    for network in (model, keras.models.load_model(tmp_path / "model.keras")):
        assert_same(network(x), expected, 1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@each_transform
def test_16_bits_are_computed_in_float32(transform, dtype):
    x = images(dtype)
    actual = transform(x)
    assert {keras.backend.standardize_dtype(y.dtype) for y in keras.tree.flatten(actual)} == {dtype}
    assert_same(actual, transform(ops.cast(x, "float32")), 0.02 if dtype == "bfloat16" else 0.002)


def test_what_exceeds_float16_is_refused():
    white = np.ones((1, 512, 512, 1), "float16")
    with pytest.raises(ValueError, match="largest float16, 65,504; convert the input to float32"):
        radial_spectrum(white)


@pytest.mark.parametrize(
    "make",
    [
        layers.DWT2, layers.WaveletDecomposition, layers.FFT2, layers.FourierChannels, layers.RadialSpectrum,
        lambda dtype: layers.LowPass(0.4, dtype=dtype), lambda dtype: layers.GaussianBlur(1, dtype=dtype),
        lambda dtype: layers.Radon(ANGLES, dtype=dtype),
        lambda dtype: layers.Scramble((12, 10), 0, dtype=dtype),
    ],
)  # fmt: skip
def test_layers_take_their_input_under_mixed_precision(make):
    layer = make(dtype="mixed_float16")
    outputs = keras.tree.flatten([layer(keras.Input(SHAPE[1:])), layer(images())])
    assert {keras.backend.standardize_dtype(output.dtype) for output in outputs} == {"float16"}


def test_importing_layers_registers_all_of_them():
    def below(kind):
        return {kind, *(grandchild for child in kind.__subclasses__() for grandchild in below(child))}

    public = {kind for kind in below(TransformLayer) - {TransformLayer} if not kind.__name__.startswith("_")}
    assert {kind.__name__ for kind in public} == set(layers.__all__)
    for kind in public:
        assert keras.saving.get_registered_object(f"{PACKAGE}>{kind.__name__}") is kind


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dwt2(keras.Input((28, 28))), "4 axes"),
        (lambda: layers.DWT2()(keras.Input((28, 28))), "4 axes"),
        (lambda: fft2(keras.Input((3, 64, 64))), "channels-first"),
        (lambda: layers.LowPass(0.5)(keras.Input((3, 64, 64))), "channels-first"),
        (lambda: SCRAMBLER.scramble(keras.Input((10, 12, 1))), r"\(batch, 12, 10, channels\)"),
        (lambda: wavedec2(keras.Input((None, None, 1))), "level must be given"),
        (lambda: filtered_backprojection(keras.Input((None, 3, 1)), ANGLES), "number of detectors"),
    ],
)
def test_a_symbolic_tensor_that_cannot_be_transformed_is_refused_at_once(call, message):
    with pytest.raises(ValueError, match=message):
        call()
