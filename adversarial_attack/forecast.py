"""A forecast, from the clean photograph alone, of the smallest change that meets a demand.

A demand names networks and filters: every one of the networks shall be wrong behind every one of the filters.
To first order a pair of network and filter says class k instead of the label once a change d, in perceptual
coordinates, satisfies ``g_k . d >= m_k``, where m_k is the margin of the label over k and g_k the gradient of
``-m_k``. The forecast is the shortest d that satisfies this for every pair and one of its nearest classes.
For one linear classifier it is the distance to the decision boundary (Moosavi-Dezfooli et al. 2016,
arXiv:1511.04599, section 2).

``python -m adversarial_attack.forecast`` writes the forecasts of all `DEMANDS` for the photographs on which
`experiments.smallest_size` then measures.
"""

from common import environment

if __name__ == "__main__":
    environment.apply(MPLBACKEND="Agg")  # before Keras reads the user's settings

import heapq
from functools import lru_cache
from itertools import count, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.optimize import nnls
from tqdm import tqdm

from adversarial_attack import judges
from adversarial_attack.coordinates import perceptual
from adversarial_attack.filter_set import FILTER_SET
from adversarial_attack.gradients import predictions
from adversarial_attack.mobilenets import rebuilt
from common.data import MOBILENETS, load_imagenet_compatible
from common.files import write_atomically
from common.names import look_up

PREDICTIONS = Path(__file__).parent / "results" / "predictions.csv"
CLASSES = 10  # nearest to the label in logits; the smallest change leads to one of them
SATISFIED = 1e-7  # of the largest distance to a boundary: more than nnls leaves undone


class Demand(NamedTuple):
    """Networks that shall be wrong, each behind every filter.

    Attributes
    ----------
    networks : tuple of keys of `judges.NETWORKS`
    filters : tuple of keys of `filter_set.FILTER_SET`
    """

    networks: tuple
    filters: tuple

    @property
    def pairs(self):
        """All pairs (network, filter), networks major."""
        return list(product(self.networks, self.filters))


_SURVIVAL = judges.ATTACKED["survival"]
DEMANDS = {
    "Lite0": Demand(("EfficientNet-Lite0",), ("none",)),
    "SqueezeNet": Demand(("SqueezeNet",), ("none",)),
    "MobileNetV1": Demand(("MobileNetV1",), ("none",)),
    "MobileNetV2": Demand(("MobileNetV2",), ("none",)),
    "Lite0, blurred": Demand(("EfficientNet-Lite0",), ("blur 2",)),
    "SqueezeNet, blurred": Demand(("SqueezeNet",), ("blur 2",)),
    "three networks": Demand(_SURVIVAL, ("none",)),
    "three networks, blurred": Demand(_SURVIVAL, ("none", "blur 1", "blur 2")),
    "three networks, all kinds": Demand(_SURVIVAL, ("none", "blur 1", "blur 2", "JPEG 75", "median 3")),
}


class Forecast(NamedTuple):
    """What the clean photograph says about a demand.

    Attributes
    ----------
    recognised : bool
        No demanded pair is wrong already; only such photographs are scored.
    predicted : float
        Size of the smallest change to first order, the root mean square over the pixels of its length in
        `coordinates.perceptual`; 0 if all pairs are wrong already, infinite if none exists.
    rms : float
        Root mean square of that change in pixel values, in units of 1/255.
    dearest : float
        The largest size that one pair alone requires: a forecast without the joint problem.
    margin : float
        The largest margin of a pair, in standard deviations of its network's logits of the unfiltered
        photograph: a forecast without gradients.
    """

    recognised: bool
    predicted: float
    rms: float
    dearest: float
    margin: float


class Linear(NamedTuple):
    """The margins of a photograph to first order, pair by pair, each with its nearest classes.

    Attributes
    ----------
    margins : dict from pair to array ``(classes,)``
        Logit of the label less that of each class; negative where the pair is wrong.
    gradients : dict from pair to array ``(classes, height * width * coordinates)``
        Of the negative margins with respect to the perceptual coordinates.
    units : dict from network to float
        Standard deviation of its logits of the unfiltered photograph.
    change_by : coordinates.Pixelwise
        From perceptual coordinates to changes of the photograph.
    """

    margins: dict
    gradients: dict
    units: dict
    change_by: tuple

    def forecast(self, demand):
        """Return the `Forecast` for a demand among the pairs."""
        margins = np.stack([self.margins[pair] for pair in demand.pairs])
        alone = max(self.margins[pair].min() / self.units[pair[0]] for pair in demand.pairs)
        size, change = self.smallest_change(demand)
        rms = 255 * np.sqrt(np.mean(change**2)) if np.isfinite(size) else np.inf
        dearest = max(self.distance(pair) for pair in demand.pairs)
        # As for a judge, a tie with the label is recognised.
        return Forecast(bool((margins >= 0).all()), float(size), float(rms), dearest, float(alone))

    def distance(self, pair):
        """Return the size that a pair alone requires, to first order; 0 if it is wrong already."""
        norms = np.linalg.norm(self.gradients[pair].astype("float64"), axis=1)
        height, width = self.change_by.matrices.shape[1:3]
        with np.errstate(divide="ignore", invalid="ignore"):
            least = np.nanmin(np.maximum(self.margins[pair], 0) / norms)
        return float(least / np.sqrt(height * width))

    def smallest_change(self, demand):
        """Return the predicted size and the change ``(1, height, width, 3)`` itself; 0 if none exists."""
        _, height, width, _, coordinates = shape = self.change_by.matrices.shape
        pending = [pair for pair in demand.pairs if self.margins[pair].min() > 0]
        if not pending:
            return 0.0, np.zeros(shape[:4])
        gradients = np.concatenate([self.gradients[pair] for pair in pending]).astype("float64")
        margins = np.stack([self.margins[pair] for pair in pending])
        length, weights = shortest(margins, gradients @ gradients.T)
        found = (weights.ravel() @ gradients).reshape(1, height, width, coordinates)
        return length / np.sqrt(height * width), self.change_by(found)


def predict(image, label, demand, networks=None):
    """Return the `Forecast` of the smallest change of a photograph that meets a demand.

    Parameters
    ----------
    image : array of float, ``(height, width, 3)`` in [0, 1]
    label : int
    demand : Demand
    networks : mapping from str to keras.Model, optional
        By default `load` loads those of the demand.
    """
    return linearised(image, label, [demand], networks).forecast(demand)


def linearised(image, label, demands, networks=None):
    """Return the `Linear` margins that several demands on one photograph share.

    Parameters are those of `predict`, except:

    Parameters
    ----------
    demands : sequence of Demand
    """
    pairs = dict.fromkeys(pair for demand in demands for pair in demand.pairs)
    networks = load(dict.fromkeys(name for name, _ in pairs)) if networks is None else networks
    image = np.asarray(image, "float32")[np.newaxis]
    change_by = perceptual(image)
    found = Linear({}, {}, {}, change_by)
    for name, filter_name in pairs:
        seen_through = FILTER_SET[filter_name](*image.shape[1:3])
        margins, slopes = _nearest(networks[name])(seen_through(image), label)
        found.margins[name, filter_name] = margins
        slopes = change_by.adjoint(seen_through.adjoint(slopes))
        found.gradients[name, filter_name] = slopes.reshape(len(slopes), -1)
        if name not in found.units:
            found.units[name] = np.std(networks[name](image, training=False))
    return found


def load(names):
    """Return a dict from names of `judges.NETWORKS` to networks that compute in floats throughout.

    The MobileNets are not rounded to 8 bits here: the law is about smooth functions.
    """
    return {name: _float_network(name) for name in names}


@lru_cache
def _float_network(name):
    key = look_up("network", name, judges.NETWORKS)
    return rebuilt(key, rounded=False) if key in MOBILENETS else judges.differentiable(name)


@lru_cache
def _nearest(network):
    """Return a function from a photograph and its label to the margins and gradients of the nearest classes.

    The gradients ``(classes, height, width, channels)`` are those of the negative margins, in one backward
    pass of as many copies of the photograph.
    """
    classes = min(CLASSES, network.output_shape[-1] - 1)

    @tf.function(reduce_retracing=True)
    def differentiate(image, label):
        copies = tf.repeat(image, classes, axis=0)
        with tf.GradientTape() as tape:
            tape.watch(copies)
            logits = network(copies, training=False)
            others = tf.where(tf.range(logits.shape[-1]) == label, -np.inf, logits[0])
            chosen = tf.math.top_k(others, classes).indices
            ahead = tf.gather(logits, chosen, axis=1, batch_dims=1) - logits[:, label]
        return -ahead, tape.gradient(ahead, copies)

    def nearest(image, label):
        found = differentiate(tf.constant(image), tf.constant(int(label)))
        return tuple(values.numpy() for values in found)

    return nearest


def shortest(margins, gram):
    """Return the shortest vector that, for every pair, reaches the boundary to one of its classes.

    Of ``min ||d||`` subject to ``max over k of (g_pk . d - m_pk) >= 0`` for every pair p, which is exact: a
    best-first search over the class of each pair. A node fixes the classes of some pairs, and its shortest
    vector is no longer than that of any node below. If it satisfies the other pairs too, it is the answer;
    else the search branches over the classes of the pair that is furthest from satisfied.

    Parameters
    ----------
    margins : array of float, ``(pairs, classes)``
    gram : array of float, ``(pairs * classes, pairs * classes)``
        Inner products of the gradients g.

    Returns
    -------
    length : float
        Infinite if no vector does.
    weights : array of float, ``(pairs, classes)``
        Non-negative; the vector is the sum of the gradients times these.
    """
    margins = np.asarray(margins, "float64")
    norms = np.sqrt(np.diag(gram)).reshape(margins.shape)
    norms = np.where(norms > 0, norms, np.inf)  # without a gradient nothing moves the margin
    distances = margins / norms
    scale = np.abs(distances).max()
    cosines = gram / np.outer(norms, norms)
    order = count()  # of equal nodes the first
    nodes = [(0.0, next(order), (), np.zeros(0))]
    while nodes:
        length, _, chosen, weights = heapq.heappop(nodes)
        reached = (cosines[:, chosen] @ weights).reshape(margins.shape)
        missing = np.where(np.isinf(norms) & (margins > 0), np.inf, distances - reached).min(axis=1)
        worst = np.argmax(missing)
        if missing[worst] <= SATISFIED * scale:
            full = np.zeros(margins.size)
            full[list(chosen)] = weights
            return length, full.reshape(margins.shape) / norms
        for k in np.flatnonzero(np.isfinite(norms[worst])):
            longer = (*chosen, worst * margins.shape[1] + k)
            found = _least_distance(distances.ravel()[list(longer)], cosines[np.ix_(longer, longer)])
            if np.isfinite(found[0]):
                heapq.heappush(nodes, (found[0], next(order), longer, found[1]))
    return np.inf, np.zeros_like(margins)


def _least_distance(distances, gram):
    """Return the length of the shortest d with ``g . d >= distances`` for rows g, and its weights on them.

    By non-negative least squares (Lawson & Hanson 1974, Solving Least Squares Problems, chapter 23, problem
    LDP), in which a root of the Gram matrix takes the place of the rows.
    """
    values, vectors = np.linalg.eigh(gram)
    root = np.sqrt(np.maximum(values, 0))[:, np.newaxis] * vectors.T
    scale = np.abs(distances).max()
    system = np.vstack([root, distances / scale])
    weights, _ = nnls(system, np.eye(len(system))[-1])
    slack = 1 - weights @ distances / scale  # 1 / (1 + squared length): 0 if no vector satisfies all
    if slack < 1e-9:
        return np.inf, weights
    weights = weights * scale / slack
    return float(np.linalg.norm(root @ weights)), weights


def demanded(demand, networks, images, labels):
    """Return whether each demanded pair recognises each image, as bools ``(pairs, n)``.

    Parameters
    ----------
    demand : Demand
    networks : mapping from str to keras.Model
        As `load` returns it.
    images : array of float32, ``(n, height, width, 3)``
        Unrounded.
    labels : array of int, ``(n,)``
    """
    seen = {name: FILTER_SET[name](*images.shape[1:3])(images) for name in demand.filters}
    said = [predictions(networks[name], seen[filter_name]) for name, filter_name in demand.pairs]
    return np.array(said) == np.asarray(labels)


def write_predictions():
    """Write the forecasts of all `DEMANDS` on development and test photographs to `PREDICTIONS`."""
    from adversarial_attack import experiments  # which imports this module

    numbers = {"development": experiments.DEVELOPMENT["forecast"], "test": experiments.TEST["predicted"]}
    chosen = [(split, i) for split, n in numbers.items() for i in experiments.photographs(split)[:n]]
    rows = []
    for split, number in tqdm(chosen):
        photograph = load_imagenet_compatible(split)[[number]]
        (image,), (label,) = photograph.as_float(), photograph.labels
        linear = linearised(image, label, DEMANDS.values())
        rows += [
            {"split": split, "photograph": int(number), "demand": name} | linear.forecast(demand)._asdict()
            for name, demand in DEMANDS.items()
        ]
    content = pd.DataFrame(rows).to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_atomically(PREDICTIONS, content.encode())


if __name__ == "__main__":
    write_predictions()
