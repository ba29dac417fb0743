"""Headswap as pip installs it: one wheel with the pages in it, one command."""

import ast
import os
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import tl_core
from tests.core.drawn import write_classes
from tl_core.base.files.paths import PACKAGES

TRAIN = """
import sys
sys.argv[0] = "headswap"
from tl_core.cli import main
sys.exit(main())
"""
APP = """
import argparse
from tl_core.cli import app
from tl_ui.lesson.handouts import plan
from tl_ui.widgets.plotting import liveplot
print(app.command(argparse.Namespace(port=8600, address=None)), plan.plan("ko", "45")[:20])
"""
PAGES = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=120).run()
assert not app.exception, app.exception
app.switch_page("pages/lesson.py").run()
assert not app.exception, app.exception
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Where pip would put it, without its dependencies: they are here already."""
    folder = tmp_path_factory.mktemp("installed")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        PACKAGES,
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(site, code, *arguments, cwd):
    env = {**os.environ, "PYTHONPATH": str(site), "HEADSWAP_LANG": "en", "PYTHONUTF8": "1"}
    command = [sys.executable, "-P", "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


def metadata(site):
    (folder,) = site.glob("*.dist-info")
    return message_from_bytes((folder / "METADATA").read_bytes()), (folder / "entry_points.txt").read_text()


def test_the_wheel_asks_for_what_requirements_txt_asks_for(site):
    about, commands = metadata(site)
    lines = (PACKAGES / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = {line.partition("#")[0].strip() for line in lines} - {""}
    assert {line.lower() for line in about.get_all("Requires-Dist")} == {line.lower() for line in asked}
    assert about["Version"] == tl_core.__version__
    assert "headswap = tl_core.cli:main" in commands


def test_an_installed_copy_trains_and_names_its_own_command(site, tmp_path):
    write_classes(tmp_path / "pictures", {"dots": 12, "stripes": 12})
    few = ["--stage2-epochs", "0", "--image-px", "64", "--weights", "random", "--json"]
    done = run(site, TRAIN, "train", "pictures", "--output", "first", *few, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = run(site, TRAIN, "train", "pictures", "--output", "first", *few, cwd=tmp_path)
    assert again.returncode == 2
    assert "headswap resume" in again.stderr


def test_an_installed_copy_has_its_pages(site, tmp_path):
    done = run(site, APP, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    served = ast.literal_eval(done.stdout[: done.stdout.index("]") + 1])
    server = Path(served[served.index("run") + 1])
    assert server.is_relative_to(site)
    assert (server.parent / ".streamlit" / "config.toml").is_file()
    shown = run(site, PAGES, server.parent / "streamlit_app.py", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
