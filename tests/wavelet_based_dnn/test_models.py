import numpy as np
import pytest

from wavelet_based_dnn.models import count_macs, load_dynamic_classifier
from wavelet_based_dnn.refinement import classify
from wavelet_based_dnn.rivals import NARROW_FILTERS, NARROWEST_FILTERS, build_plain_pyramid
from wavelet_based_dnn.scale_network import build_scale_network

FEATURES, CLASSES, BANDS, NARROW = 4, 10, 4, 32


def dense_by_hand(cells, coarser_cells):
    """Return the multiplications of a level of `cells` x `cells` cells without the wavelet."""
    first = (2 * cells + 3) ** 2 * 9 * BANDS * NARROW
    second = (2 * cells + 1) ** 2 * 9 * NARROW**2  # a stride of 2 reads one more on one side
    stem = cells**2 * 9 * NARROW * FEATURES
    lateral = coarser_cells**2 * FEATURES**2
    inner, outer = (cells + 2) ** 2 * 9 * FEATURES**2, cells**2 * 9 * FEATURES**2
    answer = cells**2 * FEATURES * (FEATURES + CLASSES)
    return first + second + stem + lateral + inner + outer + answer


def test_dense_multiplications_are_those_counted_by_hand():
    found = count_macs(build_scale_network(features=FEATURES), 64, 64)
    levels = [dense_by_hand(2, 0), dense_by_hand(4, 2), dense_by_hand(8, 4), dense_by_hand(16, 8)]
    assert found == np.cumsum(levels).tolist()


def test_a_tile_costs_what_is_counted_by_hand():
    network = build_scale_network(features=FEATURES)
    dense, sparse = (count_macs(network, 224, 224, tiles) for tiles in (None, [1, 4, 16, 4]))
    first = (2 * 12 + 3) ** 2 * 9 * BANDS * NARROW  # 8 cells and a halo of 2
    second = (2 * 12 + 1) ** 2 * 9 * NARROW**2
    stem = 12**2 * 9 * NARROW * FEATURES
    lateral = 6**2 * FEATURES**2
    inner, outer = 10**2 * 9 * FEATURES**2, 8**2 * 9 * FEATURES**2
    tile = first + second + stem + lateral + inner + outer + 8**2 * FEATURES * (FEATURES + CLASSES)
    assert sparse[:2] == dense[:2]  # all tiles of these levels
    assert np.diff(sparse).tolist()[1:] == [4 * tile, 5 * tile]


def test_the_count_follows_the_tiles_that_are_read(network):
    images = np.random.default_rng(0).random((3, 120, 200, 1), dtype="float32")
    reading = classify(network, images, budget=0.2)
    tiles = [level.sum() / 3 for level in reading.tiles]
    assert count_macs(network, 120, 200, tiles)[-1] < count_macs(network, 120, 200)[-1]
    assert len(count_macs(build_plain_pyramid(), 40, 30)) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: count_macs(build_plain_pyramid(), 28, 28, [1]), "Only a ScaleNetwork has tiles"),
        (lambda: count_macs(build_scale_network(features=4), 28, 28, [1, 2]), "tiles must be one number"),
        (lambda: count_macs(build_scale_network(features=4), 28, 0), "width must be a whole number"),
        (lambda: load_dynamic_classifier("cifar"), "cifar"),
    ],
)
def test_errors_are_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_narrow_pyramids_take_the_multiplications_of_the_network_of_scales():
    network, canvas = build_scale_network(), (224, 224)
    assert count_macs(build_plain_pyramid(NARROW_FILTERS), *canvas)[-1] == pytest.approx(
        count_macs(network, *canvas)[-1], rel=0.05
    )
    assert count_macs(build_plain_pyramid(NARROWEST_FILTERS), *canvas)[-1] == pytest.approx(
        count_macs(network, *canvas, [1, 4, 16, 4])[-1], rel=0.05
    )
