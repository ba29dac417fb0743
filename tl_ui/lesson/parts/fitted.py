"""A part of the page scaled down until it ends above another part: a projector's screen is not scrolled.

Measured in the browser, whatever the words, the language, the run and the projector: no screen has to be set
by hand. `transform` and not `zoom`: Plotly and the tables find the pointer under the one alone.
"""

from __future__ import annotations

import functools
from typing import Any

import streamlit as st

LEAST = 0.6
"""What is longer still is scrolled: smaller letters are read by nobody."""
GAP_PX = 14
"""Left free above the foot."""

JS = r"""
export default function ({ data, parentElement }) {
  const page = parentElement.closest("[data-testid='stMainBlockContainer']");
  let settled = "";
  const fit = () => {
    // looked up each time: the page may have drawn them anew
    const [part, foot] = [data.part, data.foot].map((key) => page.querySelector(".st-key-" + key));
    if (!part || !foot) return;
    const room = foot.getBoundingClientRect().top - part.parentElement.getBoundingClientRect().top - data.gap;
    const seen = () => [part.offsetWidth, part.offsetHeight, room].join();
    if (room <= 0 || (part.dataset.fit && seen() === settled)) return;
    const heightAt = (scale) => {
      part.style.width = part.style.maxWidth = 100 / scale + "%";
      return part.offsetHeight * scale;
    };
    let [low, high] = [data.least, 1];
    if (heightAt(1) <= room) low = 1;
    else for (let turn = 0; turn < 7; turn++) {
      const middle = (low + high) / 2;
      heightAt(middle) <= room ? (low = middle) : (high = middle);
    }
    heightAt(low);
    part.style.transformOrigin = "0 0";
    part.style.transform = low < 1 ? `scale(${low})` : "";
    part.style.marginBottom = (low - 1) * part.offsetHeight + "px";
    part.dataset.fit = low.toFixed(2);
    settled = seen();
  };
  const watch = new ResizeObserver(() => requestAnimationFrame(fit));
  watch.observe(page);
  window.addEventListener("resize", fit);
  fit();
  return () => {
    watch.disconnect();
    window.removeEventListener("resize", fit);
  };
}
"""


@functools.cache
def _component() -> Any:
    """Registered once per server, as `liveplot` is."""
    return st.components.v2.component("headswap_fitted", js=JS, isolate_styles=False)


def fitted(part: str, foot: str) -> None:
    """Keep the container of key `part` above the one of key `foot`."""
    _component()(data={"part": part, "foot": foot, "least": LEAST, "gap": GAP_PX}, key=f"fitted_{part}")
