import eagerpy
import foolbox
import keras
import numpy as np
import pytest
from foolbox.attacks import LinfFastGradientAttack, LinfProjectedGradientDescentAttack
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from adversarial_attack import attacks, coordinates, filters
from adversarial_attack.gradients import (
    cross_entropy,
    cross_entropy_with_margin,
    gradient,
    gradient_and_losses,
    margin,
    predictions,
    relative,
    targeted,
    up_to,
)
from adversarial_attack.visibility import excess
from common.pixels import as_bytes

ATTACKS = {
    "fgsm": attacks.fgsm,
    "pgd": attacks.pgd,
    "momentum": attacks.momentum,
    "diverse_input": attacks.diverse_input,
    "translation_invariant": attacks.translation_invariant,
    "low_pass_attack": lambda *given, **options: attacks.low_pass_attack(
        *given, **{"steps": 6, "draw": a_blur, "confidence": 100.0} | options
    ),
}


def a_blur(shape, step, rng):
    return filters.gaussian_blur(*shape, float(rng.uniform(0.1, 1)))


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
    return np.argmax(classifiers[0](images), axis=1)


def loss_of(classifiers, images, labels, loss=cross_entropy):
    return np.mean([loss(classifier(images), labels) for classifier in classifiers], axis=0)


@pytest.mark.parametrize("loss", [cross_entropy, margin, targeted(cross_entropy)])
def test_gradients_are_those_of_finite_differences(classifiers, images, labels, loss):
    filtered = filters.gaussian_blur(12, 14, 1.0)
    found = gradient(classifiers, images, labels, loss, (filtered, filters.IDENTITY))
    rng = np.random.default_rng(1)
    for _ in range(3):
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
    logits = np.asarray(classifiers[1](images))
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
    loss = targeted(margin if name == "low_pass_attack" else cross_entropy)
    found = ATTACKS[name](classifiers, images, targets, 0.1, loss=loss)
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
        ({"images": np.full((2, 4, 4, 3), 128.0)}, r"reach from 128 to 128; divide them by 255"),
        ({"images": np.full((2, 4, 4, 3), np.nan)}, "images must be finite"),
        ({"labels": [[0], [1]]}, r"labels must be one integer an image, shape \(2,\), .* take \[:, 0\]"),
        ({"labels": [0, 3]}, "labels must lie in 0 to 2"),
        ({"epsilon": -0.1}, r"epsilon must lie in \[0, 1\]"),
        ({"epsilon": np.nan}, r"epsilon must lie in \[0, 1\]"),
        ({"epsilon": "0.1"}, r"epsilon must lie in \[0, 1\]"),
        ({"step_size": 2}, r"step_size must lie in \[0, 1\], not be 2"),
        ({"epsilon": 8}, r"epsilon must lie in \[0, 1\], as images do, not be 8; write 8 / 255"),
        ({"steps": 0}, "steps must be a whole number of at least 1"),
        ({"seed": None}, "seed must be a whole number of at least 0, not None"),
        ({"classifiers": []}, "at least one classifier"),
    ],
)
def test_bad_input_gets_one_clear_sentence(classifiers, change, message):
    given = {
        "classifiers": classifiers,
        "images": np.zeros((2, 4, 4, 3)),
        "labels": np.zeros(2, int),
        "epsilon": 0.1,
        "steps": 2,
    } | change
    with pytest.raises(ValueError, match=message):
        attacks.momentum(**given)
    with pytest.raises(ValueError, match=message):
        attacks.pgd(**given)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda *data: attacks.diverse_input(*data, 0.1, probability=50),
            r"probability must lie in \[0, 1\]",
        ),
        (lambda *data: attacks.diverse_input(*data, 0.1, smallest=90), r"smallest must lie in \[0, 1\]"),
        (lambda _, x, y: attacks.white_noise(x, 8), r"epsilon must lie in \[0, 1\]"),
        (lambda _, x, y: attacks.low_pass_noise(x, 0.1, seed=None), "seed must be a whole number"),
        (lambda _, x, y: attacks.low_pass_noise(x, 0.1, 12.5), r"share must lie in \[0, 1\]"),
        (lambda _, x, y: attacks.low_pass_noise(x, 0.1, 0.01), "leaves nothing of 12 pixels"),
        (lambda net, x, y: gradient(net, x, y + 1, margin), "labels must lie in 0 to 2"),
        (lambda net, x, y: predictions(net[0], x * np.nan), "images must be finite"),
        (lambda net, x, y: predictions(net[0], (255 * x).astype("uint8")), "images must be floating point"),
    ],
)
def test_other_mistakes_get_one_clear_sentence(classifiers, images, call, message):
    with pytest.raises(ValueError, match=message):
        call(classifiers, images, np.arange(6) % 3)


@pytest.mark.parametrize("name", ATTACKS)
def test_classifiers_that_return_probabilities_are_refused(name, classifiers, images, labels):
    probable = keras.Sequential([classifiers[0], keras.layers.Softmax()])
    with pytest.raises(ValueError, match="these are probabilities; leave the softmax out"):
        ATTACKS[name](probable, images, labels, 0.1)


def test_one_classifier_is_a_list_of_one(classifiers, images, labels):
    one = attacks.pgd(classifiers[0], images, labels, 0.1, steps=2)
    np.testing.assert_array_equal(one, attacks.pgd(classifiers[:1], images, labels, 0.1, steps=2))


def test_losses_are_raised_up_to_the_confidence(classifiers, images, labels):
    logits = np.asarray(classifiers[0](images))
    margins = np.asarray(margin(logits, labels))
    capped = np.asarray(up_to(np.median(margins), margin)(logits, labels))
    np.testing.assert_array_equal(capped, np.minimum(margins, np.median(margins)))


def test_all_losses_come_with_the_gradient(classifiers, images, labels):
    through = (filters.gaussian_blur(12, 14, 1.0), filters.IDENTITY)
    _, losses = gradient_and_losses(classifiers, images, labels, margin, through)
    expected = [margin(net(seen(images)), labels) for seen in through for net in classifiers]
    np.testing.assert_allclose(losses, expected, atol=1e-5)


def test_predictions_are_the_largest_logits(classifiers, images, monkeypatch):
    monkeypatch.setattr("adversarial_attack.gradients.BATCH_SIZE", 4)
    expected = np.argmax(classifiers[1](images), axis=1)
    np.testing.assert_array_equal(predictions(classifiers[1], images), expected)


def test_relative_losses_do_not_depend_on_the_scale_of_the_logits(classifiers, images, labels):
    logits = np.asarray(classifiers[0](images))
    found = np.asarray(relative(margin)(logits, labels))
    np.testing.assert_allclose(found, margin(logits, labels) / logits.std(axis=-1), rtol=1e-5)
    np.testing.assert_allclose(relative(margin)(7 * logits, labels), found, rtol=1e-5)


def test_the_margin_with_the_gradient_of_the_cross_entropy_has_both(classifiers, images, labels):
    slope, losses = gradient_and_losses(
        classifiers, images, labels, cross_entropy_with_margin, (filters.IDENTITY,)
    )
    np.testing.assert_allclose(slope, gradient(classifiers, images, labels), atol=1e-6)
    np.testing.assert_allclose(losses, [margin(net(images), labels) for net in classifiers], atol=1e-4)


THROUGH_FILTERS = {
    "low pass": attacks.low_pass_attack,
    "PGD": attacks.pgd_through_filters,
    "DDN": attacks.ddn_through_filters,
}


@pytest.mark.parametrize("tier", ["strict", "moderate"])
@pytest.mark.parametrize("name", THROUGH_FILTERS)
def test_attacks_through_filters_keep_their_tier_in_8_bits(name, classifiers, images, labels, tier):
    attack = THROUGH_FILTERS[name]
    found = attack(classifiers, images, labels, 0.5, steps=20, draw=a_blur, tier=tier)
    np.testing.assert_array_equal(found, (as_bytes(found) / 255).astype("float32"))
    reached = [excess(*pair, tier) for pair in zip(images, found, strict=True)]
    assert max(reached) <= 1
    assert np.median(reached) > (0.1 if name == "DDN" else 0.7)  # DDN stops growing where it succeeds
    before, after = (loss_of(classifiers, x, labels, margin) for x in (images, found))
    assert np.mean(after > before) > 0.8


def test_the_best_round_is_kept_not_the_last():
    images = np.arange(6.0).reshape(6, 1, 1, 1)
    best = attacks._Best(np.full_like(images, -1), 40)  # of steps 24 to 39, the rounds end at 39 and no other
    for step in range(40):
        best.saw(step, images + 100 * step, np.zeros((2, 6)))
    np.testing.assert_array_equal(best.images.ravel(), 3900 + np.arange(6))
    best = attacks._Best(np.full_like(images, -1), 60)  # the last measurement is at step 36: 49 and 59
    for step in range(60):
        losses = np.where(np.arange(6) < 3, step < 50, step >= 50).astype(float)
        best.saw(step, images + 100 * step, np.stack([losses, losses]))
    np.testing.assert_array_equal(best.images.ravel(), [4900, 4901, 4902, 5903, 5904, 5905])


@given(seed=st.integers(0, 100))
@settings(max_examples=10)
def test_a_change_is_held_back_where_it_is_concentrated(seed):
    change = np.random.default_rng(seed).normal(size=(2, 96, 80, 3))
    change[:, :20, :20] *= 10
    size = np.full((2, 1, 1, 1), 2.0)
    found = attacks._evened(change, size)
    assert (np.abs(found) <= np.abs(change) + 1e-12).all()
    np.testing.assert_array_equal(found[:, 50:, 50:], change[:, 50:, 50:])
    before, after = (
        np.sqrt(ndimage.uniform_filter((x**2).sum(axis=-1), (0, attacks.WINDOW, attacks.WINDOW)).max())
        for x in (change, found)
    )
    assert after < 1.4 * attacks.UNEVEN * 2 < before


def test_the_low_pass_attack_spends_no_more_than_success_takes(images):
    undecided = network(2)
    undecided.layers[-1].bias.assign(-np.mean(undecided(images), axis=0))
    labels = np.argmax(undecided(images), axis=1)
    options = {"steps": 80, "draw": lambda *_: filters.IDENTITY}
    found = [
        attacks.low_pass_attack([undecided], images, labels, 1.0, confidence=confidence, **options)
        for confidence in (0.1, 0.5, 1.0)
    ]
    assert np.all(np.diff([np.abs(changed - images).mean() for changed in found]) > 0)
    assert (margin(undecided(found[-1]), labels) > 0).numpy().all()


def test_the_low_pass_attack_does_better_behind_its_filter_than_another_of_equal_size(
    classifiers, images, labels
):
    blur = filters.gaussian_blur(12, 14, 1.0)
    options = {"draw": lambda *_: blur, "coordinates": coordinates.pixels, "confidence": 1e3}
    change = attacks.low_pass_attack(classifiers, images, labels, 0.5, steps=20, **options) - images
    other = attacks.pgd(classifiers, images, labels, 0.5, steps=20) - images
    other *= np.linalg.norm(change) / np.linalg.norm(other)
    own, others = (loss_of(classifiers, blur(images + x), labels, margin).mean() for x in (change, other))
    assert own > others > loss_of(classifiers, blur(images), labels, margin).mean()


def test_one_change_raises_the_loss_of_all_images(classifiers, images, labels):
    change = attacks.universal(classifiers, images, labels, 0.1, steps=20, batch_size=3)
    assert change.shape == images.shape[1:]
    assert np.abs(change).max() <= 0.1
    moved = loss_of(classifiers, np.clip(images + change, 0, 1), labels)
    random = loss_of(classifiers, attacks.white_noise(images, 0.1), labels)
    assert moved.mean() > random.mean()


@given(epsilon=st.floats(0, 0.2), seed=st.integers(0, 100))
def test_noise_is_as_large_as_it_shall_be(epsilon, seed):
    grey = np.full((2, 16, 24, 3), 0.5, "float32")
    white, low = (
        make(grey, epsilon, seed=seed) - grey for make in (attacks.white_noise, attacks.low_pass_noise)
    )
    np.testing.assert_allclose(np.abs(white), epsilon, atol=1e-6)
    np.testing.assert_allclose(np.abs(low).max(axis=(1, 2, 3)), epsilon, atol=1e-6)
    np.testing.assert_allclose(filters.low_frequencies(16, 24, 1 / 8)(low), low, atol=1e-6)


@given(seed=st.integers(0, 100))
@settings(max_examples=10)
def test_the_size_of_a_change_is_that_of_its_coordinates(seed):
    rng = np.random.default_rng(seed)
    images = rng.random((1, 12, 10, 3)).astype("float32")
    chosen = rng.normal(size=(1, 12, 10, 3))
    change = coordinates.perceptual(images.astype("float64"))(chosen)
    expected = np.sqrt((chosen**2).sum(axis=-1).mean())
    assert coordinates.size_of(images, change) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", ["perceptual", "luma", "pixels", "low_pass"])
@given(seed=st.integers(0, 100))
@settings(max_examples=10)
def test_coordinates_have_their_adjoints(name, seed):
    rng = np.random.default_rng(seed)
    images, gradients = rng.random((2, 2, 12, 10, 3))
    make = coordinates.low_pass(0.5) if name == "low_pass" else getattr(coordinates, name)
    change_by = make(images)
    chosen = rng.normal(size=change_by.adjoint(gradients).shape)
    changes = change_by(chosen)
    assert changes.shape == images.shape
    assert np.vdot(changes, gradients) == pytest.approx(np.vdot(chosen, change_by.adjoint(gradients)))
    if name == "luma":
        np.testing.assert_array_equal(changes[..., 0], changes[..., 2])
    if name == "low_pass":
        np.testing.assert_allclose(filters.low_frequencies(12, 10, 0.5)(changes), changes, atol=1e-9)
