"""The Train page in every state a run can be in, in both languages."""

import pytest
from filelock import FileLock

from tests.ui.open_page import app_of, has, open_page, words
from tests.ui.run_folder_builder import RunBuilder, finished_run
from tl_core.base.config import RunConfig, preset
from tl_core.base.errors import OutOfMemory
from tl_core.base.events import ModelReady
from tl_core.base.messages import say
from tl_core.base.setting import all_settings
from tl_core.compute import cpu_probe
from tl_core.data import curation
from tl_core.data.folders import MIN_PER_CLASS
from tl_core.jobs import local
from tl_core.runs.event_log import EventWriter
from tl_core.runs.execution.plan import in_words
from tl_core.runs.run_folder import open_run
from tl_ui.frame.text import catalogue
from tl_ui.screens.train.control import key_of
from tl_ui.stores.sets import overview

LANGUAGES = ["en", "ko"]
pytestmark = pytest.mark.parametrize("lang", LANGUAGES)


@pytest.fixture
def runs(own_runs_folder):
    return own_runs_folder


@pytest.fixture
def pictures(tmp_path):
    """Two classes of empty files: the Train page looks at names only."""
    for name in ("cats", "개"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "pictures" / name / f"{number}.png").write_bytes(b"")
    return tmp_path / "pictures"


@pytest.fixture
def data_id(pictures):
    from tl_ui.stores.sets import datasets

    return datasets.add_folder(pictures).id


@pytest.fixture
def living(runs):
    built = RunBuilder(runs / "living").alive().start().epochs("head", 3)
    yield built
    built.let_go()


def text(lang, key, **values):
    return catalogue(lang)[f"train.{key}"].format(**values)


def test_without_data_start_is_locked_and_says_what_is_missing(lang):
    app = open_page("train", lang=lang)
    assert app.button(key="start").disabled
    assert text(lang, "needs_data") in words(app)


def test_with_data_start_is_open_and_the_classes_are_counted(lang, data_id):
    app = open_page("train", lang=lang, data=data_id)
    assert not app.button(key="start").disabled
    assert "cats 20" in words(app) and "개 20" in words(app)


def test_decisions_that_cannot_be_read_lock_start_and_are_named(lang, data_id, pictures):
    (pictures / curation.FILE).write_text("file,decision\ncats/0.png,burn\n", encoding="utf-8")
    app = open_page("train", lang=lang, data=data_id)
    assert app.button(key="start").disabled
    assert curation.FILE in words(app) and "burn" in words(app)


def test_contradicting_settings_lock_start_and_nothing_is_lost(lang, data_id):
    app = open_page("train", lang=lang, data=data_id)
    app.number_input(key="set_head_epochs").set_value(0)
    app.number_input(key="set_finetune_epochs").set_value(0).run()
    assert app.button(key="start").disabled
    assert "epochs" in words(app)
    app.number_input(key="set_head_epochs").set_value(3).run()
    assert not app.button(key="start").disabled
    assert app.number_input(key="set_finetune_epochs").value == 0


def test_a_preset_writes_its_numbers_and_keeps_the_weights(lang, data_id):
    app = open_page("train", lang=lang, data=data_id)
    app.selectbox(key="set_weights").set_value("random").run()
    app.radio(key="set_preset").set_value("casting").run()
    assert app.session_state["set_dropout"] == 0.5
    assert app.number_input(key="set_head_epochs").value == 10
    assert app.session_state["set_library"] == "torchvision"
    assert app.session_state["set_weights"] == "random"


def test_head_only_asks_for_one_number_of_epochs(lang, data_id):
    app = open_page("train", lang=lang, data=data_id)
    app.radio(key="set_strategy").set_value("head").run()
    assert has(app, "number_input", "set_head_epochs")
    assert not has(app, "number_input", "set_finetune_epochs")


def test_every_group_of_advanced_settings_can_be_opened(lang, data_id):
    app = open_page("train", lang=lang, data=data_id)
    shown: list[set[str]] = []
    for group in ("classes", "pictures", "machine", "learning"):
        app.segmented_control(key="advanced_group").set_value(group).run()
        assert not app.exception
        fields = (*app.number_input, *app.selectbox, *app.toggle, *app.radio)
        shown.append({field.key for field in fields if str(field.key).startswith("set_")})
    own = [keys - set().union(*shown[:i], *shown[i + 1 :]) for i, keys in enumerate(shown)]
    assert all(own), "each group has settings of its own"


def test_another_network_brings_its_own_units_and_is_what_the_run_is_made_of(
    lang, data_id, runs, monkeypatch
):
    monkeypatch.setattr(local, "launch", lambda run: None)
    app = open_page("train", lang=lang, data=data_id)
    app.selectbox(key="set_backbone").set_value("resnet18").run()
    assert app.slider(key="set_unfreeze_blocks").value == 1 and app.slider(key="set_unfreeze_blocks").max == 4
    words_of_last = catalogue(lang)["network.last_stage"].format(blocks="1", count="4")
    assert words_of_last in app.radio(key="set_strategy").options
    app.radio(key="set_strategy").set_value("whole").run()
    app.button(key="start").click().run()
    assert not app.exception
    [folder] = runs.iterdir()
    config = open_run(folder).read_config()
    assert (config["backbone"], config["unfreeze_blocks"]) == ("resnet18", 4)


def test_the_network_of_a_file_that_fits_two_can_be_said(lang, data_id, runs, monkeypatch):
    monkeypatch.setattr(local, "launch", lambda run: None)
    app = open_page("train", lang=lang, data=data_id)
    other = text(lang, "backbone_tf", name="EfficientNet-B0")
    assert other not in app.selectbox(key="set_backbone").options
    app.selectbox(key="set_weights").set_value("file").run()
    assert other in app.selectbox(key="set_backbone").options
    app.text_input(key="set_weights_file").set_value("/elsewhere/b0.safetensors").run()
    app.selectbox(key="set_backbone").set_value("tf_efficientnet_b0").run()
    app.button(key="start").click().run()
    assert not app.exception
    [folder] = runs.iterdir()
    assert open_run(folder).read_config()["backbone"] == "tf_efficientnet_b0"
    # other weights know nothing of it
    app = open_page("train", lang=lang, data=data_id)
    app.selectbox(key="set_weights").set_value("file").run()
    app.selectbox(key="set_backbone").set_value("tf_efficientnet_b0").run()
    app.selectbox(key="set_weights").set_value("formula").run()
    assert not app.exception and app.selectbox(key="set_backbone").value == "auto"


def test_a_positive_class_chosen_for_other_pictures_does_not_hold_start_back(
    lang, data_id, runs, monkeypatch
):
    monkeypatch.setattr(local, "launch", lambda run: None)
    app = app_of("train", lang=lang, data=data_id)
    app.session_state["set_positive_class"] = "def_front"
    app.run()
    app.selectbox(key="set_weights").set_value("random").run()
    app.button(key="start").click().run()
    assert not app.exception and not app.error
    [folder] = list(runs.iterdir())
    assert open_run(folder).read_config()["positive_class"] is None


def test_which_of_two_classes_is_looked_for_is_asked_above_start(lang, data_id, runs, monkeypatch):
    monkeypatch.setattr(local, "launch", lambda run: None)
    app = open_page("train", lang=lang, data=data_id)
    asked = app.radio(key="set_positive_class")
    assert asked.label == text(lang, "looked_for") and asked.value == ""
    assert asked.options == ["cats", "개", text(lang, "looked_for_none")]
    app.segmented_control(key="advanced_group").set_value("classes").run()
    assert not app.exception and not has(app, "selectbox", "set_positive_class"), "asked once"
    app.radio(key="set_preset").set_value("casting").run()
    by_guide = text(lang, "looked_for_guide", name="cats")
    assert app.radio(key="set_positive_class").options == ["cats", "개", by_guide]
    app.radio(key="set_positive_class").set_value("개")
    app.selectbox(key="set_weights").set_value("random").run()
    app.button(key="start").click().run()
    assert not app.exception and not app.error
    [folder] = runs.iterdir()
    assert open_run(folder).read_config()["positive_class"] == "개"


def test_with_three_classes_the_one_looked_for_is_under_advanced(lang, data_id, pictures):
    app = open_page("train", lang=lang, data=data_id)
    app.radio(key="set_positive_class").set_value("개").run()
    (pictures / "eels").mkdir()
    for number in range(20):
        (pictures / "eels" / f"{number}.png").write_bytes(b"")
    overview.forget()
    app.segmented_control(key="advanced_group").set_value("classes").run()
    assert not app.exception and not has(app, "radio", "set_positive_class")
    assert app.selectbox(key="set_positive_class").value == "개"


def test_a_positive_class_of_these_pictures_is_kept(lang, data_id):
    app = open_page("train", lang=lang, data=data_id)
    app.session_state["set_positive_class"] = "cats"
    app.run()
    assert app.session_state["set_positive_class"] == "cats"
    del app.query_params["data"]
    app.session_state["kept_data"] = None
    app.run()
    assert app.button(key="start").disabled
    assert app.session_state["set_positive_class"] == "cats", "until other pictures are known"


def test_start_makes_a_run_of_the_settings_and_shows_it(lang, data_id, runs, monkeypatch):
    launched = []
    monkeypatch.setattr(local, "launch", launched.append)
    app = open_page("train", lang=lang, data=data_id)
    app.selectbox(key="set_weights").set_value("random")
    app.radio(key="set_strategy").set_value("whole")
    app.number_input(key="set_head_epochs").set_value(2)
    app.text_input(key="set_run_name").set_value("../모둠 3").run()
    app.button(key="start").click().run()
    assert not app.exception
    [folder] = [path for path in runs.iterdir()]
    assert folder.name.endswith("-모둠-3"), "a name cannot lead out of the runs folder"
    config = open_run(folder).read_config()
    assert config["weights"] == "random" and config["unfreeze_blocks"] == 7
    assert config["head"]["epochs"] == 2
    assert [run.name for run in launched] == [folder.name]
    assert app.query_params["run"] == folder.name
    assert app.selectbox(key="train_run").value == folder.name


def test_the_gradual_recipe_asks_for_three_stages_and_its_run_has_them(lang, data_id, runs, monkeypatch):
    monkeypatch.setattr(local, "launch", lambda run: None)
    app = open_page("train", lang=lang, data=data_id)
    assert not has(app, "number_input", "set_whole_epochs")
    app.radio(key="set_preset").set_value("gradual").run()
    assert app.radio(key="set_strategy").value == "gradual"
    app.number_input(key="set_whole_epochs").set_value(4).run()
    app.button(key="start").click().run()
    [folder] = runs.iterdir()
    stages = open_run(folder).settings().stages
    assert {name: stage.epochs for name, stage in stages.items()} == {"head": 10, "finetune": 20, "whole": 4}


def test_a_run_of_other_stages_leaves_the_third_out(lang, data_id, runs, monkeypatch):
    monkeypatch.setattr(local, "launch", lambda run: None)
    app = open_page("train", lang=lang, data=data_id)
    app.radio(key="set_strategy").set_value("gradual").run()
    assert app.number_input(key="set_whole_epochs").value == 10, "ready to be used"
    app.radio(key="set_strategy").set_value("last").run()
    app.button(key="start").click().run()
    [folder] = runs.iterdir()
    assert list(open_run(folder).settings().stages) == ["head", "finetune"]


def test_a_running_third_stage_is_said(lang, runs):
    built = RunBuilder(runs / "living", config=preset("gradual")).alive().start()
    built.epochs("head", 2).stage_end("head").epochs("finetune", 2).stage_end("finetune").epochs("whole", 1)
    assert text(lang, "now_whole") in words(open_page("train", lang=lang, run="living"))
    built.let_go()


def test_again_with_these_settings_begins_with_how_the_other_was_computed(
    lang, data_id, pictures, runs, monkeypatch
):
    used = {"device": "cpu", "frozen_precision": "bf16", "tail_precision": "fp32", "depthwise": "split"}
    config = preset("expression", weights="random").to_dict()
    config |= {"data": str(pictures), "device_used": used, "machine": cpu_probe.machine()}
    monkeypatch.setattr(local, "launch", lambda run: None)
    app = app_of("train", lang=lang, data=data_id)
    app.session_state["train_again"] = {"config": config, "changes": {}, "name": "first", "why": ""}
    app.run()
    app.selectbox(key="set_weights").set_value("random").run()
    app.button(key="start").click().run()
    assert not app.exception
    [folder] = [path for path in runs.iterdir()]
    made = open_run(folder).read_config()
    assert (made["device_used"], made["again_of"]) == (used, {"run": "first", "device_used": used})


def test_a_run_of_an_upload_is_called_as_the_person_calls_the_pictures(lang, runs, pictures, monkeypatch):
    from tl_ui.stores.sets import datasets

    monkeypatch.setattr(local, "launch", lambda run: None)
    files = sorted(path for path in pictures.rglob("*.png"))
    uploaded = datasets.add_folder_upload(
        [(str(path.relative_to(pictures.parent)), path.open("rb")) for path in files]
    )
    datasets.rename(uploaded.id, "개미와 벌")
    app = open_page("train", lang=lang, data=uploaded.id)
    app.selectbox(key="set_weights").set_value("random").run()
    app.button(key="start").click().run()
    assert not app.exception and not app.error
    [folder] = runs.iterdir()
    assert folder.name.endswith("-개미와-벌") and uploaded.id not in folder.name


def test_a_running_run_shows_its_stage_parts_and_time_left(lang, living):
    app = open_page("train", lang=lang, run="living")
    found = words(app)
    assert text(lang, "now_head") in found
    assert text(lang, "part_learns", count="2,562") in found
    assert has(app, "button", "stop") and not has(app, "button", "resume")
    assert text(lang, "left_in_stage", time=in_words(30, lang)) in str(app.get("progress")[0].proto)


def test_stop_asks_the_worker_to_stop(lang, living):
    app = open_page("train", lang=lang, run="living")
    app.button(key="stop").click().run()
    assert living.run.stop_path.exists()
    assert app.button(key="stop").disabled
    assert text(lang, "state_stopping") in words(app)


def test_a_failed_run_says_the_errors_sentence_and_offers_to_go_on(lang, runs):
    RunBuilder(runs / "bad").start().epochs("head", 2).failed("out_of_memory", batch_size=32, fits=16)
    app = open_page("train", lang=lang, run="bad")
    assert app.error[0].value == OutOfMemory(batch_size=32, fits=16).message(lang)
    assert has(app, "button", "resume")


def test_an_interrupted_run_says_so_and_resumes(lang, runs, monkeypatch):
    built = RunBuilder(runs / "cut").start().epochs("head", 2).interrupted()
    built.run.last_checkpoint.write_bytes(b"kept")
    launched = []
    monkeypatch.setattr(local, "launch", launched.append)
    app = open_page("train", lang=lang, run="cut")
    assert text(lang, "interrupted_says") in words(app) and text(lang, "kept") in words(app)
    assert app.button(key="resume").label == text(lang, "resume")
    app.button(key="resume").click().run()
    assert [run.name for run in launched] == ["cut"]


def test_a_stopped_run_without_a_whole_epoch_starts_again(lang, runs):
    RunBuilder(runs / "early").start().stopped()
    app = open_page("train", lang=lang, run="early")
    assert text(lang, "nothing_kept") in words(app)
    assert app.button(key="resume").label == text(lang, "again")


def test_a_waiting_run_says_its_place(lang, runs, monkeypatch):
    built = RunBuilder(runs / "later").alive("queued")
    monkeypatch.setattr(local, "queue_position", lambda run: 3)
    app = open_page("train", lang=lang, run="later")
    assert text(lang, "queued_says", before=2) in words(app)
    built.let_go()


def test_a_finished_run_leads_to_its_results(lang, runs):
    finished_run(runs / "done")
    app = open_page("train", lang=lang, run="done")
    assert has(app, "button", "to_results")
    assert not has(app, "button", "stop") and not has(app, "button", "resume")


def test_a_run_says_how_many_times_longer_it_would_have_taken_without_keeping(lang, runs):
    run = RunBuilder(runs / "kept").start().epochs("head", 3).stage_end("head", avoided_seconds=100.0).run
    assert ("3.5×" if lang == "en" else "3.5배") in words(open_page("train", lang=lang, run=run.name))


def test_another_run_can_be_chosen_and_stands_in_the_address(lang, runs):
    finished_run(runs / "one")
    RunBuilder(runs / "two").start().stopped()
    app = open_page("train", lang=lang, run="one")
    app.selectbox(key="train_run").set_value("two").run()
    assert app.query_params["run"] == "two"
    assert has(app, "button", "resume")


def test_a_run_older_than_all_that_are_listed_is_shown_and_no_other(lang, runs, monkeypatch):
    monkeypatch.setattr("tl_ui.widgets.run_picker.MAX_LISTED", 1)
    RunBuilder(runs / "old").start().stopped()
    built = RunBuilder(runs / "anothers").alive().start().epochs("head", 3)
    app = open_page("train", lang=lang, run="old")
    assert app.selectbox(key="train_run").value == "old"
    assert has(app, "button", "resume") and not has(app, "button", "stop")
    built.let_go()


def test_an_unknown_run_in_the_address_shows_the_settings(lang, runs):
    finished_run(runs / "one")
    app = open_page("train", lang=lang, run="../../etc")
    assert has(app, "button", "start")


def test_warnings_of_a_run_are_said_in_words(lang, runs):
    RunBuilder(runs / "leaky").start().warn("leak", count=7).epochs("head", 1).stopped()
    app = open_page("train", lang=lang, run="leaky")
    assert any("7" in warning.value for warning in app.warning)


def test_every_number_of_the_page_has_the_bounds_of_its_setting(lang, data_id):
    app = open_page("train", lang=lang, data=data_id)
    app.session_state["set_class_balance"] = "none"
    app.radio(key="set_strategy").set_value("gradual")
    shown = {}
    for group in ("learning", "classes", "pictures", "machine"):
        app.segmented_control(key="advanced_group").set_value(group).run()
        shown |= {field.key: (field.min, field.max, field.step) for field in app.number_input}
    numbers = {name: one for name, one in all_settings(RunConfig).items() if one.low is not None}
    for name in numbers.keys() - {"class_weights", "unfreeze_blocks"}:
        one = numbers[name]
        assert shown.pop(key_of(name)) == (one.low, one.high, one.step), name
    assert not shown, "numbers that are no setting"


def test_before_start_the_steps_stand_with_their_times(lang, data_id):
    app = open_page("train", lang=lang, data=data_id)
    said = words(app)
    assert text(lang, "plan_guessed") in said
    for name in ("reading", "finetune"):
        assert say(f"plan.{name}", lang, count="40" if name == "reading" else "12").split("(")[0] in said
    app.radio(key="set_strategy").set_value("head").run()
    assert say("plan.finetune", lang, count="12").split("(")[0] not in words(app)


def test_the_first_answer_of_a_running_run_leads_to_classify(lang, runs):
    run = finished_run(runs / "going")
    with FileLock(run.lock_path), EventWriter(run.events_path) as log:
        run.write_status(state="running")
        log.write(ModelReady(stage="head", best_stage="head"))
        app = open_page("train", lang=lang, run="going")
    said = [str(getattr(element, "value", "")) + str(element.proto) for element in app.main]
    [answer] = [place for place, one in enumerate(said) if text(lang, "first_answer") in one]
    [network] = [place for place, one in enumerate(said) if "hs-strip" in one]
    assert answer < network, "found without a scroll"


def test_a_stopped_run_with_a_model_offers_it(lang, runs):
    run = finished_run(runs / "stopped")
    run.write_status(state="stopped")
    app = open_page("train", lang=lang, run="stopped")
    assert text(lang, "best_so_far_stands") in words(app)
    assert app.button(key="resume")


def test_the_end_of_a_run_of_one_stage_compares_no_stages(lang, runs):
    built = RunBuilder(runs / "only").start().epochs("head", 3).stage_end("head")
    built.finish(final="head")
    found = words(open_page("train", lang=lang, run="only"))
    assert text(lang, "now_finished_only") in found
    assert {"en": "better stage", "ko": "더 나은 단계"}[lang] not in found


def test_a_class_of_one_picture_is_refused_before_start(lang, runs, pictures, data_id):
    for number in range(1, 20):
        (pictures / "cats" / f"{number}.png").unlink()
    overview.forget()
    app = open_page("train", lang=lang, data=data_id)
    assert app.button(key="start").disabled
    assert say("error.too_few_pictures", lang, name="cats", count=1, need=MIN_PER_CLASS) in words(app)
