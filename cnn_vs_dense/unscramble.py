"""Recovers the layout of permuted pixels from unlabelled images alone.

Neighbouring pixels resemble each other, so the statistics of a few hundred images tell who the neighbours
were (Le Roux, Bengio, Lamblin, Joliveau, Kegl 2007, "Learning the 2-D topology of images", NIPS 20). As
there, the pixels are first embedded in the plane by their correlations: by Isomap, which gets the whole
right, then by t-SNE, started there, which gets the neighbourhoods right. The embedding then starts a
quadratic assignment problem (Koopmans & Beckmann 1957): fill the grid so that pixels with a high *partial*
correlation, what two pixels share beyond all others, lie close to each other.

The constants were chosen by the neighbours recovered from 2,000 training images of MNIST and Fashion-MNIST.
"""

import warnings

import numpy as np
from scipy.optimize import linear_sum_assignment, quadratic_assignment
from scipy.sparse import SparseEfficiencyWarning
from scipy.spatial.distance import cdist
from sklearn.manifold import TSNE, Isomap
from threadpoolctl import threadpool_limits

from cnn_vs_dense.neighbours import as_permutation
from common.validation import as_images

NEIGHBOURS = 6  # of a pixel in the graph along whose paths Isomap measures distances
PERPLEXITY = 7  # of t-SNE: about the number of neighbours that a pixel keeps close
FEWEST_PIXELS = 10
FLATTEST = 1e-6  # smaller over larger standard deviation of points that still lie in a plane
SHRINKAGE = 0.1  # of the correlations towards the identity, before they are inverted
REACHES = (4.0, 2.0)  # standard deviations, in pixels, of the closeness of two places: coarse, then fine


def recover_layout(images):
    """Return the permutation that lays scrambled pixels out again.

    Parameters
    ----------
    images : array, ``(n, height, width, channels)``
        All scrambled in the same way; integers or finite floats, no labels.

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
        change, or images that differ in one way only, such as their brightness.
    """
    images = np.asarray(images)
    as_images(images.astype("float32"))
    count, height, width, channels = images.shape
    pixels = np.moveaxis(images, 0, 2).reshape(height * width, count * channels)
    changing = np.flatnonzero((pixels != pixels[:, :1]).any(axis=1))
    if len(changing) < FEWEST_PIXELS:
        raise ValueError(f"only {len(changing)} of the {height * width} pixels change; too few to place.")
    correlation = np.corrcoef(pixels[changing])
    grid = np.argwhere(np.ones((height, width))).astype(float)
    layout = _completed(changing, _placed(_embedded(correlation), grid), len(grid))
    similarity = np.zeros((len(grid), len(grid)))
    similarity[np.ix_(changing, changing)] = _partial(correlation)
    for reach in REACHES:
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


def _embedded(correlation):
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
        perplexity=PERPLEXITY, early_exaggeration=4, learning_rate=50, max_iter=750, metric="precomputed",
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


def _partial(correlation):
    """Return the partial correlations, negative ones and the diagonal set to zero."""
    shrunk = (1 - SHRINKAGE) * correlation + SHRINKAGE * np.eye(len(correlation))
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
