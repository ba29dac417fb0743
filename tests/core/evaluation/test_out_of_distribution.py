"""Distances to the nearest known picture, and the limit that they are held against."""

import numpy as np
import pytest

from tl_core.base.errors import RunDamaged
from tl_core.evaluation.out_of_distribution import limit_of, nearest
from tl_core.inference import reference_features
from tl_core.runs import run_folder


def test_a_known_picture_is_at_no_distance_whatever_its_length():
    known = np.random.default_rng(0).normal(size=(40, 16))
    distances, indices = nearest(known, known * 3, k=3)
    np.testing.assert_allclose(distances[:, 0], 0, atol=1e-6)
    assert indices[:, 0].tolist() == list(range(40))
    assert (np.diff(distances, axis=1) >= 0).all()


def test_many_rows_give_what_one_row_at_a_time_gives():
    rng = np.random.default_rng(1)
    known, asked = rng.normal(size=(30, 8)), rng.normal(size=(1100, 8))
    distances, indices = nearest(known, asked, 2)
    for row in (0, 511, 512, 1099):
        alone = nearest(known, asked[row : row + 1], 2)
        np.testing.assert_allclose(distances[row], alone[0][0], atol=1e-6)
        assert indices[row].tolist() == alone[1][0].tolist()


def test_more_neighbours_than_pictures_are_not_asked_for():
    assert nearest(np.eye(3), np.eye(3), 10)[0].shape == (3, 3)


def test_the_limit_lets_the_promised_share_of_new_pictures_pass():
    rng = np.random.default_rng(2)
    beyond = [float((rng.random(2000) > limit_of(rng.random(100))).mean()) for _ in range(200)]
    assert np.mean(beyond) == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(("num", "rank"), [(19, 19), (39, 38), (99, 95), (100, 96)])
def test_the_rank_of_the_limit_counts_the_next_picture_in(num, rank):
    distances = np.random.default_rng(0).permutation(np.arange(1, num + 1))
    assert limit_of(distances) == rank


def test_distances_are_those_of_the_cosine():
    distances, indices = nearest(np.array([[1.0, 0], [0, 1], [-1, 0]]), np.array([[2.0, 2], [0, -3]]), 3)
    half = 1 - np.sqrt(0.5)
    np.testing.assert_allclose(distances, [[half, half, 2 - half], [1, 1, 2]], atol=1e-6)
    assert indices.tolist() == [[0, 1, 2], [0, 2, 1]]
    assert nearest(np.eye(2), np.zeros((1, 2)))[0].tolist() == [[1.0]], "no direction is near to nothing"


def test_with_few_pictures_the_limit_is_the_largest():
    assert limit_of(np.array([0.2, 0.4, 0.1])) == 0.4


def test_a_file_of_known_pictures_that_was_cut_off_is_named(tmp_path):
    run = run_folder.create(tmp_path / "run", {})
    reference_features.save(run, np.ones((5, 8)))
    assert reference_features.distance_to_training(run, np.ones((1, 8))) == pytest.approx([0], abs=1e-3)
    whole = reference_features.path_of(run).read_bytes()
    reference_features.path_of(run).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunDamaged):
        reference_features.distance_to_training(run, np.full((1, 8), 2.0))
