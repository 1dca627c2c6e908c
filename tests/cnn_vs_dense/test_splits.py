import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_vs_dense import splits
from common.data import load_mnist


def test_the_parts_of_the_data_do_not_overlap():
    data = load_mnist()
    train, validation, test = splits.split(data, 55_000, seed=0).values()
    assert (len(train), len(validation), len(test)) == (55_000, 5_000, 10_000)
    np.testing.assert_array_equal(np.concatenate([train.images, validation.images]), data.train.images)
    np.testing.assert_array_equal(np.concatenate([train.labels, validation.labels]), data.train.labels)


@settings(max_examples=5)
@given(examples=st.integers(1, 200), seed=st.integers(0, 2**32))
def test_training_images_are_drawn_without_replacement_in_their_order(examples, seed):
    data = load_mnist()
    train = splits.split(data, examples, seed)["train"]
    places = {image.tobytes(): place for place, image in enumerate(data.train.images[:55_000])}
    found = [places[image.tobytes()] for image in train.images]
    assert len(found) == examples
    assert found == sorted(set(found))
    np.testing.assert_array_equal(train.labels, data.train.labels[found])


def test_the_seed_draws_the_training_images():
    data = load_mnist()
    once, again, other = (splits.split(data, 50, seed)["train"].images for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


@pytest.mark.parametrize("examples", [0, -3, 55_001])
def test_impossible_numbers_of_examples_get_one_clear_sentence(examples):
    with pytest.raises(ValueError, match=f"examples must lie in 1 to 55,000, not be {examples}"):
        splits.split(load_mnist(), examples, seed=0)


def test_only_parts_that_measure_pass():
    for part in ("validation", "test"):
        splits.check_part(part)
    with pytest.raises(ValueError, match="evaluate_on must be 'validation' or 'test', not 'train'"):
        splits.check_part("train")
