"""The facts that a run tells about itself, and the sentences made of them."""

from __future__ import annotations

import json
import re

import pytest

from tests.ui.run_folder_builder import RunBuilder, finished_run
from tl_core.base.config import RunConfig
from tl_core.base.errors import RunNotReady
from tl_core.base.percent import percent
from tl_core.runs.report.run_facts import read_facts
from tl_ui.lesson.handouts.explanation_text import BLANK, answer, as_html

LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])


@pytest.fixture
def run(tmp_path):
    return finished_run(tmp_path / "done")


def change(run, **changes):
    summary = run.read_summary() | changes
    run.summary_path.write_text(json.dumps(summary), encoding="utf-8")


def test_the_facts_are_those_of_the_files(run):
    facts, summary = read_facts(run), run.read_summary()
    assert (facts.num_old, facts.width, facts.num_head) == (1000, 1280, 2562)
    assert facts.metrics == summary["reported"]["metrics"]
    assert facts.num_right == round(facts.metrics["accuracy"] * facts.metrics["num"])
    assert [stage.name for stage in facts.stages] == ["head", "finetune"]
    head, finetune = facts.stages
    assert (head.num_epochs, head.num_planned, head.rate) == (15, 15, 0.001)
    assert (finetune.num_epochs, finetune.num_planned) == (16, 20), "it ended early"
    assert finetune.last_rate == pytest.approx(finetune.rate / 10), "its rate was reduced"
    assert sum(facts.pictures["teasing"].values()) + sum(facts.pictures["non_teasing"].values()) == 400


def test_a_run_without_results_is_refused(tmp_path):
    built = RunBuilder(tmp_path / "living").start().epochs("head", 2).let_go()
    with pytest.raises(RunNotReady):
        read_facts(built.run)


@LANGUAGES
def test_the_answer_says_the_numbers_of_the_run(run, language):
    facts, text = read_facts(run), answer(read_facts(run), language)
    scores = facts.metrics
    assert "EfficientNet-B0" in text and "timm" in text
    for said in ("Linear(1280, 1000)", "Linear(1280, 2)", "2,562", "0.001", "0.0001"):
        assert said in text
    assert percent(scores["accuracy"]) in text
    low, high = scores["intervals"]["accuracy"]
    assert percent(low, 0) in text and percent(high, 0) in text
    assert str(facts.stages[1].best_epoch) in text
    for name, counts in facts.pictures.items():
        line = next(line for line in text.splitlines() if line.startswith(f"- {name}:"))
        assert [int(n) for n in re.findall(r"\d+", line)] == list(counts.values())
    assert BLANK not in text and "{" not in text


@LANGUAGES
def test_training_from_scratch_is_never_called_transfer_learning(run, language):
    change(run, weights=run.read_summary()["weights"] | {"source": "random", "is_pretrained": False})
    text = answer(read_facts(run), language)
    claims = {"en": "I used transfer learning", "ko": "전이 학습을 했습니다"}
    denials = {"en": "this is not transfer learning", "ko": "전이 학습이 아닙니다"}
    assert claims[language] not in text and denials[language] in text
    assert "1000)" not in text and "1,000" not in text, "there was no trained head to take out"


@LANGUAGES
def test_limits_follow_the_run(run, language):
    before = answer(read_facts(run), language)
    weights = run.read_summary()["weights"] | {"source": "formula"}
    change(run, leak={"exact": 3, "near": 4, "pairs": []}, weights=weights)
    text = answer(read_facts(run), language)
    added = set(text.splitlines()) - set(before.splitlines())
    assert any("7" in line for line in added)
    words = {"en": "not from photographs", "ko": "실제 사진이 아니라"}
    assert any(words[language] in line for line in added)


@LANGUAGES
def test_only_the_stages_that_were_run_are_told(tmp_path, language):
    built = RunBuilder(tmp_path / "short").start().epochs("head", 3).stage_end("head")
    text = answer(read_facts(built.finish(final="head").run), language)
    assert {"en": "Stage 2", "ko": "2단계"}[language] not in text


@LANGUAGES
def test_cross_validation_and_the_whole_network_are_told(tmp_path, language):
    built = RunBuilder(tmp_path / "small", config=RunConfig(unfreeze_blocks=7)).start()
    built.epochs("head", 2).stage_end("head").epochs("finetune", 2).stage_end("finetune")
    run = built.finish(splits=("train", "val", "cross_validation")).run
    text = answer(read_facts(run), language)
    assert {"en": "By cross-validation in 5 rounds", "ko": "5겹 교차 검증"}[language] in text
    assert {"en": "the whole network learnt", "ko": "네트워크 전체를 학습"}[language] in text


@LANGUAGES
def test_without_a_run_there_are_blanks_and_no_number_of_anybody(language):
    text = answer(None, language)
    assert text.count(BLANK) > 20 and "{" not in text
    assert not re.search(r"\d{3}", text)


def test_both_languages_tell_the_same_sections_and_numbers(run):
    facts = read_facts(run)
    english, korean = answer(facts, "en"), answer(facts, "ko")
    assert len(english.splitlines()) == len(korean.splitlines())

    def numbers(text):
        return sorted(re.findall(r"\d+[\d,.]*\d|\d", text))

    # "seven groups" and "10분의 1" are words of one language: compare what came from the run
    assert {n for n in numbers(english) if len(n) > 1} == {n for n in numbers(korean) if len(n) > 1}


def test_what_a_person_types_stays_text_on_the_printed_page():
    html = as_html("1. Title <b>\nfirst & <script>\n\nlast")
    assert html == "<h2>1. Title &lt;b&gt;</h2>\n<p>first &amp; &lt;script&gt;</p>\n<p>last</p>"
