"""Maps of features: one basis and one pair of axes for all stages."""

import numpy as np
import pytest

from tl_core.evaluation.projection import METHODS, project, shared_axes


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    frozen = rng.normal(size=(30, 60)).astype(np.float32)
    return {"before": frozen, "head": frozen, "finetune": frozen + rng.normal(size=(30, 60)) * 3}


@pytest.mark.parametrize("method", METHODS)
def test_points_of_a_shared_backbone_do_not_move_and_others_do(features, method):
    points = project(features, method)
    assert all(found.shape == (30, 2) for found in points.values())
    assert np.array_equal(points["before"], points["head"])
    assert not np.allclose(points["head"], points["finetune"])


@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_the_same_each_time(features, method):
    assert np.array_equal(project(features, method)["finetune"], project(features, method)["finetune"])


def test_what_all_pictures_share_does_not_move_them(features):
    """Twice the length, and the same shift for all pictures: the same map."""
    long = project({"head": features["head"], "finetune": features["head"] * 2})
    np.testing.assert_allclose(long["head"], long["finetune"], atol=1e-5)
    even = features["head"] / np.linalg.norm(features["head"], axis=1, keepdims=True)
    turned = np.concatenate([even, np.ones((30, 1), np.float32)], axis=1)
    flat = np.concatenate([even, np.zeros((30, 1), np.float32)], axis=1)
    points = project({"head": flat, "finetune": turned})
    spread = np.linalg.norm(points["finetune"], axis=1) / np.linalg.norm(points["head"], axis=1)
    np.testing.assert_allclose(spread, 1 / np.sqrt(2), rtol=1e-3)


def test_the_axes_hold_every_stage(features):
    points = project(features)
    (left, right), (low, high) = shared_axes(points)
    for found in points.values():
        assert left < found[:, 0].min() and found[:, 0].max() < right
        assert low < found[:, 1].min() and found[:, 1].max() < high


def test_two_pictures_make_no_map():
    with pytest.raises(ValueError, match="three"):
        project({"head": np.zeros((2, 4), np.float32)})
