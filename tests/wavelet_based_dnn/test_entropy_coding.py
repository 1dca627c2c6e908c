import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from wavelet_based_dnn.entropy_coding import PRECISION, STATE_BYTES, decode, encode, make_table, read_table

sequences = arrays(
    "int64",
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.integers(-3, 3) | st.integers(-(2**35), 2**35),
)


def coded(values):
    frequencies = np.tile(read_table(make_table(values)), (len(values), 1))
    return encode(values, frequencies), frequencies


@given(values=sequences, data=st.data())
def test_any_sequences_are_decoded_exactly_and_each_one_alone(values, data):
    codes, frequencies = coded(values)
    some = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=4))
    decoded = decode([codes[i] for i in some], frequencies[some], values.shape[1])
    np.testing.assert_array_equal(decoded, values[some])


@given(values=sequences)
def test_a_table_gives_every_category_that_occurs_a_share_of_the_whole(values):
    frequencies = read_table(make_table(values))
    assert frequencies.sum() == 2**PRECISION
    present = {len(bin(2 * abs(v) + (v >= 0))) - 3 for v in values.ravel().tolist()}
    assert set(np.flatnonzero(frequencies).tolist()) == present


@given(scale=st.floats(0.1, 20), seed=st.integers(0, 99))
def test_the_length_is_the_entropy_that_shannon_allows(scale, seed):
    values = np.round(np.random.default_rng(seed).laplace(0, scale, (4, 400))).astype(int)
    codes, _ = coded(values)
    _, counts = np.unique(values, return_counts=True)
    entropy = -(counts * np.log2(counts / counts.sum())).sum() / 8
    # The bits within a category are taken as equally likely, the table is rounded, the state is three bytes.
    length = sum(map(len, codes)) - 4 * STATE_BYTES
    assert 0.99 * entropy - 4 < length < 1.08 * entropy + 8


def test_a_value_that_the_table_lacks_is_refused():
    frequencies = read_table(make_table(np.array([[0, 0, 5]])))[None]
    for value in (1, 100):
        with pytest.raises(ValueError, match="make the table of these values"):
            encode(np.array([[value]]), frequencies)
