"""The attacked photographs that anyone can download: only the files are read, and they fool the networks."""

import numpy as np
import pytest
from PIL import Image

from adversarial_attack import examples
from adversarial_attack.filters import gaussian_blur, jpeg
from adversarial_attack.held_out import relative_to_jpeg
from adversarial_attack.judges import ATTACKED, recognises
from common.data import load_imagenet_samples
from common.pixels import as_bytes

NETWORKS = [name for name in examples.SHIPPED if name in ATTACKED[examples.CONFIG["attacked"]]]
FILTERS = {
    "none": lambda images: images,
    "blur 1": gaussian_blur(224, 224, 1),
    "blur 2": gaussian_blur(224, 224, 2),
    "JPEG 75": jpeg(75),
}
# Of what is recognised when clean
LEAST_FOOLED = {"none": 0.9, "blur 1": 0.6, "blur 2": 0.4, "JPEG 75": 0.6}
PATHS = sorted(examples.FOLDER.glob("*.png"))


@pytest.fixture(scope="module")
def samples():
    return load_imagenet_samples()


def test_the_files_are_pictures_of_every_photograph_without_further_content():
    assert [path.name for path in PATHS] == [f"{number:02}.png" for number in range(20)]
    for path in PATHS:
        with Image.open(path) as picture:
            assert (picture.format, picture.mode, picture.size, picture.info) == (
                "PNG",
                "RGB",
                (224, 224),
                {},
            )


@pytest.mark.parametrize("kind", FILTERS)
def test_the_files_fool_the_networks(samples, kind):
    clean, attacked = (
        FILTERS[kind](images).astype("float32") for images in (samples.as_float(), examples.load_examples())
    )
    right = np.array([recognises(name, clean, samples.labels) for name in NETWORKS])
    still = np.array([recognises(name, attacked, samples.labels) for name in NETWORKS])
    assert right.sum() >= 10
    assert 1 - (right & still).sum() / right.sum() >= LEAST_FOOLED[kind]


def test_no_file_is_more_visible_than_a_jpeg_of_quality_90(samples):
    pairs = zip(samples.as_float(), examples.load_examples(), strict=True)
    found = np.array([relative_to_jpeg(clean, attacked) for clean, attacked in pairs])
    assert found.round(3).max() <= 1


def test_a_missing_example_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(examples, "FOLDER", tmp_path / "examples")
    with pytest.raises(FileNotFoundError, match=r"00\.png is missing from examples"):
        examples.load_examples()


def test_missing_examples_are_made_again_and_only_these(monkeypatch, tmp_path):
    made = np.random.default_rng(0).random((1, 224, 224, 3)).astype("float32")
    asked = []
    monkeypatch.setattr("adversarial_attack.experiments.attack", lambda **given: asked.append(given) or made)
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    monkeypatch.setattr(examples, "PHOTOGRAPHS", 2)
    (tmp_path / "00.png").write_bytes(b"untouched")
    examples.write_missing()
    assert asked == [examples.CONFIG | {"photograph": 1}]
    assert (tmp_path / "00.png").read_bytes() == b"untouched"
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "01.png")), as_bytes(made[0]))
