"""The Improve page: what stands out, what is decided, and the retraining that measures it."""

import shutil
import unicodedata

import numpy as np
import pytest

from tests.core.drawn import write_classes
from tests.ui.open_page import has, open_page, words
from tests.ui.run_folder_builder import RunBuilder, finished_on_pictures
from tl_core.base.config import RunConfig
from tl_core.data import curation
from tl_core.data.folders import scan
from tl_core.jobs import local
from tl_core.runs.execution.workflow import create_run
from tl_ui.frame.text import catalogue
from tl_ui.screens.improve import checks as improve_data
from tl_ui.screens.improve import retrain as improve_retrain
from tl_ui.screens.improve.cards import _id
from tl_ui.stores.sets import datasets, overview

pytestmark = pytest.mark.parametrize("lang", ["en", "ko"])
CLASSES = ("dots", "stripes")
SMALL = RunConfig(image_px=32, weights="random")


def text(lang, key, **values):
    return catalogue(lang)[f"improve.{key}"].format(**values)


@pytest.fixture
def pictures(tmp_path):
    root = write_classes(tmp_path / "pictures", {"dots": 64, "stripes": 64}, px=32)
    # a copy with another label, which the checks must name
    (root / "stripes" / "twin.png").write_bytes((root / "dots" / "003.png").read_bytes())
    return root


@pytest.fixture
def data_id(pictures):
    return datasets.add_folder(pictures).id


@pytest.fixture
def run(own_runs_folder, pictures):
    """A finished run on the pictures; its answers are made up, its pictures are real."""
    built = RunBuilder(own_runs_folder / "done", classes=CLASSES, config=SMALL, data=pictures).start()
    return finished_on_pictures(built)


@pytest.fixture
def quick_judge(monkeypatch):
    """Brightness in place of the backbone, whose 224 pixels take seconds; with a run of 32 it is asked."""

    def mean_colours(images, choice, library, on_progress=None):
        return images.reshape(len(images), 16, -1).mean(axis=2)

    monkeypatch.setattr("tl_core.evaluation.label_issues.pooled_features", mean_colours)


def panel(app, name):
    app.segmented_control(key="improve_panel").set_value(name).run()
    assert not app.exception, app.exception
    return app


def checked(lang, **params):
    app = open_page("improve", lang=lang, **params)
    app.button(key="check").click().run()
    assert not app.exception, app.exception
    return app


def test_without_pictures_the_page_says_where_to_get_them(lang, own_runs_folder):
    assert text(lang, "none") in words(open_page("improve", lang=lang))


def test_pictures_without_a_run_can_be_checked_before_anything_is_trained(lang, data_id, quick_judge):
    app = checked(lang, data=data_id)
    found = words(panel(app, "copies"))
    assert text(lang, "why_twin_class", **{"class": "dots", "twin": "dots/003.png"}) in found
    assert "mistakes" not in str(app.segmented_control(key="improve_panel").options)
    assert not has(app, "button", "check"), "what was found is kept"


def test_a_decision_is_written_beside_the_pictures_and_taken_back_by_the_same_click(lang, run, pictures):
    before = {path: path.read_bytes() for path in pictures.rglob("*.png")}
    app = panel(checked(lang, run="done"), "copies")
    key = f"decide_copies_{_id('stripes/twin.png')}"
    app.pills(key=key).set_value("as:dots").run()
    [row] = curation.decided(pictures)
    assert (row.file, row.decision, row.label, row.why) == (
        "stripes/twin.png",
        "relabel",
        "dots",
        "twin_class",
    )
    assert {path: path.read_bytes() for path in pictures.rglob("*.png")} == before
    app.pills(key=key).set_value(None).run()
    assert not (pictures / curation.FILE).exists()


def test_mistakes_of_a_run_can_be_decided_and_the_exam_is_explained(lang, run, pictures):
    app = panel(open_page("improve", lang=lang, run="done"), "mistakes")
    found = words(app)
    assert text(lang, "exam") in found
    mistake = improve_data.mistakes(run)[0]
    assert mistake.part in ("test", "val") and mistake.truth != mistake.said
    app.pills(key=f"decide_mistakes_{_id(mistake.file)}").set_value("exclude").run()
    assert curation.decided(pictures)[0].decision == "exclude"
    assert not app.exception


def test_a_chosen_run_that_has_not_finished_is_said_to_be_missing(lang, run, own_runs_folder):
    RunBuilder(own_runs_folder / "mine", config=SMALL).start().stopped()
    app = open_page("improve", lang=lang, run="mine")
    said = catalogue(lang)["runs.unfinished"].format(name="mine")
    assert said in [info.value for info in app.info]
    assert app.selectbox(key="improve_run").value is None, "no other run takes its place"


def test_more_mistakes_are_on_the_next_page(lang, run, monkeypatch):
    monkeypatch.setattr("tl_ui.screens.improve.cards.PER_PAGE", 2)
    app = panel(open_page("improve", lang=lang, run="done"), "mistakes")
    first = words(app)
    app.button(key="ahead_mistakes").click().run()
    assert not app.exception and words(app) != first


def test_decisions_are_listed_undone_one_by_one_and_all_at_once(lang, data_id, pictures):
    for name in ("dots/000.png", "dots/001.png", "dots/002.png"):
        curation.decide(pictures, name, "exclude")
    curation.add_correction(pictures, "x.png", np.zeros((9, 9, 3), np.uint8), "dots")
    app = panel(open_page("improve", lang=lang, data=data_id), "decisions")
    assert "dots/001.png" in words(app)
    app.button(key=f"undo_{_id('dots/001.png')}").click().run()
    assert [row.file for row in curation.decided(pictures)] == ["dots/000.png", "dots/002.png"]
    app.button(key="undo_all").click().run()
    assert not (pictures / curation.FILE).exists()
    [added] = curation.in_force(pictures)
    app.button(key=f"undo_{_id(added.file)}").click().run()
    assert curation.in_force(pictures) == []
    assert text(lang, "none_decisions") in words(app)


def test_decided_pictures_with_decomposed_names_are_shown(lang, tmp_path):
    name = unicodedata.normalize("NFD", "불량")
    root = write_classes(tmp_path / "data", {"dots": 4, "stripes": 4}, px=32)
    (root / "dots").rename(root / name)
    curation.decide(root, "불량/000.png", "exclude")
    shown = words(panel(open_page("improve", lang=lang, data=datasets.add_folder(root).id), "decisions"))
    assert "불량/000.png" in shown
    assert '<img src="data:image' in shown and '<img src=""' not in shown


def test_two_rows_on_one_picture_are_listed_once(lang, data_id, pictures):
    table = "file,decision\ndots/000.png,exclude\ndots/000.png,keep\n"
    (pictures / curation.FILE).write_text(table, encoding="utf-8")
    app = panel(open_page("improve", lang=lang, data=data_id), "decisions")
    assert text(lang, "made_keep") in words(app)
    app.button(key=f"undo_{_id('dots/000.png')}").click().run()
    assert not (pictures / curation.FILE).exists()


def test_retraining_is_locked_until_something_is_decided(lang, run):
    app = panel(open_page("improve", lang=lang, run="done"), "retrain")
    assert app.button(key="retrain").disabled
    assert text(lang, "nothing_decided") in words(app)


def test_retraining_starts_one_recipe_twice_and_the_second_time_once(
    lang, run, pictures, own_runs_folder, monkeypatch
):
    launched = []

    def launch(new):
        launched.append(new)
        new.write_status(state="finished")

    monkeypatch.setattr(local, "launch", launch)
    monkeypatch.setattr(improve_retrain, "_difference", lambda *runs: None)
    curation.decide(pictures, "dots/000.png", "relabel", "stripes")
    app = panel(open_page("improve", lang=lang, run="done"), "retrain")
    app.button(key="retrain").click().run()
    assert not app.exception, app.exception
    before, after = (new.read_config() for new in launched)
    assert (before["use_decisions"], after["use_decisions"]) == (False, True)
    differ = {name for name in before if before[name] != after[name]} - {"created"}
    assert differ == {"use_decisions"}
    assert after["finetune"]["epochs"] == 0 and not after["augment"]
    assert not (launched[0].path / "decisions.csv").exists() and (launched[1].path / "decisions.csv").exists()
    assert app.button(key="retrain").disabled and text(lang, "already") in words(app)
    curation.decide(pictures, "dots/001.png", "exclude")
    app.run()
    app.button(key="retrain").click().run()
    assert [new.read_config()["use_decisions"] for new in launched] == [False, True, True]


def test_the_two_runs_are_found_again_by_their_settings(lang, run, pictures):
    place = improve_data.CheckedData(pictures, "x", improve_data.overview.scanned(pictures), run)
    new = create_run(pictures, run.path.parent / "later", improve_retrain.recipe(run, True))
    assert [found.name for found in improve_retrain.made_before(place, use_decisions=True)] == [new.name]
    assert improve_retrain.made_before(place, use_decisions=False) == []


def test_a_run_made_before_the_pictures_changed_is_not_measured_against(lang, run, pictures):
    def place():
        return improve_data.CheckedData(pictures, "x", scan(pictures), run)

    files = [f"{path.parent.name}/{path.name}" for path in sorted(pictures.rglob("*.png"))]
    lines = [f"{file},x,x,train,head\n" for file in files]
    run.predictions_path.write_text("file,truth,predicted,split,stage\n" + "".join(lines), encoding="utf-8")
    assert improve_retrain._is_current(place(), run)
    (pictures / "dots" / "new.png").write_bytes((pictures / "dots" / "000.png").read_bytes())
    assert not improve_retrain._is_current(place(), run)


def test_a_broken_table_is_an_error_in_words(lang, data_id, pictures):
    (pictures / curation.FILE).write_text("file,decision\ndots/000.png,burn\n", encoding="utf-8")
    app = open_page("improve", lang=lang, data=data_id)
    assert len(app.error) == 1 and "burn" in app.error[0].value


def test_pictures_that_are_gone_are_an_error_in_words(lang, run, pictures):
    pictures.rename(pictures.with_name("elsewhere"))
    app = open_page("improve", lang=lang, run="done")
    assert len(app.error) == 1 and str(pictures) in app.error[0].value


def test_a_run_with_a_damaged_configuration_is_passed_over_and_asked_for_an_error_in_words(
    lang, run, own_runs_folder
):
    shutil.copytree(run.path, own_runs_folder / "damaged")
    (own_runs_folder / "damaged" / "config.json").write_text("{", encoding="utf-8")
    app = open_page("improve", lang=lang)
    assert app.selectbox(key="improve_run").value == "done" and not app.error
    app = open_page("improve", lang=lang, run="damaged")
    assert len(app.error) == 1 and "config.json" in app.error[0].value


def test_when_the_only_run_is_damaged_the_page_says_so_in_words(lang, run):
    run.config_path.write_text("{", encoding="utf-8")
    app = open_page("improve", lang=lang)
    assert len(app.error) == 1 and "config.json" in app.error[0].value


def test_many_classes_are_a_list(lang, tmp_path, quick_judge):
    root = write_classes(tmp_path / "many", dict.fromkeys("abcdef", 8), px=32)
    (root / "f" / "twin.png").write_bytes((root / "a" / "003.png").read_bytes())
    app = panel(checked(lang, data=datasets.add_folder(root).id), "copies")
    app.selectbox(key=f"decide_copies_{_id('f/twin.png')}").set_value("as:c").run()
    assert curation.decided(root)[0].label == "c"


def test_names_of_classes_are_no_markdown(lang, tmp_path, quick_judge):
    root = write_classes(tmp_path / "my _best_", {"_dots_": 16, "[s](t)": 16}, px=32)
    (root / "[s](t)" / "twin.png").write_bytes((root / "_dots_" / "003.png").read_bytes())
    app = checked(lang, data=datasets.add_folder(root).id)
    assert r"my \_best\_" in words(app) and r"\_dots\_ 16" in words(app)
    pills = panel(app, "copies").pills(key=f"decide_copies_{_id('[s](t)/twin.png')}")
    assert any(r"\_dots\_" in option for option in pills.options)


def test_a_copy_is_shown_beside_its_twin_and_all_copies_are_left_out_with_one_press(lang, run, pictures):
    app = panel(checked(lang, run="done"), "copies")
    near = overview.read(pictures).num_near  # counted anew on Data, at another size
    assert text(lang, "copies_are", all=str(near)) in words(app)
    cards = [html.proto.body for html in app.get("html") if '<div class="hs-twins"' in html.proto.body]
    assert cards and all(card.count("<figure") == 2 for card in cards)
    app.button(key="exclude_all").click().run()
    assert not app.exception
    left_out = {row.file for row in curation.decided(pictures) if row.decision == "exclude"}
    twins = {"stripes/twin.png", "dots/003.png"}
    assert len(left_out & twins) == 1, "of two that are each other's copy one stays"
    assert not has(app, "button", "exclude_all")
