import gzip
import io
import struct
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_vs_dense import anatomy
from cnn_vs_dense.anatomy import SLABS, Volume, views
from common.data import is_available

SLICE_MM = {"head_ct": 1.5, "mni152": 1.0}


def disc(size):
    grid = np.arange(size) - size // 2
    return grid**2 + grid[:, None] ** 2 <= ((size - 2) / 2) ** 2


@pytest.mark.parametrize("name", SLABS)
def test_slabs_are_20_mm_high_and_10_mm_apart(name):
    for first, end in SLABS[name]:
        assert (end - first) * SLICE_MM[name] == pytest.approx(20, abs=0.5)
    for (_, end), (first, _) in zip(SLABS[name], SLABS[name][1:], strict=False):
        assert (first - end) * SLICE_MM[name] >= 10


@settings(max_examples=5)
@given(size=st.integers(4, 17), seed=st.integers(0, 99))
def test_a_view_of_one_tissue_is_a_disc(size, seed):
    found = views(Volume(np.ones((3, 40, 50), "float32"), 1.0), (1, 2), 20, size, seed)
    assert (found.shape, found.dtype) == ((20, size, size, 1), "float32")
    assert not found[:, ~disc(size)].any()
    assert np.mean(found[:, disc(size)] == 1) >= 0.95


def test_a_view_is_a_rotation_without_a_change_of_scale():
    # Linear interpolation keeps a plane a plane, and a rotation keeps its slope.
    plane = 3 + 0.02 * np.arange(60)[:, None] + 0.05 * np.arange(70)
    found = views(Volume(np.stack([plane, plane]).astype("float32"), 1.0), (0, 2), 30, 16, seed=1)[..., 0]
    # Up to 5 % of a disc may lie beyond the border, where the volume is 0.
    found = [view for view in found if view[disc(16)].min() > 2.9]
    assert len(found) > 15
    rows, columns = np.indices((16, 16))[:, disc(16)]
    terms = np.stack([np.ones_like(rows), rows, columns], axis=1)
    slopes = []
    for view in found:
        coefficients, residual, *_ = np.linalg.lstsq(terms, view[disc(16)], rcond=None)
        assert residual < 1e-6
        slopes.append(coefficients[1:])
    np.testing.assert_allclose(np.linalg.norm(slopes, axis=1), np.hypot(0.02, 0.05), rtol=1e-3)
    turns = np.arctan2(*np.transpose(slopes))
    assert np.ptp(turns) > np.pi


def test_views_come_from_all_slices_of_the_slab_and_from_no_other():
    values = np.arange(1, 9, dtype="float32")[:, None, None] * np.ones((8, 30, 30), "float32")
    found = views(Volume(values, 1.0), (2, 6), 100, 8, seed=0)
    assert set(found[:, 4, 4, 0].tolist()) == {3, 4, 5, 6}


def test_at_least_95_percent_of_a_view_is_tissue():
    values = np.zeros((2, 60, 60), "float32")
    values[:, 15:45, 20:40] = 1
    values[:, 30, 30] = 0.2
    found = views(Volume(values, 1.0, air=0.3), (0, 2), 200, 16, seed=0)
    # Interpolation blurs the border of the tissue by one pixel.
    assert (found[:, disc(16)] > 0.3).mean(axis=1).min() > 0.9


def test_the_seed_decides(rng):
    volume = Volume(1 + rng.random((2, 30, 30), "float32"), 1.0)
    first, again, other = (views(volume, (0, 2), 5, 8, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


EMPTY = Volume(np.zeros((2, 30, 30), "float32"), 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: views(EMPTY, (0, 2), 5, 8, 0),
            r"No disc of radius 3 in the slab \(0, 2\) holds",
        ),
        (lambda: views(EMPTY, (1, 3), 5, 8, 0), r"A slab must lie in slices 0 to 2, not be \(1, 3\)"),
        (lambda: views(EMPTY, (0, 2), 0, 8, 0), "count must be a whole number of at least 1"),
        (lambda: views(EMPTY, (0, 2), 5, 3, 0), "size must be at least 4"),
        (lambda: views(EMPTY, (0, 2), 5, 8, None), "seed must be a whole number of at least 0"),
    ],
)
def test_what_has_no_views_gets_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_hounsfield_units_become_attenuation_per_mm(monkeypatch):
    stored = np.zeros(anatomy.CT_SHAPE, "<i2")
    stored[0], stored[1], stored[2, :, :128] = -1024, 1000, -1000
    file, member = io.BytesIO(), tarfile.TarInfo("folder/matrix.dat")
    member.size = stored.nbytes
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        archive.addfile(member, io.BytesIO(stored.tobytes()))
    monkeypatch.setattr(anatomy, "read_anatomy", {"head_ct": file.getvalue()}.__getitem__)
    volume = anatomy.head_ct()
    # 256 pixels of 0.957 mm are 245 mm.
    assert (volume.values.shape, volume.slice_mm) == ((108, 245, 245), 1.5)
    np.testing.assert_allclose(volume.values[[0, 1, 5], 100, 100], [0, 2 * 0.0193, 0.0193], rtol=1e-6)
    np.testing.assert_allclose(volume.values[2, 100, [120, 124]], [0, 0.0193], rtol=1e-6)
    assert 0 < volume.air < 0.0193


def test_the_mri_is_read_as_nifti_lays_it_out(monkeypatch):
    stored = np.random.default_rng(0).integers(0, 256, (4, 3, 2), "uint8")
    header = bytearray(352)
    struct.pack_into("<8h", header, 40, 3, 2, 3, 4, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352.0)
    content = gzip.compress(bytes(header) + stored.tobytes())
    monkeypatch.setattr(anatomy, "read_anatomy", {"mni152": content}.__getitem__)
    volume = anatomy.mni152()
    np.testing.assert_allclose(volume.values, stored / 255, rtol=1e-6)
    assert volume.slice_mm == 1


@pytest.mark.skipif(not is_available("head_ct"), reason="the head CT is not on this machine")
def test_the_head_is_mostly_brain_between_bone():
    volume = anatomy.head_ct()
    first, end = SLABS["head_ct"][1]
    tissue = volume.values[first:end][volume.values[first:end] > volume.air]
    # Brain has 20 to 45 Hounsfield units (Bushberg et al., "The Essential Physics of Medical Imaging").
    assert np.median(tissue) == pytest.approx(anatomy.WATER * 1.035, rel=0.02)
    assert 0.1 < (tissue > 1.3 * anatomy.WATER).mean() < 0.5
    assert (volume.slice_mm, volume.values.max() < 0.1) == (SLICE_MM["head_ct"], True)
    assert all(len(views(volume, slab, 20, 64, 0)) == 20 for slab in SLABS["head_ct"])


@pytest.mark.skipif(not is_available("mni152"), reason="the average MRI is not on this machine")
def test_the_average_brain_is_symmetric():
    volume = anatomy.mni152()
    assert volume.values.shape == (189, 233, 197)
    first, end = SLABS["mni152"][1]
    slab = volume.values[first:end]
    assert np.corrcoef(slab.ravel(), slab[:, :, ::-1].ravel())[0, 1] > 0.99
    assert (volume.slice_mm, volume.values.min(), volume.values.max()) == (SLICE_MM["mni152"], 0, 1)
    assert all(len(views(volume, slab, 20, 64, 0)) == 20 for slab in SLABS["mni152"])
