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
GIB = 1 << 30
UNUSED_DAYS = 90
"""After so long without being chosen, what no run was made of is deleted, which can be undone for a while."""


def received(save: Callable[[], DataChoice], sender: str, files: Sequence[Any]) -> DataChoice:
    """What `save` has made of the files, unless the uploads of `sender` or of all become too many.

    sender: whom it counts for, as `visitor.sender` says; "" = this machine's own browser.
    Raises: OutputUnwritable: a quota. What `save` raises.
    """
    name = files[0].name
    make_room(sender, name, sum(file.size for file in files))
    choice = save()
    count_for(sender, choice, name)  # a zip may hold more than it weighs
    return choice


def enlarged(choice: DataChoice, label: str, sender: str, files: Sequence[Any]) -> int:
    """How many pictures `datasets.enlarge` has added. Whoever adds them, they count for the browser that
    brought the set; if the machine's own does, only in all.

    Raises: OutputUnwritable: a quota. What `datasets.enlarge` raises.
    """
    make_room(sender and datasets.sender_of(choice.id), files[0].name, sum(file.size for file in files))
    return datasets.enlarge(choice, label, [(file.name, file) for file in files])


def count_for(sender: str, choice: DataChoice, name: str) -> None:
    """Note whose the set is; over a quota it goes again. Raises: OutputUnwritable."""
    datasets.note_sender(choice.id, sender)
    try:
        make_room(sender, name)
    except OutputUnwritable:
        datasets.remove(choice.id)
        raise


def make_room(sender: str, name: str, more_bytes: int = 0) -> None:
    """See that `more_bytes` of something called `name` may come. What was deleted and could still be had back
    goes for good first, the oldest before the others.

    Raises: OutputUnwritable: it is over a quota nevertheless.
    """
    sizes = {folder.name: num_bytes(folder) for folder in datasets_dir().glob("u*")}
    own = [(set(datasets.sent_by(sender)), OWN_GIB)] if sender else []
    for counted, gib in (*own, (set(sizes), ALL_GIB)):
        excess = sum(sizes.get(data_id, 0) for data_id in counted) + more_bytes - gib * GIB
        for choice in reversed(datasets.deleted()):
            if excess > 0 and choice.id in counted:
                datasets.remove(choice.id)
                excess -= sizes.pop(choice.id, 0)
        if excess > 0:
            raise OutputUnwritable(path=name, reason="quota", detail=gib)


def num_bytes(folder: Path) -> int:
    """What would be free without it: a file that has another name elsewhere takes no place of its own."""
    found = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(one.st_size for one in found if one.st_nlink == 1)


@st.cache_data(ttl=60, show_spinner=False)
def megabytes(data_id: str) -> float:
    return num_bytes(datasets_dir() / data_id) / 1e6


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
            found.add(run.data())
        except TlError:
            continue
    return found
