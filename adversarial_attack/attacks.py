"""Attacks: from images to images at most `epsilon` away that classifiers get wrong.

All go uphill on a loss, a step at a time, and differ in four parts: the loss, the filters through which the
classifiers see the images, what becomes of the gradient, and the size of the steps. Every random choice is
made once a step for all images, so the result for an image does not depend on the others.
"""

from functools import wraps
from numbers import Real

import numpy as np
from scipy.ndimage import uniform_filter

from adversarial_attack.coordinates import perceptual
from adversarial_attack.filter_set import low_passes
from adversarial_attack.filters import IDENTITY, gaussian_blur, low_frequencies, resized_and_padded
from adversarial_attack.gradients import (
    classes_of,
    cross_entropy,
    cross_entropy_with_margin,
    gradient,
    gradient_and_losses,
    margin,
    relative,
    several,
    up_to,
)
from adversarial_attack.visibility import excess, no_more_visible
from common.arguments import check_logits, check_shares
from common.pixels import as_bytes
from common.validation import as_labels, as_unit_images, check_counts, check_seed

# Of the attacks through filters, chosen on development photographs alone.
LOW_PASSES = low_passes()
START = 1.0  # size of the change
# Factor of the size at a step that satisfies, and at one that does not. A step sees one of several filters:
# with equal factors the change would settle where it fools behind only every other filter.
SHRINK, GROW = 0.95, 1.1
LARGEST_PACE, PGD_PACE = 0.2, 0.05  # length of a step, relative to the size
CALIBRATIONS = (0.05, 0.2, 0.4, 0.6)  # shares of the steps after which the visibility is measured
ROUND = 10  # steps of a round of filters
LARGEST_SCALING = 1.25  # of the finished change, to its tier
WINDOW, UNEVEN = 31, 1.5  # pixels of a side; largest size in a window relative to the size in the whole


def _ascend(images, epsilon, steps, step_size, direction, reach=1.0, rng=None):
    """Return images after steps along ``direction(images, step)``, within epsilon of the originals.

    By default all steps together go `reach` times epsilon. A generator `rng` chooses where to start, by the
    same change for all images.
    """
    step_size = reach * epsilon / steps if step_size is None else step_size
    check_shares(step_size=step_size)
    low, high = np.maximum(images - epsilon, 0), np.minimum(images + epsilon, 1)
    start = 0 if rng is None else rng.uniform(-epsilon, epsilon, images.shape[1:])
    adversarial = np.clip(images + start, low, high).astype(images.dtype)
    for step in range(steps):
        adversarial = np.clip(adversarial + step_size * np.sign(direction(adversarial, step)), low, high)
    return adversarial


def checked(attack):
    """Return an attack that takes one classifier or several, and checks images, labels and numbers first."""

    @wraps(attack)
    def check(classifiers, images, labels, epsilon, *rest, **options):
        classifiers, images = several(classifiers), as_unit_images(images)
        labels = as_labels(labels, len(images), classes_of(classifiers))
        check_epsilon(epsilon)
        for classifier in classifiers:
            check_logits(classifier(images[:1]))
        check_counts(steps=options.get("steps", 1), batch_size=options.get("batch_size", 1))
        check_seed(options.get("seed", 0))
        return attack(classifiers, images, labels, epsilon, *rest, **options)

    return check


def check_epsilon(epsilon):
    """Raise ValueError unless the largest change lies in [0, 1]."""
    if not isinstance(epsilon, Real) or not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon must lie in [0, 1], as images do, not be {epsilon!r}; write 8 / 255.")


@checked
def fgsm(classifiers, images, labels, epsilon, loss=cross_entropy):
    """Return images after one step along the sign of the gradient (Goodfellow et al. 2015, arXiv:1412.6572).

    Parameters
    ----------
    classifiers : keras.Model, or list of them
        From images to logits; attacked together.
    images : array of float, ``(n, height, width, channels)`` in [0, 1]
    labels : array of int, ``(n,)``
        What the classifiers shall not say; with a `targeted` loss, what they shall.
    epsilon : float
        Largest change of a value, at least 0.
    loss : callable
        `cross_entropy`, `margin`, or one of these `targeted`.

    Returns
    -------
    numpy.ndarray, shape and type of `images`, in [0, 1]

    Raises
    ------
    ValueError
        The images are not floating point in [0, 1], the labels not classes of all classifiers, one an image,
        the outputs of a classifier probabilities or NaN, or a number out of its range.
    """
    return _ascend(images, epsilon, 1, epsilon, lambda x, _: gradient(classifiers, x, labels, loss))


@checked
def pgd(
    classifiers, images, labels, epsilon, *, steps=10, step_size=None, loss=cross_entropy,
    filters=(IDENTITY,), random_start=True, seed=0,
):  # fmt: skip
    """Return images by projected gradient ascent (Madry et al. 2018, arXiv:1706.06083).

    Parameters
    ----------
    classifiers, images, labels, epsilon, loss
        As in `fgsm`.
    steps : int
    step_size : float, optional
        By default 2.5 epsilon / steps.
    filters : sequence
        The loss is the mean over what these filters make of the images.
    random_start : bool
        Start anywhere within epsilon, as `seed` decides; the same change for all images.
    seed : int
    """
    return _ascend(
        images, epsilon, steps, step_size, lambda x, _: gradient(classifiers, x, labels, loss, filters),
        reach=2.5, rng=np.random.default_rng(seed) if random_start else None,
    )  # fmt: skip


@checked
def momentum(
    classifiers, images, labels, epsilon, *, steps=10, step_size=None, decay=1.0, loss=cross_entropy,
    draw=None, shape=None, seed=0,
):  # fmt: skip
    """Return images by the momentum iterative method (Dong et al. 2018, arXiv:1710.06081, algorithm 1).

    Every gradient is divided by the mean of its absolute values, image by image, before it is added to the
    velocity.

    Parameters
    ----------
    classifiers, images, labels, epsilon, loss
        As in `fgsm`.
    steps : int
    step_size : float, optional
        By default epsilon / steps.
    decay : float
        Share of the velocity that a step keeps.
    draw : callable, optional
        Takes a `numpy.random.Generator` and returns the filters through which a step sees the images.
    shape : callable, optional
        What becomes of each gradient before it is added.
    seed : int
        Of the generators that `draw` gets, one for each step.
    """
    velocity = np.zeros_like(images)

    def direction(adversarial, step):
        nonlocal velocity
        filters = (IDENTITY,) if draw is None else draw(np.random.default_rng((seed, step)))
        found = gradient(classifiers, adversarial, labels, loss, filters)
        velocity = decay * velocity + _of_unit_mean(found if shape is None else shape(found))
        return velocity

    return _ascend(images, epsilon, steps, step_size, direction)


def _of_unit_mean(gradients):
    return _over(gradients, np.abs(gradients).mean(axis=(1, 2, 3), keepdims=True))


def _over(values, sizes):
    return values / np.where(sizes > 0, sizes, 1)


@checked
def diverse_input(classifiers, images, labels, epsilon, *, probability=0.5, smallest=0.9, **options):
    """Return images by `momentum` on images of random size (Xie et al. 2019, arXiv:1803.06978).

    Parameters
    ----------
    classifiers, images, labels, epsilon
        As in `fgsm`.
    probability : float
        How often a step resamples the images to a share between `smallest` and 1 of their size, somewhere
        in a black frame of the old size.
    smallest : float
    **options
        Of `momentum`.
    """
    check_shares(probability=probability, smallest=smallest)
    height, width = images.shape[1:3]

    def draw(rng):
        if rng.random() >= probability:
            return (IDENTITY,)
        share = rng.uniform(smallest, 1)
        new_height, new_width = round(share * height), round(share * width)
        top, left = rng.integers(height - new_height + 1), rng.integers(width - new_width + 1)
        return (resized_and_padded(height, width, new_height, new_width, top, left),)

    return momentum(classifiers, images, labels, epsilon, draw=draw, **options)


@checked
def translation_invariant(classifiers, images, labels, epsilon, *, sigma=3.0, **options):
    """Return images by `momentum` with blurred gradients (Dong et al. 2019, arXiv:1904.02884).

    Parameters
    ----------
    classifiers, images, labels, epsilon
        As in `fgsm`.
    sigma : float
        Of the Gaussian blur, in pixels; the paper's kernel of 15 x 15 pixels is as good as Gaussian with 3.
    **options
        Of `momentum`.
    """
    blur = gaussian_blur(*images.shape[1:3], sigma)
    return momentum(classifiers, images, labels, epsilon, shape=blur, **options)


@checked
def low_pass_attack(
    classifiers, images, labels, epsilon, *, steps=100, draw=LOW_PASSES, coordinates=perceptual, tier=None,
    share=1.0, loss=margin, confidence=2.0, decay=0.9, even=True, start=START, random_start=False, seed=0,
):  # fmt: skip
    """Return images that stay wrong behind low-pass filters, within a tier of visibility.

    Every step sees the images through another filter, so this is an expectation over transformations (Athalye
    et al. 2018, arXiv:1707.07397). A step goes along the momentum of the gradient in coordinates in which
    equal steps are about equally visible. A tier is used in full; without one the change grows while any
    classifier is right or less than `confidence` from it, and shrinks while none is (as the budget of Rony et
    al. 2019, arXiv:1811.09600, but growing faster), so it is about as small as it can be.

    Parameters
    ----------
    classifiers, images, labels, epsilon
        As in `fgsm`; for three channels, unless the `coordinates` are ``pixels``.
    steps : int
        Each takes a gradient of every classifier for each filter of the step.
    draw : callable
        From (height, width), the number of the step and a generator to a filter or a tuple of filters.
    coordinates : callable
        From the images to the map from the coordinates to the change; see
        `adversarial_attack.coordinates`: `perceptual`, `luma`, `low_pass` of a share, `pixels`.
    tier : key of `visibility.TIERS`, optional
        No change is more visible than this, rounded to 8 bits. By default only epsilon limits it.
    share : float, positive
        Of the tier that the change takes while it is optimised; at the end it is scaled to the tier, by at
        most a quarter more.
    loss : callable
        `margin`, or ``targeted(margin)``.
    confidence : float
        The margin that all classifiers shall reach, in standard deviations of each network's own logits.
    decay : float
        Share of the velocity that a step keeps.
    even : bool
        Whether to hold back the change where a window of the image takes more than `UNEVEN` times its part.
    start : float, positive
        Size of the change before the first measurement of its visibility, in the coordinates.
    random_start : bool
        Start at white noise in the coordinates, a tenth of that size, instead of at the images.
    seed : int
        Of the generators that `draw` gets, and of the noise.

    Returns
    -------
    numpy.ndarray, shape and type of `images`, in [0, 1]
        Of the iterates, each image's best over a round of filters, not the last.
    """
    found = _in_coordinates(
        classifiers, images, labels, epsilon, up_to(confidence, relative(loss)),
        satisfied=lambda losses: (losses >= confidence).all(axis=0), steps=steps, draw=draw,
        coordinates=coordinates, tier=tier, share=share, decay=decay, even=even, start=start,
        random_start=random_start, seed=seed, pace=_shrinking,
        factors=(SHRINK, GROW) if tier is None else None,
    )  # fmt: skip
    return found if tier is None else _scaled(images, found, epsilon, tier)


@checked
def pgd_through_filters(
    classifiers, images, labels, epsilon, *, steps=100, draw=LOW_PASSES, coordinates=perceptual, tier,
    share=1.0, shrinking=False, even=False, seed=0,
):  # fmt: skip
    """Return images by L2 projected gradient ascent on the cross-entropy behind filters drawn at every step.

    The usual expectation over transformations (Athalye et al. 2018, arXiv:1707.07397): no momentum, the mean
    cross-entropy of the classifiers. Parameters and result are those of `low_pass_attack`, except:

    Parameters
    ----------
    shrinking : bool
        Whether the steps shrink as those of the low-pass attack, or keep one length, as usual.
    even : bool
        Whether windows are held back as in the low-pass attack; usually they are not.
    """
    found = _in_coordinates(
        classifiers, images, labels, epsilon, cross_entropy, steps=steps, draw=draw, coordinates=coordinates,
        tier=tier, share=share, decay=0.0, even=even, seed=seed,
        pace=_shrinking if shrinking else lambda done: PGD_PACE,
    )  # fmt: skip
    return _scaled(images, found, epsilon, tier)


@checked
def ddn_through_filters(
    classifiers, images, labels, epsilon, *, steps=100, draw=LOW_PASSES, coordinates=perceptual, tier,
    share=1.0, seed=0,
):  # fmt: skip
    """Return images by decoupled direction and norm (Rony et al. 2019, arXiv:1811.09600) behind filters.

    The size of the change grows by 5 % where any classifier is right behind the filter of the step, up to the
    tier, and shrinks by 5 % where none is; at the end it is scaled up to the tier. Parameters and result are
    those of `low_pass_attack`.
    """
    found = _in_coordinates(
        classifiers, images, labels, epsilon, cross_entropy_with_margin, steps=steps, draw=draw,
        coordinates=coordinates, tier=tier, share=share, decay=0.0, even=False, seed=seed,
        pace=_cosine, factors=(0.95, 1.05),
    )  # fmt: skip
    return _scaled(images, found, epsilon, tier, most=np.inf)


def _scaled(images, found, epsilon, tier, most=LARGEST_SCALING):
    """Return images with values of 8 bits whose changes are scaled to the tier and stay within epsilon."""
    change = np.abs(found - images).max(axis=(1, 2, 3))
    most = [min(most, max(1.0, epsilon / size)) if size else 1.0 for size in change]
    parts = zip(images, found, most, strict=True)
    return np.concatenate([no_more_visible(x[None], y[None], tier, factor) for x, y, factor in parts])


def _in_coordinates(
    classifiers, images, labels, epsilon, loss, *, satisfied=lambda losses: (losses > 0).all(axis=0), steps,
    draw, coordinates, tier, share, decay, even, seed, pace, start=START, random_start=False, factors=None,
):  # fmt: skip
    """Return unrounded images after ascent in coordinates of the change, whose size follows tier and success.

    Parameters
    ----------
    satisfied : callable
        From losses ``(classifiers, n)`` to whether the attack needs no more there, ``(n,)``.
    factors : (float, float), optional
        Of the size after a step that is satisfied or is not. By default the size is all that the tier allows.
    pace : callable
        From the share of steps done to the length of a step, relative to the size.
    """
    change_by = coordinates(images)
    low, high = np.maximum(images - epsilon, 0), np.minimum(images + epsilon, 1)
    found = velocity = np.zeros_like(change_by.adjoint(images))
    size, largest = np.full((len(images), 1, 1, 1), float(start)), np.inf
    if random_start:
        found = (0.1 * start * np.random.default_rng(seed).normal(size=found.shape)).astype(images.dtype)
    best = _Best(images, steps)
    for step in range(steps):
        adversarial = np.clip(images + change_by(found), low, high)
        if tier is not None and step in _calibrated(steps):
            largest = _over(share * _root_mean_square(found), _excesses(images, adversarial, tier))
            size = largest if factors is None else size
        slope, losses = _through(classifiers, adversarial, labels, loss, draw, step, seed)
        best.saw(step, adversarial, losses)
        velocity = decay * velocity + _of_unit_mean(change_by.adjoint(slope))
        if factors is not None:
            factor = np.where(satisfied(losses), *factors).reshape(-1, 1, 1, 1)
            size = np.minimum(factor * size, largest)
        found = found + pace(step / steps) * size * _over(velocity, _root_mean_square(velocity))
        if even:
            found = _evened(found, size)
        found = found * np.minimum(1, _over(size, _root_mean_square(found)))
        found = found.astype(images.dtype)
    return best.images if factors is None else np.clip(images + change_by(found), low, high)


def _through(classifiers, images, labels, loss, draw, step, seed):
    """Return the gradient behind the filters of a step, and the losses ``(filters * classifiers, n)``."""
    drawn = draw(images.shape[1:3], step, np.random.default_rng((seed, step)))
    filters = drawn if type(drawn) is tuple else (drawn,)
    return gradient_and_losses(classifiers, images, labels, loss, filters)


class _Best:
    """The iterate of each image at the end of the round of filters whose losses are largest.

    The last iterate may have drifted past the decision boundary of one filter, so it is not simply taken.
    Rounds are counted from the end, and begin after the last measurement of the visibility.
    """

    def __init__(self, images, steps):
        self.images, self._losses, self._seen = images, np.full(len(images), -np.inf), []
        first = max(_calibrated(steps), default=0)
        self._ends = range(steps - 1, min(first + ROUND, steps) - 2, -ROUND)

    def saw(self, step, images, losses):
        """Note the losses of the images of a step."""
        self._seen = [*self._seen, losses.mean(axis=0)][-ROUND:]
        if step in self._ends:
            found = np.mean(self._seen, axis=0)
            better = found > self._losses
            self.images = np.where(better.reshape(-1, 1, 1, 1), images, self.images)
            self._losses = np.where(better, found, self._losses)


def _calibrated(steps):
    """Return the steps at which the visibility is measured; at the first there is no change yet."""
    return sorted({round(part * steps) for part in CALIBRATIONS} - {0})


def _cosine(done):
    return (1 + np.cos(np.pi * done)) / 2


def _shrinking(done):
    return LARGEST_PACE * _cosine(done)


def _evened(coordinates, size):
    """Return coordinates, each divided by how far its window's root mean square exceeds `UNEVEN` sizes."""
    energy = (coordinates**2).sum(axis=-1, keepdims=True)
    local = np.sqrt(uniform_filter(energy, (0, WINDOW, WINDOW, 0)))
    return coordinates * np.minimum(1, UNEVEN * size / np.maximum(local, 1e-12))


def _root_mean_square(coordinates):
    return np.sqrt((coordinates**2).sum(axis=-1).mean(axis=(1, 2))).reshape(-1, 1, 1, 1)


def _excesses(images, adversarial, tier):
    pairs = zip(images, (as_bytes(adversarial) / 255).astype(images.dtype), strict=True)
    return np.array([excess(*pair, tier) for pair in pairs]).reshape(-1, 1, 1, 1)


@checked
def universal(classifiers, images, labels, epsilon, *, steps=100, batch_size=500, loss=cross_entropy, seed=0):
    """Return one change for all images (Moosavi-Dezfooli et al. 2017, arXiv:1610.08401).

    By momentum ascent on the mean loss over batches, as in Shafahi et al. 2020 (arXiv:1811.11304).

    Parameters
    ----------
    classifiers, images, labels, epsilon, loss
        As in `fgsm`.
    steps, batch_size : int
    seed : int
        Of the batches.

    Returns
    -------
    numpy.ndarray, shape (height, width, channels)
    """
    rng = np.random.default_rng(seed)
    change = velocity = np.zeros(images.shape[1:], images.dtype)
    for _ in range(steps):
        chosen = rng.choice(len(images), min(batch_size, len(images)), replace=False)
        adversarial = np.clip(images[chosen] + change, 0, 1)
        slopes = _of_unit_mean(gradient(classifiers, adversarial, labels[chosen], loss))
        velocity = 0.9 * velocity + slopes.mean(axis=0)
        change = np.clip(change + 2.5 * epsilon / steps * np.sign(velocity), -epsilon, epsilon)
    return change.astype(images.dtype)


# Controls: changes that know nothing of any classifier


def white_noise(images, epsilon, seed=0):
    """Return images with every value changed by epsilon, up or down at random."""
    images = as_unit_images(images)
    check_epsilon(epsilon)
    check_seed(seed)
    signs = np.random.default_rng(seed).choice([-1, 1], images.shape)
    return np.clip(images + epsilon * signs, 0, 1).astype(images.dtype)


def low_pass_noise(images, epsilon, share=1 / 8, seed=0):
    """Return images with noise of the lowest frequencies (see `low_frequencies`), at most epsilon large."""
    images = as_unit_images(images)
    check_epsilon(epsilon)
    check_seed(seed)
    noise = np.random.default_rng(seed).normal(size=images.shape)
    noise = low_frequencies(*images.shape[1:3], share)(noise)
    noise *= epsilon / np.abs(noise).max(axis=(1, 2, 3), keepdims=True)
    return np.clip(images + noise, 0, 1).astype(images.dtype)
