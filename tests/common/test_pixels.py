import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from common.pixels import as_bytes


@given(arrays("float32", st.integers(1, 9), elements=st.floats(-0.5, 1.5, width=32)))
def test_bytes_are_the_nearest_of_256_levels(images):
    assert np.abs(as_bytes(images) / 255 - np.clip(images, 0, 1)).max() <= 0.5 / 255 + 1e-6


def test_what_a_file_holds_comes_back():
    levels = np.arange(256, dtype="uint8")
    np.testing.assert_array_equal(as_bytes(np.divide(levels, 255, dtype="float32")), levels)


@pytest.mark.parametrize("images", [np.zeros(3, "uint8"), [np.nan], [np.inf], ["a"], [1]])
def test_what_are_no_floats_is_refused(images):
    with pytest.raises(ValueError, match="Images must be finite floats"):
        as_bytes(images)


@pytest.mark.parametrize(
    ("images", "message"),
    [([0.0, 255.0], "largest value is 255"), (np.ma.masked_less([0.0, 1.0], 1), "masked")],
)
def test_bytes_of_bytes_and_of_masked_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        as_bytes(images)
