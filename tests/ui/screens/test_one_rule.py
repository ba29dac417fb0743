"""One decision rule and one set of held-out answers: every page counts the same mistakes."""

from __future__ import annotations

import pytest

from tests.ui.explorable_run import explorable_run
from tests.ui.open_page import has, open_page, words
from tl_core.evaluation.metrics import evaluate
from tl_core.runs import decision_rule, predictions
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder, write_json
from tl_ui.frame.text import catalogue, percent
from tl_ui.screens.improve.checks import mistakes
from tl_ui.stores.runs import predictions as stored
from tl_ui.stores.runs.scores import by_rule, chance, confusions, reported

pytestmark = pytest.mark.parametrize("lang", ["en", "ko"])


@pytest.fixture
def ruled(own_runs_folder, tmp_path) -> RunFolder:
    run = explorable_run(own_runs_folder / "ruled", tmp_path / "pictures")
    decision_rule.save(run, DecisionRule(positive_class="bad", threshold=0.2))
    return run


def test_results_leads_with_the_rule_that_classify_follows_and_says_the_other(lang, ruled):
    summary = ruled.read_summary()
    probable = reported(summary)
    saved = by_rule(decision_rule.read(ruled), predictions.read(ruled), probable)
    assert saved.value("accuracy") != probable.value("accuracy"), "else the test says nothing"
    found = words(open_page("results", lang=lang, run="ruled"))
    assert f"<b>{percent(saved.value('accuracy'))}</b>" in found
    accuracy = catalogue(lang)["terms.accuracy.name"]
    assert f"{accuracy} {percent(probable.value('accuracy'))}" in found


def test_results_pictures_and_improve_count_the_same_mistakes(lang, ruled):
    summary = ruled.read_summary()
    saved = by_rule(decision_rule.read(ruled), predictions.read(ruled), reported(summary))
    wrong = round((1 - saved.value("accuracy")) * saved.metrics["num"])
    assert len([one for one in mistakes(ruled) if one.part == "test"]) == wrong
    app = open_page("results", lang=lang, run="ruled")
    app.segmented_control(key="panel").set_value("mistakes").run()
    kinds = confusions(saved.metrics)
    assert sum(count for count, _, _ in kinds) == wrong
    for count, truth, said in kinds:
        sentence = catalogue(lang)["results.mistake"].format(count=count, truth=truth, said=said)
        assert sentence in words(app)
    pictures = open_page("explore", lang=lang, run="ruled", explore_view="pictures")
    cells = [option for option in pictures.selectbox(key="explore_cell").options if option.split(" (")[0]]
    shown = {
        option.split(" (")[0]: int("".join(c for c in option.split(" (")[1] if c.isdigit()))
        for option in cells
    }
    assert sum(count for cell, count in shown.items() if cell in ("bad → good", "good → bad")) == wrong
    pictures.segmented_control(key="pictures_rule").set_value("probable").run()
    assert not pictures.exception
    assert pictures.selectbox(key="explore_cell").options != cells


def test_without_a_saved_threshold_nobody_is_asked(lang, own_runs_folder, tmp_path):
    explorable_run(own_runs_folder / "plain", tmp_path / "plain")
    app = open_page("explore", lang=lang, run="plain", explore_view="pictures")
    assert not has(app, "segmented_control", "pictures_rule")


def test_under_cross_validation_pictures_begin_with_the_answers_that_are_reported(
    lang, own_runs_folder, tmp_path
):
    run = explorable_run(own_runs_folder / "crossed", tmp_path / "crossed")
    text = run.predictions_path.read_text(encoding="utf-8").replace(",test,", ",cross_validation,")
    rows = text.splitlines()
    # each round's own best stage was not the last one
    final = [row.replace(",head,", ",final,") for row in rows if ",cross_validation,head," in row]
    run.predictions_path.write_text("\n".join([*rows, *final]) + "\n", encoding="utf-8")
    summary = run.read_summary()
    scores = {stage: parts.pop("test") for stage, parts in summary["stages"].items()}
    scores["final"] = scores["head"]
    summary |= {"cross_validation": scores}
    summary["reported"] = {"stage": "finetune", "split": "cross_validation", "metrics": scores["final"]}
    write_json(run.summary_path, summary)
    wrong = round((1 - scores["final"]["accuracy"]) * scores["final"]["num"])
    assert wrong != round((1 - scores["finetune"]["accuracy"]) * scores["final"]["num"])
    assert len(mistakes(run)) == wrong
    answers = stored.predictions(run, summary).final("cross_validation")
    assert int((answers.said != answers.truth).sum()) == wrong
    app = open_page("explore", lang=lang, run="crossed", explore_view="pictures")
    assert app.segmented_control(key="matrix_stage_cross_validation").value == "final"


def test_chance_and_majority_stand_beside_the_score(lang, own_runs_folder, tmp_path):
    run = explorable_run(own_runs_folder / "plain", tmp_path / "plain", classes=("a", "b", "c", "d"))
    blind = chance(reported(run.read_summary()).metrics)
    assert blind == {"chance": 0.25, "majority": 0.25}
    found = words(open_page("results", lang=lang, run="plain"))
    said = catalogue(lang)["results.blind"].format(chance="25.0 %", majority="25.0 %")
    assert said in found


def test_the_majority_is_the_share_of_the_commonest_class(lang):
    import numpy as np

    truth = np.array([0] * 30 + [1] * 10)
    scores = evaluate(truth, np.full((40, 2), 0.5), ["a", "b"], "a")
    assert chance(scores) == {"chance": 0.5, "majority": 0.75}


def test_mistakes_lead_to_their_pictures_and_every_class_has_its_scores(lang, ruled):
    app = open_page("results", lang=lang, run="ruled")
    app.segmented_control(key="panel").set_value("mistakes").run()
    links = [
        link.proto.query_string
        for link in app.get("page_link")
        if "explore_view=pictures" in link.proto.query_string
    ]
    assert links and all("cell=" in link and "split=test" in link for link in links)
    table = next(frame.value for frame in app.dataframe if list(frame.value.iloc[:, 0]) == ["bad", "good"])
    assert list(table.columns[1:]) == [
        catalogue(lang)[f"terms.{n}.name"] for n in ("precision", "recall", "f1", "support")
    ]
