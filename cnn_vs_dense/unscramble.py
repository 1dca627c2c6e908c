"""Recovers the layout of permuted pixels from unlabelled images alone.

Neighbouring pixels resemble each other, so the statistics of a few hundred images tell who the neighbours
were (Le Roux, Bengio, Lamblin, Joliveau, Kegl 2007, "Learning the 2-D topology of images", NIPS 20). As
there, the pixels are first embedded in the plane by their correlations: by Isomap, which gets the whole
right, then by t-SNE, started there, which gets the neighbourhoods right. The embedding then starts a
quadratic assignment problem (Koopmans & Beckmann 1957): fill the grid so that pixels with a high *partial*
correlation, what two pixels share beyond all others, lie close to each other.

The settings are compared by the neighbours recovered from 2,000 training images of MNIST and Fashion-MNIST.
"""

import warnings
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment, quadratic_assignment
from scipy.sparse import SparseEfficiencyWarning
from scipy.spatial.distance import cdist
from sklearn.manifold import TSNE, Isomap
from threadpoolctl import threadpool_limits

from cnn_vs_dense.neighbours import as_permutation
from common.names import look_up
from common.validation import as_images

NEIGHBOURS = 6  # of a pixel in the graph along whose paths Isomap measures distances
FEWEST_PIXELS = 10
FLATTEST = 1e-6  # smaller over larger standard deviation of points that still lie in a plane


class Setting(NamedTuple):
    """The constants of a recovery.

    Attributes
    ----------
    perplexity : float
        Of t-SNE: about the number of neighbours that a pixel keeps close; less than `FEWEST_PIXELS`.
    shrinkage : float
        Of the correlations towards the identity before they are inverted, in (0, 1).
    reaches : tuple of float
        Standard deviations, in pixels, of the closeness of two places, from coarse to fine.
    """

    perplexity: float = 7
    shrinkage: float = 0.1
    reaches: tuple[float, ...] = (4.0, 2.0)


# One constant at a time differs from the first setting.
SETTINGS: dict[str, Setting] = {
    "standard": Setting(),
    **{f"perplexity {value}": Setting(perplexity=value) for value in (5, 9)},
    **{f"shrinkage {value}": Setting(shrinkage=value) for value in (0.03, 0.3)},
    "reaches 4, 2, 1": Setting(reaches=(4.0, 2.0, 1.0)),
    "reaches 8, 4, 2": Setting(reaches=(8.0, 4.0, 2.0)),
}
CHOSEN = "standard"


def recover_layout(images: np.ndarray, setting: str = CHOSEN) -> np.ndarray:
    """Return the permutation that lays scrambled pixels out again.

    Parameters
    ----------
    images : array, ``(n, height, width, channels)``
        All scrambled in the same way; integers or finite floats, no labels.
    setting : key of `SETTINGS`

    Returns
    -------
    numpy.ndarray, ``(height width,)`` of int
        To be given to `lay_out`. Nothing in the images tells a layout from its mirror images, its rotations
        and small shifts, so it is recovered up to these, and not to the pixel. Pixels that never change
        fill what places remain.

    Raises
    ------
    ValueError
        Not four axes, no images, channels first, values that are not finite, fewer than ten pixels that
        change, images that differ in one way only, such as their brightness, or no such setting.
    """
    perplexity, shrinkage, reaches = look_up("setting", setting, SETTINGS)
    images = np.asarray(images)
    as_images(images.astype("float32"))
    count, height, width, channels = images.shape
    pixels = np.moveaxis(images, 0, 2).reshape(height * width, count * channels)
    changing = np.flatnonzero((pixels != pixels[:, :1]).any(axis=1))
    if len(changing) < FEWEST_PIXELS:
        raise ValueError(f"only {len(changing)} of the {height * width} pixels change; too few to place.")
    correlation = np.corrcoef(pixels[changing])
    grid = np.argwhere(np.ones((height, width))).astype(float)
    layout = _completed(changing, _placed(_embedded(correlation, perplexity), grid), len(grid))
    similarity = np.zeros((len(grid), len(grid)))
    similarity[np.ix_(changing, changing)] = _partial(correlation, shrinkage)
    for reach in reaches:
        layout = _refined(layout, similarity, np.exp(-cdist(grid, grid, "sqeuclidean") / (2 * reach**2)))
    return layout


def lay_out(images, layout):
    """Return images ``(n, height, width, channels)`` with pixel ``layout[i]`` at place i, row by row.

    Raises ValueError unless the layout is a permutation of the pixels.
    """
    n, height, width, channels = np.shape(images)
    flat = np.reshape(images, (n, height * width, channels))
    return flat[:, as_permutation(layout, height * width)].reshape(n, height, width, channels)


def oriented(layout, scrambler):
    """Return a layout turned by quarters and mirrored so that the pixels lie nearest to their true places.

    For showing images: `recover_layout` cannot know the orientation, here the known permutation tells it.

    Parameters
    ----------
    layout : array, ``(size size,)`` of int
    scrambler : common.scramble.Scrambler
        The one that scrambled the images, which are square.

    Raises
    ------
    ValueError
        The images are not square, or the layout is no permutation of their pixels.
    """
    height, width = scrambler.shape
    if height != width:
        raise ValueError(f"Only layouts of square images can be turned, not of {scrambler.shape}.")
    places = np.argwhere(np.ones(scrambler.shape))
    square = as_permutation(layout, height * width).reshape(height, width)
    turned = [np.rot90(side, quarters).ravel() for side in (square, square[:, ::-1]) for quarters in range(4)]
    return min(turned, key=lambda way: np.hypot(*(places[scrambler.permutation[way]] - places).T).sum())


def _embedded(correlation, perplexity):
    """Return points in the plane, ``(pixels, 2)``, centred, of unit variance along both axes."""
    distance = np.sqrt(np.maximum(2 - 2 * correlation, 0))
    isomap = Isomap(n_neighbors=NEIGHBOURS, eigen_solver="dense", metric="precomputed")
    with warnings.catch_warnings():
        # Few images leave groups of pixels apart; Isomap joins them at their closest, as it should here.
        warnings.filterwarnings("ignore", "The number of connected components", UserWarning)
        warnings.simplefilter("ignore", SparseEfficiencyWarning)
        start = isomap.fit_transform(distance)
    spread = start.std(axis=0)
    if not spread.min() > FLATTEST * spread.max():
        raise ValueError("the images vary in fewer than two ways, too few to place their pixels in a plane.")
    # Small steps, because the usual ones would tear up what Isomap has laid out.
    tsne = TSNE(
        perplexity=perplexity, early_exaggeration=4, learning_rate=50, max_iter=750, metric="precomputed",
        init=1e-2 * start / spread, random_state=0,
    )  # fmt: skip
    # The sums of several threads depend on which is first.
    with threadpool_limits(1, user_api="openmp"):
        points = tsne.fit_transform(distance)
    return (points - points.mean(axis=0)) / points.std(axis=0)


def _placed(points, grid):
    """Return the place of each point: spread over their share of the grid, the points move least."""
    spread = np.sqrt(len(points) / 12)  # the standard deviation of a filled square of that many places
    cost = cdist(grid.mean(axis=0) + spread * points, grid, "sqeuclidean")
    return linear_sum_assignment(cost)[1]


def _completed(changing, places, size):
    """Return the layout with each changing pixel at its place, and the others at the places left."""
    layout = np.full(size, -1)
    layout[places] = changing
    layout[layout < 0] = np.setdiff1d(np.arange(size), changing)
    return layout


def _partial(correlation, shrinkage):
    """Return the partial correlations, negative ones and the diagonal set to zero."""
    shrunk = (1 - shrinkage) * correlation + shrinkage * np.eye(len(correlation))
    precision = np.linalg.inv(shrunk)
    scale = 1 / np.sqrt(np.diag(precision))
    return np.maximum(-precision * scale[:, None] * scale, 0)


def _refined(layout, similarity, closeness):
    """Return the layout after the Frank-Wolfe algorithm (Vogelstein et al. 2015) started at the given one."""
    # It draws no random numbers from such a start; without a generator SciPy 1.17 asks NumPy's global one.
    options = {"maximize": True, "P0": np.eye(len(layout)), "rng": np.random.default_rng(0)}
    places = quadratic_assignment(similarity[np.ix_(layout, layout)], closeness, options=options).col_ind
    refined = np.empty_like(layout)
    refined[places] = layout
    return refined
