"""Who decides about pictures that are shared gets a copy of them: a practice set is everybody's, a folder
that is offered the owner's, an upload its sender's."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from tests.core.drawn import write_classes
from tests.ui.open_page import open_page, words
from tests.ui.run_folder_builder import RunBuilder, finished_on_pictures
from tl_core.base.config import RunConfig
from tl_core.base.files.paths import datasets_dir
from tl_core.data import curation
from tl_core.data.folders import fingerprint, scan
from tl_core.jobs import local
from tl_core.synthetic.practice import sample_folder
from tl_ui.frame.text import catalogue
from tl_ui.screens.improve import checks as improve_data
from tl_ui.screens.improve.cards import _id
from tl_ui.stores.sets import datasets, upload_limits
from tl_ui.widgets.sets import own_copy

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
    assert [new.data() for new in launched] == [own, own]
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
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tl_ui.stores.sets.datasets._link", full)
    app = open_page("improve", lang=lang, data="expression", run="done")
    decide_a_mistake(app, run)
    assert len(app.error) == 1 and curation.decided(shared) == []
    assert list((shared.parents[1] / "datasets").glob("u*")) == []


@pytest.fixture
def elsewhere(monkeypatch):
    """The browser of a class-room's other machine."""
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda context: "192.0.2.1"))


@pytest.fixture
def offered(tmp_path, own_runs_folder, monkeypatch):
    """The teacher's folder with a decision of the teacher's, and a run on it."""
    folder = write_classes(tmp_path / "offered" / "pets", dict.fromkeys(CLASSES, 64), px=32)
    curation.decide(folder, "dots/000.png", "exclude", "", "")
    curation.add_correction(folder, "new.png", np.zeros((32, 32, 3), np.uint8), "dots")
    monkeypatch.setenv("HEADSWAP_DATA_ROOTS", str(folder.parent))
    built = RunBuilder(
        own_runs_folder / "done",
        classes=CLASSES,
        config=RunConfig(image_px=32, weights="random"),
        data=folder,
    ).start()
    return folder, finished_on_pictures(built)


def test_another_browser_decides_in_a_copy_of_the_owners_folder(lang, offered, elsewhere):
    folder, run = offered
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    before = {file: (folder / file).read_bytes() for file in files}
    app = open_page("improve", lang=lang, run="done")
    file = decide_a_mistake(app, run)
    own = chosen(app)
    assert own.path != folder and not own.path.is_relative_to(folder)
    assert {row.file for row in curation.decided(own.path)} == {file, "dots/000.png"}
    assert len(curation.corrections(own.path)) == 1
    assert before == {file: (folder / file).read_bytes() for file in files}, "the teacher's stays as it was"
    assert fingerprint(scan(own.path)) == fingerprint(scan(folder))
    assert catalogue(lang)["data.own_copy"].format(name="pets") in words(app)
    second = improve_data.mistakes(run)[1].file
    app.pills(key=f"decide_mistakes_{_id(second)}").set_value("keep").run()
    assert chosen(app) == own, "one copy a person"
    assert {file, second, "dots/000.png"} == {row.file for row in curation.decided(own.path)}


def test_the_owners_own_browser_decides_in_the_folder_itself(lang, offered):
    folder, run = offered
    file = decide_a_mistake(open_page("improve", lang=lang, run="done"), run)
    assert file in {row.file for row in curation.decided(folder)}


def test_a_linked_copy_takes_no_room_of_its_own_and_where_links_fail_it_is_a_real_one(
    lang, offered, monkeypatch
):
    folder, _ = offered
    home = datasets_dir()
    linked = datasets.add_copy(folder, "copy")
    assert upload_limits.num_bytes(home / linked.id) == 0

    def refuse(target, source):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    real = datasets.add_copy(folder, "copy")
    assert upload_limits.num_bytes(home / real.id) > 0
    assert fingerprint(scan(real.path)) == fingerprint(scan(folder))


def test_an_upload_is_written_into_by_its_senders_browser_alone(lang, elsewhere, monkeypatch, tmp_path):
    sent = datasets.add_copy(write_classes(tmp_path / "pets", dict.fromkeys(CLASSES, 4), px=32), "pets")
    datasets.note_sender(sent.id, "192.0.2.1")
    assert own_copy.root_to_write(sent.path) == sent.path
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda context: "192.0.2.2"))
    assert own_copy._is_shared(sent.path)
