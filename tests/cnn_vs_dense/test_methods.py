import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import iradon

from cnn_vs_dense import measurement
from cnn_vs_dense.acquisition import CT, MRI, Scan, measured_columns, scan
from cnn_vs_dense.experiments import STANDARDISATIONS, normalised
from cnn_vs_dense.methods import (
    CT_METHODS,
    MRI_METHODS,
    columns_of_k_space,
    full_k_space,
    methods_for,
    seen,
    sinogram,
    sparse_sinogram,
)
from cnn_vs_dense.models import BUDGET, build
from cnn_vs_dense.representations import ANGLES
from common.data import load_mnist
from common.radon import filtered_backprojection

SAMPLINGS = CT | MRI
EVENLY = [name for name in CT if name.endswith("angles")]


@pytest.fixture(scope="module")
def images():
    return load_mnist().test[:300].as_float()


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_without_noise_the_simulator_is_all_there_is(sampling, images):
    values, places = scan(images, sampling, "none", seed=0)
    if sampling in CT:
        np.testing.assert_array_equal(values, measurement.projections(images, CT[sampling]))
        assert places == CT[sampling]
    else:
        np.testing.assert_array_equal(values, measurement.k_space(images) * places[:, None])


@pytest.mark.parametrize("sampling", ["8 angles", "acceleration 1"])
def test_white_noise_has_its_share_of_the_measurements_deviation(sampling, images):
    pure, disturbed = (scan(images, sampling, noise, seed=0).values for noise in ("none", "Gaussian 0.3"))
    share = np.sqrt((np.abs(disturbed - pure) ** 2).mean()) / pure.std()
    assert share == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize(
    ("sampling", "noise"),
    [
        ("8 angles", "Gaussian 0.3"),
        ("8 angles", "1,000 photons"),
        ("acceleration 4", "Gaussian 0.3"),
        ("acceleration 4", "Gaussian 0.3, phase"),
    ],
)
def test_every_session_has_noise_of_its_own(sampling, noise, images):
    def values(seed, session):
        return scan(images[:5], sampling, noise, seed, session).values

    np.testing.assert_array_equal(values(1, 2), values(1, 2))
    assert np.abs(values(1, 2) - values(1, 0)).max() > 0.01
    assert np.abs(values(1, 2) - values(2, 2)).max() > 0.01


@settings(max_examples=20)
@given(width=st.integers(1, 40), seed=st.integers(0, 99))
def test_as_many_columns_are_measured_as_the_acceleration_says(width, seed):
    for factor in MRI.values():
        columns = measured_columns(width, factor, seed)
        assert columns.sum() == max(1, round(width / factor))
        assert columns[width // 2]
        np.testing.assert_array_equal(columns, measured_columns(width, factor, seed))


def test_other_seeds_measure_other_columns():
    assert len({tuple(measured_columns(28, 4, seed)) for seed in range(20)}) > 15


@pytest.mark.parametrize("sampling", MRI)
def test_all_sessions_measure_the_same_columns(sampling, images):
    scans = [scan(images[:2], sampling, "none", 5, session) for session in range(3)]
    for values, columns in scans:
        np.testing.assert_array_equal(columns, scans[0].places)
        assert not values[:, :, ~columns].any()


def test_unknown_acquisitions_get_one_clear_sentence(images):
    with pytest.raises(ValueError, match="no sampling '5 angles'; there are 4 angles, 8 angles"):
        scan(images, "5 angles", "none", seed=0)
    with pytest.raises(ValueError, match="no noise 'loud'; there are none, 1,000 photons"):
        scan(images, "4 angles", "loud", seed=0)
    with pytest.raises(ValueError, match="CT knows no phase"):
        scan(images, "4 angles", "Gaussian 0.3, phase", seed=0)
    with pytest.raises(ValueError, match="MRI knows no photons"):
        scan(images, "acceleration 2", "1,000 photons", seed=0)


@pytest.mark.parametrize("sampling", EVENLY)
def test_a_sinogram_stays_where_it_was_measured_and_is_linear_between(sampling, images):
    scanned = scan(images[:3], sampling, "none", seed=0)
    np.testing.assert_allclose(sinogram(scanned, scanned.places), scanned.values, atol=1e-5)
    full, step = sinogram(scanned, ANGLES), len(ANGLES) // len(scanned.places)
    np.testing.assert_allclose(full[:, :, ::step], scanned.values, atol=1e-5)
    if step > 1:
        between = (full[:, :, 0] + full[:, :, step]) / 2
        np.testing.assert_allclose(full[:, :, step // 2], between, atol=1e-5)


@pytest.mark.parametrize("size", [9, 10, 11])
def test_a_sinogram_continues_beyond_180_degrees(size):
    margin = ((0, 0), (2, 2), (2, 2), (0, 0))
    images = np.pad(np.random.default_rng(size).random((2, size, size, 1)), margin)
    scanned = Scan(measurement.projections(images, (0.0, 60.0)), (0.0, 60.0))
    expected = measurement.projections(images, (180.0, 240.0))
    np.testing.assert_allclose(sinogram(scanned, (180.0, 240.0)), expected, atol=1e-9)


@pytest.mark.parametrize("sampling", CT)
def test_a_sparse_sinogram_is_backprojected_as_its_measured_angles_are(sampling, images):
    scanned = scan(images[:3], sampling, "none", seed=0)
    expected = filtered_backprojection(scanned.values, scanned.places)
    found = filtered_backprojection(sparse_sinogram(scanned), ANGLES)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_measured_columns_are_all_that_was_measured(images):
    scanned = scan(images[:3], "acceleration 4", "Gaussian 0.3", seed=3)
    found = columns_of_k_space(scanned)
    assert found.shape == (3, 28, scanned.places.sum(), 2)
    assert np.square(found).sum() == pytest.approx(np.square(full_k_space(scanned)).sum(), rel=1e-5)


def test_a_network_of_some_angles_sees_of_more_angles_what_it_would_have_measured(images):
    scanned = scan(images[:3], "32 angles", "none", seed=0)
    expected = scan(images[:3], "8 angles", "none", seed=0)
    np.testing.assert_allclose(sinogram(scanned, expected.places), expected.values, atol=1e-5)


@pytest.mark.parametrize("name", ["FBP, ramp", "FBP, Hann"])
def test_backprojected_images_are_those_of_scikit_image(name, images):
    found = seen(CT_METHODS[name], {"train": images[:2]}, {"train": "16 angles"}, "none", seed=0)["train"]
    values, angles = scan(images[:2], "16 angles", "none", seed=0)
    kind = name.split(", ")[1].lower()
    expected = [iradon(one[..., 0], np.array(angles), 28, kind, circle=False) for one in values]
    np.testing.assert_allclose(found[..., 0], expected, atol=1e-4)


@pytest.mark.parametrize("sampling", EVENLY)
def test_the_first_images_within_a_learned_filter_have_deviation_1(sampling, images):
    arm = CT_METHODS["learned filter"]
    inputs = seen(arm, {"train": images}, {"train": sampling}, "none", seed=0)["train"]
    learned_filter, backprojection = build(arm.architecture, inputs.shape[1:], 10).layers[:2]
    assert np.std(backprojection(learned_filter(inputs))) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("sampling", ["4 angles", "acceleration 4"])
def test_regression_reconstructs_new_images_better_than_what_it_competes_with(sampling):
    methods = methods_for(sampling)
    images = {"train": load_mnist().train[:3000].as_float(), "test": load_mnist().test[:300].as_float()}
    found = {
        name: seen(methods[name], images, dict.fromkeys(images, sampling), "Gaussian 0.3", seed=0)["test"]
        for name in methods
        if name in ("regression", "SART", "FBP, Hann", "zero-filled, magnitude")
    }
    errors = {name: np.square(image - images["test"]).mean() for name, image in found.items()}
    assert min(errors, key=errors.get) == "regression"


@pytest.mark.parametrize(
    "sampling", ["4 angles", "wedge of 60 degrees", "acceleration 1", "acceleration 4", "acceleration 16"]
)
def test_all_arms_have_the_parameters_of_lenet5(sampling, images):
    for name, arm in methods_for(sampling).items():
        if name == "SART" and sampling != "4 angles":
            continue  # at more angles it takes long to become a matrix, and its images have the same size
        inputs = seen(arm, {"train": images[:50]}, {"train": sampling}, "none", seed=0)["train"]
        parameters = build(arm.architecture, inputs.shape[1:], 10).count_params()
        assert 0.98 * BUDGET < parameters <= BUDGET, name


@pytest.mark.parametrize("arms", [CT_METHODS, MRI_METHODS])
def test_every_arm_is_of_a_known_kind_and_normalisation(arms):
    assert {arm.kind for arm in arms.values()} == {
        "direct",
        "reconstruction",
        "learned reconstruction",
        "oracle",
    }
    assert {arm.normalisation for arm in arms.values()} <= {*STANDARDISATIONS, "scaled", None}


def test_scaling_has_one_factor_for_all_parts():
    rng = np.random.default_rng(0)
    parts = {name: rng.normal(3, 5, (40, 6, 5, 2)).astype("float32") for name in ("train", "test")}
    scaled = normalised(parts, "scaled")
    assert scaled["train"].std() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(scaled["test"] * parts["train"].std(), parts["test"], rtol=1e-5)
