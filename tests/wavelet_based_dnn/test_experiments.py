import numpy as np
import pytest

from common.data import Dataset, load_dataset
from wavelet_based_dnn import boxed, experiments, scene_evaluation, scene_training, trainings
from wavelet_based_dnn.boxed import crops
from wavelet_based_dnn.refinement import by_boxes, classify
from wavelet_based_dnn.scene_evaluation import resized, right_answers, routed, scene_batches, stopped
from wavelet_based_dnn.scenes import DYNAMIC, draw_scenes

CELLS = (((28, 28), (30, 40)), ((14, 56), (70, 70)))
QUICK = {"learning_rate": 1e-3, "steps": 2, "seed": 0}


@pytest.fixture
def few(monkeypatch, eagerly, tmp_path):
    """Few images, scenes and steps, kept nowhere."""
    data = load_dataset("mnist")
    for module in (experiments, trainings):
        monkeypatch.setattr(module, "load_dataset", lambda name: Dataset(data.train[:60], data.test[:20]))
        monkeypatch.setattr(module, "TRAINING_IMAGES", 40)
    numbers = {"VALIDATION_SCENES": 10, "TEST_SCENES": 20, "PUBLISHED_SCENES": 10, "TIGHT_SIZES": (8, 14)}
    grids = {"CELLS": CELLS, "ROUTED": CELLS, "VALIDATION_CANVAS": (28, 28), "BUDGETS": (0.0, 1.0)}
    for name, value in (numbers | grids).items():
        monkeypatch.setattr(experiments, name, value)
    monkeypatch.setattr(scene_evaluation, "BATCH", 10)
    monkeypatch.setattr(trainings, "TRAININGS", tmp_path / "none")
    for module in (scene_training, boxed):
        monkeypatch.setattr(module, "STEPS_A_ROW", 1)
        monkeypatch.setattr(module, "BATCH_SIZE", 2)


def test_native_scale_and_tuning_judge_the_same_network(few):
    native = experiments.native_scale(variant="Haar", **QUICK)
    tuned = experiments.tuning(variant="Haar", **QUICK)
    np.testing.assert_array_equal(native["validation"], tuned["validation"])
    assert native["loss"][-1] == tuned["loss"]
    for name in ("28_in_30x40", "mixed_in_70x70"):
        assert native[f"right_{name}"].shape == (4 * 20,)


def test_a_budget_of_all_tiles_is_right_where_the_whole_network_is(few):
    native = experiments.native_scale(variant="Haar", **QUICK)
    read = experiments.routing(**QUICK)
    for name in ("28_in_30x40", "mixed_in_70x70"):
        whole = read[f"right_true boxes_{name}"].reshape(2, 20)[-1]
        np.testing.assert_array_equal(whole, native[f"right_{name}"].reshape(4, 20)[-1])


@pytest.mark.parametrize("rule", experiments.RULES)
def test_routed_answers_are_those_of_classify(network, rule):
    test, seed = load_dataset("mnist").test, 3
    drawn = [draw_scenes(test.as_float(), test.labels, 5, (150, 170), seed=number) for number in range(2)]
    for budget in (0.0, 0.3):
        said = []
        for number, one in enumerate(drawn):
            chosen = by_boxes(one.boxes) if rule == "true boxes" else experiments.RULES[rule]
            read = classify(network, one.images, budget=budget, rule=chosen, seed=1_000 * seed + number)
            said.append(one._replace(labels=read.classes))
        assert routed(network, said, {rule: experiments.RULES[rule]}, [budget], seed)[rule].all()


def test_other_experiments_return_a_decision_for_each_image_or_scene(few, monkeypatch):
    assert experiments.published(clutter="mnih_60", variant="plain pyramid", **QUICK)["right"].shape == (10,)
    alone = experiments.tight(variant="Haar", **QUICK)
    assert {name: right.shape for name, right in alone.items()} == {"right_8": (20,), "right_14": (20,)}
    monkeypatch.setattr(experiments, "MIXED", CELLS[1])
    stopped = experiments.stopping(**QUICK)
    right = stopped["right"].reshape(len(experiments.CONFIDENCES) + 4, 20)
    np.testing.assert_array_equal(right[-1], right[len(experiments.CONFIDENCES) - 1])  # neither stops
    told = experiments.told_the_box(**QUICK)
    assert told["sides"].shape == (20,)
    assert set(told["sides"]) <= set(range(14, 57))
    assert 0 <= told["validation"] <= 1
    tuned = experiments.tuning(variant=experiments.TOLD, **QUICK)
    assert tuned["validation"] == told["validation"]
    assert tuned["loss"] == told["loss"][-1]
    assert told["right_28_in_30x40"].shape == (20,)


def test_scenes_are_the_same_in_batches_of_any_size():
    test = load_dataset("mnist").test
    given = test.as_float(), test.labels, 200, (40, 40), 7
    whole = [*scene_batches(*given)]
    parts = [*scene_batches(*given, pixels=50 * 40 * 40)]
    assert (len(whole), len(parts)) == (2, 4)
    for place in range(3):
        np.testing.assert_array_equal(
            np.concatenate([one[place] for one in whole]), np.concatenate([one[place] for one in parts])
        )


def test_the_box_of_an_undisturbed_scene_holds_the_image():
    test = load_dataset("mnist").test
    alone = DYNAMIC._replace(sizes=(28, 28), patches=0, noise=0)
    scenes = draw_scenes(test.as_float()[:1], test.labels[:1], 3, (50, 60), seed=0, clutter=alone)
    np.testing.assert_allclose(crops(scenes), np.repeat(test.as_float()[:1], 3, 0), atol=1e-6)


def test_resized_images_are_those_of_tensorflow(network):
    import tensorflow as tf

    test = load_dataset("mnist").test[:30]
    (scenes,) = resized(test, 17)
    expected = tf.image.resize(test.as_float(), (17, 17), antialias=True)
    np.testing.assert_allclose(scenes.images, expected, atol=1e-5)
    np.testing.assert_array_equal(scenes.labels, test.labels)
    right = right_answers(network, [scenes])
    right_read, tiles = stopped(network, [scenes], [{"budget": 1.0}, {"levels": 2}])
    np.testing.assert_array_equal(right_read[0], right[-1])
    assert tiles.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
