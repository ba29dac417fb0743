"""Every command and every page with an empty home and no network: nothing is written elsewhere, nobody is
asked, but the weights' hub where that was wanted."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests import apart
from tests.apart import Apart, run_apart
from tests.core.drawn import write_classes
from tl_core.cli import commands

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not apart.can_be_made(), reason="this system makes no network namespaces"),
]
HUBS = {"huggingface.co", "download.pytorch.org"}
SETTINGS = (
    'weights = "formula"\nimage_px = 32\ntarget_per_class = 0\n[head]\nepochs = 1\n[finetune]\nepochs = 0\n'
)
INVOCATIONS = {
    "resume": ["resume", "stopped"],
    "cross-validate": ["cross-validate", "crossed"],
    "evaluate": ["evaluate", "run", "pictures"],
    "predict": ["predict", "run", "pictures/dots"],
    "export": ["export", "run", "--format", "python", "--output", "exported"],
    "probe": ["probe", "pictures"],
    "report": ["report", "run"],
    "doctor": ["doctor"],
    "sample-data": ["sample-data", "casting", "practice"],
}
"""Of every command but `train`, which makes the run that they need, and those that go on."""
SERVICE = """
import re, signal, subprocess, sys, urllib.request
from pathlib import Path

command = [sys.executable, "-m", "tl_core", "serve", "run", "--port", "0"]
server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
address = next(found[0] for line in server.stderr if (found := re.search("http://[0-9.:]+/", line)))
for way in ("", "health", "metrics", "openapi.json"):
    urllib.request.urlopen(address + way).read()
picture = next(Path("pictures/dots").iterdir()).read_bytes()
print("classified", urllib.request.urlopen(address + "classify", picture).status)
server.terminate()
sys.exit(server.wait())
"""
PAGES = """
from tests.ui.open_page import open_page
from tl_ui.frame.steps import PAGES
for name in PAGES:
    open_page(name, run="run")
    print(name)
"""
SERVER = """
import http.client, subprocess, sys, time

command = [sys.executable, "-m", "tl_core", "app", "--port", "8599", "--address", "0.0.0.0"]
server = subprocess.Popen(command)
try:
    while server.poll() is None:
        try:
            page = http.client.HTTPConnection("127.0.0.1", 8599)
            page.request("GET", "/")
            print("page", page.getresponse().status)
            break
        except OSError:
            time.sleep(0.2)
    time.sleep(1)
finally:
    server.terminate()
    server.wait()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with pictures, a finished run, and one that was interrupted before its last word."""
    folder = tmp_path_factory.mktemp("apart")
    write_classes(folder / "pictures", {"dots": 24, "stripes": 24})
    (folder / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    done = command(folder, "train", "pictures", "--output", "runs/run", "--config", "settings.toml")
    assert done.status == 0, done.text
    assert (done.asked, done.written) == (set(), [])
    shutil.copytree(folder / "runs" / "run", folder / "stopped")
    shutil.copytree(folder / "runs" / "run", folder / "run")
    shutil.copytree(folder / "runs" / "run", folder / "crossed")
    (folder / "stopped" / "status.json").write_text(json.dumps({"state": "stopped"}), encoding="utf-8")
    return folder


def command(folder: Path, *arguments: str) -> Apart:
    return run_apart(folder, sys.executable, "-m", "tl_core", *arguments)


def test_no_command_is_left_out():
    assert {*INVOCATIONS, "train", "app", "serve"} == set(commands.COMMANDS)


@pytest.mark.parametrize("name", INVOCATIONS)
def test_a_command_writes_nothing_at_home_and_asks_nobody(folder, name):
    done = command(folder, *INVOCATIONS[name])
    assert done.status == 0, done.text
    assert done.written == []
    assert done.asked <= (HUBS if name == "doctor" else set())


def test_weights_that_are_asked_for_are_asked_of_the_hub_alone(folder):
    done = command(folder, "train", "pictures", "--output", "other", "--weights", "imagenet")
    assert done.status == 2, done.text
    assert done.written == []
    assert done.asked == {"huggingface.co"}


def test_no_page_writes_at_home_or_asks_anybody(folder):
    done = run_apart(folder, sys.executable, "-c", PAGES)
    assert done.status == 0, done.text
    assert done.written == []
    assert done.asked <= HUBS, "Start says which weights could be had"


def test_the_server_of_a_class_room_asks_nobody(folder):
    done = run_apart(folder, sys.executable, "-c", SERVER, STREAMLIT_SERVER_HEADLESS="true")
    assert "page 200" in done.text
    assert (done.asked, done.written) == (set(), [])


def test_the_service_writes_nothing_at_home_and_asks_nobody(folder):
    done = run_apart(folder, sys.executable, "-c", SERVICE)
    assert done.status == 0 and "classified 200" in done.text, done.text
    assert (done.asked, done.written) == (set(), [])


def test_what_is_asked_and_written_is_noticed(tmp_path):
    code = (
        "import pathlib, socket, contextlib\n"
        "pathlib.Path.home().joinpath('left.txt').touch()\n"
        "for place in ('example.org', '192.0.2.1'):\n"
        "    with contextlib.suppress(OSError): socket.create_connection((place, 80), 1)\n"
    )
    done = run_apart(tmp_path, sys.executable, "-c", code)
    assert done.asked == {"example.org", "192.0.2.1"}
    assert done.written == ["left.txt"]
