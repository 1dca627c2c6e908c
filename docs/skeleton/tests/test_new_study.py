"""Every part is compared with something outside of it."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from new_study.analysis import accuracy_by_examples
from new_study.experiments import accuracy
from new_study.figures import accuracy_against_examples
from new_study.models import NearestMean
from sklearn.neighbors import NearestCentroid


@given(seed=st.integers(0, 99), classes=st.integers(2, 5))
def test_the_classifier_agrees_with_scikit_learn(seed, classes):
    rng = np.random.default_rng(seed)
    images, labels = rng.random((30, 4, 5, 1)), np.arange(30) % classes
    peer = NearestCentroid().fit(images.reshape(30, -1), labels)
    asked = rng.random((8, 4, 5, 1))
    expected = peer.predict(asked.reshape(8, -1))
    np.testing.assert_array_equal(NearestMean(images, labels).predict(asked), expected)


def test_more_examples_are_better_than_few():
    few, many = (accuracy(examples=examples, seed=0)["accuracy"] for examples in (10, 1000))
    assert 0.1 < few < many < 1


def test_the_analysis_and_the_figure_show_the_means():
    rows = [(10, seed, value) for seed, value in enumerate((0.5, 0.7))] + [(100, 0, 0.8), (100, 1, 0.8)]
    examples, found = accuracy_by_examples(pd.DataFrame(rows, columns=["examples", "seed", "accuracy"]))
    np.testing.assert_allclose(found.mean, [60, 80])
    (line,) = accuracy_against_examples(examples, found).axes[0].lines
    np.testing.assert_allclose(line.get_xydata(), [[10, 60], [100, 80]])
