"""Which beginning suits the pictures: groups kept together, and honest where colour tells all."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.core.drawn import draw, write_classes
from tl_core.base.errors import WeightsUnavailable
from tl_core.data.prepare import Prepared, prepare
from tl_core.evaluation import linear_probe
from tl_core.evaluation.baselines import BASELINES, colour_histogram, hog
from tl_core.models.weights import sources

PX = 32


def prepared_of(root: Path) -> Prepared:
    return prepare(root, image_px=PX, seed=0, val_fraction=0.2, test_fraction=0.2)


def coloured(root: Path) -> Path:
    """Two classes of the same shapes, one of them in warmer light."""
    rng = np.random.default_rng(0)
    for kind, light in (("cold", 0), ("warm", 60)):
        (root / kind).mkdir(parents=True)
        for number in range(24):
            image = draw(rng, "dots", PX).astype(int)
            image[..., 2] += light
            cv2.imwrite(str(root / kind / f"{number}.png"), image.clip(0, 255).astype(np.uint8))
    return root


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> linear_probe.Probed:
    """Of pictures that colour tells apart."""
    return linear_probe.probe(prepared_of(coloured(tmp_path_factory.mktemp("drawn") / "set")))


def test_every_usable_source_and_every_baseline_has_a_row(told):
    usable = {one.source for one in sources.availability() if one.is_usable}
    assert {"imagenet-lite0", "formula", "random"} <= usable
    assert {row.source for row in told.rows} == usable | set(BASELINES)
    networks = {row.source: row.backbone for row in told.rows}
    assert networks["imagenet-lite0"] == "tf_efficientnet_lite0" and networks["colour"] is None


def test_rows_come_best_first_with_an_interval_around_each(told):
    scores = [row.balanced_accuracy for row in told.rows]
    assert scores == sorted(scores, reverse=True)
    for row in told.rows:
        low, high = row.interval
        assert 0 <= low <= row.balanced_accuracy <= high <= 1


def test_where_colour_tells_the_classes_apart_the_baseline_is_not_beaten(told):
    assert told.baseline.source == "colour" and told.baseline.balanced_accuracy == 1
    assert not told.beats_baseline
    assert told.points_over(told.baseline) <= 0


def test_what_cannot_be_used_is_named_with_its_reason(told):
    unusable = {one.source: one.reason for one in sources.availability() if not one.is_usable}
    assert "vggface2" in unusable
    assert {source: error.values["reason"] for source, error in told.unusable.items()} == unusable


def test_the_pictures_of_the_test_part_take_no_part(tmp_path, monkeypatch):
    looked_at = []

    def look(images, choice, library, on_progress=None):
        looked_at.extend(image.tobytes() for image in images)
        return np.stack([colour_histogram(image) for image in images])

    monkeypatch.setattr(linear_probe, "pooled_features", look)
    for part in ("train", "test"):
        write_classes(tmp_path / part, {"dots": 20, "stripes": 20}, px=PX, seed=len(part))
    prepared = prepared_of(tmp_path)
    found = linear_probe.probe(prepared)
    assert prepared.split.test and (found.num_pictures, found.num_kept_back) == (40, 40)
    assert not {prepared.images[i].tobytes() for i in prepared.split.test} & set(looked_at)


def test_a_source_that_turns_out_damaged_is_named_and_the_others_are_measured(tmp_path, monkeypatch):
    real = sources.choose

    def choose(source, **settings):
        if source == "formula":
            raise WeightsUnavailable(source=source, reason="file_damaged", detail="formula_b0.safetensors")
        return real(source, **settings)

    monkeypatch.setattr(sources, "choose", choose)
    found = linear_probe.probe(prepared_of(write_classes(tmp_path, {"dots": 12, "stripes": 12}, px=PX)))
    assert found.unusable["formula"].values["reason"] == "file_damaged"
    assert "formula" not in {row.source for row in found.rows}
    assert "imagenet-lite0" in {row.source for row in found.rows}


def test_copies_of_a_picture_never_help_to_judge_it():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 3)
    # noise of its own for each group: whoever has seen one knows the others, and nothing else
    features = np.repeat(rng.normal(size=(20, 40)), 3, axis=0)
    labels = np.repeat(rng.permutation([0, 1] * 10), 3)
    together = (linear_probe.unseen_answers(features, labels, groups, 0) == labels).mean()
    apart = (linear_probe.unseen_answers(features, labels, np.arange(60), 0) == labels).mean()
    assert apart > 0.9 and together < 0.75


def test_the_interval_counts_a_burst_once(tmp_path):
    prepared = prepared_of(write_classes(tmp_path, {"dots": 24, "stripes": 24}, px=PX))
    pairs = dataclasses.replace(prepared, groups=prepared.labels * 12 + np.arange(48) % 24 // 2)
    single, double = linear_probe.probe(prepared), linear_probe.probe(pairs)

    def width(found):
        low, high = next(row.interval for row in found.rows if row.source == "hog")
        return high - low

    assert width(double) > width(single)


def test_a_class_of_two_groups_is_judged_all_the_same():
    rng = np.random.default_rng(0)
    labels = np.array([0] * 10 + [1] * 2)
    features = rng.normal(size=(12, 4)) + 8 * labels[:, None]
    answers = linear_probe.unseen_answers(features, labels, np.arange(12), 0)
    assert (answers == labels).all()


def test_baselines_describe_a_picture_in_numbers_of_their_own():
    image = draw(np.random.default_rng(0), "dots", PX)
    assert colour_histogram(image).shape == (64,) and hog(image).shape == (4356,)
    np.testing.assert_allclose(colour_histogram(image).reshape(4, 16).sum(axis=1), 1)
    # red alone changes the red bins, and no bin of green or blue
    redder = image.copy()
    redder[..., 0] = 255
    was, now = colour_histogram(image), colour_histogram(redder)
    assert now[15] == 1 and (was[16:48] == now[16:48]).all()
