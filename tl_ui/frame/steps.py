"""The steps of the sidebar and how far each is: done, here, open, running, or locked with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from tl_core.jobs.local import LIVE

PAGES = {
    "start": "streamlit_app.py",
    "data": "pages/data.py",
    "train": "pages/train.py",
    "results": "pages/results.py",
    "classify": "pages/classify.py",
    "export": "pages/export.py",
    "explore": "pages/explore.py",
    "improve": "pages/improve.py",
    "compare": "pages/compare.py",
    "lesson": "pages/lesson.py",
    "head_swap": "pages/head_swap.py",
}
MAIN = ("start", "data", "train", "results", "classify", "export")
DEEPER = ("explore", "improve", "compare")
LEARN = ("lesson", "head_swap")
"""The three groups of the sidebar: the main job in its order, more about a finished run, and the lesson."""


@dataclass(frozen=True)
class Step:
    name: str
    state: str
    # done, here, open, running, locked
    reason: str | None = None
    # a key under [shell] that says what is missing, when locked


def steps(
    here: str, *, has_data: bool, run_state: str | None, has_runs: bool, has_results: bool
) -> list[Step]:
    """One for every page, in the sidebar's order.

    Args: here: the page being shown, never locked. run_state: of the chosen run, None without one.
      has_runs, has_results: whether any run, any finished run, is on this server.
    """
    needs_data = None if has_data or has_runs else "needs_data"
    needs_run = None if has_results else ("needs_end" if run_state in LIVE else "needs_run")
    is_finished = run_state == "finished"
    progress: dict[str, tuple[bool, str | None]] = {
        "start": (has_data or has_runs, None),
        "data": (has_data, None),
        "train": (is_finished, needs_data),
        "results": (False, needs_run),
        "classify": (False, needs_run),
        "export": (False, needs_run),
        "explore": (False, needs_run),
        "improve": (False, needs_data),
        "compare": (False, needs_run),
        "lesson": (False, None),
        "head_swap": (False, None),
    }
    found = []
    for name, (is_done, missing) in progress.items():
        if name == here:
            found.append(Step(name, "here"))
        elif name == "train" and run_state in LIVE:
            found.append(Step(name, "running"))
        elif missing:
            found.append(Step(name, "locked", missing))
        else:
            found.append(Step(name, "done" if is_done else "open"))
    return found
