"""A browser is not the server's owner: a path that is typed leads where the owner said, and tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st

from tests.ui.conftest import draw_pictures
from tests.ui.open_page import has, words
from tl_core.base.errors import DataNotFound, PlaceRefused
from tl_ui.frame import visitor
from tl_ui.frame.text import t


@pytest.fixture
def comes_from(monkeypatch: pytest.MonkeyPatch):
    """comes_from("192.168.0.7", Via="proxy"): every browser from now on."""

    def set_(address: str | None, **headers: str) -> None:
        kind = type(st.context)
        monkeypatch.setattr(kind, "ip_address", property(lambda context: address))
        marks = {name.replace("_", "-"): value for name, value in headers.items()}
        monkeypatch.setattr(kind, "headers", property(lambda context: marks))

    return set_


@pytest.mark.parametrize(
    ("address", "headers", "is_owner"),
    [
        (None, {}, True),
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("192.168.0.7", {}, False),
        ("127.0.0.1", {"X_Forwarded_For": "127.0.0.1"}, False),
        (None, {"Via": "1.1 proxy"}, False),
        ("testclient", {}, False),
    ],
)
def test_the_owner_sits_at_the_machine_and_comes_through_no_proxy(comes_from, address, headers, is_owner):
    comes_from(address, **headers)
    assert visitor.is_owner() == is_owner


def test_others_read_what_was_named_and_what_links_lead_to_there(comes_from, tmp_path: Path, monkeypatch):
    comes_from("192.168.0.7")
    offered, private = tmp_path / "offered", tmp_path / "private"
    for folder in (offered / "set", private):
        folder.mkdir(parents=True)
    assert not visitor.may_name_paths() and not visitor.may_read(offered)
    monkeypatch.setenv("HEADSWAP_DATA_ROOTS", str(offered))
    assert visitor.may_read(offered / "set")
    assert not visitor.may_read(private)
    assert not visitor.may_read(offered / ".." / "private")
    assert not visitor.may_read(tmp_path / "offered-too")
    (offered / "link").symlink_to(private)
    assert not visitor.may_read(offered / "link")


def test_others_hear_one_sentence_whatever_is_wrong(open_page, comes_from, tmp_path: Path, monkeypatch):
    offered = tmp_path / "offered"
    (offered / "empty").mkdir(parents=True)
    draw_pictures(tmp_path / "private", {"cats": 20, "dogs": 12})
    monkeypatch.setenv("HEADSWAP_DATA_ROOTS", str(offered))
    comes_from("192.168.0.7")
    for place in (tmp_path / "private", tmp_path / "nowhere", offered / "nowhere", offered / "empty"):
        app = open_page("data")
        app.segmented_control(key="data_source").set_value("folder").run()
        app.text_input(key="folder_path").set_value(str(place))
        app.button[0].click().run()
        assert not app.exception
        assert [one.value for one in app.error] == [PlaceRefused(path=place).message("en")]
        assert "data" not in app.query_params


def test_the_owner_hears_what_is_wrong(open_page, tmp_path: Path):
    app = open_page("data")
    app.segmented_control(key="data_source").set_value("folder").run()
    app.text_input(key="folder_path").set_value(str(tmp_path / "nowhere"))
    app.button[0].click().run()
    assert app.error[0].value == DataNotFound(path=tmp_path / "nowhere").message("en")


def test_without_offered_folders_others_are_told_to_upload(open_page, comes_from):
    comes_from("192.168.0.7")
    app = open_page("data")
    app.segmented_control(key="data_source").set_value("folder").run()
    assert not has(app, "text_input", "folder_path")
    assert t("data.folder_elsewhere") in words(app)


def test_an_offered_folder_is_used(open_page, comes_from, two_classes: Path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_DATA_ROOTS", str(two_classes.parent))
    comes_from("192.168.0.7")
    app = open_page("data")
    app.segmented_control(key="data_source").set_value("folder").run()
    app.text_input(key="folder_path").set_value(str(two_classes))
    app.button[0].click().run()
    assert not app.exception
    assert app.query_params["data"]


def test_without_the_gate_the_page_itself_refuses_another_name_and_says_how_to_start(open_page, comes_from):
    comes_from("127.0.0.1", Host="evil.example")
    app = open_page("start")
    assert [one.value for one in app.error] == [t("shell.not_called_so")]
    assert not app.button and not app.sidebar.children
    comes_from("127.0.0.1", Host="localhost:8501", Origin="http://evil.example")
    assert not open_page("start").button
    comes_from("127.0.0.1", Host="localhost:8501", Origin="http://localhost:8501")
    app = open_page("start")
    assert app.button and t("shell.no_gate") in words(app)
    comes_from("127.0.0.1", Host="localhost:8501", X_Headswap_Gate="1")
    assert t("shell.no_gate") not in words(open_page("start"))
