"""An export runs beside the page, one at a time, and its files last as long as it is kept."""

from __future__ import annotations

import io
import sys
import time
import zipfile

import pytest

from tl_ui.stores import exporting

WRITES = """
import json, pathlib, sys
place = pathlib.Path(sys.argv[sys.argv.index('--output') + 1])
place.mkdir()
(place / 'model.onnx').write_bytes(b'weights')
print('asking …', file=sys.stderr)
print(json.dumps({'card': {'format': sys.argv[sys.argv.index('--format') + 1]}}))
sys.exit(1)
"""
FAILS = "import sys; print('The disk is full.', file=sys.stderr); sys.exit(2)"
WAITS = "import time; time.sleep(60)"


@pytest.fixture
def say(monkeypatch):
    """Another command in the export's place, because the real one loads networks."""
    begun: list[exporting.Export] = []
    monkeypatch.setattr(exporting, "_exports", {})

    def use(code: str) -> None:
        made = exporting.Export
        command = (sys.executable, "-c", code)
        monkeypatch.setattr(
            exporting, "Export", lambda *asked: begun.append(made(*asked, command)) or begun[-1]
        )

    yield use
    for export in begun:
        export.end()


def ended(export: exporting.Export) -> exporting.Export:
    while export.is_running:
        time.sleep(0.02)
    return export


def test_what_falls_short_is_told_and_given_all_the_same(say, tmp_path):
    say(WRITES)
    exporting.begin(tmp_path, "onnx", "en")
    made = ended(exporting.of(tmp_path, "onnx"))
    assert made.result() == {"card": {"format": "onnx"}} and made.last_line() == "asking …"
    assert zipfile.ZipFile(io.BytesIO(made.zipped())).namelist() == ["model.onnx"]
    assert exporting.of(tmp_path, "torch") is None


def test_a_failure_is_the_commands_own_sentence(say, tmp_path):
    say(FAILS)
    exporting.begin(tmp_path, "onnx", "en")
    made = ended(exporting.of(tmp_path, "onnx"))
    assert made.result() is None and made.last_line() == "The disk is full."


def test_one_at_a_time_for_all_browsers(say, tmp_path):
    say(WAITS)
    exporting.begin(tmp_path, "onnx", "en")
    exporting.begin(tmp_path, "torch", "en")
    assert exporting.is_busy() and exporting.of(tmp_path, "torch") is None


def test_older_ones_make_room(say, tmp_path):
    say(WRITES)
    for number in range(exporting.MOST_KEPT + 1):
        exporting.begin(tmp_path / str(number), "onnx", "en")
        ended(exporting.of(tmp_path / str(number), "onnx"))
    assert exporting.of(tmp_path / "0", "onnx") is None
    assert exporting.of(tmp_path / "1", "onnx") is not None


def test_the_real_command_is_one_that_the_program_has():
    from tl_core.cli.commands import COMMANDS

    assert exporting.COMMAND[-1] in COMMANDS
