"""Classify thousands: folder or zip, a bar and a stop, the table of answers."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.ui.open_page import open_page, words
from tests.ui.screens.test_classify import png, run, text, weights  # noqa: F401
from tl_core.inference.many.keeping import Limit
from tl_core.inference.predictor import BATCH, Predictor
from tl_core.runs.decision_rule import DecisionRule
from tl_ui.frame import visitor
from tl_ui.screens.classify import many

both = pytest.mark.parametrize("lang", ["en", "ko"])


def zipped(count: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(f"사진/{number}.png", png(number))
        archive.writestr("bad.png", b"bad")
        archive.writestr("notes.txt", b"no picture")
    return buffer.getvalue()


def opened(lang: str):
    app = open_page("classify", lang=lang)
    return app.segmented_control(key="source").set_value("many").run()


@both
def test_a_zip_is_answered_picture_by_picture(lang, run):  # noqa: F811
    app = opened(lang)
    app.file_uploader(key="many_zip").set_value([("a.zip", zipped(5), "application/zip")]).run()
    assert text(lang, "many_found", count=6) in words(app)
    app.button(key="many_start").click().run()
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["file"]) == [*(f"사진/{number}.png" for number in range(5)), "bad.png"]
    assert "bad.png" in table["error"].iloc[-1]
    assert text(lang, "many_unreadable", count=1) in words(app)
    assert text(lang, "many_stopped") not in words(app)
    app.run()
    assert len(app.dataframe[0].value) == 6, "another run of the page keeps what was said"


@both
def test_a_folder_is_read_with_what_lies_below(lang, run, tmp_path):  # noqa: F811
    app = opened(lang)
    app.text_input(key="many_folder").set_value(str(tmp_path / "pictures")).run()
    app.button(key="many_start").click().run()
    assert len(app.dataframe[0].value) == 160
    app.text_input(key="many_folder").set_value(str(tmp_path / "nowhere")).run()
    assert not app.exception and "nowhere" in words(app)


@both
def test_what_is_no_zip_or_empty_is_said(lang, run, tmp_path):  # noqa: F811
    app = opened(lang)
    app.file_uploader(key="many_zip").set_value([("a.zip", b"no zip", "application/zip")]).run()
    assert "a.zip" in words(app) and not app.exception
    (tmp_path / "empty").mkdir()
    app = opened(lang)
    app.text_input(key="many_folder").set_value(str(tmp_path / "empty")).run()
    assert text(lang, "many_none") in words(app)


def test_another_browser_names_no_folder(run, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(visitor, "is_owner", lambda: False)
    app = opened("en")
    assert not [one for one in app.text_input if one.key == "many_folder"]


def test_a_stop_keeps_the_answers_so_far(run, tmp_path):  # noqa: F811
    model = Predictor.load(run)
    given = many._folder(tmp_path / "pictures")
    limit = Limit(model.classes, DecisionRule(), 0.7)
    result = many.Result((), len(given.names))

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        many.look(model, given, limit, result, stop)
    assert len(result.rows) == BATCH < result.total
    assert sum(result.counts.values()) == BATCH
