"""Run one part of a page alone: `part("quiz.show('labels')", "ko")`, as a page of that language would."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def part(call: str, lang: str) -> AppTest:
    """The part after its first run; `call` is a call of something in tl_ui.lesson."""
    module = "tl_ui.lesson." + call.partition("(")[0].rpartition(".")[0]
    app = AppTest.from_string(f"import {module}\ntl_ui.lesson.{call}\n", default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    assert not app.exception, app.exception
    return app
