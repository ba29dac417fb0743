"""Whatever stands in a run's files, a reader answers or says in one sentence what is wrong with which."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest

from tests.mutated import mutate
from tests.ui.run_folder_builder import finished_run
from tl_core.base.errors import RunDamaged, TlError
from tl_core.base.files.reading import misfit, parse, read_json
from tl_core.jobs import local
from tl_core.runs import decision_rule, run_folder
from tl_core.runs.event_log import EventLog
from tl_core.runs.report import advice, comparison, page, run_facts
from tl_core.runs.run_folder import RunFolder

NUM_FILES = int(os.environ.get("HEADSWAP_SOAK_FILES", "150"))
"""`make soak` asks for more."""
DECISION = {"positive_class": "teasing", "threshold": 0.31, "temperature": 1.4, "sure_from": 0.8}


def readers(other: RunFolder) -> dict[str, Callable[[RunFolder], Any]]:
    return {
        "list": lambda run: run_folder.list_runs(run.path.parent),
        "state": local.state,
        "queue": local.queue_position,
        "settings": lambda run: run.settings(),
        "facts": run_facts.read_facts,
        "advice": lambda run: advice.advise(
            run.read_config(), run.read_summary(), run.read_status().get("error")
        ),
        "settings of both": lambda run: comparison.differing_settings([run, other]),
        "answers of both": lambda run: comparison.pair(run, other),
        "events": lambda run: EventLog(run.events_path).read(),
        "decision": decision_rule.read,
        "report": lambda run: page.render(run, "en"),
    }


def test_no_damaged_file_of_a_run_gives_more_than_a_sentence(tmp_path: Path):
    sound = finished_run(tmp_path / "sound" / "run")
    (sound.path / decision_rule.FILE).write_text(json.dumps(DECISION), encoding="utf-8")
    asked = readers(finished_run(tmp_path / "sound" / "other"))
    files = [
        p.relative_to(sound.path)
        for p in sorted(sound.path.rglob("*"))
        if p.suffix in (".json", ".csv", ".jsonl")
    ]
    bad = []
    for seed in range(NUM_FILES):
        rng = random.Random(seed)
        run = RunFolder(tmp_path / "damaged" / "run")
        shutil.copytree(sound.path, run.path)
        how = mutate(run.path / rng.choice(files), rng)
        for name, read in asked.items():
            if name == "report" and seed % 10:
                continue  # the slow one
            try:
                read(run)
            except TlError as error:
                error.message("ko").encode()
            except Exception as error:
                bad.append(f"{seed}: {how}: {name}: {type(error).__name__}: {error}"[:200])
        shutil.rmtree(run.path.parent)
    assert bad == []


@pytest.mark.parametrize("name", [b"\xff\xfe-run", "분류".encode("cp949"), "x\u202e".encode()])
def test_a_folder_with_any_name_is_listed_and_found_by_what_is_shown(tmp_path: Path, name: bytes):
    sound = finished_run(tmp_path / "run")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    try:
        shutil.copytree(sound.path, odd)
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    listed = {run.name: run.path for run in run_folder.list_runs(tmp_path)}
    assert set(listed.values()) == {sound.path, odd}
    for shown, path in listed.items():
        shown.encode()
        assert run_folder.find(tmp_path, shown).path == path


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "soon", 7, None])
def test_a_run_of_an_impossible_date_counts_as_made_when_its_file_was(tmp_path: Path, date: Any):
    run = finished_run(tmp_path / "run")
    content = json.loads(run.config_path.read_text(encoding="utf-8")) | {"created": date}
    run.config_path.write_text(json.dumps(content), encoding="utf-8")
    assert run.created() == run.config_path.stat().st_mtime


def test_a_setting_that_an_older_run_lacks_has_its_default(tmp_path: Path):
    run = finished_run(tmp_path / "run")
    content = json.loads(run.config_path.read_text(encoding="utf-8"))
    del content["dropout"]
    run.config_path.write_text(json.dumps(content), encoding="utf-8")
    assert run.read_config()["dropout"] == 0.3


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "NaN", "[Infinity]", "{", ""])
def test_what_is_no_json_is_one_kind_of_error(text: str):
    with pytest.raises(ValueError):
        parse(text)


class Inner(TypedDict):
    num: int


class Outer(TypedDict):
    name: str
    share: float | None
    kind: Literal["a", "b"]
    inner: dict[str, list[Inner]]
    place: Path


SOUND = {
    "name": "x",
    "share": 0.5,
    "kind": "a",
    "inner": {"one": [{"num": 3}]},
    "place": "/tmp/\udcff",
    "more": 1,
}


def test_what_fits_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "file.json").write_text(json.dumps(SOUND), encoding="utf-8")
    assert read_json(tmp_path / "file.json", Outer) == SOUND
    assert read_json(tmp_path / "none.json", Outer) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": None}, "name: str"),
        ({"name": "\ud800"}, "name: str"),
        ({"place": "\ud800"}, "place: Path"),
        ({"share": 1e300}, "share: float"),
        ({"share": True}, "share: float"),
        ({"kind": "c"}, "kind: a|b"),
        ({"inner": {"one": [{"num": 1.5}]}}, "inner.one[0].num: int"),
        ({"inner": {"one": [{}]}}, "inner.one[0].num: is missing"),
        ({"inner": {"one": {}}}, "inner.one: list"),
        ({"inner": {"\ud800": []}}, "inner: str"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(tmp_path: Path, change: dict, said: str):
    reason = misfit(SOUND | change, Outer)
    assert reason and reason.startswith(said)
    (tmp_path / "file.json").write_text(json.dumps(SOUND | change), encoding="utf-8")
    with pytest.raises(RunDamaged, match="file.json"):
        read_json(tmp_path / "file.json", Outer)
