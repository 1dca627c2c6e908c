"""Accuracy against bytes: scenes that travel as a wavelet stream with requests, or whole as files.

The sender holds 8-bit images. `METHODS` names the ways to send them. A method has settings that trade bytes
for accuracy. `send` tells for each setting which scenes are right and how many bytes each scene takes.
"""

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from common.names import look_up
from wavelet_based_dnn.refinement import (
    Reading,
    at_random,
    by_boxes,
    by_evidence,
    compiled,
    refined,
    tile_grid,
    wanted_tiles,
)
from wavelet_based_dnn.stream import encode_images, most_tiles, read_stream

FEW = (None, None, 8)  # tiles at most, of each level after the coarsest; None is all
# The quantiser's step in grey values, and tiles. One of them varies at a time around (64, FEW): on validation
# scenes with a canvas of 448, a bound of the finest level alone beat a bound of every level at equal bytes.
REQUESTS = (
    *((step, FEW) for step in (96, 64, 32)),
    *((64, (None, None, most)) for most in (4, 16)),
    (64, None),
)
# Measured later: with the steps above, the most bytes within a tenth of a lossless file were 7 % of it.
FINER_REQUESTS = tuple((step, FEW) for step in (24, 16))


class Method(NamedTuple):
    """A way to send scenes.

    Attributes
    ----------
    settings : tuple
        Of a stream ``(step, tiles)``; of files ``(options of Pillow, tiles)``. Tiles are those of
        `stream.read_stream`. A whole file saves no bytes by few tiles, but clutter elsewhere misleads less,
        so files are read by few tiles, too.
    read : callable
        From a network, scenes with uint8 images, the settings and a seed to a list with a pair for each
        setting: the answers, int array (n,), and the bytes, int array (n,).
    """

    settings: tuple
    read: Callable


def send(network, scenes, method, seed=0):
    """Send scenes by a method at all its settings and let a network read what arrives.

    Parameters
    ----------
    network : ScaleNetwork
    scenes : iterable of SceneSet
        Their images, floats, are rounded to 8 bits.
    method : key of `METHODS`
    seed : int
        Of random requests.

    Returns
    -------
    right : bool array, shape (settings, n)
        Whether the finest level that was read is right.
    lengths : int array, shape (settings, n)
        Bytes that each scene takes.

    Raises
    ------
    ValueError
        There is no such method.
    """
    settings, read = look_up("method", method, METHODS)
    right, lengths = [], []
    for number, scene_set in enumerate(scenes):
        sent = scene_set._replace(images=eight_bits(scene_set.images))
        answers = read(network, sent, settings, seed + number)
        right.append([classes == scene_set.labels for classes, _ in answers])
        lengths.append([length for _, length in answers])
    return np.concatenate(right, axis=1), np.concatenate(lengths, axis=1)


def eight_bits(images):
    """Return images in [0, 1] as uint8, rounded."""
    return np.round(255 * np.asarray(images)).astype("uint8")


def through_files(images, **options):
    """Return images as they come out of files, and the bytes of each file.

    Parameters
    ----------
    images : uint8 array, shape (n, height, width, 1)
    **options
        Of Pillow's ``Image.save``, the format among them.

    Returns
    -------
    decoded : uint8 array, shape (n, height, width, 1)
    lengths : int array, shape (n,)
    """
    files = [_file(image[..., 0], **options) for image in images]
    decoded = [np.asarray(Image.open(io.BytesIO(file)).convert("L")) for file in files]
    return np.stack(decoded)[..., None], np.array(list(map(len, files)))


def _stream(choose, split="haar", settings=REQUESTS):
    """Return the method that sends tiles of a stream; `choose` is from scenes and their stream to a rule."""

    def read(network, scenes, settings, seed):
        streams = {step: encode_images(scenes.images, step, split) for step in dict(settings)}
        found = []
        for step, tiles in settings:
            stream = streams[step]
            reading, received = read_stream(
                network, stream, tiles=tiles, rule=choose(scenes, stream), seed=seed
            )
            found.append((reading.classes, received[-1]))
        return found

    return Method(settings, read)


def _files(options):
    """Return the method that sends whole pictures as files."""

    def read(network, scenes, settings, seed):
        found = []
        for each, tiles in settings:
            decoded, lengths = through_files(scenes.images, **each)
            found.append((read_tiles(network, decoded.astype("float32") / 255, tiles).argmax(-1), lengths))
        return found

    return Method(tuple((each, FEW) for each in options), read)


def read_tiles(network, images, tiles):
    """Return the logits (n, classes) of a network that computes the tiles with the most evidence.

    Parameters
    ----------
    network : ScaleNetwork
    images : array, shape (n, height, width, 1)
        Float, in [0, 1].
    tiles : int or sequence of int, optional
        As of `stream.read_stream`.
    """
    reading = Reading(compiled(network).bands(images), [], [], [])
    there = [rows * columns for _, rows, columns in map(tile_grid, reading.bands)]
    for level, count in enumerate(most_tiles(tiles, there)):
        reading = refined(network, reading, wanted_tiles(reading, level, count, 1, by_evidence, None))
    return reading.logits[-1]


def _file(image, **options):
    file = io.BytesIO()
    Image.fromarray(image).save(file, **options)
    return file.getvalue()


def _jpeg(*qualities):
    return [{"format": "JPEG", "quality": quality, "optimize": True} for quality in qualities]


def _webp(*qualities):
    return [{"format": "WEBP", "quality": quality} for quality in qualities]


def _jpeg_2000(*rates):
    options = {"format": "JPEG2000", "no_jp2": True, "irreversible": True, "quality_mode": "rates"}
    return [options | {"quality_layers": [rate]} for rate in rates]


LOSSLESS = (
    {"format": "PNG", "optimize": True},
    {"format": "WEBP", "lossless": True},
)
METHODS = {
    "evidence": _stream(lambda scenes, stream: by_evidence),
    "evidence, finer steps": _stream(lambda scenes, stream: by_evidence, settings=FINER_REQUESTS),
    "random": _stream(lambda scenes, stream: at_random),
    "true boxes": _stream(lambda scenes, stream: by_boxes(scenes.boxes)),
    "Laplacian pyramid": _stream(lambda scenes, stream: by_evidence, "average pool"),
    "JPEG": _files(_jpeg(3, 5, 10, 15, 20, 30, 50, 90)),
    "WebP": _files(_webp(0, 5, 10, 20, 50)),
    "JPEG 2000": _files(_jpeg_2000(100, 60, 40, 25, 15, 8)),
    "JPEG 2000, a rate between": _files(_jpeg_2000(20)),
    "lossless": _files(LOSSLESS),
}
