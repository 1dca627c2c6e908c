"""`common.radon` against scikit-image, and against the laws of the Radon transform."""

import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from keras import ops
from skimage import transform

import common.radon._matrices as module
from common.radon import (
    Backprojection,
    FilteredBackprojection,
    Radon,
    backproject,
    filtered_backprojection,
    radon,
)

FILTERS = ["ramp", "shepp-logan", "cosine", "hamming", "hann", None]
HALF_TURN = np.arange(0, 180, 9.0)


def numpy(x):
    return ops.convert_to_numpy(x)


def assert_close(actual, expected, tolerance, case="", whole=None):
    """The error is relative to the largest value of `whole`, of which `expected` may be a small part."""
    error = np.abs(numpy(actual) - expected).max() / np.abs(expected if whole is None else whole).max()
    assert error <= tolerance, f"{case}: relative error {error:.2e} exceeds {tolerance:.0e}"


def skimage_radon(x, angles, circle):
    def project(image):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Radon transform: image must be zero")
            return transform.radon(image, angles, circle=circle, preserve_range=True)

    return np.stack([np.stack([project(c) for c in np.moveaxis(image, -1, 0)], -1) for image in x])


def skimage_iradon(y, angles, **options):
    return np.stack(
        [
            np.stack([transform.iradon(c, angles, **options) for c in np.moveaxis(sinogram, -1, 0)], -1)
            for sinogram in y
        ]
    )


@pytest.fixture
def looped(monkeypatch):
    """Every operator runs as a loop over the angles, whatever its size."""
    monkeypatch.setattr(module, "MATRIX_BYTES", 0)


@pytest.fixture(params=["matrix", "loop"])
def path(request):
    if request.param == "loop":
        request.getfixturevalue("looped")
    return request.param


angle_lists = st.lists(
    st.one_of(st.floats(-720, 720), st.sampled_from([0, 30, 45, 90, 135, 180, 270, -90])),
    min_size=1,
    max_size=7,
).filter(lambda angles: not any(angles) or max(map(abs, angles)) > 6.29)  # smaller ones may look like radians
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=15)
@given(st.integers(8, 48), st.integers(8, 48), angle_lists, st.booleans(), seeds)
def test_radon_equals_scikit_image(height, width, angles, circle, seed):
    x = np.random.default_rng(seed).random((1, height, width, 1))
    expected = skimage_radon(x, angles, circle)
    case = f"{height} x {width}, angles {angles}, circle {circle}"
    assert_close(radon(x, angles, circle), expected, 1e-12, case)
    assert_close(radon(x.astype("float32"), angles, circle), expected, 1e-5, case)


@example(86, [0, 0, 0, 0], False, "ramp", 1, 2**32 - 2)  # one value, which is nearly zero
@settings(max_examples=20)
@given(st.integers(8, 64), angle_lists, st.booleans(), st.sampled_from(FILTERS), st.integers(0, 40), seeds)
def test_filtered_backprojection_equals_scikit_image(detectors, angles, circle, filter, size, seed):
    y = np.random.default_rng(seed).random((1, detectors, len(angles), 1))
    size = size or None
    expected, whole = (
        skimage_iradon(y, angles, filter_name=filter, output_size=wanted, circle=circle)
        for wanted in (size, max(detectors, size or 0))
    )
    case = f"{detectors} detectors, angles {angles}, circle {circle}, filter {filter}, size {size}"
    assert_close(filtered_backprojection(y, angles, filter, size, circle), expected, 1e-12, case, whole)
    y = y.astype("float32")
    assert_close(filtered_backprojection(y, angles, filter, size, circle), expected, 1e-5, case, whole)


@pytest.mark.parametrize(("shape", "circle"), [((8, 13), False), ((17, 12), True)])
def test_both_paths_equal_scikit_image(path, shape, circle):
    rng = np.random.default_rng(0)
    angles = [*rng.uniform(-400, 400, 3), 0, 45, 270]
    x = rng.random((2, *shape, 2))
    y = skimage_radon(x, angles, circle)
    assert_close(radon(x, angles, circle), y, 1e-12)
    assert_close(radon(x.astype("float32"), angles, circle), y, 1e-6)
    for filter, size in (("ramp", None), ("hann", 30)):
        expected = skimage_iradon(y, angles, filter_name=filter, output_size=size, circle=circle)
        assert_close(filtered_backprojection(y, angles, filter, size, circle), expected, 1e-12, filter)
        y32 = y.astype("float32")
        assert_close(filtered_backprojection(y32, angles, filter, size, circle), expected, 1e-5, filter)


def test_large_image_equals_scikit_image():
    angles = [0, 17.3, 45, 90, 200.1, -33]
    x = np.random.default_rng(0).random((1, 512, 512, 1), dtype="float32")
    y = skimage_radon(x.astype("float64"), angles, False)
    assert_close(radon(x, angles), y, 1e-5)
    expected = skimage_iradon(y, angles, circle=False)
    assert_close(filtered_backprojection(y.astype("float32"), angles), expected, 1e-5)


@pytest.mark.parametrize(
    ("shape", "detectors", "circle"),
    [((1, 1), None, False), ((13, 20), None, True), ((13, 20), 11, False)],
)
def test_backproject_is_the_adjoint(path, shape, detectors, circle):
    rng = np.random.default_rng(sum(shape))
    angles = rng.uniform(-360, 360, 6)
    for dtype, tolerance in [("float64", 1e-12), ("float32", 1e-6)][: 2 if path == "matrix" else 1]:
        x = rng.standard_normal((2, *shape, 3)).astype(dtype)
        check_adjoint(x, angles, circle, detectors, tolerance)


def check_adjoint(x, angles, circle, detectors, tolerance):
    projected = numpy(radon(x, angles, circle, detectors))
    y = np.random.default_rng(1).standard_normal(projected.shape).astype(x.dtype)
    smeared = numpy(backproject(y, angles, x.shape[1:3], circle, detectors))
    assert smeared.dtype == projected.dtype == x.dtype
    assert smeared.shape == x.shape
    left, right = np.vdot(projected.astype("float64"), y), np.vdot(x.astype("float64"), smeared)
    scale = np.linalg.norm(projected) * np.linalg.norm(y)
    assert abs(left - right) <= tolerance * scale, f"<Rx, y> = {left}, <x, R*y> = {right}"


@settings(max_examples=12)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 40), st.booleans(), seeds)
def test_a_detector_of_any_length_sees_what_falls_on_it(height, width, detectors, circle, seed):
    x = np.random.default_rng(seed).standard_normal((1, height, width, 1))
    angles = np.random.default_rng(seed).uniform(0, 360, 3)
    usual = numpy(radon(x, angles, circle))[0, :, :, 0]
    positions = np.arange(len(usual)) - len(usual) // 2
    actual = numpy(radon(x, angles, circle, detectors))[0, :, :, 0]
    for row, position in zip(actual, np.arange(detectors) - detectors // 2, strict=True):
        if position in positions:
            np.testing.assert_allclose(row, usual[position == positions][0], atol=1e-12)
        elif abs(position) > max(height, width) + 1:
            np.testing.assert_allclose(row, 0, atol=1e-12)
    check_adjoint(x, angles, circle, detectors, 1e-12)


@given(seeds, st.booleans())
def test_linearity(seed, circle):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 1, 16, 11, 2))
    s, t = rng.standard_normal(2)
    for operator in (
        radon,
        lambda x, *rest: filtered_backprojection(x, HALF_TURN[:11], "hann", None, circle),
    ):
        expected = s * numpy(operator(a, HALF_TURN, circle)) + t * numpy(operator(b, HALF_TURN, circle))
        assert_close(operator(s * a + t * b, HALF_TURN, circle), expected, 1e-12)


def test_every_projection_holds_the_mass_of_the_image():
    # Up to the unevenness of a sum of hat functions on a rotated grid, 6e-5 for this blob (sigma 5).
    grid = np.arange(41) - 20
    smooth = np.exp(-(grid**2 + grid[:, None] ** 2) / 50)[None, :, :, None]
    masses = numpy(ops.sum(radon(smooth, HALF_TURN), axis=1))
    np.testing.assert_allclose(masses, smooth.sum(), rtol=1e-4)


def test_fourier_slice_theorem():
    # A Gaussian blob off the centre, sigma 4: bilinear interpolation damps its highest frequencies by 2 %.
    n, sigma, (row, column) = 64, 4.0, (5.0, -3.0)
    grid = np.arange(n) - n // 2
    image = np.exp(-((grid[:, None] - row) ** 2 + (grid - column) ** 2) / (2 * sigma**2))
    y = numpy(radon(image[None, :, :, None], HALF_TURN))[0, :, :, 0]
    position = np.arange(len(y)) - len(y) // 2
    frequency = np.fft.fftfreq(len(y))[:, None]
    transform_of_projection = np.exp(-2j * np.pi * frequency * position) @ y
    a = np.deg2rad(HALF_TURN)
    along_rows = np.exp(2j * np.pi * frequency * np.sin(a)[:, None, None] * grid)
    along_columns = np.exp(-2j * np.pi * frequency * np.cos(a)[:, None, None] * grid)
    slices = np.einsum("afr,rc,afc->fa", along_rows, image, along_columns)
    assert np.abs(transform_of_projection - slices).max() <= 0.02 * np.abs(slices).max()


def test_reconstruction_returns_the_image():
    image = transform.resize(np.pad(np.ones((8, 12)), 12), (32, 32))[None, :, :, None]
    angles = np.arange(0, 180, 1.0)
    reconstruction = numpy(filtered_backprojection(radon(image, angles), angles, size=32))
    assert np.sqrt(np.mean((reconstruction - image) ** 2)) < 0.03


def test_order_and_repetition_of_angles_only_permute_projections():
    x = np.random.default_rng(0).random((1, 12, 10, 1))
    y = numpy(radon(x, [10, 370.0, 33]))
    np.testing.assert_allclose(y[:, :, [2, 0]], numpy(radon(x, [33, 10])), atol=1e-12)
    np.testing.assert_allclose(y[:, :, 0], y[:, :, 1], atol=1e-12)


def gradient(function, x, upstream):
    """Return the vector-Jacobian product of `function` at `x`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = ops.sum(function(x) * upstream)
        return numpy(tape.gradient(loss, x))
    if keras.backend.backend() == "jax":
        import jax

        return numpy(jax.grad(lambda x: ops.sum(function(x) * upstream))(x))
    import torch

    x = torch.tensor(x, requires_grad=True)
    ops.sum(function(x) * ops.convert_to_tensor(upstream)).backward()
    return x.grad.numpy()


def test_gradients_are_the_adjoints(path):
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 180, 7)
    x = rng.standard_normal((2, 12, 15, 2))
    y = rng.standard_normal(radon(x, angles).shape)
    assert_close(gradient(lambda x: radon(x, angles), x, y), numpy(backproject(y, angles, (12, 15))), 1e-12)
    assert_close(gradient(lambda y: backproject(y, angles, (12, 15)), y, x), numpy(radon(x, angles)), 1e-12)


def test_gradient_of_filtered_backprojection_is_its_adjoint(path):
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 180, 7)

    def reconstruct(y):
        return filtered_backprojection(y, angles, "cosine", 20, circle=True)

    y, other = rng.standard_normal((2, 2, 22, 7, 2))
    x = rng.standard_normal((2, 20, 20, 2))
    smeared = gradient(reconstruct, y, x)
    np.testing.assert_allclose(np.vdot(numpy(reconstruct(other)), x), np.vdot(other, smeared), rtol=1e-11)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch.compile needs a C++ compiler")
def test_predict_compiles_the_loop(looped):
    inputs = keras.Input((20, 17, 2))
    model = keras.Model(inputs, radon(inputs, HALF_TURN))
    x = np.random.default_rng(0).random((3, 20, 17, 2), dtype="float32")
    assert_close(model.predict(x, verbose=0), numpy(radon(x, HALF_TURN)), 1e-6)


def test_sizes_may_be_unknown_in_a_model():
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, Radon(HALF_TURN, circle=True)(inputs))
    assert model.output_shape == (None, None, 20, 1)
    for shape in ((2, 12, 9, 1), (1, 15, 16, 1)):
        x = np.random.default_rng(0).random(shape, dtype="float32")
        assert_close(model.predict(x, verbose=0), numpy(radon(x, HALF_TURN, circle=True)), 1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow traces unknown sizes")
def test_gradient_with_unknown_sizes():
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 1), "float64")])
    def energy_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(radon(x, HALF_TURN) ** 2) / 2
        return tape.gradient(loss, x)

    x = np.random.default_rng(0).random((2, 12, 9, 1))
    assert_close(energy_gradient(x), numpy(backproject(radon(x, HALF_TURN), HALF_TURN, (12, 9))), 1e-12)


def test_the_package_is_the_transform():
    import common

    x = np.random.default_rng(0).random((1, 6, 6, 1))
    np.testing.assert_array_equal(numpy(common.radon(x, [0, 30])), numpy(radon(x, theta=np.array([0, 30]))))


@pytest.mark.parametrize(
    "angles",
    [
        range(0, 90, 30),
        np.arange(3, dtype="uint8"),
        pd.Series([0.5, 1]),
        (0,),
        [1e300, 1.0],
        np.linspace(-1, 1, 7),
    ],
)
def test_angles_are_any_numbers_in_a_row(angles):
    x = np.random.default_rng(0).random((1, 6, 6, 1))
    np.testing.assert_array_equal(numpy(radon(x, angles)), numpy(radon(x, theta=[float(a) for a in angles])))
    tensor = ops.convert_to_tensor(np.array(angles, "float64"))
    assert_close(radon(x, tensor), numpy(radon(x, angles)), 1e-6)


RADIANS = [
    np.linspace(0, np.pi, 180, endpoint=False), np.deg2rad(range(180)).astype("float32"), [np.pi / 2],
    [0, np.pi / 4, np.pi / 2], np.linspace(-np.pi, np.pi, 9), np.random.default_rng(0).uniform(0, np.pi, 60),
]  # fmt: skip


@pytest.mark.parametrize("angles", RADIANS)
def test_radians_are_refused(angles):
    with pytest.raises(ValueError, match=r"look like radians; pass np.rad2deg\(angles\)"):
        radon(IMAGE, angles)
    radon(IMAGE, np.rad2deg(angles))
    radon(IMAGE, [angles[0] + 360, *angles[1:]])


IMAGE, SINOGRAM = np.ones((1, 8, 8, 1), "float32"), np.ones((1, 12, 2, 1), "float32")


@pytest.mark.parametrize("angles", [[], [[0, 90]], [0, np.nan], [np.inf], 90, ["0"], None])
@pytest.mark.parametrize(
    "call",
    [
        lambda angles: radon(IMAGE, angles),
        lambda angles: backproject(SINOGRAM, angles, 8),
        lambda angles: filtered_backprojection(SINOGRAM, angles),
        Radon,
    ],
)
def test_bad_angles_get_one_sentence(call, angles):
    with pytest.raises(ValueError, match="angles must be a non-empty"):
        call(angles)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: radon(IMAGE, [0], theta=[0]), "two names"),
        (lambda: radon(IMAGE, keras.Input((2,))), "angles must be"),
        (lambda: radon(IMAGE, [0], detectors=0), "detectors must be"),
        (lambda: radon(np.ones((1, 1, 28, 28)), [0]), "channels-first"),
        (lambda: radon(IMAGE[0], [0]), "axes"),
        (lambda: radon(IMAGE.astype("uint8"), [0]), "floating"),
        (lambda: radon(IMAGE * np.nan, [0]), "NaN"),
        (lambda: radon(IMAGE, [0], circle="yes"), "circle must be"),
        (lambda: backproject(SINOGRAM, [0, 90, 45], 8), "2 projections, but 3 angles"),
        (lambda: backproject(SINOGRAM, [0, 90], 9), "12 detectors, but 13 .*; pass detectors=12"),
        (lambda: backproject(SINOGRAM, [0, 90]), "size must be"),
        (lambda: backproject(np.moveaxis(SINOGRAM, 1, 2), [0, 90], 8), "its axes must be"),
        (lambda: backproject(SINOGRAM, [0, 90], 0), "size must be"),
        (lambda: backproject(SINOGRAM, [0, 90], (8, 8, 8)), "size must be"),
        (lambda: backproject(SINOGRAM[0], [0, 90], 8), "axes"),
        (lambda: Backprojection([0, 90, 45], 8)(keras.Input((12, 2, 1))), "2 projections, but 3 angles"),
        (lambda: filtered_backprojection(SINOGRAM, [0]), "2 projections, but 1 angles"),
        (lambda: filtered_backprojection(SINOGRAM, [0, 1], "ram"), "'shepp-logan'.*'ram'"),
        (lambda: filtered_backprojection(SINOGRAM, [0, 1], size=0), "size must be"),
        (lambda: filtered_backprojection(SINOGRAM, [0, 1], size=3.5), "size must be"),
        (lambda: filtered_backprojection(SINOGRAM[:, :1], [0, 1]), "size must be"),
        (lambda: FilteredBackprojection([0], "box"), "filter must be one of"),
    ],
)
def test_bad_input_gets_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
