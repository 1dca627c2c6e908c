import numpy as np
import pytest

from adversarial_attack import outside_metric
from adversarial_attack.outside_metric import ATTACK, DISTANCES, LIMITING, SMALLER, load_scores, scored


def blind(image, other):
    """Score two images by their root mean square difference, as a metric that knows nothing of sight."""
    return 10 - float(np.sqrt(np.mean((image.astype(float) - other.astype(float)) ** 2)))


def test_every_photograph_change_and_distance_is_scored_once():
    found = load_scores()
    keys = ["photograph", "change", "pixels_per_degree"]
    assert not found.duplicated(keys).any()
    assert len(found) == 20 * found["change"].nunique() * len(DISTANCES)
    assert {ATTACK, SMALLER, "JPEG 90"} <= set(found["change"])
    assert found["jod"].between(0, 10).all()


def test_the_smaller_attack_loses_no_more_than_jpeg_90_and_less_than_the_attack():
    scores = load_scores().pivot(index=["photograph", "pixels_per_degree"], columns="change", values="jod")
    limiting = scores.loc[scores.index.get_level_values("pixels_per_degree").isin(LIMITING)]
    assert (limiting[SMALLER] >= limiting["JPEG 90"]).all()
    assert (scores[SMALLER] >= scores[ATTACK] - 1e-3).all()


def test_the_largest_multiple_that_scores_well_enough_is_found(rng):
    image = rng.integers(50, 200, (16, 16, 3)).astype("uint8")
    attacked, jpeg = image + 10, image + 4
    rows = scored(3, image, attacked, {"JPEG 90": jpeg}, dict.fromkeys(DISTANCES, blind))
    (multiple,) = {row["multiple"] for row in rows if row["change"] == SMALLER}
    # 0.44 is the last step whose change is rounded to 4
    assert multiple == pytest.approx(0.44)
    assert len(rows) == 3 * len(DISTANCES)


def test_other_changes_grow_as_the_quality_falls():
    image = np.random.default_rng(0).random((32, 32, 3))
    found = outside_metric.changes_of(image)
    start = np.round(255 * image).astype("uint8")
    scores = [blind(start, found[f"JPEG {quality}"]) for quality in (95, 90, 85, 75)]
    assert scores == sorted(scores, reverse=True)
    assert abs(found["noise 2"].astype(int) - start).max() == 2
