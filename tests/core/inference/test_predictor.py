"""A trained run used by others: any picture, any number, any order, and a folder that lies elsewhere now.

What `predict` and the run's own evaluation must agree on is in test_workflow.py.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tests.core.drawn import draw, write_classes
from tl_core.base.config import preset
from tl_core.base.errors import (
    DataNotFound,
    NoReadableImages,
    RunDamaged,
    RunNotFound,
    SplitClassMissing,
    UnreadableImage,
)
from tl_core.base.messages import say
from tl_core.cli import report
from tl_core.data.pixels.decode import read_image, resize_square
from tl_core.inference import reference_features
from tl_core.inference.labelled_folder import evaluate_folder
from tl_core.inference.predictor import BATCH, Predictor, predict_files
from tl_core.models.files import checkpoint_files
from tl_core.runs import decision_rule
from tl_core.runs.execution import workflow
from tl_core.runs.run_folder import RunFolder, open_run

SETTINGS = {
    # random weights would answer every picture alike
    "weights": "formula",
    "image_px": 32,
    "augment": False,
    "target_per_class": 0,
    "views": 1,
    "precision": "auto",
    "device": "cpu",
    # so that the answers are far apart
    "head": {"epochs": 3, "learning_rate": 0.05},
    "finetune": {"epochs": 0},
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("data"), {"dots": 62, "stripes": 63})


@pytest.fixture(scope="module", params=["timm", "torchvision"])
def run(
    request: pytest.FixtureRequest, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    config = preset("casting", **SETTINGS, library=request.param)
    folder = workflow.create_run(pictures, tmp_path_factory.mktemp("out") / "run", config)
    assert workflow.execute(folder) == "finished"
    return folder


@pytest.fixture(scope="module")
def predictor(run: RunFolder) -> Predictor:
    return Predictor.load(run)


@pytest.fixture
def copy(run: RunFolder, tmp_path: Path) -> RunFolder:
    """The run in another place, for tests that damage it."""
    shutil.copytree(run.path, tmp_path / "copied run")
    return open_run(tmp_path / "copied run")


def some_pictures(pictures: Path, count: int) -> list[Path]:
    files = sorted(pictures.rglob("*.png"))
    assert len(files) >= count
    return files[::-1][:count]


def rewrite(run: RunFolder, **changes) -> None:
    """config.json with some entries replaced, or removed where the value is None."""
    config = {**run.read_config(), **changes}
    kept = {name: value for name, value in config.items() if name not in changes or value is not None}
    run.config_path.write_text(json.dumps(kept), encoding="utf-8")


# --- pictures as arrays


def test_pictures_of_any_size_get_one_row_each_that_sums_to_one(predictor):
    rng = np.random.default_rng(0)
    images = [draw(rng, "dots", px)[:height] for px, height in ((32, 32), (20, 9), (300, 200), (48, 48))]
    rows = predictor.predict(images)
    assert rows.shape == (4, 2) and rows.dtype == np.float32
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-5)


def test_no_picture_gets_no_row(predictor):
    assert predictor.predict([]).shape == (0, 2)
    assert list(predict_files(predictor, [])) == []


def test_answers_do_not_depend_on_the_company_or_the_order(predictor, pictures):
    images = [read_image(path) for path in some_pictures(pictures, 2 * BATCH + 3)]
    together = predictor.predict(images)
    assert together[:, 0].std() > 1e-3, "these answers are too alike to be told apart"
    alone = np.concatenate([predictor.predict([image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    np.testing.assert_allclose(predictor.predict(images[::-1]), together[::-1], atol=1e-4)


def test_predicting_leaves_the_shared_model_untouched(predictor, pictures):
    before = {name: tensor.clone() for name, tensor in predictor.model.state_dict().items()}
    predictor.predict([read_image(path) for path in some_pictures(pictures, BATCH + 1)])
    after = predictor.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert not any(module.training for module in predictor.model.modules())
    assert all(parameter.grad is None for parameter in predictor.model.parameters())


# --- pictures as files


def test_every_file_keeps_its_place_among_bad_ones_over_several_batches(predictor, pictures, tmp_path):
    good = some_pictures(pictures, BATCH + 8)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    files = []
    for number, path in enumerate(good):
        # also first, last in a batch, and last of all
        files += [bad, path] if number % 5 == 0 else [path]
    files += [bad]
    answers = list(predict_files(predictor, files))
    assert [answer["file"] for answer in answers] == [str(path) for path in files]
    assert [("error" in answer) for answer in answers] == [path == bad for path in files]
    expected = predictor.predict([read_image(path, max_px=predictor.image_px) for path in good])
    found = [[*answer["probabilities"].values()] for answer in answers if "error" not in answer]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_answer_names_the_most_probable_class_and_every_class(predictor, pictures):
    for answer in predict_files(predictor, some_pictures(pictures, 10)):
        assert list(answer["probabilities"]) == ["dots", "stripes"]
        assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)
        assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_each_way_to_be_unreadable_has_its_own_reason(predictor, pictures, tmp_path):
    whole = some_pictures(pictures, 1)[0].read_bytes()
    contents = {"empty.png": b"", "text.jpg": b"hello " * 50, "short.png": whole[: len(whole) // 2],
                "phone.heic": b"\0\0\0\x18ftypheic" + bytes(100)}  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.png").mkdir()
    names = [*contents, "folder.png", "none.png"]
    answers = list(predict_files(predictor, [str(tmp_path / name) for name in names]))
    assert all(isinstance(answer["error"], UnreadableImage) for answer in answers)
    assert [answer["error"].values["reason"] for answer in answers] == [
        "empty_file", "not_an_image", "truncated", "unsupported", "os_error", "vanished",
    ]  # fmt: skip
    for name, answer in zip(names, answers, strict=True):
        assert name in answer["error"].message("en") and name in answer["error"].message("ko")


def test_a_picture_answers_alike_in_every_format_that_loses_nothing(predictor, tmp_path):
    image = draw(np.random.default_rng(1), "stripes", 40)
    for name in ("a.png", "a.bmp", "a.tiff", "a.webp"):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format=name[2:].upper(), lossless=True)
        (tmp_path / name).write_bytes(buffer.getvalue())
    turned = Image.fromarray(np.rot90(image).copy())
    exif = turned.getexif()
    exif[0x0112] = 6  # to be shown turned clockwise by 90 degrees
    turned.save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(np.dstack([image, np.full((40, 40), 255, np.uint8)])).save(tmp_path / "opaque.png")
    answers = list(predict_files(predictor, sorted(tmp_path.iterdir())))
    assert len(answers) == 6
    expected = float(predictor.predict([image])[0, 0])
    found = [answer["probabilities"]["dots"] for answer in answers]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_files_are_asked_for_only_a_batch_ahead(predictor, pictures):
    asked = []
    files = (asked.append(path) or path for path in some_pictures(pictures, 3 * BATCH))
    answers = predict_files(predictor, files)
    next(answers)
    assert len(asked) == BATCH
    assert len(list(answers)) == 3 * BATCH - 1


# --- the run folder


def test_a_run_answers_alike_after_a_move_without_its_pictures(copy, predictor, pictures):
    rewrite(copy, data="/gone/away")
    for name in ("metrics", "plots", "logs"):
        shutil.rmtree(copy.path / name)
    for path in copy.models.iterdir():
        if path.name != "final.safetensors":
            path.unlink()
    images = [read_image(path) for path in some_pictures(pictures, 4)]
    for place in (copy, copy.path):
        moved = Predictor.load(place)
        np.testing.assert_allclose(moved.predict(images), predictor.predict(images), atol=1e-6)
        assert (moved.classes, moved.positive) == (["dots", "stripes"], "dots")


def test_how_pictures_enter_the_network_is_read_from_the_run(copy, predictor, pictures):
    images = [read_image(path) for path in some_pictures(pictures, 8)]
    used = copy.read_config()["weights_used"]
    rewrite(copy, weights_used={**used, "mean": [0.1, 0.5, 0.9], "std": [0.5, 0.5, 0.5]})
    other = Predictor.load(copy)
    assert (other.mean, other.std) == ((0.1, 0.5, 0.9), (0.5, 0.5, 0.5))
    assert np.abs(other.predict(images) - predictor.predict(images)).max() > 1e-3
    rewrite(copy, image_px=64)
    assert Predictor.load(copy).image_px == 64


def test_no_run_and_a_damaged_model_are_said(copy, tmp_path):
    with pytest.raises(RunNotFound, match="nowhere"):
        Predictor.load(tmp_path / "nowhere")
    final = copy.models / "final.safetensors"
    final.write_bytes(final.read_bytes()[:5000])
    with pytest.raises(RunDamaged, match=r"final\.safetensors"):
        Predictor.load(copy)


def test_another_networks_weights_in_the_run_are_said_in_one_line(copy):
    final = copy.models / "final.safetensors"
    state = checkpoint_files.load_weights(final)
    for wrong in (
        {"some.other.weight": torch.zeros(3)},
        {name: tensor[:1] if tensor.dim() > 1 else tensor for name, tensor in state.items()},
    ):
        checkpoint_files.save_weights(final, wrong)
        with pytest.raises(RunDamaged, match=r"final\.safetensors") as caught:
            Predictor.load(copy)
        assert "\n" not in str(caught.value) and len(caught.value.values["detail"]) <= 200


@pytest.mark.parametrize(
    "changes", [{"class_to_idx": None}, {"weights_used": None}, {"weights_used": {}}, {"weights_used": [1]}]
)
def test_a_configuration_that_lacks_something_is_said(copy, changes):
    rewrite(copy, **changes)
    with pytest.raises(RunDamaged, match=r"config\.json"):
        Predictor.load(copy)


# --- large photographs


@pytest.mark.parametrize("px", [300, 700, 1900])
def test_a_large_photograph_decoded_small_gets_the_same_answer(predictor, tmp_path, px):
    rng = np.random.default_rng(px)
    for number, name in enumerate(["dots", "stripes"] * 3):
        large = cv2.resize(draw(rng, name, 48), (px + 40, px), interpolation=cv2.INTER_CUBIC)
        path = tmp_path / f"{number}.jpg"
        cv2.imwrite(str(path), large, [cv2.IMWRITE_JPEG_QUALITY, 92])
        whole, small = read_image(path), read_image(path, max_px=predictor.image_px)
        assert small.size < whole.size
        of_whole, of_small = predictor.predict([whole, small])
        assert of_whole.argmax() == of_small.argmax()
        # the network sees nearly the same pixels; what a model of 32 px makes of a grey level more or less
        # is its own affair (on real photographs at 224 px it was 0.003: benchmarks)
        squares = [resize_square(image, predictor.image_px).astype(float) for image in (whole, small)]
        assert np.abs(squares[0] - squares[1]).mean() < 4
        np.testing.assert_allclose(of_small, of_whole, atol=0.1)


# --- a decided limit of distance


def test_a_picture_unlike_every_training_picture_is_marked_once_a_limit_is_decided(copy, pictures, tmp_path):
    seen = sorted(pictures.rglob("*.png"))[:8]
    predictor = Predictor.load(copy)
    reference_features.save(copy, predictor.predict_with_features([read_image(path) for path in seen])[1])
    noise = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(noise)
    assert all("unlike_training" not in answer for answer in predict_files(predictor, [*seen, noise]))
    decision_rule.save(copy, decision_rule.DecisionRule(far_from=1e-3))
    files = [*seen, tmp_path / "gone.png", noise]
    answers = list(predict_files(predictor, files))
    assert [answer.get("unlike_training") for answer in answers] == [False] * 8 + [None, True]
    said = report.predictions(answers, decision_rule.read(copy), "en")
    assert [say("cli.unlike_training", "en") in line for line in said.splitlines()] == [False] * 8 + [True]


def test_an_answer_less_sure_than_the_saved_limit_is_marked_unsure(copy, pictures):
    files = sorted(pictures.rglob("*.png"))
    assert all("unsure" not in answer for answer in predict_files(Predictor.load(copy), files))
    best = [max(a["probabilities"].values()) for a in predict_files(Predictor.load(copy), files)]
    limit = float(np.median(best))
    assert min(best) < limit, "these answers are too alike to be told apart"
    decision_rule.save(copy, decision_rule.DecisionRule(sure_from=limit))
    answers = list(predict_files(Predictor.load(copy), [*files, pictures / "gone.png"]))
    assert [answer.get("unsure") for answer in answers] == [p < limit for p in best] + [None]
    said = report.predictions(answers, decision_rule.read(copy), "en").splitlines()
    assert [line.endswith("unsure") for line in said] == [p < limit for p in best]


# --- labelled folders


def test_scores_recompute_from_the_answers(predictor, pictures):
    scores = evaluate_folder(predictor, pictures)
    files = sorted(pictures.rglob("*.png"))
    rows = [
        (path.parent.name, answer)
        for path, answer in zip(files, predict_files(predictor, files), strict=True)
    ]
    table = [
        [sum(truth == t and answer["label"] == a for truth, answer in rows) for a in predictor.classes]
        for t in predictor.classes
    ]
    assert scores["confusion_matrix"] == table
    assert scores["num"] == len(files) == sum(map(sum, table))
    (hits, misses), (alarms, rest) = table
    assert scores["accuracy"] == pytest.approx((hits + rest) / len(files))
    assert scores["positive_class"] == "dots"
    assert scores["recall"] == pytest.approx(hits / (hits + misses))
    assert scores["precision"] == pytest.approx(hits / (hits + alarms) if hits else 0)
    assert scores["per_class"]["stripes"]["support"] == 63
    low, high = scores["intervals"]["accuracy"]
    assert low < scores["accuracy"] < high or scores["accuracy"] in (0, 1)
    pairs = [
        (p["probabilities"]["dots"] > n["probabilities"]["dots"])
        + 0.5 * (p["probabilities"]["dots"] == n["probabilities"]["dots"])
        for t, p in rows if t == "dots" for u, n in rows if u == "stripes"
    ]  # fmt: skip
    assert scores["roc_auc"] == pytest.approx(np.mean(pairs), abs=1e-3)


def test_scores_with_the_saved_threshold_stand_beside_those_of_the_network(copy, pictures):
    plain = evaluate_folder(Predictor.load(copy), pictures)
    assert "with_threshold" not in plain
    files = sorted(pictures.rglob("*.png"))
    p = [answer["probabilities"]["stripes"] for answer in predict_files(Predictor.load(copy), files)]
    threshold = float(np.quantile(p, 0.9))  # most are now dots
    decision_rule.save(copy, decision_rule.DecisionRule(positive_class="stripes", threshold=threshold))
    scores = evaluate_folder(Predictor.load(copy), pictures)
    decided = scores.pop("with_threshold")
    assert scores == plain
    assert (decided["positive_class"], decided["threshold"]) == ("stripes", threshold)
    truth = [path.parent.name for path in files]
    said = [answer["label"] for answer in predict_files(Predictor.load(copy), files)]
    assert decided["accuracy"] == pytest.approx(np.mean([t == s for t, s in zip(truth, said, strict=True)]))
    hits = sum(t == s == "stripes" for t, s in zip(truth, said, strict=True))
    assert decided["recall"] == pytest.approx(hits / 63) and decided["recall"] < 0.3
    lines = report.scores({**scores, "with_threshold": decided}, "en").splitlines()
    assert any("decision.json" in line and "stripes" in line for line in lines)


def test_pictures_seen_in_training_are_known_again_in_a_copy_under_other_names(predictor, pictures, tmp_path):
    again = evaluate_folder(predictor, pictures)["seen"]
    assert 0 < again < 125
    for number, path in enumerate(sorted(pictures.rglob("*.png"))):
        other = tmp_path / "copy" / path.parent.name / f"renamed {number}.png"
        other.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, other)
    assert evaluate_folder(predictor, tmp_path / "copy")["seen"] == again
    assert (
        evaluate_folder(predictor, write_classes(tmp_path / "new", {"dots": 5, "stripes": 5}, seed=9))["seen"]
        == 0
    )


def test_a_run_without_pictures_csv_knows_its_pictures_by_their_place(copy, predictor, pictures, tmp_path):
    copy.pictures_path.unlink()
    old = Predictor.load(copy)
    assert evaluate_folder(old, pictures)["seen"] == evaluate_folder(predictor, pictures)["seen"]
    assert evaluate_folder(old, shutil.copytree(pictures, tmp_path / "elsewhere"))["seen"] == 0


def test_unreadable_pictures_are_left_out_of_the_scores_and_listed(predictor, pictures, tmp_path):
    folder = shutil.copytree(pictures, tmp_path / "data")
    (folder / "dots" / "empty.png").write_bytes(b"")
    (folder / "stripes" / "text.jpg").write_bytes(b"text")
    scores = evaluate_folder(predictor, folder)
    assert {(item["name"], item["reason"]) for item in scores["refused"]} == {
        ("dots/empty.png", "empty_file"),
        ("stripes/text.jpg", "not_an_image"),
    }
    clean = evaluate_folder(predictor, pictures)
    assert clean["refused"] == [] and scores["num"] == clean["num"] == 125
    assert scores["confusion_matrix"] == clean["confusion_matrix"]
    assert scores["loss"] == pytest.approx(clean["loss"], rel=1e-3)


def test_a_folder_of_unreadable_pictures_is_an_error_with_an_example(predictor, tmp_path):
    for name in ("dots", "stripes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bad.png").write_bytes(b"bad")
    with pytest.raises(NoReadableImages, match=r"2 .*dots/bad\.png"):
        evaluate_folder(predictor, tmp_path)


def test_a_split_folder_is_judged_as_a_whole_and_must_have_both_classes(predictor, tmp_path):
    write_classes(tmp_path / "train", {"dots": 3, "stripes": 4})
    write_classes(tmp_path / "test", {"dots": 2, "stripes": 1}, seed=1)
    scores = evaluate_folder(predictor, tmp_path)
    assert [scores["per_class"][name]["support"] for name in ("dots", "stripes")] == [5, 5]
    shutil.rmtree(tmp_path / "test" / "stripes")
    with pytest.raises(SplitClassMissing, match="stripes"):
        evaluate_folder(predictor, tmp_path)
    with pytest.raises(DataNotFound):
        evaluate_folder(predictor, tmp_path / "none")


def test_large_photographs_answer_like_small_ones(predictor, tmp_path):
    """A JPEG may be decoded at a part of its size; a smooth picture must not notice."""
    small = cv2.GaussianBlur(draw(np.random.default_rng(2), "dots", 64), (0, 0), 6)
    large = cv2.resize(small, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(large).save(tmp_path / "large.jpg", quality=95)
    (answer,) = predict_files(predictor, [tmp_path / "large.jpg"])
    expected = float(predictor.predict([large])[0, 0])
    assert answer["probabilities"]["dots"] == pytest.approx(expected, abs=0.1)


def test_a_folder_of_one_class_gives_its_recall_and_counts(predictor, tmp_path):
    write_classes(tmp_path, {"dots": 5})
    (tmp_path / "dots" / "notes.txt").write_text("x", encoding="utf-8")
    scores = evaluate_folder(predictor, tmp_path)
    assert (scores["num"], scores["used"], scores["per_class"]["dots"]["support"]) == (5, 5, 5)
    assert scores["accuracy"] == scores["per_class"]["dots"]["recall"] and scores["roc_auc"] is None
    assert [one["name"] for one in scores["refused"]] == ["dots/notes.txt"]
    assert (scores["chance"], scores["majority"]) == (0.5, 1.0)
