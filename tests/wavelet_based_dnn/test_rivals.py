import keras
import numpy as np
import pytest
import tensorflow as tf

from wavelet_based_dnn.rivals import (
    CoefficientScales,
    FinestLevel,
    HalvedScales,
    PlainPyramid,
    ResizedScales,
    build_plain_pyramid,
)
from wavelet_based_dnn.scale_network import ScaleNetwork

SCALES = ("haar", (4,) * 7, 10, 0)  # split, features, classes, seed
RIVALS = {
    PlainPyramid: build_plain_pyramid,
    FinestLevel: lambda: FinestLevel(*SCALES),
    ResizedScales: lambda: ResizedScales(20, *SCALES),
    CoefficientScales: lambda: CoefficientScales(*SCALES),
    HalvedScales: lambda: HalvedScales(*SCALES),
}


def images(*shape):
    return np.random.default_rng(0).random((2, *shape, 1), dtype="float32")


@pytest.fixture(params=RIVALS, ids=lambda kind: kind.__name__)
def rival(request):
    return RIVALS[request.param]()


def test_any_size_gives_logits_also_of_a_saved_and_of_a_compiled_rival(rival, tmp_path):
    rival.save(tmp_path / "rival.keras")
    loaded = keras.models.load_model(tmp_path / "rival.keras")
    compiled = tf.function(rival, input_signature=[tf.TensorSpec((None, None, None, 1))])
    for shape in [(1, 30), (37, 51)]:
        logits = rival(images(*shape))
        for one, other, third in zip(logits, loaded(images(*shape)), compiled(images(*shape)), strict=True):
            assert one.shape == (2, 10)
            np.testing.assert_array_equal(one, other)
            np.testing.assert_allclose(one, third, atol=1e-5)


def test_rivals_refuse_colours(rival):
    with pytest.raises(ValueError, match="images must be grey"):
        rival(np.zeros((1, 9, 9, 3), "float32"))


def test_the_finest_level_is_the_whole_network_of_a_single_level():
    whole, finest = ScaleNetwork(*SCALES), FinestLevel(*SCALES)
    bands = whole.bands(images(30, 41))[-1]
    expected = tf.reduce_logsumexp(whole.scores(bands), (1, 2))
    (found,) = finest(images(30, 41))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_resizing_first_is_the_network_of_the_resized_image():
    resized = tf.image.resize(images(30, 41), (20, 20), antialias=True)
    for one, other in zip(
        ResizedScales(20, *SCALES)(images(30, 41)), ScaleNetwork(*SCALES)(resized), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_side_must_be_a_count():
    with pytest.raises(ValueError, match="side must be a whole number of at least 1, not 0"):
        ResizedScales(0, *SCALES)


def test_the_pyramid_pools_the_log_sum_exp_over_three_scales():
    rival = build_plain_pyramid(seed=3)
    scales = [images(36, 52)]
    for _ in range(2):
        scales.append(scales[-1].reshape(2, scales[-1].shape[1] // 2, 2, -1, 2, 1).mean((2, 4)))
    scores = [rival.trunk(scale).numpy().reshape(2, -1, 10) for scale in scales]
    expected = np.logaddexp.reduce(np.concatenate(scores, 1), axis=1)
    np.testing.assert_allclose(rival(images(36, 52))[0], expected, atol=1e-4)


@pytest.mark.parametrize("build", [*RIVALS.values(), lambda: ScaleNetwork(*SCALES)])
def test_cells_cover_the_image_and_have_their_sides(build):
    rival, (height, width) = build(), (37, 51)
    cells, sides = rival.cells(images(height, width)), rival.cell_sides(images(height, width))
    assert len(cells) == len(sides)
    for (_, rows, columns, _), (down, across) in zip((level.shape for level in cells), sides, strict=True):
        assert height <= rows * down < height + 4 * down
        assert width <= columns * across < width + 4 * across
