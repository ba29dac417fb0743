"""`web`: a page that classifies in the browser, also without a network, and says so where nobody looked."""

from __future__ import annotations

import functools
import http.server
import io
import json
import os
import re
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.browser import CHROMIUM_FLAGS
from tests.core.drawn import draw
from tl_core.base.errors import WebRuntimeMissing
from tl_core.base.messages import LANGUAGES
from tl_core.cli import main
from tl_core.export import workflow
from tl_core.export.formats import web_folder
from tl_core.export.web import browser, runtime
from tl_core.export.web.browser import find_chromium

RUNTIME = os.environ.get("HEADSWAP_WEB_RUNTIME")
"""A folder with the npm package onnxruntime-web; tests fetch nothing."""
needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(not RUNTIME, reason="HEADSWAP_WEB_RUNTIME names no folder with onnxruntime-web"),
    pytest.mark.skipif(not browser.is_here(), reason="no Chromium, or no playwright"),
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder that looks like the npm package."""
    folder = tmp_path / "onnxruntime-web" / "dist"
    folder.mkdir(parents=True)
    (folder / runtime.MODULE).write_bytes(b"export {};")
    (folder / runtime.NETWORK).write_bytes(b"\0asm")
    return folder.parent


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "is_here", lambda: False)


# --- the folder


def test_what_no_browser_has_seen_is_called_so_and_says_so(run, package, no_browser, tmp_path):
    made = workflow.export(run, "web", tmp_path / "out", options={"web_runtime": str(package)})
    assert made.passed and "not checked in a browser" in made.card["runtime"]
    out = tmp_path / "out"
    assert not (out / "index.html").exists()
    page = (out / web_folder.UNCHECKED).read_text(encoding="utf-8")
    assert 'data-say="unchecked"' in page
    manifest = json.loads((out / "manifest.webmanifest").read_text(encoding="utf-8"))
    assert manifest["start_url"] == web_folder.UNCHECKED


def test_everything_that_the_page_needs_is_kept_for_times_without_a_network(
    run, package, no_browser, tmp_path
):
    workflow.export(run, "web", tmp_path / "out", options={"web_runtime": str(package)})
    out = tmp_path / "out"
    kept = json.loads(re.search(r"FILES = (\[.*?\]);", (out / "sw.js").read_text())[1])
    assert {"model.onnx", "about.json", "words.json", f"runtime/{runtime.NETWORK}", "picture.js"} <= set(kept)
    assert all((out / name).is_file() for name in kept)
    asked = re.findall(r'(?:src|href)="([^"]+)"|from "\./([^"]+)"|fetch\("([^"]+)"\)', everything(out))
    named = {name for names in asked for name in names if name}
    assert len(named) > 8 and named - {"sw.js"} <= set(kept)


def everything(out: Path) -> str:
    files = [path for path in out.iterdir() if path.suffix in (".html", ".js")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_the_same_run_gives_the_same_bytes_without_a_trace_of_the_machine(run, package, no_browser, tmp_path):
    for name in ("one", "two"):
        workflow.export(run, "web", tmp_path / name, options={"web_runtime": str(package)})
    for path in sorted((tmp_path / "one").rglob("*")):
        if path.is_file() and path.name not in ("card.json", "README.md"):
            content = path.read_bytes()
            assert content == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path
            assert str(tmp_path).encode() not in content and b"/home/" not in content, path


def test_every_word_of_the_page_is_there_in_every_language(run, package, no_browser, tmp_path):
    workflow.export(run, "web", tmp_path / "out", options={"web_runtime": str(package)})
    words = json.loads((tmp_path / "out" / "words.json").read_text(encoding="utf-8"))
    assert set(words) == set(LANGUAGES)
    said = set(
        re.findall(r'data-say="(\w+)"|say\("(\w+)"\)|dataset\.say = "(\w+)"', everything(tmp_path / "out"))
    )
    keys = {key for found in said for key in found if key}
    assert len(keys) > 15
    assert all(keys <= set(words[language]) for language in LANGUAGES)


def test_the_slider_speaks_of_a_class_also_where_nobody_chose_one(run, package, no_browser, tmp_path):
    settings = {**run.read_config(), "positive_class": None}
    run.config_path.write_text(json.dumps(settings), encoding="utf-8")
    workflow.export(run, "web", tmp_path / "out", options={"web_runtime": str(package)})
    about = json.loads((tmp_path / "out" / "about.json").read_text(encoding="utf-8"))
    assert about["positive_class"] == about["classes"][1]


def test_from_a_cdn_nothing_of_the_runtime_lies_here(run, no_browser, tmp_path):
    workflow.export(run, "web", tmp_path / "out", options={"web_runtime": "cdn"})
    out = tmp_path / "out"
    assert not (out / "runtime").exists()
    about = json.loads((out / "about.json").read_text(encoding="utf-8"))
    assert about["runtime"]["module"] == runtime.CDN + runtime.MODULE
    assert runtime.CDN in (out / web_folder.UNCHECKED).read_text(encoding="utf-8")
    assert runtime.CDN + runtime.NETWORK in (out / "sw.js").read_text(encoding="utf-8")


# --- the runtime


def test_without_the_runtime_one_sentence_names_the_ways_to_it(run, tmp_path, capsys):
    assert main(["export", str(run.path), "--format", "web", "--output", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert "--web-runtime fetch" in told and "cdn" in told
    assert not (tmp_path / "out").exists()


def test_a_folder_without_it_is_said(tmp_path):
    with pytest.raises(WebRuntimeMissing, match=re.escape(runtime.NETWORK)):
        runtime.put(str(tmp_path), tmp_path)


def packed(network: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in ((runtime.MODULE, b"module"), (runtime.NETWORK, network)):
            entry = tarfile.TarInfo(f"package/dist/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_what_is_fetched_is_kept_once_its_sum_is_right(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    content = packed(b"network")
    asked = []

    def opened(address: str, timeout: float) -> io.BytesIO:
        asked.append(address)
        return io.BytesIO(content)

    monkeypatch.setattr(runtime.urllib.request, "urlopen", opened)
    with pytest.raises(WebRuntimeMissing, match="nothing of it was kept"):
        runtime.put("fetch", tmp_path)
    assert not runtime.is_kept()
    own = runtime.base64.b64encode(runtime.hashlib.sha512(content).digest()).decode()
    monkeypatch.setattr(runtime, "SHA512", own)
    for name, way in (("first", "fetch"), ("again", "fetch"), ("later", None)):
        (tmp_path / name).mkdir()
        runtime.put(way, tmp_path / name)
        assert (tmp_path / name / "runtime" / runtime.NETWORK).read_bytes() == b"network"
        assert "MIT" in (tmp_path / name / "runtime" / "LICENSE.txt").read_text()
    assert asked == [runtime.PACKAGE] * 2


def test_no_network_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))

    def refused(*_: Any, **__: Any) -> None:
        raise OSError("no route")

    monkeypatch.setattr(runtime.urllib.request, "urlopen", refused)
    with pytest.raises(WebRuntimeMissing, match="no route"):
        runtime.put("fetch", tmp_path)


# --- in the browser


class Site:
    """A folder on a web server that can be taken away."""

    def __init__(self, folder: Path) -> None:
        class Quiet(http.server.SimpleHTTPRequestHandler):
            extensions_map = {
                **http.server.SimpleHTTPRequestHandler.extensions_map,
                ".mjs": "text/javascript",
            }

            def log_message(self, *_: Any) -> None: ...

        handler = functools.partial(Quiet, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory: pytest.TempPathFactory) -> workflow.Exported:
    place = tmp_path_factory.mktemp("web") / "out"
    return workflow.export(finished, "web", place, options={"web_runtime": RUNTIME})


@pytest.fixture
def site(exported) -> Iterator[Site]:
    site = Site(exported.path)
    yield site
    site.close()


def clip(path: Path, kind: str) -> Path:
    """A second of drawn pictures, as Chromium takes them for a camera's: YUV4MPEG2."""
    rng = np.random.default_rng(3)
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W96 H96 F10:1 Ip A1:1 C420jpeg\n")
        for _ in range(10):
            yuv = cv2.cvtColor(draw(rng, kind, 96), cv2.COLOR_RGB2YUV_I420)
            file.write(b"FRAME\n" + yuv.tobytes())
    return path


class TestInChromium:
    pytestmark = needs_browser

    def test_the_export_was_asked_in_the_browser_and_answers_as_the_run_does(self, exported):
        assert exported.passed and "Chrom" in exported.card["runtime"]
        check = exported.card["check"]
        assert check["labels_equal"] == 1 and check["pixels"]["largest"] <= 4
        assert (exported.path / "index.html").is_file()

    def test_pictures_are_answered_in_both_languages_and_the_sliders_decide(self, site, page, finished):
        page.goto(site.address)
        files = sorted(Path(finished.read_config()["data"]).rglob("*.png"))
        page.locator("#files:not([disabled])").set_input_files(files[:2])
        page.locator("article h2").nth(1).wait_for()
        assert page.locator("article progress").count() == 4
        page.locator("#languages button", has_text="한국어").click()
        assert page.locator("h1").inner_text() == "분류하기"
        page.locator("#sure").fill("0.99")
        page.locator("#threshold").fill("0.5")
        page.locator("#files").set_input_files({"name": "bad.png", "mimeType": "image/png", "buffer": b"bad"})
        page.locator("article", has_text="bad.png").locator(".unsure").wait_for()

    def test_after_the_first_visit_no_network_is_needed(self, site, page, finished):
        page.goto(site.address)
        page.locator("#files:not([disabled])").wait_for()
        page.evaluate("navigator.serviceWorker.ready")
        site.close()
        page.reload()
        page.locator("#files:not([disabled])").set_input_files(
            str(next(Path(finished.read_config()["data"]).rglob("*.png")))
        )
        page.locator("article h2").wait_for()

    def test_the_camera_is_answered_as_it_goes(self, site, tmp_path, chromium):
        fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        fake.append(f"--use-file-for-fake-video-capture={clip(tmp_path / 'clip.y4m', 'stripes')}")
        browser = chromium.browser_type.launch(executable_path=find_chromium(), args=[*CHROMIUM_FLAGS, *fake])
        try:
            page = browser.new_context(permissions=["camera"]).new_page()
            page.goto(site.address)
            page.locator("#camera:not([disabled])").click()
            page.locator("#seen h2").wait_for()
            assert page.locator("#seen progress").count() == 2
            page.locator("#camera").click()
            page.locator("#live").wait_for(state="hidden")
        finally:
            browser.close()
