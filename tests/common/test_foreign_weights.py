"""The pickles here are made to be refused, or to be read as pickle and PyTorch, the oracles, read them."""

import io
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from common.foreign_weights import read_arrays, read_torch


class Malicious:
    """An object whose pickle is a command."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@given(
    values=st.lists(arrays("float32", array_shapes(max_dims=4, max_side=4)), min_size=1, max_size=3),
    protocol=st.integers(3, 4),
    fortran=st.booleans(),
)
def test_pickled_arrays_are_read_as_pickle_reads_them(values, protocol, fortran):
    written = {"layer": [np.asfortranarray(value) if fortran else value for value in values]}
    found = read_arrays(pickle.dumps(written, protocol=protocol))
    for array, value in zip(found["layer"], values, strict=True):
        np.testing.assert_array_equal(array, value)


@given(
    values=st.dictionaries(
        st.text(max_size=5), arrays("float32", array_shapes(max_dims=4, max_side=4)), max_size=3
    ),
    axes=st.randoms(),
)
def test_tensors_are_read_as_pytorch_wrote_them(values, axes):
    torch = pytest.importorskip("torch")
    tensors = {}
    for name, value in values.items():
        order = axes.sample(range(value.ndim), value.ndim)
        tensors[name] = torch.from_numpy(value).permute(order)
    tensors["count"] = torch.tensor(7)
    file = io.BytesIO()
    torch.save(tensors, file, _use_new_zipfile_serialization=False)
    found = read_torch(file.getvalue())
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


@pytest.mark.parametrize("position", range(5))
def test_a_malicious_torch_file_is_refused_and_runs_nothing(position, tmp_path):
    trace = tmp_path / "trace"
    parts = [pickle.dumps(part, protocol=2) for part in (1, 1001, {}, {}, [])]
    parts[position] = pickle.dumps(Malicious(f"touch {trace}"), protocol=2)
    with pytest.raises(ValueError, match=r"their file wants to call posix\.system"):
        read_torch(b"".join(parts))
    assert not trace.exists()


@pytest.mark.parametrize("wrap", [lambda bad: bad, lambda bad: {"conv1": [bad]}])
def test_a_malicious_file_of_arrays_is_refused_and_runs_nothing(wrap, tmp_path):
    trace = tmp_path / "trace"
    with pytest.raises(ValueError, match=r"their file wants to call posix\.system"):
        read_arrays(pickle.dumps(wrap(Malicious(f"touch {trace}"))))
    assert not trace.exists()


@pytest.mark.parametrize("values", [np.array([None, "x"]), np.arange(3), np.array([1.0, 2.0], ">f4")])
def test_other_arrays_are_refused(values):
    with pytest.raises(ValueError, match="The weights are not read"):
        read_arrays(pickle.dumps({"layer": [values]}, protocol=3))


@pytest.mark.parametrize("pickled", [1, [1], {"layer": 1}, {"layer": [1]}, None, "text"])
def test_a_pickle_of_something_else_gets_one_clear_sentence(pickled):
    with pytest.raises(ValueError, match="The weights are not read"):
        read_arrays(pickle.dumps(pickled, protocol=3))
    parts = (1, 1001, {}, pickled, ["0"])
    with pytest.raises(ValueError, match="The weights are not read"):
        read_torch(b"".join(pickle.dumps(part, protocol=2) for part in parts))


anything = st.recursive(
    st.integers() | st.text(max_size=3) | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@given(parts=st.lists(anything, min_size=1, max_size=6))
def test_pickles_of_anything_are_read_or_get_one_clear_sentence(parts):
    first, *_ = pickled = [pickle.dumps(part, protocol=3) for part in parts]
    for read, content in ((read_arrays, first), (read_torch, b"".join(pickled))):
        try:
            assert isinstance(read(content), dict)
        except ValueError as error:
            assert str(error).startswith("The weights are not read")  # noqa: PT017


@given(length=st.integers(0, 400))
def test_a_truncated_file_gets_one_clear_sentence(length):
    content = pickle.dumps({"layer": [np.zeros(100, "float32")]}, protocol=3)
    with pytest.raises(ValueError, match="The weights are not read"):
        read_arrays(content[:length])
