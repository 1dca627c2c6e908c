import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_vs_dense import anatomy, lesions
from cnn_vs_dense.lesions import BASE, Library, draw


@pytest.fixture(scope="module")
def made():
    """Return the library of a made head, with slices of different values, and of its second slab."""
    values = np.linspace(0.01, 0.03, 90)[:, None, None] * np.ones((90, 70, 70))
    volume = anatomy.Volume(values.astype("float32"), 1.5)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(anatomy.VOLUMES, "head_ct", lambda: volume)
        lesions.library.cache_clear()
        yield [lesions.library("head_ct", slab) for slab in (0, 1)]
    lesions.library.cache_clear()


@pytest.fixture
def small(rng):
    return Library(rng.random((6, 8, 8, 1)).astype("float32"), rng.random((3, 8, 8, 1)).astype("float32"))


def test_a_library_holds_2000_backgrounds_of_its_slab_and_the_same_100_blobs(made):
    for library, (first, end) in zip(made, anatomy.SLABS["head_ct"], strict=False):
        assert (library.backgrounds.shape, library.blobs.shape) == ((2000, 64, 64, 1), (100, 64, 64, 1))
        values = np.unique(library.backgrounds[:, 32, 32])
        np.testing.assert_allclose(values, np.linspace(0.01, 0.03, 90)[first:end], rtol=1e-5)
    np.testing.assert_array_equal(made[0].blobs, made[1].blobs)


def test_blobs_are_gaussians_within_20_mm_of_the_centre(made):
    blobs = made[0].blobs[..., 0].astype("float64")
    row, column = np.indices((64, 64)) - 32
    mass = blobs.sum(axis=(1, 2))
    centre = [(blobs * axis).sum(axis=(1, 2)) / mass for axis in (row, column)]
    distance = np.hypot(*centre)
    assert distance.max() < 20.1
    # Uniform in a disc: half of the centres are farther out than 20 / sqrt(2) mm.
    assert np.median(distance) == pytest.approx(20 / np.sqrt(2), abs=2)
    spread = np.sqrt((blobs * (row - centre[0][:, None, None]) ** 2).sum(axis=(1, 2)) / mass)
    np.testing.assert_allclose(np.unique(spread.round(2)), lesions.WIDTHS, atol=0.01)
    # The sum of a Gaussian of height 1 is 2 pi times its variance.
    np.testing.assert_allclose(mass, 2 * np.pi * spread**2, rtol=0.01)


@settings(max_examples=10)
@given(count=st.integers(1, 50), contrast=st.floats(0, 2), seed=st.integers(0, 99))
def test_a_draw_is_a_background_with_a_blob_or_without(count, contrast, seed):
    rng = np.random.default_rng(seed)
    library = Library(*(rng.random((n, 5, 5, 1)).astype("float32") for n in (6, 3)))
    found = draw(library, contrast, count, [seed, 1])
    assert found.labels.sum() == count // 2
    expected = library.backgrounds[found.background] + (
        contrast * found.labels[:, None, None, None] * library.blobs[found.blob]
    )
    assert found.images.dtype == "float32"
    np.testing.assert_allclose(found.images, expected, rtol=1e-5)


def test_a_draw_uses_the_whole_library_and_its_seed(small):
    found = draw(small, 0.1, 2000, [0, 1, 2])
    shares = np.bincount(found.background) / 2000, np.bincount(found.blob) / 2000
    np.testing.assert_allclose(shares[0], 1 / 6, atol=0.04)
    np.testing.assert_allclose(shares[1], 1 / 3, atol=0.04)
    assert abs(np.corrcoef(found.labels, found.blob)[0, 1]) < 0.1
    np.testing.assert_array_equal(found.images, draw(small, 0.1, 2000, [0, 1, 2]).images)
    assert (found.background != draw(small, 0.1, 2000, [0, 1, 3]).background).mean() > 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda library: lesions.library("knee", 0),
            "There is no data set of anatomy 'knee'; there are",
        ),
        (lambda library: lesions.library("mni152", 3), "There is no slab 3; there are 0, 1, 2"),
        (lambda library: draw(library, -1, 4, [0]), "contrast must be at least 0, not -1"),
        (lambda library: draw(library, 1, 0, [0]), "count must be a whole number of at least 1"),
        (lambda library: draw(library, 1, 4, 0), "seed must be a sequence of at least one number, not 0"),
        (lambda library: draw(library, 1, 4, [None]), "seed must be a whole number of at least 0, not None"),
    ],
)
def test_what_cannot_be_drawn_gets_one_clear_sentence(small, call, message):
    with pytest.raises(ValueError, match=message):
        call(small)


def test_each_volume_has_slabs_and_a_contrast_to_start_from():
    assert set(anatomy.VOLUMES) == set(anatomy.SLABS) == set(BASE)
