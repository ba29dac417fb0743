"""The questions themselves: both languages alike, every answer explained, and every fact that can be
computed computed."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter

import pytest

from tl_core.base.config import NUM_BLOCK_GROUPS, preset
from tl_core.evaluation import metrics
from tl_ui.frame.text import percent
from tl_ui.lesson.quiz import bank, marking
from tl_ui.lesson.quiz.bank import KINDS, STEPS
from tl_ui.lesson.quiz.recorded import RUNS, recording
from tl_ui.stores.runs.run_view import epoch_rows

ENGLISH, KOREAN = bank.questions("en"), bank.questions("ko")
BY_ID = {question.id: question for question in ENGLISH}
SAME = ("id", "step", "kind", "code", "mended", "recording", "metric", "answer", "tolerance")
"""Of a question in both languages."""
QUESTIONS = [(lang, question) for lang in ("en", "ko") for question in bank.questions(lang)]


def words_of(question):
    texts = [question.prompt, question.right, question.otherwise]
    return texts + [text for option in question.options for text in (option.text, option.why)]


# ------------------------------------------------------------------ form


def test_there_are_enough_questions_of_every_kind_and_for_every_step():
    assert len(ENGLISH) >= 27
    assert set(Counter(question.kind for question in ENGLISH)) == set(KINDS)
    steps = Counter(question.step for question in ENGLISH)
    assert set(steps) == set(STEPS) and min(steps.values()) >= 3
    assert sum(bool(question.recording) for question in ENGLISH) >= 3
    assert len(BY_ID) == len(ENGLISH), "ids are unique"


def test_both_languages_have_the_same_question(subtests):
    for english, korean in zip(ENGLISH, KOREAN, strict=True):
        with subtests.test(question=english.id):
            for name in SAME:
                assert getattr(english, name) == getattr(korean, name)
            options = [[(o.id, o.is_right) for o in one.options] for one in (english, korean)]
            assert options[0] == options[1]
            assert bool(english.otherwise) == bool(korean.otherwise)


def test_both_languages_have_the_same_predictions():
    english, korean = bank.predictions("en"), bank.predictions("ko")
    assert set(english) == set(korean) == {"transferred", "head_swap", "freeze", "two_stages", "reading"}
    for step, one in english.items():
        assert [option.id for option in one.options] == [option.id for option in korean[step].options]
        assert len(one.options) >= 3 and one.look and korean[step].look


def test_every_wrong_answer_is_explained_and_some_answer_is_right(subtests):
    for lang, question in QUESTIONS:
        with subtests.test(lang=lang, question=question.id):
            assert question.kind in KINDS and question.step in STEPS
            assert question.prompt and question.right
            num_right = sum(option.is_right for option in question.options)
            if question.kind == "order":
                assert len(question.options) >= 4 and all(option.why for option in question.options)
            elif question.kind == "number":
                assert question.answer is not None and question.otherwise
                assert all(marking.to_number(option.id) != question.answer for option in question.options)
                assert all(option.why for option in question.options) and len(question.options) >= 2
            else:
                assert num_right == 1 or (
                    question.kind == "several" and 1 < num_right < len(question.options)
                )
                assert all(bool(option.why) != option.is_right for option in question.options)
            if question.kind == "bug":
                assert len(question.options) == len(question.code.splitlines()) and question.mended


def test_no_answer_is_marked_right_but_the_right_one(subtests):
    for lang, question in QUESTIONS:
        with subtests.test(lang=lang, question=question.id):
            ids = [option.id for option in question.options]
            if question.kind == "order":
                assert marking.is_right(question, ids) and not marking.is_right(question, ids[::-1])
            elif question.kind == "number":
                assert marking.is_right(question, [f"{question.answer:,.0f}"])
                assert not any(marking.is_right(question, [option]) for option in ids)
            else:
                right = [option.id for option in question.options if option.is_right]
                assert marking.is_right(question, right[::-1])
                assert not marking.is_right(question, right[1:]) and not marking.is_right(question, ids)


def test_each_mistake_is_answered_with_its_own_explanation(subtests):
    for lang, question in QUESTIONS:
        with subtests.test(lang=lang, question=question.id):
            for option in question.options:
                if question.kind in ("order",) or option.is_right:
                    continue
                assert marking.remarks(question, [option.id]) == [option.why]


@pytest.mark.parametrize(
    ("text", "number"),
    [("2562", 2562), ("2,562", 2562), (" 2562개 ", 2562), ("87 %", 87), ("86.7%", 86.7), ("-1", -1)]
    + [("", None), ("many", None), ("1e400", None), ("1.2.3", None), ("2 or 3", None)],
)
def test_numbers_are_read_as_people_write_them(text, number):
    assert marking.to_number(text) == number


def test_a_share_may_be_given_before_rounding():
    recall = BY_ID["reading_recall"]
    assert marking.is_right(recall, ["91.7 %"]) and marking.is_right(recall, ["92"])
    assert not marking.is_right(recall, ["93"])


def test_texts_are_short_enough_to_be_read(subtests):
    for lang, question in QUESTIONS:
        with subtests.test(lang=lang, question=question.id):
            for text in words_of(question):
                assert len(text.split()) <= 45, text


def test_korean_questions_are_korean():
    for question in KOREAN:
        for text in (question.prompt, question.right, *(o.why for o in question.options if o.why)):
            assert re.search("[가-힣]", text), (question.id, text)


@pytest.mark.parametrize("question", [q for q in ENGLISH if q.kind == "bug"], ids=lambda q: q.id)
def test_code_with_a_bug_is_still_code_and_so_is_its_mending(question):
    lines = question.code.splitlines()
    at = next(i for i, option in enumerate(question.options) if option.is_right)
    mended = "\n".join([*lines[:at], *question.mended.splitlines(), *lines[at + 1 :]])
    assert ast.dump(ast.parse(mended)) != ast.dump(ast.parse(question.code))
    assert ast.parse(textwrap.dedent(question.mended.rstrip(","))).body


# ------------------------------------------------------------------ facts


@pytest.fixture(scope="module")
def model():
    from tl_core.models.build import skeleton

    return skeleton("timm", 2, 0.3)


def test_the_sizes_of_the_heads_are_those_of_the_network(model):
    from torch import nn

    counts = {part: total for part, (total, _) in model.parameter_counts().items()}
    old = sum(p.numel() for p in nn.Linear(model.feature_dim, 1000).parameters())
    assert BY_ID["head_parameters"].answer == counts["classifier"] == 2562
    assert BY_ID["head_parameters"].option("1281000") and old == 1_281_000
    assert old / counts["classifier"] == 500
    assert BY_ID["head_total"].answer == sum(counts.values())
    backbone = sum(counts.values()) - counts["classifier"]
    assert f"{backbone + old:,}" in BY_ID["head_total"].prompt
    assert {option.id for option in BY_ID["head_total"].options} == {
        str(backbone + old + counts["classifier"]), str(backbone), str(backbone + old),
    }  # fmt: skip


def test_the_way_of_a_picture_is_that_of_the_network(model):
    from tl_core.models.parts import part_shapes

    shapes = part_shapes(model, 224)
    parts = ["stem", "blocks", "head_conv", "pooling", "head"]
    assert [option.id for option in BY_ID["inside_way"].options] == parts
    stations = list(shapes)
    assert stations[0] == "pixels" and stations[1] == "stem" and stations[-3:] == [
        "head_conv", "pooled", "classifier",
    ]  # fmt: skip
    assert (shapes["pixels"][0], shapes["stem"][0]) == (3, 32)
    assert (shapes["blocks.6"][0], shapes["head_conv"]) == (320, (1280, 7, 7))
    blocks = [module for part in model.backbone.blocks for module in part]
    assert len(blocks) == 16 and len(model.backbone.blocks) == NUM_BLOCK_GROUPS == 7
    pooling = BY_ID["inside_pooling"]
    assert shapes["pooled"] == (1280,) and pooling.option("1280").is_right
    assert pooling.option("62720") and 1280 * 7 * 7 == 62720


def test_what_stage_2_trains_is_what_the_network_unfreezes(model):
    model.unfreeze_last(preset("expression").unfreeze_blocks)
    learns = model.trainable_parts()
    parts = {
        "late": ["blocks.4", "blocks.5", "blocks.6"],
        "head_conv": ["head_conv"],
        "head": ["classifier"],
        "stem": ["stem"],
        "early": ["blocks.0", "blocks.1", "blocks.2"],
    }
    for option in BY_ID["freeze_parts"].options:
        assert all((part in learns) == option.is_right for part in parts[option.id])


def test_folders_are_numbered_as_imagefolder_numbers_them(tmp_path):
    from torchvision.datasets import ImageFolder

    names = [option.id for option in BY_ID["labels_order"].options]
    for name in reversed(names):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"")
    found = ImageFolder(str(tmp_path)).class_to_idx
    assert sorted(found, key=found.get) == names
    right = next(option.id for option in BY_ID["labels_number"].options if option.is_right)
    assert found["ok_front"] == int(right) == 1 and found["def_front"] == 0


def test_the_code_that_replaces_the_head_fails_in_its_faulty_line_only():
    import torch
    from torch import nn
    from torchvision import models

    pooled = torch.zeros(1, models.efficientnet_b0(weights=None).classifier[1].in_features)
    with pytest.raises(RuntimeError):
        nn.Linear(1000, 2)(pooled)
    assert eval(BY_ID["head_bug"].mended.strip(" ,"), {"nn": nn})(pooled).shape == (1, 2)


def test_a_frozen_batchnorm_drifts_in_training_mode_and_stays_in_eval():
    import torch
    from torch import nn

    features = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).requires_grad_(False)
    before = features[1].running_mean.clone()
    features.train()(torch.ones(2, 3, 4, 4))
    assert not torch.equal(features[1].running_mean, before)
    before = features[1].running_mean.clone()
    features.eval()(torch.ones(2, 3, 4, 4))
    assert torch.equal(features[1].running_mean, before)


def test_the_models_are_ordered_by_their_parameters():
    import timm
    import torch

    def count(name: str) -> int:
        with torch.device("meta"):
            return sum(p.numel() for p in timm.create_model(name, pretrained=False).parameters())

    counts = [count(option.id) for option in BY_ID["models_order"].options]
    assert counts == sorted(counts)
    millions = ["5.3", "11.7", "25.6", "66.3", "86.6"]
    for number, said, option in zip(counts, millions, BY_ID["models_order"].options, strict=True):
        assert said in option.why and float(said) == pytest.approx(number / 1e6, rel=0.01)
    assert counts[3] > 12 * counts[0] and counts[2] == pytest.approx(5 * counts[0], rel=0.05)


def test_the_recipe_of_the_questions_is_the_one_that_runs():
    config = preset("expression")
    english = {option.id: option.text for option in BY_ID["stages_order"].options}
    assert str(config.head.learning_rate) in english["head"]
    assert f"{config.finetune.learning_rate:.4f}" in english["finetune"]
    assert config.head.epochs == 15 and "range(15)" in BY_ID["freeze_bug"].code
    assert f"target_per_class={config.target_per_class}" in BY_ID["stages_bug"].code
    assert BY_ID["transferred_times"].answer == 1_200_000 / 400


def test_the_numbers_of_the_recorded_castings_are_those_of_the_recording():
    found = recording("castings").summary["reported"]
    scores = found["metrics"]
    (hit, missed), (false, rest) = scores["confusion_matrix"]
    assert found["split"] == "test" and recording("castings").summary["classes"][0] == "def_front"
    prompt = BY_ID["reading_recall"].prompt
    for number in (hit + missed, hit, missed, false + rest, false):
        assert re.search(rf"\b{number}\b", prompt)
    assert (
        BY_ID["reading_recall"].answer == round(100 * scores["recall"]) == round(100 * hit / (hit + missed))
    )
    wrong = {
        round(100 * scores["precision"]),
        round(100 * scores["accuracy"]),
        round(100 * missed / (hit + missed)),
    }
    assert {int(option.id) for option in BY_ID["reading_recall"].options} == wrong
    low, high = scores["intervals"]["accuracy"]
    for said in (
        percent(scores["accuracy"]),
        f"{100 * low:.0f}–{100 * high:.0f} %",
        str(scores["num"]),
    ):
        assert said in BY_ID["reading_interval"].prompt


def test_the_lazy_model_has_the_accuracy_and_recall_that_are_said():
    import numpy as np

    truth = np.array([0] * 5 + [1] * 95)
    always_sound = np.tile([0.0, 1.0], (100, 1))
    found = metrics.evaluate(truth, always_sound, ["defective", "sound"], "defective")
    assert (found["accuracy"], found["recall"]) == (0.95, 0.0)
    assert "95 %" in BY_ID["reading_lazy"].option("lazy").text


def test_the_curves_show_what_the_answers_say():
    castings, faces = recording("castings").view, recording("faces").view
    head, finetune = castings.stages["head"].epochs, castings.stages["finetune"].epochs
    said = re.findall(r"0\.\d\d", BY_ID["stages_curve"].right)
    found = [head[0].val_loss, min(e.val_loss for e in head), min(e.val_loss for e in finetune)]
    assert said == [f"{value:.2f}" for value in found]
    assert finetune[0].val_loss < head[-1].val_loss < finetune[0].train_loss, "only training jumps up"
    assert all(epoch.val_loss < 1.05 * head[-1].val_loss for epoch in finetune), "it never rises"
    assert finetune[-1].val_loss < head[-1].val_loss / 2

    stage = faces.stages["finetune"]
    (drop,) = stage.drops
    assert (drop.epoch, drop.patience) == (stage.best_epoch + 4, 3), "more than three epochs without a best"
    kept = faces.offset("finetune") + stage.best_epoch
    assert BY_ID["reading_kept"].option(str(kept)).is_right
    best = max(stage.epochs, key=lambda epoch: epoch.val_accuracy)
    assert BY_ID["reading_kept"].option(str(faces.offset("finetune") + best.epoch)).why
    assert BY_ID["reading_kept"].option(str(faces.offset("finetune") + stage.epochs[-1].epoch)).why
    assert stage.epochs[-1].train_accuracy > 0.97 and stage.epochs[-1].train_loss < 0.05
    assert stage.epochs[-1].val_loss > min(epoch.val_loss for epoch in stage.epochs)
    assert 0.7 < sum(epoch.val_accuracy for epoch in stage.epochs[3:]) / len(stage.epochs[3:]) < 0.8


@pytest.mark.parametrize("name", RUNS)
def test_a_recording_is_whole_and_says_how_it_was_made(name):
    view, settings = recording(name).view, recording(name).settings
    assert view.ended and all(stage.ended for stage in view.ordered)
    for stage in view.ordered:
        assert [epoch.epoch for epoch in stage.epochs] == list(range(1, len(stage.epochs) + 1))
        assert stage.epochs[0].learning_rate == settings[stage.name]["learning_rate"]
    assert len(epoch_rows(view)) == sum(len(stage.epochs) for stage in view.ordered)
