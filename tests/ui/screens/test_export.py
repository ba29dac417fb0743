"""The Export page: what is asked for is made beside it, and the numbers of its check are shown."""

from __future__ import annotations

import pytest

from tests.ui.open_page import has, open_page, words
from tests.ui.run_folder_builder import finished_run
from tl_core.base.messages import LANGUAGES, say
from tl_core.export import formats
from tl_ui.frame.text import catalogue
from tl_ui.stores import exporting

CARD = {
    "format": "onnx-int8",
    "runtime": "onnxruntime 1",
    "check": {
        "passed": True, "reasons": [], "num": 143, "num_held_out": 143, "num_drawn": 0,
        "num_labels_differ": 1, "labels_equal": 142 / 143, "labels_equal_interval": [0.961, 0.999],
        "largest_difference": 0.33, "mean_difference": 0.008,
        "accuracy": {
            "split": "test", "num": 143, "gained": 0, "lost": 1, "p": 1.0,
            "run": {"accuracy": 0.979, "interval": [0.94, 0.99]},
            "export": {"accuracy": 0.972, "interval": [0.93, 0.989]},
        },
    },
    "speed_ratio": {"torch": 2.9, "onnx": 1.3},
    "seconds_per_picture": {"export": 0.007, "torch": 0.02, "onnx": 0.009},
    "bytes": 3_800_000,
    "size_ratio": 3.6,
}  # fmt: skip


class Made:
    """An export that has ended, or goes on."""

    def __init__(self, card=None, *, is_running=False, line=""):
        self.card, self.is_running, self.line, self.seconds = card, is_running, line, 3

    def result(self):
        return self.card and {"card": self.card}

    def last_line(self):
        return self.line

    def zipped(self):
        return b"PK"


@pytest.fixture
def run(own_runs_folder):
    run = finished_run(own_runs_folder / "done")
    (run.models / "final.safetensors").write_bytes(b"weights")
    return run


def page(monkeypatch, run, made, lang="en"):
    monkeypatch.setattr(exporting, "of", lambda path, form: made)
    return open_page("export", run=run.name, lang=lang)


def text(lang, key, **values):
    return catalogue(lang)[f"export.{key}"].format(**values)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_format_says_who_it_is_for(run, lang):
    app = open_page("export", run=run.name, lang=lang)
    radio = app.radio(key="export_format")
    assert list(radio.options) == list(formats.NAMES)
    for name in formats.NAMES:
        assert say(f"export.for_{name.replace('-', '_')}", lang) in str(radio.proto.captions)


def test_pressing_begins_it_for_the_chosen_run_and_format(run, monkeypatch):
    asked = []
    monkeypatch.setattr(exporting, "begin", lambda *what: asked.append(what))
    app = open_page("export", run=run.name, lang="ko")
    app.radio(key="export_format").set_value("onnx-int8").run()
    app.button(key="make_export").click().run()
    assert asked == [(run.path, "onnx-int8", "ko", ())]


def test_the_page_for_browsers_fetches_its_runtime_only_when_that_is_ticked(run, monkeypatch):
    asked = []
    monkeypatch.setattr(exporting, "begin", lambda *what: asked.append(what[-1]))
    app = open_page("export", run=run.name)
    assert not app.checkbox
    app.radio(key="export_format").set_value("web").run()
    app.button(key="make_export").click().run()
    app.checkbox(key="web_fetch").check().run()
    app.button(key="make_export").click().run()
    assert asked == [(), ("--web-runtime", "fetch")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_numbers_of_the_check_are_shown_and_the_files_offered(run, monkeypatch, lang):
    app = page(monkeypatch, run, Made(CARD), lang)
    assert [one.label for one in app.metric] == [
        text(lang, key) for key in ("equal", "difference", "accuracy", "size")
    ]
    assert app.metric[0].value == "99.3 %"
    assert say("export.passed_nearly", lang) in app.success[0].value, "one label differs"
    assert text(lang, "range", low="93.0 %", high="98.9 %") in words(app)
    assert [one.proto.label for one in app.get("download_button")] == [text(lang, "download")]


def test_one_that_falls_short_is_no_success(run, monkeypatch):
    short = {**CARD, "check": {**CARD["check"], "passed": False, "reasons": ["accuracy_lower"]}}
    app = page(monkeypatch, run, Made(short))
    assert not app.success and say("export.failed") in app.warning[0].value
    assert say("export.accuracy_lower") in words(app)


def test_progress_and_failure_are_the_commands_own_words(run, monkeypatch):
    assert "asking the exported file" in words(
        page(monkeypatch, run, Made(is_running=True, line="asking the exported file …"))
    )
    app = page(monkeypatch, run, Made(line="The disk is full."))
    assert "The disk is full." in app.error[0].value


def test_without_a_model_the_way_leads_to_training(own_runs_folder):
    assert not has(open_page("export"), "button", "make_export")
