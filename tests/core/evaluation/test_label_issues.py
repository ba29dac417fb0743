"""Labels that are wrong on purpose are found by a judge that never saw the picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks.label_check import flipped, score
from tests.core.drawn import write_classes
from tl_core.data.prepare import Prepared, prepare
from tl_core.evaluation import label_issues
from tl_core.models.weights import sources


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    root = write_classes(tmp_path_factory.mktemp("drawn"), {"dots": 40, "stripes": 40}, px=64)
    return prepare(root, image_px=64, seed=0, val_fraction=0.2, test_fraction=0.2)


@pytest.fixture(scope="module")
def features(prepared: Prepared) -> np.ndarray:
    seen: list[tuple[int, int]] = []
    found = label_issues.pooled_features(
        prepared.images, sources.choose("formula"), "timm", lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (80, 80)
    return found


def test_a_tenth_of_wrong_labels_is_found_on_drawn_pictures(prepared: Prepared, features: np.ndarray):
    labels, is_wrong = flipped(prepared.labels, 0.1, seed=0)
    assert is_wrong.sum() == 8 and (labels != prepared.labels).sum() == 8
    probabilities = label_issues.unseen_probabilities(features, labels, prepared.groups)
    precision, recall, _ = score(label_issues.issues(labels, probabilities), is_wrong)
    assert precision >= 0.7 and recall >= 0.7


def test_right_labels_raise_few_alarms(prepared: Prepared, features: np.ndarray):
    probabilities = label_issues.unseen_probabilities(features, prepared.labels, prepared.groups)
    assert len(label_issues.issues(prepared.labels, probabilities)) <= 4


def test_a_picture_is_judged_without_it_and_without_its_copies():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 8))
    labels = np.repeat([0, 1], 20)
    features[20:] += 3
    # a burst of three identical pictures with a wrong label: whoever has seen one would defend the others
    features[:3] = features[20]
    groups = np.arange(40)
    groups[:3] = 0
    together = label_issues.unseen_probabilities(features, labels, groups)
    assert (together[:3].argmax(axis=1) == 1).all()


def test_a_flag_names_both_classes_and_the_surest_come_first(prepared: Prepared, features: np.ndarray):
    labels, _ = flipped(prepared.labels, 0.1, seed=0)
    wrong = dataclasses.replace(prepared, labels=labels)
    probabilities = label_issues.unseen_probabilities(features, labels, prepared.groups)
    found = label_issues.flags(wrong, probabilities)
    assert [flag.rank for flag in found] == sorted(flag.rank for flag in found)
    for flag in found:
        assert flag.values["given"] != flag.values["said"]
        assert flag.values["p_given"] < flag.values["p_said"]


def test_rows_are_probabilities(prepared: Prepared, features: np.ndarray):
    probabilities = label_issues.unseen_probabilities(features, prepared.labels, prepared.groups)
    assert probabilities.shape == (80, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_images_of_a_memory_map_are_read_too(tmp_path: Path):
    images = np.memmap(tmp_path / "x", np.uint8, "w+", shape=(2, 32, 32, 3))
    assert label_issues.pooled_features(images, sources.choose("random"), "timm").shape == (2, 1280)
