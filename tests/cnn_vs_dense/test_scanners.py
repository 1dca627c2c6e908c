import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_vs_dense import measurement
from cnn_vs_dense.scanners import CT, MRI, k_space_deviation, measured_columns, noiseless, scan
from common.data import load_fashion_mnist

SCANNERS = [CT(4, 30), CT(3, 480, circle=True, shift=0.5, angle_error=0.5), MRI(4, 0.3), MRI(7, 0.1, 3, 2.0)]


@pytest.fixture(scope="module")
def images():
    return load_fashion_mnist().test[:5].as_float()


@pytest.mark.parametrize("scanner", SCANNERS, ids=str)
def test_a_seed_repeats_and_each_session_has_noise_of_its_own(images, scanner):
    first, again, other = (scan(images, scanner, seed) for seed in ([1, 0, 0], [1, 0, 0], [1, 1, 0]))
    np.testing.assert_array_equal(first.values, again.values)
    assert first.scanner is scanner
    clean = [noiseless(images, scanner, [1, session, 0]) for session in (0, 1)]
    if isinstance(scanner, MRI):
        np.testing.assert_array_equal(first.columns, other.columns)
        noise = [one.values - part for one, part in zip((first, other), clean, strict=True)]
    else:
        noise = [one.values - scanner.photons * np.exp(-0.1 * clean[0]) for one in (first, other)]
    correlation = np.vdot(*noise) / np.linalg.norm(noise[0]) / np.linalg.norm(noise[1])
    assert abs(correlation) < 0.15


def test_ct_counts_photons_behind_the_strip_integrals(images):
    scanner = CT(4, 1e7)
    assert scanner.degrees == (0, 45, 90, 135)
    counts = scan(images, scanner, [0, 0, 0]).values
    assert (counts.shape, counts.dtype) == ((5, 40, 4, 1), "float32")
    expected = measurement.projections(images, scanner.degrees)
    np.testing.assert_allclose(-10 * np.log(counts / 1e7), expected, atol=0.03)


@pytest.mark.parametrize("size", [27, 28])
def test_a_detector_of_the_inscribed_circle_is_the_middle_of_the_long_one(size):
    grid = np.arange(size) - size // 2
    disc = (grid**2 + grid[:, None] ** 2 < 100.0)[None, ..., None].astype("float32")
    long, short = (noiseless(disc, CT(4, 30, circle=circle), [0]) for circle in (False, True))
    assert short.shape == (1, size, 4, 1)
    # The centre of rotation is detector `size // 2`, as in `common.radon` and in scikit-image.
    middle = np.einsum("d,nda->na", np.arange(size), short[..., 0]) / short.sum(axis=1)[..., 0]
    np.testing.assert_allclose(middle, size // 2, atol=1e-3)
    np.testing.assert_array_equal(short[:, size // 2], long[:, long.shape[1] // 2])
    np.testing.assert_allclose(short.sum(axis=1), long.sum(axis=1), rtol=1e-5)


def test_each_angle_is_off_to_one_side_that_the_first_number_of_the_seed_decides(images):
    off = noiseless(images, CT(16, 30, angle_error=0.5), [3, 1, 2])
    sides = [noiseless(images, CT(16, 30), [3])] + [
        measurement.projections(images, [a + side for a in CT(16, 30).degrees]) for side in (-0.5, 0.5)
    ]
    distances = [np.abs(off - side).max(axis=(0, 1, 3)) for side in sides]
    assert (np.minimum(*distances[1:]) < 1e-5).all()
    assert (distances[0] > 1e-3).all()
    assert 0 < (distances[1] < 1e-5).sum() < 16
    np.testing.assert_array_equal(off, noiseless(images, CT(16, 30, angle_error=0.5), [3, 0, 7]))
    assert np.abs(off - noiseless(images, CT(16, 30, angle_error=0.5), [4])).max() > 1e-3


def test_a_shift_moves_the_detector(images):
    expected = measurement.projections(images, CT(4, 30).degrees, 0.5)
    np.testing.assert_array_equal(noiseless(images, CT(4, 30, shift=0.5), [0]), expected)


def test_mri_measures_some_columns_of_the_k_space_of_images_with_a_phase(images):
    recorded = scan(images, MRI(7), [2, 1, 0])
    assert recorded.values.dtype == "complex64"
    assert (recorded.columns.sum(), recorded.phase.shape) == (7, images.shape)
    full = measurement.k_space(images * np.exp(1j * recorded.phase))
    assert not recorded.values[:, :, ~recorded.columns].any()
    np.testing.assert_allclose(
        recorded.values[:, :, recorded.columns], full[:, :, recorded.columns], atol=1e-4
    )
    np.testing.assert_allclose(recorded.values, noiseless(images, MRI(7), [2, 1, 0]), atol=1e-6)
    assert np.abs(recorded.phase[0] - recorded.phase[1]).max() > 0.1
    assert np.abs(recorded.phase - scan(images, MRI(7), [2, 2, 0]).phase).max() > 0.1


def test_a_fixed_phase_is_the_same_for_all_images_and_seeds(images):
    phases = [scan(images, MRI(7, fixed_phase=True), [seed, 0, 0]).phase for seed in (0, 1)]
    np.testing.assert_array_equal(*phases)
    np.testing.assert_allclose(phases[0], np.broadcast_to(measurement.smooth_phase(1, 28, 0), images.shape))


def test_the_noise_of_mri_has_its_deviation_in_the_measured_columns():
    images = load_fashion_mnist().test[:100].as_float()
    deviation = 0.3 * k_space_deviation(images)
    noise = scan(images, MRI(28, deviation), [0, 0, 0]).values - noiseless(images, MRI(28), [0, 0, 0])
    assert noise.std() == pytest.approx(deviation, rel=0.01)
    assert noise.real.std() == pytest.approx(noise.imag.std(), rel=0.02)
    k = measurement.k_space(images)
    expected = np.sqrt(np.mean(np.abs(k - k.mean()) ** 2))
    assert k_space_deviation(images) == pytest.approx(expected, rel=1e-5)


@settings(max_examples=20)
@given(width=st.integers(1, 64), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_exactly_the_columns_asked_for_are_measured_the_central_ones_always(width, share, seed):
    number = max(1, round(share * width))
    columns = measured_columns(width, number, seed)
    assert columns.sum() == number
    # Frequency 0 and as many on each side as the central 32 % hold.
    side = (max(1, round(0.32 * number)) - 1) // 2
    assert columns[width // 2 - side : width // 2 + side + 1].all()
    np.testing.assert_array_equal(columns, measured_columns(width, number, seed))


def test_other_seeds_measure_other_columns():
    assert len({measured_columns(28, 7, seed).tobytes() for seed in range(5)}) == 5


ONES = np.ones((1, 8, 8, 1), "float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CT(0, 30), "angles must be a whole number of at least 1, not 0"),
        (lambda: scan(ONES, CT(4, -1), [0]), "photons must be a positive number, not -1"),
        (lambda: scan(ONES, CT(4, 30, attenuation=0), [0]), "attenuation must be a positive number, not 0"),
        (lambda: scan(ONES, CT(4, 30), 0), "seed must be a sequence of at least one number, not 0"),
        (lambda: scan(ONES, CT(4, 30), [0, -1]), "seed must be a whole number of at least 0, not -1"),
        (lambda: scan(255 * ONES, CT(4, 30), [0]), "divide by the value that stands for 1"),
        (lambda: scan(-ONES, CT(4, 30), [0]), "images must be at least 0, but the least value is -1"),
        (lambda: scan(np.ones((1, 8, 8, 3)), CT(4, 30), [0]), r"must be \(n, size, size, 1\)"),
        (lambda: scan(ONES, MRI(9), [0]), "k-space has 8 columns, so 9 cannot be measured"),
        (lambda: scan(ONES, MRI(4, -1.0), [0]), "deviation must be at least 0"),
        (lambda: scan(ONES, MRI(4, order=-1), [0]), "order and strength at least 0"),
    ],
)
def test_what_cannot_be_scanned_gets_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
