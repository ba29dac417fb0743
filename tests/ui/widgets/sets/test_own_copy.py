"""Who decides about a practice set gets a copy of it: the set itself is everybody's."""

import pytest

from tests.core.drawn import write_classes
from tests.ui.open_page import open_page, words
from tests.ui.run_folder_builder import RunBuilder, finished_on_pictures
from tl_core.base.config import RunConfig
from tl_core.data import curation
from tl_core.data.folders import fingerprint, scan
from tl_core.jobs import local
from tl_core.synthetic.practice import sample_folder
from tl_ui.frame.text import catalogue
from tl_ui.screens.improve import checks as improve_data
from tl_ui.screens.improve.cards import _id
from tl_ui.stores.sets import datasets

pytestmark = pytest.mark.parametrize("lang", ["en", "ko"])
CLASSES = ("dots", "stripes")


@pytest.fixture(autouse=True)
def shared(tmp_path, monkeypatch):
    """Stands where the drawn practice set would."""
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    folder = write_classes(sample_folder("expression"), dict.fromkeys(CLASSES, 64), px=32)
    (folder / "README.txt").write_text("drawn", encoding="utf-8")
    return folder


@pytest.fixture
def run(own_runs_folder, shared):
    """Finished, on the set that everybody shares; its answers are made up."""
    config = RunConfig(image_px=32, weights="random")
    built = RunBuilder(own_runs_folder / "done", classes=CLASSES, config=config, data=shared).start()
    return finished_on_pictures(built)


def decide_a_mistake(app, run, choice="exclude"):
    file = improve_data.mistakes(run)[0].file
    app.segmented_control(key="improve_panel").set_value("mistakes").run()
    app.pills(key=f"decide_mistakes_{_id(file)}").set_value(choice).run()
    assert not app.exception, app.exception
    return file


def copy_made(lang):
    return catalogue(lang)["data.own_copy"].format(name=catalogue(lang)["shell.sample_expression"])


def chosen(app):
    value = app.query_params["data"]
    return datasets.find(value if isinstance(value, str) else value[0])


def test_the_first_decision_makes_a_copy_and_leaves_the_shared_set_alone(lang, run, shared):
    app = open_page("improve", lang=lang, data="expression", run="done")
    file = decide_a_mistake(app, run)
    own = chosen(app)
    assert own.kind == "copy" and curation.decided(shared) == []
    assert [row.file for row in curation.decided(own.path)] == [file]
    assert copy_made(lang) in words(app)
    assert fingerprint(scan(own.path)) == fingerprint(scan(shared)), "runs on both can be compared"


def test_the_run_the_panel_and_the_card_stay_and_the_next_decision_joins_the_first(lang, run, shared):
    app = open_page("improve", lang=lang, run="done")
    decide_a_mistake(app, run)
    first = chosen(app)
    assert app.selectbox(key="improve_run").value == "done"
    file = improve_data.mistakes(run)[1].file
    app.pills(key=f"decide_mistakes_{_id(file)}").set_value("keep").run()
    assert chosen(app) == first and len(curation.decided(first.path)) == 2
    assert copy_made(lang) not in words(app), "said once"
    again = open_page("improve", lang=lang, run="done", data=first.id)
    assert again.selectbox(key="improve_run").value == "done"
    again.segmented_control(key="improve_panel").set_value("decisions").run()
    assert file in words(again)


def test_without_a_run_the_choice_of_pictures_alone_stays(lang, run, shared, monkeypatch):
    monkeypatch.setattr(
        "tl_core.evaluation.label_issues.pooled_features",
        lambda images, choice, library, on_progress=None: images.reshape(len(images), 16, -1).mean(axis=2),
    )
    (shared / "stripes" / "twin.png").write_bytes((shared / "dots" / "003.png").read_bytes())
    app = open_page("improve", lang=lang, data="expression")
    app.selectbox(key="improve_run").set_value(improve_data.NO_RUN).run()
    app.button(key="check").click().run()
    app.segmented_control(key="improve_panel").set_value("copies").run()
    key = f"decide_copies_{_id('stripes/twin.png')}"
    app.pills(key=key).set_value("as:dots").run()
    assert not app.exception, app.exception
    assert app.selectbox(key="improve_run").value == improve_data.NO_RUN
    assert app.pills(key=key).value == "as:dots", "what the checks found is found for the copy"
    assert [row.file for row in curation.decided(chosen(app).path)] == ["stripes/twin.png"]


def test_retraining_from_a_run_on_the_shared_set_trains_on_the_copy(lang, run, shared, monkeypatch):
    launched = []

    def launch(new):
        launched.append(new)
        new.write_status(state="finished")

    monkeypatch.setattr(local, "launch", launch)
    monkeypatch.setattr("tl_ui.screens.improve.retrain._difference", lambda *runs: None)
    app = open_page("improve", lang=lang, run="done")
    decide_a_mistake(app, run)
    app.segmented_control(key="improve_panel").set_value("retrain").run()
    app.button(key="retrain").click().run()
    assert not app.exception, app.exception
    own = chosen(app).path
    assert [improve_data.data_of(new) for new in launched] == [own, own]
    assert [(new.path / "decisions.csv").exists() for new in launched] == [False, True]


def test_another_person_still_sees_the_set_as_it_was(lang, run, shared):
    decide_a_mistake(open_page("improve", lang=lang, run="done"), run)
    other = open_page("improve", lang=lang, run="done")
    other.segmented_control(key="improve_panel").set_value("decisions").run()
    assert catalogue(lang)["improve.none_decisions"] in words(other)
    train = open_page("train", lang=lang, data="expression")
    assert catalogue(lang)["train.data_decided"].format(count="1") not in words(train)


def test_a_copy_that_does_not_fit_on_the_disk_leaves_nothing_and_is_an_error_in_words(
    lang, run, shared, monkeypatch
):
    def full(source, target):
        target.mkdir(parents=True)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    app = open_page("improve", lang=lang, data="expression", run="done")
    decide_a_mistake(app, run)
    assert len(app.error) == 1 and curation.decided(shared) == []
    assert list((shared.parents[1] / "datasets").glob("u*")) == []
