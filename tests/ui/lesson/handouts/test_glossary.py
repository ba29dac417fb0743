"""The glossary: every term of the app, found in both languages, none that nobody uses."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.ui.open_page import words
from tests.ui.part import part
from tl_core.evaluation.metrics import METRICS
from tl_ui.frame.text import LOCALES, catalogue
from tl_ui.lesson.handouts.glossary import glossary, matching
from tl_ui.lesson.quiz import bank

ROOT = Path(__file__).resolve().parents[4]
TERMS = {key.split(".")[1] for key in catalogue("en") if key.startswith("terms.")}
FROM_THE_GUIDES = {
    "class_imbalance", "cross_entropy", "data_leakage", "domain_adaptation", "ensemble", "feature_extraction",
    "generalisation", "hyperparameter", "inference", "light_model", "linear", "low_level", "normalisation",
    "online_learning", "pre_training", "robust_optimisation", "scheduler", "top_1",
}  # fmt: skip
"""Words of the two guides that a class meets there and looks up here."""
PARTS_OF_THE_NETWORK = {"logits", "squeeze_excitation"}
"""What every book about EfficientNet calls them."""


def strings_of_the_code() -> set[str]:
    """String constants of pages and tl_ui: pages ask for terms by these names."""
    files = [*(ROOT / "pages").glob("*.py"), *(ROOT / "tl_ui").rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    found = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    # help_of(f"stage_{name}") asks for several
    patterns = {
        node.args[0].values[0].value
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("help_of", "name_of")
        and isinstance(node.args[0], ast.JoinedStr)
        and isinstance(node.args[0].values[0], ast.Constant)
    }
    return found | {term for term in TERMS for start in patterns if term.startswith(start)}


def sentences() -> str:
    """Everything that the app says in English, but for the glossary's own names and helps."""
    said = [text for key, text in catalogue("en").items() if not key.startswith("terms.")]
    helps = [text for key, text in catalogue("en").items() if re.fullmatch(r"terms\..+\.help", key)]
    asked = bank.QUESTIONS.joinpath("en.toml").read_text(encoding="utf-8")
    plan = (ROOT / "docs/lesson-plan.md").read_text(encoding="utf-8")
    return " ".join([*said, *helps, asked, plan]).casefold()


def test_every_term_is_used_somewhere_in_the_app():
    asked, said = strings_of_the_code(), sentences()

    def is_said(term: str) -> bool:
        name = catalogue("en")[f"terms.{term}.name"].casefold()
        return re.sub(r"\s*\(.*", "", name) in said

    unused = {term for term in TERMS if term not in asked and not is_said(term)}
    assert unused <= FROM_THE_GUIDES | PARTS_OF_THE_NETWORK
    assert FROM_THE_GUIDES | PARTS_OF_THE_NETWORK <= TERMS


def test_every_metric_has_its_term():
    assert set(METRICS) <= TERMS


@pytest.mark.parametrize(
    "name",
    ["MBConv", "Squeeze-and-excitation", "Pooling", "Feature map", "Overfitting", "Optimizer (Adam)"]
    + ["Logits", "Mixed precision (AMP)", "BatchNorm", "ImageNet", "Training from scratch"]
    + ["ReduceLROnPlateau", "Fine-tuning", "Domain adaptation"],
)
def test_the_words_of_the_guides_are_explained(name):
    assert name in {entry.name for entry in glossary("en")}


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_all_terms_are_on_the_page_with_both_names(lang):
    shown = words(part("handouts.glossary.show()", lang))
    for entry in glossary(lang):
        assert f"<dt>{entry.name}" in shown
    assert "정밀도" in shown and "Precision" in shown
    assert len(glossary(lang)) == len(TERMS)


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("sought", ["precision", "정밀도", "PRECISION "])
def test_a_term_is_found_by_either_name(lang, sought):
    app = part("handouts.glossary.show()", lang)
    app.text_input(key="glossary_search").set_value(sought).run()
    first = re.search(r"<dt>([^<]+)<?", words(app))
    assert first and "혼합" not in words(app)[: first.start()]
    names = {entry.name for entry in matching(glossary(lang), sought)}
    assert catalogue(lang)["terms.precision.name"] in names


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_word_that_is_not_there_is_said_so(lang):
    app = part("handouts.glossary.show()", lang)
    app.text_input(key="glossary_search").set_value("xyzzy").run()
    assert catalogue(lang)["glossary.none"] in words(app)


def test_names_that_match_come_before_helps_that_match():
    found = matching(glossary("en"), "frozen")
    assert found[0].name == "Frozen" and len(found) > 2


def test_no_two_terms_have_the_same_name():
    for lang in ("en", "ko"):
        names = [entry.name for entry in glossary(lang)]
        assert len(names) == len(set(names))


def test_the_glossary_has_one_source():
    assert [path.name for path in LOCALES.glob("en/*.toml") if "[terms." in path.read_text("utf-8")] == [
        "terms.toml"
    ]
