"""Attacks: from images to images at most `epsilon` away that classifiers get wrong.

All go uphill on a loss, a step at a time, and differ in four parts: the loss, the filters through which the
classifiers see the images, what becomes of the gradient, and the size of the steps. Every random choice is
made once a step for all images, so the result for an image does not depend on the others.
"""

from functools import wraps
from numbers import Real

import numpy as np

from adversarial_attack.coordinates import perceptual
from adversarial_attack.filters import (
    IDENTITY,
    down_and_up,
    gaussian_blur,
    jpeg,
    low_frequencies,
    resized_and_padded,
)
from adversarial_attack.gradients import (
    classes_of,
    cross_entropy,
    gradient,
    gradient_and_losses,
    margin,
    several,
    up_to,
)
from adversarial_attack.visibility import excess, no_more_visible, visibility
from common.arguments import check_logits, check_shares
from common.pixels import as_bytes
from common.validation import as_labels, as_unit_images, check_counts, check_seed

# Of `low_pass_attack`, tried on the images that the study measures.
START, SHRINK, GROW = 1.0, 0.98, 1.1  # size of the change, its factor at a step that satisfies or does not
LARGEST_STEP = 0.2  # of the size
CALIBRATION = 7  # steps from one measurement of the visibility to the next


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


def low_passes(shape, step, rng):
    """Return the filter of a step of `low_pass_attack`, for images of a shape (height, width).

    Blurs with sigma between 0 and 1, 1 and 2, 2 and 3 pixels take turns. Before the second and after the
    third comes a JPEG compression of quality 30 to 94, before the third a resampling to 0.4 to 0.7 of the
    size and back.
    """
    kind = step % 6
    if kind in (1, 5):
        return jpeg(int(rng.integers(30, 95)))
    if kind == 3:
        return down_and_up(*shape, float(rng.uniform(0.4, 0.7)))
    return gaussian_blur(*shape, float(kind / 2 + rng.uniform(0.05, 1)))


@checked
def low_pass_attack(
    classifiers, images, labels, epsilon, *, steps=60, draw=low_passes, coordinates=perceptual, tier=None,
    loss=margin, confidence=5.0, decay=0.9, seed=0,
):  # fmt: skip
    """Return images that stay wrong behind low-pass filters, changed no more than that takes.

    The change of an image grows until at every step all classifiers are wrong by `confidence` behind the
    filter of that step, and shrinks while they are. As the filters are drawn anew at every step, this is an
    expectation over transformations (Athalye et al. 2018, arXiv:1707.07397); a budget that follows success
    is from Rony et al. 2019 (arXiv:1811.09600), here the root mean square of the change in coordinates
    other than pixels; a step goes along the momentum of the gradient in these coordinates.

    Parameters
    ----------
    classifiers, images, labels, epsilon
        As in `fgsm`; for three channels, unless the `coordinates` are ``pixels``.
    steps : int
    draw : callable
        From (height, width), the number of the step and a generator to the filter of the step.
    coordinates : callable
        From the images to the map from the coordinates to the change; see
        `adversarial_attack.coordinates`: `perceptual`, `luma`, `low_pass` of a share, `pixels`.
    tier : key of `visibility.TIERS`, optional
        No change is more visible than this, rounded to 8 bits. By default only epsilon limits it.
    loss : callable
        `margin`, or ``targeted(margin)``.
    confidence : float
        The margin, in logits, that all classifiers shall reach.
    decay : float
        Share of the velocity that a step keeps.
    seed : int
        Of the generators that `draw` gets.

    Returns
    -------
    numpy.ndarray, shape and type of `images`, in [0, 1]
    """
    change_by, loss = coordinates(images), up_to(confidence, loss)
    low, high = np.maximum(images - epsilon, 0), np.minimum(images + epsilon, 1)
    found = velocity = np.zeros_like(change_by.adjoint(images))
    size, largest = START, np.inf
    for step in range(steps):
        adversarial = np.clip(images + change_by(found), low, high)
        if tier is not None and step % CALIBRATION == CALIBRATION - 1:
            largest = _over(_root_mean_square(found), _excesses(images, adversarial, tier))
        seen_through = draw(images.shape[1:3], step, np.random.default_rng((seed, step)))
        slope, losses = gradient_and_losses(classifiers, adversarial, labels, loss, (seen_through,))
        velocity = decay * velocity + _of_unit_mean(change_by.adjoint(slope))
        satisfied = (losses >= confidence).all(axis=0).reshape(-1, 1, 1, 1)
        size = np.minimum(np.where(satisfied, SHRINK, GROW) * size, largest)
        pace = LARGEST_STEP * (1 + np.cos(np.pi * step / steps)) / 2
        found = found + pace * size * _over(velocity, _root_mean_square(velocity))
        found = found * np.minimum(1, _over(size, _root_mean_square(found)))
        found = found.astype(images.dtype)
    adversarial = np.clip(images + change_by(found), low, high)
    return adversarial if tier is None else no_more_visible(images, adversarial, tier)


def _root_mean_square(coordinates):
    return np.sqrt((coordinates**2).sum(axis=-1).mean(axis=(1, 2))).reshape(-1, 1, 1, 1)


def _excesses(images, adversarial, tier):
    pairs = zip(images, as_bytes(adversarial) / 255, strict=True)
    return np.array([excess(visibility(*pair), tier) for pair in pairs]).reshape(-1, 1, 1, 1)


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
