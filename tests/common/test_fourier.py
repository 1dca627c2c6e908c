import math

import keras
import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
from hypothesis import assume, given
from hypothesis import strategies as st
from keras import ops

from common import fourier
from common.fourier import FourierChannels, GaussianBlur, LowPass, RadialSpectrum, Spectrum

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
BACKEND = keras.backend.backend()
AXES = (1, 2)

# Sizes on both sides of the border between matrix product and FFT, odd and even, down to one pixel.
sizes = st.integers(1, 20) | st.sampled_from([63, 64, 65, 66])
shapes = st.tuples(st.integers(1, 3), sizes, sizes, st.integers(1, 3))
if BACKEND == "jax":  # compiles every operation anew for every shape, which takes minutes
    shapes = st.sampled_from([(1, 1, 1, 1), (2, 5, 8, 3), (1, 28, 28, 1), (2, 7, 65, 1), (1, 66, 3, 2)])
cutoffs = st.floats(0.01, np.sqrt(2), exclude_max=True)
LAYERS = [FourierChannels("magnitude_phase"), RadialSpectrum(), LowPass(0.4), GaussianBlur(1.3)]


@st.composite
def images(draw):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return generator.normal(size=draw(shapes)).astype(draw(st.sampled_from(list(TOLERANCE))))


def noise(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def numpy(x):
    """Return a tensor as an array, a `Spectrum` as a complex one."""
    if isinstance(x, Spectrum):
        return numpy(x.real) + 1j * numpy(x.imaginary)
    return ops.convert_to_numpy(ops.stop_gradient(x))


def spectrum(z):
    return Spectrum(np.ascontiguousarray(z.real), np.ascontiguousarray(z.imag))


def centred(x):
    """Return the spectrum that SciPy finds, in double precision."""
    wide = x.astype("complex128" if np.iscomplexobj(x) else "float64")
    return scipy.fft.fftshift(scipy.fft.fft2(wide, axes=AXES, norm="ortho"), axes=AXES)


def assert_close(actual, expected, dtype, what=""):
    """Compare relative to the largest expected value; the message names the case."""
    actual = numpy(actual)
    assert actual.dtype in (dtype, np.result_type(dtype, "complex64")), f"{actual.dtype} for {dtype} {what}"
    assert actual.shape == expected.shape, what
    error = np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-3)
    assert error <= TOLERANCE[dtype], f"error {error:.1e}, {dtype}, shape {actual.shape} {what}"


def frequencies(height, width):
    """Return the frequencies in cycles per pixel as broadcastable column and row, centred."""
    return tuple(np.fft.fftshift(np.fft.fftfreq(n)) for n in (height, width))


# --- transform ---------------------------------------------------------------------------------------


@given(images())
def test_fft2_equals_scipy(x):
    assert_close(fourier.fft2(x), centred(x), x.dtype.name)


@given(images(), st.integers(0, 100))
def test_fft2_of_complex_images_equals_scipy(x, seed):
    z = x + 1j * noise(*x.shape, dtype=x.dtype, seed=seed)
    assert_close(fourier.fft2(spectrum(z)), centred(z), x.dtype.name)


@given(images(), st.integers(0, 100))
def test_ifft2_equals_scipy_and_undoes_fft2(x, seed):
    k = x + 1j * noise(*x.shape, dtype=x.dtype, seed=seed)
    expected = scipy.fft.ifft2(
        scipy.fft.ifftshift(k.astype("complex128"), axes=AXES), axes=AXES, norm="ortho"
    )
    assert_close(fourier.ifft2(spectrum(k)), expected, x.dtype.name)
    assert_close(fourier.fft2(fourier.ifft2(spectrum(k))), k, x.dtype.name)


@given(images())
def test_fft2_keeps_the_energy(x):
    energies = [(np.abs(y.astype("complex128")) ** 2).sum() for y in (x, numpy(fourier.fft2(x)))]
    assert energies[1] == pytest.approx(energies[0], rel=TOLERANCE[x.dtype.name])


@given(images(), st.floats(-3, 3), st.floats(-3, 3))
def test_fft2_is_linear(x, a, b):
    a, b, y = x.dtype.type(a), x.dtype.type(b), x[:, ::-1] ** 2
    expected = a * numpy(fourier.fft2(x)) + b * numpy(fourier.fft2(y))
    scale = max(np.abs(x).max(), np.abs(y).max()) * np.sqrt(x.size)
    assert np.abs(numpy(fourier.fft2(a * x + b * y)) - expected).max() <= TOLERANCE[x.dtype.name] * scale


@given(images(), st.integers(-70, 70), st.integers(-70, 70))
def test_shift_theorem(x, rows, columns):
    u, v = frequencies(*x.shape[1:3])
    phase = np.exp(-2j * np.pi * (u[:, None] * rows + v * columns))[:, :, None]
    shifted = fourier.fft2(np.roll(x, (rows, columns), axis=AXES))
    assert_close(shifted, centred(x) * phase, x.dtype.name, f"shifted by {rows}, {columns}")


def fft2c(z):
    """The transform of fastMRI, as its sources write it."""
    return scipy.fft.fftshift(
        scipy.fft.fft2(scipy.fft.ifftshift(z, axes=AXES), axes=AXES, norm="ortho"), axes=AXES
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(2, 6, 5, 2), (1, 67, 4, 1), (1, 66, 4, 2), (2, 68, 70, 3)], ids=str)
def test_both_origins_of_real_and_complex_images(shape, dtype):
    x, y = noise(*shape, dtype="float64"), noise(*shape, dtype="float64", seed=1)
    for z in (x, x + 1j * y):
        for origin, expected in (("corner", centred(z)), ("centre", fft2c(z))):
            k = fourier.fft2(
                z.astype(np.result_type(dtype, "complex64") if np.iscomplexobj(z) else dtype), origin
            )
            assert_close(k, expected, dtype, f"{z.dtype}, {origin}")
            assert_close(fourier.ifft2(k, origin), z + 0j, dtype, f"{z.dtype}, {origin}")


def test_complex_arrays_and_tensors_are_spectra():
    z = (noise(2, 4, 5, 1) + 1j * noise(2, 4, 5, 1, seed=1)).astype("complex64")
    expected = numpy(fourier.fft2(spectrum(z)))
    for complex_images in (z, ops.convert_to_tensor(z)):
        np.testing.assert_array_equal(numpy(fourier.fft2(complex_images)), expected)
        assert_close(fourier.ifft2(complex_images), numpy(fourier.ifft2(spectrum(z))), "float32")
        assert_close(fourier.as_channels(complex_images, "magnitude"), np.abs(z), "float32")
        assert fourier.undersample(complex_images, 2, 0.2, 0)[0].real.shape == z.shape


def test_zero_frequency_is_at_the_centre():
    for shape in [(1, 6, 7, 1), (1, 66, 67, 1)]:
        k = numpy(fourier.fft2(np.ones(shape, "float32")))[0, :, :, 0]
        assert np.unravel_index(np.abs(k).argmax(), k.shape) == (shape[1] // 2, shape[2] // 2), shape


# --- representations ---------------------------------------------------------------------------------


@given(images())
def test_channels_equal_numpy(x):
    k = fourier.fft2(x)
    z = numpy(k)
    assert_close(fourier.as_channels(k), np.concatenate([z.real, z.imag], -1), x.dtype.name)
    assert_close(fourier.as_channels(k, "magnitude"), np.abs(z), x.dtype.name)
    assert_close(fourier.as_channels(k, "log_magnitude"), np.log1p(np.abs(z)), x.dtype.name)
    magnitude, phase = np.split(numpy(fourier.as_channels(k, "magnitude_phase")), 2, axis=-1)
    assert phase.dtype == x.dtype
    tolerance = TOLERANCE[x.dtype.name if BACKEND == "tensorflow" else "float32"]
    np.testing.assert_allclose(magnitude * np.exp(1j * phase), z, atol=tolerance * np.abs(z).max())


def test_phase_of_the_axes():
    z = np.array([1, 1j, -1, -1j, 0], "complex64").reshape(1, 1, 5, 1)
    phase = numpy(fourier.as_channels(spectrum(z), "magnitude_phase"))[0, 0, :, 1]
    np.testing.assert_allclose(phase, [0, np.pi / 2, np.pi, -np.pi / 2, 0], rtol=1e-6)


def rings(height, width):
    """Return the ring of every frequency in exact integer arithmetic, ties upwards."""
    u, v = (range(-(n // 2), n - n // 2) for n in (height, width))
    short = min(height, width)
    squares = [[(a * width) ** 2 + (b * height) ** 2 for b in v] for a in u]
    return np.array([[(math.isqrt(4 * square) + short) // (2 * short) for square in row] for row in squares])


@given(images())
def test_radial_spectrum_is_the_mean_over_each_ring(x):
    index = rings(*x.shape[1:3])
    power = np.abs(centred(x)) ** 2
    expected = np.stack([power[:, index == ring].mean(axis=1) for ring in range(index.max() + 1)], axis=1)
    assert_close(fourier.radial_spectrum(x), expected, x.dtype.name)


@given(images())
def test_ring_means_times_ring_sizes_are_the_energy(x):
    counts = np.bincount(rings(*x.shape[1:3]).ravel())
    assert counts.min() > 0
    energy = np.einsum("brc,r->bc", numpy(fourier.radial_spectrum(x)).astype("float64"), counts)
    np.testing.assert_allclose(
        energy, (x.astype("float64") ** 2).sum(axis=AXES), rtol=TOLERANCE[x.dtype.name]
    )


def test_a_cosine_is_in_the_ring_of_its_frequency():
    x = np.cos(2 * np.pi * 5 * np.arange(32) / 32).reshape(1, 1, 32, 1).repeat(32, axis=1)
    assert numpy(fourier.radial_spectrum(x))[0, :, 0].argmax() == 5


# --- filters -----------------------------------------------------------------------------------------


@given(images(), cutoffs)
def test_low_pass_keeps_the_disk_and_nothing_else(x, cutoff):
    u, v = frequencies(*x.shape[1:3])
    radius = 2 * np.hypot(u[:, None], v)
    assume(np.abs(radius - cutoff).min() > 1e-9)
    kept = centred(x) * (radius <= cutoff)[:, :, None]
    expected = scipy.fft.ifft2(scipy.fft.ifftshift(kept, axes=AXES), axes=AXES, norm="ortho").real
    error = np.abs(numpy(fourier.low_pass(x, cutoff)) - expected).max()
    assert error <= TOLERANCE[x.dtype.name] * np.abs(x).max(), (
        f"{x.shape} {x.dtype}, cutoff {cutoff}: {error}"
    )


@given(images(), cutoffs)
def test_low_pass_is_an_orthogonal_projection(x, cutoff):
    tolerance = TOLERANCE[x.dtype.name] * np.sum(x.astype("float64") ** 2)
    y = noise(*x.shape, dtype=x.dtype)
    passed = numpy(fourier.low_pass(x, cutoff))
    again = numpy(fourier.low_pass(passed, cutoff))
    assert np.abs(again - passed).max() <= TOLERANCE[x.dtype.name] * np.abs(x).max()
    assert np.sum(passed.astype("float64") ** 2) <= np.sum(x.astype("float64") ** 2) + tolerance
    products = np.vdot(passed, y), np.vdot(x, numpy(fourier.low_pass(y, cutoff)))
    assert abs(products[0] - products[1]) <= TOLERANCE[x.dtype.name] * np.linalg.norm(x) * np.linalg.norm(y)


@given(images())
def test_largest_cutoff_is_the_identity(x):
    assert_close(fourier.low_pass(x, np.sqrt(2)), x, x.dtype.name)


@pytest.mark.parametrize(("cutoff", "kept"), [(0.1999, 3), (0.2, 5), (0.6, 13), (1, 20)])
def test_a_frequency_at_the_cutoff_is_kept(cutoff, kept):
    x = np.zeros((1, 1, 20, 1))
    x[0, 0, 0] = 1
    passed = numpy(fourier.fft2(fourier.low_pass(x, cutoff)))
    assert (np.abs(passed) > 1e-9).sum() == kept


@given(images(), st.sampled_from([0, 0.1, 0.125]) | st.floats(0.01, 12))
def test_blur_equals_scipy(x, sigma):
    expected = scipy.ndimage.gaussian_filter(
        x.astype("float64"), (0, sigma, sigma, 0), mode="reflect", truncate=4
    )
    assert_close(fourier.gaussian_blur(x, sigma), expected, x.dtype.name, f"sigma {sigma}")


@given(images(), st.floats(0, 12))
def test_blur_preserves_constants_and_is_self_adjoint(x, sigma):
    assert_close(fourier.gaussian_blur(np.full_like(x, 3), sigma), np.full_like(x, 3), x.dtype.name)
    y = noise(*x.shape, dtype=x.dtype)
    products = (
        np.vdot(numpy(fourier.gaussian_blur(x, sigma)), y),
        np.vdot(x, numpy(fourier.gaussian_blur(y, sigma))),
    )
    assert abs(products[0] - products[1]) <= TOLERANCE[x.dtype.name] * np.linalg.norm(x) * np.linalg.norm(y)


# --- undersampling -----------------------------------------------------------------------------------


@given(images(), st.floats(1, 8), st.floats(0, 0.12), st.integers(0, 2**32 - 1))
def test_undersampling_keeps_the_centre_and_zeroes_the_other_columns(x, acceleration, fraction, seed):
    width = x.shape[2]
    centre = round(fraction * width)
    assume(centre <= width / acceleration)
    k = fourier.fft2(x)
    sampled, mask = fourier.undersample(k, acceleration, fraction, seed)
    np.testing.assert_array_equal(numpy(sampled), numpy(k) * mask[:, None])
    start = (width - centre + 1) // 2
    assert mask.shape == (width,)
    assert mask[start : start + centre].all()
    np.testing.assert_array_equal(mask, fourier.undersample(k, acceleration, fraction, seed)[1])


@pytest.mark.parametrize(("acceleration", "fraction"), [(2, 0.1), (4, 0.08), (8, 0.04), (4, 0), (3.2, 0.3)])
def test_the_expected_share_of_columns_is_kept(acceleration, fraction):
    k = Spectrum(np.ones((1, 1, 320, 1)), np.zeros((1, 1, 320, 1)))
    shares = [fourier.undersample(k, acceleration, fraction, seed)[1].mean() for seed in range(200)]
    deviation = np.sqrt(0.25 / 320 / len(shares))
    assert abs(np.mean(shares) - 1 / acceleration) < 4 * deviation
    assert len(set(shares)) > 1


@pytest.mark.parametrize("fraction", [0, 0.1, 1])
@pytest.mark.parametrize("width", [1, 7, 64])
def test_acceleration_one_keeps_everything(fraction, width):
    k = Spectrum(np.ones((1, 2, width, 1)), np.zeros((1, 2, width, 1)))
    assert fourier.undersample(k, 1, fraction, seed=3)[1].all()


def test_an_odd_centre_is_around_the_zero_frequency():
    for width in (28, 27):
        k = Spectrum(np.ones((1, 1, width, 1)), np.zeros((1, 1, width, 1)))
        mask = fourier.undersample(k, width / 3, 3 / width, seed=0)[1]
        np.testing.assert_array_equal(np.flatnonzero(mask), width // 2 + np.array([-1, 0, 1]))


# --- gradients, compilation, layers ------------------------------------------------------------------


def gradient(function, x):
    """Return the gradient of ``sum(function(x))`` on any backend."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        x = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(function(x))
        return tape.gradient(y, x).numpy()
    if BACKEND == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: function(x).sum())(x))
    x = ops.convert_to_tensor(x).requires_grad_()
    function(x).sum().backward()
    return numpy(x.grad)


FUNCTIONS = {
    "real_imaginary": lambda x: fourier.as_channels(fourier.fft2(x)),
    "magnitude": lambda x: fourier.as_channels(fourier.fft2(x), "magnitude"),
    "log_magnitude": lambda x: fourier.as_channels(fourier.fft2(x), "log_magnitude"),
    "inverse": lambda x: fourier.ifft2(Spectrum(x, 2 * x)).real,
    "radial_spectrum": fourier.radial_spectrum,
    "low_pass": lambda x: fourier.low_pass(x, 0.5),
    "gaussian_blur": lambda x: fourier.gaussian_blur(x, 1.5),
    "undersample": lambda x: fourier.ifft2(fourier.undersample(fourier.fft2(x), 2, 0.2, 0)[0]).real,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(2, 6, 5, 2), (1, 3, 66, 1), (1, 4, 66, 1)], ids=str)
def test_gradient_equals_finite_differences(name, shape):
    function = FUNCTIONS[name]
    weights = noise(*function(noise(*shape, dtype="float64")).shape, dtype="float64", seed=1)
    x, direction = noise(*shape, dtype="float64", seed=2), noise(*shape, dtype="float64", seed=3)

    def value(x):
        return function(x) * ops.convert_to_tensor(weights)

    step = 1e-5 * direction
    expected = (numpy(value(x + step)).sum() - numpy(value(x - step)).sum()) / 2e-5
    assert np.vdot(gradient(value, x), direction) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("representation", ["magnitude_phase", "log_magnitude"])
def test_gradient_of_a_black_image_is_finite(representation):
    black = np.zeros((1, 4, 4, 1), "float32")
    slope = gradient(lambda x: fourier.as_channels(fourier.fft2(x), representation), black)
    np.testing.assert_array_equal(slope, black)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.function")
@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_compiled_with_unknown_sizes_equals_eager(layer, xla):
    import tensorflow as tf

    signature = tf.TensorSpec((None, None, None, None))
    compiled = tf.function(layer.call, input_signature=[signature], jit_compile=xla)
    for shape in [(2, 6, 5, 2), (1, 67, 4, 1)][int(xla) :]:
        x = noise(*shape)
        expected = numpy(layer(x))
        error = np.abs(compiled(x).numpy() - expected).max()
        assert error <= 1e-5 * np.abs(expected).max(), f"{shape}: {error}"


# --- bad input ---------------------------------------------------------------------------------------

GOOD = np.ones((1, 4, 4, 1), "float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fourier.fft2(np.ones((4, 4), "float32")), "4 axes"),
        (
            lambda: fourier.fft2(np.ones((1, 4, 4, 1), "uint8")),
            r"uint8; try images.astype\('float32'\) / 255",
        ),
        (lambda: fourier.fft2(np.ones((1, 3, 32, 32))), r"channels-first; pass np.moveaxis\(images, 1, -1\)"),
        (lambda: fourier.fft2(GOOD, "center"), "origin must be 'corner' or 'centre'"),
        (lambda: fourier.fft2(np.full((1, 4, 4, 1), np.nan)), "NaN"),
        (lambda: fourier.ifft2(GOOD), "Spectrum"),
        (lambda: fourier.ifft2(Spectrum(GOOD, GOOD[:, 1:])), "agree in shape"),
        (lambda: fourier.ifft2(Spectrum(GOOD, GOOD.astype("float64"))), "agree in shape and dtype"),
        (lambda: fourier.ifft2(Spectrum(GOOD, GOOD * np.inf)), "k.imaginary must be finite"),
        (lambda: fourier.as_channels(GOOD), "Spectrum"),
        (lambda: fourier.as_channels(Spectrum(GOOD, GOOD), "polar"), "'polar'; there are real_imaginary"),
        (lambda: fourier.low_pass(GOOD, 0), "cutoff"),
        (lambda: fourier.low_pass(GOOD, 1.5), "cutoff"),
        (lambda: fourier.low_pass(GOOD, np.nan), "cutoff"),
        (lambda: fourier.low_pass(GOOD, "1"), "cutoff"),
        (lambda: fourier.gaussian_blur(GOOD, -1), "sigma"),
        (lambda: fourier.gaussian_blur(GOOD, np.inf), "sigma"),
        (lambda: fourier.gaussian_blur(GOOD, 1e9), "from 0 to 100,000"),
        (lambda: fourier.gaussian_blur(GOOD, True), "sigma"),
        (lambda: fourier.radial_spectrum(GOOD[0]), "4 axes"),
        (lambda: fourier.undersample(GOOD, 2, 0.1, 0), "Spectrum"),
        (lambda: fourier.undersample(Spectrum(GOOD, GOOD), 0.5, 0.1, 0), "acceleration"),
        (lambda: fourier.undersample(Spectrum(GOOD, GOOD), 2, 1.1, 0), "centre_fraction"),
        (lambda: fourier.undersample(Spectrum(GOOD, GOOD), 4, 0.5, 0), "lower one"),
        (lambda: fourier.undersample(Spectrum(GOOD, GOOD), 2, 0.1, None), "seed"),
        (lambda: fourier.undersample(Spectrum(GOOD, GOOD), 2, 0.1, -1), "seed"),
        (lambda: FourierChannels("polar"), "polar"),
        (lambda: LowPass(2), "cutoff"),
        (lambda: GaussianBlur(-1), "sigma"),
    ],
)
def test_bad_input_gets_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
