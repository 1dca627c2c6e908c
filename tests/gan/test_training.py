import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from common.data import load_mnist
from gan import minimising, training
from gan.training import LOSSES, PENALTIES, Recipe, train_gan

DIGIT = (28, 28, 1)
logits = st.lists(st.floats(-20, 20), min_size=1, max_size=8).map(lambda x: np.float32(x)[:, None])


def images(count=160):
    return load_mnist().train[:count].as_float()


@given(equal=logits)
def test_players_that_cannot_tell_lose_the_logarithm_of_two(equal):
    for loss, logits in (("relativistic", equal), ("non-saturating", 0 * equal)):
        assert float(LOSSES[loss].of_discriminator(logits, logits)) == pytest.approx(np.log(2))
        assert float(LOSSES[loss].of_generator(logits, logits)) == pytest.approx(np.log(2))


@given(real=logits, shift=st.floats(-5, 5))
def test_the_non_saturating_loss_is_the_cross_entropy_of_keras(real, shift):
    generated = real[::-1] + np.float32(shift)
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    plain = LOSSES["non-saturating"]
    expected = (bce(np.ones_like(real), real) + bce(np.zeros_like(generated), generated)) / 2
    assert float(plain.of_discriminator(real, generated)) == pytest.approx(
        float(expected), rel=1e-4, abs=1e-5
    )
    assert float(plain.of_generator(real, generated)) == pytest.approx(
        float(bce(np.ones_like(generated), generated)), rel=1e-4, abs=1e-5
    )


@given(real=logits, shift=st.floats(-5, 5))
def test_the_relativistic_loss_sees_differences_only(real, shift):
    generated = real[::-1]
    relative = LOSSES["relativistic"]
    shifted = relative.of_discriminator(real + np.float32(shift), generated + np.float32(shift))
    assert float(shifted) == pytest.approx(
        float(relative.of_discriminator(real, generated)), rel=1e-4, abs=1e-5
    )
    assert float(relative.of_generator(real, generated)) == float(relative.of_discriminator(generated, real))


@pytest.mark.parametrize("seed", range(3))
def test_the_slope_of_a_linear_discriminator_is_its_weight(seed):
    kernel = np.random.default_rng(seed).normal(size=(784, 1)).astype("float32")
    linear = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)]
    )
    linear.set_weights([kernel])
    found = training.squared_slope(linear, tf.constant(images(count=5)))
    assert float(found) == pytest.approx(5 * np.sum(kernel**2), rel=1e-5)


def weights(trained):
    return [np.array(x) for model in trained[:3] for x in model.get_weights()]


def brightness(generator):
    return float(np.mean(generator(np.linspace(-1, 1, 60).reshape(20, 3))))


def test_a_training_that_was_killed_continues_with_the_same_bits(tiny, tmp_path):
    recipe = Recipe(normalised=True)  # all the state that there can be
    options = {"images": images(48), "latent_size": 3, "recipe": recipe, "epochs": 2, "seed": 5}
    whole = train_gan(**options, validate=brightness)
    calls = itertools.count()

    def killed_in_the_second_epoch(generator):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return brightness(generator)

    checkpoint = tmp_path / "gan.npz"
    with pytest.raises(KeyboardInterrupt):
        train_gan(**options, checkpoint=checkpoint, validate=killed_in_the_second_epoch)
    resumed = train_gan(**options, checkpoint=checkpoint, validate=brightness)
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole.history.equals(resumed.history)
    others = ({"seed": 6}, "seed, generator"), ({"images": 1 - images(48)}, "data;")
    for change, name in others:
        with pytest.raises(ValueError, match=f"belongs to another run, with other {name}"):
            train_gan(**options | change, checkpoint=checkpoint, validate=brightness)


@pytest.mark.parametrize("distances", [[0.5, 2.0, 3.0], [3.0, 0.5, 2.0]])
def test_the_best_epoch_is_the_result(tiny, distances):
    seen = []

    def validate(generator):
        seen.append(generator.get_weights())
        return distances[(len(seen) - 1) // 2]

    trained = train_gan(images(count=32), 2, epochs=3, seed=0, validate=validate)
    averaged = seen[::2]
    for found, weight in zip(trained.best.get_weights(), averaged[np.argmin(distances)], strict=True):
        np.testing.assert_array_equal(found, weight)
    assert list(trained.history["distance"]) == distances


def test_without_distances_the_last_epoch_is_the_result(tiny):
    few, epochs = images(count=32), 2
    last = train_gan(few, 2, epochs=epochs, seed=0).best.get_weights()
    chosen = train_gan(few, 2, epochs=epochs, seed=0, validate=lambda _: 1.0).best.get_weights()
    falling = iter([4, 3, 2, 1])
    same = train_gan(few, 2, epochs=epochs, seed=0, validate=lambda _: next(falling)).best.get_weights()
    assert all(np.array_equal(one, other) for one, other in zip(last, same, strict=True))
    assert not all(np.array_equal(one, other) for one, other in zip(last, chosen, strict=True))


@given(values=st.lists(st.floats(-5, 5), min_size=1, max_size=6))
def test_the_first_average_is_the_mean_of_all_steps(values):
    averaged, model = (keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in range(2))
    for step, value in enumerate(values):
        model.set_weights([np.full((1, 1), value), np.full(1, -value)])
        minimising.update_average(averaged, model, step)
    kernel, bias = averaged.get_weights()
    assert [kernel.item(), -bias.item()] == pytest.approx([np.mean(values)] * 2, abs=1e-5)


def test_later_the_average_forgets_the_beginning():
    averaged, model = (keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in range(2))
    averaged.set_weights([np.zeros((1, 1)), np.zeros(1)])
    model.set_weights([np.ones((1, 1)), np.ones(1)])
    for step in range(10_000, 10_000 + minimising.AVERAGED_OVER // 10):
        minimising.update_average(averaged, model, step)
    assert averaged.get_weights()[0] == pytest.approx(1 - np.exp(-0.1), abs=1e-3)


def test_a_tiny_training_moves_towards_the_images():
    real = images(480)
    points = np.random.default_rng(0).uniform(-1, 1, (200, 8))

    def validate(generator):
        mean = np.asarray(generator(points)).mean(axis=0)
        return np.abs(mean - real.mean(axis=0)).mean()

    distances = train_gan(real, 8, epochs=3, seed=1, validate=validate).history["distance"]
    assert distances.iloc[-1] < 0.8 * distances[0]


@pytest.mark.parametrize("recipe", [Recipe(loss="wrong"), Recipe(penalty="wrong")])
def test_an_unknown_loss_or_penalty_is_refused(recipe):
    with pytest.raises(ValueError, match=f"{', '.join(LOSSES)}.*{PENALTIES[-1][:2]}"):
        train_gan(images(), 2, recipe, epochs=1, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.full((20, *DIGIT), 255.0)}, r"images must lie in \[0, 1\], .*; divide them by 255"),
        ({"images": np.full((20, *DIGIT), np.nan)}, "images must be finite"),
        (
            {"images": np.zeros((20, *DIGIT), "uint8")},
            "images must be floating point, but the .* uint8",
        ),
        ({"seed": None}, "seed must be a whole number of at least 0, not None"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        (
            {"validate": lambda _: np.nan},
            "Epoch 1 has distance nan .* validation did not return a number",
        ),
    ],
)
def test_what_cannot_be_trained_on_gets_one_clear_sentence(tiny, change, message):
    with pytest.raises(ValueError, match=message):
        train_gan(**{"images": images(20), "latent_size": 2, "epochs": 1, "seed": 0} | change)


def test_images_of_double_precision_train_like_those_of_single(tiny):
    bytes_ = load_mnist().train[:32].images
    one, other = (train_gan(x, 2, epochs=1, seed=0) for x in (images(32), bytes_ / 255))
    assert one.history.equals(other.history)


def test_fewer_images_than_a_batch_are_refused():
    with pytest.raises(ValueError, match="needs 16 images, but there are 15"):
        train_gan(images(count=15), 2, epochs=1, seed=0)


@pytest.mark.parametrize(("every", "validated"), [(1, [1, 2, 3]), (2, [2, 3]), (5, [3])])
def test_epochs_are_validated_at_equal_distances_and_watched_always(tiny, every, validated):
    watched, judged = [], []

    def validate(generator):
        judged.append(generator)
        return 1.0

    trained = train_gan(
        images(32), 2, epochs=3, seed=0, validate=validate, validate_every=every, judge_last=False,
        watch=lambda averaged, last: watched.append((averaged, last)),
    )  # fmt: skip
    distances = trained.history["distance"].dropna()
    assert list(trained.history.loc[distances.index, "epoch"]) == validated
    assert "distance_not_averaged" not in trained.history
    assert len(watched) == 3
    assert all(last is trained.last for _, last in watched)
    assert all(generator is watched[0][0] for generator in judged)


def test_watching_and_the_last_weights_change_no_result(tiny):
    few = images(32)
    plain = train_gan(few, 2, epochs=2, seed=0, validate=brightness_of_two)
    watched = train_gan(
        few, 2, epochs=2, seed=0, validate=brightness_of_two, judge_last=False, watch=lambda *_: None
    )
    for one, other in zip(weights(plain), weights(watched), strict=True):
        np.testing.assert_array_equal(one, other)


def brightness_of_two(generator):
    return float(np.mean(generator(np.linspace(-1, 1, 40).reshape(20, 2))))


def test_players_have_the_octaves_and_the_width_of_the_recipe():
    averaged, best, last, discriminator = training.players(2, Recipe(width=16), 6, 3)
    assert averaged.get_weights()[0].shape == (2 * (1 + 2 * 6), 256)
    assert discriminator.get_weights()[0].shape[-1] == 16
    for first, second in itertools.combinations((averaged, best, last), 2):
        assert all(
            np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True)
        )
