"""A browser is known again by a number that this server has sealed, and by nothing that it could make up."""

from __future__ import annotations

import pytest

from tests.ui.frame.test_gate import asked, port, scope  # noqa: F401
from tl_core.base.files.paths import datasets_dir
from tl_ui.frame import gate


@pytest.fixture(autouse=True)
def own_key(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))


def test_a_number_that_was_given_out_is_known_again_and_two_differ():
    first, second = gate.new_cookie(), gate.new_cookie()
    assert gate.browser_of(first) and gate.browser_of(second)
    assert gate.browser_of(first) != gate.browser_of(second)


def test_no_other_cookie_is_a_number_of_ours():
    number, _, seal = gate.new_cookie().partition(".")
    other = gate.new_cookie().partition(".")[0]
    changed = "0" if seal[0] != "0" else "1"
    for cookie in ("", number, f"{number}.", f"{other}.{seal}", f"{number}.{changed}{seal[1:]}",
                   f"{number}.{seal}x", f"../{number}.{seal}", f"{number}.\u00e9", "." * 9):  # fmt: skip
        assert gate.browser_of(cookie) == "", cookie


@pytest.mark.parametrize("left", [b"", b"cut"])
def test_a_key_that_was_cut_is_made_anew_and_what_it_sealed_is_void(left):
    before = gate.new_cookie()
    (datasets_dir() / "browsers.key").write_bytes(left)
    assert gate.browser_of(before) == ""
    assert gate.browser_of(gate.new_cookie())


def test_two_servers_of_one_machine_leave_each_others_number_alone(tmp_path, monkeypatch):
    first = gate.cookie_name()
    assert gate.cookie_name() == first
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "another"))
    assert gate.cookie_name() != first


def test_without_a_place_for_the_key_there_is_no_number(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "file"))
    assert gate.new_cookie() == "" and gate.browser_of("a" * 32 + ".") == ""


def test_the_served_page_gives_one_number_and_keeps_it(port):  # noqa: F811
    page = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    _, headers = asked(port, "/", **page)
    given = headers["set-cookie"]
    name = given.partition("=")[0]
    assert name.startswith(gate.COOKIE) and "HttpOnly" in given and "SameSite=Lax" in given
    _, again = asked(port, "/", **page, Cookie=f"other=1; {given.partition(';')[0]}")
    assert gate.COOKIE not in again.get("set-cookie", "")
    _, unchanged = asked(port, "/", **page, **{"If-None-Match": headers["etag"]})
    assert gate.COOKIE in unchanged["set-cookie"], "a cached page is answered without a body"
    _, forged = asked(port, "/", **page, Cookie=f"{name}={'0' * 32}.{'0' * 64}")
    assert gate.COOKIE in forged["set-cookie"]
    assert gate.COOKIE not in asked(port, "/_stcore/health")[1].get("set-cookie", "")
