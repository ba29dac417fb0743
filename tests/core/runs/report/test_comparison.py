"""Runs are paired picture by picture, on what both held out, by one truth."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.core.summary_drawing import summary_of
from tl_core.base.errors import NotComparable, RunDamaged
from tl_core.evaluation import paired as paired_module
from tl_core.runs.report import comparison
from tl_core.runs.run_folder import RunFolder, create, write_json

CLASSES = ["bad", "good"]


def make(path: Path, answers: dict[str, tuple[str, str]], split: str = "test", **config) -> RunFolder:
    """A finished run whose final model gave these answers: {file: (truth, said)}."""
    settings = {"seed": 1, "dropout": 0.3, "head": {"epochs": 3, "learning_rate": 0.001}} | config
    run = create(path, settings | {"pictures_fingerprint": config.get("pictures_fingerprint", "same")})
    whole = summary_of(CLASSES, "bad")
    write_json(
        run.summary_path,
        whole | {"reported": {**whole["reported"], "split": split}},
    )
    stage = "final" if split == "cross_validation" else "head"
    with run.predictions_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "truth", "predicted", "split", "stage", "p_bad", "p_good"])
        for name, (truth, said) in answers.items():
            p = 0.9 if said == "bad" else 0.1
            writer.writerow([name, truth, said, split, stage, p, 1 - p])
            writer.writerow([name, truth, "bad", split, "before", 0.6, 0.4])
            writer.writerow([f"train-{name}", truth, truth, "train", stage, p, 1 - p])
    return run


def answers(rights: str, truth: str = "bad") -> dict[str, tuple[str, str]]:
    """'101' -> three pictures, the second answered wrongly."""
    other = "good" if truth == "bad" else "bad"
    return {f"{n:03}.png": (truth, truth if right == "1" else other) for n, right in enumerate(rights)}


def test_mcnemar_agrees_with_a_hand_computed_case():
    # of 10 pictures that only one got right, 2 were the first's: 2 * (1 + 10 + 45) / 1024
    assert paired_module.mcnemar(2, 8) == pytest.approx(112 / 1024)
    assert paired_module.mcnemar(8, 2) == pytest.approx(112 / 1024)
    assert paired_module.mcnemar(0, 5) == pytest.approx(2 / 32)
    assert paired_module.mcnemar(5, 5) == 1
    assert paired_module.mcnemar(0, 0) == 1


def test_the_interval_of_a_paired_difference_agrees_with_a_hand_computed_case():
    # half a picture in each cell: (8.5 - 2.5) / 102, sqrt(11 - 36 / 102) / 102
    low, high = paired_module.paired_interval(2, 8, 100)
    assert (low + high) / 2 == pytest.approx(6 / 102)
    assert (high - low) / 2 == pytest.approx(1.959964 * (11 - 36 / 102) ** 0.5 / 102)
    low, high = paired_module.paired_interval(0, 0, 20)
    assert low < 0 < high, "no difference among few pictures is no certainty"


def test_two_runs_are_paired_picture_by_picture(tmp_path: Path):
    first = make(tmp_path / "first", answers("1111000011"))
    second = make(tmp_path / "second", answers("1011111111"))
    paired = comparison.pair(first, second)
    cells = (paired.both_right, paired.only_first, paired.only_second, paired.neither)
    assert cells == (5, 1, 4, 0)
    assert paired.difference == pytest.approx(0.3)
    assert paired.first["accuracy"] == pytest.approx(0.6) and paired.second["accuracy"] == pytest.approx(0.9)
    assert paired.p_value == pytest.approx(12 / 32)
    assert paired.is_same_split and paired.num_mended == 0
    assert paired.interval[0] < paired.difference < paired.interval[1]


def with_chances(run: RunFolder, chances: list[float]) -> RunFolder:
    """The same run, its answers given with these probabilities of "bad"."""
    with run.predictions_path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    judged = [row for row in rows if (row["split"], row["stage"]) == ("test", "head")]
    for row, p in zip(judged, chances, strict=True):
        row |= {"p_bad": str(p), "p_good": str(1 - p)}
    with run.predictions_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return run


def test_runs_together_answer_by_the_mean_of_their_probabilities(tmp_path: Path):
    first = with_chances(make(tmp_path / "first", answers("1100")), [0.9, 0.6, 0.4, 0.1])
    second = with_chances(make(tmp_path / "second", answers("1010")), [0.9, 0.1, 0.8, 0.2])
    paired = comparison.pair(first, [first, second])
    # the mean says bad, good, bad, good where all are bad
    cells = (paired.both_right, paired.only_first, paired.only_second, paired.neither)
    assert cells == (1, 1, 1, 1)
    assert paired.second["num"] == 4 and paired.p_value == 1


def test_runs_together_are_judged_on_what_all_of_them_held_out(tmp_path: Path):
    first = make(tmp_path / "first", answers("111100"))
    second = make(tmp_path / "second", dict(list(answers("000011").items())[1:]))
    third = make(tmp_path / "third", dict(list(answers("000011").items())[:5]))
    paired = comparison.pair(first, [first, second, third])
    assert paired.files == ["001.png", "002.png", "003.png", "004.png"]
    other = make(tmp_path / "other", answers("11"), pictures_fingerprint="other")
    with pytest.raises(NotComparable):
        comparison.pair(first, [first, other])


def test_only_pictures_that_both_held_out_count(tmp_path: Path):
    first = make(tmp_path / "first", answers("111100"))
    second = make(tmp_path / "second", dict(list(answers("000011").items())[2:]))
    paired = comparison.pair(first, second)
    assert paired.files == ["002.png", "003.png", "004.png", "005.png"]
    assert (paired.num_first, paired.num_second, paired.is_same_split) == (6, 4, False)


def test_mended_labels_hold_for_both_and_the_order_does_not_matter(tmp_path: Path):
    before = make(tmp_path / "before", answers("1100"))
    said = {"000.png": "bad", "001.png": "bad", "002.png": "good", "003.png": "good"}
    mended = {name: ("good" if name == "002.png" else "bad", word) for name, word in said.items()}
    after = make(tmp_path / "after", mended)
    for config, created in ((before, "2026-01-01T00:00:00+00:00"), (after, "2026-01-02T00:00:00+00:00")):
        write_json(config.config_path, {**config.read_config(), "created": created})
    for first, second in ((before, after), (after, before)):
        paired = comparison.pair(first, second)
        assert paired.num_mended == 1
        # both said "good" of the mended picture: by the new truth both are right
        assert (paired.both_right, paired.neither) == (3, 1)


def test_of_several_runs_the_one_made_last_says_what_is_true(tmp_path: Path):
    first, second = make(tmp_path / "first", answers("1100")), make(tmp_path / "second", answers("1110"))
    mended = {"003.png": ("good", "good")}
    third = make(tmp_path / "third", answers("111") | mended)
    write_json(third.config_path, {**third.read_config(), "created": "2999-01-01T00:00:00+00:00"})
    paired = comparison.pair(first, second, others=[second, third])
    assert (paired.num_mended, paired.both_right, paired.only_second) == (1, 3, 1)


def test_cross_validated_runs_are_paired_by_their_final_answers(tmp_path: Path):
    first = make(tmp_path / "first", answers("1100"), split="cross_validation")
    second = make(tmp_path / "second", answers("1110"), split="cross_validation")
    assert comparison.pair(first, second).only_second == 1


@pytest.mark.parametrize("reason", ["other_pictures", "no_common_pictures", "other_classes"])
def test_what_cannot_be_paired_is_refused_with_the_reason(tmp_path: Path, reason: str):
    first = make(tmp_path / "first", answers("11"))
    other = {"x.png": ("bad", "bad")} if reason == "no_common_pictures" else answers("11")
    second = make(
        tmp_path / "second", other, pictures_fingerprint="other" if reason == "other_pictures" else "same"
    )
    if reason == "other_classes":
        write_json(second.summary_path, summary_of(["bad", "worse"], "bad"))
    with pytest.raises(NotComparable) as error:
        comparison.pair(first, second)
    assert error.value.values["reason"] == reason


def test_a_run_without_answers_is_named(tmp_path: Path):
    first, second = make(tmp_path / "first", answers("11")), make(tmp_path / "second", answers("11"))
    second.predictions_path.unlink()
    with pytest.raises(RunDamaged):
        comparison.pair(first, second)


def test_only_settings_that_differ_are_told(tmp_path: Path):
    first = make(tmp_path / "first", answers("1"), weights="auto", weights_used={"source": "formula"})
    second = make(
        tmp_path / "second",
        answers("1"),
        dropout=0.5,
        weights="formula",
        weights_used={"source": "formula"},
        head={"epochs": 9, "learning_rate": 0.001},
        decisions={"excluded": 0, "relabelled": 2, "added": 0},
    )
    assert comparison.differing_settings([first, second]) == {
        "dropout": [0.3, 0.5],
        "head.epochs": [3, 9],
        "decisions": [None, {"relabelled": 2}],
    }
