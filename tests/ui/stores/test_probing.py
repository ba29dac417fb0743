"""The probe of a person's pictures runs beside the page: in a process of its own, one at a time."""

from __future__ import annotations

import sys
import time

import pytest

from tl_ui.stores import probing

ANSWERS = "import sys; print('looking', file=sys.stderr); print('{\"rows\": [], \"folds\": 5}')"
FAILS = "import sys; print('No picture was found.', file=sys.stderr); sys.exit(2)"
WAITS = "import time; time.sleep(60)"


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(probing, "_probes", {})


@pytest.fixture
def say(monkeypatch):
    """Another command in the probe's place, because the real one loads networks."""
    begun = []

    def use(code: str) -> None:
        made = probing.Probe
        command = (sys.executable, "-c", code)
        monkeypatch.setattr(probing, "Probe", lambda folder: begun.append(made(folder, command)) or begun[-1])

    yield use
    for probe in begun:
        probe.end()


def ended(probe: probing.Probe) -> probing.Probe:
    while probe.is_running:
        time.sleep(0.02)
    return probe


def test_what_the_command_answers_is_the_result(say, tmp_path):
    say(ANSWERS)
    probing.begin(tmp_path)
    assert ended(probing.of(tmp_path)).result() == {"rows": [], "folds": 5}
    assert probing.of(tmp_path / "others") is None


def test_what_the_command_complains_of_is_the_error_and_no_result(say, tmp_path):
    say(FAILS)
    probing.begin(tmp_path)
    probe = ended(probing.of(tmp_path))
    assert probe.result() is None and probe.last_line() == "No picture was found."


def test_one_probe_at_a_time_for_all_browsers(say, tmp_path):
    say(WAITS)
    probing.begin(tmp_path / "one")
    probing.begin(tmp_path / "two")
    assert probing.is_busy()
    assert probing.of(tmp_path / "one").result() is None and probing.of(tmp_path / "two") is None


def test_the_real_command_is_one_that_the_program_has():
    from tl_core.cli.commands import COMMANDS

    assert probing.COMMAND[-1] in COMMANDS
