"""`common.wavelet` against PyWavelets, and against the laws that its transform obeys."""

import warnings

import keras
import numpy as np
import pytest
import pywt
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from common import wavelet as module
from common.wavelet import DWT2, IDWT2, Subbands, WaveletDecomposition, dwt2, idwt2, wavedec2, waverec2

# PyWavelets, the oracle, warns of small images; ours must not.
pytestmark = pytest.mark.filterwarnings("ignore:Level value")

BACKEND = keras.backend.backend()
WAVELETS = pywt.wavelist(kind="discrete")
MODES = pywt.Modes.modes
ORTHOGONAL = [name for name in WAVELETS if pywt.Wavelet(name).orthogonal]
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}

tensorflow_only = pytest.mark.skipif(BACKEND != "tensorflow", reason="needs tf.function")


@pytest.fixture
def filtered(monkeypatch):
    """Filter in place wherever the signal is long enough, as is done for long axes in a graph."""
    monkeypatch.setattr(module, "_is_filtered", lambda x, axis, bank: x.shape[axis] > 2 * bank.length)


def images(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def smallest(mode):
    return 2 if "reflect" in mode else 1


def flat(coefficients):
    approximation, *details = coefficients
    return [approximation, *(band for detail in details for band in detail)]


def assert_same(ours, expected, case, dtype):
    """Compare lists of arrays: shapes, dtype, and values relative to the largest expected one."""
    assert len(ours) == len(expected), case
    scale = max(np.abs(array).max() for array in expected)
    for i, (mine, theirs) in enumerate(zip(ours, expected, strict=True)):
        assert keras.backend.standardize_dtype(mine.dtype) == dtype, (case, i)
        assert tuple(mine.shape) == theirs.shape, (case, i, mine.shape, theirs.shape)
        error = np.abs(ops.convert_to_numpy(mine) - theirs).max() / scale
        assert error <= TOLERANCE[dtype], f"{case}, array {i}: relative error {error:.1e}"


def check_parity(wavelet, mode, shape, dtype, seed=0):
    """Compare `dwt2`, and `idwt2` of subbands that no image has, with PyWavelets in double precision."""
    case, x = (wavelet, mode, shape, dtype, seed), images(shape, dtype, seed)
    approximation, details = pywt.dwt2(x.astype("float64"), wavelet, mode, axes=(1, 2))
    assert_same(dwt2(x, wavelet, mode), [approximation, *details], case, dtype)
    bands = images((4, *approximation.shape), dtype, seed)
    first, *others = bands.astype("float64")
    expected = pywt.idwt2((first, others), wavelet, mode, axes=(1, 2))
    assert_same([idwt2(list(bands), wavelet, mode)], [expected], case, dtype)


# All modes of every wavelet are compared as matrices, below.
STEP = 1 if BACKEND == "tensorflow" else len(MODES)  # JAX compiles each shape


@pytest.mark.parametrize("wavelet", WAVELETS[::STEP])
def test_every_wavelet_matches_pywavelets(wavelet):
    # Another mode and pair of sizes for every wavelet: from one pixel up, odd and even.
    case = WAVELETS.index(wavelet)
    mode = MODES[(case + case // len(MODES)) % len(MODES)]
    low = smallest(mode)
    for dtype, shape in {
        "float32": (1, low + case % 5, low + case % 31, 2),
        "float64": (2, low + case % 23, low + case % 3, 1),
    }.items():
        check_parity(wavelet, mode, shape, dtype, seed=case)


@pytest.mark.parametrize("mode", MODES)
def test_every_analysis_matrix_is_pywavelets_applied_to_unit_vectors(mode):
    for wavelet in WAVELETS:
        for size in (smallest(mode), 3, 8, 33):
            ours = module._static_matrices(size, module._filter_bank(wavelet).analysis, mode)
            theirs = pywt.dwtn(np.eye(size), wavelet, mode, axes=(0,))
            scale = max(np.abs(theirs[band]).max() for band in "ad")
            for matrix, band in zip(ours, "ad", strict=True):
                error = np.abs(matrix - theirs[band]).max() / scale
                assert error < 1e-14 * len(matrix) + 1e-14, f"{wavelet}, {mode}, {size}, {band}: {error:.1e}"


@pytest.mark.parametrize("mode", MODES)
def test_matrices_of_a_size_known_only_in_the_graph_are_the_same(mode):
    bank = module._filter_bank("db2")
    for size in (2, 3, 8):
        dynamic = module._matrices(ops.convert_to_tensor(size), bank.analysis, mode, "float64")
        for ours, static in zip(dynamic, module._static_matrices(size, bank.analysis, mode), strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(ours), static, atol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_axes_filtered_in_place_match_pywavelets(filtered, mode):
    others = WAVELETS[MODES.index(mode) :: 4 * len(MODES)]
    for wavelet in ("haar", "bior3.1", "sym5", *others[: None if BACKEND == "tensorflow" else 0]):
        size = 2 * pywt.Wavelet(wavelet).dec_len
        check_parity(wavelet, mode, (1, size + 1, size + 2, 2), "float64")


# Two pixels and a filter of two taps would become one pixel, which the reflecting modes refuse.
CASE = {
    "wavelet": st.sampled_from(WAVELETS),
    "mode": st.sampled_from(MODES),
    "shape": st.tuples(st.integers(1, 3), st.integers(5, 40), st.integers(5, 40), st.integers(1, 4)),
    "level": st.integers(0, 2),
    "dtype": st.sampled_from(["float32", "float64"]),
    "seed": st.integers(0, 1000),
}


def well_conditioned(mode, dtype):
    """On signals shorter than the filter, PyWavelets too loses digits of float32 in mode "smooth"."""
    return "float64" if mode == "smooth" else dtype


@given(**CASE)
def test_levels_match_pywavelets(wavelet, mode, shape, level, dtype, seed):
    dtype = well_conditioned(mode, dtype)
    case, x = (wavelet, mode, shape, level, dtype, seed), images(shape, dtype, seed)
    expected = pywt.wavedec2(x.astype("float64"), wavelet, mode, level, axes=(1, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        ours = wavedec2(x, wavelet, level, mode)
    assert_same(flat(ours), flat(expected), case, dtype)
    expected = pywt.waverec2(expected, wavelet, mode, axes=(1, 2))
    assert_same([waverec2(ours, wavelet, mode)], [expected], case, dtype)


def test_the_default_level_is_that_of_pywavelets():
    x = images((1, 40, 70, 1))
    for wavelet in ("haar", "db2", "bior4.4", "db38"):
        expected = pywt.wavedec2(x, wavelet, axes=(1, 2))
        assert_same(flat(wavedec2(x, wavelet)), flat(expected), wavelet, "float64")


@pytest.mark.parametrize("mode", MODES)
def test_synthesis_inverts_analysis_for_every_wavelet(mode):
    for i, wavelet in enumerate(WAVELETS):
        size = smallest(mode) + i % 17
        bank = module._filter_bank(wavelet)
        analysis = module._static_matrices(size, bank.analysis, mode)
        adjoints = module._synthesis_adjoints(len(analysis[0]), bank, mode, "float64")
        identity = sum(adjoint.T @ matrix for adjoint, matrix in zip(adjoints, analysis, strict=True))[:size]
        # The Meyer filter is cut off, so it inverts only nearly; "smooth" sums many rounded multiples.
        tolerance = 0.05 if wavelet == "dmey" else 1e-10
        np.testing.assert_allclose(identity, np.eye(size), atol=tolerance, err_msg=f"{wavelet} {size}")


@given(**CASE)
def test_reconstruction_is_perfect(wavelet, mode, shape, level, dtype, seed):
    dtype = well_conditioned(mode, dtype)
    x = images(shape, dtype, seed)
    y = ops.convert_to_numpy(waverec2(wavedec2(x, wavelet, level, mode), wavelet, mode))
    y = y[:, : shape[1], : shape[2]]
    tolerance = 0.05 if wavelet == "dmey" else {"float32": 1e-5, "float64": 1e-9}[dtype]
    np.testing.assert_allclose(y, x, atol=tolerance * np.abs(x).max())


@given(
    wavelet=st.sampled_from(ORTHOGONAL),
    half=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    seed=st.integers(0, 99),
)
def test_orthogonal_wavelets_obey_parseval_and_their_inverse_is_their_adjoint(wavelet, half, seed):
    x = images((1, 2 * half[0], 2 * half[1], 2), seed=seed)
    y = Subbands(*images((4, 1, *half, 2), seed=seed + 1))
    bands = [ops.convert_to_numpy(band) for band in dwt2(x, wavelet, "periodization")]
    back = ops.convert_to_numpy(idwt2(y, wavelet, "periodization"))
    tolerance = 1e-2 if wavelet == "dmey" else 1e-9
    energy = sum(np.sum(band**2) for band in bands)
    assert energy == pytest.approx(np.sum(x**2), rel=tolerance)
    dot = sum(np.sum(a * b) for a, b in zip(bands, y, strict=True))
    assert dot == pytest.approx(np.sum(x * back), abs=tolerance * np.linalg.norm(x) * np.linalg.norm(y))


def gradient(function, x):
    """Gradient of the scalar `function` at the array `x`, by the backend's automatic differentiation."""
    if BACKEND == "jax":
        import jax

        return np.asarray(jax.grad(function)(x))
    tensor = ops.convert_to_tensor(x)
    if BACKEND == "torch":
        tensor.requires_grad_(True)
        function(tensor).backward()
        return tensor.grad.numpy()
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensor)
        value = function(tensor)
    return tape.gradient(value, tensor).numpy()


def check_gradient(mode):
    """Compare the gradient of <dwt2(x), y> and of <idwt2(y), x> with the transposes of dense operators."""
    wavelet, shape = "db3", (13, 16)
    x = images((1, *shape, 1))
    units = np.eye(x.size).reshape(x.size, *shape)
    approximation, details = pywt.dwt2(units, wavelet, mode, axes=(1, 2))
    y = images((4, 1, *approximation.shape[1:], 1), seed=1)
    dot = sum(np.tensordot(a, b[0, :, :, 0], 2) for a, b in zip([approximation, *details], y, strict=True))
    tensors = [ops.convert_to_tensor(band) for band in y]
    ours = gradient(
        lambda x: sum(ops.sum(a * b) for a, b in zip(dwt2(x, wavelet, mode), tensors, strict=True)), x
    )
    np.testing.assert_allclose(ours.ravel(), dot, atol=1e-12 * np.abs(dot).max(), err_msg=mode)

    weights = pywt.idwt2((y[0], y[1:]), wavelet, mode, axes=(1, 2))
    target = ops.convert_to_tensor(weights)
    ours = gradient(lambda band: ops.sum(idwt2((band, *y[1:]), wavelet, mode) * target), y[0])
    units = np.eye(y[0].size).reshape(y[0].size, *y[0].shape[1:3])
    inverse = pywt.idwt2((units, (None, None, None)), wavelet, mode, axes=(1, 2))
    dot = np.tensordot(inverse, weights[0, :, :, 0], 2)
    np.testing.assert_allclose(ours.ravel(), dot, atol=1e-12 * np.abs(dot).max(), err_msg=mode)


@pytest.mark.parametrize("mode", MODES)
def test_gradients_are_the_transposed_operators(mode):
    check_gradient(mode)


@pytest.mark.parametrize("mode", MODES)
def test_gradients_of_filtered_axes_are_the_transposed_operators(filtered, mode):
    check_gradient(mode)


@pytest.mark.skipif(BACKEND == "torch", reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize(
    ("wavelet", "mode", "shape", "level"),
    [
        ("haar", "symmetric", (2, 6, 8, 1), 2),
        ("db2", "symmetric", (1, 9, 261, 2), 1),  # a long axis, filtered in place
        ("bior2.2", "periodization", (1, 263, 4, 1), 1),
    ],
)
def test_compiled_equals_pywavelets(wavelet, mode, shape, level):
    def there_and_back(x):
        coefficients = wavedec2(x, wavelet, level, mode)
        return flat(coefficients), waverec2(coefficients, wavelet, mode)

    x = images(shape)
    expected = pywt.wavedec2(x, wavelet, mode, level, axes=(1, 2))
    restored = pywt.waverec2(expected, wavelet, mode, axes=(1, 2))
    coefficients, image = compiled(there_and_back)(x)
    assert_same(coefficients, flat(expected), (wavelet, mode), "float64")
    assert_same([image], [restored], (wavelet, mode), "float64")


def compiled(function):
    """Compile as a user of this backend does."""
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


@tensorflow_only
@pytest.mark.parametrize(("mode", "jit_compile"), [("periodization", True), ("symmetric", False)])
def test_shapes_unknown_to_tf_function(mode, jit_compile):
    import tensorflow as tf

    unknown = tf.TensorSpec((None, None, None, None), "float64")

    @tf.function(input_signature=[unknown], jit_compile=jit_compile)
    def there_and_back(x):
        coefficients = wavedec2(x, "db2", 2, mode)
        return flat(coefficients), waverec2(coefficients, "db2", mode)

    for shape in [(2, 2, 3, 1), (1, 16, 9, 2)][int(jit_compile) :]:
        x = images(shape)
        ours, back = there_and_back(x)
        expected = pywt.wavedec2(x, "db2", mode, 2, axes=(1, 2))
        assert_same(ours, flat(expected), (mode, shape), "float64")
        assert_same([back], [pywt.waverec2(expected, "db2", mode, axes=(1, 2))], (mode, shape), "float64")


def test_what_users_of_pywavelets_hold_is_accepted():
    x = images((2, 9, 12, 2))
    own = pywt.Wavelet("mine", filter_bank=pywt.Wavelet("db3").filter_bank)
    for wavelet, mode in ((pywt.Wavelet("bior2.2"), pywt.Modes.reflect), (own, pywt.Modes.periodization)):
        expected = pywt.wavedec2(x, wavelet, mode, 2, axes=(1, 2))
        assert_same(flat(wavedec2(x, wavelet, 2, mode)), flat(expected), (wavelet.name, mode), "float64")
        assert_same(flat(wavedec2(x, wavelet.filter_bank, 2, mode)), flat(expected), wavelet.name, "float64")
        coarse, (_, vertical, _), fine = expected
        bands = [coarse, (None, vertical, None), fine]  # None stands for zeros
        restored = pywt.waverec2(bands, wavelet, mode, axes=(1, 2))
        assert_same([waverec2(bands, wavelet, mode)], [restored], wavelet.name, "float64")
        pair = pywt.dwt2(x, wavelet, mode, axes=(1, 2))
        back = pywt.idwt2(pair, wavelet, mode, axes=(1, 2))
        assert_same([idwt2(pair, wavelet, mode)], [back], wavelet.name, "float64")


def test_a_layer_saves_a_filter_bank_of_ones_own():
    bank = pywt.Wavelet("db3").filter_bank
    layer = DWT2.from_config(DWT2(pywt.Wavelet("mine", filter_bank=bank), pywt.Modes.smooth).get_config())
    x = images((1, 8, 9, 1), "float32")
    expected = [ops.convert_to_numpy(band) for band in dwt2(x, "db3", "smooth")]
    assert_same(layer(x), expected, "db3", "float32")


X = images((1, 8, 8, 1))
BANDS = list(images((4, 1, 5, 5, 1)))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: dwt2(X, "daubechies"), "wavelist"),
        (lambda: dwt2(X, "gaus1"), "wavelist"),
        (lambda: dwt2(X, ["haar"]), "wavelist"),
        (lambda: dwt2(X, "haar", "mirror"), "mode must be one of zero"),
        (lambda: dwt2(X[0]), "axes"),
        (lambda: dwt2(X.astype("int32")), "floating"),
        (lambda: dwt2(np.full_like(X, np.nan)), "NaN"),
        (lambda: dwt2(X[:, :1], "db2", "reflect"), "single pixel"),
        (lambda: wavedec2(X, "haar", -1), "level"),
        (lambda: wavedec2(X, "haar", 1.5), "level"),
        (lambda: wavedec2(X, "haar", True), "level"),
        (lambda: dwt2(np.moveaxis(images((1, 16, 16, 3)), -1, 1)), "channels-first; pass np.moveaxis"),
        (lambda: dwt2(X, [[1, 1]] * 3), "four equally long filters"),
        (lambda: dwt2(X, pywt.ContinuousWavelet("gaus1")), "wavelist"),
        (lambda: dwt2(X, "haar", 99), "mode must be one of zero"),
        (lambda: wavedec2(keras.Input((None, None, 1))), "dynamic size"),
        (lambda: idwt2([None] * 4), "must not be None"),
        (lambda: idwt2(BANDS[:3], "db2"), "4 coefficient arrays"),
        (lambda: idwt2([*BANDS[:3], BANDS[3][:, 1:]], "db2"), "one shape"),
        (lambda: idwt2([*BANDS[:3], BANDS[3].astype("float32")], "db2"), "one dtype"),
        (lambda: idwt2(BANDS, "db38"), "at least 38 coefficients"),
        (lambda: waverec2([], "db2"), "wavedec2 returns"),
        (lambda: waverec2(BANDS[0], "db2"), "wavedec2 returns"),
        (lambda: waverec2([BANDS[0], BANDS[1:3]], "db2"), "3 coefficient arrays"),
        (lambda: waverec2([images((1, 7, 5, 1)), BANDS[1:]], "db2"), "one shape"),
        (lambda: DWT2("daubechies"), "wavelist"),
        (lambda: IDWT2(mode="mirror"), "mode must be one of"),
        (lambda: WaveletDecomposition(level=-1), "level"),
    ],
)
def test_bad_input_gets_one_sentence(function, message):
    with pytest.raises(ValueError, match=message) as error:
        function()
    assert "\n" not in str(error.value)


def test_level_zero_is_the_image():
    coefficients = wavedec2(X, "db2", 0)
    assert len(coefficients) == 1
    np.testing.assert_array_equal(ops.convert_to_numpy(waverec2(coefficients, "db2")), X)
