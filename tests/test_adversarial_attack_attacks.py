import eagerpy
import foolbox
import keras
import numpy as np
import pytest
from foolbox.attacks import LinfFastGradientAttack, LinfProjectedGradientDescentAttack
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from adversarial_attack import attacks, filters
from adversarial_attack.attacks import cross_entropy, gradient, margin, targeted

ATTACKS = {
    "fgsm": attacks.fgsm,
    "pgd": attacks.pgd,
    "momentum": attacks.momentum,
    "diverse_input": attacks.diverse_input,
    "translation_invariant": attacks.translation_invariant,
}


def network(seed):
    """Return a smooth untrained classifier of three classes, for images of any size."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential([
        keras.Input((None, None, 3)),
        keras.layers.Conv2D(8, 3, activation="tanh"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(stddev=20)),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def classifiers():
    return [network(0), network(1)]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((6, 12, 14, 3)).astype("float32")


@pytest.fixture(scope="module")
def labels(classifiers, images):
    return np.argmax(classifiers[0].predict(images, verbose=0), axis=1)


def loss_of(classifiers, images, labels, loss=cross_entropy):
    return np.mean([loss(classifier(images), labels) for classifier in classifiers], axis=0)


@pytest.mark.parametrize("loss", [cross_entropy, margin, targeted(cross_entropy)])
def test_gradients_are_those_of_finite_differences(classifiers, images, labels, loss):
    filtered = filters.gaussian_blur(12, 14, 1.0)
    found = gradient(classifiers, images, labels, loss, (filtered, filters.IDENTITY))
    rng = np.random.default_rng(1)
    for _ in range(5):
        change = rng.normal(size=images.shape).astype("float32")
        change /= np.linalg.norm(change)

        def mean_loss(step, change=change):
            moved = images + step * change
            return np.mean(
                [loss_of(classifiers, f(moved), labels, loss) for f in (filtered, filters.IDENTITY)], 0
            )

        slope = (mean_loss(0.05) - mean_loss(-0.05)).sum() / 0.1
        assert np.vdot(found, change) == pytest.approx(slope, rel=0.02, abs=2e-3)


def test_the_margin_tells_what_is_wrong(classifiers, images, labels):
    logits = classifiers[1].predict(images, verbose=0)
    wrong = np.argmax(logits, axis=1) != labels
    np.testing.assert_array_equal(np.asarray(margin(logits, labels)) > 0, wrong)


@pytest.mark.parametrize("name", ATTACKS)
@settings(max_examples=10)
@given(epsilon=st.floats(0, 0.5))
def test_changes_are_bounded(name, classifiers, images, labels, epsilon):
    found = ATTACKS[name](classifiers, images, labels, epsilon)
    assert found.dtype == images.dtype
    assert np.abs(found - images).max() <= epsilon + 1e-6
    assert found.min() >= 0
    assert found.max() <= 1
    if epsilon == 0:
        np.testing.assert_array_equal(found, images)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_repeats_whatever_else_is_attacked(name, classifiers, images, labels):
    together = ATTACKS[name](classifiers, images, labels, 0.05)
    np.testing.assert_array_equal(ATTACKS[name](classifiers, images, labels, 0.05), together)
    alone = ATTACKS[name](classifiers, images[2:3], labels[2:3], 0.05)
    assert np.mean(np.abs(alone[0] - together[2]) > 1e-6) < 0.01


@pytest.mark.parametrize("name", ATTACKS)
def test_larger_changes_raise_the_loss_further(name, classifiers, images, labels):
    losses = [loss_of(classifiers, ATTACKS[name](classifiers, images, labels, epsilon), labels).mean()
              for epsilon in (0, 0.01, 0.05, 0.2)]  # fmt: skip
    assert np.all(np.diff(losses) > 0)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_targeted_attack_makes_its_class_likelier(name, classifiers, images, labels):
    targets = (labels + 1) % 3
    found = ATTACKS[name](classifiers, images, targets, 0.1, loss=targeted(cross_entropy))
    assert (loss_of(classifiers, found, targets) < loss_of(classifiers, images, targets)).all()


@pytest.mark.parametrize(
    ("own", "other"),
    [
        (attacks.fgsm, LinfFastGradientAttack()),
        (
            lambda *given: attacks.pgd(*given, steps=7, step_size=0.01, random_start=False),
            LinfProjectedGradientDescentAttack(steps=7, abs_stepsize=0.01, random_start=False),
        ),
    ],
    ids=["fgsm", "pgd"],
)
def test_attacks_are_those_of_foolbox(own, other, classifiers, images, labels):
    model = foolbox.TensorFlowModel(classifiers[0], bounds=(0, 1))
    tensors = [eagerpy.astensor(keras.ops.convert_to_tensor(x)) for x in (images, labels)]
    _, expected, _ = other(model, *tensors, epsilons=0.03)
    found = own(classifiers[:1], images, labels, 0.03)
    assert np.mean(np.abs(found - expected.numpy()) > 1e-6) < 0.01


def test_without_momentum_the_method_is_projected_gradient_ascent(classifiers, images, labels):
    expected = attacks.pgd(classifiers, images, labels, 0.05, steps=5, step_size=0.01, random_start=False)
    found = attacks.momentum(classifiers, images, labels, 0.05, steps=5, decay=0.0)
    assert np.mean(np.abs(found - expected) > 1e-6) < 0.01


def test_velocity_is_the_decayed_sum_of_gradients_of_unit_mean(classifiers, images, labels):
    first = gradient(classifiers, images, labels)
    moved = np.clip(images + 0.02 * np.sign(first), 0, 1)
    second = gradient(classifiers, moved, labels)
    velocity = sum(
        weight * g / np.abs(g).mean(axis=(1, 2, 3), keepdims=True)
        for weight, g in ((0.7, first), (1, second))
    )
    expected = np.clip(
        moved + 0.02 * np.sign(velocity), np.maximum(images - 0.04, 0), np.minimum(images + 0.04, 1)
    )
    found = attacks.momentum(classifiers, images, labels, 0.04, steps=2, decay=0.7)
    assert np.mean(np.abs(found - expected) > 1e-6) < 0.01


def test_translation_invariant_gradients_are_blurred(classifiers, images, labels):
    blurred = ndimage.gaussian_filter(gradient(classifiers, images, labels), (0, 2, 2, 0), mode="reflect")
    found = attacks.translation_invariant(classifiers, images, labels, 0.05, sigma=2, steps=1)
    expected = np.clip(images + 0.05 * np.sign(blurred), 0, 1)
    assert np.mean(np.abs(found - expected) > 1e-6) < 0.01


def test_other_seeds_draw_other_sizes(classifiers, images, labels):
    one, other = (
        attacks.diverse_input(classifiers, images, labels, 0.05, probability=1, seed=seed) for seed in (0, 1)
    )
    assert (one != other).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((2, 4, 4, 3), "uint8")}, "images must be floating point"),
        ({"images": np.full((2, 4, 4, 3), 2.0)}, r"images must lie in \[0, 1\]"),
        ({"images": np.full((2, 4, 4, 3), np.nan)}, r"images must lie in \[0, 1\]"),
        ({"epsilon": -0.1}, "epsilon must be at least 0"),
        ({"epsilon": np.nan}, "epsilon must be at least 0"),
        ({"steps": 0}, "steps must be at least 1"),
    ],
)
def test_bad_input_gets_one_clear_sentence(change, message):
    given = {
        "images": np.zeros((2, 4, 4, 3)),
        "labels": np.zeros(2, int),
        "epsilon": 0.1,
        "steps": 2,
    } | change
    with pytest.raises(ValueError, match=message):
        attacks.momentum([], **given)
    with pytest.raises(ValueError, match=message):
        attacks.pgd([], **given)
