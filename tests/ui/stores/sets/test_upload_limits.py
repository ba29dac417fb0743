"""How much may be uploaded, how long it stays, what killed processes left, whose folder is written into."""

import io
import os
import time
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from tests.ui.conftest import draw_pictures
from tests.ui.run_folder_builder import finished_run
from tests.ui.stores.sets.test_datasets import zip_of
from tl_core.base.errors import OutputUnwritable
from tl_core.base.files.paths import datasets_dir
from tl_ui.frame import visitor
from tl_ui.stores.sets import datasets, upload_limits
from tl_ui.widgets.sets import own_copy

DEAD = 2**22 + 1
"""No process has this number."""


class Sent(io.BytesIO):
    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.name, self.size = "pets.zip", len(content)


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    upload_limits.tidy.clear()


@pytest.fixture
def sent(tmp_path):
    return Sent(zip_of(draw_pictures(tmp_path / "pets", {"a": 4, "b": 4})).getvalue())


def upload(sent, sender=""):
    sent.seek(0)
    return upload_limits.received(lambda: datasets.add_zip(sent.name, sent), sender, [sent])


@pytest.mark.parametrize("quota", ["OWN_GIB", "ALL_GIB"])
def test_what_is_over_a_quota_is_refused_and_leaves_nothing(sent, monkeypatch, quota):
    upload(sent, "192.0.2.1")
    monkeypatch.setattr(upload_limits, quota, 0)
    with pytest.raises(OutputUnwritable) as refusal:
        upload(sent, "192.0.2.1")
    assert refusal.value.values["reason"] == "quota"
    assert len(datasets.own()) == len(list(datasets_dir().glob("u*"))) == 1


def test_a_zip_that_unpacks_to_more_than_it_weighs_is_counted_unpacked(sent, monkeypatch):
    monkeypatch.setattr(upload_limits, "_num_bytes", lambda folder: 99 << 30)
    with pytest.raises(OutputUnwritable):
        upload(sent)
    assert not list(datasets_dir().glob("u*"))
    assert datasets.own() == []


def test_another_addresses_quota_is_its_own_and_the_owner_has_the_whole(sent, monkeypatch):
    upload(sent, "192.0.2.1")
    assert datasets.sent_by("192.0.2.2") == [] and len(datasets.sent_by("192.0.2.1")) == 1
    monkeypatch.setattr(upload_limits, "OWN_GIB", 0)
    upload(sent)


def test_unused_uploads_go_and_can_be_restored_but_never_those_a_run_was_made_of(sent, own_runs_folder):
    needed, unused, fresh = upload(sent), upload(sent), upload(sent)
    finished_run(own_runs_folder / "run", data=needed.path)
    old = time.time() - (upload_limits.UNUSED_DAYS + 1) * 86_400
    for choice in (needed, unused):
        os.utime(datasets_dir() / choice.id, (old, old))
    upload_limits.tidy()
    assert {choice.id for choice in datasets.own()} == {needed.id, fresh.id}
    datasets.restore(unused.id)
    upload_limits.tidy.clear()
    upload_limits.tidy()
    assert datasets.find(unused.id) is not None, "restored is used"


def test_what_a_killed_process_was_unpacking_is_swept_and_what_a_living_one_is_stays():
    home = datasets_dir()
    dead = [home / f".new-{DEAD}-a", home / "u1" / f".unpacking-{DEAD}-b"]
    living = home / "u1" / f".unpacking-{os.getpid()}-c"
    for folder in (*dead, living):
        folder.mkdir(parents=True)
    upload_limits.tidy()
    assert not any(folder.exists() for folder in dead) and living.exists()


def test_the_bytes_of_an_upload_leave_the_servers_memory(monkeypatch):
    manager = MemoryUploadedFileManager("/upload")
    for name in ("sent", "other"):
        manager.add_file("session", UploadedFileRec(name, name, "image/png", b"bytes"))
    context = SimpleNamespace(session_id="session", uploaded_file_mgr=manager)
    monkeypatch.setattr(upload_limits, "get_script_run_ctx", lambda: context)
    upload_limits.let_go([SimpleNamespace(file_id="sent")])
    assert [file.file_id for file in manager.get_files("session", ["sent", "other"])] == ["other"]


def test_only_the_owners_browser_writes_into_a_folder_of_the_owner(sent, tmp_path, monkeypatch):
    mine = upload(sent, "192.0.2.1")
    theirs = tmp_path / "pets"
    assert own_copy.root_to_write(theirs) == theirs
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda context: "192.0.2.1"))
    assert visitor.address() == "192.0.2.1"
    with pytest.raises(OutputUnwritable) as refusal:
        own_copy.root_to_write(theirs)
    assert refusal.value.values["reason"] == "owners_folder"
    assert own_copy.root_to_write(mine.path) == mine.path
