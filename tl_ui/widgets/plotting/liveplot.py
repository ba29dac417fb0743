"""A Plotly chart that grows while it is looked at.

`st.plotly_chart` builds itself anew when its data changes: it flickers and forgets the zoom. This
small component hands each new figure to `Plotly.react`, which does neither. The library comes out
of the installed plotly package, copied to `static/`, so no network is needed.
"""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path
from typing import Any

import plotly
import streamlit as st

from tl_core.base.files.paths import app_dir

STATIC = app_dir() / "static"
"""Streamlit serves the folder of this name beside the app's file, and no other."""
NAME = "plotly.min.js"
CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
# the bar would lie on the names above the curves; a double click still undoes a zoom
LIVE_CONFIG = CONFIG | {"displayModeBar": False}

HTML = '<div class="chart" role="img"></div>'
CSS = ".chart { width: 100%; }"
JS = r"""
const loading = {};
function load(url) {
  // one script tag per page, however many charts ask for it
  return window.Plotly ? Promise.resolve(window.Plotly) : (loading[url] ??= new Promise((done, fail) => {
    const tag = document.createElement("script");
    tag.src = url;
    tag.onload = () => done(window.Plotly);
    tag.onerror = () => { delete loading[url]; fail(); };
    document.head.appendChild(tag);
  }));
}

export default function (component) {
  const { data, parentElement } = component;
  const chart = parentElement.querySelector(".chart");
  chart.setAttribute("aria-label", data.alt);
  chart.style.height = data.height + "px";
  const turn = (chart.turn = (chart.turn ?? 0) + 1);
  load(data.source).then(
    // a figure that a newer one has overtaken while the library loaded is not drawn
    (Plotly) => {
      const { data: traces, layout } = data.figure;
      if (turn === chart.turn) Plotly.react(chart, traces, layout, data.config);
    },
    () => { chart.textContent = data.failed; },
  );
}
"""


@functools.cache
def _component() -> Any:
    """Registered once per server: registering anew would mount every chart again."""
    return st.components.v2.component("headswap_liveplot", html=HTML, css=CSS, js=JS, isolate_styles=False)


@functools.cache
def source() -> str | None:
    """Where browsers find the library; None when `static/` cannot be written and has none."""
    original = Path(plotly.__file__).parent / "package_data" / NAME
    copy = STATIC / NAME
    try:
        if not copy.is_file() or copy.stat().st_size != original.stat().st_size:
            STATIC.mkdir(exist_ok=True)
            beside = copy.with_suffix(f".{os.getpid()}.tmp")
            shutil.copyfile(original, beside)
            beside.replace(copy)
    except OSError:
        if not copy.is_file():
            return None
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    # the version makes a browser fetch it anew after an upgrade
    return f"{f'/{base}' if base else ''}/app/static/{NAME}?v={plotly.__version__}"


def liveplot(
    figure: dict[str, Any], *, key: str, view: str, alt: str, failed: str, height: int = 330
) -> None:
    """Draw `figure` so that the next call with the same `key` moves it on without a flicker.

    Args: view: while it stays the same, the reader's zoom and hidden lines stay. alt: the chart in
    words, for screen readers. failed: said when the library cannot be loaded. height: pixels.
    """
    layout = figure["layout"] | {"height": height, "uirevision": view}
    figure = {"data": figure["data"], "layout": layout}
    if source() is None:
        st.plotly_chart(figure, key=key, theme=None, config=LIVE_CONFIG)
        return
    data = {"figure": figure, "config": LIVE_CONFIG, "source": source()}
    _component()(data=data | {"alt": alt, "failed": failed, "height": height}, key=key, height=height)


def still(figure: dict[str, Any], *, key: str, alt: str, height: int = 360) -> None:
    """Draw a chart that does not grow, in the same look."""
    figure = {"data": figure["data"], "layout": figure["layout"] | {"height": height}}
    st.plotly_chart(figure, key=key, theme=None, config=CONFIG, alt=alt)
