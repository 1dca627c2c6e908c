"""The measurements of this study, an image a record where images are few; their records are in `results/`."""

from functools import lru_cache
from itertools import product

import numpy as np

from adversarial_attack import attacks
from adversarial_attack.attacks import low_pass_attack, pgd
from adversarial_attack.filter_set import FILTER_SET
from adversarial_attack.filters import IDENTITY, gaussian_blur, low_frequencies
from adversarial_attack.gradients import cross_entropy, margin, predictions, targeted, up_to
from adversarial_attack.limits import DEMANDS, first_order_epsilon, recognised_by, smallest
from adversarial_attack.named_attacks import ATTACKS
from adversarial_attack.networks import ARCHITECTURES, trained
from adversarial_attack.visibility import no_more_visible, visibility
from common.data import load_dataset, load_imagenet_samples
from common.experiments import experiment
from common.names import look_up
from common.pixels import as_bytes
from common.pretrained import OFFLINE, load_classifier

IMAGES = 20
SOURCES = {name: (name,) for name in OFFLINE} | {"lites": OFFLINE[:3], "all four": OFFLINE}
EQUAL_L2 = 2 / 255  # root mean square of a change
LOW_SHARE = 1 / 8  # of the frequencies a side
LEAST, MOST = 0.001, 4.0  # epsilon, in units of 1 / 255, between which the smallest is sought
SMALL_ATTACKS = ("momentum", "universal", "white noise")
SMALL_SOURCES = {name: [name] for name in ARCHITECTURES} | {
    f"all but {name}": [other for other in ARCHITECTURES if other != name] for name in ARCHITECTURES
}
JUDGES = list(product(ARCHITECTURES, (0, 1)))  # of small networks: architectures and seeds
LARGEST = 16  # change of a value by the attack at the frontier, in units of 1 / 255


@experiment(version=1, tolerance=0.25)
def fooling(
    *,
    dataset="imagenet_samples",
    arm,
    sources="all four",
    epsilon,
    tier="none",
    shift=0,
    steps=60,
    moved=0,
    image,
    seed,
):
    """Attack an ImageNet image and show the result, filtered in many ways, to the four classifiers.

    It is measured three times (`of_equal_size`): as the attack made it, with the change scaled to the root
    mean square `EQUAL_L2`, and with the change scaled to the limit of the strict tier.

    Parameters
    ----------
    dataset : "imagenet_samples"
    arm : key of `named_attacks.ATTACKS`
    sources : key of `SOURCES`
        The classifiers that are attacked; those that judge are always the four of `OFFLINE`.
    epsilon : number
        Largest change of a value, in units of 1 / 255.
    tier : "none" or key of `visibility.TIERS`
        For the attacks that take one.
    shift : int
        0, or for a targeted attack how far the target lies behind the label in the list of classes.
    steps : int
        For the attacks that take several.
    moved : int
        0, or how many images further lies the one that gets the change.
    image : int
        From 0 to 19.
    seed : int
        The same random choices for all images.

    Returns
    -------
    dict
        For each of "found", "l2" and "strict": KIND_said_label, KIND_as_before and KIND_said_target: whether
        a classifier says the label, what it says of the clean image behind the same filter, and the target
        (where there is none, the label), for the filters of `FILTER_SET` and each of the classifiers, the
        last fastest; KIND_mean, KIND_p95, KIND_ssim, KIND_blurred: the visibility; KIND_linf and KIND_l2: the
        largest and the root mean square change in units of 1 / 255; KIND_low: the share of its energy in the
        lowest `LOW_SHARE` of the frequencies a side.
    """
    data = load_imagenet_samples()
    adversarial = attacked(arm, sources, epsilon, tier, shift, steps, image, seed)
    shown = (image + moved) % IMAGES
    kinds = of_equal_size(data[[shown]].as_float(), adversarial - data[[image]].as_float())
    target = (data.labels[shown] + shift) % len(data.class_names)
    return {
        f"{kind}_{name}": value
        for kind, changed in kinds.items()
        for name, value in judged(changed, shown, target).items()
    }


def of_equal_size(images, change):
    """Return images in 8 bits with a change as found, scaled to `EQUAL_L2` and to the strict tier: a dict."""
    return {
        "found": rounded(images + change),
        "l2": rounded(images + EQUAL_L2 / (np.sqrt(np.mean(change**2)) or 1) * change),
        "strict": at_strict_tier(images, images + change),
    }


def judged(changed, shown, target):
    """Return the size, the visibility and the answers that `fooling` names, of one changed ImageNet image.

    Parameters
    ----------
    changed : array, shape (1, height, width, 3)
        In [0, 1].
    shown : int
        The number of the image without the change.
    target : int
        A class.
    """
    data, classes = load_imagenet_samples(), said(changed)
    return size_and_visibility(data[[shown]].as_float()[0], changed[0]) | {
        "said_label": (classes == data.labels[shown]).ravel(),
        "as_before": (classes == said_of_clean(shown)).ravel(),
        "said_target": (classes == target).ravel(),
    }


def attacked(arm, sources, epsilon, tier, shift, steps, image, seed):
    """Return an ImageNet image, ``(1, 224, 224, 3)``, after the attack that `fooling` describes."""
    data = load_imagenet_samples()
    target = (data.labels + shift) % len(data.class_names)
    attack, names = look_up("attack", arm, ATTACKS), look_up("sources", sources, SOURCES)
    return attack(
        [load_classifier(name) for name in names],
        data[[image]].as_float(),
        target[[image]],
        epsilon / 255,
        targeted=shift != 0,
        tier=None if tier == "none" else tier,
        steps=steps,
        seed=seed,
    )


def at_strict_tier(images, adversarial):
    """Return the images with the largest multiple of their changes, at most 8, that keeps the strict tier."""
    return no_more_visible(images, adversarial, "strict", most=8.0)


def rounded(images):
    """Return images with values that a file of 8 bits holds."""
    return (as_bytes(images) / 255).astype("float32")


def said(images):
    """Return the classes that the four classifiers say behind all filters, ``(filters, classifiers, n)``."""
    filtered = (make(*images.shape[1:3])(images) for make in FILTER_SET.values())
    classifiers = [load_classifier(name) for name in OFFLINE]
    return np.array([[predictions(classifier, seen) for classifier in classifiers] for seen in filtered])


@lru_cache(maxsize=IMAGES)
def said_of_clean(image):
    """Return what `said` makes of the clean ImageNet image of a number."""
    return said(load_imagenet_samples()[[image]].as_float())


def size_and_visibility(image, changed):
    """Return the measures of a change that `fooling` describes, a dict of floats."""
    change = (changed - image).astype("float64")
    low = low_frequencies(*image.shape[:2], LOW_SHARE)(change[np.newaxis])
    seen = visibility(image, changed)._asdict()
    return {name: round(value, 4) for name, value in seen.items()} | {
        "linf": round(255 * np.abs(change).max(), 2),
        "l2": round(255 * np.sqrt((change**2).mean()), 3),
        "low": round((low**2).sum() / ((change**2).sum() or 1), 4),
    }


@experiment(version=2, tolerance=0.25)
def smallest_epsilon(*, dataset="imagenet_samples", sources, sigma, steps=10, image, seed):
    """Find the smallest epsilon at which projected gradient ascent makes classifiers wrong behind a blur.

    The image is not rounded, because most of these changes are smaller than a step of 8 bits.

    Parameters
    ----------
    dataset : "imagenet_samples"
    sources : key of `SOURCES`
        The classifiers, all of which shall be wrong.
    sigma : number
        Of the Gaussian blur, in pixels; 0 for none.
    steps : int
        Of each attack, on the mean of the margins that are not yet positive.
    image : int
        From 0 to 19.
    seed : int
        Decides nothing: the attacks start at the image.

    Returns
    -------
    dict
        right: whether all the classifiers recognise the blurred clean image; measured and predicted, in units
        of 1 / 255: the smallest epsilon by bisection between `LEAST` and `MOST` to 4 %, and
        `limits.first_order_epsilon`; both are 0 for an image not recognised.
    """
    data = load_imagenet_samples()[[image]]
    images, labels = data.as_float(), data.labels
    classifiers = [load_classifier(name) for name in look_up("sources", sources, SOURCES)]
    blur = gaussian_blur(*images.shape[1:3], sigma) if sigma else IDENTITY
    if not recognised_by(classifiers, images, labels, blur).all():
        return {"right": False, "measured": 0.0, "predicted": 0.0}

    def succeeds(epsilon):
        found = pgd(
            classifiers, images, labels, epsilon / 255, steps=steps, loss=up_to(0.0, margin), filters=(blur,),
            random_start=False,
        )  # fmt: skip
        return not recognised_by(classifiers, found, labels, blur).any()

    return {
        "right": True,
        "measured": round(smallest(succeeds, LEAST, MOST, rounds=8), 4),
        "predicted": round(255 * float(first_order_epsilon(classifiers, images, labels, blur)[0]), 4),
    }


@experiment(version=1, tolerance=0.25)
def frontier(*, dataset="imagenet_samples", demand, steps=60, image, seed):
    """Find the least visible change by the low-pass attack that still meets a demand.

    The attack stays within the moderate tier; then bisection finds the smallest multiple of the change, at
    most 4, rounded to 8 bits, behind which no classifier of the demand says the label at any of its filters.

    Parameters
    ----------
    dataset : "imagenet_samples"
    demand : key of `limits.DEMANDS`
    steps : int
        Of the attack.
    image : int
        From 0 to 19.
    seed : int
        Of the attack's filters.

    Returns
    -------
    dict
        right: whether all classifiers of the demand recognise the clean image; met: whether a multiple
        of the change meets the demand; and of that multiple, or of the largest, the measures of `fooling`.
    """
    data = load_imagenet_samples()[[image]]
    images, labels = data.as_float(), data.labels
    wanted = look_up("demand", demand, DEMANDS)
    attacked, judges = ([load_classifier(name) for name in x] for x in (wanted.attacked, wanted.judges))
    found = low_pass_attack(
        attacked, images, labels, LARGEST / 255, steps=steps, draw=wanted.draw, tier="moderate",
        confidence=wanted.confidence, seed=seed,
    )  # fmt: skip
    filters = [FILTER_SET[name](*images.shape[1:3]) for name in wanted.filters]

    def times(multiple):
        return rounded(images + multiple * (found - images))

    def succeeds(multiple):
        return not any(recognised_by(judges, times(multiple), labels, seen).any() for seen in filters)

    multiple = smallest(succeeds, 1 / 16, 4.0)
    return {
        "right": bool(recognised_by(judges, images, labels, IDENTITY).all()),
        "met": succeeds(multiple),
        **size_and_visibility(images[0], times(multiple)[0]),
    }


def frontier_if_recognised(image, seed):
    """Plan the `frontier` of all demands for those of some images that all four networks recognise.

    Returns
    -------
    plan of a pandas.DataFrame
        For `common.experiments.sweeps`.
    """
    (all_four,) = yield [(frontier, {"demand": "four networks", "image": image, "seed": seed})]
    recognised = all_four.loc[all_four["right"], "image"].to_list()
    (table,) = yield [(frontier, {"demand": list(DEMANDS), "image": recognised, "seed": seed})]
    return table


@experiment(version=2, tolerance=0.1)
def transfer(*, dataset, source, source_seed, arm, epsilon, shift=0, seed):
    """Attack a small network, or several, and show the 10,000 test images to all of `JUDGES`.

    Parameters
    ----------
    dataset : "mnist" or "fashion_mnist"
    source : key of `networks.ARCHITECTURES`, or "all but " and one of them
        The architecture, or architectures, that are attacked.
    source_seed : int
        Of the networks that are attacked.
    arm : "momentum", "universal", "white noise"
        10 steps of `attacks.momentum`; one change for all images, from 100 steps of `attacks.universal` on
        5,000 training images; `attacks.white_noise`.
    epsilon : number
        Largest change of a value, in units of 1 / 255.
    shift : int
        0, or for a targeted attack how far the target lies behind the label.
    seed : int
        Of the attack.

    Returns
    -------
    dict
        For each judge three shares of the test images. right: it recognises them when clean; fooled: of
        these, no longer when attacked; hit: of these, it says the target, or without targets the label.
    """
    test = load_dataset(dataset).test
    images = small_adversarials(dataset, source, source_seed, arm, epsilon, shift, seed)
    shares = {"right": [], "fooled": [], "hit": []}
    for judge in (trained(dataset, *name_and_seed) for name_and_seed in JUDGES):
        right = predictions(judge, test.as_float()) == test.labels
        said = predictions(judge, images)
        shares["right"].append(right.mean())
        shares["fooled"].append((right & (said != test.labels)).mean())
        shares["hit"].append((right & (said == (test.labels + shift) % 10)).mean())
    return shares


def transfers(datasets, seeds, epsilon=25):
    """Return the sweeps of `transfer` by name, for `common.experiments.sweeps`.

    Parameters
    ----------
    datasets : list of str
    seeds : list of int
        Of the networks that are attacked by momentum; else it is 0.
    epsilon : number
        In units of 1 / 255.
    """
    families, both = list(ARCHITECTURES), {"dataset": datasets, "epsilon": epsilon, "seed": 0}
    one, every = ({"source": families, "source_seed": chosen, **both} for chosen in (0, seeds))
    three = {"source": [f"all but {name}" for name in families], "source_seed": 0, **both}
    return {
        "one network": (transfer, {**every, "arm": "momentum"}),
        "three of the families": (transfer, {**three, "arm": "momentum"}),
        "one network, one change for all images": (transfer, {**one, "arm": "universal"}),
        "one network, targeted": (transfer, {**one, "arm": "momentum", "shift": 1}),
        "white noise": (transfer, {"source": "mlp", "source_seed": 0, **both, "arm": "white noise"}),
    }


def small_adversarials(dataset, source, source_seed, arm, epsilon, shift, seed):
    """Return the attacked test images of `transfer`, rounded to 8 bits."""
    look_up("attack", arm, SMALL_ATTACKS)
    names = look_up("source", source, SMALL_SOURCES)
    data = load_dataset(dataset)
    images, epsilon = data.test.as_float(), epsilon / 255
    if arm == "white noise":
        return rounded(attacks.white_noise(images, epsilon, seed))
    classifiers = [trained(dataset, name, source_seed) for name in names]
    loss = targeted(cross_entropy) if shift else cross_entropy
    if arm == "universal":
        part = data.train[-5_000:]
        labels = (part.labels + shift) % 10
        return rounded(
            images + attacks.universal(classifiers, part.as_float(), labels, epsilon, loss=loss, seed=seed)
        )
    labels = (data.test.labels + shift) % 10
    return rounded(attacks.momentum(classifiers, images, labels, epsilon, loss=loss, seed=seed))
