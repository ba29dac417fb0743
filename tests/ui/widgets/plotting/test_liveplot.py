"""The chart that grows: where its library comes from."""

from __future__ import annotations

from tests.ui.open_page import ROOT
from tl_ui.widgets.plotting import liveplot


def test_the_library_lies_in_the_folder_that_streamlit_serves():
    liveplot.source()
    assert liveplot.STATIC / liveplot.NAME == ROOT / "static" / "plotly.min.js"
    assert (ROOT / "static" / "plotly.min.js").is_file()


def test_no_bar_of_buttons_lies_on_a_chart_that_grows(monkeypatch):
    mounted = []
    monkeypatch.setattr(liveplot, "_component", lambda: lambda **given: mounted.append(given["data"]))
    liveplot.liveplot({"data": [], "layout": {}}, key="one", view="one", alt="one", failed="none")
    assert [data["config"]["displayModeBar"] for data in mounted] == [False]
