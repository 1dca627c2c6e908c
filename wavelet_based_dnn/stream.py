"""Progressive transmission: a network that asks, level by level, for the details it wants to see.

The sender holds the Haar pyramid of an 8-bit image. It quantises all coefficients of the orthonormal
transform with the same step, so an error of any coefficient costs the pixels the same squared error. It cuts
the details of a level into the tiles of `wavelet_based_dnn.refinement` and codes each tile alone. The
receiver gets all levels that are coarser than the network's and then only the tiles that its rule chooses. It
computes the network with what it has received; details it lacks are zero. All byte counts are lengths of real
codes. Requests travel the other way and are not counted: at most one bit for each tile that may be requested.
"""

import struct
from numbers import Real
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from common.arguments import as_stored, check_counts, check_shares
from common.names import look_up
from wavelet_based_dnn import entropy_coding
from wavelet_based_dnn.pyramids import SPLITS
from wavelet_based_dnn.refinement import TILE, Reading, by_evidence, refined, tiled, untiled, wanted_tiles
from wavelet_based_dnn.scale_network import LEVELS, checked, with_even_sides

SIDE = 2 * TILE  # coefficients a side of a tile
HEADER = struct.calcsize(">HHf")  # bytes: height, width, step
COARSEST = 8  # pixels, the longer side of the coarsest approximation
# The norm of a detail's basis image, relative to that of the approximation on the same grid.
NORMS = {"haar": 1.0, "average pool": 0.5}


class Level(NamedTuple):
    """The codes of one level of n images.

    Attributes
    ----------
    tables : list of bytes
        The frequencies for each image; they travel with the first tile.
    tiles : object array, shape (n, tile rows, tile columns)
        The code of each tile, bytes.
    """

    tables: list
    tiles: np.ndarray

    def lengths(self, wanted=True):
        """Return how many bytes the tiles wanted take for each image, with the table, int array (n,)."""
        wanted = np.broadcast_to(wanted, self.tiles.shape)
        table = [len(table) for table in self.tables] * wanted.any((1, 2))
        return (self.code_lengths * wanted).sum((1, 2)) + table

    @property
    def code_lengths(self):
        """The bytes of each tile, int array (n, tile rows, tile columns)."""
        return np.vectorize(len, otypes=[int])(self.tiles)


class Stream(NamedTuple):
    """Images as a sender holds them.

    Attributes
    ----------
    sides : (int, int)
        Height and width of the images, in pixels.
    step : float
        Of the quantiser, in grey values.
    split : key of `NORMS`
        "haar", or "average pool" for the Laplacian pyramid.
    coarsest : Level
        The coarsest approximation, as one tile.
    details : list of Level
        The coarsest first; the network reads the last ones.
    """

    sides: tuple
    step: float
    split: str
    coarsest: Level
    details: list

    @property
    def lengths(self):
        """The bytes of each whole image, int array (n,)."""
        return HEADER + self.coarsest.lengths() + sum(level.lengths() for level in self.details)


class Reception(NamedTuple):
    """What a network has read of a stream.

    Attributes
    ----------
    reading : Reading
        Its bands are those received.
    received : int array, shape (levels, n)
        Bytes received for each image until the answer of each level.
    """

    reading: Reading
    received: np.ndarray


def encode_images(images, step, split="haar"):
    """Return images as a `Stream`.

    Parameters
    ----------
    images : uint8 array, shape (n, height, width, 1)
    step : float
        Of the quantiser, in grey values.
    split : key of `NORMS`
        "haar", or "average pool" for a Laplacian pyramid (Burt and Adelson 1983) with a box filter. It has
        one difference for every finer pixel, in total 4/3 samples for a pixel of the image. Differences are
        from the exact means: which decoded means a receiver will have depends on its requests.

    Raises
    ------
    ValueError
        Images that are not uint8, not grey; a step that is not positive; an unknown split.
    """
    images = as_stored(images)
    _check_step(step)
    look_up("split", split, NORMS)
    pictures = checked(images.astype("float32") / 255)
    levels, details = max(LEVELS, int(np.ceil(np.log2(max(images.shape[1:3]) / COARSEST)))), []
    for halvings in range(1, levels + 1):
        pictures, detail = SPLITS[split].split(with_even_sides(pictures))
        details.append(_coded(_cut(quantised(detail.numpy(), NORMS[split] * _scale(halvings, step)))))
    whole = quantised(pictures.numpy(), _scale(levels, step))[:, None, None]
    return Stream(images.shape[1:3], step, split, _coded(whole), details[::-1])


def quantised(values, scale):
    """Return values times a scale, cut towards zero: the quantiser with a dead zone that JPEG 2000 uses."""
    return np.trunc(values.astype("float64") * scale).astype("int64")


def restored(numbers, scale):
    """Return the middles of the intervals of `quantised`.

    Values are at most half a step off; those that became zero, less than one.
    """
    return ((numbers + np.sign(numbers) / 2) / scale).astype("float32")


def decode_images(stream):
    """Return images (n, height, width, 1), floats, from all tiles of a stream; not clipped to [0, 1]."""
    pictures = received_approximation(stream)
    for level in range(len(stream.details)):
        pictures = finer(stream, level, pictures, received_details(stream, level))
    return pictures.numpy()


def received_approximation(stream):
    """Return the coarsest approximation, tensor (n, rows, columns, 1)."""
    levels = len(stream.details)
    numbers = _decoded(stream.coarsest, True, (*_halved(stream.sides, levels), 1))
    return tf.constant(restored(numbers[:, 0, 0], _scale(levels, stream.step)))


def received_details(stream, level, wanted=True):
    """Return the details of a level, zero outside the tiles wanted.

    Parameters
    ----------
    stream : Stream
    level : int
        0 is the coarsest.
    wanted : bool array, shape (n, tile rows, tile columns)

    Returns
    -------
    tensor (n, rows, columns, bands)
    """
    halvings = len(stream.details) - level
    bands = SPLITS[stream.split].split(tf.zeros((1, 2, 2, 1)))[1].shape[-1]
    numbers = _decoded(stream.details[level], wanted, (SIDE, SIDE, bands))
    values = restored(numbers, NORMS[stream.split] * _scale(halvings, stream.step))
    return tf.constant(untiled(values, *_halved(stream.sides, halvings)))


def finer(stream, level, approximation, details):
    """Return the picture (n, rows, columns, 1) that an approximation and the details of a level make."""
    rows, columns = _halved(stream.sides, len(stream.details) - 1 - level)
    return SPLITS[stream.split].merge(approximation, details)[:, :rows, :columns]


def read_stream(network, stream, *, tiles=None, confidence=1.0, levels=None, rule=by_evidence, seed=0):
    """Read images from a stream and return the `Reception`.

    Parameters
    ----------
    network : ScaleNetwork
    stream : Stream
    tiles : int or sequence of int, optional
        The most tiles of a level that are requested for each image; by default all. One number holds for
        all levels. A sequence has one, or None for all, for each level but the network's coarsest, which is
        always requested whole.
    confidence : float
        In [0, 1]; for an image whose answer has at least this probability nothing more is requested.
    levels : int, optional
        After how many to stop; by default all.
    rule : callable
        As of `refinement.classify`. It sees what was received, so the details of the level are zero, but
        not its approximation.
    seed : int
        Of a random rule.

    Returns
    -------
    Reception

    Raises
    ------
    ValueError
        A confidence outside [0, 1], a number of tiles or levels that is not a positive integer, or another
        number of numbers than described.

    Notes
    -----
    The convolutions at the border of a tile read zeros in place of details that were not requested, so the
    answers differ slightly from those of `refinement.classify`, which knows them.
    """
    check_shares(confidence=confidence)
    check_counts(levels=LEVELS if levels is None else levels)
    counts = most_tiles(tiles, [level.tiles[0].size for level in stream.details[-LEVELS:]])
    rng, first = np.random.default_rng(seed), len(stream.details) - LEVELS
    pictures, received = _received_ahead(stream, first)
    reading = Reading(_empty_bands(network, stream), [], [], [])
    for level in range(min(levels or LEVELS, LEVELS)):
        reading.bands[level], _ = _received_bands(network, stream, first + level, False, pictures)
        wanted = wanted_tiles(reading, level, counts[level], confidence, rule, rng)
        reading.bands[level], pictures = _received_bands(network, stream, first + level, wanted, pictures)
        reading = refined(network, reading, wanted)
        received.append(received[-1] + stream.details[first + level].lengths(wanted))
    return Reception(reading, np.array(received[1:]))


def most_tiles(tiles, there):
    """Return the most tiles of each of the network's levels.

    Parameters
    ----------
    tiles : int or sequence of int, optional
        As of `read_stream`.
    there : list of int
        How many tiles each level has.

    Raises
    ------
    ValueError
        As of `read_stream`.
    """
    wanted = tiles if isinstance(tiles, list | tuple) else [tiles] * (LEVELS - 1)
    if len(wanted) != LEVELS - 1:
        raise ValueError(f"tiles must be one number or {LEVELS - 1}, not {len(wanted)}: {tiles!r}.")
    coarsest, *others = there
    counts = [most if count is None else count for count, most in zip(wanted, others, strict=True)]
    for count in counts:
        check_counts(tiles=count)
    return [coarsest, *counts]


def _received_ahead(stream, first):
    """Return the picture that is sent whole before the network's first level, and a list of its bytes."""
    pictures, length = received_approximation(stream), HEADER + stream.coarsest.lengths()
    for level, details in enumerate(stream.details[:first]):
        pictures = finer(stream, level, pictures, received_details(stream, level))
        length = length + details.lengths()
    return pictures, [length]


def _received_bands(network, stream, level, wanted, approximation):
    """Return the bands of a level that the network reads, and the finer picture that they make."""
    picture = finer(stream, level, approximation, received_details(stream, level, wanted))
    return _bands(network, picture), picture


def _bands(network, picture):
    return with_even_sides(tf.concat(network.split.split(with_even_sides(picture)), -1))


def _empty_bands(network, stream):
    sides = [_halved(stream.sides, LEVELS - 1 - level) for level in range(LEVELS)]
    return [_bands(network, tf.zeros((len(stream.coarsest.tiles), *each, 1))) for each in sides]


def _halved(sides, halvings):
    return [-(-side // 2**halvings) for side in sides]


def _scale(halvings, step):
    """Return how many steps the value 1 of Haar's bands, kept in the range of the image, is."""
    return 255 * 2**halvings / step


def _cut(numbers):
    """Return bands (n, rows, columns, bands) as tiles (n, tile rows, tile columns, SIDE, SIDE, bands)."""
    return np.stack([tiled(band, SIDE) for band in np.moveaxis(numbers, -1, 0)], -1)


def _coded(tiles):
    tables = [entropy_coding.make_table(image) for image in tiles]
    images = np.repeat(np.arange(len(tiles)), int(np.prod(tiles.shape[1:3])))
    codes = entropy_coding.encode(tiles.reshape(len(images), -1), _frequencies(tables, images))
    return Level(tables, np.fromiter(codes, object).reshape(tiles.shape[:3]))


def _decoded(level, wanted, shape):
    """Return the numbers in the tiles wanted, zeros elsewhere, (n, tile rows, tile columns, *shape)."""
    wanted = np.broadcast_to(wanted, level.tiles.shape)
    numbers = np.zeros((*wanted.shape, *shape), "int64")
    frequencies = _frequencies(level.tables, np.nonzero(wanted)[0])
    decoded = entropy_coding.decode(list(level.tiles[wanted]), frequencies, int(np.prod(shape)))
    numbers[wanted] = decoded.reshape(-1, *shape)
    return numbers


def _frequencies(tables, images):
    categories = max(map(len, tables))
    return np.array([entropy_coding.read_table(table, categories) for table in tables])[images]


def _check_step(step):
    if not isinstance(step, Real) or not 0 < step < np.inf:
        raise ValueError(f"step must be a positive number of grey values, such as 32, not {step!r}.")
