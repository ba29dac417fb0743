"""Augmentation at the guide's strengths, the same everywhere for the same key."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.core.data_drawing import scene
from tl_core.data.pixels.augment import augment, augmenter, training_entries

KEYS = [(42, picture, copy, view) for picture in range(5) for copy in range(2) for view in range(3)]


def digest(key: tuple[int, ...]) -> str:
    return hashlib.sha256(augment(scene(1, 64), key=key).tobytes()).hexdigest()


def test_the_picture_keeps_its_shape_and_is_not_changed_in_place():
    image = scene(1)
    before = image.copy()
    varied = augment(image, key=(0, 1))
    assert varied.shape == image.shape
    assert varied.dtype == np.uint8
    assert np.array_equal(image, before)


def test_different_keys_give_different_pictures():
    assert len({digest(key) for key in KEYS}) == len(KEYS)


def test_the_order_of_asking_does_not_matter():
    assert [digest(key) for key in KEYS] == [digest(key) for key in reversed(KEYS)][::-1]


def test_threads_do_not_disturb_each_other():
    alone = [digest(key) for key in KEYS]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(digest, KEYS * 4)) == alone * 4


def test_another_process_draws_the_same_pictures():
    code = (
        "from tests.core.data.pixels.test_augment import KEYS, digest; print(*[digest(key) for key in KEYS])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [digest(key) for key in KEYS]


def test_importing_the_library_asks_no_network():
    code = (
        "import tl_core, socket; asked = []; socket.getaddrinfo = lambda *a, **k: asked.append(a); "
        "import albumentations; print(asked)"
    )
    env = {name: value for name, value in os.environ.items() if name != "NO_ALBUMENTATIONS_UPDATE"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_keys_of_numpy_integers_mean_the_same():
    assert digest((np.int64(3), np.int64(4))) == digest((3, 4))


def test_strengths_are_the_guides():
    pipeline = augmenter()
    by_name = {type(one).__name__: one for one in pipeline.transforms}
    assert {name: one.p for name, one in by_name.items()} == {
        "HorizontalFlip": 0.5,
        "RandomBrightnessContrast": 0.5,
        "HueSaturationValue": 0.5,
        "GaussNoise": 0.3,
        "ColorJitter": 1,
    }
    low, high = (255 * share for share in by_name["GaussNoise"].std_range)
    assert (low**2, high**2) == pytest.approx((10, 50))  # the guide's var_limit, in grey levels squared


def test_transforms_are_drawn_independently_of_each_other():
    """albumentations gives one seed to all transforms, so that they fire together; ours must not."""
    flat = np.zeros((32, 32, 3), np.uint8)
    flat[:, :16] = (90, 120, 150)
    flat[:, 16:] = (150, 120, 90)
    seen = Counter()
    for number in range(300):
        varied = augment(flat, key=(number,)).astype(int)
        is_noisy = varied[:, :16].std(axis=(0, 1)).max() > 1.5
        is_flipped = varied[:, :8, 2].mean() < varied[:, 24:, 2].mean()
        seen[is_flipped, is_noisy] += 1
    assert min(seen.values()) >= 25  # 45 expected for the rarest of the four
    assert len(seen) == 4


def test_classes_are_filled_up_to_the_target_and_larger_ones_stay():
    labels = np.array([0] * 30 + [1] * 80 + [0] * 10)
    indices = list(range(100))  # 30 and 70; the rest is held out
    entries = training_entries(labels, indices, 50, seed=1)
    counts = Counter(int(labels[index]) for index, _ in entries)
    assert counts == {0: 50, 1: 70}
    assert entries[:100] == [(index, 0) for index in indices]
    assert len(set(entries)) == len(entries)
    assert all(copy >= 1 for _, copy in entries[100:])


def test_held_out_pictures_never_appear_in_training_entries():
    labels = np.array([0, 1] * 50)
    train = list(range(60))
    assert {index for index, _ in training_entries(labels, train, 250, seed=1)} == set(train)


def test_copies_are_dealt_out_evenly():
    entries = training_entries(np.zeros(7, int), range(7), 30, seed=1)
    per_picture = Counter(index for index, _ in entries)
    assert max(per_picture.values()) - min(per_picture.values()) <= 1


def test_no_target_means_no_copies_and_the_seed_chooses_who_is_copied():
    labels = np.zeros(20, int)
    assert training_entries(labels, range(20), 0, seed=1) == [(index, 0) for index in range(20)]
    first, again, other = (training_entries(labels, range(20), 25, seed) for seed in (1, 1, 2))
    assert first == again != other
