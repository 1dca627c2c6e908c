"""How small a change can be: by bisection, by a first-order law, and for demands that grow."""

from typing import NamedTuple

import numpy as np

from adversarial_attack.attacks import low_passes
from adversarial_attack.filter_set import TO_SIGMA_2, UNSEEN
from adversarial_attack.filters import IDENTITY, gaussian_blur
from adversarial_attack.gradients import classes_of, gradient_and_losses, margin, predictions, several
from common.pretrained import OFFLINE
from common.statistics import Interval, bootstrap_interval
from common.validation import as_labels, as_unit_images

LITES, SQUEEZENET = OFFLINE[:3], OFFLINE[3:]
BLURS = ("none", "blur 0.5", "blur 1", "blur 1.5", "blur 2")


def smallest(succeeds, low, high, rounds=7):
    """Return the smallest number that succeeds, by bisection on a logarithmic scale.

    Parameters
    ----------
    succeeds : callable
        From a number to a bool, True for all larger numbers where it is True.
    low, high : float, positive
    rounds : int
        Each takes the root of the ratio between the two.

    Returns
    -------
    float
        A number that succeeds, with one that does not, or `low`, less than
        ``(high / low) ** (1 / 2 ** rounds)`` times below it; `high` where no number tried succeeds.
    """
    if not 0 < low < high:
        raise ValueError(f"low and high must be positive and ascending, not {low} and {high}.")
    for _ in range(rounds):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if succeeds(middle) else (middle, high)
    return high


def first_order_epsilon(classifiers, images, labels, seen_through):
    """Return the epsilon at which a linear model of each classifier's margin reaches 0, the largest of them.

    Behind a linear filter H with adjoint H', a change moves the margin by at most epsilon times the L1 norm
    of H' gradient, so epsilon = margin(H x) / || H' gradient of the margin ||_1 (Goodfellow et al. 2015,
    arXiv:1412.6572, section 3, for a linear classifier).
    """
    images, needed = as_unit_images(images), []
    for classifier in several(classifiers):
        slope, losses = gradient_and_losses([classifier], images, labels, margin, (seen_through,))
        needed.append(-losses[0] / np.abs(slope).sum(axis=(1, 2, 3)))
    return np.max(needed, axis=0)


def median_cost(costs):
    """Return the median of positive costs, infinite where a demand was not met, and its bootstrap interval.

    It is that of the reciprocals, which are finite.

    Returns
    -------
    common.statistics.Interval of floats
        Possibly infinite.
    """
    costs = np.asarray(costs, float)
    if not (costs > 0).all():
        raise ValueError("Costs must be positive; one that is unknown is infinite.")
    mean, low, high = bootstrap_interval(1 / costs, np.median)
    with np.errstate(divide="ignore"):
        return Interval(*(float(1 / np.float64(value)) for value in (mean, high, low)))


def recognised_by(classifiers, images, labels, seen_through):
    """Return whether each classifier says the label of each image behind a filter, ``(classifiers, n)``.

    Raises ValueError unless the images lie in [0, 1] and the labels are classes, one an image.
    """
    images = as_unit_images(images)
    labels = as_labels(labels, len(images), classes_of(several(classifiers)))
    seen = seen_through(images)
    return np.array([predictions(classifier, seen) == labels for classifier in several(classifiers)])


class Demand(NamedTuple):
    """What an attack shall achieve, and how it tries.

    Attributes
    ----------
    attacked, judges : tuples of names of classifiers
        Those whose gradients the attack has, and those that shall be wrong.
    draw : callable
        Of `attacks.low_pass_attack`.
    filters : sequence of names in `filter_set.FILTER_SET`
        Behind all of which the judges shall be wrong.
    confidence : float
        Of the attack: more where it is judged by what it has not seen.
    """

    attacked: tuple
    judges: tuple
    draw: callable
    filters: tuple
    confidence: float


def unfiltered(shape, step, rng):
    """Return no filter at any step."""
    return IDENTITY


def blurs(shape, step, rng):
    """Return a Gaussian blur with sigma between 0 and 1 or, every other step, 1 and 2.2 pixels."""
    low, high = ((0.01, 1), (1, 2.2))[step % 2]
    return gaussian_blur(*shape, float(rng.uniform(low, high)))


DEMANDS = {
    **{f"one network: {name}": Demand((name,), (name,), unfiltered, BLURS[:1], 1.0) for name in OFFLINE},
    **{f"one network, blurred: {name}": Demand((name,), (name,), blurs, BLURS, 1.0) for name in OFFLINE},
    "four networks": Demand(OFFLINE, OFFLINE, unfiltered, BLURS[:1], 1.0),
    "four networks, blurred": Demand(OFFLINE, OFFLINE, blurs, BLURS, 1.0),
    "four networks, all low-pass filters": Demand(OFFLINE, OFFLINE, low_passes, tuple(TO_SIGMA_2), 1.0),
    "and unseen filters": Demand(OFFLINE, OFFLINE, low_passes, (*TO_SIGMA_2, *UNSEEN), 5.0),
    "unseen family, SqueezeNet": Demand(LITES, OFFLINE, blurs, BLURS, 50.0),
    "unseen family, Lites": Demand(SQUEEZENET, OFFLINE, blurs, BLURS, 50.0),
}
