"""How much may be uploaded, how long unused pictures stay, and that their bytes leave the server's memory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tl_core.base.errors import OutputUnwritable, TlError
from tl_core.base.files import atomic
from tl_core.base.files.paths import datasets_dir, runs_dir
from tl_core.runs import trash
from tl_core.runs.run_folder import list_runs
from tl_ui.stores.sets import datasets
from tl_ui.stores.sets.datasets import DataChoice

OWN_GIB = 10
"""For the browsers of one address; the machine's own browser has the whole."""
ALL_GIB = 50
UNUSED_DAYS = 90
"""After so long without being chosen, what no run was made of is deleted, which can be undone for a while."""


def received(save: Callable[[], DataChoice], sender: str, files: Sequence[Any]) -> DataChoice:
    """What `save` has made of the files, unless the uploads of `sender` or of all become too many.

    sender: the browser's address, "" = this machine's own.
    Raises: OutputUnwritable: a quota. What `save` raises.
    """
    name = files[0].name
    _refuse(sender, name, sum(file.size for file in files))
    choice = save()
    datasets.note_sender(choice.id, sender)
    try:
        _refuse(sender, name)  # a zip may hold more than it weighs
    except OutputUnwritable:
        datasets.remove(choice.id)
        raise
    return choice


def _refuse(sender: str, name: str, more_bytes: int = 0) -> None:
    sizes = {folder.name: _num_bytes(folder) for folder in datasets_dir().glob("u*")}
    of_sender = sum(sizes.get(data_id, 0) for data_id in datasets.sent_by(sender))
    own = [(of_sender, OWN_GIB)] if sender else []
    for used, gib in (*own, (sum(sizes.values()), ALL_GIB)):
        if used + more_bytes > gib << 30:
            raise OutputUnwritable(path=name, reason="quota", detail=gib)


def _num_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def let_go(files: Sequence[Any]) -> None:
    """Take the bytes out of the server's memory, where they would stay until the browser leaves."""
    context = get_script_run_ctx()
    for file in files:
        if context is not None and hasattr(context.uploaded_file_mgr, "remove_file"):
            context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=file.file_id)


@st.cache_resource(ttl=86_400, show_spinner=False)
def tidy() -> None:
    """Once a day: delete what nobody has used for `UNUSED_DAYS`, and what processes that were killed while
    unpacking have left."""
    home = datasets_dir()
    for left in [*home.glob(".new-*"), *home.glob("u*/.unpacking-*")]:
        if atomic.is_left_behind(left):
            shutil.rmtree(left, ignore_errors=True)
    oldest = time.time() - UNUSED_DAYS * 86_400
    unused = [one for one in datasets.own() if one.kind == "upload" and datasets.last_used(one) < oldest]
    needed = _pictures_of_runs() if unused else set()
    for choice in unused:
        if choice.path not in needed:
            datasets.delete(choice.id)


def _pictures_of_runs() -> set[Path]:
    runs = [*list_runs(runs_dir()), *(run for run, _ in trash.list_thrown_away(runs_dir()))]
    found = set()
    for run in runs:
        try:
            found.add(Path(str(run.read_config().get("data"))))
        except TlError:
            continue
    return found
