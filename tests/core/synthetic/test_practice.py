"""The practice sets: what is drawn, that a seed repeats it, and that a set is written whole or not at all."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from tl_core.base.errors import ConfigError, OutputUnwritable, RunExists
from tl_core.synthetic import practice
from tl_core.synthetic.practice import casting, defects, expression, moods, people, writing
from tl_core.synthetic.practice.writing import Shot

MODULES = {"casting": casting, "expression": expression}


@pytest.fixture(params=practice.SAMPLES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 20th picture only: the whole sets take seconds."""
    for module in MODULES.values():
        whole = module.shots
        monkeypatch.setattr(module, "shots", lambda seed, whole=whole: whole(seed)[::20])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(name, few, tmp_path):
    first = contents(practice.write_samples(name, tmp_path / "a", seed=3))
    again = contents(practice.write_samples(name, tmp_path / "b", seed=3))
    other = contents(practice.write_samples(name, tmp_path / "c", seed=4))
    assert first == again
    pictures = [file for file in first if file.endswith(".jpg") and file in other]
    assert pictures
    assert all(first[file] != other[file] for file in pictures)


def test_no_two_pictures_of_a_set_are_the_same(name, few, tmp_path):
    files = contents(practice.write_samples(name, tmp_path / "a"))
    pictures = [data for file, data in files.items() if file.endswith(".jpg")]
    assert len(set(pictures)) == len(pictures)


def test_pictures_are_300_px_colour_jpegs_of_moderate_size(name, few, tmp_path):
    folder = practice.write_samples(name, tmp_path / "a")
    for file in folder.rglob("*.jpg"):
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        assert image.shape == (300, 300, 3)
        assert 3_000 < file.stat().st_size < 60_000
        assert image.std() > 15


def test_casting_has_given_splits_and_more_defects_than_sound_parts():
    counts = Counter(str(Path(shot.file).parent.as_posix()) for shot in casting.shots(0))
    assert set(counts) == {"train/def_front", "train/ok_front", "test/def_front", "test/ok_front"}
    assert counts["train/def_front"] > 1.5 * counts["train/ok_front"]
    assert counts["test/ok_front"] >= 30
    assert len({Path(shot.file).name for shot in casting.shots(0)}) == sum(counts.values())


def test_expression_has_two_folders_one_to_two_and_shows_the_person_in_the_name():
    shots = expression.shots(0)
    labels = Counter(shot.file.split("/")[0] for shot in shots)
    assert labels == {"teasing": 100, "non_teasing": 200}
    by_person: dict[str, set[str]] = {}
    for shot in shots:
        label, file = shot.file.split("/")
        by_person.setdefault(file.split("_")[1], set()).add(label)
    assert len(by_person) >= 50
    assert all(len(found) == 2 for found in by_person.values()), (
        "a person in one class only gives the class away"
    )


def test_boxes_name_every_defect_inside_the_picture_and_none_on_sound_parts(tmp_path, few):
    folder = practice.write_samples("casting", tmp_path / "a")
    boxes = json.loads((folder / "boxes.json").read_text(encoding="utf-8"))
    assert set(boxes) == {p.relative_to(folder).as_posix() for p in folder.rglob("*.jpg")}
    for file, found in boxes.items():
        assert bool(found) == ("def_front" in file)
        for defect in found:
            x0, y0, x1, y1 = defect["box"]
            assert defect["kind"] in defects.KINDS
            assert 0 <= x0 < x1 < 300 and 0 <= y0 < y1 < 300


def test_a_defect_changes_the_picture_where_its_box_is():
    """The same part drawn with and without its defects differs inside the boxes far more than outside."""
    for number in range(6):
        drawn, info = casting.draw(np.random.default_rng([9, number]), "def_front")
        inside = np.zeros((300, 300), bool)
        for defect in info["defects"]:
            x0, y0, x1, y1 = defect["box"]
            inside[y0 : y1 + 1, x0 : x1 + 1] = True
        smooth = cv2.GaussianBlur(drawn, (0, 0), 6).astype(float)
        detail = np.abs(drawn.astype(float) - smooth)[..., 0]
        assert detail[inside].max() > 40


def test_every_kind_of_defect_and_mood_occurs():
    kinds = {
        d["kind"]
        for number in range(40)
        for d in casting.draw(np.random.default_rng([1, number]), "def_front")[1]["defects"]
    }
    assert kinds == set(defects.KINDS)
    assert {moods.teasing(np.random.default_rng(n)).name for n in range(60)} == {
        "smirk",
        "tongue",
        "wink",
        "grin",
    }
    assert len({moods.ordinary(np.random.default_rng(n)).name for n in range(120)}) == 8


def test_teasing_is_lopsided_and_the_rest_is_not():
    for number in range(200):
        teasing = moods.teasing(np.random.default_rng(number))
        other = moods.ordinary(np.random.default_rng(number))
        assert abs(teasing.corners[0] - teasing.corners[1]) > 0.09
        assert teasing.tongue > 0 or abs(teasing.brows[0] - teasing.brows[1]) > 0.5
        assert other.tongue == 0
        assert abs(other.brows[0] - other.brows[1]) < 0.5


@pytest.mark.parametrize("hairstyle", people.HAIRSTYLES)
def test_every_hairstyle_can_be_drawn(hairstyle):
    import dataclasses

    person = dataclasses.replace(people.new_person(np.random.default_rng(0)), hairstyle=hairstyle)
    image, _ = expression.draw(np.random.default_rng(1), "teasing", person)
    assert image.shape == (300, 300, 3)
    assert image.dtype == np.uint8


def test_the_readme_of_a_set_tells_who_drew_it_the_seed_and_the_counts(name, few, tmp_path):
    text = (practice.write_samples(name, tmp_path / "a", seed=12) / "README.txt").read_text(encoding="utf-8")
    assert "drawn by Headswap" in text
    assert "seed 12" in text
    assert "teasing: " in text or "train/def_front: " in text


def test_progress_counts_up_to_the_number_of_pictures(name, few, tmp_path):
    seen: list[tuple[int, int]] = []
    folder = practice.write_samples(
        name, tmp_path / "a", on_progress=lambda done, total: seen.append((done, total))
    )
    num = len(list(folder.rglob("*.jpg")))
    assert seen == [(k, num) for k in range(1, num + 1)]


def test_a_folder_that_holds_something_is_refused_and_left_alone(few, tmp_path):
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(RunExists):
        practice.write_samples("casting", tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"keep"}


def test_an_empty_folder_is_filled_also_under_a_korean_name(few, tmp_path):
    out = tmp_path / "연습 자료"
    out.mkdir()
    folder = practice.write_samples("expression", out)
    assert folder == out
    assert list(out.rglob("*.jpg"))
    assert [p.name for p in tmp_path.iterdir()] == ["연습 자료"]


def test_an_interrupted_write_leaves_nothing_behind(tmp_path):
    def broken():
        raise KeyboardInterrupt

    good = casting.shots(0)[:2]
    with pytest.raises(KeyboardInterrupt):
        writing.write_set([*good, Shot("train/ok_front/x.jpg", broken)], tmp_path / "set", about="")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_a_clear_error(few, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputUnwritable):
        practice.write_samples("casting", tmp_path / "file" / "set")


def test_an_unknown_set_and_a_negative_seed_are_refused(tmp_path):
    with pytest.raises(ConfigError):
        practice.write_samples("cats", tmp_path / "a")
    with pytest.raises(ConfigError):
        practice.write_samples("casting", tmp_path / "a", seed=-1)


def test_the_cached_set_is_drawn_once(few, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    first = practice.sample_cache("casting")
    before = contents(first)
    monkeypatch.setattr(casting, "shots", lambda seed: pytest.fail("drawn again"))
    assert practice.sample_cache("casting") == first
    assert contents(first) == before


def test_whoever_asks_while_another_draws_waits_for_that_drawing(few, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    drawn, write = [], practice.write_samples

    def slowly(*given, **options):
        drawn.append(given)
        time.sleep(0.2)
        return write(*given, **options)

    monkeypatch.setattr(practice, "write_samples", slowly)
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(practice.sample_cache, ["casting"] * 4))
    assert len(folders) == len(drawn) == 1


def test_a_set_that_is_unknown_has_no_place_in_the_cache():
    with pytest.raises(ConfigError):
        practice.sample_cache("../cats")
