import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wavelet_based_dnn.pyramids import SPLITS

sides = st.integers(4, 20).map(lambda half: 2 * half)


def images(seed, *sides):
    return np.random.default_rng(seed).random((2, *sides, 1), dtype="float32")


@settings(max_examples=5)
@given(sides, sides, st.integers(0, 2**31))
def test_what_can_be_merged_is_the_image_again(height, width, seed):
    given_images = images(seed, height, width)
    for name in ("haar", "average pool"):
        split, merge = SPLITS[name]
        np.testing.assert_allclose(merge(*split(given_images)), given_images, atol=1e-6)


@settings(max_examples=5)
@given(sides, sides, st.integers(0, 2**31))
def test_pooling_and_haar_have_the_same_approximation_and_equal_spans(height, width, seed):
    given_images = images(seed, height, width)
    haar, pooled, zeroed = (
        SPLITS[name].split(given_images) for name in ("haar", "average pool", "zeroed details")
    )
    for one in (pooled, zeroed):
        np.testing.assert_allclose(one[0], haar[0], atol=1e-6)
    assert not np.any(zeroed[1])
    both = np.concatenate([np.reshape(haar[1], (-1, 3)), np.reshape(pooled[1], (-1, 4))], 1)
    assert np.linalg.matrix_rank(both, tol=1e-3) == 3  # the four differences add up to zero
