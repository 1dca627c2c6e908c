import io

import numpy as np
import pytest
from PIL import Image

from wavelet_based_dnn import experiments, scene_evaluation
from wavelet_based_dnn.refinement import LEAST, classify
from wavelet_based_dnn.scene_evaluation import scene_batches
from wavelet_based_dnn.scenes import SceneSet
from wavelet_based_dnn.transmission import (
    METHODS,
    eight_bits,
    read_tiles,
    send,
    through_files,
)

STREAMS = [name for name, method in METHODS.items() if isinstance(method.settings[0][0], int)]

OPTIONS = {
    name: [options for options, _ in method.settings]
    for name, method in METHODS.items()
    if name not in STREAMS
}


@pytest.fixture
def few_scenes(monkeypatch, network):
    """Batches of five scenes, an untrained network, and the trainings that were asked for."""
    asked = []
    monkeypatch.setattr(scene_evaluation, "BATCH", 5)
    monkeypatch.setattr(experiments, "TRANSMITTED_SCENES", {48: 5})
    monkeypatch.setattr(experiments, "trained", lambda *arguments: (asked.append(arguments) or network, None))
    return asked


def drawn(sides, seed=0, count=3):
    return np.random.default_rng(seed).integers(0, 256, (count, *sides, 1), "uint8")


@pytest.mark.parametrize(("method", "chosen"), [("Laplacian pyramid", slice(1)), ("JPEG", slice(2))])
def test_right_answers_and_bytes_of_all_scenes_settings_and_sizes(few_scenes, monkeypatch, method, chosen):
    few = METHODS[method]._replace(settings=METHODS[method].settings[chosen])
    settings = len(few.settings)
    monkeypatch.setitem(METHODS, method, few)
    found = experiments.transmission(dataset="mnist", canvas=48, method=method, seed=3)
    assert few_scenes == [("mnist", "Haar", experiments.RATE, experiments.STEPS, 3)]
    assert {name: (value.shape, value.dtype) for name, value in found.items()} == {
        "right": ((settings * 5,), bool), "bytes": ((settings,), float),
    }  # fmt: skip


def test_scenes_differ_from_all_others_and_are_the_same_for_all_methods(few_scenes, monkeypatch):
    seeds = []
    monkeypatch.setattr(
        experiments, "scene_batches", lambda *given: seeds.append(given[4]) or scene_batches(*given)
    )
    first, again = (next(experiments.transmitted_scenes("mnist", 48)) for _ in range(2))
    np.testing.assert_array_equal(first.images, again.images)
    others = experiments.TEST_SEED + np.arange(len(experiments.CELLS))
    assert len(set(seeds)) == 1
    assert set(seeds).isdisjoint(others)


def test_all_tiles_give_the_same_answers_and_bytes_whatever_the_rule(monkeypatch, network):
    # A rule chooses nothing if all tiles are sent; the order of the tiles does not change their codes.
    scenes = SceneSet(drawn((40, 72)) / 255, np.arange(3), np.array([[4, 4, 28, 28]] * 3))
    found = []
    for name in {*STREAMS} - {"Laplacian pyramid"}:
        monkeypatch.setitem(METHODS, name, METHODS[name]._replace(settings=((32, None),)))
        right, lengths = send(network, [scenes], name)
        found.append((right.tolist(), lengths.tolist()))
    assert found == found[:1] * len(found)


def test_lossless_files_are_lossless_and_no_shorter_than_noise_can_be():
    images = drawn((24, 40))
    for options in OPTIONS["lossless"]:
        decoded, lengths = through_files(images, **options)
        np.testing.assert_array_equal(decoded, images)
        assert np.all(lengths > 0.95 * images[0].size)  # independent uniform pixels have no shorter code


def test_tiles_of_a_whole_picture_are_read_as_classify_reads_them(network):
    images = drawn((72, 136)).astype("float32") / 255
    np.testing.assert_allclose(read_tiles(network, images, None), network(images)[-1], atol=1e-4)
    least = classify(network, images, budget=0).logits[-1]
    np.testing.assert_array_equal(read_tiles(network, images, (None, None, LEAST)), least)


def test_files_are_as_long_as_pillow_says():
    image = drawn((24, 40), count=1)
    file = io.BytesIO()
    Image.fromarray(image[0, ..., 0]).save(file, "JPEG", quality=30)
    decoded, lengths = through_files(image, format="JPEG", quality=30)
    np.testing.assert_array_equal(decoded[0, ..., 0], np.asarray(Image.open(file)))
    assert lengths == [file.tell()]


@pytest.mark.parametrize("method", [name for name in OPTIONS if name != "lossless"])
def test_settings_go_from_few_bytes_to_many(method):
    image = drawn((256, 256), count=1)
    lengths = [through_files(image, **options)[1][0] for options in OPTIONS[method]]
    assert np.all(np.diff(lengths) > 0)


def test_eight_bits_are_at_most_half_a_grey_value_off():
    images = np.random.default_rng(0).random((2, 5, 5, 1))
    assert np.abs(eight_bits(images) - 255 * images).max() <= 0.5


def test_unknown_methods_and_canvases_are_refused(network):
    with pytest.raises(ValueError, match="no method 'GIF'; there are evidence"):
        send(network, [], "GIF")
    with pytest.raises(ValueError, match="no canvas 100; there are 448"):
        next(experiments.transmitted_scenes("mnist", 100))
