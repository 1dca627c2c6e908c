import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from common import checkpoints
from wavelet_based_dnn import scene_training
from wavelet_based_dnn.refinement import classify
from wavelet_based_dnn.rivals import FinestLevel, build_plain_pyramid
from wavelet_based_dnn.scale_network import answers, build_scale_network
from wavelet_based_dnn.scene_training import CANVASES, Schedule, cells_within, loss_of, train_on_scenes
from wavelet_based_dnn.scenes import Clutter

SCHEDULE = Schedule(steps=4, learning_rate=1e-2, canvases=((28, 28),))
PLAIN = Clutter(sizes=(28, 28), patches=0, noise=0)
WITHOUT_BIASES = build_scale_network(filters=(4,) * 7)  # biases start at 0


@pytest.fixture
def short(monkeypatch, eagerly):
    """Let a row of the history be 2 steps of 2 scenes; of so few steps, tracing would take longer."""
    monkeypatch.setattr(scene_training, "STEPS_A_ROW", 2)
    monkeypatch.setattr(scene_training, "BATCH_SIZE", 2)


def halves(count=8):
    """Return images whose upper half is bright, of class 0, and whose lower half is, of class 1."""
    labels = np.arange(count) % 2
    images = np.zeros((count, 28, 28, 1), "float32")
    images[labels == 0, :14] = images[labels == 1, 14:] = 1
    return images, labels


@settings(max_examples=3)
@given(st.integers(90, 130), st.integers(130, 160), st.integers(0, 2**31), st.floats(1 / 64, 1, width=32))
def test_training_reads_within_a_budget_what_refinement_reads(network, height, width, seed, budget):
    images = np.random.default_rng(seed).random((2, height, width, 1), dtype="float32")
    images[:, : height // 2] = 0
    for one in (network, WITHOUT_BIASES):  # there, black tiles have equal evidence
        expected = classify(one, images, budget=budget).logits
        cells = cells_within(one, tf.constant(images), budget)
        for found, logits in zip(answers(cells), expected, strict=True):
            np.testing.assert_allclose(found, logits, atol=1e-4)


@pytest.mark.parametrize("build", [build_plain_pyramid, lambda: FinestLevel("haar", (4,) * 7, 10, 0)])
def test_equal_seeds_give_equal_bits_and_others_do_not(short, build):
    found = []
    for seed in (3, 3, 4):
        network = build()
        history = train_on_scenes(network, *halves(), SCHEDULE._replace(steps=2), seed=seed)
        assert list(history["epoch"]) == [1]
        found.append(network.get_weights())
    assert all(np.array_equal(*pair) for pair in zip(*found[:2], strict=True))
    assert not all(np.array_equal(*pair) for pair in zip(*found[1:], strict=True))


def tiny():
    return build_scale_network(filters=(4,) * 7)


def test_a_killed_training_continues_with_the_same_bits(short, tmp_path, monkeypatch):
    whole = tiny()
    expected = train_on_scenes(whole, *halves(), SCHEDULE, seed=3)

    class Killed(Exception):
        pass

    def kill_after_one(path, *rest):
        save(path, *rest)
        raise Killed

    save, run = checkpoints._save, {"seed": 3, "checkpoint": tmp_path / "run.npz"}
    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "_save", kill_after_one)
        with pytest.raises(Killed):
            train_on_scenes(tiny(), *halves(), SCHEDULE, **run)
    resumed = tiny()
    assert train_on_scenes(resumed, *halves(), SCHEDULE, **run).equals(expected)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for change in ({"clutter": PLAIN}, {"level_weights": (0.2,)}, {"canvases": ((28, 30),)}):
        with pytest.raises(ValueError, match=f"belongs to another run, with other {next(iter(change))};"):
            train_on_scenes(tiny(), *halves(), SCHEDULE._replace(**change), **run)


def test_a_few_steps_learn_and_are_traced_once_a_canvas(monkeypatch):
    traced = []

    def read(network, images, budget):
        traced.append(tuple(images.shape[1:3]))
        return cells_within(network, images, budget)

    monkeypatch.setattr(scene_training, "cells_within", read)
    monkeypatch.setattr(scene_training, "STEPS_A_ROW", 15)
    monkeypatch.setattr(scene_training, "BATCH_SIZE", 8)
    schedule = Schedule(steps=30, learning_rate=2e-2, canvases=((28, 28),), clutter=PLAIN)
    network, (images, labels) = build_scale_network(filters=(8,) * 7, classes=2), halves()
    loss = train_on_scenes(network, images, labels, schedule, seed=0)["loss"]
    assert loss.iloc[-1] < 0.5 * loss.iloc[0]
    np.testing.assert_array_equal(network(images)[-1].numpy().argmax(1), labels)
    assert traced == [(28, 28)]


def test_small_canvases_come_first_and_a_quarter_of_the_steps_computes_all():
    schedule = Schedule(steps=2_000)
    drawn = [scene_training._drawn(schedule, 0, number) for number in range(schedule.steps)]
    for steps, canvases in ((slice(160), 1), (slice(160, 1_400), 3), (slice(1_400, None), 7)):
        assert {canvas for canvas, _ in drawn[steps]} == {*CANVASES[:canvases]}
    budgets = np.array([budget for _, budget in drawn])
    assert 0.05 <= budgets.min() < 0.1
    assert np.mean(budgets == 1) == pytest.approx(0.25, abs=0.05)


def test_without_boxes_the_loss_is_the_cross_entropy_of_the_class(network):
    images, labels = halves(4)
    cells, sides = network.cells(images), network.cell_sides(images)
    everywhere = np.tile(np.array([[0, 0, 28, 28]], "float32"), (4, 1))
    errors = [tf.nn.sparse_softmax_cross_entropy_with_logits(labels, level) for level in network(images)]
    for count, expected in enumerate(np.mean(errors, axis=1), 1):
        levels = list(zip(cells, sides, strict=True))[:count]
        np.testing.assert_allclose(loss_of(levels, labels, everywhere), expected, rtol=1e-4)


@settings(max_examples=5)
@given(st.integers(0, 2**31))
def test_the_loss_is_minus_the_log_of_a_softmax_over_places_and_classes(seed):
    rng = np.random.default_rng(seed)
    scores = [rng.normal(size=(2, rows, columns, 3)).astype("float32") for rows, columns in ((2, 3), (3, 5))]
    boxes, labels = np.array([[0, 0, 14, 14], [9, 17, 7, 7]], "float32"), rng.integers(0, 3, 2)
    cells = {  # by hand: rows and columns that overlap the two boxes
        0: (slice(0, 2), slice(0, 2), slice(0, 4), slice(0, 4)),
        1: (slice(1, 2), slice(2, 3), slice(2, 4), slice(4, 6)),
    }
    levels_and_sides = list(zip(scores, [(8, 8), (4, 4)], strict=True))
    for levels in (1, 2):
        expected = []
        for scene, (rows, columns, fine_rows, fine_columns) in cells.items():
            whole = softmax(np.concatenate([level[scene].ravel() for level in scores[:levels]]))
            parts = np.split(whole, [scores[0][scene].size])
            shares = [
                part.reshape(level[scene].shape) for part, level in zip(parts, scores[:levels], strict=False)
            ]
            areas = [(rows, columns), (fine_rows, fine_columns)]
            expected.append(
                sum(s[(*area, labels[scene])].sum() for s, area in zip(shares, areas, strict=False))
            )
        loss = loss_of(levels_and_sides[:levels], labels, boxes)
        assert loss.numpy() == pytest.approx(-np.log(expected).mean(), rel=1e-4)


def test_a_scene_whose_object_was_not_computed_does_not_count():
    scores = np.zeros((2, 2, 2, 3), "float32")
    scores[1, 0, 0] = scene_training.NOTHING
    boxes, labels = np.array([[0, 0, 4, 4], [0, 0, 4, 4]], "float32"), np.array([0, 0])
    scores = tf.Variable(scores)
    with tf.GradientTape() as tape:
        loss = loss_of([(scores, (4, 4))], labels, boxes)
    assert loss.numpy() == pytest.approx(np.log(12) / 2)
    assert not tape.gradient(loss, scores)[1].numpy().any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 150}, "steps must be a multiple of 100, not 150"),
        ({"steps": 0}, "steps must be a whole number of at least 1, not 0"),
        ({"learning_rate": -1}, "learning_rate must be a positive number, not -1"),
        (
            {"level_weights": (0, 1)},
            r"level_weights must be a tuple of positive numbers, not \(0, 1\)",
        ),
        ({"canvases": ()}, r"canvases must be at least one \(height, width\), not \(\)"),
        ({"canvases": ((28, 28), 40)}, r"canvas must be \(height, width\) in pixels, not 40"),
        ({"canvases": ((28, 28), (9, 40))}, "canvas must hold an object of 14 pixels"),
        ({"clutter": None}, "clutter must be a Clutter, such as DYNAMIC, not None"),
    ],
)
def test_schedule_errors_are_one_clear_sentence(change, message):
    with pytest.raises(ValueError, match=message):
        train_on_scenes(None, *halves(), Schedule(steps=100)._replace(**change), seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": halves()[0] * 255}, r"images must lie in \[0, 1\], .*; divide them by 255"),
        ({"labels": np.full(8, 10)}, "labels must lie in 0 to 9"),
        ({"labels": np.zeros(7, int)}, "there are 8 images and 7 labels"),
        ({"seed": None}, "seed must be a whole number"),
        ({"schedule": 100}, r"schedule must be a Schedule, such as Schedule\(steps=1000\), not 100"),
        (
            {"network": lambda images: tf.zeros((1, 10))},
            "network must be a ScaleNetwork or one of rivals, not a function",
        ),
    ],
)
def test_what_cannot_be_trained_on_gets_one_clear_sentence(network, change, message):
    images, labels = halves()
    run = {"network": network, "images": images, "labels": labels, "schedule": Schedule(steps=100), "seed": 0}
    with pytest.raises(ValueError, match=message):
        train_on_scenes(**run | change)
