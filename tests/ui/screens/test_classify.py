"""The Classify page with a real (untrained) network, and the cards it draws."""

import codecs
import re
import shutil

import cv2
import numpy as np
import pytest

from tests.ui.open_page import has, open_page, words
from tests.ui.run_folder_builder import CLASSES, RunBuilder, finished_run
from tl_core.base.config import RunConfig
from tl_core.base.files.atomic import write_json
from tl_core.data.pixels.decode import pixels_hash, read_image, resize_square
from tl_core.runs import decision_rule
from tl_core.runs.decision_rule import DecisionRule
from tl_core.runs.run_folder import RunFolder
from tl_ui.frame.text import catalogue, literal
from tl_ui.screens.classify import view
from tl_ui.screens.classify.cards import ClassifiedPicture, cards, table, why_unsure
from tl_ui.screens.classify.view import is_camera_allowed
from tl_ui.widgets.downloads import to_csv


def text(lang, key, **values):
    return catalogue(lang)[f"classify.{key}"].format(**values)


def png(seed: int) -> bytes:
    picture = np.random.default_rng(seed).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    return cv2.imencode(".png", picture)[1].tobytes()


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """The final model of a run nobody trained."""
    import torch

    from tl_core.models.build import skeleton
    from tl_core.models.files.checkpoint_files import save_weights

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "final.safetensors"
    save_weights(path, skeleton("timm", 2, 0.3).state_dict())
    return path


@pytest.fixture
def run(own_runs_folder, weights, tmp_path):
    data = tmp_path / "pictures"
    for name in CLASSES:
        (data / name).mkdir(parents=True)
        for number in range(80):
            (data / name / f"{number:04}.png").write_bytes(png(number % 3))
    run = finished_run(own_runs_folder / "done", config=RunConfig(image_px=64), data=data)
    (run.models / "final.safetensors").write_bytes(weights.read_bytes())
    return run


@pytest.mark.parametrize(("page", "lang"), [("classify", "ko"), ("results", "en")])
def test_a_first_answer_and_what_a_stop_has_left_are_called_so(run, page, lang):
    said = catalogue(lang)["runs.so_far"].format(stage=catalogue(lang)["terms.stage_finetune.name"])
    assert said not in words(open_page(page, lang=lang, run="done"))
    write_json(run.summary_path, run.read_summary() | {"is_complete": False})
    assert said in words(open_page(page, lang=lang, run="done"))


def corrections(app) -> list:
    """The lists under the cards, in their order."""
    return [box for box in app.selectbox if str(box.key).startswith("correct_")]


both = pytest.mark.parametrize("lang", ["en", "ko"])


@both
def test_without_a_model_the_page_says_where_to_get_one(lang, own_runs_folder):
    built = RunBuilder(own_runs_folder / "living").alive().start()
    app = open_page("classify", lang=lang)
    assert text(lang, "none") in words(app)
    built.let_go()


@both
def test_uploads_are_answered_and_the_unreadable_one_is_named(lang, run):
    app = open_page("classify", lang=lang)
    files = [
        ("웃음 1.png", png(1), "image/png"),
        ("bad.png", b"no picture", "image/png"),
        ("b.png", png(2), "image/png"),
    ]
    app.file_uploader(key="upload").set_value(files).run()
    assert not app.exception
    found = words(app)
    assert found.count("<article") == 2
    assert "웃음 1.png" in found
    assert text(lang, "unreadable", count=1) in found and "bad.png: " in found
    assert all(name in found for name in CLASSES)


@both
def test_a_run_of_deep_pictures_says_on_which_scale_new_ones_are_read(lang, run):
    write_json(run.config_path, {**run.read_config(), "whites": {"whole": 4095, "fraction": None}})
    app = open_page("classify", lang=lang)
    app.file_uploader(key="upload").set_value([("a.png", png(1), "image/png")]).run()
    assert text(lang, "bits", bits=12, white="4,095") in words(app)


@both
def test_a_sample_can_be_tried_at_once_with_its_truth(lang, run):
    app = open_page("classify", lang=lang)
    app.segmented_control(key="source").set_value("sample").run()
    assert not app.exception
    assert words(app).count("<article") == 8
    assert text(lang, "sample_says") in words(app)
    first = words(app)
    app.slider(key="sure_from_done").set_value(0.99).run()
    assert text(lang, "unsure") in words(app)
    app.button(key="sample_again").click().run()
    assert words(app) != first


@both
def test_the_limit_of_sureness_decides_who_is_unsure(lang, run):
    app = open_page("classify", lang=lang)
    app.file_uploader(key="upload").set_value([("a.png", png(1), "image/png")]).run()
    app.slider(key="sure_from_done").set_value(0.5).run()
    assert 'class="hs-answer"' in words(app)
    app.slider(key="sure_from_done").set_value(0.99).run()
    assert 'class="hs-answer unsure"' in words(app)


@both
def test_an_upload_that_the_model_met_in_training_is_told_apart_from_a_new_one(lang, run):
    met, tested = (pixels_hash(resize_square(read_image(png(seed)), 64)) for seed in (1, 2))
    rows = f"file,split,pixels\na.png,train,{met}\nb.png,test,{tested}\n"
    run.pictures_path.write_text(rows, encoding="utf-8")
    app = open_page("classify", lang=lang)
    files = [(f"{seed}.png", png(seed), "image/png") for seed in (1, 2, 3)]
    app.file_uploader(key="upload").set_value(files).run()
    cards = [card for card in words(app).split("<article") if text(lang, "seen") in card]
    assert len(cards) == 1 and "1.png" in cards[0]


def test_each_run_has_its_own_limit_of_sureness(run, own_runs_folder):
    shutil.copytree(run.path, own_runs_folder / "other")
    decision_rule.save(RunFolder(own_runs_folder / "other"), DecisionRule(sure_from=0.9))
    app = open_page("classify", run="done")
    app.file_uploader(key="upload").set_value([("a.png", png(1), "image/png")]).run()
    usual = decision_rule.sure_from(run, DecisionRule(), list(CLASSES), "finetune")
    assert app.slider(key="sure_from_done").value == pytest.approx(usual) and usual != 0.9
    app.selectbox(key="classify_run").set_value("other").run()
    assert not app.exception
    assert app.slider[0].value == 0.9


@both
def test_samples_of_data_that_is_gone_are_explained(lang, run, tmp_path):
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    app = open_page("classify", lang=lang)
    app.segmented_control(key="source").set_value("sample").run()
    assert text(lang, "sample_gone", path=literal(str(tmp_path / "pictures"))) in words(app)


@both
def test_samples_of_a_run_with_a_damaged_configuration_are_an_error_in_words(lang, run):
    run.config_path.write_text("{", encoding="utf-8")
    app = open_page("classify", lang=lang)
    app.segmented_control(key="source").set_value("sample").run()
    assert not app.exception
    assert len(app.error) == 1 and "config.json" in app.error[0].value


@both
def test_a_damaged_model_is_an_error_in_words(lang, run):
    (run.models / "final.safetensors").write_bytes(b"broken")
    app = open_page("classify", lang=lang)
    app.file_uploader(key="upload").set_value([("a.png", png(1), "image/png")]).run()
    assert len(app.error) == 1


@both
def test_the_page_agrees_with_the_package(lang, run, tmp_path):
    from tl_core.inference.predictor import Predictor, predict_files

    (tmp_path / "a.png").write_bytes(png(5))
    [expected] = predict_files(Predictor.load(run), [tmp_path / "a.png"])
    app = open_page("classify", lang=lang)
    app.file_uploader(key="upload").set_value([("a.png", png(5), "image/png")]).run()
    for name, p in expected["probabilities"].items():
        assert f"<span>{name}</span><em>{100 * p:.0f} %</em>" in words(app)


def test_camera_opens_on_https_and_on_the_machine_itself_only():
    assert is_camera_allowed("https://class.example/classify")
    assert is_camera_allowed("http://localhost:8501/classify")
    assert is_camera_allowed("http://127.0.0.1:8501/")
    assert not is_camera_allowed("http://192.168.0.12:8501/classify")
    assert not is_camera_allowed("http://localhost.evil.example/")
    assert not is_camera_allowed(None)


@both
def test_a_wrong_answer_can_be_corrected_for_the_next_training(lang, run, tmp_path):
    from tl_core.data import curation

    app = open_page("classify", lang=lang)
    assert not corrections(app)
    app.file_uploader(key="upload").set_value([("웃음 1.png", png(1), "image/png")]).run()
    corrections(app)[0].set_value(CLASSES[1]).run()
    assert not app.exception
    assert text(lang, "correct_kept", name="웃음 1.png", label=CLASSES[1]) in words(app)
    [row] = curation.in_force(tmp_path / "pictures")
    assert (row.decision, row.label) == ("add", CLASSES[1])
    kept = cv2.imread(str(tmp_path / "pictures" / row.file))
    assert (kept == cv2.imdecode(np.frombuffer(png(1), np.uint8), 1)).all()
    corrections(app)[0].set_value(CLASSES[0]).run()
    assert [row.label for row in curation.in_force(tmp_path / "pictures")] == [CLASSES[0]]


def test_of_two_pictures_with_one_name_the_chosen_one_is_kept(run, tmp_path):
    from tl_core.data import curation

    app = open_page("classify")
    files = [("image.png", png(1), "image/png"), ("image.png", png(2), "image/png")]
    app.file_uploader(key="upload").set_value([*files, ("b.png", png(3), "image/png")]).run()
    assert len(corrections(app)) == 3
    corrections(app)[0].set_value(CLASSES[0]).run()
    [row] = curation.in_force(tmp_path / "pictures")
    kept = cv2.imread(str(tmp_path / "pictures" / row.file))
    assert (kept == cv2.imdecode(np.frombuffer(png(1), np.uint8), 1)).all()


@both
def test_a_correction_of_a_practice_set_goes_into_a_copy_of_ones_own(lang, run, tmp_path, monkeypatch):
    from tl_core.data import curation
    from tl_ui.stores.sets import datasets

    monkeypatch.setattr(
        "tl_ui.stores.sets.datasets.sample_folder",
        lambda name: tmp_path / {"expression": "pictures"}.get(name, name),
    )
    app = open_page("classify", lang=lang)
    for number in (1, 2):
        app.file_uploader(key="upload").set_value([(f"{number}.png", png(number), "image/png")]).run()
        corrections(app)[0].set_value(CLASSES[0]).run()
        assert not app.exception and not app.error
        assert (len([info for info in app.info if info.icon == ":material/file_copy:"]) == 1) == (number == 1)
    [own] = (
        app.query_params["data"] if isinstance(app.query_params["data"], list) else [app.query_params["data"]]
    )
    assert curation.in_force(tmp_path / "pictures") == []
    assert len(curation.in_force(datasets.find(own).path)) == 2


def test_the_answers_open_in_a_spreadsheet_with_their_korean_names(run, monkeypatch):
    given = []
    monkeypatch.setattr("streamlit.download_button", lambda label, data, **about: given.append(data))
    app = open_page("classify")
    app.file_uploader(key="upload").set_value([("웃음.png", png(1), "image/png")]).run()
    assert not app.exception
    content = given[-1]()
    assert content.startswith(codecs.BOM_UTF8) and "웃음.png" in content.decode("utf-8-sig")


@both
def test_samples_have_their_truth_and_are_not_corrected_here(lang, run):
    app = open_page("classify", lang=lang)
    app.segmented_control(key="source").set_value("sample").run()
    assert not corrections(app)


@both
def test_without_a_camera_the_page_says_why(lang, run, monkeypatch):
    monkeypatch.setattr("tl_ui.screens.classify.view.is_camera_allowed", lambda url: False)
    app = open_page("classify", lang=lang)
    app.segmented_control(key="source").set_value("camera").run()
    assert text(lang, "camera_locked") in words(app)
    assert not has(app, "file_uploader", "upload")


def t(key, **values):
    return f"{key} {values}"


def answer(*probabilities, **changed):
    names = tuple("abcdefgh"[: len(probabilities)])
    return ClassifiedPicture(
        **{"name": "x.png", "thumbnail": "data:", "classes": names, "probabilities": probabilities} | changed
    )


def test_unsure_says_whether_two_are_close_or_all_are_low():
    assert "unsure_close" in why_unsure(answer(0.55, 0.45), 0.7, t)
    assert "unsure_low" in why_unsure(answer(0.5, 0.2, 0.15, 0.15), 0.7, t)
    assert not answer(0.7, 0.3).is_unsure(0.7)


def test_cards_show_the_best_first_and_escape_names():
    html = cards([answer(0.2, 0.8, name="<img src=x>", classes=("<b>", "ok"))], 0.7, t)
    assert "<img src=x>" not in html and "<b>" not in html
    assert html.index("ok") < html.index("&lt;b&gt;")
    assert html.count('class="hs-bar') == 2


def test_cards_of_many_classes_keep_to_the_best_five():
    html = cards([answer(*[1 / 8] * 8)], 0.7, t)
    assert html.count('class="hs-bar') == 5


def test_a_sample_says_whether_the_answer_was_right():
    assert "truth_right" in cards([answer(0.9, 0.1, truth="a")], 0.7, t)
    assert "truth_wrong" in cards([answer(0.9, 0.1, truth="b")], 0.7, t)


def test_the_csv_has_one_row_per_picture():
    answers = [answer(0.9, 0.1), answer(0.2, 0.8, name="쉼표, 셋.png")]
    lines = to_csv(table(answers)).decode("utf-8-sig").splitlines()
    assert lines[0] == "file,predicted,p_a,p_b"
    assert lines[2] == '"쉼표, 셋.png",b,0.200000,0.800000'


@both
def test_uploads_stay_over_a_change_of_page_until_they_are_put_away(lang, run):
    app = open_page("classify", lang=lang)
    app.file_uploader(key="upload").set_value([("a.png", png(1), "image/png")]).run()
    app.switch_page("pages/results.py").run()
    app.switch_page("pages/classify.py").run()
    assert words(app).count("<article") == 1 and text(lang, "kept", count=1) in words(app)
    app.button(key="put_away").click().run()
    assert not app.exception and "<article" not in words(app)


def test_more_pictures_than_one_page_are_turned_and_each_has_its_own_correction(run, monkeypatch):
    monkeypatch.setattr("tl_ui.screens.classify.view.PER_PAGE", 4)
    monkeypatch.setattr("tl_ui.screens.classify.view.BATCH", 2)
    app = open_page("classify")
    files = [(f"{seed}.png", png(seed), "image/png") for seed in range(1, 7)]
    app.file_uploader(key="upload").set_value(files).run()
    assert not app.exception
    assert words(app).count("<article") == 4 == len(corrections(app))
    assert "6" in next(words_ for words_ in [one.value for one in app.text] if ":" in words_)
    assert view.MAX_PICTURES > 60


def test_another_picture_at_the_same_place_begins_uncorrected(run):
    app = open_page("classify")
    app.file_uploader(key="upload").set_value([("a.png", png(1), "image/png")]).run()
    corrections(app)[0].set_value(CLASSES[0]).run()
    app.file_uploader(key="upload").set_value([("a.png", png(2), "image/png")]).run()
    assert corrections(app)[0].value is None


@both
def test_runs_of_the_same_classes_can_answer_together(lang, run, own_runs_folder):
    shutil.copytree(run.path, own_runs_folder / "again")
    finished_run(own_runs_folder / "foreign", classes=("cat", "dog"))
    app = open_page("classify", lang=lang, run="done")
    box = app.multiselect(key="classify_together_done")
    assert len(box.options) == 1 and "again" in box.options[0]
    box.set_value(["again"]).run()
    app.file_uploader(key="upload").set_value([("a.png", png(1), "image/png")]).run()
    assert not app.exception and words(app).count("<article") == 1
    found = words(app)
    app.multiselect(key="classify_together_done").set_value([]).run()
    # the same model twice says what it says alone
    assert re.findall(r"<em>([^<]*)</em>", words(app)) == re.findall(r"<em>([^<]*)</em>", found)
