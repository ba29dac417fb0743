"""The PNG plots of a run folder."""

import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tl_core.runs.report import plots

CLASSES = ["약올리기", "non_teasing"]


def stage(losses, rates=None):
    return {
        "train_loss": [loss - 0.1 for loss in losses],
        "train_acc": [1 - loss / 2 for loss in losses],
        "val_loss": losses,
        "val_acc": [1 - loss for loss in losses],
        "lr": rates or [1e-3] * len(losses),
    }


HISTORY = {"stage1": stage([0.9, 0.7, 0.6, 0.65]), "stage2": stage([0.5, 0.4, 0.45], [1e-4, 1e-4, 1e-5])}


def summary(classes=CLASSES, matrix=((8, 2), (1, 9))):
    return {
        "classes": list(classes),
        "positive_class": classes[0],
        "reported": {
            "stage": "finetune",
            "split": "test",
            "metrics": {"classes": list(classes), "confusion_matrix": [list(row) for row in matrix]},
        },
    }


def predictions(classes=CLASSES, count=20, **changed):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        p = rng.dirichlet(np.ones(len(classes)))
        row = {"file": f"{number}.png", "truth": classes[number % len(classes)], "split": "test"}
        row |= {"stage": "finetune", "predicted": classes[int(p.argmax())]}
        row |= {f"p_{name}": f"{value:.6f}" for name, value in zip(classes, p, strict=True)}
        rows.append(row | changed)
    return rows


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plots").mkdir()
    return SimpleNamespace(plots=tmp_path / "plots")


def test_a_finished_run_gets_three_readable_pictures(folder):
    written = plots.write_plots(folder, HISTORY, summary(), predictions())
    assert [path.name for path in written] == [
        "curves.png",
        "confusion_matrix.png",
        "probability_histogram.png",
    ]
    for path in written:
        with Image.open(path) as picture:
            picture.load()
            assert min(picture.size) > 300
            assert len(np.unique(np.asarray(picture.convert("L")))) > 10, "the picture is blank"


def test_what_cannot_be_drawn_is_left_out_and_the_rest_is_drawn(folder):
    written = plots.write_plots(folder, HISTORY, {"classes": CLASSES, "reported": None}, [])
    assert [path.name for path in written] == ["curves.png"]
    assert plots.write_plots(folder, {}, {}, []) == []


def test_curves_run_on_one_axis_and_mark_boundary_drop_and_best_epochs():
    loss, accuracy = plots.curves(HISTORY, {"head": 4, "finetune": 2}).axes[:2]
    lines = {line.get_label(): line for line in loss.get_lines()}
    assert list(lines["validation"].get_xdata()) == [1, 2, 3, 4, 5, 6, 7]
    assert lines["head | finetune"].get_xdata()[0] == 4.5
    assert lines["rate reduced"].get_xdata()[0] == 7
    best = loss.collections[0].get_offsets()
    assert [int(x) for x, _ in best] == [4, 6], "the epochs that were kept, whatever their loss"
    marked = {
        int(x): word.get_text() for x, word in zip(loss.get_xticks(), loss.get_xticklabels(), strict=True)
    }
    assert marked[6] == "2", "what is written under the star is what the summary says"
    assert accuracy.get_ylim()[0] == 0, "accuracy is always seen from zero"


def test_the_star_stands_at_the_epoch_of_the_summary():
    solved = {"best": {"head": {"epoch": 4}, "finetune": {"epoch": 2}}}
    assert plots.best_epochs(solved) == {"head": 4, "finetune": 2}
    assert plots.best_epochs({}) == {}


def test_curves_of_one_stage_have_no_boundary():
    loss = plots.curves({"stage1": HISTORY["stage1"]}).axes[0]
    assert "head | finetune" not in [line.get_label() for line in loss.get_lines()]


def test_a_gap_in_the_history_is_drawn_as_a_gap():
    broken = stage([0.9, 0.7])
    broken["val_loss"][0] = None
    loss = plots.curves({"stage1": broken}).axes[0]
    values = {line.get_label(): line for line in loss.get_lines()}["validation"].get_ydata()
    assert np.isnan(values[0]) and values[1] == 0.7


def test_confusion_matrix_says_how_many_were_right_and_shades_by_row():
    axes = plots.confusion_matrix(summary()["reported"]).axes[0]
    assert axes.get_title(loc="left").startswith("17 of 20") or axes.get_title().startswith("17 of 20")
    assert np.allclose(axes.images[0].get_array(), [[0.8, 0.2], [0.1, 0.9]])
    assert axes.images[0].get_clim() == (0, 1)


def test_histogram_counts_only_the_reported_stage_and_split():
    rows = predictions(count=20) + predictions(count=40, split="train") + predictions(count=40, stage="head")
    axes = plots.probability_histogram(summary(), rows).axes[0]
    assert sum(patch.get_height() for patch in axes.patches) == 20
    assert axes.get_xlim() == (0, 1)


def test_histogram_of_a_cross_validated_run_takes_each_folds_own_final_stage():
    crossed = summary()
    crossed["reported"]["split"] = "cross_validation"
    rows = predictions(count=20, stage="final", split="cross_validation")
    rows += predictions(count=20, stage="finetune", split="cross_validation")
    axes = plots.probability_histogram(crossed, rows).axes[0]
    assert sum(patch.get_height() for patch in axes.patches) == 20


def test_histogram_of_many_classes_has_no_threshold():
    classes = ["a", "b", "c"]
    many = summary(classes, np.eye(3, dtype=int))
    axes = plots.probability_histogram(many, predictions(classes)).axes[0]
    assert not axes.get_lines()


def test_korean_class_names_are_drawn_with_a_face_that_has_them(folder):
    from matplotlib import font_manager

    if not {font.name for font in font_manager.fontManager.ttflist} & set(plots.KOREAN_FACES):
        pytest.skip("no Korean face on this machine")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        plots.write_plots(folder, HISTORY, summary(), predictions())
    assert [str(one.message) for one in said] == []


def test_drawing_needs_no_main_thread_and_leaves_no_open_figures(folder):
    failures = []

    def draw():
        try:
            plots.write_plots(folder, HISTORY, summary(), predictions())
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=draw)
    thread.start()
    thread.join()
    from matplotlib import _pylab_helpers

    assert not failures
    assert not _pylab_helpers.Gcf.get_all_fig_managers()


STRANGE = ("$\\frac{", "a_b^c", "100 % $x$", "{0}", "<50\\alpha")


def test_class_names_are_drawn_as_they_are_and_not_as_formulas(folder):
    skipped: dict[str, str] = {}
    told, rows = summary(STRANGE, np.eye(5, dtype=int).tolist()), predictions(STRANGE)
    written = plots.write_plots(folder, HISTORY, told, rows, on_skip=skipped.__setitem__)
    assert (len(written), skipped) == (3, {})
    with plots._style():
        labels = plots.confusion_matrix(told["reported"]).axes[0].get_xticklabels()
    assert [(one.get_text(), one.get_parse_math()) for one in labels] == [(name, False) for name in STRANGE]


def test_a_plot_that_fails_is_said_and_the_others_are_drawn(folder, monkeypatch):
    def breaks(*_):
        raise RuntimeError("no such glyph\nand more")

    monkeypatch.setattr(plots, "confusion_matrix", breaks)
    skipped: dict[str, str] = {}
    written = plots.write_plots(folder, HISTORY, summary(), predictions(), on_skip=skipped.__setitem__)
    assert len(written) == 2
    assert skipped == {"confusion_matrix.png": "no such glyph"}
