"""How much may be uploaded, how long it stays, what killed processes left."""

import io
import os
import time
from types import SimpleNamespace

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from tests.ui.conftest import draw_pictures
from tests.ui.run_folder_builder import finished_run
from tests.ui.stores.sets.test_datasets import zip_of
from tl_core.base.errors import OutputUnwritable
from tl_core.base.files.paths import datasets_dir
from tl_ui.stores.sets import datasets, upload_limits

DEAD = 2**22 + 1
"""No process has this number."""


class Sent(io.BytesIO):
    def __init__(self, content: bytes, name: str = "pets.zip") -> None:
        super().__init__(content)
        self.name, self.size = name, len(content)


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
    monkeypatch.setattr(upload_limits, "num_bytes", lambda folder: 99 << 30)
    with pytest.raises(OutputUnwritable):
        upload(sent)
    assert not list(datasets_dir().glob("u*"))
    assert datasets.own() == []


def test_what_was_deleted_goes_for_good_before_an_upload_is_refused(sent, monkeypatch):
    older, newer, kept = (upload(sent, "a") for _ in range(3))
    for choice in (older, newer):
        datasets.delete(choice.id)
    size = upload_limits.num_bytes(datasets_dir() / kept.id)
    monkeypatch.setattr(upload_limits, "OWN_GIB", 3.5 * size / 2**30)
    upload(sent, "a")
    assert [choice.id for choice in datasets.deleted()] == [newer.id]
    assert not (datasets_dir() / older.id).exists()


def test_added_pictures_are_held_to_the_quota_of_whoever_brought_the_set(sent, tmp_path, monkeypatch):
    mine, owners = upload(sent, "a"), upload(sent)
    more = draw_pictures(tmp_path / "more", {"a": 1}, seed=5) / "a" / "a_00.png"

    def add(choice, sender):
        return upload_limits.enlarged(choice, "a", sender, [Sent(more.read_bytes(), "new.png")])

    monkeypatch.setattr(upload_limits, "OWN_GIB", upload_limits.num_bytes(datasets_dir() / mine.id) / 2**30)
    before = sorted(mine.path.rglob("*"))
    for sender in ("a", "b"):
        with pytest.raises(OutputUnwritable) as refusal:
            add(mine, sender)
        assert refusal.value.values["reason"] == "quota"
    assert sorted(mine.path.rglob("*")) == before
    assert add(mine, "") == 1 and add(owners, "b") == 1
    monkeypatch.setattr(upload_limits, "ALL_GIB", 0)
    with pytest.raises(OutputUnwritable):
        add(mine, "")


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
