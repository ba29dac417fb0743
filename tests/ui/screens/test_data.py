"""The Data page: nothing chosen, chosen data in every panel, and what can be wrong with it."""

from __future__ import annotations

import shutil

import pytest

from tests.ui.conftest import draw_pictures
from tests.ui.stores.sets.test_datasets import zip_of
from tl_core.base.config import DEFAULT_PRESET, preset
from tl_ui.frame.text import catalogue
from tl_ui.stores.sets import datasets


def chosen(open_page, path, language="en", panel=None):
    app = open_page("data", language, data=datasets.add_folder(path).id)
    return app.segmented_control(key="data_panel").set_value(panel).run() if panel else app


def texts(app) -> str:
    elements = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success, *app.error]
    return "\n".join([e.value for e in elements] + [e.proto.body for e in app.html])


@pytest.mark.parametrize("language", ["en", "ko"])
def test_without_a_choice_the_page_asks_for_pictures(open_page, language):
    app = open_page("data", language)
    assert not app.exception
    assert app.button(key="use_casting").label == catalogue(language)["data.use"]
    assert not app.metric


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("panel", ["pictures", "split", "augmentation", "numbers"])
def test_every_panel_shows_without_an_error(open_page, two_classes, language, panel):
    app = chosen(open_page, two_classes, language, panel)
    assert not app.exception
    assert not app.error
    assert [metric.value for metric in app.metric][:3] == ["32", "2", "0"]


def test_counts_are_per_class(open_page, two_classes):
    shown = texts(chosen(open_page, two_classes))
    assert "20 pictures" in shown
    assert "12 pictures" in shown


def test_too_few_pictures_for_a_test_part_are_cross_validated(open_page, two_classes):
    app = chosen(open_page, two_classes, panel="split")
    assert catalogue("en")["data.folds"].format(folds=5) in [info.value for info in app.info]


def test_copies_across_given_splits_are_reported(open_page, tmp_path):
    root = draw_pictures(tmp_path / "cast", {"train/a": 12, "train/b": 12, "test/a": 5, "test/b": 5})
    shutil.copy(root / "train" / "a" / "a_00.png", root / "test" / "a" / "a copy.png")
    app = chosen(open_page, root, panel="split")
    assert catalogue("en")["data.split_given"] in texts(app)
    assert catalogue("en")["data.leaks"].format(exact=1, near=0) in [one.value for one in app.warning]


def test_the_numbering_trap_is_told_for_the_casting_classes(open_page, tmp_path):
    root = draw_pictures(tmp_path / "cast", {"def_front": 8, "ok_front": 8})
    app = chosen(open_page, root, panel="numbers")
    assert "{'def_front': 0, 'ok_front': 1}" in app.code[0].value
    assert catalogue("en")["data.trap_casting"] in [info.value for info in app.info]


def test_files_that_cannot_be_read_are_listed_with_the_reason(open_page, two_classes):
    (two_classes / "cats" / "broken.jpg").write_bytes(b"no picture at all")
    (two_classes / "cats" / "empty.png").write_bytes(b"")
    app = chosen(open_page, two_classes, panel="refused")
    assert [metric.value for metric in app.metric][2] == "2"
    rows = app.dataframe[0].value
    assert sorted(rows.iloc[:, 0]) == ["cats/broken.jpg", "cats/empty.png"]
    assert rows.iloc[:, 1].str.len().min() > 5


def test_augmentation_draws_six_and_others_on_demand(open_page, two_classes):
    app = chosen(open_page, two_classes, panel="augmentation")
    before = texts(app)
    assert "Draw 6" in before
    app.button(key="augment_again").click().run()
    assert "Draw 7" in texts(app)
    assert "Draw 12" in texts(app)


def test_augmentation_speaks_of_the_recipe_that_own_pictures_get(open_page, two_classes):
    found = texts(chosen(open_page, two_classes, panel="augmentation"))
    assert preset(DEFAULT_PRESET).target_per_class == 0
    assert catalogue("en")["data.never_filled"] in found


@pytest.mark.parametrize("language", ["en", "ko"])
def test_one_class_is_refused_with_the_folder_named(open_page, tmp_path, language):
    root = draw_pictures(tmp_path / "only", {"cats": 8})
    app = chosen(open_page, root, language)
    assert not app.exception
    assert len(app.error) == 1
    assert "cats" in app.error[0].value
    assert app.button(key="change_data")


def test_a_folder_that_has_vanished_is_said_in_words(open_page, two_classes):
    choice = datasets.add_folder(two_classes)
    shutil.rmtree(two_classes)
    app = open_page("data", data=choice.id)
    assert not app.exception
    assert str(two_classes) in app.error[0].value


def test_a_typed_folder_is_chosen_and_stays_in_the_address_bar(open_page, two_classes):
    app = open_page("data")
    app.segmented_control(key="data_source").set_value("folder").run()
    app.text_input(key="folder_path").set_value(str(two_classes))
    app.button[0].click().run()
    assert not app.exception
    assert [metric.value for metric in app.metric][:2] == ["32", "2"]
    assert datasets.find(app.query_params["data"]).path == two_classes


def test_a_wrong_path_is_refused_and_stays_typed(open_page, tmp_path):
    app = open_page("data")
    app.segmented_control(key="data_source").set_value("folder").run()
    app.text_input(key="folder_path").set_value(str(tmp_path / "nowhere"))
    app.button[0].click().run()
    assert "nowhere" in app.error[0].value
    assert app.text_input(key="folder_path").value == str(tmp_path / "nowhere")


def test_an_uploaded_zip_is_unpacked_and_chosen(open_page, two_classes):
    app = open_page("data")
    app.segmented_control(key="data_source").set_value("zip").run()
    app.file_uploader[0].upload("pets.zip", zip_of(two_classes).read(), "application/zip").run()
    assert not app.exception
    assert not app.error
    assert [metric.value for metric in app.metric][:2] == ["32", "2"]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_zip_of_one_class_is_refused_by_its_own_name_and_not_kept(open_page, tmp_path, language):
    before = datasets._read_register()
    app = open_page("data", language)
    app.segmented_control(key="data_source").set_value("zip").run()
    content = zip_of(draw_pictures(tmp_path / "pets", {"cats": 8})).read()
    app.file_uploader[0].upload("pets.zip", content, "application/zip").run()
    assert not app.exception
    assert "pets.zip" in app.error[0].value
    assert str(datasets.datasets_dir()) not in app.error[0].value
    assert "data" not in app.query_params and datasets._read_register() == before


def test_a_broken_zip_is_refused_once_and_nothing_is_chosen(open_page):
    app = open_page("data")
    app.segmented_control(key="data_source").set_value("zip").run()
    app.file_uploader[0].upload("pets.zip", b"no zip", "application/zip").run()
    assert not app.exception
    assert "pets.zip" in app.error[0].value
    assert "data" not in app.query_params


def test_the_next_step_leads_to_training(open_page, two_classes):
    app = chosen(open_page, two_classes)
    app.button(key="next_train").click().run()
    assert app.title[0].value == catalogue("en")["train.title"]


def test_empty_class_folders_and_the_scale_of_deep_pictures_are_said(open_page, two_classes):
    import numpy as np
    from PIL import Image

    (two_classes / "birds").mkdir()
    deep = np.full((48, 48), 3000, np.uint16)
    Image.fromarray(deep).save(two_classes / sorted(one.name for one in two_classes.iterdir())[1] / "x.png")
    app = chosen(open_page, two_classes)
    assert "birds" in app.warning[0].value and "12" in texts(app)


def test_groups_by_name_are_proposed_and_taken_by_a_press(open_page, two_classes):
    for folder in (one for one in two_classes.iterdir() if one.is_dir()):
        for number, file in enumerate(sorted(folder.iterdir())):
            source = f"{folder.name}{number // 2}_jpg.rf.{number:032x}.png"
            file.rename(folder / source)
    app = chosen(open_page, two_classes, panel="split")
    assert any("Roboflow" in one.value and "32" in one.value for one in app.info)
    app.button(key="take_groups").click().run()
    assert not app.exception
    assert (two_classes / "headswap-groups.csv").is_file()
    assert "headswap-groups.csv" in texts(app)
