"""Classify a video: a chart, stretches and a table; damage in words."""

from __future__ import annotations

import pytest

from tests.core.inference.test_video import write
from tests.ui.open_page import open_page, words
from tests.ui.screens.test_classify import run, text, weights  # noqa: F401


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_video_is_answered_in_its_course(lang, run, tmp_path):  # noqa: F811
    clip = write(tmp_path / "a.mp4", "d" * 20).read_bytes()
    app = open_page("classify", lang=lang)
    app.segmented_control(key="source").set_value("video").run()
    app.file_uploader(key="video").set_value([("a.mp4", clip, "video/mp4")]).run()
    assert not app.exception
    assert text(lang, "video_says", count=4) in words(app)
    assert list(app.dataframe[0].value[text(lang, "video_from")])[0] == "0.0"
    app.select_slider(key="video_rate").set_value(5).run()
    assert text(lang, "video_says", count=10) in words(app)
    app.file_uploader(key="video").set_value([("bad.mp4", b"no video", "video/mp4")]).run()
    assert not app.exception and "bad.mp4" in words(app)
