"""The Compare page: which runs, what differs, who is better on the same pictures."""

import json

import pytest

from tests.ui.open_page import open_page, words
from tests.ui.run_folder_builder import RunBuilder, finished_run
from tl_core.base.config import preset
from tl_core.evaluation.metrics import METRICS
from tl_core.runs import run_folder
from tl_core.runs.report import comparison
from tl_ui.frame.text import catalogue, percent
from tl_ui.screens.compare import paired as paired_view
from tl_ui.screens.compare import view as compare_view

pytestmark = pytest.mark.parametrize("lang", ["en", "ko"])


def text(lang, key, **values):
    return catalogue(lang)[f"compare.{key}"].format(**values)


@pytest.fixture
def runs(own_runs_folder):
    return own_runs_folder


@pytest.fixture
def two(runs):
    first = finished_run(runs / "first", data=runs / "pictures")
    second = finished_run(runs / "second", config=preset("expression", dropout=0.5), data=runs / "pictures")
    return first, second


def test_without_a_run_the_page_says_where_to_get_one(lang, runs):
    assert catalogue(lang)["results.none"] in words(open_page("compare", lang=lang))


def test_one_run_is_not_enough_and_the_page_says_so(lang, runs):
    finished_run(runs / "only")
    assert text(lang, "only_one") in words(open_page("compare", lang=lang))


def test_a_link_reproduces_the_comparison_and_says_which_runs_are_gone(lang, two):
    app = open_page("compare", lang=lang, runs="second,../../etc,first,gone")
    assert app.multiselect(key="compare_runs").value == ["second", "first"]
    assert text(lang, "gone", names=r"../../etc, gone") in [found.value for found in app.warning]
    app.multiselect(key="compare_runs").set_value(["first", "second"]).run()
    assert app.query_params["runs"] == ["first", "second"] and not app.warning


def test_runs_picked_on_the_page_stand_in_the_address(lang, two):
    app = open_page("compare", lang=lang)
    assert text(lang, "pick_two") in words(app)
    app.multiselect(key="compare_runs").set_value(["first", "second"]).run()
    assert not app.exception
    assert app.query_params["runs"] == ["first", "second"]
    app.multiselect(key="compare_runs").set_value(["second"]).run()
    assert text(lang, "pick_two") in words(app)


def test_a_name_may_hold_a_comma(lang, two, runs):
    finished_run(runs / "first, again", data=runs / "pictures")
    link = compare_view.link(["first, again", "second"])["runs"]
    app = open_page("compare", lang=lang, runs=link)
    assert app.multiselect(key="compare_runs").value == ["first, again", "second"]
    app.run()
    assert app.multiselect(key="compare_runs").value == ["first, again", "second"]


def test_the_scores_stand_in_a_column_per_run(lang, two):
    app = open_page("compare", lang=lang, runs="first,second")
    table = next(
        frame.value for frame in app.dataframe if list(frame.value.columns) == ["", "first", "second"]
    )
    assert table.iloc[1:, 0].tolist() == [catalogue(lang)[f"terms.{name}.name"] for name in METRICS]
    for column, run in enumerate(two, start=1):
        scores = run.read_summary()["reported"]["metrics"]
        for line, metric in enumerate(METRICS, start=1):
            assert table.iloc[line, column].startswith(percent(scores[metric]))


def test_only_settings_that_differ_are_shown(lang, two):
    app = open_page("compare", lang=lang, runs="first,second")
    table = next(frame.value for frame in app.dataframe if frame.value.columns[0] == text(lang, "setting"))
    assert table.iloc[:, 0].tolist() == [catalogue(lang)["terms.dropout.name"]]
    assert table.iloc[0, 1:].tolist() == ["0.3", "0.5"]


@pytest.mark.parametrize(
    ("folders", "shown"),
    [
        (("/srv/ann/cats", "/srv/ben/dogs"), ["cats", "dogs"]),
        (("/srv/ann/cats", "/srv/ben/cats"), ["ann/cats", "ben/cats"]),
        (("/cats", "/ben/cats"), ["/cats", "ben/cats"]),
    ],
)
def test_of_the_data_folders_only_what_tells_them_apart_is_shown(lang, two, folders, shown):
    for run, folder in zip(two, folders, strict=True):
        config = json.loads(run.config_path.read_text(encoding="utf-8"))
        run.config_path.write_text(json.dumps(config | {"data": folder}), encoding="utf-8")
    app = open_page("compare", lang=lang, runs="first,second")
    table = next(frame.value for frame in app.dataframe if frame.value.columns[0] == text(lang, "setting"))
    (row,) = table[table.iloc[:, 0] == text(lang, "setting_data")].to_numpy().tolist()
    assert row[1:] == shown


def test_runs_that_were_computed_otherwise_are_told_apart_in_a_sentence(lang, two):
    said = text(lang, "computed_otherwise")
    assert said not in words(open_page("compare", lang=lang, runs="first,second"))
    for run, form in zip(two, ("bf16", "fp32"), strict=True):
        run_folder.write_json(run.config_path, run.read_config() | {"device_used": {"tail_precision": form}})
    assert said in words(open_page("compare", lang=lang, runs="first,second"))


def test_the_difference_has_its_interval_its_test_and_its_words(lang, two):
    # the builder gives both the same answers; turn some of the second's round
    rows = two[1].predictions_path.read_text(encoding="utf-8").splitlines()
    names = rows[0].split(",")
    turned = []
    for row in rows[1:]:
        cells = dict(zip(names, row.split(","), strict=True))
        if (cells["stage"], cells["split"]) == ("finetune", "test") and len(turned) % 7 == 0:
            p = [cells[name] for name in names if name.startswith("p_")]
            row = ",".join([*[cells[name] for name in names[:5]], *reversed(p)])
        turned.append(row)
    two[1].predictions_path.write_text("\n".join([rows[0], *turned]) + "\n", encoding="utf-8")
    paired = comparison.pair(*two)
    assert paired.only_first + paired.only_second > 0
    found = words(open_page("compare", lang=lang, runs="first,second"))
    assert paired_view.p_words(paired.p_value) in found
    assert f">{paired.both_right}</i>" in found
    expected = "chance" if paired.p_value >= 0.05 else "better"
    name = "first" if paired.difference < 0 else "second"
    assert text(lang, expected, count=paired.num, name=name) in found


def test_equal_answers_are_called_equal(lang, two):
    found = words(open_page("compare", lang=lang, runs="first,second"))
    assert text(lang, "same_answers", count=comparison.pair(*two).num) in found


def test_mended_labels_are_said(lang, two):
    rows = two[1].predictions_path.read_text(encoding="utf-8").splitlines()
    file = next(row.split(",")[0] for row in rows if ",test,finetune," in row)
    mended = [
        row.replace(",non_teasing,", ",teasing,", 1) if row.startswith(file + ",non_teasing,") else row
        for row in rows
    ]
    if mended == rows:
        mended = [
            row.replace(",teasing,", ",non_teasing,", 1) if row.startswith(file + ",teasing,") else row
            for row in rows
        ]
    two[1].predictions_path.write_text("\n".join(mended) + "\n", encoding="utf-8")
    assert text(lang, "mended", count=1) in words(open_page("compare", lang=lang, runs="first,second"))


def test_runs_on_other_pictures_are_not_paired_but_stand_side_by_side(lang, two):
    config = two[1].read_config()
    two[1].config_path.write_text(json.dumps(config | {"pictures_fingerprint": "other"}), encoding="utf-8")
    app = open_page("compare", lang=lang, runs="first,second")
    assert not app.error and any("first" in info.value for info in app.info)
    assert text(lang, "scores_title") in words(app)


def test_three_runs_are_measured_against_the_first(lang, two, runs):
    finished_run(runs / "third", data=runs / "pictures")
    app = open_page("compare", lang=lang, runs="first,second,third")
    assert not app.exception
    assert text(lang, "several") in words(app)
    assert len(app.get("plotly_chart")) == 2


def test_every_metric_and_curve_can_be_shown(lang, two):
    app = open_page("compare", lang=lang, runs="first,second")
    for key, names in (("compare_metric", ("f1", "roc_auc")), ("compare_curve", ("loss",))):
        for name in names:
            before = [chart.proto.spec for chart in app.get("plotly_chart")]
            app.segmented_control(key=key).set_value(name).run()
            assert not app.exception
            after = [chart.proto.spec for chart in app.get("plotly_chart")]
            assert sum(a != b for a, b in zip(before, after, strict=True)) == 1, name


def test_a_damaged_run_is_named_and_the_others_are_compared(lang, two, runs):
    broken = finished_run(runs / "broken")
    broken.summary_path.write_text("{", encoding="utf-8")
    app = open_page("compare", lang=lang, runs="first,second,broken")
    assert len(app.error) == 1 and "summary.json" in app.error[0].value
    assert text(lang, "same_answers", count=comparison.pair(*two).num) in words(app)


def test_a_run_that_goes_on_is_not_offered(lang, two, runs):
    built = RunBuilder(runs / "living").alive().start()
    app = open_page("compare", lang=lang, runs="first,living")
    assert app.multiselect(key="compare_runs").value == ["first"]
    built.let_go()


def test_the_chosen_runs_are_still_chosen_after_another_page(lang, two):
    app = open_page("compare", lang=lang, runs="first,second")
    app.query_params.pop("runs")
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/compare.py").run()
    assert app.multiselect(key="compare_runs").value == ["first", "second"]


def test_all_of_them_as_one_are_held_against_the_first(lang, two):
    found = words(open_page("compare", lang=lang, runs="first,second"))
    assert text(lang, "together_title") in found and text(lang, "together", count=2) in found
