import numpy as np
import pytest

from wavelet_based_dnn.models import count_macs, load_dynamic_classifier
from wavelet_based_dnn.refinement import classify
from wavelet_based_dnn.rivals import NARROW_FILTERS, NARROWEST_FILTERS, build_plain_pyramid
from wavelet_based_dnn.scale_network import CLASSES, build_scale_network
from wavelet_based_dnn.variants import VARIANTS

FILTERS = (2, 3, 4, 5, 6, 7, 8)


def by_hand(*sides):
    """Return the multiplications of seven convolutions whose outputs have these sides, and of the readout."""
    channels = zip((1, *FILTERS), FILTERS, sides, strict=False)
    return sum(9 * read * made * side**2 for read, made, side in channels) + sides[-1] ** 2 * 8 * CLASSES


def test_dense_multiplications_are_those_counted_by_hand():
    found = count_macs(build_scale_network(filters=FILTERS), 64, 64)
    levels = [by_hand(*(side // part for part in (1, 1, 2, 2, 4, 4, 4))) for side in (8, 16, 32, 64)]
    assert found == np.cumsum(levels).tolist()


def test_a_tile_costs_what_is_counted_by_hand():
    network = build_scale_network(filters=FILTERS)
    dense, sparse = (count_macs(network, 224, 224, tiles) for tiles in (None, [1, 4, 16, 4]))
    assert sparse[:3] == dense[:3]  # all tiles of these levels
    assert sparse[3] - sparse[2] == 4 * by_hand(57, 55, 27, 25, 12, 10, 8)


def test_the_count_follows_the_tiles_that_are_read(network):
    images = np.random.default_rng(0).random((3, 120, 200, 1), dtype="float32")
    reading = classify(network, images, budget=0.2)
    tiles = [level.sum() / 3 for level in reading.tiles]
    assert count_macs(network, 120, 200, tiles)[-1] < count_macs(network, 120, 200)[-1]
    assert count_macs(network, 120, 200, [level[0].size for level in reading.tiles]) == pytest.approx(
        count_macs(network, 120, 200)
    )
    assert len(count_macs(build_plain_pyramid(), 40, 30)) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: count_macs(build_plain_pyramid(), 28, 28, [1]), "Only a ScaleNetwork has tiles"),
        (
            lambda: count_macs(build_scale_network(filters=(4,) * 7), 28, 28, [1, 2]),
            "tiles must be one number",
        ),
        (lambda: count_macs(build_scale_network(filters=(4,) * 7), 28, 0), "width must be a whole number"),
        (lambda: load_dynamic_classifier("cifar"), "cifar"),
    ],
)
def test_errors_are_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_rivals_take_the_multiplications_of_the_network_of_scales():
    network, canvas = build_scale_network(), (224, 224)
    assert count_macs(build_plain_pyramid(NARROW_FILTERS), *canvas)[-1] == pytest.approx(
        count_macs(network, *canvas)[-1], rel=0.05
    )
    assert count_macs(build_plain_pyramid(NARROWEST_FILTERS), *canvas)[-1] == pytest.approx(
        count_macs(network, *canvas, [1, 4, 16, 4])[-1], rel=0.05
    )
    coefficients = VARIANTS["coefficients as channels"].build(classes=CLASSES, seed=0)
    assert count_macs(coefficients, *canvas)[-1] == pytest.approx(count_macs(network, *canvas)[-1], rel=0.05)
